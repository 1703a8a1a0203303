#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A program of a stranger, on the library alone.
. "$(dirname "$0")/lib.sh"

library=$bin/tests/system/library

repository main
ticket a queued
ticket b inprogress
commit
is "$("$library" . ask ticket.check a)" "verdict clear" "it starts an agent and asks"
is "$("$library" . ask ticket.check none)" 'error not_found: no Ticket "none"' \
	"an error has a code and a text"
is "$("$library" / ask ticket.check a | cut -d: -f1)" "error no_repository" \
	"where there is no repository it says so"
seen_by "$library" . bad

mkfifo "$box/lines"
"$library" . follow 2 >"$box/lines" &
exec 3<"$box/lines"
next_line()
{
	IFS= read -r line <&3 || line="(end)"
}
next_line
is "$line" "subscribed on" "it subscribes"
ticket b done
next_line
is "$line" "changed b" "and is told"
kill -KILL "$(agent_pid)"
next_line
is "$line" ended "it hears that the agent has ended"
# One that is dying may take a connection and drop it.
while [ "$line" = ended ]; do next_line; done
is "$line" "subscribed fresh" "opened again its feeds are there again"
ticket a ready
next_line
is "$line" "changed a" "and go on"
holds "it ends" wait $!

"$library" . listen >"$box/lines" &
exec 3<"$box/lines"
next_line
is "$line" "listening -" "it listens to what else is told"
tpctl resync >/dev/null
next_line
like "$line" "agent.logged watch: *" "and hears of it, by its topic"
holds "and ends" wait $!

# What it is made of is nobody's business, and may be called the same elsewhere.
is "$(nm -g --defined-only "$bin/libticketplan.a" | awk 'NF == 3 && $3 !~ /^tp_/')" "" \
	"the library shows only what its header names"
finish
