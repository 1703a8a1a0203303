#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An agent whose system calls fail, one after the other, once and from then on.

fault_error.py TOP SCALE LOTS      LOTS is an agent that writes no more than two records together
"""
import json
import os
import re
import subprocess
import sys

from fault import Agent, Store, Trace, calls, say

ERRORS = ["ENOSPC", "EIO", "EINTR", "EMFILE", "EROFS", "EDQUOT", "EACCES"]
CALLS = {"openat", "openat2", "mkdirat", "newfstatat", "write", "sync_file_range", "fsync",
         "linkat", "unlinkat", "getdents64", "statx", "fcntl", "pwrite64", "ftruncate", "mkdir",
         "rename"}
SPACE = {"ENOSPC", "EDQUOT"}
NOT_TRIED = ["ENOSYS", "EOPNOTSUPP", "EINVAL", "EPERM", "EACCES"]


class Run:
    def __init__(self, store, unnamed, program="tpd"):
        self.store = store
        self.unnamed = unnamed
        self.agent = Agent(store.top, unnamed, program)
        self.wrong = []
        self.codes = set()

    def request(self, shape):
        return self.store.request(self.store.fresh(shape))

    def ask(self, request, exit_=8):
        """Through tpctl: "ok" or the error's code; its exit status must be the code's."""
        command = ["tpctl", "-C", self.store.top, "--json", "--no-start", "record",
                   request["ticket"], request["kind"], request["other"], "-m", request["message"],
                   "--id", request["id"]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        answer = json.loads(done.stdout)
        if answer["kind"] == "error":
            if done.returncode != exit_:
                self.wrong.append("exit %d with %s" % (done.returncode, done.stdout))
            return answer["error"]["code"]
        self.wrong += ["exit %d with a record" % done.returncode] * (done.returncode != 0)
        self.store.acknowledge(request)
        return "ok"

    def status(self):
        conn = self.agent.connect()
        answer = conn.ask("agent.status")
        conn.close()
        return answer.get("store")

    def resync(self):
        conn = self.agent.connect()
        conn.ask("agent.resync")
        conn.close()

    def knows(self, request):
        conn = self.agent.connect()
        rows = conn.ask("record.query", ticket=request["ticket"], status="all", limit=1000)
        conn.close()
        return request["id"] in [row["id"] for row in rows["records"]]

    def end(self, litter):
        """All that is not as it must be; another agent answers as this one does."""
        conn = self.agent.connect()
        wrong = self.wrong + self.store.flaws(conn, litter=litter)
        rows = self.store.listed(conn)
        conn.close()
        wrong += [] if self.agent.stop() == 0 else ["the agent ended badly"]
        fresh = Agent(self.store.top)
        wrong += ["a fresh agent answers otherwise"] * (self.store.listed(fresh.connect()) != rows)
        fresh.kill()
        return wrong

    def ask_with(self, request, *injections, exit_=8):
        trace = Trace(self.agent.worker(), *injections)
        code = self.ask(request, exit_)
        trace.end()
        return code


def allowed(name, line, error):
    """How a write may end in which that call failed so."""
    # The record is safe by then; the copy that is kept until a commit has it is an extra.
    if "/state/ticketplan/" in line:
        return {"ok"}
    if name == "fsync":
        return {"outcome_unknown"}
    if error == "EINTR" and name in ("write", "openat2"):
        return {"ok"}
    # Looking around and sweeping: most of it the write can do without.
    if name in ("getdents64", "unlinkat", "fcntl") or (name == "openat" and '".", O_RDONLY' in line):
        return {"ok"}
    # The short way to a folder that is known; there is a longer one.
    if name == "openat2" and '/artifacts/records"' in line:
        return {"ok"}
    if name in ("newfstatat", "statx"):
        return {"ok", "no_space" if error in SPACE else "io"}
    if name == "linkat" and error in ("EIO", "EINTR"):
        return {"outcome_unknown"}
    return {"no_space"} if error in SPACE else {"io"}


def fail_once(run, shape, name, nth, line, error, last=""):
    request = run.request(shape)
    injection = "%s:error=%s:when=%d%s" % (name, error, nth, last)
    code = run.ask_with(request, injection)
    where = "%s %s" % (shape, injection)
    run.codes.add(code)
    may_be = allowed(name, line, error)
    if last:
        # The same call fails again where the write cannot do without it.
        may_be |= {"no_space" if error in SPACE else "io", "store_read_only"}
    if code not in may_be:
        run.wrong.append("%s: %s" % (where, code))
    if code in ("io", "no_space", "store_read_only") and run.store.is_there(request):
        run.wrong.append("%s: said %s and is there" % (where, code))
    if run.store.is_there(request) != run.knows(request):
        run.wrong.append("%s: it is there or not, and the index says otherwise" % where)
    if (run.status() is not None) != (code == "outcome_unknown"):
        run.wrong.append("%s: %s, and the status says %s" % (where, code, run.status()))
    code = run.ask(request)
    if code != "ok" or not run.store.is_there(request) or run.status():
        run.wrong.append("%s: after that: %s" % (where, code))


def loop(run, shape, scale):
    run.ask(run.request("old"))
    request = run.request(shape)
    trace = Trace(run.agent.worker())
    run.ask(request)
    seen = [(name, nth, line) for name, nth, line in calls(trace.end())
            if name in CALLS and "eventfd" not in line]
    errors = ERRORS if scale else ERRORS[:2]
    for at, (name, nth, line) in enumerate(seen):
        for i, error in enumerate(errors):
            # All of them with each call, but in the short form one of two.
            if not scale and (i + at) % 2:
                continue
            fail_once(run, shape, name, nth, line, error)
            # A worker that can write nothing any more cannot say that it has ended.
            if scale == 100 and error != "EINTR" and name != "write":
                fail_once(run, shape, name, nth, line, error, "+")
    return len(seen)


# -- Several at once -----------------------------------------------------

def together(run, thread=None, injection=None, path=None):
    """The log of all threads, or with an injection into one thread, of that; and the answers.
    With a path the injection is for calls on that, in whatever thread."""
    requests = [run.request(shape) for shape in ("old", "new", "old", "found", "old")]
    tid = run.agent.threads()[thread] if thread else run.agent.pid
    trace = Trace(tid, *[injection] if injection else [], follow=not thread, path=path)
    answers = run.agent.ask_together(requests)
    log = trace.end()
    conn = run.agent.connect()
    for answer, request in zip(answers, requests):
        run.codes.add(answer)
        if answer != "outcome_unknown" and run.store.is_there(request) != (answer == "ok"):
            run.wrong.append("%s: said %s, which is not so" % (injection, answer))
    known = {row["id"] for row in conn.ask("record.query", status="all", limit=10)["records"]}
    run.wrong += ["%s: the index says otherwise of %s" % (injection, request["id"])
                  for request in requests
                  if (request["id"] in known) != run.store.is_there(request)]
    for request in requests:
        run.store.add(conn, request)
    conn.close()
    return log, answers


def steps(run, lot):
    """(thread, call, how many of it) of five at once, where threads are there already."""
    together(run)
    threads = run.agent.threads()
    log = together(run)[0]
    return [(thread, name, nth) for thread, tid in threads.items() if thread != "main"
            for name, nth, line in calls(log, tid)
            # Behind a lot there may be a write that wakes main, where main sleeps.
            if name in CALLS and "eventfd" not in line and not (name == "write" and nth > lot)]


def files(log, call):
    """Of records, in the order in which the call begins with them."""
    return re.findall(r"%s\(\d+<([^>]*/records/[^>]*)" % call, log)


def begun(run, errors):
    """Five files that the disk is asked to begin with before they are synced."""
    for error in NOT_TRIED:
        log, answers = together(run, None, "sync_file_range:error=" + error)
        asked, synced = files(log, "sync_file_range"), files(log, "fsync")
        if set(answers) != {"ok"} or len(asked) != 5 or set(asked) != set(synced):
            run.wrong.append("begun, %s: %s %s %s" % (error, answers, asked, synced))
    for error in [error for error in errors if error not in NOT_TRIED]:
        log, answers = together(run, None, "sync_file_range:error=%s:when=2" % error)
        asked, synced = files(log, "sync_file_range"), files(log, "fsync")
        if (sorted(answers) != ["ok"] * 4 + ["outcome_unknown"] or len(asked) != 5 or
                set(synced) != set(asked) - {asked[1]}):
            run.wrong.append("begun, %s: %s %s %s" % (error, answers, asked, synced))


def batches(store, scale, lots):
    for unnamed, program, what in [(True, "tpd", "five at once"),
                                   (False, "tpd", "five at once without unnamed files"),
                                   (True, lots, "in lots of two"),
                                   (False, lots, "in such lots without unnamed files")]:
        run = Run(store, unnamed, program)
        run.ask(run.request("old"))
        seen = [step for step in steps(run, 2 if program == lots else 5)
                if step[1] not in {"newfstatat", "getdents64"}]
        for i, (thread, name, nth) in enumerate(seen[::1 if scale else 9]):
            # Each with one of them in turn, but in the long form all.
            for error in ERRORS[:5] if scale == 100 else [ERRORS[i % 5]]:
                log, answers = together(run, thread, "%s:error=%s:when=%d" % (name, error, nth))
                if (name == "sync_file_range" and "INJECTED" in log and
                        "outcome_unknown" not in answers):
                    run.wrong.append("%s %d: %s: %s" % (name, nth, error, answers))
        if program == "tpd":
            begun(run, ERRORS if scale else ERRORS[:2])
        # The sync of the folder that three of them share, or some that are in one lot.
        log, answers = together(run, None, "fsync:error=EIO:when=1",
                                store.top + "/tickets/old/artifacts/records")
        shared = {answers[0], answers[2], answers[4]}
        told = answers[1] == answers[3] == "ok" and (
            shared == {"outcome_unknown"} or
            (program == lots and shared == {"outcome_unknown", "ok"}))
        run.wrong += [] if told else [answers]
        syncs = [thread for thread, tid in run.agent.threads().items()
                 if re.search("^%d +fsync.*INJECTED" % tid, log, re.M)]
        run.wrong += ([] if any(one.startswith("sync") for one in syncs) else
                      ["by whom: %s" % syncs])
        wrong = run.end(True)
        wrong += [] if len(run.codes) > 2 else [run.codes]
        say(wrong, "%s: each of %d calls fails, and each answer is true" % (what, len(seen)))


# -- One by one ----------------------------------------------------------

def all_errors(store, scale, lots):
    for shape, unnamed, what in [("new", True, "in folders to be made"),
                                 ("found", True, "in folders that were found"),
                                 ("old", True, "in a folder with records"),
                                 ("new", False, "without unnamed files")]:
        run = Run(store, unnamed)
        count = loop(run, shape, scale)
        wrong = run.end(not unnamed)
        # Which of the two a call got that cannot be done without is chance.
        no = {"io", "no_space"} & run.codes
        some = {"ok", "outcome_unknown"} <= run.codes and len(no) >= (2 if scale else 1)
        wrong += [] if some else [run.codes]
        say(wrong, "%s: each of %d calls fails; a clear answer, and the next write works" %
            (what, count))
    batches(store, scale, lots)
    agent = Agent(store.top)
    conn = agent.connect()
    say(store.flaws(conn, litter=True),
        "another agent finds each acknowledged record, once and whole")
    for ticket in {ticket for ticket, name, _ in store.files() if name.startswith(".")}:
        store.add(conn, store.request(ticket))
    say(store.flaws(conn), "and sweeps what could not be unlinked where it writes")
    agent.stop()


# -- A disk that fails ---------------------------------------------------

def failing_disk(store, unnamed, what):
    run = Run(store, unnamed)
    run.ask(run.request("old"))
    trace = Trace(run.agent.worker(), "fsync:error=EIO:when=1+")
    first, second = run.request("old"), run.request("old")
    got = [run.ask(first), run.status(), run.ask(second), run.status(), run.ask(first)]
    trace.end()
    wrong = [] if got[0] == "outcome_unknown" else ["the first: %s" % got[0]]
    wrong += [] if got[1] and "nput/output" in got[1] else ["status says %s" % got[1]]
    wrong += [] if got[2] == got[4] == "store_read_only" and got[3] else ["then: %s" % got]
    wrong += ["refused and there"] * store.is_there(second)
    say(wrong, what + ": outcome_unknown, then refused, and the status says why")
    got = [run.ask(second), run.status(), run.ask(first)]
    say([] if got == ["ok", None, "ok"] else [got],
        "once it works again so do writes, by themselves")
    run.ask_with(run.request("old"), "fsync:error=EIO:when=1")
    before = run.status()
    run.resync()
    say([] if before and not run.status() else [before, run.status()], "resync trusts it again")
    say(run.wrong + store.flaws(run.agent.connect()), "and nothing is lost or twice")
    run.agent.stop()


def taken_meanwhile(store):
    """A file of the record's name that came after it was looked for."""
    run = Run(store, True)
    run.ask(run.request("old"))
    trace = Trace(run.agent.worker())
    run.ask(run.request("old"))
    looks = [nth for name, nth, line in calls(trace.end())
             if name == "newfstatat" and "AT_SYMLINK_NOFOLLOW" in line]
    request = run.request("old")
    path = "%s/tickets/old/artifacts/records/%s.json" % (store.top, request["id"])
    with open(path, "w", encoding="utf-8") as file:
        file.write("{}\n")
    code = run.ask_with(request, "newfstatat:error=EIO:when=%d" % looks[0], exit_=5)
    say([] if code == "invalid" else [code], "a name that is taken meanwhile is not taken for ours")
    os.unlink(path)
    run.ask(request)
    say(run.wrong + store.flaws(run.agent.connect()), "until it is free")
    run.agent.stop()


def main():
    store, scale = Store(sys.argv[1]), int(sys.argv[2])
    store.make_ticket("old")
    all_errors(store, scale, sys.argv[3])
    taken_meanwhile(store)
    failing_disk(store, True, "a disk that fails")
    failing_disk(store, False, "the same without unnamed files")


if __name__ == "__main__":
    main()
