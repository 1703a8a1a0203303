#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Trees as people, tools and merges leave them: one bad file is one bad file.
. "$(dirname "$0")/lib.sh"

# item ID: item.md of a Ticket from standard input, byte by byte.
item()
{
	mkdir -p "$tree/$1"
	cat >"$tree/$1/item.md"
}

# line_of ID TEXT: a line of its orchestration plan.
line_of()
{
	mkdir -p "$tree/$1/artifacts"
	printf "$2" >>"$tree/$1/artifacts/orchestration-plan.jsonl"
}

# finds ID CODE FILE LINE SENTENCE: doctor names the problem, the file and the line.
finds()
{
	ask doctor "$1"
	found=$(field "problems.code=$2.*.file" "problems.code=$2.*.line" | tr '\n' ' ')
	like "$found" "*$tree/$1$3* $4*" "$5"
}

# holds_up ID: the Ticket is held as unreadable, and others are served.
holds_up()
{
	ask check "$1"
	gives 3 '*"code":"unreadable","severity":"hold"*' "  it is held as unreadable"
	ask check good
	gives 0 '*"verdict":"clear"*' "  others are served"
}

# does_not_hold ID
does_not_hold()
{
	ask check "$1"
	gives 0 '*"verdict":"clear"*' "  which does not hold it"
}

# -- None ----------------------------------------------------------------

mkdir "$box/nothing"
cd "$box/nothing" || exit 99
ask queue
gives 4 '*"code":"no_repository"*'"$box/nothing*" "outside of a repository"
tp -C "$box/not-there" queue
gives 4 '*not-there: No such file*' "in a folder that is not there"
repository bare-of-tickets
ask queue
gives 4 '*"code":"no_tree"*.yoi/tickets, .tickets and tickets*' \
	"without a Ticket tree: where was looked"
ask call agent.status
gives 0 '*"tickets":0*' "the agent itself answers all the same"
mkdir -p tickets/empty
ask queue
gives 4 '*"code":"no_tree"*' "a folder without Tickets is no tree"
ticket a queued
ask queue
gives 0 '*"count":1*' "the first Ticket makes it one, by the next question"
tree=.tickets
ticket b queued
ask queue
gives 0 '*"id":"b"*' ".tickets comes before tickets"
tree=.yoi/tickets
ticket c queued
ask queue
gives 0 '*"id":"c"*' ".yoi/tickets comes before both"
git config ticketplan.root work/items
ask queue
gives 4 '*ticketplan.root is work/items*' "a configured root that is not there"
tree=work/items
ticket d queued
ask queue
gives 0 '*"id":"d"*' "and once it is"
git config --unset ticketplan.root
ask queue
gives 0 '*"id":"c"*' "git config --unset is seen at once"
rm -r .yoi/tickets/c
ask queue
gives 0 '*"id":"b"*' "a tree out of which the last Ticket went gives way to the next"
rm -r .tickets/b tickets/a
ask queue
gives 4 '*"code":"no_tree"*' "and without one there is no tree"
tpctl stop >/dev/null

# -- The slug layout -----------------------------------------------------

repository slugs
slug_ticket open 20260101-000000-one queued one
slug_ticket open 20260102-000000-two inprogress two
slug_ticket pending 20260103-000000-three planning three
slug_ticket closed 20260104-000000-four done four
mkdir -p tickets/closed/20260105-000000-five
printf -- '---\nid: 20260105-000000-five\nslug: five\ntitle: Five\nstatus: closed\n---\n' \
	>tickets/closed/20260105-000000-five/item.md
ask tickets
gives 0 '*"count":5*' "Tickets in buckets"
is "$(field tickets.state)" "$(printf 'queued\ninprogress\nplanning\ndone\ndone')" \
	"each with its state"
