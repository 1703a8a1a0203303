#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Accepting a Ticket: when it is refused, what is written, and that of many who ask
# at once one has it.
. "$(dirname "$0")/lib.sh"

# accept TICKET [FIELDS]: with a plan; FIELDS is JSON that begins with a comma.
accept()
{
	ask call ticket.accept "{\"ticket\":\"$1\",\"message\":\"Do it.\"${2-}}"
}

# queue_anew ID [TIME]
queue_anew()
{
	printf -- '---\ntitle: %s\nstate: queued\nqueued_at: %s\n---\n' "$1" \
		"'${2:-$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)}'" >"$tree/$1/item.md"
}

plans_of()
{
	ask records "$1" --kind accepted_plan --status all
	field count
}

repository r
for id in a b c d e f g h i j k l; do ticket $id queued; done
ticket low planning
plan_line b 1 conflicts_with a
plan_line d 2 do_not_parallelize c
plan_line e 3 blocked_by low ',"note":"schema first"'
commit

# -- Yes and no ----------------------------------------------------------

before=$(git ls-files -s; git hash-object tickets/*/item.md)
accept a
gives 0 '*"kind":"record","clock":"*"record":{*"ticket_id":"a","kind":"accepted_plan"*"summary":"Do it."*"stored":true*' \
	"a queued Ticket that nothing holds is accepted"
is "$(git status --porcelain -uall | sed 's/[0-9A-Z]\{26\}/ULID/')" "?? tickets/a/artifacts/records/ULID.json" \
	"which makes one file"
is "$(git ls-files -s; git hash-object tickets/*/item.md)" "$before" "and changes none"
first=$(field record.id)
accept a
gives 3 '*"code":"held"*a is held: accepted: accepted already: Do it.*Tester*' "a second time it is refused"
is "$(plans_of a)" 1 "and no second plan is there"
ask check a
gives 3 '*"code":"accepted","severity":"hold"*"record":"'"$first"'"*' "the gate says the same"

accept b
gives 3 '*held: conflict: conflicts with a*' "what conflicts with it is refused, though it is still queued"
accept c
status_is 0 "of two others that conflict one is accepted"
accept d
gives 3 '*held: conflict: not in parallel with c*' "and then the other is not, whichever holds the record"
ticket a done
accept b
status_is 0 "once it is done the one that conflicts is accepted"

queue_anew c
ask check c
gives 0 '*"verdict":"clear"*' "a Ticket that is queued anew may be accepted anew"
accept c
status_is 0 "and is"
accept c
gives 3 '*accepted already*' "once"
is "$(plans_of c)" 2 "its plans are both there"
ask records c --kind accepted_plan
is "$(field count)" 1 "and one counts"

for state in planning ready inprogress done closed; do
	ticket f $state
	accept f
	gives 3 "*f is $state, not queued*" "a Ticket that is $state is not accepted"
	accept f ',"override":"we must"'
	gives 3 "*f is $state, not queued*" "and nothing overrides that"
done

# -- All the same --------------------------------------------------------

accept e
gives 3 '*blocked: blocked by low*(planning); ends when that is done or closed: schema first*' "a blocked Ticket is refused"
accept e ',"override":""'
gives 5 '*override needs a reason*' "an override needs a reason"
accept e ',"override":"the schema is frozen"'
gives 0 '*"note":"override: the schema is frozen"*' "with one it is accepted"
holds "and the reason stands in the file" \
	grep -q '"note": "override: the schema is frozen"' "$(field path)"
accept g ',"override":"not needed"'
gives 0 '*"note":"override: not needed"*' "also where nothing holds"

# -- Asking again --------------------------------------------------------

id=01JCCCCCCCCCCCCCCCCCCCCCCC
accept h ',"id":"'$id'"'
at=$(field record.at)
before=$(git status --porcelain -uall)
accept h ',"id":"'$id'"'
is "$status $(field record.id record.at | tr '\n' ' ')" "0 $id $at " "the same id again: the stored record"
accept h ',"id":"'$id'","branch":"other"'
gives 5 '*something else*' "the same id for another plan is refused"
is "$(git status --porcelain -uall)" "$before" "neither writes anything"
ticket h inprogress
accept h ',"id":"'$id'"'
gives 0 '*"id":"'$id'"*' "it is answered also when the work has begun"
accept h ',"id":"01JCCCCCCCCCCCCCCCCCCCCCCD"'
gives 3 '*inprogress, not queued*' "and another id is refused"
accept i ',"id":"nonsense"'
gives 5 '*ULID*' "an id that is none"

# A clock that runs ahead, or a day that was mistyped: the plan counts all the same.
queue_anew i 2099-01-01T00:00:00.000001Z
accept i
status_is 0 "a Ticket queued in the future is accepted"
accept i
gives 3 '*accepted already*' "once"
ticket i done

# -- What a plan may say -------------------------------------------------

git worktree add -q ../side
mkdir ../side/deep
ticket p queued
# plan FIELDS: accept p, and set it back.
plan()
{
	accept p "$1"
	queue_anew p
}
plan ',"branch":"feature/x","worktree":"left one","role_plan":"one, two"'
gives 0 '*"branch":"feature/x","worktree":"left one","role_plan":"one, two"*' "branch, label and roles are kept"
for pair in "$box/side=side" "$box/side/=side" "$box/side/deep=side/deep" "$box/r=main" "$box/r/sub/x=sub/x"; do
	plan ',"worktree":"'"${pair%=*}"'"'
	is "$status $(field record.accepted_plan.worktree)" "0 ${pair#*=}" "a path in a checkout becomes ${pair#*=}"
