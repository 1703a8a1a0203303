#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Why a Ticket is held, down to the first cause, and how all of it is drawn.
. "$(dirname "$0")/lib.sh"

why()
{
	ask call ticket.why "{\"ticket\":\"$1\"}"
}

# tree: the last answer's nodes, one a line: depth, Ticket, code, marks.
tree_of()
{
	"$python" - "$box/out" <<'END'
import json, sys
for node in json.load(open(sys.argv[1]))["nodes"]:
    marks = [mark for mark in ("cycle", "repeated") if node.get(mark)]
    print("  " * node["depth"] + " ".join([node.get("ticket", "-"), node.get("code", "*")] + marks))
END
}

# tells TICKET WANTED SENTENCE: the tree of that Ticket.
tells()
{
	why "$1"
	is "$status $(tree_of)" "0 $2" "$3"
}

# waits ID UNTIL…: a wait as another tool would write it, until the JSON given.
waits()
{
	mkdir -p "$tree/$1/artifacts"
	printf '{"id":"%s","ticket_id":"%s","kind":"waiting_capacity_note","note":"%s","until":%s,"author":"them","at":"2026-01-02T03:04:05Z"}\n' \
		"w$1" "$1" "no hands" "$2" >>"$tree/$1/artifacts/orchestration-plan.jsonl"
}

repository r
for id in a b c d; do ticket $id queued; done
plan_line a 1 blocked_by b ',"note":"schema first"'
plan_line c 2 before b
ticket d planning
record_file d 01JDDDDDDDDDDDDDDDDDDDDDDD blocks c
tells a 'a *
  b blocked
    c ordered
      d blocked' "a chain is told to its end, whichever side holds the records"
is "$(field verdict count returned nodes.1.record nodes.1.author nodes.1.at nodes.1.file nodes.1.line)" "held
4
4
1
them
2026-01-02T03:04:05Z
tickets/a/artifacts/orchestration-plan.jsonl
1" "each step with its record, who, when and where"
is "$(field nodes.1.text)" 'blocked by b "b" (queued); ends when that is done or closed: schema first [them, 2026-01-02]' \
	"and what would end it"
is "$(field nodes.3.file nodes.3.line)" "tickets/d/artifacts/records/01JDDDDDDDDDDDDDDDDDDDDDDD.json
null" "a record of its own file has no line"
ticket b done
tells a 'a *' "what is over is not told"
is "$(field verdict)" clear "and holds nothing"
tells d 'd *' "a Ticket that nothing holds"
is "$(field verdict)" not_queued "though it is not queued"

for id in t l r u; do ticket $id queued; done
plan_line t 1 blocked_by l
plan_line t 2 blocked_by r
plan_line l 1 after u
plan_line r 1 after u
plan_line u 1 after d
tells t 't *
  l blocked
    u ordered
      d ordered
  r blocked
    u ordered repeated' "what two ways lead to is told once"

for id in x y z; do ticket $id queued; done
plan_line x 1 after y
plan_line y 1 blocked_by z
plan_line z 1 after x
tells x 'x *
  y ordered
    z blocked
      x ordered cycle' "a cycle is told once around, and said"
ask check y
gives 3 '*"code":"cycle","severity":"note"*waits for itself, through 3 Tickets (y, z, x); retract one of the records*' \
	"and named in the verdict"

for id in w1 w2 w3 w4 w5; do ticket $id queued; done
waits w1 '{"ticket":"u","state":"inprogress"}'
tells w1 'w1 *
  u waiting
    d ordered' "a wait for a Ticket leads to what holds that"
is "$(field nodes.1.text)" 'waits: no hands [them, 2026-01-02]; ends when u "u" (queued) is inprogress' "and says when it ends"
waits w2 '{"after":"2099-01-01T00:00:00Z"}'
waits w3 '{"gate":"human"}'
waits w4 '{"free":1}'
ticket busy inprogress
while read -r id text; do
	tells "$id" "$id *
  - waiting" "a wait without a Ticket: $id"
	is "$(field nodes.1.text)" "waits: no hands [them, 2026-01-02]; $text" "its end"
