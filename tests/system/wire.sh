#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that send nonsense, die, dawdle or flood; and others that are served meanwhile.
. "$(dirname "$0")/lib.sh"

repository main
for i in 1 2 3; do ticket "t$i" queued; done
commit
tpctl start >/dev/null
first=$(agent_pid)
seen_by "$python" "$system/wire.py" "$(tpctl socket)" "$first" "$(scaled 1000 100 4000)"
is "$(agent_pid)" "$first" "the agent lived through all of it"
ask queue
gives 0 '*"count":3*' "and answers"

# Big enough that it does not fit into one answer.
mkdir -p tickets/big/artifacts
ticket big queued
note=$(head -c 8000 /dev/zero | tr '\0' x)
for i in $(seq 800); do
	printf '{"id":"r%04d","ticket_id":"big","kind":"related","related_ticket":"t1","note":"%s","author":"x","at":"2026-01-01T00:00:00Z"}\n' \
		"$i" "$note"
done >tickets/big/artifacts/orchestration-plan.jsonl
ask records big --limit 1000
gives 0 '*"count":800,*"next":"*' "an answer of more than 4 MiB comes as a page"
is "$(wc -c <"$box/out" | awk '{ print $1 < 4300000 }')" 1 "of less"
got=$(field returned)
field records.id >"$box/ids"
ask records big --limit 1000 --cursor "$(field next)"
field records.id >>"$box/ids"
is "$((got + $(field returned))) $(sort -u "$box/ids" | wc -l) $(field next)" "800 800 null" \
	"and the rest as the next one"
ask show big --status all
gives 0 '*"cut":*' "what has no pages says how much did not fit"
ask records --limit 1
gives 0 '*"returned":1*' "and the connection after it works"
finish