tp check one
gives 0 '20260101-000000-one: clear*' "a slug names a Ticket"
ask show two
gives 0 '*"slug":"two"*"path":"tickets/open/20260102-000000-two"*' "and is shown"
slug_ticket pending 20260106-000000-one planning one
ask check one
gives 5 '*"code":"ambiguous"*20260101-000000-one*20260106-000000-one*' "two of one slug are named"
ask check 20260101-000000-one
gives 0 '*clear*' "and the full id still does"
ask record five after one
gives 5 '*"code":"ambiguous"*' "for the other Ticket as well"
slug_ticket closed 20260101-000000-one done one
ask show 20260101-000000-one
gives 0 '*"state":"unknown"*"code":"found_twice"*' "a Ticket in two buckets is in no state"
tpctl stop >/dev/null

# -- What may be wrong ---------------------------------------------------

repository wrong
ticket good queued
ticket other done
commit
ask doctor
gives 0 '*"count":0*"errors":0*' "a tree without a problem"

mkdir -p tickets/noitem/artifacts
line_of noitem '{"id":"1","ticket_id":"noitem","kind":"related","related_ticket":"good","author":"x","at":"2026-01-01T00:00:00Z"}\n'
finds noitem no_item /item.md '' "a Ticket without item.md"
holds_up noitem
printf 'title: no front matter\nstate: queued\n' | item nofm
finds nofm no_front_matter /item.md 1 "no front matter"
holds_up nofm
printf -- '---\ntitle: x\nstate: queued\n' | item unclosed
finds unclosed no_front_matter /item.md 1 "front matter without an end"
holds_up unclosed
printf -- '---\ntitle: x\nstate: queued\n- : : [\n---\n' | item badyaml
finds badyaml bad_front_matter /item.md 4 "front matter that is no YAML, with the line"
holds_up badyaml
printf -- '---\na: &a [x, x]\nb: [*a, *a]\ntitle: x\n---\n' | item bomb
finds bomb bad_front_matter /item.md 2 "anchors and aliases are not taken"
printf -- '---\ntitle: x\nstate: doing\n---\n' | item badstate
finds badstate bad_state /item.md 3 "a state nobody has heard of"
holds_up badstate
printf -- '---\ntitle: x\n<<<<<<< HEAD\nstate: queued\n=======\nstate: done\n>>>>>>> b\n---\n' | item conflict
finds conflict conflict_markers /item.md 3 "conflict markers in the front matter"
holds_up conflict
printf -- '---\nstate: queued\ntitle: "\377\376"\n---\n' | item latin
finds latin not_text /item.md 3 "bytes that are no UTF-8"
is "$(field problems.code=not_text.0.offset)" 26 "  with the byte"
holds_up latin
printf -- '---\nstate: queued\ntitle: "a\000b"\n---\n' | item nul
finds nul not_text /item.md 3 "a NUL byte"
printf '\357\273\277---\ntitle: marked\nstate: queued\n---\n' | item bom
finds bom byte_order_mark /item.md 1 "a byte order mark"
does_not_hold bom
printf -- '---\r\ntitle: "windows"\r\nstate: queued\r\n---\r\nText\r\n' | item crlf
ask doctor crlf
gives 0 '*"count":0*' "line ends of another system are no problem"
ask show crlf
gives 0 '*"title":"windows","state":"queued"*' "and end no value"
printf -- '---\ntitle: huge\nstate: queued\n---\n' | item huge
truncate -s 100M tickets/huge/item.md
ask show huge
gives 0 '*"title":"huge","state":"queued"*"problems":[[]]*' \
	"an item.md of 100 MB is read as far as it matters"
(printf -- '---\ntitle: x\n'; yes '# padding of a comment' | head -c 70000) | item wide
finds wide too_large /item.md 1 "front matter of more than 64 KiB"
holds_up wide

mkdir tickets/link tickets/pipe tickets/folder
ln -s ../good/item.md tickets/link/item.md
mkfifo tickets/pipe/item.md
mkdir tickets/folder/item.md
for id in link pipe folder; do
	finds $id not_regular /item.md '' "item.md that is a $id"
	holds_up $id
done
ticket artless queued
: >tickets/artless/artifacts
finds artless not_regular /artifacts '' "artifacts that is a file"
holds_up artless
ln -s good tickets/symlink
ask doctor
like "$(field problems.code=not_regular.*.file)" '*tickets/symlink*' \
	"a Ticket that is a link is reported"
