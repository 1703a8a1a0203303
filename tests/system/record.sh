#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is recorded: which bytes, where, once, and nothing else.
. "$(dirname "$0")/lib.sh"

# hash_of_all: of every file, in git's folder and beside it, and its time.
hash_of_all()
{
	find . -type f -exec sha256sum {} + -exec stat -c '%n %Y %i' {} + | sort | sha256sum
}

# records_of ID: its record files.
records_of()
{
	find "$tree/$1/artifacts/records" -type f 2>/dev/null | sort
}

text()
{
	head -c "$1" /dev/zero | tr '\0' x
}

repository plans
for id in a b c d; do ticket $id queued; done
mkdir tickets/a/artifacts
commit

# -- Reads never write ---------------------------------------------------

before=$(hash_of_all)
for question in queue tickets records 'show a' 'check a' doctor status 'records a --status all' resync; do
	tpctl --json $question >/dev/null 2>&1
done
is "$(hash_of_all)" "$before" "questions change no file"
is "$(git status --porcelain)" "" "and leave none behind"

# -- The bytes -----------------------------------------------------------

export TP_AUTHOR='Ω "quoted" \ author'
id=01JAAAAAAAAAAAAAAAAAAAAAAA
ask record a after b -m "$(printf 'Füße\n\tand "more"')" --id $id
gives 0 '*"kind":"record"*"record":{"id":"'$id'","ticket_id":"a","kind":"after","other":"b"*"stored":true*' \
	"a record is acknowledged"
at=$(field record.at)
cat >"$box/wanted" <<END
{
  "id": "$id",
  "ticket_id": "a",
  "kind": "after",
  "related_ticket": "b",
  "note": "Füße\n\tand \"more\"",
  "author": "Ω \"quoted\" \\\\ author",
  "at": "$at"
}
END
holds "its file holds exactly these bytes" cmp tickets/a/artifacts/records/$id.json "$box/wanted"
is "$(git status --porcelain -uall)" "?? tickets/a/artifacts/records/$id.json" \
	"and is all that is new"
is "$(field path)" "$PWD/tickets/a/artifacts/records/$id.json" "the answer says where"
is "$(stat -c %a tickets/a/artifacts/records/$id.json)" "$(printf %o $((0666 & ~$(umask))))" \
	"with the mode that umask gives"
ask check a
gives 3 '*"code":"ordered"*"record":"'$id'"*' "the verdict changes by the next question"
ask show b
gives 0 '*"incoming":[[]{"id":"'$id'","ticket_id":"b","kind":"before","other":"a"*"direction":"derived"*' \
	"and the other Ticket shows it from its side"
unset TP_AUTHOR
id=01JAAAAAAAAAAAAAAAAAAAAAAB
ask record d accepted-plan -m 'Do it.' --branch feature/x --worktree wt --role-plan 'one, two' --id $id
cat >"$box/wanted" <<END
{
  "id": "$id",
  "ticket_id": "d",
  "kind": "accepted_plan",
  "accepted_plan": {
    "summary": "Do it.",
    "branch": "feature/x",
    "worktree": "wt",
    "role_plan": "one, two"
  },
  "author": "Tester",
  "at": "$(field record.at)"
}
END
holds "an accepted plan, by the git user" cmp tickets/d/artifacts/records/$id.json "$box/wanted"
ask check d
gives 3 '*"code":"accepted"*' "accepts"
id=01JAAAAAAAAAAAAAAAAAAAAAAC
ask record c waiting_capacity_note -m 'No hands.' --until ticket:b=done --author me --id $id
cat >"$box/wanted" <<END
{
  "id": "$id",
  "ticket_id": "c",
  "kind": "waiting_capacity_note",
  "note": "No hands.",
  "until": {
    "ticket": "b",
    "state": "done"
  },
  "author": "me",
  "at": "$(field record.at)"
}
END
holds "a wait with its end" cmp tickets/c/artifacts/records/$id.json "$box/wanted"
ask check c
gives 3 '*"code":"waiting","severity":"hold"*' "holds"
ticket b done
ask check c
gives 0 '*"verdict":"clear"*' "until what it waits for has come"
ticket b queued
for until in human free:2 after:2099-01-01T00:00:00Z; do
	ask record c waiting_capacity_note -m x --until $until
	gives 0 '*"until":{"*' "a wait until $until"
done
ask check c
gives 3 '*"code":"waiting"*"code":"waiting"*"code":"waiting"*' "each is named"
ask record d accepted-plan -m x --note '' --branch '' --worktree '' --role-plan '' --author ' '
gives 0 '*"kind":"accepted_plan","accepted_plan":{"summary":"x"},"author":"Tester"*' \
	"an empty text of a plan is none"
ask record a related b -m ' ' --note ''
gives 0 '*"other":"b","author":"Tester"*' "and so is a note of blanks"
fails "which is in no file" grep -rl '"note": " *"' tickets
commit

# -- All kinds -----------------------------------------------------------

