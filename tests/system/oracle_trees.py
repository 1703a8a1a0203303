#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ticket trees by chance: mostly sound, in every form that is read, with some of
everything that can be wrong.  The same seed makes the same trees."""
import json
import os
import shutil

STATES = ["planning", "ready", "queued", "inprogress", "done", "closed"]
NAMING = ["before", "after", "blocked_by", "blocks", "conflicts_with", "do_not_parallelize",
          "depends_on", "related", "supersedes", "duplicate_of"]
RELATIONS = ["depends_on", "blocks", "related", "supersedes", "duplicate_of"]
TIMES = ["2026-06-%02dT%02d:%02d:00Z" % (day, hour, minute)
         for day in (1, 2, 3) for hour in (4, 5, 16) for minute in (0, 30)]
ODD_TIMES = ["2026-06-02T04:00:00.5Z", "2026-06-02T13:00:00+09:00", "2026-06-01T23:30:00-05:00",
             "2026-06-02t04:00:00z", "2026-06-02T04:00:00.000001Z", "2031-01-01T00:00:00Z"]
NO_TIMES = ["yesterday", "2026-06-02", "2026-13-02T04:00:00Z", "2026-06-02T04:00:00", "", "2026-06-02T25:00:00Z"]
IDS = ["a", "b.1", "C-3", "d_4", "0", "7z.", "Open", "item.md", "x" * 128, "records", "e..f", "g-"]
NO_IDS = [".hidden", "-dash", "\u00fcber", "two words", "y" * 129, "_under"]
TEXTS = ["plain", "with 'single' and \"double\"", "\u65e5\u672c\u8a9e", "a: colon", "tab\there", "",
         "line\nbreak", "\U0001f600 \u202e bidi", "#not a comment", "null"]


class Maker:
    """Writes one checkout's tree after another; `rng` decides everything."""

    def __init__(self, rng, count):
        self.rng = rng
        stem = rng.choice(["t%d", "00001KTG3%04d", "20260601-0211%02d-word", "v1.%d-x"])
        self.ids = [stem % number for number in range(count)]
        self.ids += rng.sample(IDS, min(len(IDS), count // 8))
        self.serial = 0
        self.wild = rng.choice([0.0, 0.02, 0.1])
        self.slugs = rng.choice([0.0, 0.0, 1.0, 0.3])
        self.life = rng.choice([[1] * 6, [0, 1, 6, 3, 2, 2], [0, 0, 5, 1, 3, 0]])

    def chance(self, of):
        return self.rng.random() < of

    def time(self):
        if self.chance(self.wild / 3):
            return self.rng.choice(NO_TIMES)
        return self.rng.choice(ODD_TIMES if self.chance(0.1) else TIMES)

    def ident(self):
        if self.chance(0.04):
            return self.rng.choice(["nobody", "NIL.0", "gone-1"])
        # Neighbours, so that there are circles and crowds.
        at = min(int(self.rng.random() ** 2 * len(self.ids)), len(self.ids) - 1)
        return self.ids[at]

    # -- item.md

    def quoted(self, text):
        how = self.rng.randrange(3)
        if how == 0 and "\n" not in text and "\t" not in text:
            return "'%s'" % text.replace("'", "''")
        if how == 1 and text and text.replace("-", "").replace(":", "").replace(".", "").isalnum() \
                and text not in ("null",) and text.isascii() and not text.endswith(":"):
            return text
        return json.dumps(text, ensure_ascii=False)

    def state_fields(self, slugs):
        state = self.rng.choices(STATES, self.life)[0]
        how = self.rng.random()
        if slugs:
            if how < 0.5:
                return {"workflow_state": state}, "closed" if state in ("done", "closed") else "open"
            if how < 0.6:
                return {"workflow_state": state, "status": self.rng.choice(["open", "closed"]),
                        "state": self.rng.choice(STATES)}, self.rng.choice(["open", "pending", "closed"])
            return {"status": self.rng.choice(["open", "closed"])}, self.rng.choice(["open", "closed"])
        if how < 0.8:
            return {"state": state}, None
        if how < 0.85:
            return {"state": None, "workflow_state": state}, None
        if how < 0.93:
            return {"workflow_state": state, "status": self.rng.choice(["open", "closed"])}, None
        return {"status": self.rng.choice(["open", "closed"])} if how < 0.98 else {}, None

    def fields(self, ident, slugs):
        fields, bucket = self.state_fields(slugs)
        fields["title"] = self.rng.choice(TEXTS) if self.chance(0.2) else "Title of " + ident[:20]
        if slugs:
            fields["id"], fields["slug"] = ident, self.rng.choice(["s1", "s2", "slug-" + ident[-9:]])
        for name, often in (("created_at", 0.9), ("updated_at", 0.8), ("queued_at", 0.5)):
            if self.chance(often):
                fields[name] = self.time()
        if self.chance(0.2):
            fields["assignee"] = None
        if self.chance(self.wild):
            fields[self.rng.choice(["state", "workflow_state"])] = self.rng.choice(
                ["intake", "Queued", "5", "", "in progress"])
        return fields, bucket

    def item(self, fields):
        lines = ["%s: %s" % (key, "null" if value is None else self.quoted(value))
                 for key, value in fields.items()]
        if self.chance(0.2):
            lines.append("labels: [one, 'two']")
        if self.chance(0.1):
            lines.append("# a comment")
        self.rng.shuffle(lines)
        text = "---\n" + "\n".join(lines) + "\n---\n" + self.rng.choice(["", "\nBody.\n", "\nstate: done\n---\n"])
        if self.chance(0.05):
            text = text.replace("\n", "\r\n")
        data = text.encode()
        if self.chance(0.02):
            data = b"\xef\xbb\xbf" + data
        return self.broken_item(data) if self.chance(self.wild) else data

    def broken_item(self, data):
        return self.rng.choice([
            b"", b"no front matter\n", b"---\nstate: queued\n", data.replace(b"---\n", b"", 1),
            b"---\nstate: 'queued\n---\n", b"---\nstate: queued\n  bad: - x: [\n---\n",
            data.replace(b"title", b"ti\0tle"), data.replace(b"title", b"ti\xfftle"),
            b"---\nstate: *alias\n---\n", b"---\nstate: &anchor queued\n---\n",
            b"---\nstate: [queued]\n---\n",
            b"---\n<<<<<<< ours\nstate: done\n=======\nstate: queued\n>>>>>>> theirs\n---\n",
            b"---\nstate: done\nfill: " + b"x" * 70000 + b"\n---\n"])

    # -- Records

    def until(self):
        if self.chance(self.wild):
            return self.rng.choice([{}, {"ticket": "a"}, {"free": 0}, {"free": "2"}, {"gate": "robot"},
                                    {"after": "soon"}, "human", None, {"ticket": "a", "state": "started"}])
        return self.rng.choice([
            {"ticket": self.ident(), "state": self.rng.choice(STATES)}, {"after": self.rng.choice(TIMES + ODD_TIMES)},
            {"gate": "human"}, {"free": self.rng.choice([1, 2, 5, 10, 1000])}])

    def row(self, ticket, others):
        kind = self.rng.choice(NAMING + ["waiting_capacity_note", "accepted_plan"] * 3 + ["retraction"])
        self.serial += 1
        row = {"id": "orch-plan-%d" % self.serial, "ticket_id": ticket, "kind": kind}
        if kind in NAMING:
            row["related_ticket"] = self.ident()
        if kind == "waiting_capacity_note" or self.chance(0.5):
            row["note"] = self.rng.choice(TEXTS[:4])
        if kind == "accepted_plan":
            row["accepted_plan"] = {"summary": "Do it."}
            for name in ("branch", "worktree", "role_plan"):
                if self.chance(0.3):
                    row["accepted_plan"][name] = "some " + name
        if kind == "waiting_capacity_note" and self.chance(0.7):
            row["until"] = self.until()
        if kind == "retraction":
            row["retracts"] = self.rng.choice(others + ["orch-plan-0", "depends_on:" + self.ident()])
        row["author"], row["at"] = self.rng.choice(["orchestrator", "mara"]), self.time()
        return self.odd_row(row, others) if self.chance(self.wild) else row

    def odd_row(self, row, others):
        how = self.rng.randrange(9)
        if how == 0:
            row["ticket_id"] = self.ident()
        elif how == 1:
            row["kind"] = self.rng.choice(["parent_of", "", "BLOCKS", "dependency_of", 7])
        elif how == 2:
            row[self.rng.choice(["extra", "Note", "x" * 300])] = self.rng.choice([1, None, "text", [1, [2]]])
        elif how == 3:
            row.pop(self.rng.choice(sorted(row)))
        elif how == 4 and "related_ticket" in row:
            row["related_ticket"] = row["ticket_id"]
        elif how == 5 and others:
            row["id"] = self.rng.choice(others)
        elif how == 6:
            row[self.rng.choice(sorted(row))] = self.rng.choice([5, None, "", True, ["x"], {"y": "z"}])
        elif how == 7:
            row["ticket_slug"] = "s1"
        elif "accepted_plan" in row and isinstance(row["accepted_plan"], dict):
            row["accepted_plan"][self.rng.choice(["more", "summary"])] = self.rng.choice([3, "", "x"])
        return row

    def lines(self, ticket, others):
        data = b""
        for _ in range(self.rng.choice([1, 1, 2, 3, 6])):
            row = self.row(ticket, others)
            if isinstance(row.get("id"), str):
                others.append(row["id"])
            data += json.dumps(row, ensure_ascii=self.chance(0.3)).encode() + b"\n"
        if self.chance(0.05):
            data = data.replace(b"\n", b"\n\n", 1)
        if self.chance(self.wild):
            data = self.rng.choice([
                data[:-1], data[:-9], data + b"[1]\n", data + b'{"id":1,"id":2}\n', data + b"\xe3",
                data + b'{"a":"\\ud800"}\n', data + b"{" * 9 + b"\n", data + b'{"a":NaN}\n',
                data + b'{"a":' + b"[" * 200 + b"]" * 200 + b"}\n", b"<<<<<<< ours\n" + data,
                data.replace(b"\n", b"\r\n"), data + b'{"a":"\\u0000"}\n', data + b"   \n"])
        return data

    def relations(self, ticket, others):
        rows = []
        for _ in range(self.rng.choice([1, 1, 2, 4])):
            kind, target = self.rng.choice(RELATIONS), self.ident()
            if self.chance(self.wild):
                kind = self.rng.choice(["after", "conflicts_with", "", "parent"])
            rows.append({"ticket_id": ticket, "kind": kind, "target": target,
                         "author": "yoi ticket", "at": self.time()})
            others.append("%s:%s" % (kind, target))
            if self.chance(self.wild):
                rows.append(self.rng.choice([dict(rows[-1]), dict(rows[-1], at=self.time(), note="again"),
                                             dict(rows[-1], extra=1), dict(rows[-1], target=ticket), 5, None]))
        whole = {"version": 1, "relations": rows}
        data = json.dumps(whole, indent=self.rng.choice([None, 2]), ensure_ascii=False).encode() + b"\n"
        if self.chance(self.wild):
            data = self.rng.choice([b"", data[:len(data) // 2], b"[]", data.replace(b'"version": 1', b'"version": 2'),
                                    data.rstrip(), b'{"version":1}', data + b"x", b'{"version":1,"relations":{}}'])
        return data

    def files(self, ticket, others):
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            row = self.row(ticket, others)
            # The digits of a ULID are those of Crockford's base 32.
            row["id"] = name = "01M84RFBN93ESWF7PM%08d" % self.serial
            others.append(name)
            data = json.dumps(row, indent=2, ensure_ascii=False).encode() + b"\n"
            if self.chance(self.wild):
                data = self.rng.choice([b"", data[:-9], data.rstrip(), b"[]\n", b"null", data.replace(name.encode(), b"X"),
                                        b"\xef\xbb\xbf" + data, data * 2])
            yield name + ".json", data
            if self.chance(self.wild):
                yield self.rng.choice([".tmp-1", name + ".json.tmp", "README.md"]), b"{"

    # -- Trees

    def ticket(self, ident):
        """{path: bytes} below the root; None is a folder, text the target of a link."""
        slugs = self.chance(self.slugs)
        fields, bucket = self.fields(ident, slugs)
        base = (bucket + "/" if slugs else "") + ident
        files, others = {base + "/item.md": self.item(fields)}, []
        if self.chance(0.4):
            files[base + "/artifacts/orchestration-plan.jsonl"] = self.lines(ident, others)
        if self.chance(0.3):
            files[base + "/artifacts/relations.json"] = self.relations(ident, others)
        if self.chance(0.4):
            for name, data in self.files(ident, others):
                files[base + "/artifacts/records/" + name] = data
        if self.chance(self.wild):
            self.spoil(files, base)
        return files

    def spoil(self, files, base):
        path = self.rng.choice(sorted(files))
        how = self.rng.randrange(4)
        if how == 0:
            files[path] = "../../elsewhere"
        elif how == 1:
            files[path] = None
        elif how == 2:
            files.pop(base + "/item.md")
        else:
            files["closed/" + base.rsplit("/", 1)[-1] + "/item.md"] = self.item({"workflow_state": "done"})

    def tree(self):
        files = {}
        for ident in self.ids:
            if not self.chance(0.03):
                files.update(self.ticket(ident))
        if self.chance(0.3):
            files[self.rng.choice(NO_IDS) + "/item.md"] = b"---\nstate: queued\n---\n"
        if self.chance(0.3):
            files["README.md"] = b"Not a Ticket.\n"
        return files

    def other(self, files):
        """The same tree in another checkout: some later, some earlier, some not there."""
        copy = dict(files)
        share = self.rng.choice([0.0, 0.1, 0.4])
        for ident in self.ids:
            mine = [path for path in copy if ident in path.split("/")[:2]]
            if not self.chance(share):
                continue
            new = self.ticket(ident)
            how = self.rng.randrange(4)
            if how == 3:
                # Records of the same names with other words.
                for path in mine:
                    if isinstance(copy[path], bytes) and "artifacts" in path:
                        copy[path] = copy[path].replace(b"Do it.", b"Do that.").replace(b"mara", b"mika")
                continue
            for path in mine:
                if how < 2 or "item.md" in path:
                    del copy[path]
            if how == 1:
                copy.update(new)
            elif how == 2:
                copy.update({path: data for path, data in new.items() if path.endswith("item.md")
                             and path.count("/") == (2 if mine and mine[0].split("/")[0] in (
                                 "open", "pending", "closed") else 1)})
        return copy


def write(folder, files, had=None):
    """Bring a folder from what was written last to files."""
    for path in had or {}:
        if path not in files or type(files[path]) is not type(had[path]):
            full = os.path.join(folder, path)
            if os.path.islink(full) or os.path.isfile(full):
                os.unlink(full)
            elif os.path.isdir(full):
                shutil.rmtree(full)
    for path, data in files.items():
        full = os.path.join(folder, path)
        if had and path in had and had[path] == data and os.path.lexists(full):
            continue
        os.makedirs(full if data is None else os.path.dirname(full), exist_ok=True)
        if isinstance(data, str):
            if not os.path.lexists(full):
                os.symlink(data, full)
        elif data is not None:
            with open(full, "wb") as file:
                file.write(data)
    prune(folder, files)


def prune(folder, files):
    """Take away folders in which nothing is left."""
    keep = {path for path, data in files.items() if data is None}
    for where, _, _ in os.walk(folder, topdown=False):
        if where != folder and not os.listdir(where) and os.path.relpath(where, folder) not in keep:
            os.rmdir(where)
