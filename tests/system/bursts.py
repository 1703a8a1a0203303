#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bursts.py SOCKET N,N... COMMAND...

Run a command and ask, until it has ended, how many Tickets are queued.  Every answer that says
nothing of freshness must give one of the numbers; so must the one after the end, the last of
them, and without a word.  Somebody else is told what changes meanwhile: without a gap, and of
every Ticket that is in the queue at the end or at the beginning alone.
"""
import subprocess
import sys
import time

from rpc import Conn, request


class Listener:
    def __init__(self, path, **since):
        self.conn = Conn(path)
        self.at = self.conn.ask("feed.subscribe", **since)["from"]
        self.told = set()
        self.count = 0
        self.flaws = []

    def hear(self, told):
        if told["from"] != self.at:
            self.flaws.append(f"told from {told['from']}, after {self.at}")
        self.at = told["to"]
        self.count += 1
        self.told.update(told.get("changed", []), told.get("removed", []))

    def catch_up(self):
        """All that was to be told until now."""
        self.conn.send(request(1, "agent.sync"))
        while (message := self.conn.receive())[0] == 2:
            self.hear(message[2][0])


def queued(conn):
    ids, cursor = set(), {}
    while True:
        page = conn.ask("queue.list", limit=1000, **cursor)
        ids.update(row["id"] for row in page["queue"])
        if "next" not in page:
            return ids
        cursor = {"cursor": page["next"]}


def others_watch(freshness):
    """Whether all that it says is that programs beside the agent took the watches of its user."""
    return freshness["mode"] == "partial" and "git_busy" not in freshness and all(
        "max_user_watches" in reason for reason in freshness["reasons"])


def main():
    allowed = [int(n) for n in sys.argv[2].split(",")]
    conn = Conn(sys.argv[1])
    listener = Listener(sys.argv[1])
    before = queued(conn)
    asked = warned = longest = 0
    bad = []
    running = subprocess.Popen(sys.argv[3:])
    while running.poll() is None:
        begin = time.monotonic()
        answer = conn.ask("queue.list", limit=1)
        longest = max(longest, time.monotonic() - begin)
        asked += 1
        if "freshness" in answer:
            warned += 1
        elif answer["count"] not in allowed:
            bad.append(answer["count"])
    last = conn.ask("queue.list", limit=1)
    listener.catch_up()
    # A clock that goes on for something that is no Ticket's is told to nobody.
    again = Listener(sys.argv[1], since=listener.at)
    again.catch_up()
    missed = (before ^ queued(conn)) - listener.told
    flaws = listener.flaws
    if running.returncode:
        flaws.append(f"the command failed: {running.returncode}")
    if bad:
        flaws.append(f"{len(bad)} answers show half as whole: {bad[:10]}")
    if last["count"] != allowed[-1] or ("freshness" in last and
                                        not others_watch(last["freshness"])):
        flaws.append(f"at the end: {last['count']} {last.get('freshness')}")
    if again.told:
        flaws.append(f"not told of {len(again.told)} Tickets that changed last")
    if missed:
        flaws.append(f"not told of {len(missed)} Tickets: {sorted(missed)[:10]}")
    print("\n".join(flaws))
    print(f"asked {asked} times, warned {warned} times, {longest * 1000:.1f} ms at most; "
          f"told {listener.count} times")
    return 1 if flaws else 0


sys.exit(main())
