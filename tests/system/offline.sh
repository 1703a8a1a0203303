#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where no socket can be used: tpctl says so at once, and --offline gives the same answers
# without the agent.
. "$(dirname "$0")/lib.sh"

# Run something as a sandboxed shell does; without the leak finder, which wants sockets too.
caged()
{
	"$bin/tests/system/nosocket" "$@"
}

# same WORD…: the same bytes but for the clock, by the agent and without it.
same()
{
	plain_answer "$@" >"$box/live"
	live=$status
	caged tpctl --json --offline "$@" >"$box/out" 2>&1
	status=$?
	sed 's/"clock":"[^"]*",\{0,1\}//' "$box/out" >"$box/offline"
	if [ "$status" -eq "$live" ] && cmp -s "$box/live" "$box/offline"; then
		ok "the same without the agent: $*"
	else
		not_ok "the same without the agent: $*" "$live, $status" "$(cat "$box/live")" \
			"$(cat "$box/offline")"
	fi
}

# compare NAME: everything that can be asked of the tree, over one connection each.
compare()
{
	seen_by "$python" "$system/offline.py" "$(tpctl socket)" "$1" \
		"$bin/tests/system/nosocket" "$bin/tpd" --stdio
}

repository small
ticket a queued
ticket b inprogress
ticket c ready
ticket d queued
plan_line a 1 after b
plan_line a 2 blocked_by c
plan_line d 3 conflicts_with b
record_file c 01HZZZZZZZZZZZZZZZZZZZZZZZ before d
echo '{' >tickets/d/artifacts/relations.json
commit

caged tpctl queue >"$box/out" 2>"$box/err" && status=0 || status=$?
out=$(cat "$box/out") err=$(cat "$box/err")
gives 6 '*sandboxed*MCP tools*tpctl --offline*' "a sandboxed shell is told what to do, with status 6"
caged tpctl --json queue >"$box/out" 2>"$box/err" && status=0 || status=$?
is "$status $(field error.code error.retryable | tr '\n' ' ')" "6 sandboxed false " \
	"and a program is told so in JSON"
is "$(agents)" "" "no agent was started"
fails "no lock, no state was made" test -e "$XDG_STATE_HOME"

caged tpctl --offline queue >"$box/out" 2>&1
status=$?
out=$(cat "$box/out") err=
gives 0 '*a *held*d *held*2 queued*' "--offline answers all the same"
fails "and leaves nothing behind" test -e "$XDG_STATE_HOME"
is "$(git status --porcelain)" "" "nothing in the tree either"
is "$(agents)" "" "and nobody"

same queue
same check a
same check c
same show d
same records --status all
same why a
same graph --format mermaid
same doctor
same brief
same tickets
same show nowhere
same queue --at HEAD
same check a --source main
tpctl claim a --session one --role coder --ttl 1h >/dev/null
same check a --session two
same check a --session one
same claims
same sessions
tpctl claim b --session one --pid $$ >/dev/null
same claims
compare "a small tree"

tp --offline record a related b -m x
gives 5 '*--offline only looks*' "nothing can be recorded offline"
is "$(git status --porcelain)" "" "nor is it"
tp --offline accept d -m x
status_is 5 "nor accepted"
printf '{"ticket":"a","kind":"related","other":"b","message":"x"}\n' >"$box/many"
tp --offline record --from "$box/many"
status_is 5 "nor by a file of many"
tp --offline stop
status_is 2 "stop is about the agent, which --offline leaves alone"
tp --offline start
status_is 2 "and so is start"
tp --offline -C "$box" queue
status_is 4 "outside a repository it says so"
mkdir -p "$box/empty" && git init --quiet "$box/empty"
tp --offline -C "$box/empty" queue
gives 4 '*no Ticket tree*' "and where there are no Tickets"
TP_TPD=/nonexistent/tpd tpctl --offline queue >"$box/out" 2>&1
is $? 6 "without tpd there is nobody to ask"

call='{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"TOOL","arguments":{"ticket":"a"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}'
printf '%s\n' "$call" | sed 's/TOOL/check/' | caged tpctl mcp >"$box/out"
like "$(cat "$box/out")" '*sandboxed*start it outside*isError*' "tools say so to a model"
printf '%s\n' "$call" | sed 's/TOOL/check/' | caged tpctl mcp --offline >"$box/out"
like "$(cat "$box/out")" '*"verdict":"held"*' "and may look without the agent, too"
printf '%s\n' "$call" | sed 's/TOOL/retract/' | caged tpctl mcp --offline >"$box/out"
like "$(cat "$box/out")" '*read_only*isError*' "not more than look"

# A home that may not be written: only root can make one.
if unshare -m true 2>/dev/null; then
	tpctl stop >/dev/null
	mkdir "$box/fixed"
	unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && "$@"' - \
		"$box/fixed" env XDG_STATE_HOME="$box/fixed/state" tpctl queue >"$box/out" 2>&1
	is "$?$(grep -c 'Read-only.*\|tpctl --offline' "$box/out")" 62 "so does a home that is read-only"
	tpctl start >/dev/null
else
	note "left out: no mount namespace to be had"
fi

"$bin/tpd" --stdio <&- >"$box/out" 2>&1
is $? 2 "tpd --stdio without an input is a mistake"
printf 'rubbish' | "$bin/tpd" --stdio >"$box/out"
is $? 0 "rubbish on the pipe ends it in peace"
"$bin/tpd" --stdio </dev/null >"$box/out"
is "$? $(wc -c <"$box/out")" "0 0" "and so does nothing at all"

tpctl stop >/dev/null
for archive in "${TP_CORPUS-/nonexistent}"/*.tar.xz; do
	[ -e "$archive" ] || continue
	name=$(basename "$archive" .tar.xz)
	repository "real-$name"
	tar -xJf "$archive"
	commit
	tpctl start >/dev/null
	compare "the tree \"$name\""
	same brief
	tpctl stop >/dev/null
done
finish
