#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second opinion: what a Ticket tree says, worked out with nothing of the agent.

It reads the checkouts of a repository as plainly as it can, all of it at every
question, and computes states, records with what has become of them, who is occupied,
the gate, and the queue.  It is slow, has no index, and shares no line with tpd; where
the two differ, one of them is wrong.

Front matter is understood as far as the trees of these tests use it: one `key: value`
a line, values plain, quoted either way, null, or a list in brackets.
"""
import datetime
import json
import os
import re
import stat

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
STATES = ["planning", "ready", "queued", "inprogress", "done", "closed"]
RESOLVED = ("done", "closed")
BUCKETS = ("open", "pending", "closed")
ROOTS = (".yoi/tickets", ".tickets", "tickets")
NAMING = ("before", "after", "blocked_by", "blocks", "conflicts_with", "do_not_parallelize",
          "depends_on", "related", "supersedes", "duplicate_of")
KINDS = NAMING + ("waiting_capacity_note", "accepted_plan", "retraction")
INVERSE = {"before": "after", "after": "before", "blocked_by": "blocks", "blocks": "blocked_by",
           "depends_on": "dependency_of", "supersedes": "superseded_by",
           "duplicate_of": "duplicated_by"}
CONFLICTS = ("conflicts_with", "do_not_parallelize")
# Who waits for whom: (code, whether the record's own Ticket is the one that waits).
WAITS = {"blocked_by": ("blocked", True), "depends_on": ("blocked", True),
         "blocks": ("blocked", False), "after": ("ordered", True), "before": ("ordered", False)}
CODES = ["unreadable", "accepted", "claimed", "blocked", "ordered", "unmerged", "conflict",
         "waiting", "diverged", "elsewhere", "dangling", "cycle", "superseded", "duplicate",
         "untracked"]
FIELDS = {"id", "ticket_id", "kind", "related_ticket", "note", "accepted_plan", "until",
          "retracts", "author", "at", "ticket_slug"}
RELATION_FIELDS = {"ticket_id", "kind", "target", "note", "author", "at"}
PLAN_FIELDS = {"summary", "branch", "worktree", "role_plan"}
LINE_MAX, FILE_MAX, FRONT_MAX, DEPTH_MAX = 1 << 20, 64 << 20, 64 << 10, 64

MARKERS = (b"<<<<<<<", b"=======", b">>>>>>>")

TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
                  r"(?:[Zz]|([+-])(\d\d):(\d\d))\Z")


def instant(text):
    """Microseconds since 1970, or None for what is no time."""
    found = TIME.match(text) if isinstance(text, str) else None
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    try:
        when = datetime.datetime(year, month, day, hour, minute, min(second, 59),
                                 tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    micro = int((found[7] or "0")[:6].ljust(6, "0"))
    shift = (int(found[9]) * 60 + int(found[10])) * (1 if found[8] == "+" else -1) if found[8] else 0
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    seconds = (when - epoch) // datetime.timedelta(seconds=1) + (second - min(second, 59))
    return (seconds - shift * 60) * 1000000 + micro


class Bad(Exception):
    """What is wrong, as a problem's code."""


# -- Files -----------------------------------------------------------------


