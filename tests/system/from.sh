#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Many decisions from one file: a line each, and for each line what became of it.
. "$(dirname "$0")/lib.sh"

# from WORD…: record what stands on standard input; sets status, out and err.
from()
{
	status=0
	tpctl record --from - "$@" >"$box/out" 2>"$box/err" || status=$?
	out=$(cat "$box/out") err=$(cat "$box/err")
}

records_of()
{
	find "$tree/$1/artifacts/records" -name '*.json' 2>/dev/null | sort
}

repository one
for t in a b c d e f; do ticket $t queued; done
commit

# -- Both forms ----------------------------------------------------------

from --json <<'END'
{"ticket_id":"a","kind":"after","related_ticket":"b","note":"the stored form","author":"them","at":"2020-01-02T03:04:05Z"}

{"ticket":"b","kind":"blocked_by","other":"c","message":"the form of record.add"}
{"ticket_id":"c","kind":"accepted_plan","accepted_plan":{"summary":"Do it","branch":"c","worktree":"c","role_plan":"one"},"note":"beside","id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}
END
gives 0 '*' "records in both forms are taken"
is "$(wc -l <"$box/out")" 3 "a line of answer for each"
like "$(sed -n 1p "$box/out")" '{"schema":1,"kind":"record",*"line":1,*"note":"the stored form"*"author":"them"*"ignored":\["at"\]*' \
	"the first says what was recorded, and that its time was ignored"
unlike "$(sed -n 1p "$box/out")" '*2020-01-02*' "it is dated when it was written"
like "$(sed -n 2p "$box/out")" '*"line":3,*"kind":"blocked_by","other":"c"*' "empty lines count as lines"
like "$(sed -n 3p "$box/out")" \
	'*"line":4,*"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"*"note":"beside"*"summary":"Do it","branch":"c","worktree":"c","role_plan":"one"*' \
	"a plan keeps its id and all its parts"

# -- Conditions ----------------------------------------------------------

from <<'END'
{"ticket_id":"d","kind":"waiting_capacity_note","note":"w","until":{"ticket":"a","state":"done"}}
{"ticket_id":"d","kind":"waiting_capacity_note","note":"w","until":{"after":"2030-01-02T03:04:05Z"}}
{"ticket_id":"d","kind":"waiting_capacity_note","note":"w","until":{"gate":"human"}}
{"ticket_id":"d","kind":"waiting_capacity_note","note":"w","until":{"free":2}}
{"ticket_id":"d","kind":"waiting_capacity_note","note":"w","until":"human"}
END
gives 0 'line 1: recorded *line 5: recorded *5 recorded, 0 known already, 0 failed' \
	"conditions are taken as stored and as typed"
is "$(cat $(records_of d) | grep -c '"until"')" 5 "all are in files"
is "$(cat $(records_of d) | grep -cE '"state": "done"|"after": "2030-01-02T03:04:05Z"|"gate": "human"|"free": 2')" 5 \
	"and say what was asked"

# -- Bad lines -----------------------------------------------------------

from <<'END'
{"ticket_id":"e","kind":"after","related_ticket":"a"}
{"ticket_id":"e","kind":
["no object"]
{"ticket_id":"e","kind":"after","related_ticket":"nobody"}
{"ticket_id":"e","kind":"after","related_ticket":"b","colour":"red"}
{"ticket_id":"e","ticket":"e","kind":"after","related_ticket":"b"}
{"ticket_id":"e","kind":"waiting_capacity_note","note":"w","until":{"moon":"full"}}
{"ticket_id":"e","kind":"accepted_plan","accepted_plan":"yes"}
{"ticket_id":"e","kind":"after","kind":"before","related_ticket":"b"}
{"ticket_id":"e","kind":"after","related_ticket":"c"}
END
gives 2 '*2 recorded, 0 known already, 8 failed*' "bad lines keep no good one from being recorded"
is "$(records_of e | wc -l)" 2 "the good ones are there"
for n in 2 3 4 5 6 7 8 9; do
	like "$err" "*line $n: *" "line $n is named"
done
like "$err" '*line 4: *nobody*' "with the agent's reason where it was the agent's"
from --json <<'END'
{"ticket_id":"nobody","kind":"after","related_ticket":"a"}
nonsense
END
gives 4 '*"kind":"error"*"code":"not_found"*"line":1*"code":"bad_argument"*"line":2*' \
	"the status is that of the first that failed"
from </dev/null
gives 0 '0 recorded, 0 known already, 0 failed' "an empty file is no error"
tp record --from "$box/missing"
gives 4 '*cannot open*missing*hint: name a file that is there*' "a file that is not there is, and the hint speaks of files"
tp record a after b --from "$box/missing"
gives 2 '*usage:*' "and so is a record beside the file"
tp record --from "$box/missing" -m why
gives 2 '*--from stands alone*' "or an option"

# -- Taking back, and asking again ---------------------------------------

id=$(basename "$(records_of e | head -n 1)" .json)
from <<END
{"ticket_id":"e","kind":"retraction","retracts":"$id","note":"no more"}
END
gives 0 "line 1: retracted $id: recorded *" "a retraction takes a record back"
line='{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAW","ticket_id":"f","kind":"after","related_ticket":"a","author":"me"}'
for time in first second; do
	printf '%s\n' "$line" | tpctl record --from - >"$box/out"
done
is "$(records_of f | wc -l)" 1 "a line with an id is recorded once, however often it is sent"

# -- Many ----------------------------------------------------------------

n=$(scaled 300 100 2000)
i=0
while [ $i -lt "$n" ]; do
	i=$((i + 1))
	printf '{"ticket":"f","kind":"waiting_capacity_note","message":"wait %s","until":"human"}\n' $i
done >"$box/many"
tp record --from "$box/many"
like "$out" "*$n recorded, 0 known already, 0 failed" "$n lines are recorded over one connection"
is "$(sed -n 's/^line \([0-9]*\): .*/\1/p' "$box/out" | sort -nc 2>&1)" "" "told in their order"
is "$(records_of f | wc -l)" $((n + 1)) "each once"
tp -C "$box" record --from many
gives 4 '*no git repository*' "files are looked for below -C"

# -- An agent that dies --------------------------------------------------

mkfifo "$box/slow"
tpctl record --from - <"$box/slow" >"$box/out" 2>"$box/err" &
asking=$!
{
	head -n 50 "$box/many" | sed 's/"f"/"a"/'
	kill -KILL "$(agent_pid)"
} >"$box/slow"
wait $asking
is "$?" 0 "an agent that dies before it is asked is started again"
is "$(records_of a | wc -l)" 51 "and every line is recorded once"
sed 's/"f"/"b"/' "$box/many" >"$box/others"
tpctl record --from "$box/others" 2>"$box/err" | {
	read -r first
	kill -KILL "$(agent_pid)"
	cat
} >"$box/out"
like "$(cat "$box/out" "$box/err")" "*$n recorded, 0 known already, 0 failed" \
	"one that dies while it is asked as well"
is "$(records_of b | wc -l)" $((n + 1)) "and again every line is recorded once"
tpctl stop >/dev/null
tpctl record --from "$box/many" >"$box/out" 2>"$box/err"
is "$?" 6 "without an agent nothing is recorded"
is "$(cat "$box/err" | wc -l)" 1 "which is said once"
like "$(cat "$box/err")" "*line 1: and $((n - 1)) behind it: *" "for all of the lines"
tpctl start >/dev/null
TP_READ_ONLY=1 tpctl record --from "$box/many" >/dev/null 2>"$box/err"
is "$?" 5 "who may only look records nothing"
finish
