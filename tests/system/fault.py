#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tools for stories in which agents die, or are lied to, at a chosen system call.

Agent   a tpd of ours in a box, which may be traced, and whose file system may lack unnamed
        files; Trace a thread of it, with injections as strace takes them; Store what was
        acknowledged, to hold the files and an agent's answers against
"""
import ctypes
import functools
import json
import os
import platform
import random
import re
import select
import signal
import socket
import struct
import subprocess
import time

import rpc

OPENAT = {"x86_64": 257, "aarch64": 56, "riscv64": 56}
TMPFILE_BIT, UNSUPPORTED = 0o20000000, 95
PATIENCE_S = 60


def forbid_unnamed_files():
    """openat(…, O_TMPFILE) fails from now on as it does on many network file systems."""
    code = [(0x20, 0, 0, 0),                            # load the call's number
            (0x15, 0, 3, OPENAT[platform.machine()]),   # openat, or go on
            (0x20, 0, 0, 32),                           # load the flags
            (0x45, 0, 1, TMPFILE_BIT),
            (0x06, 0, 0, 0x50000 | UNSUPPORTED),
            (0x06, 0, 0, 0x7FFF0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    filter_ = struct.pack("HP", len(code), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter_, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter for system calls")


def allow_tracing():
    """By any process of ours, where only parents may otherwise."""
    ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)


def until(what, condition, process=None):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        ended = process and process.poll()
        if ended is not None or time.monotonic() > end:
            raise RuntimeError("%s: in vain (%s)" % (what, ended))
        time.sleep(0.001)


@functools.cache
def socket_of(top):
    return subprocess.check_output(["tpctl", "-C", top, "socket"], text=True).strip()


class Agent:
    def __init__(self, top, unnamed=True, program="tpd", settled=True):
        box = os.environ["HOME"]
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = "%s/ready.%d" % (box, os.getpid())
        if os.path.exists(path):
            os.unlink(path)
        ready.bind(path)

        def prepare():
            allow_tracing()
            if not unnamed:
                forbid_unnamed_files()

        with open(box + "/../agents.log", "ab") as log:
            self.process = subprocess.Popen(
                [program, "--foreground", "-C", top], stderr=log, preexec_fn=prepare,
                env=dict(os.environ, NOTIFY_SOCKET=path))
        until("a start", lambda: select.select([ready], [], [], 0.05)[0], self.process)
        ready.close()
        self.pid = self.process.pid
        self.socket = socket_of(top)
        # It is ready when it listens; what it says when it has read the tree is a write as well.
        if settled:
            conn = self.connect()
            conn.ask("agent.sync")
            conn.close()

    def connect(self):
        return rpc.Conn(self.socket, PATIENCE_S)

    def threads(self):
        """By name: "main", "worker", and those that sync many files together, "sync 0" and on."""
        named = {"main": self.pid}
        for tid in sorted(map(int, os.listdir("/proc/%d/task" % self.pid))):
            with open("/proc/%d/task/%d/comm" % (self.pid, tid), encoding="utf-8") as comm:
                name = comm.read().strip()
            if name == "tpd-worker":
                named["worker"] = tid
            elif name == "tpd-sync":
                named["sync %d" % (len(named) - 2)] = tid
        return named

    def worker(self):
        return self.threads()["worker"]

    def is_stopped(self):
        with open("/proc/%d/stat" % self.pid, encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] in "Tt"

    def hear_together(self, sent):
        """(connection, method, parameters) of requests that come in one turn."""
        os.kill(self.pid, signal.SIGSTOP)
        until("a stop", self.is_stopped, self.process)
        for conn, method, params in sent:
            conn.send(rpc.request(2, method, params))
        os.kill(self.pid, signal.SIGCONT)

    def add_together(self, requests):
        """The answers to records that come in one turn."""
        conns = [self.connect() for _ in requests]
        for conn in conns:
            conn.ask("agent.sync")
        self.hear_together([(conn, "record.add", request)
                            for conn, request in zip(conns, requests)])
        answers = [conn.receive() for conn in conns]
        for conn in conns:
            conn.close()
        return answers

    def ask_together(self, requests):
        """Of each such record "ok", its error's code or, cut off, None."""
        answers = self.add_together(requests)
        return [one and ("ok" if one[2] is None else one[2][1].split(":")[0]) for one in answers]

    def tracer(self):
        with open("/proc/%d/status" % self.pid, encoding="utf-8") as status:
            return int(re.search(r"TracerPid:\t(\d+)", status.read()).group(1))

    def kill(self, tracer=0):
        """A tracer that delays a call does not let go of it before."""
        self.process.kill()
        if tracer:
            os.kill(tracer, signal.SIGKILL)
        return self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


