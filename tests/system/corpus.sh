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

# every_answer: what is said of all Tickets, and of each so many.
every_answer()
{
	for question in queue tickets 'records --status all' graph brief doctor log; do
		plain_answer $question
	done
	for id in $(find "$box/real/.yoi/tickets" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort |
		awk 'NR % '"$(scaled 10 60 1)"' == 1') "$waiting" "$awaited"; do
		for question in show check why records log; do plain_answer $question "$id"; done
	done
}

# state_in CHECKOUT ID STATE
state_in()
{
	sed -i "s/^state: .*/state: '$3'/" "$1/.yoi/tickets/$2/item.md"
}

# Two checkouts of a real tree: whoever asks, and wherever, is told the same.
two_checkouts()
{
	repository real
	tar -xJf "$1"
	git config ticketplan.root .yoi/tickets
	set -- $(find .yoi/tickets -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | sed -n '100p;101p')
	waiting=$1 awaited=$2
	state_in . "$waiting" queued
	state_in . "$awaited" inprogress
	commit real
	git worktree add -q "$box/beside" -b beside
	tpctl record "$waiting" blocked-by "$awaited" -m 'From the first.' >/dev/null
	(cd "$box/beside" && git config ticketplan.record-to asking &&
		tpctl record "$awaited" related "$waiting" -m 'From the second.' >/dev/null)
	state_in "$box/beside" "$awaited" done
	every_answer >"$box/here"
	(cd "$box/beside" && every_answer >"$box/there")
	holds "two checkouts of a real tree: each question has one answer in both" \
		cmp "$box/here" "$box/there"
	isnt "$(grep -c '"name":"beside".*"name":"main"' "$box/here")" 0 "which names both"
	ask check "$waiting"
	gives 3 '*"code":"unmerged"*"other":"'"$awaited"'"*"source":"beside"*' \
		"what is done in the other one only is unmerged"
	git config ticketplan.authority beside
	ask check "$waiting"
	gives 0 '*"verdict":"clear"*' "with that one as the authority it is clear"
	git config --unset ticketplan.authority
	(cd "$box/beside" && commit done)
	git merge -q beside
	ask check "$waiting"
	gives 0 '*"verdict":"clear"*' "and after the merge"
	ask records "$awaited" --status all
	gives 0 '*From the second.*' "which brings the record, too"
	tpctl stop >/dev/null
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
	two_checkouts "$TP_CORPUS/busy.tar.xz"
	checked "the whole history" "$python" "$accept/replay" "$bin/tpctl" "$TP_CORPUS/history.jsonl"
else
	note "left out: no real trees, for TP_CORPUS names none"
fi
finish
