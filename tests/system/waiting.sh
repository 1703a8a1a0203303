#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that wait for a record's answer: they cost nothing, and are not read ahead.
. "$(dirname "$0")/lib.sh"
ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"

repository waiting
ticket other queued
commit
if (cd "$system" && "$python" -c 'import sys, fault; sys.exit(not fault.may_trace())'); then
	seen_by "$python" "$system/waiting.py" "$PWD"
else
	note "strace cannot trace here: nobody sees what is read"
fi
finish
