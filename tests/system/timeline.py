#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""timeline.py make REPOSITORY COMMITS [SEED]
timeline.py replay REPOSITORY HISTORY
timeline.py same SOCKET REPOSITORY CLONE COUNT TPD TICKETS
timeline.py log SOCKET REPOSITORY
timeline.py crowd SOCKET COUNT
timeline.py long REPOSITORY COMMITS
timeline.py aside SOCKET TICKET

Make a repository with a random history, or with one that was lived through (a JSON object
an event); then ask, for COUNT commits of it, the agent at SOCKET for the commit and one
that TPD starts on a pipe, in CLONE with the commit checked out; all lists, all gates, and the whole
of some TICKETS, others each time.  Says in TAP whether the
answers are the same but for the clock, and whether what differs between two commits is
what record.diff says.  log holds what record.log says of record files against git log;
crowd has several clients ask what became of records at once, each again as soon as it is
answered, until COUNT were; aside has one ask for a whole history and another, meanwhile,
for the gate of a Ticket with a record in no commit.
"""
import json
import random
import select
import subprocess
import sys

import rpc
from offline import PipeConn

KINDS = ("after", "before", "blocked_by", "blocks", "conflicts_with", "do_not_parallelize",
         "depends_on", "related", "supersedes", "duplicate_of")
STATES = ("planning", "ready", "queued", "inprogress", "done", "closed")


def git(repo, *words, **more):
    return subprocess.run(("git", "-C", repo) + words, check=True, text=True,
                          capture_output=True, **more).stdout


class Import:
    """A history, written in one go."""

    def __init__(self, repo):
        git(repo, "config", "ticketplan.root", "t")
        self.process = subprocess.Popen(("git", "-C", repo, "fast-import", "--quiet"),
                                        stdin=subprocess.PIPE)
        self.second = 1_700_000_000

    def put(self, text):
        self.process.stdin.write(text if isinstance(text, bytes) else text.encode())

    def data(self, text):
        text = text if isinstance(text, bytes) else text.encode()
        self.put("data %d\n" % len(text))
        self.put(text + b"\n")

    def commit(self, branch, changes, merge=None):
        """Changes: path to bytes, to a pair of mode and bytes, or to None where it goes."""
        self.second += 60
        self.put("commit refs/heads/%s\ncommitter A Name <a@b> %d +0000\n" % (branch, self.second))
        self.data("commit %d" % self.second)
        if merge:
            self.put("merge refs/heads/%s\n" % merge)
        for path, what in changes.items():
            if what is None:
                self.put("D %s\n" % path)
                continue
            mode, text = what if isinstance(what, tuple) else ("100644", what)
            if mode == "160000":
                self.put("M 160000 %s %s\n" % (text, path))
            else:
                self.put("M %s inline %s\n" % (mode, path))
                self.data(text)

    def end(self):
        self.process.stdin.close()
        if self.process.wait():
            raise SystemExit("git fast-import failed")


def item(state, title):
    return "---\ntitle: %s\nstate: %s\nqueued_at: 2026-01-01T00:00:00Z\n---\n" % (title, state)


def record(n, ticket, kind, **more):
    whole = {"id": "01%024d" % n, "ticket_id": ticket, "kind": kind, **more, "author": "a%d" % (n % 3),
             "at": "2026-01-02T%02d:%02d:%02dZ" % (n // 3600 % 24, n // 60 % 60, n % 60)}
    return whole


class Random:
    """A tree that changes by chance; what is odd in trees comes too."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.n = 0
        self.files = {}

    def ticket(self):
        return "T%d" % self.chance.randrange(12)

    def place(self, ticket):
        """Some Tickets lie in buckets, and move between them."""
        if int(ticket[1:]) % 4:
            return "t/" + ticket
        return "t/%s/%s" % (self.chance.choice(("open", "closed")), ticket)

    def record(self):
        self.n += 1
        ticket, roll = self.ticket(), self.chance.random()
        mine = [path for path in self.files if "/records/" in path and "/%s/" % ticket in path]
        if roll < 0.2 and mine:
            gone = self.chance.choice(mine).rsplit("/", 1)[1][:-5]
            return record(self.n, ticket, "retraction", note="no", retracts=gone)
        if roll < 0.3:
            return record(self.n, ticket, "waiting_capacity_note", note="waits",
                          until={"ticket": self.ticket(), "state": "done"})
        if roll < 0.4:
            return record(self.n, ticket, "accepted_plan", accepted_plan={"summary": "so"})
        return record(self.n, ticket, self.chance.choice(KINDS), related_ticket=self.ticket(),
                      note="why %d" % self.n)

    def change(self):
        """One change as path and what is there afterwards."""
        roll, ticket = self.chance.random(), self.ticket()
        base = self.place(ticket)
        if roll < 0.35:
            return base + "/item.md", item(self.chance.choice(STATES), "Title %d" % self.n)
        if roll < 0.65:
            one = self.record()
            text = json.dumps(one, indent=2) + "\n"
            return "%s/artifacts/records/%s.json" % (self.place(one["ticket_id"]), one["id"]), text
        if roll < 0.75:
            one = self.record()
            path = self.place(one["ticket_id"]) + "/artifacts/orchestration-plan.jsonl"
            before = self.files.get(path, "")
            return path, (before if isinstance(before, str) else "") + json.dumps(one) + "\n"
        if roll < 0.8:
            return base + "/artifacts/relations.json", json.dumps(
                {"version": 1, "relations": [{"ticket_id": ticket, "kind": "depends_on",
                                              "target": self.ticket(), "author": "r",
                                              "at": "2026-01-01T00:00:00Z"}]})
        if roll < 0.9 and self.files:
            return self.chance.choice(sorted(self.files)), None
        return self.chance.choice((
            ("t/bad name/item.md", "x"), (base + "/item.md", "no front matter"),
            (base + "/item.md", ("120000", "elsewhere")), (base + "/artifacts", ("120000", "x")),
            ("t/LINK", ("120000", "T1")), ("t/PLAIN", "a file"), (base + "/artifacts", "a file"),
            ("t/MODULE", ("160000", "1" * 40)), ("t/bad module", ("160000", "1" * 40)),
            ("t/open", "a file"), (base + "/thread.md", "a thread"), ("src/main.c", "int x;"),
            (base + "/artifacts/records/0.json", "{"), (base + "/item.md/deep", "x"),
            (base + "/artifacts/records/not.a.record", "x")))

    def commit(self):
        changes = {}
        for _ in range(self.chance.randrange(1, 6)):
            path, what = self.change()
            if what is None:
                self.files.pop(path, None)
            else:
                # A file where a folder was, or the other way, takes the place of it.
                for other in list(self.files):
                    if other.startswith(path + "/") or path.startswith(other + "/"):
                        self.files.pop(other)
                        changes.pop(other, None)
                self.files[path] = what
            changes[path] = what
        return changes


