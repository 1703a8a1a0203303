#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that write without pause, and one that reads, while the agent is killed at random
moments.

load.py FOLDER CLIENTS ROUNDS KILLS     so many kills a round, each round in a new repository
"""
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import rpc
from fault import Agent, Store, say, socket_of

TICKETS = ["t%d" % i for i in range(4)]
CUT_OFF = ("no_agent", "busy", "outcome_unknown")


class Round:
    def __init__(self, top):
        self.store = Store(top)
        self.tried, self.wrong = [], []
        self.enough = False
        self.alive = threading.Event()
        subprocess.check_call(["git", "init", "--quiet", "--template=", top])
        for name in TICKETS + ["other"]:
            self.store.make_ticket(name)
        self.socket = socket_of(top)


class Client(threading.Thread):
    """Asks again with the same id until it was answered; now and then gives up."""

    def __init__(self, round_):
        super().__init__(daemon=True)
        self.round = round_
        self.conn = None

    def run(self):
        while not self.round.enough:
            request = self.round.store.request(random.choice(TICKETS))
            self.round.tried.append(request)
            patience = random.choice([0] + [1 << 30] * 9)
            while patience >= 0 and not self.once(request):
                patience -= 1
                self.round.alive.wait()
        if self.conn:
            self.conn.close()

    def once(self, request):
        try:
            self.conn = self.conn or rpc.Conn(self.round.socket, 60)
            self.ask(request)
            return True
        except OSError:
            pass
        except rpc.Failed as failed:
            if "hung up" not in str(failed):
                self.round.wrong.append(failed)
        self.conn = None
        return False

    def ask(self, request):
        answer = self.conn.ask("record.add", **request)
        if answer["record"]["id"] != request["id"] or not answer["stored"]:
            self.round.wrong.append(answer)
        self.round.store.acknowledge(request)


class Command(Client):
    """The same through tpctl."""

    def once(self, request):
        done = subprocess.run(
            ["tpctl", "-C", self.round.store.top, "--json", "--no-start", "record",
             request["ticket"], "related", "other", "-m", request["message"], "--id",
             request["id"]], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            self.round.store.acknowledge(request)
        elif json.loads(done.stdout)["error"]["code"] not in CUT_OFF:
            self.round.wrong.append(done.stdout)
        return done.returncode == 0


class Reader(Client):
    """Asks all the time how many records there are: never fewer than were acknowledged before."""

    def run(self):
        while not self.round.enough:
            if not self.once(None):
                self.round.alive.wait()
            time.sleep(0.001)

    def ask(self, request):
        known = len(self.round.store.acknowledged)
        count = self.conn.ask("record.query", status="all", limit=1)["count"]
        if count < known:
            self.round.wrong.append("%d records, of %d acknowledged" % (count, known))


def daemon(round_):
    """Start an agent as users do; a handle of its process."""
    subprocess.check_call(["tpctl", "-C", round_.store.top, "start"], stdout=subprocess.DEVNULL)
    conn = rpc.Conn(round_.socket)
    who = conn.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    conn.close()
    return os.pidfd_open(struct.unpack("3i", who)[0])


def let_write(round_, clients):
    """Until some records more are there, or a moment later."""
    wanted = len(round_.store.acknowledged) + random.randrange(2 * clients)
    end = time.monotonic() + 1
    while len(round_.store.acknowledged) < wanted and time.monotonic() < end:
        time.sleep(random.random() * 0.002)
    time.sleep(random.random() * 0.004)


def kill_some(round_, clients, kills):
    for nth in range(kills):
        agent = None if nth % 8 == 7 else Agent(round_.store.top)
        handle = os.pidfd_open(agent.pid) if agent else daemon(round_)
        round_.alive.set()
        let_write(round_, clients)
        round_.alive.clear()
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])
        os.close(handle)
        if agent:
            agent.process.wait()
    agent = Agent(round_.store.top)
    round_.alive.set()
    return agent


def one_round(top, clients, kills):
    round_ = Round(top)
    threads = [(Client if i else Command)(round_) for i in range(clients)] + [Reader(round_)]
    for thread in threads:
        thread.start()
    agent = kill_some(round_, clients, kills)
    round_.enough = True
    for thread in threads:
        thread.join()
    conn = agent.connect()
    wrong = round_.wrong + round_.store.flaws(conn, round_.tried)
    listed = round_.store.listed(conn)
    agent.stop()
    again = Agent(top)
    if round_.store.listed(again.connect()) != listed:
        wrong.append("another agent that reads the files answers otherwise")
    again.kill()
    return wrong, len(round_.store.acknowledged)


def main():
    folder, clients, rounds, kills = sys.argv[1], *map(int, sys.argv[2:])
    wrong, count = [], 0
    for nth in range(rounds):
        found = one_round("%s/%d.%d" % (folder, clients, nth), clients, kills)
        wrong, count = wrong + found[0], count + found[1]
    say(wrong, "%d clients, %d kills: each acknowledged record is there, once and whole" %
        (clients, rounds * kills))
    print("# %d records" % count)
    say([] if count > rounds * kills else [count], "and they got on with it")


if __name__ == "__main__":
    main()