ticket k queued
ticket o planning
for kind in before after blocked-by blocks conflicts-with do_not_parallelize depends-on related supersedes \
	duplicate-of; do
	ask record k $kind o
	gives 0 '*"kind":"'"$(echo $kind | tr - _)"'","other":"o"*' "recorded: $kind"
done
is "$(records_of k | wc -l)" 10 "each in a file of its own, in folders made for it"
ask records k
is "$(field records.direction | sort -u)" stored "and listed as stored"
ask records o
is "$(field count records.direction | sort -u | tr '\n' ' ')" "10 derived " \
	"and from the other side as derived"
ask records o --kind before
gives 0 '*"count":1*"kind":"before"*"other":"k"*' "an after is a before from there"
commit

# -- What relations say already ------------------------------------------

ticket r queued
mkdir -p tickets/r/artifacts
echo '{"version":1,"relations":[{"ticket_id":"r","kind":"depends_on","target":"o","author":"x","at":"2026-05-01T00:00:00Z"}]}' \
	>tickets/r/artifacts/relations.json
for kind in depends-on blocked-by; do
	ask record r $kind o
	gives 0 '*"id":"depends_on:o"*"stored":false*' "$kind that relations.json says is known"
done
ask record r related o
gives 0 '*"stored":true*' "another relation is not"
ask record r related o
gives 0 '*"kind":"related"*"stored":false*' "and is known the second time"
ask record r related o -m 'The same subject.'
gives 0 '*"stored":true*' "one with a note of its own says more"
ask record r related o -m 'The same subject.'
gives 0 '*"note":"The same subject."*"stored":false*' "and is known with that note"
ask record r supersedes o --id 01JBBBBBBBBBBBBBBBBBBBBBBC
ask record r supersedes o --id 01JBBBBBBBBBBBBBBBBBBBBBBC
gives 0 '*"stored":true*' "one asked for again by its id is answered as it was"
is "$(records_of r | wc -l)" 3 "what is known is in no file again"
ask record r depends-on o --force
gives 0 '*"origin":"relation"*"stored":true*' "--force writes it all the same"
ask retract r "$(field record.id)" -m x
commit

# -- Asking again --------------------------------------------------------

id=01JBBBBBBBBBBBBBBBBBBBBBBB
ask record b related c -m once --id $id
at=$(field record.at)
before=$(hash_of_all)
ask record b related c -m once --id $id
is "$status $(field record.at)" "0 $at" "the same id and the same fields: the stored record"
is "$(hash_of_all)" "$before" "no file changed"
ask record b related c -m twice --id $id
gives 5 '*"code":"invalid"*'$id'*something else*' "other fields are refused"
ask record b after c -m once --id $id
gives 5 '*something else*' "and so is another kind"
is "$(hash_of_all)" "$before" "no file changed by that either"
ask record a related c -m once --id $id
gives 5 '*"code":"invalid"*'$id'*tickets/b/artifacts/records/'$id'.json*' \
	"another Ticket cannot have it, and is told where it is"
is "$(hash_of_all)" "$before" "which changes no file either"

cat >"$box/one_id.py" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import rpc

conns = [rpc.Conn(sys.argv[2]) for _ in range(2)]
bad = []
for n in range(int(sys.argv[3])):
    name = "01JCCCCCCCCCCCCCCCCCCC%04d" % n
    for conn, ticket in zip(conns, "ab"):
        conn.send(rpc.request(n, "record.add", {"ticket": ticket, "kind": "related", "other": "c", "id": name,
                                                         "force": True}))
    errors = [conn.receive()[2] for conn in conns]
    if sum(error is None for error in errors) != 1 or not any(name + ".json" in str(e) for e in errors):
        bad.append("%s: %r" % (name, errors))
print("not ok" if bad else "ok", "of two at once that give one id to two Tickets one is stored")
print("".join("# %s\n" % one for one in bad[:10]), end="")
END
seen_by "$python" "$box/one_id.py" "$system" "$(tpctl socket)" "$(scaled 30 5 1000)"

# -- What is refused -----------------------------------------------------

before=$(hash_of_all)
refused()
{
	wanted=$1 pattern=$2 sentence=$3
	shift 3
	ask "$@"
	gives "$wanted" "$pattern" "$sentence"
}
refused 4 '*"code":"not_found"*nobody*' "a Ticket that is not there" record nobody after b
refused 4 '*"code":"not_found"*nobody*' "another one that is not there" record a after nobody
refused 5 '*itself*' "a Ticket after itself" record a after a
refused 5 '*message*16384*' "a message that is too long" record a related b -m "$(text 16385)"
refused 5 '*author*1024*' "an author that is too long" record a before b --author "$(text 1025)"
refused 5 '*author*several lines*' \
	"an author of several lines" record a before b --author "$(printf 'a\nb')"
refused 5 '*branch*several lines*' "a branch of several lines" \
	record a accepted_plan -m x --branch "$(printf 'a\nb')"