def make(repo, commits, seed=1):
    tree, out = Random(int(seed)), Import(repo)
    first = {"t/T%d/item.md" % n: item("queued", "First %d" % n) for n in (1, 2, 3, 5, 6)}
    tree.files.update(first)
    out.commit("main", first)
    for n in range(int(commits)):
        out.commit("main", tree.commit())
        if n % 20 == 10:
            # A branch with a record of its own, merged a little later.
            one = record(100000 + n, "T1", "related", related_ticket="T2", note="aside")
            aside = {"t/T1/artifacts/records/%s.json" % one["id"]: json.dumps(one)}
            out.put("reset refs/heads/aside\nfrom refs/heads/main\n\n")
            out.commit("aside", aside)
            out.commit("main", tree.commit())
            out.commit("main", aside, merge="aside")
    out.end()


def replay(repo, history):
    """The events of a history, some to a commit."""
    out, plans, relations, changes = Import(repo), {}, {}, {}
    with open(history) as lines:
        for n, line in enumerate(lines):
            event = json.loads(line)
            ticket = event["ticket"]
            base = "t/%s/" % ticket
            if event["op"] in ("ticket", "state"):
                changes[base + "item.md"] = "---\ntitle: %s\nstate: %s\nupdated_at: %s\n---\n" % (
                    ticket, event["state"], event["at"])
            elif event["op"] == "record":
                plans.setdefault(ticket, []).append(json.dumps(event["record"]))
                changes[base + "artifacts/orchestration-plan.jsonl"] = (
                    "\n".join(plans[ticket]) + "\n")
            else:
                relations.setdefault(ticket, []).append(event.get("relation"))
                changes[base + "artifacts/relations.json"] = json.dumps(
                    {"version": 1, "relations": relations[ticket]})
            if n % 5 == 4:
                out.commit("main", changes)
                changes = {}
    out.commit("main", changes)
    out.end()