class Trace:
    def __init__(self, tid, *injections, follow=False, path=None):
        self.log = os.environ["HOME"] + "/strace"
        if os.path.exists(self.log):
            os.unlink(self.log)
        command = ["strace", "-y", "-s", "64", "-o", self.log, "-p", str(tid)]
        for injection in injections:
            command += ["-e", "inject=" + injection]
        command += ["-P", path] if path else []
        self.process = subprocess.Popen(command + (["-f"] if follow else []),
                                        stderr=subprocess.DEVNULL)
        threads = len(os.listdir("/proc/%d/task" % tid)) if follow else 1
        # With a path nothing is shown until it is used: the kernel knows who traces.
        until("tracing", (lambda: self.is_tracer(tid)) if path else
              lambda: self.text().count("(") >= threads, self.process)

    def is_tracer(self, pid):
        for tid in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/status" % (pid, tid), encoding="utf-8") as status:
                if "TracerPid:\t%d\n" % self.process.pid not in status.read():
                    return False
        return True

    def text(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def end(self):
        self.process.terminate()
        self.process.wait()
        return self.text()

    def let_go(self):
        """At once, also of a call that it delays."""
        self.process.kill()
        self.process.wait()


def may_trace():
    child = subprocess.Popen(["sleep", "60"], preexec_fn=allow_tracing)
    try:
        Trace(child.pid).end()
        return True
    except (OSError, RuntimeError):
        return False
    finally:
        child.kill()
        child.wait()


def calls(log, tid=None):
    """(name, how many of that name so far, the line), in order; of one thread, if all are there."""
    counts = {}
    for line in log.splitlines():
        if tid and not line.startswith("%d " % tid):
            continue
        found = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if found:
            name = found.group(1)
            counts[name] = counts.get(name, 0) + 1
            yield name, counts[name], line


def ulid():
    return "01J" + "".join(random.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=23))


def slow_git(top, seconds):
    """A program that is an agent which waits so long before it knows the repository's refs, and
    where it says so."""
    program, log = top + "/../slow", os.environ["HOME"] + "/strace.git"
    with open(program, "w", encoding="utf-8") as script:
        script.write("#!/bin/sh\nexec strace -D -f -o '%s' -P '%s/.git/packed-refs' "
                     "-e inject=openat:delay_enter=%ds tpd \"$@\"\n" % (log, top, seconds))
    os.chmod(program, 0o755)
    return program, log


class Store:
    """A repository's records, and what was acknowledged."""

    def __init__(self, top):
        self.top = top
        self.acknowledged = {}

    def make_ticket(self, name, folders=""):
        folder = "%s/tickets/%s" % (self.top, name)
        os.makedirs(folder + folders, exist_ok=True)
        with open(folder + "/item.md", "w", encoding="utf-8") as item:
            item.write("---\ntitle: %s\nstate: queued\n---\n" % name)

    def fresh(self, shape):
        """A Ticket without folders for records ("new"), with some of them ("begun"), with empty
        ones ("found"); or "old"."""
        if shape == "old":
            return shape
        ticket = "%s%d" % (shape, len(os.listdir(self.top + "/tickets")))
        self.make_ticket(ticket, {"begun": "/artifacts", "found": "/artifacts/records"}.get(
            shape, ""))
        return ticket

    def request(self, ticket):
        id_ = ulid()
        return {"ticket": ticket, "kind": "related", "other": "other", "id": id_,
                "message": "note of %s" % id_}

    def add(self, conn, request):
        answer = conn.ask("record.add", **request)
        self.acknowledge(request)
        return answer

    def acknowledge(self, request):
        self.acknowledged[request["id"]] = request

    def files(self):
        """Path from the top, for every file in a folder of records."""
        for ticket in os.listdir(self.top + "/tickets"):
            folder = "%s/tickets/%s/artifacts/records" % (self.top, ticket)
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                yield ticket, name, folder + "/" + name

    def is_there(self, request):
        return os.path.exists("%s/tickets/%s/artifacts/records/%s.json" %
                              (self.top, request["ticket"], request["id"]))

    def litter(self):
        return [name for _, name, _ in self.files() if name.startswith(".")]

    def flaws(self, conn=None, maybe=(), litter=False):
        """All that is not as it must be."""
        known = dict(self.acknowledged, **{one["id"]: one for one in maybe})
        seen, wrong = set(), []
        for ticket, name, path in self.files():
            if name.startswith("."):
                wrong += [] if litter else ["litter: " + name]
                continue
            with open(path, encoding="utf-8") as file:
                wrong += self.flaws_of(file.read(), ticket, name, known, seen)
        wrong += ["lost: " + one for one in self.acknowledged if one not in seen]
        if conn:
            listed = [row["id"] for row in self.listed(conn)]
            if sorted(listed) != sorted(seen):
                wrong.append("%d listed, %d there" % (len(listed), len(seen)))
            wrong += ["doctor finds errors"] * (conn.ask("doctor.run")["errors"] != 0)
        return wrong

    @staticmethod
    def flaws_of(text, ticket, name, known, seen):
        try:
            record = json.loads(text)
        except ValueError:
            return ["torn: " + name]
        request = known.get(record["id"])
        if not request:
            return ["from nowhere: " + name]
        got = [record["id"] + ".json", record["ticket_id"], record["note"], record["kind"],
               record["related_ticket"], text[-2:]]
        wanted = [name, ticket, request["message"], "related", "other", "}\n"]
        twice = ["twice: " + name] * (record["id"] in seen)
        seen.add(record["id"])
        other = got != wanted or request["ticket"] != ticket
        return twice + ["other than asked: " + name] * other

    @staticmethod
    def listed(conn):
        rows, cursor = [], {}
        while True:
            answer = conn.ask("record.query", status="all", limit=1000, **cursor)
            rows += answer["records"]
            if "next" not in answer:
                return rows
            cursor = {"cursor": answer["next"]}


def say(wrong, sentence):
    print("%s %s" % ("not ok" if wrong else "ok", sentence))
    for line in list(wrong)[:12]:
        print("# " + str(line))
