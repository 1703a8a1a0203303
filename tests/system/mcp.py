#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client of `tpctl mcp`, and what such a client finds.

mcp.py replay FILE      a recorded dialogue: > what is sent, < what comes back
mcp.py record FILE      rewrite what comes back in it
mcp.py hostile          input that no client should send
mcp.py life             restarts, ends, cancelled and concurrent calls
"""
import json
import os
import re
import select
import signal
import subprocess
import sys

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {}}


class Refused(Exception):
    """An error of the protocol, or a tool's refusal: code and text."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Mcp:
    """A server and its one client; of the stateless era, or of the one before."""

    def __init__(self, *words, modern=True, dir=None, **more):
        self.process = subprocess.Popen(["tpctl", "mcp", *words], stdin=subprocess.PIPE, cwd=dir,
                                        stdout=subprocess.PIPE, **more)
        self.modern, self.last, self.data = modern, 0, b""
        if not modern:
            self.ask("initialize", protocolVersion="2025-11-25", capabilities={},
                     clientInfo={"name": "test", "version": "1"})
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def receive(self, seconds=20):
        """The next line, or None at the end, or after so long."""
        while b"\n" not in self.data:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                return None
            more = os.read(self.process.stdout.fileno(), 1 << 20)
            if not more:
                return None
            self.data += more
        line, self.data = self.data.split(b"\n", 1)
        return line

    def start(self, method, **params):
        self.last += 1
        if self.modern:
            params["_meta"] = MODERN
        self.send({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params})
        return self.last

    def ask(self, method, **params):
        self.start(method, **params)
        answer = json.loads(self.receive())
        if "error" in answer:
            raise Refused(answer["error"]["code"], answer["error"]["message"])
        if answer["id"] != self.last:
            raise Refused("order", "an answer to another question")
        return answer["result"]

    def call(self, tool, **arguments):
        result = self.ask("tools/call", name=tool, arguments=arguments)
        if result.get("isError"):
            error = json.loads(result["content"][0]["text"])["error"]
            raise Refused(error["code"], "%s; %s" % (error["message"], error["hint"]))
        if json.loads(result["content"][0]["text"]) != result["structuredContent"]:
            raise Refused("form", "the text is not what is structured")
        return result["structuredContent"]

    def end(self):
        self.process.stdin.close()
        return self.process.wait(20)


failed = 0


def say(good, sentence, what=""):
    global failed
    failed += not good
    print("%sok %s" % ("" if good else "not ", sentence))
    if not good and what != "":
        print("# %.600s" % (what,))


# -- A dialogue that was recorded ---------------------------------------

def steady(line):
    """Without what differs from run to run."""
    line = line.replace(os.getcwd(), "HERE")
    for pattern, stands in ((r'(\\?")clock\\?":\\?"[^"]*?(\\?")', r"\1clock\1:\1CLOCK\2"),
                            (r'(\\?")at\\?":\\?"[^"]*?(\\?")', r"\1at\1:\1TIME\2"),
                            (r'(\\?")next\\?":\\?"[^"]*?(\\?")', r"\1next\1:\1CURSOR\2"),
                            (r'20\d\d-\d\d-\d\d([T ][0-9:.]*Z?)?(?=[^0-9])(?!")', "DAY"),
                            (r'"version":"[^"]*"', '"version":"VERSION"')):
        line = re.sub(pattern, stands, line)
    return line


def dialogue(path, write):
    server, out, different = Mcp(), [], []
    # Mcp(modern=True) sends nothing of its own.
    lines = open(path, encoding="utf-8").read().splitlines()
    for line in lines:
        if line.startswith("<"):
            continue
        out.append(line)
        if not line.startswith(">"):
            continue
        server.send(line[2:].encode())
        silent = line.endswith("}") and '"id"' not in line and '"jsonrpc"' in line
        if not silent and line[2:].strip():
            out.append("< " + steady(server.receive().decode()))
    status = server.end()
    if write:
        open(path, "w", encoding="utf-8").write("\n".join(out) + "\n")
        return
    different = [(a, b) for a, b in zip(lines, out) if a != b]
    say(lines == out, "%s: every answer is, to the byte, what was recorded" %
        os.path.basename(path), different[:1])
    if lines != out:
        print("# where that is as it should be: tests/system/mcp.sh record")
    say(status == 0, "and the server ended with its input")


# -- What no client should send -----------------------------------------

