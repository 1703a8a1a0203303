#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A second opinion: what tpd says of trees made by chance, good and bad, in one checkout
# and in several, against what a slow reader of the same files works out by itself.
seed=${TP_SEED:-1}
. "$(dirname "$0")/lib.sh"

worlds=$(scaled 4 1 400)
note "seed $seed (TP_SEED)"
mkdir "$box/worlds"
seen_by "$python" "$system/oracle_ask.py" "$bin/tpctl" "$box/worlds" "$seed" "$worlds"

if [ -n "${TP_CORPUS-}" ]; then
	for archive in "$TP_CORPUS"/*.tar.xz; do
		name=$(basename "$archive" .tar.xz)
		repository "$name"
		tar -xJf "$archive"
		seen_by "$python" "$system/oracle_ask.py" --tree "$bin/tpctl" "$box/$name"
	done
	# Two checkouts of one project at different commits.
	cd "$box/flat" && commit
	git worktree add -q --detach ../later
	rm -rf ../later/.yoi
	tar -xJf "$TP_CORPUS/busy.tar.xz" -C ../later
	seen_by "$python" "$system/oracle_ask.py" --tree "$bin/tpctl" "$box/flat"
	mkdir "$box/history"
	for checkouts in one two; do
		seen_by "$python" "$system/oracle_ask.py" --history "$bin/tpctl" "$box/history" \
			"$TP_CORPUS/history.jsonl" "$checkouts"
	done
fi
finish
