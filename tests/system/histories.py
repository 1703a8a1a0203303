#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that claim, renew, give back, take over and die at random, and a judge.

histories.py SOCKET COUNT SEED [TOP]    record so many histories and judge each; in every tenth the
                                        agent of TOP is killed on the way, if a TOP is given
histories.py judge                      the judge itself: what it must find wrong, and right

A history is what each client asked when, and was answered when.  It is linearizable if for each
Ticket there is an order in which every answer is right, and in which no request stands behind one
that was asked after it had been answered.
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time

import rpc
from fault import say

CLIENTS, ASKED, TICKETS = 8, 12, ["p", "q"]
FOREVER = float("inf")


class Op:
    """One request about one Ticket; `answer` is None where none came."""
    def __init__(self, what, session, life=None, token=None):
        self.what, self.session, self.life, self.token = what, session, life, token
        self.begun = time.monotonic()
        self.ended, self.answer = FOREVER, None

    def end(self, answer):
        self.ended, self.answer = time.monotonic(), answer

    def __repr__(self):
        return "%s %s %s %s -> %s [%.6f %.6f]" % (self.what, self.session, self.life, self.token,
                                                  self.answer, self.begun, self.ended)


# -- The judge -----------------------------------------------------------
#
# A Ticket's state: (holder, token, life, highest token), or (None, 0, None, highest).  A token
# that nobody was told is 0: some number above the highest.

FREE = (None, 0, None)


def given(state, op, token):
    """A new claim: the token must be higher than any before; 0 where it is not known."""
    if token and token <= state[3]:
        return []
    return [(op.session, token, op.life, max(state[3], token))]


def take(state, op):
    holder, token, life, highest = state
    answer = op.answer
    own = holder == op.session and (life == "lease" or life == op.life)
    again = own and life == op.life
    free = holder is None
    if op.what != "seize" and not free and not own:
        return [state] if answer in (None, ("claimed", holder)) else []
    if answer is None:
        return [(op.session, token if again else 0, op.life, highest)]
    if answer[0] != "ok":
        return []
    if again:
        if token and answer[1] != token:
            return []
        return [(op.session, answer[1], op.life, max(highest, answer[1]))]
    return given(state, op, answer[1])


def keep(state, op):
    """renew, release: by session."""
    mine = state[0] == op.session
    after = FREE + (state[3],) if op.what == "release" and mine else state
    if op.answer is None:
        return [after]
    if mine:
        return [after] if op.answer[0] == "ok" else []
    if op.answer == ("ok",):
        # Who gives back twice is told so twice.
        return [state] if op.what == "release" and state[0] is None else []
    return [state] if op.answer[0] in ("claimed", "stale", "not_found") else []


def die(state, op):
    """The process is gone, and what lives by it."""
    return [FREE + (state[3],)] if state[2] == op.life else [state]


def look(state, op):
    holder, token = op.answer
    if holder != state[0]:
        return []
    if holder is None or token == state[1]:
        return [state]
    return [(holder, token, state[2], max(state[3], token))] if not state[1] and \
        token > state[3] else []


RULES = {"take": take, "seize": take, "renew": keep, "release": keep, "die": die, "look": look}


def linearizable(ops):
    """Wing and Gong's search, with what has been tried remembered."""
    ops = [op for op in ops if not (op.what == "look" and op.answer is None)]
    ops.sort(key=lambda op: op.begun)
    count, tried = len(ops), set()
    needed = sum(1 << i for i, op in enumerate(ops) if op.ended < FOREVER)
    stack = [(0, FREE + (0,))]
    while stack:
        done, state = stack.pop()
        if done & needed == needed:
            return True
        if (done, state) in tried:
            continue
        tried.add((done, state))
        limit = min(op.ended for i, op in enumerate(ops) if not done >> i & 1)
        for i in range(count):
            if ops[i].begun > limit:
                break
            if not done >> i & 1:
                stack += [(done | 1 << i, after) for after in RULES[ops[i].what](state, ops[i])]
    return False


# -- Recording -----------------------------------------------------------

def process():
    """One that does nothing until it is killed."""
    return subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)