def request(method="tools/list", id=1, meta=MODERN, **params):
    if meta is not None:
        params["_meta"] = meta
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def hostile_lines():
    """Line, code, sentence; a code of None: nothing is answered."""
    version = dict(MODERN, **{"io.modelcontextprotocol/protocolVersion": "1900-01-01"})
    number = dict(MODERN, **{"io.modelcontextprotocol/protocolVersion": 7})
    bare = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    call = "tools/call"
    yield b"", None, "a blank line is nothing"
    yield b"\r", None, "nor is one that ends as elsewhere"
    yield b"{", -32700, "half an object is no JSON"
    yield b"\xff\xfe{}", -32700, "bytes that are no UTF-8"
    yield b"rubbish", -32700, "no JSON at all"
    yield b"[" * 100000, -32700, "brackets without an end"
    yield b'{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}', -32700, "a key that comes twice"
    yield b'{"jsonrpc":"2.0","id":99999999999999999999,"method":"x"}', -32700, "an id beyond all numbers"
    yield b"[]", -32600, "an empty batch"
    yield json.dumps([request(), request()]).encode(), -32600, "a batch"
    yield b"7", -32600, "a number"
    yield b"null", -32600, "null"
    yield dict(request(), id=None), -32600, "an id that is null"
    yield dict(request(), id=1.5), -32600, "an id that is no integer"
    yield dict(request(), id={}), -32600, "an id that is an object"
    yield dict(request(), jsonrpc="1.0"), -32600, "another JSON-RPC"
    yield {"id": 1, "method": "tools/list"}, -32600, "no JSON-RPC"
    yield {"jsonrpc": "2.0", "id": 1}, -32600, "no method"
    yield dict(request(), method=7), -32600, "a method that is a number"
    yield {"jsonrpc": "2.0", "id": 5, "result": {}}, None, "an answer to nothing"
    yield {"jsonrpc": "2.0", "method": "notifications/nonsense"}, None, "a notification of nothing"
    yield {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}}, None, \
        "an end of what was never begun"
    yield dict(request(), params=[1]), -32602, "parameters that are a list"
    yield request(meta=None), -32602, "neither _meta nor a session"
    yield request(meta={}), -32602, "a _meta that says nothing"
    yield request(meta=bare), -32602, "a _meta without capabilities"
    yield request(meta=number), -32602, "a version that is a number"
    yield request(meta=version), -32022, "a version of another time"
    yield request("ping"), -32601, "a ping in the era that has none"
    yield request("resources/list"), -32601, "what is not served"
    yield request("tools/list\0x"), -32601, "a method with a NUL in it"
    yield request("x" * 100000), -32601, "a method without an end"
    yield request(cursor="x"), -32602, "a page that is not there"
    yield request(call), -32602, "a call of no tool"
    yield request(call, name=7), -32602, "a tool that is a number"
    yield request(call, name="nonsense"), -32602, "a tool that is not there"
    yield request(call, name="check", arguments=[1]), -32602, "arguments that are a list"
    for arguments, what in (({}, "nothing where something is needed"),
                            ({"ticket": 7}, "a number for text"),
                            ({"ticket": None}, "null for text"),
                            ({"ticket": "a\0b"}, "text with a NUL"),
                            ({"ticket": ""}, "empty text"),
                            ({"ticket": "../../etc"}, "a path for a Ticket"),
                            ({"ticket": "x" * 2000000}, "text of two megabytes"),
                            ({"nonsense": 1}, "an argument that is not taken"),
                            ({"ticket": [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}, "a deep list")):
        yield request(call, name="check", arguments=arguments), "isError", what


def hostile():
    server = Mcp()
    for line, code, sentence in hostile_lines():
        server.send(line)
        # Answered in any case, before or after the line, which may have to ask the agent.
        server.send(request("tools/call", id="end", name="nonsense"))
        got = [json.loads(server.receive()) for _ in range(1 if code is None else 2)]
        answers = [one for one in got if one.get("id") != "end"]
        answer = answers[0] if answers else None
        if code is None or answer is None:
            good = code is None and not answers
        elif code == "isError":
            good = "result" in answer and answer["result"].get("isError") is True and \
                "hint" in answer["result"]["content"][0]["text"]
        else:
            good = "error" in answer and answer["error"]["code"] == code
        say(good, "%s: %s" % (sentence, code or "silence"), answer)
    long_line(server)
    say(server.ask("tools/list")["tools"][0]["name"] == "queue", "after all that it serves")
    both_eras(server)
    say(server.end() == 0, "and ends in peace")


def both_eras(server):
    """One server, requests of both."""
    server.modern = False
    began = server.ask("initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo={"name": "t", "version": "1"})
    say(began["protocolVersion"] == "2025-11-25", "who asks for an older session is offered the latest", began)
    old = server.ask("tools/call", name="check", arguments={"ticket": "a"})
    server.modern = True
    new = server.ask("tools/call", name="check", arguments={"ticket": "a"})
    say("resultType" not in old and new["resultType"] == "complete" and old["content"] == new["content"],
        "and both eras are served side by side", new)


def long_line(server):
    """100 MB in one line, of which it may not keep much."""
    part = b"x" * 1000000
    server.process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"')
    for _ in range(100):
        server.process.stdin.write(part)
    server.send(b'"}')
    answer = json.loads(server.receive())
    say(answer["error"]["code"] == -32600 and "id" not in answer, "a line of 100 MB: -32600", answer)
    peak = re.search(r"VmHWM:\s+(\d+)", open("/proc/%d/status" % server.process.pid).read())
    # Sanitizers keep what was freed for a while.
    limit = 400000 if "asan" in open("/proc/%d/maps" % server.process.pid).read() else 40000
    say(int(peak.group(1)) < limit, "and it never held more than a few megabytes", peak.group(0))


# -- Life ----------------------------------------------------------------

def tpctl(*words):
    return subprocess.run(["tpctl", *words], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode


def agent_pid():
    return json.loads(subprocess.check_output(["tpctl", "--json", "status"]))["pid"]


def life():
    server = Mcp()
    first = server.call("check", ticket="a")["clock"].split(":")[0]
    os.kill(agent_pid(), signal.SIGKILL)
    second = server.call("check", ticket="a")["clock"].split(":")[0]
    say(first != second, "an agent that was killed is started again by the next call")
    tpctl("stop")
    try:
        server.call("check", ticket="a")
        say(False, "an agent that a person stopped stays stopped")
    except Refused as why:
        say(why.code == "no_agent" and "tpctl start" in str(why), "an agent that a person stopped stays stopped")
    tpctl("start")
    say(server.call("check", ticket="a")["gate"]["verdict"] == "held", "and answers once it is started")
    stopped(server)
    waiting(server)
    say(server.end() == 0, "the end of input is the end")
    orphan()
    deaf()
    last_words()


def stopped(server):
    """While the agent sleeps calls wait side by side, and one that was cancelled gets no answer."""
    pid = agent_pid()
    os.kill(pid, signal.SIGSTOP)
    ids = [server.start("tools/call", name="check", arguments={"ticket": "a"}) for _ in range(3)]
    server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": ids[1]}})
    say("tools" in server.ask("tools/list"), "who waits for an agent keeps nobody else waiting")
    os.kill(pid, signal.SIGCONT)
    got = sorted(json.loads(server.receive())["id"] for _ in range(2))
    server.start("tools/list")
    say(got == [ids[0], ids[2]] and json.loads(server.receive())["id"] == server.last,
        "what was cancelled is not answered, the others are", got)


def waiting(server):
    """A tool that waits, while others are used; its end is bounded by itself, if not by the asker."""
    try:
        server.call("wait", ticket="a", until="clear", timeout="1ms")
        say(False, "what does not happen in time is a refusal")
    except Refused as why:
        say(why.code == "timed_out", "what does not happen in time is a refusal", why)
    waits = server.start("tools/call", name="wait", arguments={"ticket": "a", "until": "clear", "timeout": "9h"})
    say(server.call("check", ticket="a")["gate"]["verdict"] == "held", "who waits keeps nobody else waiting")
    with open("tickets/c/item.md", encoding="utf-8") as file:
        text = file.read()
    with open("tickets/c/item.md", "w", encoding="utf-8") as file:
        file.write(text.replace("ready", "done"))
    answer = json.loads(server.receive())
    say(answer["id"] == waits and answer["result"]["structuredContent"]["happened"] == "clear",
        "and is told when it happens", answer)
    with open("tickets/c/item.md", "w", encoding="utf-8") as file:
        file.write(text)


def orphan():
    """The one who started it dies; its input stays open in our hands."""
    ours, theirs = os.pipe()
    script = ("import subprocess, sys, os, signal; p = subprocess.Popen(['tpctl', 'mcp'], stdin=%d, pass_fds=[]);"
              "print(p.pid, flush=True); sys.stdin.read(1); os.kill(os.getpid(), signal.SIGKILL)" % ours)
    starter = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               pass_fds=[ours])
    pid = int(starter.stdout.readline())
    os.write(theirs, json.dumps(request()).encode() + b"\n")
    starter.stdout.readline()
    orphaned = os.pidfd_open(pid)
    starter.stdin.close()
    starter.wait()
    say(bool(select.select([orphaned], [], [], 20)[0]), "it ends when the process dies that started it")


def deaf():
    server = Mcp()
    server.process.stdout.close()
    server.send(request())
    say(server.process.wait(20) == 0, "it ends when nobody reads its answers")


def last_words():
    done = subprocess.run(["tpctl", "mcp"], input=json.dumps(request("tools/call", name="check",
                          arguments={"ticket": "a"})).encode(), stdout=subprocess.PIPE, timeout=20)
    say(b'"verdict":"held"' in done.stdout, "a call that was under way at the end of input is answered")
    done = subprocess.run(["tpctl", "mcp"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=20)
    say(done.returncode == 0 and not done.stdout, "an input of nothing gets nothing")


def main():
    what = sys.argv[1]
    if what in ("replay", "record"):
        dialogue(sys.argv[2], what == "record")
    else:
        {"hostile": hostile, "life": life}[what]()


if __name__ == "__main__":
    main()
