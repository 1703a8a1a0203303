#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An agent that is killed before each system call of a write, one after the other.

fault_crash.py kills TOP SCALE LOTS
                                    at 100 before every call, else before those that change things:
                                    between two of them the files are the same; LOTS is an agent
                                    that writes no more than two records together
fault_crash.py copies TOP           and when the file of copies is written anew
fault_crash.py confirmed TOP        and when a record that was there was confirmed
fault_crash.py order TOP LOTS       what must be on disk before what follows it
fault_crash.py cut IMAGE KIND CYCLES
                                    the disk forgets what was not made safe; for root
"""
import fcntl
import itertools
import os
import random
import re
import subprocess
import sys
import time

import rpc
from fault import Agent, Store, Trace, calls, say, slow_git, until

CHANGES = {"mkdirat", "mkdir", "write", "pwrite64", "ftruncate", "sync_file_range", "fsync",
           "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat"}

ELSEWHERE = {"futex", "mmap", "munmap", "mprotect", "madvise", "brk", "restart_syscall"}


def changes(name, line):
    return name in CHANGES or (name == "openat" and ("O_TMPFILE" in line or "O_CREAT" in line))


def written(log, tid):
    """Calls of a thread for the store, without waiting, waking and memory."""
    return [(name, nth, line) for name, nth, line in calls(log, tid)
            if name not in ELSEWHERE and "eventfd" not in line]


class Victim:
    """An agent and what it is asked: a record in a Ticket of each of these shapes."""

    def __init__(self, store, shapes, unnamed, program="tpd"):
        self.store = store
        self.shapes = shapes.split()
        self.how = unnamed, program
        self.unnamed = unnamed
        self.start()
        self.renew()

    def start(self):
        self.agent = Agent(self.store.top, *self.how)

    def renew(self):
        self.requests = [self.store.request(self.store.fresh(shape)) for shape in self.shapes]

    def ask(self):
        """All at once; whether all were acknowledged."""
        answers = self.agent.ask_together(self.requests)
        for answer, request in zip(answers, self.requests):
            if answer == "ok":
                self.store.acknowledge(request)
        return all(answer == "ok" for answer in answers)


# -- Kills ---------------------------------------------------------------

class Chain(Victim):
    """A victim whose heir, once it has shown that nothing is wrong, is the next victim.  So each
    is a fresh agent that must know what the one before it knew."""

    def __init__(self, store, shapes, unnamed, program="tpd", cold=False):
        super().__init__(store, shapes, unnamed, program)
        self.cold = cold
        self.wrong, self.litter = [], []
        if not self.ask():
            self.wrong.append("not acknowledged")
        self.get_ready(self.listed())

    def listed(self):
        conn = self.agent.connect()
        rows = self.store.listed(conn)
        conn.close()
        return rows

    def get_ready(self, rows):
        """Cold, it wrote nothing yet; else the threads that sync several are there."""
        if self.cold:
            self.agent.kill()
            self.start()
        elif len(self.shapes) > 1:
            self.renew()
            self.ask()
            rows = self.listed()
        self.renew()
        self.known = rows

    def points(self, every_call):
        """(thread, call, how many of it) of those that write."""
        threads = self.agent.threads()
        trace = Trace(self.agent.pid, follow=True)
        self.ask()
        log = trace.end()
        self.get_ready(self.listed())
        found = [(thread, name, nth) for thread, tid in threads.items() if thread != "main"
                 for name, nth, line in written(log, tid) if every_call or changes(name, line)]
        syncs = [thread for thread, _, _ in found if thread != "worker"]
        if len(self.shapes) > 1 and len(syncs) < len(self.shapes):
            self.wrong.append("only %d syncs together" % len(syncs))
        return found

    def kill_at(self, thread, call, nth):
        trace = Trace(self.agent.threads()[thread], "%s:signal=KILL:when=%d" % (call, nth))
        answered = self.ask()
        if not answered:
            self.agent.process.wait()
        log = trace.end()
        if answered and call == "write" and sum(name == call for name, _, _ in calls(log)) < nth:
            # Main was awake when a lot was done, and was not woken by a write.
            self.get_ready(self.listed())
            self.kill_at(thread, call, nth - 1)
            return
        wrong = ["answered before it was killed there"] if answered else []
        self.agent.kill()
        self.litter += self.store.litter()
        self.start()
        self.wrong += ["%s %s %d: %s" % (thread, call, nth, one) for one in wrong + self.inherit()]

    def inherit(self):
        """Nothing is lost or torn, all is known that was, and asking again succeeds."""
        conn = self.agent.connect()
        wrong = self.store.flaws(conn, self.requests, litter=not self.unnamed)
        asked = {request["id"] for request in self.requests}
        if [row for row in self.store.listed(conn) if row["id"] not in asked] != self.known:
            wrong.append("the index is not what it was")
        for request in self.requests:
            self.store.add(conn, request)
        wrong += ["then " + one for one in self.store.flaws(conn)]
        rows = self.store.listed(conn)
        conn.close()
        self.get_ready(rows)
        return wrong

    def outlive(self):
        """Each has a copy, whoever died before making it, and can be written back."""
        conn = self.agent.connect()
        for _, _, path in self.store.files():
            os.unlink(path)
        conn.ask("record.recover")
        wrong = self.store.flaws(conn)
        conn.close()
        return wrong

    def end(self):
        self.agent.kill()
        self.start()
        if self.listed() != self.known:
            self.wrong.append("another agent that reads the files answers otherwise")
        wrong = self.outlive()
        self.agent.kill()
        return wrong


def repository(top):
    subprocess.check_call(["git", "init", "--quiet", "--template=", top])
    store = Store(top)
    for name in ("other", "old"):
        store.make_ticket(name)
    return store


def kills(top, scale, lots):
    for shapes, unnamed, program, cold, what in [
            ("new", True, "tpd", False, "in folders to be made"),
            ("begun", True, "tpd", False, "in a folder that is there, and one to be made"),
            ("old", True, "tpd", False, "in a folder with records"),
            ("old", True, "tpd", True, "in a folder with records that others made"),
            ("found", False, "tpd", False, "without unnamed files"),
            ("old new old found", True, "tpd", False, "four at once"),
            ("old new old found", False, "tpd", False, "four without unnamed files"),
            ("old new old found old", True, lots, False, "five in lots of two"),
            ("old new old found old", False, lots, False, "five in such lots, without them"),
            ("old " * 30 + "new old found old", True, "tpd", False, "as many as overlap")]:
        store = repository("%s/%s" % (top, what.replace(" ", "-")))
        chain = Chain(store, shapes, unnamed, program, cold)
        many = len(chain.shapes) > 30
        where = chain.points(scale == 100)
        # All of the long lot in the long form; else all of the short ones.
        where = where[::{0: 5 * (1 + 7 * many), 100: 1}.get(scale, 1 + 15 * many)]
        for point in where:
            chain.kill_at(*point)
        chain.kill_at("main", "write", len(chain.shapes) + 1)
        litter, lost = chain.litter, chain.end()
        say(chain.wrong, "%s: killed before each of %d calls and before the answer" %
            (what, len(where)))
        say(lost, "%s: a copy of each outlives its file" % what)
        if shapes == "found" and scale:
            say([] if litter else ["none"], "what a killed agent leaves there begins with a dot")


# -- Copies --------------------------------------------------------------

def git(top, *words):
    subprocess.check_call(("git", "-C", top) + words, stdout=subprocess.DEVNULL)


class Copies:
    """The file of copies, when a commit removes most of what is in it: it is written anew."""

    def __init__(self, top):
        self.store, self.wrong = repository(top), []
        git(top, "add", ".")
        git(top, "commit", "--quiet", "-m", "Tickets")

    def add(self, conn, count, length):
        requests = [self.store.request("old") for _ in range(count)]
        for request in requests:
            request["message"] += "x" * length
            self.store.add(conn, request)
        return requests

    def once(self, name, *injections):
        """What is done to the file of that name, or to the point at which it ends."""
        agent = Agent(self.store.top)
        conn = agent.connect()
        self.add(conn, 2, 10)
        big = self.add(conn, 6, 15000)
        files = ["tickets/old/artifacts/records/%s.json" % one["id"] for one in big]
        git(self.store.top, "add", *files)
        git(self.store.top, "commit", "--quiet", "-m", "six")
        conn.ask("doctor.run")
        file = conn.ask("agent.status")["state"] + "/" + name
        trace = Trace(agent.pid, *injections, follow=True, path=file)
        git(self.store.top, "rm", "--quiet", *files)
        git(self.store.top, "commit", "--quiet", "-m", "without them")
        try:
            conn.ask("doctor.run")
            if injections:
                until("killed", lambda: agent.process.poll() is not None)
        except BrokenPipeError:
            pass
        except (rpc.Failed, RuntimeError) as why:
            self.wrong += [] if "hung up" in str(why) else ["%s: %s" % (injections, why)]
        agent.kill()
        log = trace.end()
        git(self.store.top, "revert", "--no-edit", "HEAD")
        self.look(injections)
        return [(call, nth) for call, nth, line in calls(log) if changes(call, line)]

    def look(self, where):
        """What is in no commit has its copy, and comes back from there."""
        agent = Agent(self.store.top)
        conn = agent.connect()
        loose = subprocess.check_output(
            ["git", "-C", self.store.top, "ls-files", "--others", "--", "tickets/old/artifacts"],
            text=True).split()
        for path in loose:
            os.unlink(self.store.top + "/" + path)
        back = conn.ask("record.recover")["recovered"]
        wrong = self.store.flaws(conn)
        wrong += ["%d of %d back" % (len(back), len(loose))] * (len(back) != len(loose))
        git(self.store.top, "add", ".")
        git(self.store.top, "commit", "--quiet", "--allow-empty", "-m", "all")
        conn.ask("doctor.run")
        agent.kill()
        self.wrong += ["%s: %s" % (where, one) for one in wrong]


def copies(top):
    it, count = Copies(top), 0
    for name in ("kept.records.tmp", "kept.records"):
        where = it.once(name)
        count += len(where)
        for call, nth in where:
            it.once(name, "%s:signal=KILL:when=%d" % (call, nth))
        if len(where) < 3:
            it.wrong.append("%s: only %s" % (name, where))
    say(it.wrong, "killed before each of %d calls on the copies when a commit removes most of what they "
        "are of: those of what is in no commit are there" % count)


def held_up(log):
    with open(log, encoding="utf-8") as text:
        return "packed-refs" in text.read()


def confirmed(top):
    """Who asks again is answered while git, which may have the record, is not done yet."""
    store = repository(top)
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "Tickets")
    git(top, "pack-refs", "--all")
    request = store.request("old")
    agent = Agent(top)
    conn = agent.connect()
    store.add(conn, request)
    copies = conn.ask("agent.status")["state"] + "/kept.records"
    agent.kill()
    # As if it had died before the copy.
    os.unlink(copies)
    program, log = slow_git(top, 60)
    agent = Agent(top, program=program, settled=False)
    until("git held up", lambda: held_up(log), agent.process)
    store.add(agent.connect(), request)
    agent.kill(agent.tracer())
    git(top, "clean", "-qfdx")
    agent = Agent(top)
    conn = agent.connect()
    back = conn.ask("record.recover")["recovered"]
    wrong = store.flaws(conn) + ["%d back" % len(back)] * (len(back) != 1)
    agent.kill()
    say(wrong, "confirmed to who asks again, and killed while git is asked: it outlives its file")


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


def order(top, lots):
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
    overlapping(store, lots)
    again(store)


def begun(lines, call="fsync"):
    return {re.search(r"<([^>]*)", line).group(1) for line in lines if " %s(" % call in line}


def until_sync(lines):
    """Those before the first sync of a file or folder of records."""
    return itertools.takewhile(lambda line: not re.search(r" fsync\(.*/records[/>]", line), lines)


def all_ended(lines):
    """Whether each sync that began there also ended there."""
    return (sum(" fsync(" in line and "unfinished" in line for line in lines) ==
            sum("fsync resumed" in line for line in lines))


def log_of(victim):
    """Its calls, line by line, when it is asked a second time; then it is killed."""
    victim.ask()
    victim.renew()
    trace = Trace(victim.agent.pid, follow=True)
    victim.ask()
    log = trace.end().splitlines()
    victim.agent.kill()
    return log


def several(store):
    victim = Victim(store, "old new old found", True)
    log = log_of(victim)
    named = places(log)["name"]
    answered = answers(log)[-4:]
    before, between = log[:named[0]], log[named[-1]:answered[0]]
    files = {path for path in begun(before) if "/records/" in path}
    say([] if len(files) == len(named) == 4 and all_ended(before) else [len(named), files],
        "four at once: each file is synced before the first name")
    folders = begun(between)
    say([] if len(folders) == 3 and all_ended(between) else [folders],
        "each folder is synced after the last name and before the first answer")
    asked = [begun(until_sync(lines), "sync_file_range") for lines in (before, between)]
    say([] if asked == [files, folders] else asked,
        "the disk was given all of them before the first was waited for")


def halves(log):
    """Where each call begins and ends: (thread, "begins" or "ends", what strace says of it)."""
    begun = {}
    for line in log:
        tid, what = line.split(None, 1)
        if " resumed>" in what:
            yield tid, "ends", begun.pop(tid, what)
            continue
        yield tid, "begins", what
        if what.endswith("<unfinished ...>"):
            begun[tid] = what
        else:
            yield tid, "ends", what


class Watcher:
    """Of a log: which files and names are safe, and what was done too early."""

    def __init__(self):
        self.synced, self.named, self.syncing, self.safe = set(), {}, {}, set()
        self.answers, self.beside, self.wrong = 0, 0, []

    def fsync(self, tid, half, path):
        folder = path.endswith("/records")
        if half == "begins":
            self.syncing[tid] = {one for one, where in self.named.items() if where == path}
            self.beside += not folder and any("/records" in one for one in self.named.values())
        elif folder:
            self.safe |= self.syncing[tid]
        else:
            self.synced.add(path)

    def linkat(self, _, half, call):
        file, folder = re.findall(r"<(/[^>]*)>", call)
        name = re.search(r'"(\w+\.json)"', call).group(1)
        if half == "ends":
            self.named[name] = folder
        elif file not in self.synced:
            self.wrong.append("%s is named and was not synced" % name)

    def answer(self):
        self.answers += 1
        if self.answers > len(self.safe):
            self.wrong.append("answer %d, and %d are safe" % (self.answers, len(self.safe)))


def overlapping(store, lots):
    victim = Victim(store, "old new old found old", True, lots)
    log = log_of(victim)
    watcher, asked = Watcher(), 0
    for tid, half, call in halves(log):
        if call.startswith("fsync("):
            watcher.fsync(tid, half, re.search("<([^>]*)>", call).group(1))
        elif call.startswith("linkat("):
            watcher.linkat(tid, half, call)
        elif half == "begins" and re.match(r"write\(\d+<(socket|UNIX)", call):
            asked += 1
            if asked > len(victim.requests):
                watcher.answer()
    if watcher.answers != len(victim.requests) or not watcher.beside:
        watcher.wrong.append("%d answers, %d files beside folders" %
                             (watcher.answers, watcher.beside))
    say(watcher.wrong, "lots that overlap: no name before its file is synced, no answer before its "
                       "folder is, since then")


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

# The two ways in which a disk goes: nothing that was not made safe is there, or all that has a
# name, and maybe not its bytes.
SHUTDOWN, WITHOUT_LOG, WITH_LOG = 0x8004587D, 2, 1
# XFS is never smaller than that; nothing of it that is not used takes room.
MAKE = {"ext4": ("mkfs.ext4 -q -F -m 0", 32), "xfs": ("mkfs.xfs -q -f", 320),
        "btrfs": ("mkfs.btrfs -q -f -m single -d single", 128)}


def mount(image, top):
    os.makedirs(top, exist_ok=True)
    subprocess.check_call(["mount", "-o", "loop", image, top])


def unmount(top):
    # The git that an agent asked outlives one that is killed, for a moment.
    until("unmounted", lambda: not subprocess.call(["umount", top], stderr=subprocess.DEVNULL))


def make(image, kind):
    command, megabytes = MAKE[kind]
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.check_call(command.split() + [image], stdout=subprocess.DEVNULL)


class Disk:
    """One that forgets what was not made safe.  Of btrfs, which cannot, the disk below does."""

    def __init__(self, image, kind):
        make(image, "ext4" if kind == "btrfs" else kind)
        self.mounts = [(image, image + ".d")]
        if kind == "btrfs":
            with open(image, "ab") as file:
                file.truncate(2 * MAKE[kind][1] << 20)
            subprocess.check_call(["resize2fs", image], stderr=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)
            mount(*self.mounts[0])
            inner = image + ".d/image"
            make(inner, kind)
            os.sync()
            self.mounts.append((inner, image + ".inner"))
            mount(*self.mounts[1])
        else:
            mount(*self.mounts[0])
        self.top = self.mounts[-1][1]

    def cut(self, how):
        top = os.open(self.mounts[0][1], os.O_RDONLY)
        fcntl.ioctl(top, SHUTDOWN, how.to_bytes(4, sys.byteorder))
        os.close(top)

    def off(self):
        for _, top in reversed(self.mounts):
            unmount(top)

    def on(self):
        for image, top in self.mounts:
            mount(image, top)


class Cuts:
    """Records and claims up to the moment at which the power goes, again and again."""

    def __init__(self, image, kind):
        self.disk = Disk(image, kind)
        top = self.disk.top + "/repository"
        os.environ["XDG_STATE_HOME"] = self.disk.top + "/state"
        self.store = repository(top)
        self.maybe, self.wrong = [], []
        self.claimed, self.claims, self.took = {}, 0, 0.005
        self.early = 0

    def begin(self, agent, cycle):
        """Records and a claim, all on their way at once; (connection, what is done with "ok")."""
        requests = [self.store.request(ticket) for ticket in ["old", "cut%d" % cycle] * 2]
        self.maybe += requests
        asked = [("record.add", request, self.store.acknowledge) for request in requests]
        claim = {"ticket": ["cut%d" % cycle], "session": "s%d" % cycle}
        asked.insert(cycle % 5, ("claim.take", claim, self.hold))
        under_way = []
        for method, params, done in asked:
            conn = agent.connect()
            conn.send(rpc.request(1, method, params))
            under_way.append((conn, lambda done=done, params=params: done(params)))
        return under_way

    def hold(self, claim):
        self.claimed[claim["ticket"][0]] = claim["session"]
        self.claims += 1

    def once(self, cycle):
        self.store.make_ticket("cut%d" % cycle)
        os.sync()
        agent = Agent(self.store.top)
        self.look(agent)
        began = time.monotonic()
        under_way = self.begin(agent, cycle)
        how = WITH_LOG if cycle // 2 % 2 else WITHOUT_LOG
        if cycle % 2:
            # At any moment from the first call to a little after the last answer.
            time.sleep(random.random() * 1.2 * self.took)
            self.disk.cut(how)
        answered = 0
        for nth, (conn, done) in enumerate(under_way):
            answer = conn.receive()
            if answer and answer[2] is None:
                done()
                answered += 1
            if not cycle % 2 and nth == cycle // 2 % len(under_way):
                self.took = 0.8 * self.took + 0.2 * (time.monotonic() - began)
                self.disk.cut(how)
        self.early += answered < len(under_way)
        agent.kill()
        self.disk.off()
        self.disk.on()

    def look(self, agent):
        """What was acknowledged, in the files and in what an agent says; claims are given back."""
        conn = agent.connect()
        self.wrong += self.store.flaws(conn, self.maybe)
        held = {one["ticket"]: one["session"]
                for one in conn.ask("claim.list", limit=1000)["claims"]}
        self.wrong += ["claim lost: %s" % one for one, session in self.claimed.items()
                       if held.get(one) != session]
        for ticket, session in held.items():
            conn.ask("claim.release", ticket=[ticket], session=session)
        self.claimed = {}
        status = conn.ask("agent.status")
        self.wrong += [status[one] for one in ("registry", "store") if one in status]
        conn.close()


def cut(image, kind, cycles):
    cuts = Cuts(image, kind)
    for cycle in range(cycles):
        cuts.once(cycle)
    agent = Agent(cuts.store.top)
    cuts.look(agent)
    agent.kill()
    cuts.disk.off()
    say(cuts.wrong, "%s: the power goes out %d times, and all of %d acknowledged records and %d "
        "claims are there" % (kind, cycles, len(cuts.store.acknowledged), cuts.claims))
    print("# %d times before the last answer" % cuts.early)


if __name__ == "__main__":
    if sys.argv[1] == "kills":
        kills(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1] == "copies":
        copies(sys.argv[2])
    elif sys.argv[1] == "confirmed":
        confirmed(sys.argv[2])
    elif sys.argv[1] == "order":
        order(sys.argv[2], sys.argv[3])
    else:
        cut(sys.argv[2], sys.argv[3], int(sys.argv[4]))
