#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""orchestrator.py: live through a queue with nothing but `tpctl mcp`.

In the working directory is a tree of which some Tickets are queued.  One orchestrator takes
them as they come, decides what goes together and what does not, is compacted, and goes on by
the brief alone; another one, of the older protocol, races it; a companion looks on.
"""
import json
import re
import subprocess

import mcp
from mcp import Mcp, Refused, say

# A conflict, an order and a wait are decided among the first of the queue.
CROWD = 2


def set_state(path, state):
    """What the project does when work begins or ends; no tool does it."""
    with open(path + "/item.md", encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"(?m)^(state|workflow_state): .*$", r"\1: '%s'" % state, text, count=1)
    with open(path + "/item.md", "w", encoding="utf-8") as file:
        file.write(text)


def queue_up():
    """Everything that is thought through or not yet waits in the queue from now on."""
    rows = []
    for state in ("planning", "ready"):
        rows += json.loads(subprocess.check_output(["tpctl", "--json", "tickets", "--state", state]))["tickets"]
    for row in rows[:10]:
        ticket = json.loads(subprocess.check_output(["tpctl", "--json", "show", row["id"]]))["ticket"]
        set_state(ticket["sources"][0]["path"], "queued")


class Orchestrator:
    """What it knows beside the server is lost when it is compacted."""

    def __init__(self, name, modern=True):
        self.name, self.modern = name, modern
        self.compact()

    def compact(self):
        self.server = Mcp(modern=self.modern)
        self.mine = []

    def queue(self, **what):
        rows, cursor = [], {}
        while True:
            page = self.server.call("queue", limit=3, **what, **cursor)
            rows += page["queue"]
            if "next" not in page:
                return rows
            cursor = {"cursor": page["next"]}

    def path(self, ticket):
        return self.server.call("show", ticket=ticket)["ticket"]["sources"][0]["path"]

    def begin(self, ticket):
        self.server.call("accept", ticket=ticket, message="%s does it." % self.name,
                         branch="work-" + ticket.lower(), role_plan="one coder")
        set_state(self.path(ticket), "inprogress")
        self.mine.append(ticket)


def decide(first):
    """Three decisions about the head of the queue, each with its reason."""
    rows = [row["id"] for row in first.queue(clear=True)]
    if len(rows) < 5:
        say(False, "the queue is long enough to decide something", rows)
        return None
    one, two, three, four = rows[:4]
    record = first.server.call
    record("record", ticket=two, kind="conflicts_with", other=one, message="Both change the same file.")
    record("record", ticket=three, kind="after", other=one, message="It builds on that.")
    record("record", ticket=four, kind="waiting_capacity_note", message="No more than %d at once." % CROWD,
           until="free:%d" % CROWD)
    wrong = record("record", ticket=four, kind="blocked_by", other=one, message="A slip.")["record"]["id"]
    record("retract", ticket=four, record=wrong, message="It is not.")
    held = {ticket: record("check", ticket=ticket)["gate"] for ticket in rows[:4]}
    say([held[ticket]["verdict"] for ticket in rows[:4]] == ["clear", "clear", "held", "clear"],
        "an order holds at once, a conflict when the other begins, a wait when there is a crowd", held)
    return rows


def race(first, second, ticket):
    """Both ask for the same Ticket before either is answered."""
    for who in (first, second):
        who.server.start("tools/call", name="accept", arguments={"ticket": ticket, "message": who.name + " does it."})
    results = [json.loads(who.server.receive())["result"] for who in (first, second)]
    lost = [result for result in results if result.get("isError")]
    say(len(lost) == 1, "of two that accept a Ticket at once exactly one wins", results)
    error = json.loads(lost[0]["content"][0]["text"])["error"]
    say(error["code"] == "held" and "accepted" in error["message"] and error["hint"],
        "and the other is told by whom it was accepted", error)
    winner = second if results[0].get("isError") else first
    set_state(winner.path(ticket), "inprogress")
    winner.mine.append(ticket)


def claims(first, second, ticket):
    """Who claims a Ticket has it for himself, by a lease; the other is told who it is."""
    claim = first.server.call("claim", ticket=[ticket], role="coder")["claims"][0]
    say(claim["lives"] == "lease" and claim["session"].startswith("mcp:"), "a claim by a tool is a lease", claim)
    again = first.server.call("claim", ticket=[ticket], role="coder")["claims"][0]
    say(again["session"] == claim["session"], "which is renewed by claiming again", again)
    refused(lambda: second.server.call("claim", ticket=[ticket]), "claimed", "nobody else can claim it")
    refused(lambda: second.begin(ticket), "held", "or accept it")
    say(first.server.call("check", ticket=ticket)["gate"]["verdict"] == "clear", "the holder can")
    first.server.call("release", ticket=[ticket])
    say(second.server.call("check", ticket=ticket)["gate"]["verdict"] == "clear", "and everybody, once it is given back")


def refused(what, code, sentence):
    try:
        say(False, sentence, what())
    except Refused as why:
        say(why.code == code, sentence, why)


def go_on(who, begun, done):
    """Take what is clear until nothing is; then finish the oldest, and go on."""
    for _ in range(100):
        clear = [row["id"] for row in who.queue(clear=True) if row["id"] not in begun]
        if clear:
            who.begin(clear[0])
            begun.append(clear[0])
            continue
        working = [ticket for ticket in begun if ticket not in done]
        if not working:
            return
        set_state(who.path(working[0]), "done")
        done.append(working[0])


def companion(ticket):
    before = subprocess.check_output(["git", "status", "--porcelain", "--untracked-files=all"])
    looks = Mcp("--read-only")
    say(looks.call("check", ticket=ticket)["gate"]["ticket"] == ticket, "a companion may ask")
    say("# Tickets" in looks.call("brief")["text"], "and be told what there is")
    refused(lambda: looks.call("record", ticket=ticket, kind="related", other=ticket, message="x"),
            "read_only", "but not record")
    refused(lambda: looks.call("accept", ticket=ticket, message="x"), "read_only", "and not accept")
    refused(lambda: looks.call("claim", ticket=[ticket]), "read_only", "nor claim")
    after = subprocess.check_output(["git", "status", "--porcelain", "--untracked-files=all"])
    say(before == after and looks.end() == 0, "and leaves no trace")


def plans(who):
    """Live plans, and all that were ever accepted, of every Ticket."""
    rows, cursor = [], {}
    while True:
        page = who.server.call("records", kind=["accepted_plan"], status="all", limit=20, **cursor)
        rows += page["records"]
        if "next" not in page:
            return rows
        cursor = {"cursor": page["next"]}


def main():
    queue_up()
    first, second = Orchestrator("first"), Orchestrator("second", modern=False)
    before = {row["id"] for row in plans(first)}
    count = len(first.queue())
    rows = decide(first)
    if not rows:
        return
    race(first, second, rows[0])
    refused(lambda: first.begin(rows[1]), "held", "what conflicts with it is refused")
    refused(lambda: first.begin(rows[2]), "held", "and what comes after it")
    say(any(node.get("ticket") == rows[0] for node in first.server.call("why", ticket=rows[2])["nodes"]),
        "why leads to what has to happen first")
    claims(first, second, rows[4])
    first.begin(rows[4])
    companion(rows[2])

    # Nothing is left but what was written down.
    first.server.end()
    first.compact()
    brief = first.server.call("brief", max_bytes=4000)["text"]
    say(len(brief) <= 4000 and rows[0] in brief and rows[4] in brief, "the brief knows what was begun", brief)
    begun = [rows[0], rows[4]]
    refused(lambda: first.begin(rows[4]), "held", "what was begun before is not begun again")
    gate = first.server.call("check", ticket=rows[3])["gate"]
    say(gate["verdict"] == "held" and gate["reasons"][0]["code"] == "waiting", "two are worked on: that one waits", gate)
    done = []
    go_on(first, begun, done)

    every = [row for row in plans(first) if row["id"] not in before]
    tickets = [row["ticket_id"] for row in every]
    say(len(tickets) == len(set(tickets)) and set(tickets) == set(begun) and len(begun) >= 4,
        "each Ticket was accepted once, %d of %d in all" % (len(begun), count), tickets)
    at = {row["ticket_id"]: row["at"] for row in every}
    say(at[rows[0]] < at[rows[1]] and at[rows[0]] < at[rows[2]], "and in an order that contradicts no decision", at)
    left = first.queue()
    say(all(row["gate"]["verdict"] == "held" for row in left if row["id"] not in begun), "what is left is held", left)
    first.server.end()
    second.server.end()


if __name__ == "__main__":
    main()
