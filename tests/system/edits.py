#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""edits.py SOCKET BOX COUNT EVERY

Edit the Ticket tree of the working directory at random, COUNT times; ask after each edit, and
compare the answer with the files; after each EVERY-th with all that an agent says that was
started afterwards and knows nothing but the files.
"""
import json
import os
import random
import shutil
import subprocess
import sys

from rpc import Conn

STATES = ["planning", "ready", "queued", "inprogress", "done", "closed"]
KINDS = ["after", "before", "blocked_by", "blocks", "conflicts_with", "depends_on", "related"]
ROOT = "tickets"


def tickets():
    return [name for name in os.listdir(ROOT) if os.path.exists(f"{ROOT}/{name}/item.md")]


def write(path, text, how):
    if how == "over":
        with open(path + ".tmp", "w") as to:
            to.write(text)
        os.rename(path + ".tmp", path)
        return
    with open(path, "a" if how == "append" else "w") as to:
        to.write(text)


class Editor:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.n = 0

    def some(self):
        return self.r.choice(tickets() or ["t1"])

    def fresh(self):
        self.n += 1
        return f"n{self.n}"

    def item(self, name):
        os.makedirs(f"{ROOT}/{name}", exist_ok=True)
        text = f"---\ntitle: {name} {self.n}\nstate: {self.r.choice(STATES)}\n---\n"
        write(f"{ROOT}/{name}/item.md", text, self.r.choice(["write", "over"]))

    def change(self):
        self.item(self.some())

    def create(self):
        self.item(self.fresh())

    def remove(self):
        if len(tickets()) > 3:
            shutil.rmtree(f"{ROOT}/{self.some()}")

    def rename(self):
        os.rename(f"{ROOT}/{self.some()}", f"{ROOT}/{self.fresh()}")

    def swap(self):
        one, other = self.some(), self.some()
        if one != other:
            os.rename(f"{ROOT}/{one}", "aside")
            os.rename(f"{ROOT}/{other}", f"{ROOT}/{one}")
            os.rename("aside", f"{ROOT}/{other}")

    def entry(self, name):
        self.n += 1
        return {"id": f"r{self.n}", "ticket_id": name, "kind": self.r.choice(KINDS),
                "related_ticket": self.some(), "note": "x", "author": "random",
                "at": "2026-01-01T00:00:%02dZ" % self.r.randrange(60)}

    def line(self):
        name = self.some()
        os.makedirs(f"{ROOT}/{name}/artifacts", exist_ok=True)
        text = json.dumps(self.entry(name)) + self.r.choice(["\n", "\n", "\n", ""])
        write(f"{ROOT}/{name}/artifacts/orchestration-plan.jsonl", text, "append")

    def record(self):
        name = self.some()
        entry = self.entry(name)
        os.makedirs(f"{ROOT}/{name}/artifacts/records", exist_ok=True)
        write(f"{ROOT}/{name}/artifacts/records/{entry['id']}.json", json.dumps(entry), "over")

    def relations(self):
        name = self.some()
        entry = self.entry(name)
        entry["target"] = entry.pop("related_ticket")
        del entry["id"]
        os.makedirs(f"{ROOT}/{name}/artifacts", exist_ok=True)
        write(f"{ROOT}/{name}/artifacts/relations.json",
              json.dumps({"version": 1, "relations": [entry]}), "write")

    def forget(self):
        shutil.rmtree(f"{ROOT}/{self.some()}/artifacts", ignore_errors=True)

    def spoil(self):
        write(f"{ROOT}/{self.some()}/item.md", "nothing\n", "write")

    def cut(self):
        path = f"{ROOT}/{self.some()}/artifacts/orchestration-plan.jsonl"
        if os.path.exists(path):
            os.truncate(path, self.r.randrange(os.path.getsize(path) + 1))

    def root(self):
        os.rename(ROOT, "aside")
        if self.r.random() < 0.5:
            shutil.copytree("aside", ROOT)
            shutil.rmtree("aside")
        else:
            os.rename("aside", ROOT)

    def edit(self):
        what = self.r.choice([self.change] * 6 + [self.line] * 4 + [self.record] * 3 + [
            self.create, self.create, self.remove, self.rename, self.swap, self.relations,
            self.forget, self.spoil, self.cut, self.root])
        what()
        return what.__name__


def on_disk():
    states = {}
    for name in tickets():
        with open(f"{ROOT}/{name}/item.md") as item:
            lines = item.read().splitlines()
        states[name] = lines[2].split(": ")[1] if lines[0] == "---" else "unknown"
    return states


def plain(answer):
    answer.pop("clock")
    answer.pop("freshness", None)
    return answer


def everything(conn):
    """All that an agent knows."""
    listed = plain(conn.ask("ticket.list", limit=1000))
    said = [listed, plain(conn.ask("queue.list", limit=1000)),
            plain(conn.ask("record.query", limit=1000, status="all", order="oldest")),
            plain(conn.ask("doctor.run", limit=1000))]
    for row in listed["tickets"]:
        said.append(plain(conn.ask("ticket.get", ticket=row["id"], status="all")))
    return said


def ask_another(box):
    """Everything, from an agent that has only just been started."""
    env = dict(os.environ, XDG_STATE_HOME=box + "/state.other", XDG_RUNTIME_DIR=box + "/run.other")
    os.makedirs(env["XDG_RUNTIME_DIR"], mode=0o700, exist_ok=True)
    subprocess.run([env["TP_TPD"]], env=env, check=True)
    path = subprocess.run(["tpctl", "socket"], env=env, check=True, capture_output=True, text=True)
    conn = Conn(path.stdout.strip())
    said = everything(conn)
    conn.ask("agent.stop")
    # The end of the connection is not the end of the process; its lock is.
    subprocess.run(["tpctl", "stop"], env=env, check=True, capture_output=True)
    subprocess.run(["rm", "-rf", env["XDG_STATE_HOME"]], check=True)
    return said


def difference(one, other):
    for a, b in zip(one, other):
        if a != b:
            return f"{json.dumps(a)} but afresh {json.dumps(b)}"
    return "another number of Tickets"


def main():
    conn, box, count, every = Conn(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    seed = int(os.environ.get("TP_SEED", "0")) or random.randrange(1, 1 << 31)
    editor, wrong, compared, done = Editor(seed), [], 0, ""
    for n in range(1, count + 1):
        done = editor.edit()
        rows = conn.ask("ticket.list", limit=1000)["tickets"]
        said, is_so = {row["id"]: row["state"] for row in rows}, on_disk()
        said = {name: state for name, state in said.items() if name in is_so or state != "unknown"}
        if said != is_so:
            wrong.append(f"edit {n} ({done}): {said} but on disk {is_so}")
        if n % every == 0 or n == count:
            compared += 1
            one, other = everything(conn), ask_another(box)
            if one != other:
                wrong.append(f"edit {n} ({done}): {difference(one, other)}")
        if len(wrong) > 3:
            break
    print(f"# TP_SEED={seed}")
    for what in wrong[:3]:
        print("# " + what[:1500])
    print(f"{'not ok' if wrong else 'ok'} {count} random edits, each seen by the next question; "
          f"{compared} times the same as an agent that was started afterwards")


if __name__ == "__main__":
    main()
