#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""waiting.py TOP: what a client costs the agent while it waits for a record's answer."""
import re
import sys

import rpc
from fault import Agent, Store, Trace, calls, say


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


def main():
    store = Store(sys.argv[1])
    store.make_ticket("old")
    agent = Agent(store.top)
    silent(store, agent)
    talking(store, agent)
    agent.stop()


if __name__ == "__main__":
    main()
