#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whatever a system call changed, a question that is sent after it returned sees it; and
# agents that would not are found out by the same questions.

# In memory, where that is, unless TMPDIR says otherwise: a disk makes each cycle wait.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ]; then
	export TMPDIR=/dev/shm
fi
. "$(dirname "$0")/lib.sh"

cycles=$(scaled 400 20 50000)

# begin NAME: a repository with an empty tree in a folder of its own, nothing else.
begin()
{
	repository "$1"
	mkdir tickets outside
	git config ticketplan.root tickets
	tpctl start >/dev/null
}

begin right
seen_by "$bin/tests/system/fresh" "$(tpctl socket)" "$PWD/tickets" "$PWD/outside" "$cycles"
tpctl --json status >"$box/out"
is "$(field overflows)" 0 "the kernel lost count of nothing meanwhile"
tpctl stop >/dev/null

# Agents that drain late, or do not list folders that appear.
logged_agents "$bin/tests/system/faulty"
for fault in late-drain no-scan; do
	begin "$fault"
	tpctl stop >/dev/null
	note "with $fault:"
	TP_WATCH_FAULT=$fault tpctl start >/dev/null
	seen_by "$bin/tests/system/fresh" "$(tpctl socket)" "$PWD/tickets" "$PWD/outside" 20 blind
	tpctl stop >/dev/null
done
finish
