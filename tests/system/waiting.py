#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that wait for a record's answer, their own or another's.

waiting.py same TOP        several that record the same relation at the same moment
waiting.py traced TOP      what waiting costs the agent; and where what is waited for fails
"""
import re
import sys

import rpc
from fault import Agent, Store, Trace, calls, say, ulid


def polled(log):
    return [line for name, _, line in calls(log) if name == "epoll_ctl"]


def silent(store, agent):
    conn = agent.connect()
    store.add(conn, store.request("old"))
    trace = Trace(agent.pid)
    for _ in range(3):
        store.add(conn, store.request("old"))
    say(polled(trace.end()), "who only waits is polled as before: no call for it in three records")
    conn.close()


def reads_of(log, what):
    """Those of the socket on which that was read."""
    fd = re.search(r'^read\((\d+)<[^"]*".*%s' % what, log, re.M).group(1)
    return [line for name, _, line in calls(log) if line.startswith("read(%s<" % fd)]


def talking(store, agent):
    conn, other = agent.connect(), agent.connect()
    request = store.request("old")
    conn.ask("agent.sync")
    disk = Trace(agent.worker(), "fsync:delay_enter=60s:when=1")
    trace = Trace(agent.pid)
    conn.send(rpc.request(2, "record.add", request))
    for nth in range(3, 7):
        other.ask("agent.sync")
        conn.send(rpc.request(nth, "record.query", {"ticket": "old"}))
    other.ask("agent.sync")
    log = trace.end()
    disk.let_go()
    say([] if len(reads_of(log, "record.add")) == 2 and len(polled(log)) == 1 else
        log.splitlines(), "who talks on is read once, and then no more")
    answers = [conn.receive() for _ in range(5)]
    store.acknowledge(request)
    wrong = [one for one in answers if one[2] is not None]
    wrong += [] if [one[1] for one in answers] == [2, 3, 4, 5, 6] else ["in another order"]
    seen = [one[3]["count"] for one in answers[1:]]
    wrong += [] if seen == [len(store.acknowledged)] * 4 else ["they saw %s" % seen]
    say(wrong, "but answered, behind the record, which each answer sees")


# -- The same relation ---------------------------------------------------

def told(answer):
    """What it says of the record: (which, stored), or the error's code."""
    if answer[2] is not None:
        return answer[2][1].split(":")[0]
    return answer[3]["record"]["id"], answer[3]["stored"]


def at_once(agent, *requests):
    """What each is told, where all come in one turn."""
    return list(map(told, agent.add_together(requests)))


def pair(store):
    """Two Tickets that nothing relates."""
    return store.fresh("new"), store.fresh("new")


def relation(ticket, kind, other, **more):
    return dict({"ticket": ticket, "kind": kind, "other": other, "id": ulid()}, **more)


def same(store, agent):
    a, b = pair(store)
    asked = [relation(a, "depends_on", b) for _ in range(8)]
    got = at_once(agent, *asked)
    winner = [one for one in got if one[1]]
    known = [one for one in got if one == (winner[0][0], False)] if winner else []
    say([] if len(winner) == 1 and len(known) == 7 else got,
        "of eight who record the same relation one does, and its record is known to the others")


def while_first_waits(agent, *requests):
    """What each is told, where the others come one by one while the first is on its way."""
    conns, other = [agent.connect() for _ in requests], agent.connect()
    disk = Trace(agent.worker(), "fsync:delay_enter=60s:when=1")
    for conn, request in zip(conns, requests):
        conn.send(rpc.request(2, "record.add", request))
        other.ask("agent.sync")
    disk.let_go()
    return [told(conn.receive()) for conn in conns]


def known(store, agent):
    a, b = pair(store)
    asked = [relation(a, "depends_on", b, message="It needs it."), relation(a, "depends_on", b),
             relation(a, "blocked_by", b, message="Wait."), relation(b, "blocks", a)]
    got = while_first_waits(agent, *asked)
    first = asked[0]["id"]
    say([] if got == [(first, True)] + [(first, False)] * 3 else got,
        "what says the same in other words is known by a relation that is on its way")
    a, b = pair(store)
    asked = [relation(a, "related", b), relation(a, "related", b, force=True),
             relation(a, "related", b, message="More."), relation(a, "supersedes", b)]
    asked += [dict(asked[0])]
    got = while_first_waits(agent, *asked)
    say([] if got == [(one["id"], True) for one in asked] else got,
        "what is forced, has a note of its own, means another thing or has the same id is not")


def failing(store, agent):
    a, b = pair(store)
    asked = [relation(a, "related", b) for _ in range(4)]
    trace = Trace(agent.worker(), "linkat:error=ENOSPC:when=1")
    got = at_once(agent, *asked)
    trace.end()
    winner = [one for one in got if one[1] is True]
    wanted = ["no_space"] + winner + [(winner[0][0], False)] * 2 if len(winner) == 1 else []
    say([] if sorted(map(str, got)) == sorted(map(str, wanted)) else got,
        "where the first fails another is stored, and known to the rest")


def leaving(store, agent):
    a, b = pair(store)
    disk = Trace(agent.worker(), "fsync:delay_enter=60s:when=1")
    conns, other = [agent.connect() for _ in range(3)], agent.connect()
    for conn in conns:
        conn.send(rpc.request(1, "record.add", relation(a, "related", b)))
        other.ask("agent.sync")
    conns[1].close()
    other.ask("agent.sync")
    disk.let_go()
    got = [told(conns[0].receive()), told(conns[2].receive())]
    say([] if got == [(got[0][0], True), (got[0][0], False)] else got,
        "who hangs up while he waits for another's is forgotten, and the next is told")


def main():
    store = Store(sys.argv[2])
    store.make_ticket("old")
    agent = Agent(store.top)
    if sys.argv[1] == "traced":
        silent(store, agent)
        talking(store, agent)
        known(store, agent)
        failing(store, agent)
        leaving(store, agent)
    else:
        same(store, agent)
    agent.stop()


if __name__ == "__main__":
    main()