done
is "$(git grep --untracked -lF "$box" -- tickets)" "" "and no file names a place of this machine"
before=$(git status --porcelain -uall)
for path in "$box/sidereal" "$box" /etc/passwd / /opt/x; do
	plan ',"worktree":"'"$path"'"'
	gives 5 '*"code":"invalid"*worktree takes a label*' "a path outside is refused: ${path#"$box"}"
done
for text in /home/me/x 'see /Users/me/x' '(/root/x)' '`/tmp/x`' in=/var/log/x /run/x/y 'a:/proc/1/fd' file:///x \
	'~/x' '~ann/x' '日本/home/x' "$HOME" "on $box/side" "in $box/r/tickets, or so" "$box/r." '<~_x/y>'; do
	quoted=$(printf '%s' "$text" | sed 's/"/\\"/g')
	for field in branch worktree role_plan author override message; do
		if [ $field = message ]; then
			ask call ticket.accept "{\"ticket\":\"p\",\"message\":\"$quoted\"}"
		else
			plan ',"'$field'":"'"$quoted"'"'
		fi
		[ "$status" -eq 5 ] && matches "$out" "*\"message\":\"$field *" || break
		field=all
	done
	is "$field" all "refused in every field: $(echo "$text" | sed "s,$box,…,")"
done
is "$(git status --porcelain -uall)" "$before" "none of that was written"
for text in /api/v2 'GET /api/v2/home/users' https://example.org/home/x http://localhost:80/tmp/x '~3/4' a/b \
	'src/home/x.c' 'either/or' '~' '~~/x' 'x~/y' '1 / 2' '/etc/hosts' '/homely/x' 'a//tmp/b' '$HOME/x' ./tmp/x; do
	plan ',"role_plan":"'"$text"'","branch":"'"$text"'","author":"'"$text"'"'
	gives 0 '*"stored":true*' "taken: $text"
done
big=$(head -c 16385 /dev/zero | tr '\0' x)
plan ',"role_plan":"'"$big"'"'
gives 5 '*role_plan*16384*' "a text that is too long"
plan ',"branch":"a\nb"'
gives 5 '*branch has several lines*' "a branch of several lines"
ask call ticket.accept '{"ticket":"p","message":""}'
gives 5 '*needs a message*' "a plan of nothing"
ask call ticket.accept '{"ticket":"p"}'
gives 2 '*message*' "and one without a message"

# -- Who, and where ------------------------------------------------------

accept nobody
gives 4 '*"code":"not_found"*' "a Ticket that is not there"
slug_ticket open s1 queued the-slug
slug_ticket open s2 queued twice
slug_ticket open s3 queued twice
accept the-slug
gives 0 '*"ticket_id":"s1"*"path":"*/tickets/open/s1/artifacts/records/*' "a slug names a Ticket"
accept twice
gives 5 '*"code":"ambiguous"*' "one that names two is refused"
accept s2
status_is 0 "and the id says which"
export TP_READ_ONLY=1
accept j
gives 5 '*"code":"read_only"*' "who may only read accepts nothing"
unset TP_READ_ONLY
is "$(plans_of j)" 0 "and nothing was written"
commit
cd ../side && git merge -q --ff-only main && cd deep || exit 99
accept j
gives 0 '*"path":"'"$box"'/r/tickets/j/*' "asked in another checkout it is written where states count"
accept j
gives 3 '*accepted already*' "and is known there at once"
cd ../../r || exit 99

# The refusal is cut where it is long, between two characters.
for n in 1 2 3 4 5 6 7; do
	plan_line k "k$n" after low ',"note":"'"$(printf '日%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)$n"'"'
	accept k
	is "$status $(grep -c '�' "$box/out")" "3 0" "refused by $n, in whole characters"
done

# -- Many at once --------------------------------------------------------

for round in $(seq "$(scaled 3 1 20)"); do
	queue_anew l
	pids=
	for n in 1 2 3 4 5 6 7 8; do
		tpctl --json --timeout 60s call ticket.accept \
			'{"ticket":"l","message":"mine","author":"racer-'$n'"}' >"$box/racer.$n" 2>&1 &
		pids="$pids $!"
	done
	ends=
	for pid in $pids; do ended=0; wait "$pid" || ended=$?; ends="$ends$ended"; done
	is "$(echo "$ends" | fold -w 1 | sort | tr -d '\n')" 03333333 "round $round: of eight clients one has it"
	winner=$(sed -n 's/.*"kind":"record".*"author":"\([^"]*\)".*/\1/p' "$box"/racer.*)
	is "$(grep -c "\[$winner," "$box"/racer.* | grep -c ':1$')" 7 "round $round: the others are told who"
done
is "$(plans_of l)" "$round" "one plan a round"

# An agent is slower when it watches itself.
rounds=$(scaled 1000 30 20000)
grep -q __asan_init "$bin/tpd" && rounds=$((rounds / 5 + 1))
mkdir "$box/race"
repository race
ticket z planning
ask queue
seen_by "$bin/tests/system/race" "$(tpctl socket)" "$PWD/$tree" "$rounds" 64
ask doctor
is "$(field errors)" 0 "and doctor finds no error"
finish
