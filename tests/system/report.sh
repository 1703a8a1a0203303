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
