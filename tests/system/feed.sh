#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that are told what changes, and clients that wait for it.
. "$(dirname "$0")/lib.sh"

repository main
ticket first queued
commit
# What was freed counts as memory while a sanitizer keeps it.
export ASAN_OPTIONS="$ASAN_OPTIONS:quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
tpctl start >/dev/null
pid=$(agent_pid)
seen_by "$python" "$system/feed.py" "$(tpctl socket)" "$pid" "$PWD/$tree" "${TP_SCALE:-1}"
is "$(agent_pid)" "$pid" "the agent lived through all of it"
finish
