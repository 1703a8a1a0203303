#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""outlive.py REPOSITORY STEPS SEED

Decide, and let git do what it does to what was decided, at random: commit, reset, clean, stash,
merge, branches, tags and worktrees that come and go, with the agent there or not.  After each
step git is asked where each decision is: in a checkout, in what a branch or tag points to, in
their history only, or nowhere.  The first is answered, the second is no loss, the third was
removed by a commit, and the last is said to be lost.
"""
import glob
import json
import os
import random
import signal
import subprocess
import sys

from fault import say

TICKETS = ("a", "b", "c")
WORKTREES_MAX = 3


class World:
    def __init__(self, top, rng):
        self.top, self.rng = top, rng
        self.made = 0
        self.decided, self.removed = [], set()
        self.trees = {}
        self.past, self.doing = [], False

    def git(self, checkout, *words):
        done = subprocess.run(("git", "-C", checkout) + words, text=True, capture_output=True, check=False)
        if self.doing:
            self.past.append("%s: git %s: status %d" % (os.path.basename(checkout), " ".join(words), done.returncode))
        return done

    def tpctl(self, checkout, *words):
        done = subprocess.run(("tpctl", "-C", checkout, "--json") + words, text=True,
                              capture_output=True, check=False)
        return json.loads(done.stdout or "{}")

    def name(self, word):
        self.made += 1
        return "%s%d" % (word, self.made)

    # -- What there is ---------------------------------------------------

    def checkouts(self):
        listed = self.git(self.top, "worktree", "list", "--porcelain").stdout.split("\n")
        return [line[9:] for line in listed if line.startswith("worktree ")]

    def refs(self, *below):
        return self.git(self.top, "for-each-ref", "--format=%(refname:short)", *below).stdout.split()

    def idle(self):
        """Branches that nobody has checked out."""
        listed = self.git(self.top, "worktree", "list", "--porcelain").stdout
        return [name for name in self.refs("refs/heads") if "branch refs/heads/%s\n" % name not in listed + "\n"]

    def files(self, checkout):
        return glob.glob(checkout + "/tickets/*/artifacts/records/*.json")

    def of_commit(self, commit):
        if commit not in self.trees:
            names = self.git(self.top, "ls-tree", "-r", "--name-only", commit, "tickets").stdout.split()
            self.trees[commit] = {os.path.basename(name)[:-5] for name in names if name.endswith(".json")}
        return self.trees[commit]

    def union(self, commits):
        return set().union(*map(self.of_commit, commits))

    def where(self):
        ways = ["--branches", "--remotes", "--tags"]
        tips = self.git(self.top, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes",
                        "refs/tags").stdout.split()
        past = self.git(self.top, "rev-list", *ways).stdout.split()
        here = {os.path.basename(file)[:-5] for checkout in self.checkouts() for file in self.files(checkout)}
        return here, self.union(tips), self.union(past)

    # -- What is done ----------------------------------------------------

    def record(self, checkout):
        answer = self.tpctl(checkout, "record", self.rng.choice(TICKETS), "waiting", "-m", self.name("wait "))
        self.decided.append(answer["record"]["id"])

    def commit(self, checkout):
        self.git(checkout, "add", "-A")
        self.git(checkout, "commit", "-qm", self.name("commit "))

    def amend(self, checkout):
        if self.has_parent(checkout):
            self.git(checkout, "commit", "-q", "--amend", "--no-edit", "-a")

    def has_parent(self, checkout):
        return self.git(checkout, "rev-parse", "-q", "--verify", "HEAD~1").returncode == 0

    def reset(self, checkout):
        if self.has_parent(checkout):
            self.git(checkout, "reset", "-q", self.rng.choice(("--hard", "--mixed", "--soft")), "HEAD~1")

    def clean(self, checkout):
        self.git(checkout, "clean", "-qfdx")

    def stash(self, checkout):
        self.git(checkout, "stash", "-qu")

    def unstash(self, checkout):
        if self.git(checkout, "stash", "pop", "-q").returncode:
            self.git(checkout, "reset", "-q", "--hard")
            self.git(checkout, "stash", "drop", "-q")

    def remove(self, checkout):
        tracked = self.git(checkout, "ls-files", "tickets/*/artifacts/records/*.json").stdout.split()
        if tracked:
            self.git(checkout, "rm", "-qf", self.rng.choice(tracked))
            self.git(checkout, "commit", "-qm", self.name("without "))

    def unlink(self, checkout):
        files = self.files(checkout)
        if files:
            os.unlink(self.rng.choice(files))

    def switch(self, checkout):
        idle = self.idle()
        if idle:
            self.git(checkout, "switch", "-q", self.rng.choice(idle))

    def branch(self, checkout):
        self.git(checkout, "branch", self.name(self.rng.choice(("b", "of/many/b"))))

    def drop_branch(self, _):
        idle = [name for name in self.idle() if name != "main"]
        if idle:
            self.git(self.top, "branch", "-qD", self.rng.choice(idle))

    def merge(self, checkout):
        if self.git(checkout, "merge", "-q", "--no-edit", self.rng.choice(self.refs("refs/heads"))).returncode:
            self.git(checkout, "merge", "--abort")

    def tag(self, checkout):
        tags = self.refs("refs/tags")
        if tags and self.rng.random() < 0.6:
            self.git(checkout, "tag", "-d", self.rng.choice(tags))
        else:
            self.git(checkout, "tag", self.name("t"))

    def pack(self, _):
        self.git(self.top, "pack-refs", "--all")

    def worktree(self, _):
        others = self.checkouts()[1:]
        if len(others) >= WORKTREES_MAX or (others and self.rng.random() < 0.5):
            self.git(self.top, "worktree", "remove", "--force", self.rng.choice(others))
        else:
            how = ["--detach"] if self.rng.random() < 0.3 else ["-b", self.name("w")]
            self.git(self.top, "worktree", "add", "-q", *how, "%s.%s" % (self.top, self.name("w")))

    def recover(self, checkout):
        self.tpctl(checkout, "recover")

    def place(self, checkout):
        self.git(checkout, "config", "ticketplan.record-to", self.rng.choice(("asking", "authority")))

    def kill(self, _):
        os.kill(self.tpctl(self.top, "status")["pid"], signal.SIGKILL)

    def alone(self, _):
        """What git does while nobody looks."""
        self.tpctl(self.top, "stop")
        for _ in range(self.rng.randrange(1, 4)):
            self.do(self.rng.choices(*zip(*GIT))[0])
        self.tpctl(self.top, "start")

    def do(self, what):
        checkout = self.rng.choice(self.checkouts())
        self.past.append("%s: %s" % (os.path.basename(checkout), what))
        self.doing = True
        getattr(self, what)(checkout)
        self.doing = False

    # -- What is said ----------------------------------------------------

    def flaws(self):
        rows = self.tpctl(self.top, "records", "--status", "all", "--limit", "1000")["records"]
        status = {row["id"]: row["status"] for row in rows if row["direction"] == "stored"}
        here, tips, past = self.where()
        self.removed |= past - tips - here
        wrong = []
        for one in self.decided:
            said = status.get(one)
            if one in here:
                fits = said not in (None, "lost")
            elif one in tips:
                fits = said is None
            else:
                fits = one in self.removed or said == "lost"
            if not fits:
                wrong.append("%s is %s, %s" % (
                    one, said or "not there", "in a checkout" if one in here else
                    "in what a branch or tag has" if one in tips else "nowhere"))
        return wrong


GIT = [("commit", 6), ("reset", 5), ("clean", 2), ("stash", 2), ("unstash", 2), ("remove", 2), ("unlink", 1),
       ("switch", 3), ("branch", 2), ("drop_branch", 3), ("merge", 2), ("tag", 3), ("pack", 1), ("amend", 1),
       ("worktree", 4)]
ALL = GIT + [("record", 12), ("recover", 2), ("place", 1), ("kill", 1), ("alone", 2)]


def main():
    top, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    world = World(top, random.Random(seed))
    wrong = []
    for _ in range(steps):
        world.do(world.rng.choices(*zip(*ALL))[0])
        wrong = world.flaws()
        if wrong:
            print("\n".join("# " + line for line in world.past[-40:]))
            break
    print("# %d decisions, seed %d (TP_SEED)" % (len(world.decided), seed))
    say(wrong, "whatever git does to a decision, it is answered, on a branch, removed by a commit, or lost")


if __name__ == "__main__":
    main()
