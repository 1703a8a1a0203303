#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""turns.py TOP: what comes first in a turn that has much to do, as its system calls show."""
import sys

import fault

TOP = sys.argv[1]
RECORD = {"kind": "waiting_capacity_note", "message": "waits", "author": "x"}


def who_reads_is_answered_before_who_writes_is_heard():
    agent = fault.Agent(TOP)
    writers = {"t%d" % i: agent.connect() for i in range(1, 9)}
    for ticket, conn in writers.items():
        conn.ask("record.add", ticket=ticket, **RECORD)
    reader = agent.connect()
    reader.ask("ticket.check", ticket="t1")
    trace = fault.Trace(agent.pid)
    agent.hear_together([(conn, "record.add", dict(RECORD, ticket=ticket))
                         for ticket, conn in writers.items()] +
                        [(reader, "ticket.check", {"ticket": "t1"})])
    for conn in reader, *writers.values():
        conn.receive()
    log = trace.end()
    agent.stop()
    order = [name for name, _, line in fault.calls(log)
             if name == "getrandom" or (name == "write" and "socket:" in line)]
    # An id is made when a record is taken; what is written first is the reader's answer.
    good = order[:1] == ["write"] and "getrandom" in order
    fault.say([] if good else [order], "who reads is answered before who writes is heard")


who_reads_is_answered_before_who_writes_is_heard()
