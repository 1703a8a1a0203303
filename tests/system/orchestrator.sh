#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A day of an orchestrator that has nothing but `tpctl mcp`: on the sample tree, and on real
# ones where TP_CORPUS names some.
. "$(dirname "$0")/lib.sh"

day()
{
	note "$1"
	seen_by "$python" "$system/orchestrator.py"
	is "$(tpctl --json doctor --limit 1000 | sed -n 's/.*"errors":\([0-9]*\).*/\1/p')" "$2" \
		"and left nothing wrong in the tree"
	tpctl stop >/dev/null
}

repository sample
cp -R "$system/../../contrib/sample/tickets" .
chmod -R u+w .
commit
day "the sample" 0

for name in busy slug; do
	archive=${TP_CORPUS-/nonexistent}/$name.tar.xz
	[ -e "$archive" ] || continue
	repository "real-$name"
	tar -xJf "$archive"
	commit
	before=$(tpctl --json doctor | sed -n 's/.*"errors":\([0-9]*\).*/\1/p')
	day "the tree \"$name\"" "$before"
done
finish
