#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whatever several processes and git do to a tree, at random and at once, every answer is as
# the files are.  TP_SEED says where to begin, so that what was seen can be seen again.
seed=${TP_SEED-}
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ]; then
	export TMPDIR=/dev/shm
fi
. "$(dirname "$0")/lib.sh"

steps=$(scaled 5000 500 1000000)
[ "${TP_SCALE:-1}" -lt 100 ] || steps=1000000
: "${seed:=$(date +%s)}"

# chaos NAME STEPS [WATCHES]: in a repository of that name, where the kernel allows no more watches.
chaos()
{
	repository "$1"
	git config ticketplan.root tickets
	mkdir aside
	mkdir -p .git/info
	echo /aside >.git/info/exclude
	for i in a b c d e; do ticket $i queued "'$i'"; done
	commit one
	git branch one
	for i in a c; do ticket $i done "'$i'"; done
	git rm -rq tickets/e
	commit two
	git branch two
	if [ $# -lt 3 ]; then
		tpctl start >/dev/null
	else
		unshare -Ur sh -c 'echo "$0" >/proc/sys/user/max_inotify_watches && tpctl start' \
			"$3" >/dev/null
	fi
	seen_by "$bin/tests/system/chaos" "$(tpctl socket)" "$PWD" "$(agent_pid)" "$2" "$seed"
	tpctl --json status >"$box/out"
	note "$(field events) events, $(field rescans) rescans, $(field overflows) overflows"
	tpctl stop >/dev/null
}

chaos all "$steps"
# Some folders are watched, and others looked at with each question.
if unshare -Ur sh -c 'echo 20 >/proc/sys/user/max_inotify_watches' 2>/dev/null; then
	chaos few $((steps / 5)) 20
else
	note "left out: this machine lets nobody lower a limit of inotify"
fi
finish
