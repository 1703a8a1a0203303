#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bursts.py SOCKET N,N... COMMAND...

Run a command and ask, until it has ended, how many Tickets are queued.  Every answer that says
nothing of freshness must give one of the numbers; so must the one after the end, the last of
them, and without a word.
"""
import subprocess
import sys
import time

from rpc import Conn


def main():
    allowed = [int(n) for n in sys.argv[2].split(",")]
    conn = Conn(sys.argv[1])
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
    if running.returncode:
        print("the command failed:", running.returncode)
    if bad:
        print(len(bad), "answers show half as whole:", bad[:10])
    if last["count"] != allowed[-1] or "freshness" in last:
        print("at the end:", last["count"], last.get("freshness"))
    good = not running.returncode and not bad and last["count"] == allowed[-1] and (
        "freshness" not in last)
    print(f"asked {asked} times, warned {warned} times, {longest * 1000:.1f} ms at most")
    return 0 if good else 1


sys.exit(main())