class Client(threading.Thread):
    def __init__(self, history, number):
        super().__init__()
        self.history = history
        self.random = random.Random("%s/%d" % (history.seed, number))
        self.number, self.lives = number, 0
        self.session = "s%d" % number
        self.process, self.conn, self.ops = None, None, []
        self.wrong = None

    def run(self):
        try:
            for _ in range(ASKED):
                self.step()
        except Exception as why:                # pylint: disable=broad-except
            self.wrong = "%s: %r" % (self.session, why)
        finally:
            self.die()
            if self.conn:
                self.conn.close()

    def step(self):
        ticket = self.random.choice(TICKETS)
        both = self.random.random() < 0.15
        what = self.random.choices(["take", "seize", "renew", "release", "die", "look"],
                                   [8, 1, 2, 5, 2, 3])[0]
        if what == "die":
            self.die()
        elif what == "look":
            self.look(ticket)
        else:
            self.ask(what, TICKETS if both and what == "take" else [ticket])

    def die(self):
        if not self.process:
            return
        ops = [self.begin("die", ticket, self.life()) for ticket in TICKETS]
        self.process.kill()
        self.process.wait()
        for op in ops:
            op.end(("ok",))
        self.process = None

    def life(self):
        return self.process.pid if self.process else "lease"

    def begin(self, what, ticket, life=None):
        op = Op(what, self.session, life)
        self.ops.append((ticket, op))
        return op

    def send(self, method, **params):
        """The answer; None where the agent is gone, and then this is another session."""
        try:
            self.conn = self.conn or rpc.Conn(self.history.socket)
            return self.conn.ask(method, **params)
        except (rpc.Failed, OSError) as why:
            text = str(why)
            if isinstance(why, rpc.Failed) and "hung up" not in text:
                return text
            self.conn = None
            self.lives += 1
            self.session = "s%d.%d" % (self.number, self.lives)
            self.history.again()
            return None

    def ask(self, what, tickets):
        params = {"ticket": tickets, "session": self.session}
        if what in ("take", "seize") and not self.process and self.random.random() < 0.4:
            self.process = process()
        life = self.life()
        if what in ("take", "seize") and self.process:
            params["pid"] = life
        if what == "seize":
            params["takeover"] = "chance"
        ops = [self.begin(what, ticket, life) for ticket in tickets]
        method = {"renew": "claim.renew", "release": "claim.release"}.get(what, "claim.take")
        answer = self.send(method, **params)
        if answer is None:
            return
        if isinstance(answer, str):
            self.refused(ops, tickets, answer)
            return
        if what == "release":
            for op in ops:
                op.end(("ok",))
            return
        for ticket, op in zip(tickets, ops):
            claim = [one for one in answer["claims"] if one["ticket"] == ticket][0]
            op.end(("ok", claim["token"]))

    def refused(self, ops, tickets, text):
        """Of several, those that are named; the others were not taken for their sake."""
        code = text.split(":")[0]
        if code not in ("claimed", "stale", "not_found"):
            raise ValueError(text)
        for ticket, op in zip(tickets, ops):
            told = (" " + text).split(" %s is claimed by " % ticket)
            told = told if len(told) > 1 else text.split("; %s by " % ticket)
            if code != "claimed":
                op.end((code,))
            elif len(told) > 1:
                op.end(("claimed", told[1].split(" ")[0]))
            else:
                self.ops = [(one, other) for one, other in self.ops if other is not op]

    def look(self, ticket):
        op = self.begin("look", ticket)
        answer = self.send("claim.list", ticket=ticket)
        if isinstance(answer, dict):
            one = answer["claims"]
            op.end((one[0]["session"], one[0]["token"]) if one else (None, 0))


