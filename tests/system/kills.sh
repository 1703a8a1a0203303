#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An agent that is killed again and again while many write to it.
. "$(dirname "$0")/lib.sh"

load()
{
	seen_by "$python" "$system/load.py" "$box" "$@"
}

# Rounds, so that not all of the time goes into reading what is there already.
load 8 "$(scaled 4 1 400)" 50
load 64 "$(scaled 1 1 100)" 10
finish