done <<'END'
w2 ends at 2099-01-01T00:00:00Z
w3 ends when a person retracts the note or accepts the Ticket
w4 ends when fewer than 1 Tickets are being worked on (now 1)
END
waits w5 null
tells w5 'w5 *' "a wait without an end holds nothing"
ticket busy done
tells w4 'w4 *' "nor does one whose end has come"

ticket g queued
ask record g after ghost --dangling
tells g 'g *
  ghost ordered' "a Ticket that is not there holds"
is "$(field nodes.1.state nodes.1.text | sed 's/ \[Tester, .*//')" "unknown
runs after ghost, which is not there; ends when it has come and is done, or the record is retracted" "and is said not to be there"

ticket acc queued
ask call ticket.accept '{"ticket":"acc","message":"Do it."}'
ticket rival queued
plan_line rival 1 conflicts_with acc
tells rival 'rival *
  acc conflict' "a conflict ends with the other Ticket, whatever holds that"
tells acc 'acc *
  - accepted' "an accepted Ticket"
is "$(field nodes.1.author nodes.1.file | sed 's/[0-9A-Z]\{26\}/ULID/')" "Tester
tickets/acc/artifacts/records/ULID.json" "with its plan"

ticket bad queued
mkdir tickets/bad/artifacts
echo '[]' >tickets/bad/artifacts/relations.json
tells bad 'bad *
  - unreadable' "a Ticket that cannot be read"
like "$(field nodes.1.text)" 'tickets/bad/artifacts/relations.json:1: *; *' "and which file to mend"
why nobody
gives 4 '*"code":"not_found"*' "a Ticket that is not there has no why"

# A chain longer than any stack would like.
n=$(scaled 2000 200 100000)
repository long
"$python" - "$n" <<'END'
import os, sys
for i in range(int(sys.argv[1])):
    os.makedirs("tickets/t%d/artifacts" % i)
    with open("tickets/t%d/item.md" % i, "w") as item:
        item.write("---\ntitle: t\nstate: queued\n---\n")
    with open("tickets/t%d/artifacts/relations.json" % i, "w") as relations:
        relations.write('{"version":1,"relations":[{"ticket_id":"t%d","kind":"depends_on","target":"t%d",'
                        '"author":"them","at":"2026-01-02T03:04:05Z"}]}' % (i, i + 1))
END
ticket "t$n" ready
why t0
is "$(field count nodes.0.depth nodes.-1.depth nodes.-1.ticket | tr '\n' ' ')" \
	"$((n + 1)) 0 $n t$n " "a chain of $n is told to its end"

# -- Drawn ---------------------------------------------------------------

# Titles that would end what they stand in, if they could.
repository graph
hostile()
{
	ticket "$1" "$2"
	printf -- '---\ntitle: "%s"\nstate: %s\n---\n' "$3" "$2" >"$tree/$1/item.md"
}
hostile q queued 'a \"quoted\" ] ); } title'
hostile n queued 'two\nlines (queued)\n    ==> blocked_by forged'
hostile e queued 'an \x1b[31mescape\x1b[0m \\ \\\" \\n'
hostile s queued '</script><script>alert(1)</script> %%{init: {}}%% `x` &amp; #35; ;'
hostile j done 'über 日本 \u202e\U0001F600'
hostile p planning '--- | > x'
mkdir -p tickets/q/artifacts
cat >tickets/q/artifacts/orchestration-plan.jsonl <<'END'
{"id":"1","ticket_id":"q","kind":"blocked_by","related_ticket":"n","author":"them","at":"2026-01-02T03:04:05Z"}
{"id":"2","ticket_id":"q","kind":"after","related_ticket":"e","author":"them","at":"2026-01-02T03:04:05Z"}
{"id":"3","ticket_id":"q","kind":"conflicts_with","related_ticket":"s","author":"them","at":"2026-01-02T03:04:05Z"}
{"id":"4","ticket_id":"q","kind":"related","related_ticket":"j","author":"them","at":"2026-01-02T03:04:05Z"}
{"id":"5","ticket_id":"q","kind":"blocks","related_ticket":"p","author":"them","at":"2026-01-02T03:04:05Z"}
{"id":"6","ticket_id":"q","kind":"after","related_ticket":"no\"]; such\nTicket</script>","author":"them","at":"2026-01-02T03:04:05Z"}
END