mkdir -p 'tickets/-dash' 'tickets/two words' tickets/é tickets/.hidden
: >tickets/README.md
ask doctor
is "$(field problems.code=bad_name.*.file | sort | tr '\n' '|')" 'tickets/-dash|tickets/two words|tickets/é|' \
	"folders that can be no Ticket are reported, files and hidden ones are not"

# -- Artifacts -----------------------------------------------------------

whole='{"id":"1","ticket_id":"ID","kind":"related","related_ticket":"good","author":"x","at":"2026-01-01T00:00:00Z"}'
for id in torn tail merge badline dup self unkind unfield lack mine badfile badname cycle1 cycle2 rels deep; do
	ticket $id queued
done
line_of torn "$(echo "$whole" | sed s/ID/torn/)\n"'{"id":"2","ticket_id":"to'
finds torn torn_tail /artifacts/orchestration-plan.jsonl 2 "a last line that was never # -- One Ticket with more than an answer holds ----------------------------

repository crowded
ticket many queued
ticket few queued
ticket other ready
mkdir tickets/many/artifacts
awk -v many="$(scaled 30000 30000 100000)" 'BEGIN { for (i = 0; i < many; i++) printf( \
	"{\"id\":\"p%d\",\"ticket_id\":\"many\",\"kind\":\"blocked_by\",\"related_ticket\":\"other\",\"author\":\"x\",\"at\":\"2026-01-01T00:00:00Z\"}\n", i) }' \
	>tickets/many/artifacts/orchestration-plan.jsonl
ask check many
gives 3 '*"verdict":"held"*"cut":*' "its verdict is told, with as many reasons as there is room for"
ask queue
gives 0 '*"count":2*"few"*' "and the queue in which it stands, too"
tp show many
gives 0 '*more records; \`tpctl records many\` has all*more reasons*' "and it says what it left out"
ask records many --limit 1000
gives 0 '*"count":'"$(scaled 30000 30000 100000)"',*' "all are there in pages"
tpctl stop >/dev/null

repository whole
git config ticketplan.root .
tree=.
ticket a queued
commit
tp record a waiting -m 'no hands'
gives 0 'recorded * in a/artifacts/records/*' "the tree may be the whole checkout"
tp commit
gives 0 '*a/artifacts/records/*' "and what is recorded there is committed"
finished"
does_not_hold torn
ask records torn
gives 0 '*"count":1*' "  the line before it counts"
line_of tail "$(echo "$whole" | sed s/ID/tail/)"
finds tail torn_tail /artifacts/orchestration-plan.jsonl 1 "a whole last line without its end is said"
ask records tail
gives 0 '*"count":1*' "  and counts"
line_of merge '<<<<<<< HEAD\n'"$(echo "$whole" | sed s/ID/merge/)"'\n=======\n>>>>>>> b\n'
finds merge conflict_markers /artifacts/orchestration-plan.jsonl 1 "conflict markers among records"
holds_up merge
line_of badline "$(echo "$whole" | sed s/ID/badline/)"'\nnonsense\n'
finds badline bad_record /artifacts/orchestration-plan.jsonl 2 "a line that is no JSON"
holds_up badline
line_of deep "$(echo "$whole" | sed s/ID/deep/)"'\n'"$(printf '[%.0s' $(seq 5000))"'\n'
finds deep bad_record /artifacts/orchestration-plan.jsonl 2 "a line of 5,000 levels"
plan_line dup 1 related good
plan_line dup 1 related other
finds dup duplicate_id /artifacts/orchestration-plan.jsonl 2 "an id that stands twice"
ask records dup --status all
gives 0 '*"count":2*' "  both count"
plan_line self 1 blocked_by self
finds self self_relation /artifacts/orchestration-plan.jsonl 1 "a Ticket that waits for itself"
does_not_hold self
plan_line unkind 1 adores good
finds unkind unknown_kind /artifacts/orchestration-plan.jsonl 1 "a kind nobody has heard of"
does_not_hold unkind
plan_line unfield 1 related good ',"colour":"red"'
finds unfield unknown_field /artifacts/orchestration-plan.jsonl 1 "an unknown field is said"
ask records unfield
gives 0 '*"count":1*' "  and its record counts"
line_of lack '{"id":"1","ticket_id":"lack","kind":"after","author":"x","at":"2026-01-01T00:00:00Z"}\n'
finds lack incomplete /artifacts/orchestration-plan.jsonl 1 "a record that lacks what it needs"
line_of mine "$(echo "$whole" | sed s/ID/good/)\n"
finds mine wrong_ticket /artifacts/orchestration-plan.jsonl 1 "a record in the folder of another Ticket"
mkdir -p tickets/badfile/artifacts/records
echo '{"id": "01J' >tickets/badfile/artifacts/records/01JAAAAAAAAAAAAAAAAAAAAAAA.json
finds badfile bad_record /artifacts/records/01JAAAAAAAAAAAAAAAAAAAAAAA.json '' "half a record file"
holds_up badfile
record_file badname 01JBBBBBBBBBBBBBBBBBBBBBBB after good
mv tickets/badname/artifacts/records/01JBBBBBBBBBBBBBBBBBBBBBBB.json \
	tickets/badname/artifacts/records/copy.json
