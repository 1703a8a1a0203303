#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An agent that is killed before each system call of a write, one after the other.

fault_crash.py kills TOP SCALE      at 100 before every call, else before those that change things
fault_crash.py order TOP            what must be on disk before what follows it
fault_crash.py cut IMAGE CYCLES     the disk forgets what was not made safe; for root
"""
import fcntl
import os
import re
import subprocess
import sys

import rpc
from fault import Agent, Store, Trace, calls, say, until

CHANGES = {"mkdirat", "write", "fsync", "linkat", "unlinkat"}

ELSEWHERE = {"futex", "mmap", "munmap", "mprotect", "madvise", "brk", "restart_syscall"}


def changes(name, line):
    return name in CHANGES or (name == "openat" and ("O_TMPFILE" in line or "O_CREAT" in line))


def written(log, tid):
    """Calls of a thread for the store, without waiting, waking and memory."""
    return [(name, nth, line) for name, nth, line in calls(log, tid)
            if name not in ELSEWHERE and "eventfd" not in line]


class Victim:
    """An agent and what it is asked: a record in a Ticket of each of these shapes."""

    def __init__(self, store, shapes, unnamed):
        self.store = store
        self.unnamed = unnamed
        self.requests = [store.request(store.fresh(shape)) for shape in shapes.split()]
        self.agent = Agent(store.top, unnamed)
        if len(self.requests) > 1:
            # The threads that sync several are started for the first several.
            self.ask([store.request("old") for _ in self.requests])

    def ask(self, requests=None):
        """All at once; whether all were acknowledged."""
        requests = requests or self.requests
        answers = self.agent.ask_together(requests)
        for answer, request in zip(answers, requests):
            if answer == "ok":
                self.store.acknowledge(request)
        return all(answer == "ok" for answer in answers)


def points(store, shape, unnamed, scale, every):
    """(thread, call, how many of it): of the worker each `every`-th, of the others each third."""
    victim = Victim(store, shape, unnamed)
    threads = victim.agent.threads()
    trace = Trace(victim.agent.pid, follow=True)
    victim.ask()
    log = trace.end()
    victim.agent.kill()
    where = {thread: [(thread, name, nth) for name, nth, line in written(log, tid)
                      if scale == 100 or changes(name, line)]
             for thread, tid in threads.items() if thread != "main"}
    worker = where.pop("worker")
    syncs = sum(where.values(), [])
    if len(shape.split()) > 1 and len(syncs) < 2 * len(set(shape.split())):
        raise RuntimeError("only %d syncs together" % len(syncs))
    return worker[::every] + syncs[::min(every, 3)]


def after(store, victim, where):
    """A new agent: nothing is lost or torn, and asking again succeeds."""
    agent = Agent(store.top, victim.unnamed)
    conn = agent.connect()
    wrong = store.flaws(conn, victim.requests, litter=not victim.unnamed)
    for request in victim.requests:
        store.add(conn, request)
    wrong += ["then " + one for one in store.flaws(conn)]
    seen = store.listed(conn)
    conn.close()
    agent.kill()
    agent = Agent(store.top)
    conn = agent.connect()
    if store.listed(conn) != seen:
        wrong.append("another agent that reads the files answers otherwise")
    conn.close()
    agent.kill()
    return ["%s: %s" % (where, one) for one in wrong]


def kill_at(store, shape, unnamed, thread, call, nth):
    victim = Victim(store, shape, unnamed)
    trace = Trace(victim.agent.threads()[thread], "%s:signal=KILL:when=%d" % (call, nth))
    answered = victim.ask()
    where = "%s %s %d" % (thread, call, nth)
    wrong = [where + ": answered before it was killed there"] if answered else []
    if answered:
        victim.agent.kill()
    victim.agent.process.wait()
    trace.end()
    litter = store.litter()
    return wrong + after(store, victim, where), litter


def kills(top, scale):
    store = Store(top)
    agent = Agent(top)
    store.add(agent.connect(), store.request("old"))
    agent.kill()
    for shape, unnamed, every, what in [
            ("new", True, 1, "in folders to be made"),
            ("old", True, 1, "in a folder with records"),
            ("found", False, 1, "without unnamed files"),
            ("old new old found", True, 5, "four at once"),
            ("old new old found", False, 5, "four without unnamed files")]:
        wrong, litter = [], []
        step = {0: 3 * every, 100: 1}.get(scale, every)
        where = points(store, shape, unnamed, scale, step)
        for point in where:
            found = kill_at(store, shape, unnamed, *point)
            wrong, litter = wrong + found[0], litter + found[1]
        wrong += kill_at(store, shape, unnamed, "main", "write", len(shape.split()) + 1)[0]
        if len(where) < (2 if scale == 0 else 4):
            wrong.append("only %d calls" % len(where))
        say(wrong, "%s: killed before each of %d calls and before the answer" % (what, len(where)))
        if shape == "found" and scale:
            say([] if litter else ["none"], "what a killed agent leaves there begins with a dot")


# -- Order ---------------------------------------------------------------

def answers(log):
    return [i for i, line in enumerate(log) if re.search(r" write\(\d+<(socket|UNIX)", line)]


def places(log):
    """Where in the log what happens."""
    return {"made": [i for i, line in enumerate(log) if "mkdirat(" in line],
            "write": [i for i, line in enumerate(log) if re.search(r" write\(.*records/", line)],
            "sync": [i for i, line in enumerate(log)
                     if re.search(r" fsync\(.*records/(#|\.)", line)],
            "name": [i for i, line in enumerate(log) if " linkat(" in line],
            "folder": [i for i, line in enumerate(log) if re.search(r" fsync\(.*/records>", line)],
            "artifacts": [i for i, line in enumerate(log)
                          if re.search(r" fsync\(.*/artifacts>", line)],
            "ticket": [i for i, line in enumerate(log)
                       if re.search(r" fsync\(.*/tickets/\w+>", line)],
            # Others before it are of questions that brought agent and asker together.
            "answer": answers(log)[-1:]}


def misordered(at, *names):
    if any(not at[name] for name in names):
        return ["no " + name for name in names if not at[name]]
    return ["%s before %s" % (b, a) for a, b in zip(names, names[1:]) if at[a][-1] > at[b][0]]


def order(top):
    store = Store(top)
    for shape, unnamed in [("new", True), ("found", True), ("new", False)]:
        victim = Victim(store, shape, unnamed)
        trace = Trace(victim.agent.pid, follow=True)
        victim.ask()
        log = trace.end().splitlines()
        at = places(log)
        wrong = misordered(at, "write", "sync", "name", "folder", "answer")
        for folder in ("artifacts", "ticket"):
            wrong += misordered(at, *(["made"] if shape == "new" else []), folder, "answer")
        say(wrong, "%s, %s: bytes, sync, name, sync, answer; and every folder's name is synced" %
            (shape, "unnamed files" if unnamed else "temporary names"))
        victim.agent.kill()
    several(store)
    again(store)


def begun(lines):
    return {re.search(r"<([^>]*)", line).group(1) for line in lines if " fsync(" in line}


def all_ended(lines):
    """Whether each sync that began there also ended there."""
    return (sum(" fsync(" in line and "unfinished" in line for line in lines) ==
            sum("fsync resumed" in line for line in lines))


def several(store):
    victim = Victim(store, "old new old found", True)
    trace = Trace(victim.agent.pid, follow=True)
    victim.ask()
    log = trace.end().splitlines()
    victim.agent.kill()
    named = places(log)["name"]
    answered = answers(log)[-4:]
    before, between = log[:named[0]], log[named[-1]:answered[0]]
    files = {path for path in begun(before) if "/records/" in path}
    say([] if len(files) == len(named) == 4 and all_ended(before) else [len(named), files],
        "four at once: each file is synced before the first name")
    folders = begun(between)
    say([] if len(folders) == 3 and all_ended(between) else [folders],
        "each folder is synced after the last name and before the first answer")


def again(store):
    """Who asks again never had an answer, and maybe nobody made the record safe."""
    victim = Victim(store, "new", True)
    trace = Trace(victim.agent.pid, "write:signal=KILL:when=2")
    victim.ask()
    victim.agent.process.wait()
    trace.end()
    victim.agent = Agent(store.top)
    trace = Trace(victim.agent.pid, follow=True)
    victim.ask()
    log = trace.end().splitlines()
    victim.agent.kill()
    at = places(log)
    at["sync"] = [i for i, line in enumerate(log)
                  if " fsync(" in line and victim.requests[0]["id"] in line]
    say(misordered(at, "sync", "folder", "answer"), "asked again: synced before it is confirmed")


# -- Power cuts ----------------------------------------------------------

SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2


def mount(image, top):
    os.makedirs(top, exist_ok=True)
    subprocess.check_call(["mount", "-o", "loop", image, top])


def unmount(top):
    # The git that an agent asked outlives one that is killed, for a moment.
    until("unmounted", lambda: not subprocess.call(["umount", top], stderr=subprocess.DEVNULL))


def cut_once(store, cycle):
    agent = Agent(store.top)
    requests = [store.request(ticket) for ticket in ["old", "cut%d" % cycle] * 2]
    conns = [agent.connect() for _ in requests]
    for conn, request in zip(conns, requests):
        conn.send(rpc.request(1, "record.add", request))
    for nth, (conn, request) in enumerate(zip(conns, requests)):
        answer = conn.receive()
        if answer and answer[2] is None:
            store.acknowledge(request)
        if nth == cycle % len(requests):
            top = os.open(store.top, os.O_RDONLY)
            fcntl.ioctl(top, SHUTDOWN, WITHOUT_LOG.to_bytes(4, sys.byteorder))
            os.close(top)
    agent.kill()
    return requests


def cut(image, cycles):
    top = image + ".d"
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    subprocess.check_call(["mkfs.ext4", "-q", "-F", "-m", "0", image])
    mount(image, top)
    subprocess.check_call(["git", "init", "--quiet", "--template=", top])
    store, wrong, maybe = Store(top), [], []
    for name in ["other", "old"] + ["cut%d" % cycle for cycle in range(cycles)]:
        store.make_ticket(name)
    os.sync()
    for cycle in range(cycles):
        maybe += cut_once(store, cycle)
        unmount(top)
        mount(image, top)
        wrong += store.flaws(None, maybe)
    agent = Agent(top)
    wrong += store.flaws(agent.connect(), maybe)
    agent.kill()
    unmount(top)
    say(wrong, "the power goes out %d times and all of %d acknowledged records are there" %
        (cycles, len(store.acknowledged)))


if __name__ == "__main__":
    if sys.argv[1] == "kills":
        kills(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "order":
        order(sys.argv[2])
    else:
        cut(sys.argv[2], int(sys.argv[3]))
