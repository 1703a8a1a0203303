#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the agent tells of itself: how it keeps up, who asks, what it was told, and whether what
# it holds is what the files say.
. "$(dirname "$0")/lib.sh"

repository report
ticket a queued
ticket b ready
commit
tpctl queue >/dev/null

ask status
gives 0 '*"mode":"watch","reasons":*"unwatched":0,*"walks":0,*"rescanned":*"log_level":"info"*' \
	"at rest"
is "$(field watches)" "$(find "/proc/$(agent_pid)/fdinfo" -type f -exec cat {} + 2>/dev/null |
	grep -c '^inotify wd:')" "it counts its watches as the kernel does"
is "$(field 'connections.#' clients)" "$(printf '1\n1')" "one client, the one that asks"
is "$(field connections.0.program)" "tpctl" "by its program's name"
like "$(field connections.0.client)" 'tpctl *' "and what it says of itself"
tpctl resync >/dev/null
ask status
is "$(field rescans rescanned.0.why rescanned.0.root)" "$(printf '1\nasked for\n%s' "$PWD/tickets")" \
	"a rescan, and why"
: >tickets/a/notes
ask call agent.log
is "$(field level 'events.#')" "$(printf 'info\n2')" "the last changes it was told of"
is "$(field events.0.folder events.0.name events.0.what)" "$(printf 'a\nnotes\nCREATE')" \
	"each as it came"
like "$out" '*"level":"debug","text":"sources: the tree of checkout main is tickets"*' \
	"its last lines, also those too fine to be written"
ask call agent.log '{"level":"debug"}'
gives 0 '*"level":"debug"*' "its level can be set while it runs"
ask call agent.log '{"level":"much"}'
status_is 2 "to one that there is"
touch "tickets/a/$(printf 'x\033[31m')"
ask call agent.log
unlike "$out" '*\u001b*' "names that would colour a terminal come out plain"
ask status
is "$(field log_level)" debug "and stays so"

# -- agent-log -------------------------------------------------------------

day='[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]'
tp agent-log
like "$out" "$day  info   agent: 2 Tickets of *$day  info   watch: *" "its lines are shown"
unlike "$out" '* debug *' "those too fine are not, whatever level it writes"
unlike "$out" '* event *' "nor what it was told of"
tp agent-log --level debug --events
like "$out" "$day  debug  sources: * info *$day  event  CREATE a/notes*" \
	"unless they are asked for, all in order"
unlike "$out" "*$(printf '\033')*" "and plain"
tp agent-log --level error
gives 0 '' "there may be none"
ask agent-log --level info
gives 0 '{"schema":1,"kind":"agent_log","clock":"*","level":"debug","lines":\[{*' "for programs, too"
unlike "$out" '*"level":"debug","text"*' "of the same level"
unlike "$out" '*"events"*' "and as much"
tp agent-log --set-level info
ask status
is "$(field log_level)" info "what it writes can be set by it"
tpctl resync >/dev/null
like "$(cat "$box/agents.log")" '*watch: *asked for*' "and is written"
tp agent-log --level much
gives 2 '*level*error, info, debug*' "to a level that there is"
tp agent-log --offline
gives 2 '*no log*' "without an agent there is none"

# The first lines are those that there are.
lines=$(tpctl agent-log | wc -l)
follow agent-log --follow
while [ "$lines" -gt 0 ]; do
	next_line
	lines=$((lines - 1))
done
tpctl resync >/dev/null
next_line
like "$out" "$day  info   watch: * is read again: asked for" "those to come are told"
kill_agent
next_line
like "$out" 'the agent at * has ended' "so is its end"
ask agent-log
gives 6 '*"code":"no_agent"*' "it starts none, to be asked"
is "$(agents)" "" "nor to be followed"
tpctl start >/dev/null
next_line
like "$out" "$day  info   agent: 2 Tickets of *" "it goes on with the next"
kill "$follower"
ended 143 "until it is ended"
follow agent-log -f --json --level debug
next_line
is "$(field kind lines.0.level)" "$(printf 'agent_log\ndebug')" "for programs a line is an object"
tpctl resync >/dev/null
next_line
is "$(field kind missed lines.0.level)" "$(printf 'logged\n0\ninfo')" "also of those to come"
tpctl stop >/dev/null
next_line
is "$(field kind)" disconnected "and of the end"
kill "$follower"
ended 143 "it waits for another"
tpctl start >/dev/null
is "$(tpctl agent-log -f | head -n 1 | wc -l)" 1 "it ends when nobody reads on"

ask doctor --audit
gives 0 '*"count":0,*' "what is held is what the files say"
ask doctor a --audit
status_is 2 "an audit is of everything"
mkdir 'tickets/bad name'
ln -s elsewhere tickets/b/artifacts
ask doctor --audit
gives 0 '*"count":0,*' "with all that is wrong in them"
git worktree add --quiet "$box/second"
ask doctor --audit
gives 0 '*"count":0,*' "in all checkouts"

# Something that changes all the time and is nobody's does not keep it from an end.
(while [ ! -e "$box/enough" ]; do echo x >tickets/a/notes; done) &
writer=$!
ask doctor --audit
gives 0 '*"count":0,*' "also while files that are not ours change"
: >"$box/enough"
wait "$writer"
tpctl stop >/dev/null

# One that forgets to look into new folders is found out.
logged_agents "$bin/tests/system/faulty"
TP_WATCH_FAULT=no-scan tpctl start >/dev/null
mkdir -p "$box/new" && cp tickets/a/item.md "$box/new" && mv "$box/new" tickets/new
ask show new
gives 4 '*not_found*' "with an agent that misses new folders"
ask doctor --audit
gives 5 '*"code":"drifted","severity":"error"*"file":"tickets/new"*' "the audit finds what it missed"
tpctl stop >/dev/null
finish
