#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print the queue, then what changes in it.  Run it in a repository; needs msgpack."""
import socket
import subprocess
import sys
import time

import msgpack


def connect(patient):
    """Let tpctl see to it that an agent runs, ask it where, and go there."""
    while subprocess.run(["tpctl", "call", "agent.sync"], stdout=subprocess.DEVNULL).returncode:
        time.sleep(1) if patient else sys.exit(1)
    path = subprocess.check_output(["tpctl", "socket"], text=True).strip()
    agent = socket.socket(socket.AF_UNIX)
    agent.connect(path)
    return agent


def ask(agent, number, method, **params):
    agent.sendall(msgpack.packb([0, number, method, [params]]))


def messages(agent):
    unpacker = msgpack.Unpacker()
    while data := agent.recv(1 << 16):
        unpacker.feed(data)
        yield from unpacker


clock = None
while True:
    agent = connect(patient=clock)
    ask(agent, 1, "feed.subscribe", **({"since": clock} if clock else {}))
    for kind, *rest in messages(agent):
        if kind == 1 and rest[1]:
            sys.exit(rest[1][1])
        told = rest[2] if kind == 1 else rest[1][0]
        for row in told.get("queue", []):
            print("queued", row["id"], row["gate"]["verdict"], flush=True)
        if told.get("fresh") or not clock:
            ask(agent, 2, "queue.list", limit=1000)
        clock = told.get("to") or told["clock"]
        for what in "changed", "removed", "woken":
            for name in told.get(what, []):
                print(what, name, flush=True)