refused 5 '*branch goes with accepted_plan*' "a branch of a relation" record a after b --branch x
refused 5 '*until goes with*' "an end of a relation" record a after b --until human
refused 5 '*names another Ticket*' "a relation to nothing" record a after
refused 5 '*message*' "a wait for nothing" record a waiting_capacity_note
refused 5 '*message*' "a plan of nothing" record a accepted_plan
refused 5 '*message*' "a wait for blanks" record a waiting_capacity_note -m '  '
refused 5 '*message*' "a plan of blanks" record a accepted_plan -m "$(printf ' \t\n ')"
refused 5 '*wait to be done itself*' "a wait for its own end" \
	record a waiting_capacity_note -m x --until ticket:a=done
refused 5 '*waiting_capacity_note needs a message*' "a wait for an empty text" \
	record a waiting_capacity_note -m ''
refused 5 '*accepted_plan needs a message*' "a plan that is an empty text" record a accepted_plan -m ''
refused 5 '*retraction needs a message*' "an empty reason to take it back" retract b 01JBBBBBBBBBBBBBBBBBBBBBBB -m ''
refused 5 '*ULID*' "an id that is none" record a after b --id nonsense
refused 2 '*kind*' "a kind that is none" record a adores b
refused 5 '*until*' "an end that is none" record a waiting_capacity_note -m x --until soon
refused 5 '*until*' "a wait for fewer than none" record a waiting_capacity_note -m x --until free:0
refused 2 '*UTF-8*' "a note that is no UTF-8" record a related b -m "$(printf '\377')"
tpctl --json call record.add '{"ticket":"a","kind":"related","other":"b","message":"a\u0000b"}' \
	>"$box/out" 2>&1
is "$?" 2 "a note with a NUL byte"
is "$(hash_of_all)" "$before" "none of them changed a file"
ask record a after later --dangling
gives 0 '*"other":"later"*"status":"dangling"*' "--dangling allows another that is not there"
ask check a
gives 3 '*"code":"ordered"*"other":"later"*' "and it holds"
refused 5 '*no Ticket id*' "but what can be no id is refused" record a after ../x --dangling

# -- Where it cannot be written ------------------------------------------

ticket ro queued
mkdir tickets/ro/artifacts
chmod 555 tickets/ro/artifacts
tpctl stop >/dev/null
powerless tpctl start >/dev/null
ask record ro after b
gives 8 '*"code":"io"*tickets/ro/artifacts/records: Permission denied*' "a folder that cannot be written, which is named"
is "$(records_of ro)" "" "and nothing of it is there"
chmod 755 tickets/ro/artifacts
ask record ro after b
gives 0 '*"stored":true*' "once it can it is"
tpctl stop >/dev/null
tpctl start >/dev/null
mkdir "$box/outside"
rm -rf tickets/c/artifacts
ln -s "$box/outside" tickets/c/artifacts
ask record c after b
gives 5 '*links are never followed*' "a link is not followed"
is "$(ls "$box/outside")" "" "and nothing is written behind it"
rm tickets/c/artifacts
git checkout -q tickets
commit

# -- Many at once --------------------------------------------------------

n=$(scaled 64 8 512)
pids=
for i in $(seq "$n"); do
	tpctl --json --timeout 60s record a related b -m "number $i" >"$box/many.$i" 2>&1 &
	pids="$pids $!"
done
bad=0
for pid in $pids; do wait "$pid" || bad=$((bad + 1)); done
is "$bad" 0 "$n records at once are all acknowledged"
ids=$(sed 's/.*"record":{"id":"\([^"]*\)".*/\1/' "$box"/many.* | sort)
is "$(echo "$ids" | uniq | wc -l)" "$n" "each under an id of its own"
is "$(git status --porcelain -uall | sed 's/^?? .*records.\(.*\).json$/\1/' | sort)" "$ids" \
	"each is there, and nothing else"
ask records a --kind related --limit 1000
is "$(field records.note | grep -c '^number')" "$n" "and each is answered"
tpctl stop >/dev/null
ask records
gives 6 '*' "stopped"
tpctl start >/dev/null
ask records a --kind related --limit 1000
is "$(field records.note | grep -c '^number')" "$n" \
	"also by an agent that reads them from the files"
commit

# Clients and agents that are killed: a whole record, or none.
m=$(scaled 10 3 200)
for i in $(seq "$m"); do
	tpctl record d related c -m "killed $i" >/dev/null 2>&1 &
	client=$!
	[ $((i % 2)) -eq 0 ] || kill -KILL "$client" 2>/dev/null
	[ $((i % 2)) -eq 1 ] || kill -KILL "$(agent_pid)" 2>/dev/null
	wait "$client" 2>/dev/null
done
ask doctor d
gives 0 '*"errors":0*' "clients and agents killed while they write leave no half a record"
ask records d --kind related --kind accepted_plan --status all --limit 1000
is "$(field records | grep -c '"ticket_id":"d".*"direction":"stored"')" "$(records_of d | wc -l)" \
	"and every file is a record"
is "$(find tickets -name '.*' -o -name '*.tmp')" "" "no temporary file is left"
finish
