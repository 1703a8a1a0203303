#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Real trees: what an independent program computed from them, and their whole history.
# TP_CORPUS names the folder they lie in; without it a small tree of our own is asked.
. "$(dirname "$0")/lib.sh"

# The checks start agents of their own, in boxes below this one.
export TMPDIR="$box"

checked()
{
	sentence=$1
	shift
	if "$@" >"$box/checked" 2>&1; then
		ok "$sentence: $(tail -n 1 "$box/checked")"
	else
		not_ok "$sentence" "$(cat "$box/checked")"
	fi
}

repository small
ticket a queued
ticket b done
ticket c ready
plan_line a 1 after b
plan_line a 2 blocked_by c
ask check a
gives 3 '*"verdict":"held","reasons":[[]{"code":"blocked"*"other":"c"*' \
	"a small tree: one of two blockers is done"
is "$(field gate.reasons.#)" 1 "so one reason is left"

accept=${TP_CORPUS-}/../accept
if [ -n "${TP_CORPUS-}" ] && [ -e "$accept/facts" ]; then
	for archive in "$TP_CORPUS"/*.tar.xz; do
		name=$(basename "$archive" .tar.xz)
		checked "facts of the tree \"$name\"" \
			"$python" "$accept/facts" "$bin/tpctl" "$archive" "$TP_CORPUS/expected/$name.json"
	done
	checked "the whole history" "$python" "$accept/replay" "$bin/tpctl" "$TP_CORPUS/history.jsonl"
else
	note "left out: no real trees, for TP_CORPUS names none"
fi
finish
