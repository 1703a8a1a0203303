#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An agent that dies, or is lied to, while it writes down who claims what.

fault_claims.py kills TOP SCALE     killed before every call: the old claims or the new, never none
fault_claims.py both TOP SCALE      accept with a claim: there is both, or neither
fault_claims.py errors TOP SCALE    every call that can fail fails once, with every error
"""
import os
import re
import subprocess
import sys

import rpc
from fault import PATIENCE_S, Agent, Trace, calls, say, ulid

CHANGES = {"openat", "write", "fsync", "renameat", "renameat2", "rename", "unlinkat", "linkat",
           "mkdirat"}
ERRORS = ["ENOSPC", "EIO", "EINTR", "EMFILE", "EROFS"]
ELSEWHERE = {"futex", "mmap", "munmap", "mprotect", "madvise", "brk", "restart_syscall"}

# How long a call that comes after the answer may let wait for it.
LATE_S = 5


def ticket(top, name):
    folder = "%s/tickets/%s" % (top, name)
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/item.md", "w", encoding="utf-8") as item:
        item.write("---\ntitle: %s\nstate: queued\n---\n" % name)
    return name


def claims(conn):
    return {one["ticket"]: (one["session"], one["token"])
            for one in conn.ask("claim.list", limit=1000)["claims"]}


def plans(conn, name):
    return conn.ask("record.query", ticket=name, kind=["accepted_plan"], status="all")["count"]


class Scene:
    """An agent, one claim that is there before, and what is asked of it then."""

    def __init__(self, top, what, agent=None):
        self.agent = agent or Agent(top)
        self.conn = self.agent.connect()
        self.name = ticket(top, "t%d" % len(os.listdir(top + "/tickets")))
        self.kept = ticket(top, "kept")
        self.conn.ask("claim.take", ticket=[self.kept], session="before")
        self.before = claims(self.conn)
        self.method, self.params, self.after = what(self)

    def ask(self):
        """Whether it was acknowledged; None if there was no answer."""
        try:
            answer = self.conn.ask(self.method, **self.params)
        except rpc.Failed as why:
            if "hung up" in str(why):
                return None
            raise
        return answer


def taking(scene):
    return "claim.take", {"ticket": [scene.name], "session": "s"}, {scene.name: "s"}


def releasing(scene):
    return ("claim.release", {"ticket": [scene.kept], "session": "before"},
            {scene.kept: None})


def accepting(scene):
    return ("ticket.accept", {"ticket": scene.name, "message": "Do it.", "id": ulid(),
                              "claim": True, "session": "s"}, {scene.name: "s"})


def points(top, what, scale):
    scene = Scene(top, what)
    tid = scene.agent.worker()
    trace = Trace(scene.agent.pid, follow=True)
    scene.ask()
    log = trace.end()
    scene.agent.kill()
    found = [(name, nth) for name, nth, line in calls(log, tid)
             if name not in ELSEWHERE and "eventfd" not in line and
             (scale == 100 or name in CHANGES)]
    return found[::3] if scale == 0 else found


def is_as(seen, before, after):
    """Whether the claims are those of before, with these holders changed."""
    wanted = {name: one[0] for name, one in before.items()}
    for name, session in after.items():
        wanted[name] = session
        if session is None:
            del wanted[name]
    return {name: one[0] for name, one in seen.items()} == wanted


def look(top, scene, answered, where):
    """A new agent: what it knows is what was before, or what was asked for."""
    agent = Agent(top)
    conn = agent.connect()
    seen, wrong = claims(conn), []
    old, new = is_as(seen, scene.before, {}), is_as(seen, scene.before, scene.after)
    if not (new if answered else old or new):
        wrong.append("%s: answered %s, and there is %s" % (where, bool(answered), seen))
    if scene.method == "ticket.accept" and new != (plans(conn, scene.name) == 1):
        wrong.append("%s: claim %s, plans %d" % (where, new, plans(conn, scene.name)))
    if "registry" in conn.ask("agent.status"):
        wrong.append("%s: %s" % (where, conn.ask("agent.status")["registry"]))
    last = max([one[1] for one in list(scene.before.values()) + list(seen.values())])
    other = ticket(top, scene.name + "x")
    token = conn.ask("claim.take", ticket=[other], session="later")["claims"][0]["token"]
    if token <= last:
        wrong.append("%s: token %d after %d" % (where, token, last))
    for name, (session, _) in claims(conn).items():
        conn.ask("claim.release", ticket=[name], session=session)
    state = conn.ask("agent.status")["state"]
    litter = [name for name in os.listdir(state) if name.startswith("sessions.json") and name != "sessions.json"]
    if litter:
        wrong.append("%s: %s left over" % (where, litter))
    agent.kill()
    return wrong


def kill_at(top, what, call, nth):
    scene = Scene(top, what)
    trace = Trace(scene.agent.worker(), "%s:signal=KILL:when=%d" % (call, nth))
    answered = scene.ask()
    where = "%s before %s %d" % (scene.method, call, nth)
    # That a claim waits for its record no more is written after the answer.
    late = scene.method == "ticket.accept"
    wrong = [where + ": answered before it was killed there"] if answered and not late else []
    if answered and not late:
        scene.agent.kill()
    try:
        scene.agent.process.wait(PATIENCE_S if not answered else LATE_S)
    except subprocess.TimeoutExpired:
        # One write for two changes came to fewer calls than when they were counted.
        if not answered:
            raise
        scene.agent.kill()
    trace.end()
    return wrong + look(top, scene, answered, where)


def kills(top, scale, whats, least):
    for what, sentence in whats:
        where = points(top, what, scale)
        wrong = [one for point in where for one in kill_at(top, what, *point)]
        if len(where) < (2 if scale == 0 else least):
            wrong.append("only %d calls" % len(where))
        scene = Scene(top, what)
        trace = Trace(scene.agent.pid, "write:signal=KILL:when=1")
        answered = scene.ask()
        if answered:
            wrong.append("answered before it was killed there")
            scene.agent.kill()
        scene.agent.process.wait()
        trace.end()
        wrong += look(top, scene, answered, "before the answer")
        say(wrong, sentence % len(where))


def fail_at(top, call, error, code):
    """The call fails once: a no that says so, everything as before, and then a yes."""
    scene = Scene(top, taking)
    trace = Trace(scene.agent.worker(), "%s:error=%s:when=1" % (call, error))
    try:
        scene.ask()
        wrong = ["%s %s: acknowledged" % (call, error)]
    except rpc.Failed as why:
        wrong = [] if str(why).startswith(code) else ["%s %s: %s" % (call, error, why)]
    trace.end()
    if claims(scene.conn) != scene.before:
        wrong.append("%s %s: %s" % (call, error, claims(scene.conn)))
    if "registry" not in scene.conn.ask("agent.status"):
        wrong.append("%s %s: status says nothing" % (call, error))
    answer = scene.ask()
    if not answer or "registry" in scene.conn.ask("agent.status"):
        wrong.append("%s %s: then %s" % (call, error, answer))
    scene.agent.kill()
    return wrong + look(top, scene, answer, "%s %s" % (call, error))


def fail_each(top, scale):
    """Each call with each error, one after the other in one agent: a true answer, then a yes."""
    wrong, seen, codes = [], [], set()
    scene = Scene(top, taking)
    trace = Trace(scene.agent.worker())
    scene.ask()
    for name, nth, line in calls(trace.end()):
        if name not in ELSEWHERE and name != "close" and "eventfd" not in line:
            seen += [(name, nth, error) for error in ERRORS]
    scene.conn.ask("claim.release", ticket=[scene.name], session="s")
    for name, nth, error in seen[::1 if scale else 7]:
        scene = Scene(top, taking, scene.agent)
        where = "%s %d %s" % (name, nth, error)
        trace = Trace(scene.agent.worker(), "%s:error=%s:when=%d" % (name, error, nth))
        try:
            scene.ask()
            code = "ok"
        except rpc.Failed as why:
            code = str(why).split(":")[0]
        trace.end()
        codes.add(code)
        now, status = claims(scene.conn), scene.conn.ask("agent.status")
        old, new = is_as(now, scene.before, {}), is_as(now, scene.before, scene.after)
        if code not in ("ok", "io", "no_space", "outcome_unknown") or \
                not (new if code == "ok" else old or (new and code == "outcome_unknown")):
            wrong.append("%s: %s, and there is %s" % (where, code, now))
        with open(status["state"] + "/sessions.json", encoding="utf-8") as file:
            written = '"%s"' % scene.name in file.read()
        if code != "outcome_unknown" and written != (code == "ok"):
            wrong.append("%s: %s, and the file says otherwise" % (where, code))
        if (code == "ok") == ("registry" in status):
            wrong.append("%s: %s, and status says %s" % (where, code, status.get("registry")))
        if not scene.ask() or "registry" in scene.conn.ask("agent.status"):
            wrong.append("%s: then refused" % where)
        scene.conn.ask("claim.release", ticket=[scene.name], session="s")
        scene.conn.close()
    wrong += [] if {"ok", "io", "no_space", "outcome_unknown"} <= codes or not scale else [codes]
    scene = Scene(top, taking, scene.agent)
    answer = scene.ask()
    scene.agent.kill()
    say(wrong + look(top, scene, answer, "at last"),
        "%d times a call of a take fails: a true answer, and then a yes" % len(seen))


def errors(top, scale):
    fail_each(top, scale)
    wrong = []
    for call, error, code in [("openat", "EACCES", "io"), ("openat", "ENOSPC", "no_space"),
                              ("write", "ENOSPC", "no_space"), ("write", "EIO", "io"),
                              ("fsync", "EIO", "io"), ("renameat", "EIO", "io"),
                              ("renameat", "ENOSPC", "no_space")]:
        wrong += fail_at(top, call, error, code)
    say(wrong, "a disk that is full or fails: a no, all as before, and a yes when it is well again")
    scene = Scene(top, taking)
    trace = Trace(scene.agent.worker(), "fsync:error=EIO:when=2")
    try:
        scene.ask()
        wrong = ["acknowledged"]
    except rpc.Failed as why:
        wrong = [] if str(why).startswith("outcome_unknown") else [str(why)]
    trace.end()
    wrong += [] if scene.ask() else ["then refused"]
    scene.agent.kill()
    say(wrong + look(top, scene, True, "folder"), "a folder that cannot be synced: it is not known")


def order(top):
    scene = Scene(top, taking)
    trace = Trace(scene.agent.pid, follow=True)
    scene.ask()
    log = trace.end().splitlines()
    scene.agent.kill()
    steps = [r" write\(.*sessions.json.tmp", r" fsync\(.*sessions.json.tmp", r" renameat2?\(",
             r" fsync\(.*ticketplan/[^/>]*>", r" write\(\d+<(socket|UNIX)"]
    at = [[i for i, line in enumerate(log) if re.search(step, line)] for step in steps]
    wrong = [step for step, found in zip(steps, at) if not found]
    if not wrong:
        wrong = [b for (a, x), (b, y) in zip(zip(steps, at), list(zip(steps, at))[1:])
                 if x[-1] > y[-1]]
    say(wrong, "bytes, sync, name, sync of the folder, answer")


def main():
    what, top = sys.argv[1], sys.argv[2]
    scale = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if what == "kills":
        order(top)
        # A release is written as a take is.
        more = [(releasing, "killed before each of %d calls of a release: the old claims or the "
                            "new")] if scale == 100 else []
        kills(top, scale, [
            (taking, "killed before each of %d calls of a take: the old claims or the new")] +
              more, 4)
    elif what == "both":
        kills(top, scale, [
            (accepting, "killed before each of %d calls of an acceptance with a claim: both or "
                        "neither")], 8)
    else:
        errors(top, scale)


main()
