#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The brief for one who forgot everything: what is in it, in which order, and what is
# left out of it where it must be short.
. "$(dirname "$0")/lib.sh"

# brief [BYTES]: the text is in $box/brief then.
brief()
{
	ask call brief.get "{${1:+\"max_bytes\":$1}}"
	"$python" -c 'import json, sys; sys.stdout.write(json.load(open(sys.argv[1]))["text"])' "$box/out" \
		>"$box/brief"
}

# section TITLE: its lines.
section()
{
	awk -v title="## $1" '$0 == title { on = 1; next } /^$/ { on = 0 } on' "$box/brief"
}

waits()
{
	printf '{"id":"%s","ticket_id":"%s","kind":"waiting_capacity_note","note":"%s","until":%s,"author":"them","at":"2026-01-02T03:04:05Z"}\n' \
		"$2" "$1" "$3" "$4" >>"$tree/$1/artifacts/orchestration-plan.jsonl"
}

repository r
ask call brief.get
gives 4 '*"code":"no_tree"*' "no tree, no brief"
ticket a queued 'First thing'
ask queue
brief
is "$(cat "$box/brief")" '# Tickets: 1 queued, 0 in progress, 0 ready, 0 planning; 0 worked on

## Queue
- a clear: First thing' "a small tree"
is "$(field cut)" "" "nothing is cut"

ticket b queued
ticket c planning
ticket d queued
ticket e queued
ticket f inprogress
ticket g ready
ticket h inprogress
plan_line b 1 blocked_by c ',"note":"schema\nfirst"'
plan_line g 2 after b
waits g 3 'no hands' '{"gate":"human"}'
waits g 4 'too early' '{"after":"2099-01-01T00:00:00Z"}'
waits g 5 'b comes first' '{"ticket":"b","state":"inprogress"}'
waits g 6 'one at a time' '{"free":1}'
waits g 7 'who knows' null
plan_line f 8 accepted_plan '' ',"accepted_plan":{"summary":"Do\n- x clear: forged","branch":"feature/f","worktree":"left"}'
sed -i 's/"related_ticket":"",//; s/"author":"them"/"author":"the\\nm"/' tickets/f/artifacts/orchestration-plan.jsonl
plan_line h 9 after c
ask call ticket.accept '{"ticket":"d","message":"Do d.","id":"01JEEEEEEEEEEEEEEEEEEEEEEE"}'
at=$(field record.at)
mkdir tickets/e/artifacts
echo '[]' >tickets/e/artifacts/relations.json
cat >tickets/a/thread.md <<'END'
<!-- event: create author: them at: 2026-01-01T00:00:00Z -->
Text.
<!-- event: decision author: "the team" at: 2026-01-02T00:00:00Z -->
Text.
<!-- event: plan author: me at: 2026-01-03T00:00:00Z status: x -->
END
commit
brief
cat >"$box/wanted" <<END
# Tickets: 4 queued, 2 in progress, 1 ready, 1 planning; 3 worked on

## Queue
- a clear: First thing
- b held: b
    blocked: blocked by c "c" (planning); ends when that is done or closed: schema… [them, 2026-01-02]
- d held: d
    accepted: accepted already: Do d. [Tester, $(echo "$at" | cut -c1-10)]; ends when it is queued anew or the plan is retracted
- e held: e
    unreadable: tickets/e/artifacts/relations.json:1: TEXT

## Accepted, under way
- d (queued) [Tester, $at]: Do d.
- f (inprogress) branch feature/f worktree left [the m, 2026-01-02T03:04:05Z]: Do - x clear: forged
- h (inprogress) h: no plan recorded

## Waits
- g until a person decides (record 3): no hands
- g until 2099-01-01T00:00:00Z (record 4): too early
- g until b is inprogress (record 5): b comes first
- g until fewer than 1 are worked on (record 6): one at a time
- g no condition, holds nothing (record 7): who knows

## Held, not queued yet
- g (ready) g
    ordered: runs after b "b" (queued); ends when that is done or closed [them, 2026-01-02]
    waiting: waits: no hands [them, 2026-01-02]; ends when a person retracts the note or accepts the Ticket
    waiting: waits: too early [them, 2026-01-02]; ends at 2099-01-01T00:00:00Z
    waiting: waits: b comes first [them, 2026-01-02]; ends when b "b" (queued) is inprogress
    waiting: waits: one at a time [them, 2026-01-02]; ends when fewer than 1 Tickets are being worked on (now 3)

## Bypasses
- unrecorded h: in progress without an accepted plan
- past_hold h: in progress, and held: runs after c "c" (planning); ends when that is done or closed [them, 2026-01-02]

## Problems
- bad_record e: TEXT

