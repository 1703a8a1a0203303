#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The manuals: does mandoc like them, and do they name everything there is.
# Run with abs_top_builddir set to where they were built.

srcdir=$(CDPATH='' cd -- "${srcdir:-$(dirname "$0")/..}" && pwd -P) || exit 99
cd "${abs_top_builddir:-$(dirname "$0")/../build}" || exit 99
count=0 status=0

ok()
{
	count=$((count + 1))
	echo "ok $count - $1"
}

not_ok()
{
	count=$((count + 1)) status=1
	echo "not ok $count - $1"
	printf '%s\n' "$2" | head -n 10 | sed 's/^/#	/'
}

# all PAGE MACRO NAME…: each name stands behind the macro in an item of the page.
all()
{
	page=$1 macro=$2 missing=
	shift 2
	for name; do
		grep -q "^\.It $macro $name\( \|\$\)" "$page" || missing="$missing $name"
	done
	if [ -n "$missing" ]; then not_ok "$page names every $macro" "$missing"
	else ok "$page names every $macro ($#)"; fi
}

for page in tpctl.1 tpd.8 ticketplan-artifacts.5 ticketplan-protocol.7; do
	if command -v mandoc >/dev/null; then
		# What other manuals this machine has is not theirs.
		said=$(mandoc -Tlint "$page" 2>&1 | grep -v ' mandoc.db ')
		if [ -n "$said" ]; then not_ok "mandoc likes $page" "$said"
		else ok "mandoc likes $page"; fi
	fi
	left=$(grep -n '@[a-zA-Z]*@' "$page" | grep -v 'SPDX\|PART')
	if [ -n "$left" ]; then not_ok "$page is filled in" "$left"; else ok "$page is filled in"; fi
done

all tpctl.1 Ic $(sed -n 's/^COMMAND([a-z_]*, *"\([^"]*\)".*/\1/p' "$srcdir/client/commands.def")
all ticketplan-protocol.7 Ic $(sed -n 's/^METHOD([a-z_]*, *"\([^"]*\)".*/\1/p' "$srcdir/protocol/methods.def")
all ticketplan-protocol.7 Vt $(sed -n 's/^SHAPE(\([a-z_]*\),.*/\1/p' "$srcdir/protocol/shapes.def")
all ticketplan-protocol.7 Er $(sed -n 's/^FAULT([A-Z_]*, *"\([^"]*\)".*/\1/p' "$srcdir/protocol/faults.def")
all tpctl.1 Cm $(sed -n 's/^TOOL("\([^"]*\)".*/\1/p' "$srcdir/client/tools.def")
all ticketplan-artifacts.5 Li $(sed -n 's/^PROBLEM([A-Z_]*, *"\([^"]*\)".*/\1/p' "$srcdir/protocol/problems.def")
echo "1..$count"
exit $status