class History:
    def __init__(self, socket, seed, top):
        self.socket, self.seed, self.top = socket, seed, top
        self.lock = threading.Lock()

    def again(self):
        """Some agent runs, and answers."""
        with self.lock:
            subprocess.run(["tpctl", "-C", self.top, "--timeout", "20s", "claims"], check=True,
                           capture_output=True)

    def kill(self):
        conn = rpc.Conn(self.socket)
        pid = conn.ask("agent.status")["pid"]
        os.kill(pid, signal.SIGKILL)
        conn.close()

    def record(self, deadly):
        clients = [Client(self, number) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        if deadly:
            self.kill()
        for client in clients:
            client.join()
        wrong = [client.wrong for client in clients if client.wrong]
        return {ticket: [op for client in clients for name, op in client.ops if name == ticket]
                for ticket in TICKETS}, wrong


def clear(socket):
    """Nobody holds anything any more."""
    conn = rpc.Conn(socket)
    for claim in conn.ask("claim.list")["claims"]:
        try:
            conn.ask("claim.release", ticket=[claim["ticket"]], session=claim["session"])
        except rpc.Failed:
            pass
    left = conn.ask("claim.list")["claims"]
    conn.close()
    return left


def tell(number, ticket, ops):
    """In a file, for who wants to understand it."""
    with open("%s/history.%d.%s" % (os.environ["HOME"], number, ticket), "w",
              encoding="utf-8") as file:
        first = min(op.begun for op in ops)
        for op in sorted(ops, key=lambda op: op.begun):
            file.write("%9.3f %9.3f  %-8s %-8s %-6s %s\n" % (
                (op.begun - first) * 1000, (op.ended - first) * 1000, op.what, op.session, op.life,
                op.answer))
    print("# %s" % file.name)


def histories(socket, count, seed, top):
    wrong, asked, killed = [], 0, 0
    for number in range(count):
        deadly = top is not None and number % 10 == 9
        history = History(socket, "%s/%d" % (seed, number), top)
        found, failed = history.record(deadly)
        killed += deadly
        wrong += failed
        for ticket, ops in found.items():
            asked += len(ops)
            if not linearizable(ops):
                tell(number, ticket, ops)
                wrong.append("history %d, %s" % (number, ticket))
        left = clear(socket)
        if left:
            wrong.append("history %d leaves %s" % (number, left))
        if len(wrong) > 20:
            break
    say(wrong, "%d histories of %d clients, %d requests, %d killed agents: each has an order "
        "in which every answer is right" % (count, CLIENTS, asked, killed))


# -- The judge judged ----------------------------------------------------

def made(*rows):
    """Rows: begun, ended, what, session, life, answer."""
    ops = []
    for begun, ended, what, session, life, answer in rows:
        op = Op(what, session, life)
        op.begun, op.ended, op.answer = begun, ended, answer
        ops.append(op)
    return ops


def judge():
    right = [
        made((0, 1, "take", "a", "lease", ("ok", 5)), (2, 3, "take", "b", "lease", ("claimed", "a"))),
        made((0, 9, "take", "a", "lease", ("claimed", "b")), (1, 2, "take", "b", "lease", ("ok", 5))),
        made((0, 1, "take", "a", 7, ("ok", 5)), (2, 3, "die", "a", 7, ("ok",)),
             (4, 5, "take", "b", "lease", ("ok", 6))),
        made((0, FOREVER, "take", "a", "lease", None), (2, 3, "take", "b", "lease", ("claimed", "a"))),
        made((0, FOREVER, "take", "a", "lease", None), (2, 3, "take", "b", "lease", ("ok", 5))),
        made((0, 1, "take", "a", "lease", ("ok", 5)), (2, 3, "take", "a", 7, ("ok", 6)),
             (4, 5, "seize", "b", "lease", ("ok", 7)), (6, 7, "renew", "a", "lease", ("stale",)),
             (8, 9, "look", "c", None, ("b", 7))),
    ]
    bad = [
        made((0, 1, "take", "a", "lease", ("ok", 5)), (2, 3, "take", "b", "lease", ("ok", 6))),
        made((0, 5, "take", "a", "lease", ("ok", 5)), (1, 6, "take", "b", "lease", ("ok", 6))),
        made((0, 1, "take", "a", "lease", ("claimed", "b")), (2, 3, "take", "b", "lease", ("ok", 5))),
        made((0, 1, "take", "a", "lease", ("ok", 5)), (2, 3, "release", "a", None, ("ok",)),
             (4, 5, "take", "b", "lease", ("ok", 5))),
        made((0, 1, "take", "a", 7, ("ok", 5)), (2, 3, "die", "a", 7, ("ok",)),
             (4, 5, "look", "b", None, ("a", 5))),
        made((0, 1, "take", "a", "lease", ("ok", 5)), (2, 3, "look", "b", None, (None, 0))),
        made((0, 1, "take", "a", 7, ("ok", 5)), (2, 3, "take", "a", 8, ("ok", 6))),
        made((0, 1, "seize", "a", "lease", ("ok", 5)), (2, 3, "renew", "b", "lease", ("ok", 5))),
    ]
    say([ops for ops in right if not linearizable(ops)], "the judge lets pass what is right")
    say([ops for ops in bad if linearizable(ops)], "and finds what is wrong")


def main():
    if sys.argv[1] == "judge":
        judge()
        return
    histories(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)


main()