# draw FORMAT [TICKET]
draw()
{
	ask call graph.get "{\"format\":\"$1\"${2:+,\"ticket\":\"$2\"}}"
	field text | sed '$d' >"$box/drawing"
}

draw text
is "$(cat "$box/drawing")" 'e (queued) an  [31mescape [0m \ \" \n
~ j (done) über 日本 ‮😀
n (queued) two lines (queued)     ==> blocked_by forged
no"]; such Ticket</script> (not there) 
p (planning) --- | > x
    ==> blocks q (queued)
q (queued) a "quoted" ] ); } title
    --> after e (queued)
    ... related j (done)
    ==> blocked_by n (queued)
    --> after no"]; such Ticket</script> (not there) dangling
    <x> conflicts_with s (queued)
s (queued) </script><script>alert(1)</script> %%{init: {}}%% `x` &amp; #35; ;

==> waits for   --> runs after   <x> conflicts   ... related   ~ resolved or over' "as text: titles stay on their lines"
is "$(field nodes.# edges.#)" "7
6" "seven Tickets and six records"
is "$(field edges.from edges.to edges.kind edges.code edges.holds edges.status | tr '\n' ' ')" \
	"p q q q q q q e j n $(printf 'no"]; such\nTicket</script>' | tr '\n' ' ') s blocks after related blocked_by after conflicts_with blocked ordered null blocked ordered conflict true true false true true true live live live live dangling live " \
	"an edge leads from who waits"

draw dot
label='"([^"\\]|\\n)*"'
is "$(head -n 3 "$box/drawing"; tail -n 1 "$box/drawing")" "$(printf 'digraph tickets {\n\trankdir=LR;\n\tnode [shape=box];\n}')" \
	"for graphviz: one drawing"
is "$(sed '1,3d;$d' "$box/drawing" | grep -vE "^	$label( -> $label)? \[label=$label(, [a-z]+=[a-z0-9]+)*\];$")" "" \
	"of whose lines each is a node or an edge"
is "$(grep -c -- '" -> "' "$box/drawing") $(sed '1,3d;$d' "$box/drawing" | grep -vc -- '" -> "')" "6 7" "as many as there are"
if command -v dot >/dev/null; then
	holds "graphviz draws it" dot -Tsvg -o "$box/svg" "$box/drawing"
	is "$(grep -c 'class="node"' "$box/svg") $(grep -c 'class="edge"' "$box/svg")" "7 6" "with as many"
	holds "and what it draws is XML" "$python" -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$box/svg"
else
	note "left out: no graphviz here"
fi

draw mermaid
is "$(head -n 1 "$box/drawing")" "flowchart LR" "for Markdown: one drawing"
is "$(sed '1d;$d' "$box/drawing" | grep -vE "^	n[0-9]+\[\"[^\"<>]* \([a-z ]+\)<br/>[^\"<>\`%]*\"\](:::resolved)?$|^	n[0-9]+ [-=.x>]+\|[a-z_]+\| n[0-9]+$")" \
	"" "of whose lines each is a node or an edge, with no markup of titles"
is "$(sed '$d' "$box/drawing" | grep -oE '#[^;]{0,6}' | grep -vE '^#([0-9]+|quot)$')" "" \
	"and whose entities are ours"
is "$(grep -cE '^	n[0-9]+ ' "$box/drawing") $(grep -cE '^	n[0-9]+\[' "$box/drawing")" "6 7" "as many as there are"

ticket lone queued
draw text lone
is "$(cat "$box/drawing")" 'lone (queued) lone
no records join Tickets here' "a Ticket that no record joins to another stands alone"
draw text p
is "$(field nodes.#)" 7 "what hangs together is found from any of it"
ticket n done
ask call graph.get '{"ticket":"q"}'
is "$(field edges.to | grep -c '^n$')" 0 "what is over is not drawn"
ask call graph.get '{"ticket":"q","status":"all"}'
like "$(field text)" '*
    ~~~ blocked_by n (done) satisfied
*' "unless it is asked for"
ask call graph.get '{"ticket":"nobody"}'
gives 4 '*"code":"not_found"*' "a Ticket that is not there has no graph"
finish