finds badname wrong_name /artifacts/records/copy.json '' "a record file under another name"
: >tickets/badname/artifacts/records/.draft.json
: >tickets/badname/artifacts/records/01J.json~
ask doctor badname
gives 5 '*"count":1*' "what editors leave beside it is nobody's"
mkdir tickets/rels/artifacts
echo '{"version":1,"relations":[{"ticket_id":"rels","kind":"depends_on","target":"gone","author":"x","at":"2026-01-01T00:00:00Z"}]}' \
	>tickets/rels/artifacts/relations.json
ask check rels
gives 3 '*"code":"blocked"*"other":"gone"*"code":"dangling"*' \
	"a relation to a Ticket that is not there holds"
finds rels dangling /artifacts/relations.json '' "and doctor says so"
record_file cycle1 01JCCCCCCCCCCCCCCCCCCCCCC1 after cycle2
record_file cycle2 01JCCCCCCCCCCCCCCCCCCCCCC2 after cycle1
ask check cycle1
gives 3 '*"code":"ordered"*"other":"cycle2"*' "two that wait for each other are held"
ask check good
gives 0 '*"verdict":"clear"*' "and after all that others are served"

# -- doctor --------------------------------------------------------------

tp doctor
gives 5 '*tickets/badstate/item.md:3: error: *(bad_state)*remedy: *' \
	"doctor names file and line, and exits with 5"
ask doctor --limit 3
gives 5 '*"returned":3,"next":"*' "page by page"
tp doctor bom
gives 0 '*warning: item.md begins with a byte order mark*' "warnings alone are no failure"
tp doctor nobody
gives 4 '*nobody*' "of a Ticket that is not there"
tp doctor --nonsense
gives 2 '*unknown option --nonsense*' "with an option that is none"
ask tickets --limit 1000
n=$(field count)
is "$(field tickets.id | sort -u | wc -l)" "$n" "every Ticket of the wrong tree is listed, once"
now=$(agent_pid)
git clean -qfdx tickets
ask doctor
gives 0 '*"count":0*' "and when all of it is gone there is no problem left"
is "$(agent_pid)" "$now" "for the same agent, which lived through it"
tpctl stop >/dev/null

# -- What may not be read ------------------------------------------------

repository closed
for id in good secret locked; do ticket $id queued; done
chmod 0 tickets/secret/item.md
chmod 0 tickets/locked
powerless tpctl start >/dev/null
finds secret unreadable /item.md '' "a file that may not be read"
holds_up secret
ask check locked
gives 3 '*"code":"unreadable"*' "a Ticket that may not be entered is held"
chmod 644 tickets/secret/item.md
chmod 755 tickets/locked
ask queue --clear
gives 0 '*"count":3*' "chmod is seen by the next question"
chmod 0 tickets/good
ask check good
gives 3 '*"code":"unreadable"*' "and so is that a Ticket may not be entered any more"
chmod 755 tickets/good
chmod 0 tickets
ask queue
gives 4 '*"code":"no_tree"*' "a tree that may not be entered is none"
chmod 755 tickets
ask queue --clear
gives 0 '*"count":3*' "and is back by the next question"
finish