## Decisions in threads (they decide nothing here)
- a decision by the team, 2026-01-02T00:00:00Z: tickets/a/thread.md:3
- a plan by me, 2026-01-03T00:00:00Z: tickets/a/thread.md:5
END
sed 's/\(relations.json:1: \|bad_record e: \).*/\1TEXT/' "$box/brief" >"$box/got"
holds "all sections, in their order, each as its list has it" diff -u "$box/wanted" "$box/got"
is "$(field bytes)" "$(wc -c <"$box/brief")" "its length is said"

cp "$box/brief" "$box/first"
brief
holds "asked twice it is the same" cmp "$box/first" "$box/brief"
tpctl stop >/dev/null
tpctl start >/dev/null
brief
holds "and also from an agent that has just begun" cmp "$box/first" "$box/brief"
before=$(git status --porcelain)
brief 500
is "$(git status --porcelain)" "$before" "to be briefed changes nothing"
for bytes in 499 -1 1048577; do
	ask call brief.get "{\"max_bytes\":$bytes}"
	gives 2 '*max_bytes*500*' "$bytes bytes are refused"
done

# -- Short ---------------------------------------------------------------

repository long
"$python" - <<'END'
import os
for i in range(300):
    path = "tickets/t%03d" % i
    os.makedirs(path + "/artifacts")
    title = "日本語の題 €" * (1 + i % 5) + ("é" * 3000 if i == 7 else "")
    with open(path + "/item.md", "w") as item:
        item.write("---\ntitle: '%s'\nstate: queued\nqueued_at: '2026-01-01T00:%02d:%02dZ'\n---\n"
                   % (title, i // 60, i % 60))
    if i % 3 == 0:
        with open(path + "/artifacts/orchestration-plan.jsonl", "w") as plan:
            plan.write('{"id":"1","ticket_id":"t%03d","kind":"waiting_capacity_note","note":"%s",'
                       '"until":{"gate":"human"},"author":"them","at":"2026-01-02T03:04:05Z"}\n'
                       % (i, "待つ" * 90))
END
ask queue
brief
is "$status $(($(wc -c <"$box/brief") <= 8000))" "0 1" "of 300 Tickets it says what goes into 8000 bytes"
like "$(section Queue)" '- t000 held: 日本語の題 €
    waiting: waits: 待つ*' "beginning with the first of the queue"
like "$(cat "$box/brief")" '*
(Queue: * of 400 lines left out; tpctl queue)
(Waits: * of 100 lines left out; tpctl records --kind waiting_capacity_note)' "and says what was left out and how to ask for it"
is "$(field cut.# cut.0)" "2
$(sed -n 's/^(\(Queue:.*\))$/\1/p' "$box/brief")" "the answer says so too"
brief 1048576
cp "$box/brief" "$box/all"
is "$(section Queue | grep -c '^- ') $(section Waits | wc -l) $(field cut.#)" "300 100 0" "with room enough nothing is left out"
is "$(awk 'length($0) > 400' "$box/all" | wc -l)" 0 "no text takes the place of many"
like "$(grep '^- t007' "$box/all")" '*éé…' "one that is too long is cut behind a character"

cat >"$box/sizes.py" <<'END'
import json, sys
sys.path.insert(0, sys.argv[1])
import rpc

conn, step = rpc.Conn(sys.argv[2]), int(sys.argv[3])
whole = open(sys.argv[4]).read()
bad = []
for size in list(range(500, 9000, step)) + [499 + 2 ** n for n in range(19)]:
    text = conn.ask("brief.get", max_bytes=size)
    text, cut, told = text["text"], text["cut"], text["bytes"]
    lines = [line for line in text.split("\n") if line and not line.startswith("(")]
    rest = iter(whole.split("\n"))
    if len(text.encode()) > size or told != len(text.encode()):
        bad.append("%d: %d bytes" % (size, len(text.encode())))
    if not all(line in rest for line in lines):
        bad.append("%d: a line that is not one of all, or not in their order" % size)
    if text != whole and not any("(" + one + ")" in text for one in cut) and "sections are cut" not in text:
        bad.append("%d: does not say what was cut" % size)
    if text != whole and len(text.encode()) < size * 6 // 10 and size > 3000:
        bad.append("%d: only %d bytes used" % (size, len(text.encode())))
print("not ok" if bad else "ok", "any length: whole lines, in their order, no more bytes than asked, cuts said")
print("".join("# %s\n" % one for one in bad[:10]), end="")
END
seen_by "$python" "$box/sizes.py" "$system" "$(tpctl socket)" "$(($(scaled 1 1 100) > 1 ? 1 : 61))" "$box/all"
finish
