#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that are told what changes, and clients that wait for it.
. "$(dirname "$0")/lib.sh"

repository main
ticket first queued
commit
tpctl start >/dev/null
pid=$(agent_pid)
seen_by "$python" "$system/feed.py" "$(tpctl socket)" "$pid" "$PWD/$tree" "${TP_SCALE:-1}"
is "$(agent_pid)" "$pid" "the agent lived through all of it"
finish