def load(path, most):
    """The bytes of a regular file, or None where there is none."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(mode):
        raise Bad("not_regular")
    if most and os.stat(path).st_size > most:
        raise Bad("too_large")
    with open(path, "rb") as file:
        return file.read()


def folders(path):
    """Names of real folders in path."""
    try:
        return sorted(entry.name for entry in os.scandir(path)
                      if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []


def scalar(text):
    """A value of front matter: text, None, or a list (as a tuple)."""
    if text[:1] == "'":
        if not re.match(r"'(?:[^']|'')*'\s*(?:#.*)?\Z", text):
            raise Bad("bad_front_matter")
        return text[1:text.rindex("'")].replace("''", "'")
    if text[:1] == '"':
        if not re.match(r'"(?:[^"\\]|\\.)*"\s*(?:#.*)?\Z', text):
            raise Bad("bad_front_matter")
        return json.loads(text[:text.rindex('"') + 1])
    if text[:1] == "[":
        if not text.rstrip().endswith("]"):
            raise Bad("bad_front_matter")
        return tuple(text)
    if text[:1] in ("&", "*", "!", "%", "@", "`", "{", "|", ">", "<"):
        raise Bad("bad_front_matter")
    text = re.sub(r"(^|\s)#.*", "", text).strip()
    if re.search(r":(\s|\Z)", text):
        raise Bad("bad_front_matter")
    return None if text in ("", "~", "null", "Null", "NULL") else text


def front_matter(data):
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Bad("not_text") from None
    if "\0" in text:
        raise Bad("not_text")
    lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
    if lines[0] != "---":
        raise Bad("no_front_matter")
    if "---" not in lines[1:]:
        raise Bad("no_front_matter")
    end = lines.index("---", 1)
    if len("\n".join(lines[1:end])) > FRONT_MAX:
        raise Bad("too_large")
    values = {}
    if any(line.encode().startswith(MARKERS) for line in lines[1:end]):
        raise Bad("conflict_markers")
    for line in lines[1:end]:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.match(r"([A-Za-z_][A-Za-z0-9_-]*):(?:[ \t]+(.*))?\Z", line)
        if not found:
            raise Bad("bad_front_matter")
        values[found[1]] = scalar((found[2] or "").strip())
    return values


def once(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def never(word):
    raise ValueError(word)


def sound(value, depth=1):
    """Whether a value has no text that cannot be said, and is not too deep."""
    if isinstance(value, str):
        return "\0" not in value and not re.search("[\ud800-\udfff]", value)
    if isinstance(value, (dict, list)) and depth > DEPTH_MAX:
        return False
    if isinstance(value, dict):
        return all(sound(part, depth + 1) for item in value.items() for part in item)
    return not isinstance(value, list) or all(sound(part, depth + 1) for part in value)


def json_object(data):
    try:
        value = json.loads(data.decode(), object_pairs_hook=once, parse_constant=never)
    except (ValueError, RecursionError):
        raise Bad("bad_record") from None
    if not isinstance(value, dict) or not sound(value):
        raise Bad("bad_record")
    return value


# -- Records ----------------------------------------------------------------


def text_of(row, key):
    """A text that says something, or None."""
    value = row.get(key)
    return value if isinstance(value, str) and value else None


def until_of(value):
    """What ends a wait, or None where it is nothing known."""
    if not isinstance(value, dict):
        return None
    if set(value) == {"ticket", "state"} and value["state"] in STATES \
            and isinstance(value["ticket"], str) and ID.match(value["ticket"]):
        return value
    if set(value) == {"after"} and instant(value["after"]) is not None:
        return value
    if value == {"gate": "human"}:
        return value
    if set(value) == {"free"} and type(value["free"]) is int and value["free"] > 0:
        return value
    return None


class Record:
    """One decision as a file of one checkout has it."""

    def __init__(self, row, ticket, form):
        self.ticket, self.form = ticket, form
        if row.get("ticket_id") != ticket:
            raise Bad("wrong_ticket")
        self.kind = text_of(row, "kind")
        if self.kind not in (NAMING if form == "relations" else KINDS):
            raise Bad("unknown_kind")
        self.other = text_of(row, "target" if form == "relations" else "related_ticket")
        if self.kind not in NAMING:
            self.other = None
        self.id = f"{self.kind}:{self.other}" if form == "relations" else text_of(row, "id")
        self.note = text_of(row, "note")
        self.author = text_of(row, "author") or ""
        # What has no time is older than all that has one.
        self.at = instant(row.get("at")) or 0
        self.plan = row.get("accepted_plan") if self.kind == "accepted_plan" else None
        self.until = until_of(row.get("until")) if self.kind == "waiting_capacity_note" else None
        self.retracts = text_of(row, "retracts") if self.kind == "retraction" else None
        self.check(row)
        self.origin = "relation" if form == "relations" or self.kind in (
            "depends_on", "related", "supersedes", "duplicate_of") else "plan"

    def check(self, row):
        wants = [self.id]
        if self.kind in NAMING:
            wants.append(self.other)
        elif self.kind == "waiting_capacity_note":
            wants.append(self.note)
        elif self.kind == "accepted_plan":
            wants.append(isinstance(self.plan, dict) and text_of(self.plan, "summary"))
        else:
            wants.append(self.retracts)
        if not all(wants):
            raise Bad("incomplete")
        if self.kind in NAMING and self.other == self.ticket:
            raise Bad("self_relation")

    def key(self):
        return (self.ticket, self.form == "relations", self.id)

    def content(self):
        plan = tuple(sorted((k, v) for k, v in (self.plan or {}).items() if k in PLAN_FIELDS
                            and isinstance(v, str)))
        return (self.kind, self.other, self.note, plan, json.dumps(self.until, sort_keys=True),
                self.retracts, self.author, self.at)


class Seen:
    """A Ticket as one checkout has it."""

    def __init__(self, ident, path):
        self.id, self.path = ident, path
        self.state, self.broken = "unknown", set()
        self.slug, self.folders = None, 1
        self.title, self.created, self.updated, self.queued = "", None, None, None
        self.problems, self.records = [], []

    def problem(self, code, holds, file, line=None):
        self.problems.append((code, file, line))
        if holds:
            self.broken.add(file)

    def read(self, top, slugs):
        self.read_item(top, slugs)
        self.read_lines(top)
        self.read_relations(top)
        self.read_files(top)

    def read_item(self, top, slugs):
        file = self.path + "/item.md"
        try:
            data = load(os.path.join(top, file), 0)
            if data is None:
                raise Bad("no_item")
            fields = front_matter(data)
        except Bad as bad:
            return self.problem(str(bad), True, file)
        text = lambda key: fields.get(key) if isinstance(fields.get(key), str) else None
        self.title, self.slug = text("title") or "", text("slug") if slugs else None
        self.created, self.updated = text("created_at"), text("updated_at")
        self.queued = text("queued_at")
        said = None if slugs else fields.get("state")
        if said is None:
            said = fields.get("workflow_state")
        if said is None:
            over = fields.get("status") == "closed"
            said = ("done" if slugs else "closed") if over else "planning"
        if said in STATES:
            self.state = said
        else:
            self.problem("bad_state", True, file)

    def take(self, row, form, file, line=None):
        known = RELATION_FIELDS if form == "relations" else FIELDS
        try:
            record = Record(row, self.id, form)
        except Bad as bad:
            self.problem(str(bad), False, file, line)
            if str(bad) in ("unknown_kind", "wrong_ticket"):
                return
            record = None
        plan = row.get("accepted_plan") if row["kind"] == "accepted_plan" else None
        if set(row) - known or (isinstance(plan, dict) and set(plan) - PLAN_FIELDS):
            self.problem("unknown_field", False, file, line)
        if not record:
            return
        record.file, record.line = file, line
        self.records.append(record)

    def read_lines(self, top):
        file = self.path + "/artifacts/orchestration-plan.jsonl"
        try:
            data = load(os.path.join(top, file), FILE_MAX)
        except Bad as bad:
            return self.problem(str(bad), True, file)
        if data is None:
            return None
        *lines, tail = data.split(b"\n")
        if tail.strip():
            self.problem("torn_tail", False, file, len(lines) + 1)
            try:
                # Nothing says that more was to come.
                self.take(json_object(tail), "lines", file, len(lines) + 1)
            except Bad:
                pass
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                if len(line) > LINE_MAX:
                    raise Bad("too_large")
                if line.startswith(MARKERS):
                    raise Bad("conflict_markers")
                self.take(json_object(line), "lines", file, number)
            except Bad as bad:
                self.problem(str(bad), True, file, number)
        return None

    def read_relations(self, top):
        file = self.path + "/artifacts/relations.json"
        try:
            data = load(os.path.join(top, file), FILE_MAX)
            if data is None:
                return None
            whole = json_object(data)
            rows = whole.get("relations")
        except Bad as bad:
            return self.problem(str(bad), True, file)
        if type(whole.get("version")) is not int or whole["version"] != 1 \
                or not isinstance(rows, list):
            self.problem("bad_record", True, file)
        if set(whole) - {"version", "relations"}:
            self.problem("unknown_field", False, file)
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict):
                self.take(row, "relations", file)
            else:
                self.problem("bad_record", True, file)
        return None

    def read_files(self, top):
        folder = self.path + "/artifacts/records"
        try:
            names = sorted(os.listdir(os.path.join(top, folder)))
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            if not name.endswith(".json") or name.startswith("."):
                continue
            file = folder + "/" + name
            try:
                row = json_object(load(os.path.join(top, file), LINE_MAX))
            except Bad as bad:
                self.problem(str(bad), True, file)
                continue
            self.take(row, "files", file)
            if self.records and self.records[-1].file == file and self.records[-1].id != name[:-5]:
                self.problem("wrong_name", False, file)
                del self.records[-1]


class Source:
    """A checkout."""

    def __init__(self, name, top, root=None):
        self.name, self.top, self.tickets = name, top, {}
        self.root = root or self.find_root()
        if self.root:
            self.read()

    def places(self, root):
        """(id, folder from the top, whether in the slug layout) of each Ticket."""
        for name in folders(os.path.join(self.top, root)):
            inside = root + "/" + name
            if name in BUCKETS:
                for ident in folders(os.path.join(self.top, inside)):
                    if ID.match(ident):
                        yield ident, inside + "/" + ident, True
            elif ID.match(name):
                yield name, inside, False

    def find_root(self):
        for root in ROOTS:
            for _, path, _ in self.places(root):
                if os.path.lexists(f"{self.top}/{path}/item.md"):
                    return root
        return None

    def read(self):
        for ident, path, slugs in self.places(self.root):
            seen = Seen(ident, path)
            seen.read(self.top, slugs)
            if ident in self.tickets:
                first = self.tickets[ident]
                first.state = "unknown"
                first.folders += 1
                first.broken |= seen.broken
                first.problems += seen.problems
                first.problem("found_twice", True, path)
                first.records += seen.records
            else:
                self.tickets[ident] = seen


# -- All checkouts as one --------------------------------------------------------


class Joined:
    """A record as all checkouts together have it."""

    def __init__(self, record, source):
        self.record, self.sources, self.diverged = record, [source], False

    def __getattr__(self, name):
        return getattr(self.record, name)


class Oracle:
    def __init__(self, sources, authority="main", now=None):
        """sources: {name: top} or Source objects."""
        self.sources = sorted((source for source in sources if source.root),
                              key=lambda source: source.name)
        self.authority = authority
        self.central = authority in [source.name for source in self.sources]
        self.now = now if now is not None else int(datetime.datetime.now().timestamp() * 1e6)
        ranked = sorted(self.sources, key=lambda source: (source.name != authority, source.name))
        self.seen = {}
        for source in ranked:
            for ident, seen in source.tickets.items():
                self.seen.setdefault(ident, []).append((source.name, seen))
        self.records = {ident: self.join(ident) for ident in self.seen}
        self.incoming = {}
        for rows in self.records.values():
            for record in rows:
                if record.kind in NAMING:
                    self.incoming.setdefault(record.other, []).append(record)
        self.settle()

    def join(self, ident):
        """The union; the authority's content counts, else the first source's by name."""
        rows = {}
        for name, seen in self.seen[ident]:
            times = {}
            for record in seen.records:
                turn = times[record.key()] = times.get(record.key(), 0) + 1
                have = rows.get((record.key(), turn))
                if have is None:
                    rows[(record.key(), turn)] = Joined(record, name)
                else:
                    have.sources.append(name)
                    have.diverged = have.diverged or have.content() != record.content()
        return sorted(rows.values(), key=lambda row: (row.at, row.id))

    def face(self, ident):
        """The checkout whose word counts, and the Ticket there."""
        if self.seen[ident][0][0] == self.authority:
            return self.seen[ident][0]
        rank = lambda pair: STATES.index(pair[1].state) if pair[1].state in STATES else -1
        return max(self.seen[ident], key=rank)

    def state(self, ident):
        return self.face(ident)[1].state if ident in self.seen else None

    def elsewhere(self, ident):
        """Not where it counts; where no checkout counts more, nothing is elsewhere."""
        return self.seen[ident][0][0] != self.authority and self.central

    def merged(self, ident):
        """Resolved where it counts."""
        return self.state(ident) in RESOLVED and not self.elsewhere(ident)

    def anywhere(self, ident):
        """The first other checkout that has it resolved."""
        for name, seen in sorted(self.seen.get(ident, []), key=lambda pair: pair[0]):
            if seen.state in RESOLVED and name != self.authority:
                return name
        return None

    def diverged(self, ident):
        return len({seen.state for _, seen in self.seen[ident]}) > 1

    def best(self, ident, field):
        """A field of the item that gives the state."""
        return getattr(self.face(ident)[1], field)

    # -- What has become of records

    @staticmethod
    def retracted(record, rows):
        """A retraction itself stays; a relation can come back under its name."""
        return record.kind != "retraction" and any(
            other.kind == "retraction" and other.retracts == record.id
            and (record.form != "relations" or record.at <= other.at) for other in rows)

    def settle(self):
        for rows in self.records.values():
            for record in rows:
                record.gone = self.retracted(record, rows)
            plans = [row for row in rows if row.kind == "accepted_plan" and not row.gone]
            for record in rows:
                record.late = record.kind in ("accepted_plan", "waiting_capacity_note") and any(
                    (plan.at, plan.id) > (record.at, record.id) for plan in plans)
        self.busy = {ident for ident in self.seen if self.occupied(ident)}
        for rows in self.records.values():
            for record in rows:
                record.status = self.status(record)

    def over(self, until):
        if not until or "gate" in until:
            return False
        if "after" in until:
            return instant(until["after"]) <= self.now
        if "free" in until:
            return len(self.busy) < until["free"]
        state, ident = self.state(until["ticket"]), until["ticket"]
        if state not in STATES or STATES.index(state) < STATES.index(until["state"]):
            return False
        return until["state"] not in RESOLVED or self.merged(ident)

    def status(self, record):
        if record.gone:
            return "retracted"
        if record.late:
            return "superseded"
        if record.kind == "retraction":
            return "satisfied"
        lasting = record.kind in ("related", "supersedes", "duplicate_of")
        if not lasting and self.merged(record.ticket):
            return "satisfied"
        if record.kind in WAITS or record.kind in CONFLICTS:
            if record.other in self.seen and self.merged(record.other):
                return "satisfied"
        if self.over(record.until):
            return "satisfied"
        if record.kind in NAMING and record.other not in self.seen:
            return "dangling"
        return "live"

    # -- Who is at work

    def planned(self, ident):
        """The live accepted plan that occupies a queued Ticket, or None."""
        if self.state(ident) != "queued":
            return None
        since = instant(self.best(ident, "queued"))
        for record in reversed(self.records[ident]):
            if record.kind == "accepted_plan" and not record.gone and not record.late:
                if since is None or record.at >= since:
                    return record
        return None

    def started(self, ident):
        return [name for name, seen in self.seen[ident] if seen.state == "inprogress"]

    def occupied(self, ident):
        return bool(self.started(ident)) or self.planned(ident) is not None

    # -- The gate

    def reason(self, code, severity="hold", origin="tree", at=0, **more):
        if more.get("other"):
            more["other_state"] = self.state(more["other"]) or "unknown"
        row = {"code": code, "severity": severity, "origin": origin}
        row.update({key: value for key, value in more.items() if value is not None})
        self.rows.append(((CODES.index(code), at), row))

    def wait(self, ident, record):
        if record.kind not in WAITS or record.gone:
            return
        code, own = WAITS[record.kind]
        other = record.other if own else record.ticket
        if own != (record.ticket == ident) or (other in self.seen and self.merged(other)):
            return
        where = self.anywhere(other)
        self.reason("unmerged" if where else code, origin=record.origin, at=record.at, other=other,
                    source=where, record=record.id)

    def conflict(self, ident, record):
        if record.kind not in CONFLICTS or record.gone:
            return
        other = record.other if record.ticket == ident else record.ticket
        if other in self.seen and (other in self.busy or self.state(other) == "unknown"):
            self.reason("conflict", origin=record.origin, at=record.at, other=other,
                        record=record.id)

    def gate(self, ident):
        self.rows = []
        self.gate_tree(ident)
        own, incoming = self.records[ident], self.incoming.get(ident, [])
        for record in own + incoming:
            self.wait(ident, record)
            self.conflict(ident, record)
        for record in own:
            if record.kind == "waiting_capacity_note" and record.status == "live":
                self.reason("waiting", "hold" if record.until else "note", record.origin,
                            record.at, record=record.id, other=(record.until or {}).get("ticket"))
            if record.kind in NAMING and record.other not in self.seen and not record.gone \
                    and not self.merged(ident):
                self.reason("dangling", "note", record.origin, record.at, other=record.other,
                            record=record.id)
            if record.kind == "duplicate_of" and not record.gone:
                self.reason("duplicate", "note", record.origin, record.at, other=record.other,
                            record=record.id)
        for record in incoming:
            if record.kind == "supersedes" and record.status in ("live", "dangling"):
                self.reason("superseded", "note", record.origin, record.at, other=record.ticket,
                            record=record.id)
        if self.in_cycle(ident):
            self.reason("cycle", "note")
        rows = [row for _, row in sorted(self.rows, key=lambda pair: pair[0])]
        held = any(row["severity"] == "hold" for row in rows)
        asked = self.state(ident) in ("queued", "unknown")
        return ("held" if held else "clear") if asked else "not_queued", rows

    def gate_tree(self, ident):
        for name, seen in self.seen[ident]:
            for _ in seen.broken:
                self.reason("unreadable", source=name)
        face, plan = self.face(ident)[0], self.planned(ident)
        away = [name for name in self.started(ident) if name != face]
        if away:
            self.reason("accepted", source=away[0])
        elif plan:
            self.reason("accepted", origin="plan", at=plan.at, record=plan.id)
        if self.diverged(ident):
            self.reason("diverged", "note")
        for record in self.records[ident]:
            if record.diverged and not record.gone:
                self.reason("diverged", "note", record.origin, record.at, record=record.id)
        if self.elsewhere(ident):
            self.reason("elsewhere", "note", source=self.face(ident)[0])

    def next(self, ident):
        """Those that it waits for."""
        for record in self.records[ident]:
            if WAITS.get(record.kind, (0, 0))[1] and record.status == "live":
                yield record.other
        for record in self.incoming.get(ident, []):
            if record.kind in WAITS and not WAITS[record.kind][1] and record.status == "live":
                yield record.ticket

    def in_cycle(self, ident):
        todo, found = list(self.next(ident)), set()
        while todo:
            one = todo.pop()
            if one == ident:
                return True
            if one not in found:
                found.add(one)
                todo += self.next(one)
        return False

    # -- What doctor finds beside the files themselves

    def findings(self, ident):
        """Codes, as often as they apply."""
        yield from self.bypasses(ident)
        for record in self.records[ident]:
            if record.status == "dangling":
                yield "dangling"
            if record.kind != "waiting_capacity_note" or self.merged(ident):
                continue
            if record.status == "satisfied":
                yield "wait_over"
            if record.status == "live" and not record.until:
                yield "wait_unbounded"

    def bypasses(self, ident):
        begun = self.started(ident) and not self.merged(ident)
        since = instant(self.best(ident, "queued"))
        plans = [record for record in self.records[ident]
                 if record.kind == "accepted_plan" and not record.gone]
        if begun and (not plans or (since is not None and plans[-1].at < since)):
            yield "unrecorded"
        if begun:
            yield from ("past_hold" for row in self.gate(ident)[1]
                        if row["severity"] == "hold" and row["code"] != "accepted")
        plan = self.planned(ident)
        if plan and not self.started(ident) and self.now - plan.at >= 3600 * 1000000:
            yield "accepted_not_started"

    def queue(self):
        def place(ident):
            said = self.best(ident, "queued")
            said = said if said is not None else self.best(ident, "updated")
            when = instant(said)
            # What is no time comes first, as text.
            return (0, 0, said or "", ident) if when is None else (1, when, "", ident)
        return sorted((ident for ident in self.seen if self.state(ident) == "queued"), key=place)
