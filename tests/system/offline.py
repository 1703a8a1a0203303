#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""offline.py SOCKET REPOSITORY COMMAND...

Ask the agent at SOCKET, and one that COMMAND... starts on a pipe, everything that can be
asked of a tree: each reading method, of each Ticket where it takes one, page by page.
Says in TAP whether the answers are the same but for the clock.
"""
import subprocess
import sys

import rpc

# About the agent, not about the tree; and what answers only when something happens.
OTHER = ("agent.", "feed.", "ticket.wait")
STATUS = {"status": "all"}


class Pipe:
    """As much of a socket as rpc.Conn uses."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def sendall(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def recv(self, size):
        return self.process.stdout.read1(size)


class PipeConn(rpc.Conn):
    def __init__(self, command):
        self.sock = Pipe(command)
        self.data = bytearray()
        self.last = 0

    def close(self):
        self.sock.process.stdin.close()
        return self.sock.process.wait(20)


def asked(conn, method, params):
    try:
        answer = conn.ask(method, **params)
        answer.pop("clock")
        return answer
    except rpc.Failed as why:
        return str(why)


def pages(conn, method, params):
    params = dict(params)
    while True:
        answer = asked(conn, method, params)
        yield answer
        if not isinstance(answer, dict) or "next" not in answer:
            return
        params["cursor"] = answer["next"]


def questions(live):
    tickets = [row["id"] for page in pages(live, "ticket.list", {}) for row in page["tickets"]]
    table = rpc.json.loads(live.ask("agent.describe")["table"])
    for method in table["methods"]:
        name, params = method["name"], method["params"]
        if method["access"] != "read" or name.startswith(OTHER):
            continue
        extra = {key: value for key, value in STATUS.items() if key in params["properties"]}
        if not params["required"]:
            yield name, extra
        if "ticket" in params["properties"] and params["required"] in ([], ["ticket"]):
            for ticket in tickets:
                yield name, dict(extra, ticket=ticket)
        if "format" in params["properties"]:
            for word in params["properties"]["format"]["enum"]:
                yield name, dict(extra, format=word)


def main():
    live, piped = rpc.Conn(sys.argv[1]), PipeConn(sys.argv[3:])
    count, different = 0, []
    for method, params in questions(live):
        for one, other in zip(pages(live, method, params), pages(piped, method, params)):
            count += 1
            if one != other:
                different.append((method, params, one, other))
    for method, params, one, other in different[:3]:
        print("# %s %s\n#   agent %.300s\n#   pipe  %.300s" % (method, params, one, other))
    print("%sok %s: %d answers are the same by the pipe as by the agent" %
          ("not " if different or not count else "", sys.argv[2], count))
    said = asked(piped, "record.add", {"ticket": "x", "kind": "related", "other": "y"})
    print("%sok who asks by the pipe cannot write" % ("" if "read_only" in said else "not "))
    print("%sok it ends when its input does" % ("" if piped.close() == 0 else "not "))


if __name__ == "__main__":
    main()
