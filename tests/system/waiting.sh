#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that wait for a record's answer, their own or another's: they cost nothing, are not
# read ahead, and of one relation one is stored.
. "$(dirname "$0")/lib.sh"
ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"

repository waiting
ticket other queued
commit
seen_by "$python" "$system/waiting.py" same "$PWD"
if may_trace; then
	seen_by "$python" "$system/waiting.py" traced "$PWD"
else
	note "strace cannot trace here: nobody sees what is read, and no call fails"
fi
finish
