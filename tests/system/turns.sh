#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the agent does first where much is to be done at once.
. "$(dirname "$0")/lib.sh"

if may_trace; then
	repository busy
	for i in 1 2 3 4 5 6 7 8; do ticket "t$i" queued; done
	commit
	seen_by "$python" "$system/turns.py" "$PWD"
else
	note "strace cannot trace here: nobody sees what comes first"
fi
finish
