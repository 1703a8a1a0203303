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

repository chaos
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
tpctl start >/dev/null
seen_by "$bin/tests/system/chaos" "$(tpctl socket)" "$PWD" "$(agent_pid)" "$steps" "$seed"
tpctl --json status >"$box/out"
note "$(field events) events, $(field rescans) rescans, $(field overflows) overflows"
finish