def everything(conn, turn, whole, **more):
    """All that can be asked of a tree, without the clock; of about so many Tickets the whole."""
    answers = {}
    for method in ("ticket.list", "queue.list", "record.query", "graph.get", "doctor.run"):
        params = dict(more)
        if method != "graph.get":
            params["limit"] = 1000
        if method in ("record.query", "graph.get"):
            params["status"] = "all"
        try:
            answers[method] = conn.ask(method, **params)
        except rpc.Failed as why:
            answers[method] = str(why).split(" in ")[0]
            continue
        answers[method].pop("clock")
    tickets = answers["ticket.list"]
    rows = tickets["tickets"] if isinstance(tickets, dict) else ()
    step = -(-len(rows) // whole) or 1
    for n, row in enumerate(rows):
        for method in ("ticket.check",) + ("ticket.get", "ticket.why") * ((n + turn) % step == 0):
            params = dict(more, ticket=row["id"])
            if method == "ticket.get":
                params["status"] = "all"
            answers[method + " " + row["id"]] = conn.ask(method, **params)
            answers[method + " " + row["id"]].pop("clock")
    return answers


def ok(good, sentence, *more):
    print("%sok %s" % ("" if good else "not ", sentence))
    if not good:
        for line in more:
            print("#", line)


def first_difference(mine, fresh):
    for key in sorted(set(mine) | set(fresh)):
        if mine.get(key) != fresh.get(key):
            return key, json.dumps(mine.get(key))[:700], json.dumps(fresh.get(key))[:700]
    return ()


def key(one):
    return one["ticket_id"], one["id"], one["origin"] == "relation"


SAYS = ("kind", "other", "note", "accepted_plan", "until", "retracts", "author", "at")


def difference(before, after):
    """What changed between two answers to everything, as rows of record.diff."""
    rows = []
    tickets = [{row["id"]: row["state"] for row in answers["ticket.list"]["tickets"]}
               for answers in (before, after)]
    records = [{key(one): one for one in answers["record.query"]["records"]}
               for answers in (before, after)]
    for one in sorted(set(tickets[0]) | set(tickets[1])):
        states = [side.get(one) for side in tickets]
        if None in states:
            what = "ticket_added" if states[0] is None else "ticket_removed"
            rows.append((what, one, None, *states))
            continue
        if states[0] != states[1]:
            rows.append(("state", one, None, *states))
        verdicts = [side["ticket.check " + one]["gate"]["verdict"] for side in (before, after)]
        if verdicts[0] != verdicts[1]:
            rows.append(("verdict", one, None, *verdicts))
    for one in set(records[0]) | set(records[1]):
        sides = [side.get(one) for side in records]
        statuses = [side and side["status"] for side in sides]
        if None in sides:
            what = "record_added" if sides[0] is None else "record_removed"
        elif any(sides[0].get(name) != sides[1].get(name) for name in SAYS):
            what = "record_changed"
        elif statuses[0] != statuses[1]:
            what = "record_status"
        else:
            continue
        rows.append((what, one[0], one[1], *statuses))
    return sorted(rows, key=str)


def differing(agent, **params):
    rows = []
    while True:
        page = agent.ask("record.diff", limit=7, **params)
        rows += page["changes"]
        if "next" not in page:
            break
        params["cursor"] = page["next"]
    return sorted(((row["what"], row["ticket"], row.get("record"), row.get("before"),
                    row.get("after")) for row in rows), key=str), rows


def check_differences(agent, answers):
    """Of neighbours in this order; and that the pages come in theirs."""
    wrong, disorder = [], []
    whole = [(commit, said) for commit, said in answers if isinstance(said["ticket.list"], dict)]
    for (one, before), (other, after) in zip(whole, whole[1:] + whole[:1]):
        got, rows = differing(agent, **{"from": one, "to": other})
        wanted = difference(before, after)
        if got != wanted:
            wrong.append((one, other, str([r for r in got if r not in wanted])[:500],
                          str([r for r in wanted if r not in got])[:500]))
        if [row["ticket"] for row in rows] != sorted(row["ticket"] for row in rows):
            disorder.append((one, other))
    ok(not wrong, "and what differs between two is what record.diff says",
       *(str(line) for one in wrong[:1] for line in one))
    ok(not disorder, "by Ticket, page by page", *disorder[:1])


def same(socket, repo, clone, count, tpd, whole):
    agent = rpc.Conn(socket)
    commits = git(repo, "rev-list", "main").split()
    chosen = random.Random(1).sample(commits, min(int(count), len(commits)))
    different, answers = [], []
    for turn, commit in enumerate(chosen):
        git(clone, "checkout", "-q", "-f", commit)
        git(clone, "clean", "-qffdx")
        fresh = PipeConn((tpd, "--stdio", "-C", clone))
        wanted = everything(fresh, turn, int(whole))
        mine = everything(agent, turn, int(whole), at=commit)
        fresh.close()
        answers.append((commit, wanted))
        if mine != wanted:
            different.append((commit,) + first_difference(mine, wanted))
    ok(not different, "%d commits: each says what a fresh agent on a checkout of it says"
       % len(chosen), *(str(line) for one in different[:1] for line in one))
    check_differences(agent, answers)


def commits_that(repo, letter):
    """Record files by name: the commits that add, or delete, a file of that name."""
    found, commit = {}, None
    for line in git(repo, "log", "--branches", "--topo-order", "--no-renames", "--name-only",
                    "--diff-filter=" + letter, "--format=:%H").splitlines():
        if line.startswith(":"):
            commit = line[1:]
        elif "/artifacts/records/" in line and line.endswith(".json"):
            ticket = line.split("/artifacts/")[0].rsplit("/", 1)[1]
            found.setdefault((ticket, line.rsplit("/", 1)[1][:-5]), []).append(commit)
    return found


def log(socket, repo):
    agent, params, rows = rpc.Conn(socket), {"limit": 100}, {}
    while True:
        page = agent.ask("record.log", **params)
        rows.update(((row["ticket"], row["record"]), row) for row in page["log"])
        if "next" not in page:
            break
        params["cursor"] = page["next"]
    added, deleted = commits_that(repo, "A"), commits_that(repo, "D")
    wrong = []
    for name, commits in added.items():
        row = rows.pop(name, None)
        if row is None:
            # What is no record by its content is none in the log.
            continue
        came = row.get("came", {}).get("commit")
        gone = row.get("vanished", {}).get("commit")
        # Newest first; a Ticket that moves takes its records along.
        if came != commits[-1] or (gone and gone not in deleted.get(name, ())) or (
                not gone and "status" not in row):
            wrong.append((name, commits, row))
    ok(not wrong, "of %d record files, each came and vanished as git log says" % len(added),
       *(str(one) for one in wrong[:3]))
    ok(rows and all("came" in row for row in rows.values()),
       "and %d records of other files came in some commit" % len(rows),
       *(str(row) for row in rows.values() if "came" not in row))


def crowd(socket, count):
    """Each client's question is read by git's thread while others are to be answered."""
    asks = ("record.log", {"limit": 1}), ("record.query", {"limit": 5, "provenance": True})
    clients = [rpc.Conn(socket, timeout=60) for _ in range(8)]
    answers = []

    def put(n):
        method, params = asks[n % 2]
        clients[n].last += 1
        clients[n].send(rpc.request(clients[n].last, method, params))

    for n in range(len(clients)):
        put(n)
    while len(answers) < int(count):
        n = len(answers) % len(clients)
        answer = clients[n].receive()
        if answer is None or answer[2] is not None:
            break
        rows = answer[3].get("records", [])
        if not all("provenance" in row for row in rows):
            break
        answers.append(answer)
        put(n)
    ok(len(answers) == int(count), "a crowd that asks at once is answered, all of it",
       "%d answers, then %r" % (len(answers), answer))


def long(repo, commits):
    """A history that takes a while to read: each commit changes the tree of Tickets."""
    out = Import(repo)
    for n in range(int(commits)):
        out.commit("main", {"t/a/item.md": item("ready", str(n))})
    out.end()


def aside(socket, ticket):
    one, other = rpc.Conn(socket, timeout=60), rpc.Conn(socket, timeout=60)
    other.ask("agent.sync")
    one.send(rpc.request(1, "record.log", {"limit": 1}))
    other.ask("agent.status")  # when that is answered, git is at it
    gate = other.ask("ticket.check", ticket=ticket)["gate"]
    waits = not select.select([one.sock], [], [], 0)[0]
    ok(waits and any(row["code"] == "untracked" for row in gate["reasons"]),
       "a gate does not wait for a history that somebody else asks for", repr(gate))
    answer = one.receive()
    ok(answer is not None and answer[2] is None, "who asked for that has it")


if __name__ == "__main__":
    {"make": make, "replay": replay, "same": same, "log": log, "crowd": crowd,
     "long": long, "aside": aside}[sys.argv[1]](*sys.argv[2:])
