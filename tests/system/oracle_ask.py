#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask tpd everything about many trees, and compare each word with the second opinion.

oracle_ask.py TPCTL FOLDER SEED WORLDS     trees by chance, in repositories below FOLDER
oracle_ask.py --tree TPCTL REPOSITORY      one repository as it is, with its worktrees
oracle_ask.py --history TPCTL FOLDER FILE one|two
                                           events of a tree, one after the other
"""
import collections
import json
import os
import random
import shutil
import subprocess
import sys

import oracle
import oracle_trees
import rpc

CHUNK = 50


def ask_all(conn, requests):
    """Answers to (method, params) pairs; a refusal is its text."""
    for start in range(0, len(requests), CHUNK):
        part = requests[start:start + CHUNK]
        conn.send(b"".join(rpc.request(number, *one) for number, one in enumerate(part)))
        for number in range(len(part)):
            answer = conn.receive()
            if answer is None or answer[1] != number:
                raise rpc.Failed("no answer to %r" % (part[number],))
            yield answer[2][1] if answer[2] else answer[3]


def pages(conn, method, key, **params):
    rows = []
    while True:
        page = conn.ask(method, limit=1000, **params)
        rows += page[key]
        if "next" not in page:
            assert len(rows) == page["count"], (method, len(rows), page["count"])
            return rows
        params["cursor"] = page["next"]


def only(one, other):
    """What stands in one, and not (as often) in other."""
    rest = list(other)
    return [row for row in one if row not in rest or rest.remove(row)]


class Compare:
    def __init__(self, conn, told):
        self.conn, self.told, self.bad, self.asked = conn, told, [], 0
        self.met = collections.Counter()

    def same(self, what, got, wanted):
        if got == wanted:
            return
        if isinstance(got, list) and sorted(map(str, got)) != sorted(map(str, wanted)):
            got, wanted = only(got, wanted), only(wanted, got)
        self.bad.append("%s: tpd says %r, the oracle %r" % (what, got, wanted))

    def everything(self):
        """What differs, a line each."""
        try:
            self.ask_everything()
        except rpc.Failed as failed:
            # Without a Ticket there is no tree to ask.
            if self.told.seen or not str(failed).startswith("no_tree"):
                self.bad.append(str(failed))
        return self.bad

    def ask_everything(self):
        rows = pages(self.conn, "ticket.list", "tickets")
        self.same("Tickets", [row["id"] for row in rows], sorted(self.told.seen))
        queue = pages(self.conn, "queue.list", "queue")
        self.same("queue", [row["id"] for row in queue], self.told.queue())
        idents = sorted(self.told.seen)
        for ident, answer in zip(idents, ask_all(self.conn, [
                ("ticket.get", {"ticket": ident, "status": "all"}) for ident in idents])):
            self.asked += 1
            if isinstance(answer, str):
                self.bad.append("%s: %s" % (ident, answer))
            else:
                self.ticket(ident, answer["ticket"])
        gates = {row["id"]: row["gate"]["verdict"] for row in queue}
        self.same("verdicts of the queue", gates, {one: self.told.gate(one)[0] for one in gates
                                                   if one in self.told.seen})
        self.records()
        self.doctor()

    def doctor(self):
        codes = ("dangling", "wait_over", "wait_unbounded", "unrecorded", "past_hold",
                 "accepted_not_started")
        rows = [(row["ticket"], row["code"]) for row in pages(self.conn, "doctor.run", "problems")
                if row["code"] in codes]
        self.met.update(code for _, code in rows)
        self.same("doctor", sorted(rows), sorted((ident, code) for ident in self.told.seen
                                                 for code in self.told.findings(ident)))

    def ticket(self, ident, got):
        told = self.told
        self.met.update(row["status"] for row in got["outgoing"])
        self.met.update(row["code"] for row in got["gate"]["reasons"])
        self.met[got["gate"]["verdict"]] += 1
        self.same(ident + " state", got["state"], told.state(ident))
        self.same(ident + " slug", got.get("slug"), told.best(ident, "slug"))
        self.same(ident + " title", got["title"], told.best(ident, "title"))
        self.same(ident + " diverged", got.get("diverged", False), told.diverged(ident))
        self.same(ident + " sources", [(one["name"], one["state"]) for one in got["sources"]],
                  sorted(((name, seen.state) for name, seen in told.seen[ident]
                          for _ in range(seen.folders)), key=lambda pair: pair[0]))
        self.same(ident + " outgoing", sorted(map(self.row, got["outgoing"])),
                  sorted((one.id, one.kind, one.other or "", one.status, one.origin,
                          tuple(sorted(one.sources)))
                         for one in told.records[ident]))
        self.same(ident + " incoming", sorted(map(self.row, got["incoming"])),
                  sorted((one.id, oracle.INVERSE.get(one.kind, one.kind), one.ticket, one.status,
                          one.origin, tuple(sorted(one.sources))) for one in told.incoming.get(ident, [])))
        self.problems(ident, got["problems"])
        self.gate(ident, got["gate"])

    @staticmethod
    def row(one):
        return (one["id"], one["kind"], one.get("other", ""), one["status"], one["origin"],
                tuple(sorted(one["sources"])))

    def problems(self, ident, got):
        # One that names its own Ticket and lacks something too is both.
        alike = {"self_relation": "incomplete"}
        known = {"dangling", "duplicate", "leak", "cycle", "wait_unbounded", "wait_over", "unrecorded",
                 "past_hold", "accepted_not_started", "byte_order_mark", "bad_field", "duplicate_id"}
        # Of two folders, either may be named.
        mark = lambda code, file: (alike.get(code, code), "" if code == "found_twice" else file or "")
        rows = {mark(one["code"], one.get("file")) for one in got}
        wanted = {mark(code, file) for _, seen in self.told.seen[ident] for code, file, _ in seen.problems}
        self.same(ident + " problems", sorted(row for row in rows if row[0] not in known), sorted(wanted))

    def gate(self, ident, got):
        verdict, reasons = self.told.gate(ident)
        self.same(ident + " verdict", got["verdict"], verdict)
        rows = [{key: value for key, value in row.items() if key != "text"} for row in got["reasons"]
                if row["code"] != "untracked"]
        order = lambda row: sorted((key, str(value)) for key, value in row.items())
        self.same(ident + " reasons", sorted(rows, key=order), sorted(reasons, key=order))
        self.same(ident + " order of reasons", [row["code"] for row in rows], [row["code"] for row in reasons])

    def records(self):
        rows = pages(self.conn, "record.query", "records", status="all", order="oldest")
        wanted = sorted((one.at, one.id, ident) for ident in self.told.seen for one in self.told.records[ident])
        self.same("records by time", [(oracle.instant(one["at"]), one["id"], one["ticket_id"]) for one in rows], wanted)


def snapshot(conn, told):
    """All that is told, but for the clock."""
    one_each = [(method, {"ticket": ident}) for ident in sorted(told.seen)
                for method in ("ticket.get", "ticket.why")]
    lists = [(method, {"limit": 1000}) for method in ("ticket.list", "queue.list", "doctor.run")]
    whole = [("record.query", {"limit": 1000, "status": "all"}), ("graph.get", {}), ("brief.get", {}),
             ("ticket.get", {"ticket": "s1"}), ("ticket.get", {"ticket": "s2"})]
    for request, answer in zip(one_each + lists + whole, ask_all(conn, one_each + lists + whole)):
        if isinstance(answer, dict):
            answer.pop("clock", None)
        yield request, answer


def forgotten(world, conn, told):
    """What an agent that comes new to the files says otherwise than the one that saw them change."""
    before = list(snapshot(conn, told))
    conn.close()
    world.stop()
    conn = world.conn()
    return ["%s %s: before a restart %r, after it %r" % (*request, old, new)
            for (request, old), (_, new) in zip(before, snapshot(conn, told)) if old != new]


# -- Worlds: a repository, its checkouts, several trees in turn ------------------


def git(folder, *words):
    subprocess.run(["git", "-C", folder, *words], check=True, stdout=subprocess.DEVNULL)


class World:
    def __init__(self, tpctl, folder, rng):
        self.tpctl, self.top, self.rng = tpctl, folder, rng
        self.begin()
        self.tops = {"main": folder}
        for name in rng.sample(["zeta", "alpha", "\u00fcber", "n.1"], rng.choice([0, 0, 1, 2])):
            self.add(os.path.join(os.path.dirname(folder), name + "-" + os.path.basename(folder)))
        self.authority = "main"
        if len(self.tops) > 1 and rng.random() < 0.3:
            self.authority = rng.choice(sorted(self.tops))
            git(folder, "config", "ticketplan.authority", self.authority)
        self.root = rng.choice(oracle.ROOTS)
        self.had, self.maker = {}, None

    @classmethod
    def plain(cls, tpctl, folder, side=False):
        """A repository with one checkout, or two."""
        world = cls.__new__(cls)
        world.tpctl, world.top, world.tops, world.authority = tpctl, folder, {"main": folder}, "main"
        if not os.path.isdir(folder):
            world.begin()
        if side:
            world.add(folder + "-side")
        return world

    def begin(self):
        os.makedirs(self.top)
        git(self.top, "init", "--quiet", "--template=", "--initial-branch=main")
        git(self.top, "commit", "--quiet", "--allow-empty", "-m", "begin")

    def add(self, top):
        git(self.top, "worktree", "add", "--quiet", "--detach", top)
        self.tops[os.path.basename(top)] = top

    def conn(self):
        words = [self.tpctl, "-C", self.top, "start"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        where = subprocess.run([self.tpctl, "-C", self.top, "socket"], check=True, stdout=subprocess.PIPE)
        return rpc.Conn(where.stdout.decode().strip())

    def stop(self):
        subprocess.run([self.tpctl, "-C", self.top, "stop"], check=True, stdout=subprocess.DEVNULL)

    def turn(self):
        """Another tree, or the same with changes; now and then another checkout counts."""
        rng = self.rng
        if self.maker is None or rng.random() < 0.4:
            self.maker = oracle_trees.Maker(rng, rng.choice([3, 10, 40, 40, 120]))
            self.plant(self.maker.tree())
        else:
            self.plant(self.maker.other(self.had["main"]))
        if rng.random() < 0.2:
            self.authority = rng.choice(sorted(self.tops))
            git(self.top, "config", "ticketplan.authority", self.authority)

    def plant(self, files):
        maker = self.maker
        for number, (name, top) in enumerate(sorted(self.tops.items(), key=lambda pair: pair[0] != "main")):
            mine = maker.other(files) if number else files
            if number and self.rng.random() < 0.1:
                mine = {}
            oracle_trees.write(os.path.join(top, self.root), mine, self.had.get(name))
            self.had[name] = mine

    def told(self):
        return oracle.Oracle([oracle.Source(name, top) for name, top in self.tops.items()], self.authority)


def by_chance(tpctl, folder, seed, worlds):
    tally, met = collections.Counter(), collections.Counter()
    for number in range(worlds):
        rng = random.Random("%s/%d" % (seed, number))
        world = World(tpctl, "%s/w%d" % (folder, number), rng)
        conn = world.conn()
        for turn in range(rng.choice([1, 3, 6])):
            world.turn()
            compare = Compare(conn, world.told())
            for line in compare.everything()[:20]:
                print("not ok world %d, tree %d: %s" % (number, turn, line[:1500]))
            tally["tickets"] += compare.asked
            tally["trees"] += 1
            met.update(compare.met)
            if compare.bad:
                print("# look at it: %s" % world.top)
                return 1
        for line in forgotten(world, conn, world.told())[:20]:
            print("not ok world %d: %s" % (number, line[:1500]))
            tally["otherwise"] += 1
        world.stop()
    if tally["otherwise"]:
        return 1
    print("ok tpd and the second opinion agree")
    print("ok an agent that comes new to the files says the same of them")
    print("# %(tickets)d Tickets in %(trees)d trees" % tally)
    print("# met: %s" % ", ".join("%s %d" % one for one in met.most_common()))
    return 0


def linked(top):
    """Names and tops of linked checkouts."""
    folder = os.path.join(top, ".git/worktrees")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        with open(os.path.join(folder, name, "gitdir")) as file:
            yield name, os.path.dirname(file.read().strip())


def one_tree(tpctl, top):
    world = World.plain(tpctl, top)
    world.tops.update(linked(top))
    compare = Compare(world.conn(), world.told())
    for line in compare.everything():
        print("not ok", line[:1500])
    if not compare.bad:
        print("ok the two agree on the tree %s" % os.path.basename(top))
    print("# %d Tickets" % compare.asked)
    return 1 if compare.bad else 0


# -- A real history ---------------------------------------------------------------


class Life:
    """Writes the events of a history as the tool that made it did; with a second checkout,
    what is begun and done there reaches the first by a merge now and then."""

    def __init__(self, main, side=None):
        self.main, self.side = main, side or main
        self.items, self.relations = {}, collections.defaultdict(list)

    def write(self, top, path, text, mode="w"):
        path = os.path.join(top, ".yoi/tickets", path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode) as file:
            file.write(text)

    def event(self, event):
        ticket, top = event["ticket"], self.side
        if event["op"] in ("ticket", "state"):
            item = self.items.setdefault(ticket, {"title": ticket, "created_at": event["at"]})
            item.update(state=event["state"], updated_at=event["at"])
            if event["state"] == "queued":
                item["queued_at"] = event["at"]
            if event["state"] not in ("inprogress", "done"):
                top = self.main
            text = "".join("%s: '%s'\n" % pair for pair in item.items())
            self.write(top, ticket + "/item.md", "---\n" + text + "---\n")
        elif event["op"] == "relation":
            self.relations[ticket].append(event["relation"])
            whole = {"version": 1, "relations": self.relations[ticket]}
            self.write(top, ticket + "/artifacts/relations.json", json.dumps(whole))
        else:
            self.write(top, ticket + "/artifacts/orchestration-plan.jsonl",
                       json.dumps(event["record"]) + "\n", "a")

    def merge(self):
        if self.side != self.main:
            for one, other in ((self.side, self.main), (self.main, self.side)):
                shutil.copytree(one + "/.yoi", other + "/.yoi", dirs_exist_ok=True)


def history(tpctl, folder, path, checkouts):
    world = World.plain(tpctl, folder + "/" + checkouts, checkouts == "two")
    life = Life(*world.tops.values())
    conn, asked = world.conn(), 0
    with open(path) as file:
        events = [json.loads(line) for line in file]
    for number, event in enumerate(events, 1):
        life.event(event)
        if number % 170 == 0:
            life.merge()
        if number % 50 and number < len(events):
            continue
        compare = Compare(conn, world.told())
        for line in compare.everything()[:20]:
            print("not ok event %d: %s" % (number, line[:1500]))
        asked += compare.asked
        if compare.bad:
            return 1
    world.stop()
    print("ok the two agree all along a real history, in %s" % checkouts)
    print("# %d Tickets asked" % asked)
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--tree":
        sys.exit(one_tree(*sys.argv[2:4]))
    if sys.argv[1] == "--history":
        sys.exit(history(*sys.argv[2:6]))
    sys.exit(by_chance(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
