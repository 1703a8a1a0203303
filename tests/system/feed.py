#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""feed.py SOCKET PID TREE SCALE: subscribe, wait, fall behind, come back.

TREE is the folder of a flat Ticket tree that the agent of SOCKET watches; what is in it is
written anew here.  Nothing sleeps: agent.sync tells what is due, and its reply comes behind.
"""
import os
import random
import resource
import shutil
import sys
import threading
import time

from rpc import Conn, Failed, request

PATH, PID, TREE, SCALE = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
SYNC = 1 << 20


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + "~", "w") as file:
        file.write(text)
    os.rename(path + "~", path)


def ticket(name, state, title=None, more=""):
    write(f"{TREE}/{name}/item.md", f"---\ntitle: {title or name}\nstate: {state}\n{more}---\n")


def record(name, rid, kind, other, more=""):
    write(f"{TREE}/{name}/artifacts/records/{rid}.json",
          f'{{"id":"{rid}","ticket_id":"{name}","kind":"{kind}","related_ticket":"{other}",'
          f'"author":"x","at":"2026-01-01T00:00:00Z"{more}}}\n')


def drop(name):
    shutil.rmtree(f"{TREE}/{name}", ignore_errors=True)


def empty():
    """But for one: without Tickets it is no tree."""
    ticket("keep", "ready")
    for name in os.listdir(TREE):
        if name != "keep":
            drop(name)


class Reader(Conn):
    """A client with feeds; what it is told piles up in `told`."""

    def __init__(self):
        super().__init__(PATH)
        self.told = []

    def answer(self, msgid):
        while True:
            message = self.receive()
            assert message, "the agent hung up"
            if message[0] == 1 and message[1] == msgid:
                if message[2] is not None:
                    raise Failed(message[2][1])
                return message[3]
            assert message[0] == 2 and message[1] == "feed.changed", message
            self.told.append(message[2][0])

    def ask(self, method, **params):
        self.last += 1
        self.send(request(self.last, method, params))
        return self.answer(self.last)

    def subscribe(self, **params):
        return self.ask("feed.subscribe", **params)

    def heard(self):
        """What was told up to now, and not looked at yet."""
        self.ask("agent.sync")
        told, self.told = self.told, []
        return told


def names(told, key="changed"):
    return sorted({name for one in told for name in one.get(key, [])})


def refused(call, code, *args, **params):
    try:
        answer = call(*args, **params)
    except Failed as why:
        assert str(why).startswith(code + ": "), why
        return str(why)
    raise AssertionError(f"not refused: {answer}")


# -- One thing after the other -------------------------------------------

def a_change_is_told_once():
    empty()
    ticket("a", "queued"), ticket("b", "inprogress"), ticket("c", "queued")
    record("a", "R1", "blocked_by", "b")
    reader = Reader()
    reader.subscribe()
    assert reader.heard() == []
    ticket("b", "done")
    told = reader.heard()
    assert len(told) == 1 and not told[0]["fresh"], told
    assert names(told) == ["a", "b"] and told[0]["woken"] == ["a"], told
    assert reader.heard() == []
    ticket("a", "queued", "another title")
    told = reader.heard()
    assert "a" in names(told) and names(told, "woken") == [], "it is woken once"
    drop("c")
    told = reader.heard()
    assert told[0]["removed"] == ["c"] and told[0]["changed"] == [], told


def filters_let_through_what_they_name():
    empty()
    for name in "abcdx":
        ticket(name, "queued")
    record("c", "R1", "conflicts_with", "d")
    readers = {}
    for key, params in {"ticket": {"ticket": ["a", "none"]}, "kind": {"kind": ["conflicts_with"]},
                        "status": {"status": ["satisfied"]}, "source": {"source": "main"},
                        "nobody": {"source": "nobody"}, "verdicts": {"verdicts": True}}.items():
        readers[key] = Reader()
        readers[key].answer_to = readers[key].subscribe(**params)
    assert readers["ticket"].answer_to["unknown"] == ["none"]
    assert readers["nobody"].answer_to["unknown"] == ["nobody"]
    ticket("b", "done")
    record("x", "R2", "blocked_by", "b")
    ticket("a", "queued", "titled")
    ticket("d", "queued", "titled"), ticket("none", "ready")
    told = {key: names(reader.heard()) for key, reader in readers.items()}
    assert told["ticket"] == ["a", "none"], told
    assert told["kind"] == ["c", "d"] or told["kind"] == ["d"], told
    assert told["status"] == ["b", "x"], told
    assert told["source"] == ["a", "b", "c", "d", "none", "x"] or "c" not in told["source"], told
    assert told["nobody"] == [], told
    assert told["verdicts"] == ["b", "none"], told
    os.remove(f"{TREE}/c/artifacts/records/R1.json")
    assert names(readers["kind"].heard()) == ["c", "d"], "also where it has none any more"


def clocks_that_say_nothing_here():
    reader = Reader()
    now = reader.ask("agent.sync")["clock"]
    instance, generation = now.split(":")
    assert reader.subscribe(since=now)["fresh"] is False
    for strange in (f"01ARZ3NDEKTSV4RRFFQ69G5FAV:{generation}", f"{instance}:{int(generation) + 1}",
                    f"{instance}:0", f"{instance}:main@1", f"{instance}:" + "9" * 40):
        answer = reader.subscribe(since=strange)
        assert answer["fresh"] is True and answer["from"] == answer["clock"], answer
    for wrong in ("", "x", instance, instance + ":", generation):
        refused(reader.subscribe, "bad_argument", since=wrong)
    refused(reader.subscribe, "bad_argument", kind=["nothing"])
    refused(reader.subscribe, "bad_argument", ticket=["t"] * 1001)


def feeds_end_when_they_are_told_to():
    empty()
    ticket("a", "ready")
    reader = Reader()
    first, second = reader.subscribe()["feed"], reader.subscribe()["feed"]
    assert first != second
    ticket("a", "queued")
    assert sorted(one["feed"] for one in reader.heard()) == [first, second]
    reader.ask("feed.unsubscribe", feed=first)
    refused(reader.ask, "not_found", "feed.unsubscribe", feed=first)
    refused(reader.ask, "not_found", "feed.unsubscribe", feed=-1)
    ticket("a", "done")
    assert [one["feed"] for one in reader.heard()] == [second]
    for _ in range(63):
        reader.subscribe()
    refused(reader.subscribe, "too_many")


def a_reader_goes_on_where_it_was():
    empty()
    ticket("a", "ready"), ticket("b", "ready")
    reader = Reader()
    clock = reader.ask("agent.sync")["clock"]
    ticket("a", "queued")
    drop("b")
    other = Reader()
    answer = other.subscribe(since=clock)
    assert answer["fresh"] is False and answer["from"] == clock, answer
    told = other.heard()
    assert names(told) == ["a"] and names(told, "removed") == ["b"], told
    assert told[0]["from"] == clock and told[0]["woken"] == ["a"], told


def many_changes_come_in_parts():
    empty()
    reader = Reader()
    start = reader.subscribe()["from"]
    count = 1500
    for i in range(count):
        ticket(f"t{i}", "ready")
    told = reader.heard()
    assert len(names(told)) == count
    assert all(len(one["changed"]) + len(one["removed"]) <= 1000 for one in told)
    assert_unbroken(told, start)
    empty()
    told = reader.heard()
    assert len(names(told, "removed")) == count


def assert_unbroken(told, at):
    for one in told:
        assert one["from"] == at, "a gap"
        at = one["to"]
    return at


def bypasses_are_told():
    empty()
    ticket("a", "queued"), ticket("b", "ready")
    record("a", "R1", "blocked_by", "b")
    reader = Reader()
    reader.subscribe()
    ticket("a", "inprogress")
    problems = [one for told in reader.heard() for one in told.get("problems", [])]
    assert sorted(one["code"] for one in problems) == ["past_hold", "unrecorded"], problems
    ticket("a", "inprogress", "titled")
    assert "problems" not in reader.heard()[0], "each once"


def what_is_lost_is_told():
    empty()
    ticket("a", "queued"), ticket("b", "queued")
    reader = Reader()
    reader.subscribe()
    paths = [reader.ask("record.add", ticket=name, kind="related", other="keep")["path"]
             for name in "ab"]
    reader.heard()
    os.remove(paths[0])
    lost = []
    while len(lost) < 1:
        lost += reader.receive()[2][0].get("problems", [])
    assert [(one["code"], one["ticket"]) for one in lost] == [("lost", "a")], lost
    drop("b")
    lost = []
    while len(lost) < 1:
        lost += reader.receive()[2][0].get("problems", [])
    assert [(one["code"], one["ticket"]) for one in lost] == [("lost", "b")], lost
    reader.ask("record.recover", forget=True)


def claims_come_and_go():
    empty()
    ticket("a", "queued"), ticket("b", "queued"), ticket("c", "queued")
    record("b", "R1", "conflicts_with", "a")
    reader, claims = Reader(), Reader()
    reader.subscribe(), claims.subscribe(claims=True)
    held = reader.ask("claim.take", ticket=["a"], session="one", role="coder", ttl="60s")["claims"]
    told = reader.heard()
    assert names(told) == ["a", "b"], "whoever conflicts with it hears of it"
    assert told[0]["claims"] == held and "ended" not in told[0], told
    assert names(claims.heard()) == ["a"]
    ticket("c", "ready")
    assert claims.heard() == []
    reader.heard()
    reader.send(request(9, "ticket.wait", {"ticket": "a", "until": "claimable"}))
    assert reader.ask("claim.renew", ticket=["a"], session="one", ttl="70s")["count"] == 1
    told = claims.heard()
    assert told[0]["claims"][0]["until"] > held[0]["until"], told
    assert reader.ask("claim.release", ticket=["a"], session="one")["count"] == 1
    assert reader.answer(9)["happened"] == "claimable"
    told = claims.heard()
    assert "claims" not in told[0] and told[0]["ended"][0]["ending"] == "released", told
    assert reader.ask("ticket.wait", ticket="a", until="claimable")["at_once"] is True


def what_git_is_in_the_midst_of_is_told_later():
    empty()
    ticket("a", "ready")
    reader, git = Reader(), os.path.join(os.path.dirname(TREE), ".git", "index.lock")
    reader.subscribe(quiet=0)
    open(git, "w").close()
    ticket("a", "queued")
    # Were it told at once, it would be told before the second answer.
    reader.ask("ticket.check", ticket="a")
    reader.ask("ticket.check", ticket="a")
    assert reader.told == [], "it is told while git is at work"
    os.remove(git)
    assert reader.receive()[2][0]["woken"] == ["a"]


def a_thousand_are_told():
    empty()
    ticket("a", "ready")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min((100, 1000, 1000)[min(SCALE, 2)], hard - 64)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count + 64, hard)), hard))
    readers = [Reader() for _ in range(count)]
    for reader in readers:
        reader.subscribe()
    ticket("a", "queued")
    for reader in readers:
        assert reader.receive()[2][0]["woken"] == ["a"]
    for reader in readers:
        reader.close()


def the_log_is_told():
    empty()
    conn, other = Conn(PATH), Conn(PATH)
    conn.ask("agent.log", follow="debug")
    os.rename(TREE, TREE + ".gone")
    other.ask("agent.sync")
    os.rename(TREE + ".gone", TREE)
    other.ask("agent.sync")
    other.ask("agent.log", level="info")
    message = conn.receive()
    assert message[1] == "agent.logged" and message[2][0]["missed"] == 0, message
    assert message[2][0]["lines"][0] in other.ask("agent.log")["lines"], message
    conn.close(), other.close()


def noise_does_not_hold_back_what_is_told():
    empty()
    ticket("noise", "ready"), ticket("a", "ready")
    reader, told = Reader(), threading.Event()
    reader.subscribe()
    written = 0

    def make_noise():
        nonlocal written
        end = time.monotonic() + 2
        while time.monotonic() < end and not told.wait(0.005):
            ticket("noise", "ready", f"n{written}")
            written += 1

    thread = threading.Thread(target=make_noise)
    thread.start()
    message = reader.receive()
    ended = not thread.is_alive()
    told.set()
    thread.join()
    assert message[1] == "feed.changed" and not ended, f"told after {written} writes"


def who_does_not_read_costs_one_notification():
    empty()
    rounds, count = (300, 1000) if SCALE > 1 else (40, 200)
    for i in range(count):
        ticket(f"t{i}", "ready", "a")
    lazy, honest = Reader(), Reader()
    at = lazy.subscribe(quiet=0)["from"]
    honest.ask("agent.sync")
    before = memory()
    for turn in range(rounds):
        for i in range(count):
            with open(f"{TREE}/t{i}/item.md", "r+") as file:
                file.write(f"---\ntitle: {'b' if turn % 2 else 'a'}")
        assert honest.ask("ticket.check", ticket="t1")["gate"]["verdict"] == "not_queued"
    grown = memory() - before
    assert grown < 2 << 20, f"{grown} bytes more"
    # What the kernel holds for it, and one.
    told = lazy.heard()
    assert_unbroken(told, at)
    assert len(names(told)) == count and len(told) < 600, len(told)
    assert lazy.heard() == []


def memory():
    with open(f"/proc/{PID}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


# -- Waiting -------------------------------------------------------------

def waits_are_answered_when_it_happens():
    empty()
    ticket("a", "queued"), ticket("b", "inprogress")
    record("a", "R1", "blocked_by", "b")
    conn = Reader()
    for msgid, until in ((101, "clear"), (102, "resolved"), (103, "change")):
        conn.send(request(msgid, "ticket.wait", {"ticket": "a", "until": until}))
    conn.send(request(104, "ticket.wait", {"ticket": "b", "until": "resolved"}))
    assert conn.ask("ticket.check", ticket="a")["gate"]["verdict"] == "held", "others go on"
    ticket("b", "done")
    conn.send(request(SYNC, "agent.sync"))
    ended = {}
    while SYNC not in ended:
        message = conn.receive()
        ended[message[1]] = message[3]
    assert sorted(ended) == [101, 103, 104, SYNC], ended
    assert ended[101]["happened"] == "clear" and not ended[101]["at_once"]
    assert ended[101]["gate"]["verdict"] == "clear"
    assert ended[103]["happened"] == "changed" and ended[104]["happened"] == "resolved"
    drop("a")
    assert conn.answer(102)["happened"] == "removed"


def waits_that_are_over_at_once():
    empty()
    ticket("a", "queued"), ticket("b", "done")
    conn = Reader()
    assert conn.ask("ticket.wait", ticket="a", until="clear")["at_once"] is True
    assert conn.ask("ticket.wait", ticket="b", until="resolved")["at_once"] is True
    text = refused(conn.ask, "held", "ticket.wait", ticket="b", until="clear")
    assert "b is done" in text, text
    refused(conn.ask, "not_found", "ticket.wait", ticket="none", until="clear")
    refused(conn.ask, "bad_argument", "ticket.wait", ticket="a", until="never")
    refused(conn.ask, "bad_argument", "ticket.wait", ticket="a")


def waits_end_at_their_time():
    empty()
    ticket("a", "queued"), ticket("b", "ready")
    record("a", "R1", "blocked_by", "b")
    text = refused(Reader().ask, "timed_out", "ticket.wait", ticket="a", until="clear",
                   timeout="50ms")
    assert "a is still held: blocked: " in text, text
    text = refused(Reader().ask, "timed_out", "ticket.wait", ticket="a", until="resolved",
                   timeout="50ms")
    assert "still queued" in text, text


def a_wait_of_no_time_asks_once():
    text = refused(Reader().ask, "timed_out", "ticket.wait", ticket="a", until="clear", timeout=0)
    assert "after 0 ms a is still held" in text, text


def whoever_goes_while_it_waits_harms_nobody():
    empty()
    ticket("a", "ready")
    for _ in range(50):
        conn = Reader()
        conn.subscribe()
        conn.send(request(9, "ticket.wait", {"ticket": "a", "until": "clear"}))
        conn.close()
    honest = Reader()
    ticket("a", "queued")
    honest.ask("agent.sync")
    status = honest.ask("agent.status")
    assert [status[key] for key in ("clients", "feeds", "waits")] == [1, 0, 0], status
    for msgid in range(256):
        honest.send(request(1000 + msgid, "ticket.wait", {"ticket": "a", "until": "resolved"}))
    refused(honest.ask, "too_many", "ticket.wait", ticket="a", until="resolved")
    drop("a")
    for msgid in range(256):
        assert honest.answer(1000 + msgid)["happened"] == "removed"


# -- A mirror ------------------------------------------------------------

class Mirror:
    """Knows what ticket.get says of every Ticket, by reading those again that are named."""

    def __init__(self, rng):
        self.rng, self.conn, self.clock, self.known = rng, None, None, {}

    def list_all(self):
        rows = self.conn.ask("ticket.list", limit=1000)["tickets"]
        self.known = {}
        for row in rows:
            self.read(row["id"])

    def read(self, name):
        try:
            self.known[name] = self.conn.ask("ticket.get", ticket=name, status="all")["ticket"]
        except Failed as why:
            assert str(why).startswith("not_found: "), why
            self.known.pop(name, None)

    def join(self):
        self.conn = Reader()
        params = {"since": self.clock} if self.clock else {}
        answer = self.conn.subscribe(quiet=self.rng.choice(["0", "5ms", "50ms"]), **params)
        self.clock = answer["from"]
        if answer["fresh"] or not params:
            self.list_all()

    def leave(self):
        self.conn.close()
        self.conn = None

    def take(self, told):
        for one in told:
            assert one["from"] == self.clock, "a gap"
            self.clock = one["to"]
            if one["fresh"]:
                self.list_all()
            for name in one.get("changed", []) + one.get("removed", []):
                self.read(name)

    def catch_up(self):
        while True:
            told = self.conn.heard()
            self.take(told)
            if not told and not self.conn.told:
                return


IDS = [f"m{i}" for i in range(12)]
KINDS = ["blocked_by", "blocks", "after", "before", "conflicts_with", "depends_on", "related"]
STATES = ["planning", "ready", "queued", "queued", "inprogress", "done", "closed", "nonsense"]


def change_something(rng):
    name = rng.choice(IDS)
    what = rng.randrange(10)
    if what < 4:
        ticket(name, rng.choice(STATES), rng.choice(["one", "two"]))
    elif what < 7 and os.path.isdir(f"{TREE}/{name}"):
        record(name, f"R{rng.randrange(3)}", rng.choice(KINDS), rng.choice(IDS))
    elif what == 7 and os.path.isdir(f"{TREE}/{name}"):
        with open(f"{TREE}/{name}/item.md", "w") as file:
            file.write("---\nstate: queued\n---\n")
    elif what == 8 and os.path.isdir(f"{TREE}/{name}"):
        shutil.rmtree(f"{TREE}/{name}/artifacts", ignore_errors=True)
    else:
        drop(name)


def a_mirror_equals_the_index():
    empty()
    rng = random.Random(11)
    mirrors = [Mirror(rng) for _ in range(4)]
    truth = Mirror(rng)
    truth.conn = Reader()
    for turn in range((120, 120, 4000)[min(SCALE, 2)]):
        for _ in range(rng.randrange(1, 6)):
            change_something(rng)
        for mirror in mirrors:
            if mirror.conn and rng.random() < 0.15:
                mirror.leave()
            elif not mirror.conn and rng.random() < 0.4:
                mirror.join()
            if mirror.conn and rng.random() < 0.6:
                mirror.catch_up()
        if turn % 5:
            continue
        truth.list_all()
        for mirror in mirrors:
            if mirror.conn:
                mirror.catch_up()
                assert mirror.known == truth.known, differences(mirror.known, truth.known)


def differences(one, other):
    return [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]


def main():
    for story in (a_change_is_told_once, filters_let_through_what_they_name,
                  clocks_that_say_nothing_here, feeds_end_when_they_are_told_to,
                  a_reader_goes_on_where_it_was, many_changes_come_in_parts, bypasses_are_told,
                  claims_come_and_go, what_is_lost_is_told,
                  what_git_is_in_the_midst_of_is_told_later, a_thousand_are_told, the_log_is_told,
                  noise_does_not_hold_back_what_is_told,
                  who_does_not_read_costs_one_notification, waits_are_answered_when_it_happens,
                  waits_that_are_over_at_once, waits_end_at_their_time,
                  a_wait_of_no_time_asks_once,
                  whoever_goes_while_it_waits_harms_nobody, a_mirror_equals_the_index):
        sentence = story.__name__.replace("_", " ")
        begun = time.monotonic()
        try:
            story()
            print("ok", sentence)
        except Exception as why:  # Whatever it is, the others are told.
            print("not ok", sentence)
            line = why.__traceback__.tb_next.tb_lineno
            print(f"# line {line}: {type(why).__name__}: {why}"[:600])
        if os.environ.get("TIMES"):
            print("#", round(time.monotonic() - begun, 2))


if __name__ == "__main__":
    main()
