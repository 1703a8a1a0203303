#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Agents that die in the middle of a write, and power that goes out: what was acknowledged is
# there, once and whole; what was not is there whole or not at all.

# Mounts of our own, where that is allowed.
if [ -z "${apart-}" ] && unshare -m true 2>/dev/null; then
	apart=1 exec unshare -m sh "$0"
fi
. "$(dirname "$0")/lib.sh"
ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"

crash()
{
	seen_by "$python" "$system/fault_crash.py" "$@"
}

# may_cut KIND: whether there may be a file system of ours of that kind.
may_cut()
{
	[ -n "${apart-}" ] && [ "$(id -u)" -eq 0 ] && command -v "mkfs.$1" >/dev/null || return
	truncate -s 4M "$box/try" && mkfs.ext4 -q -F "$box/try" && mkdir -p "$box/try.d" &&
		mount -o loop "$box/try" "$box/try.d" 2>/dev/null && umount "$box/try.d" &&
		{ modprobe -q "$1" 2>/dev/null; grep -qw "$1" /proc/filesystems; }
}

store()
{
	repository "$1"
	for id in other old; do ticket $id queued; done
	commit
}

if may_trace; then
	mkdir "$box/lots" && ln -s "$bin/tests/system/faulty" "$box/lots/tpd"
	store order
	crash order "$PWD" "$box/lots/tpd"
	crash kills "$box/kills" "${TP_SCALE:-1}" "$box/lots/tpd"
	crash copies "$box/copies"
	crash confirmed "$box/confirmed"
else
	note "strace cannot trace here: nothing is killed at chosen calls"
fi
for kind in ext4 xfs btrfs; do
	if may_cut $kind; then
		crash cut "$box/$kind" $kind "$(scaled 8 2 400)"
	else
		note "no disk of our own with $kind here: its power stays on"
	fi
done

store left
# A temporary name that an agent on a file system without unnamed files left behind.
for id in left later; do
	ticket $id queued
	mkdir -p tickets/$id/artifacts/records
done
torn=tickets/left/artifacts/records/.01JAAAAAAAAAAAAAAAAAAAAAAA.json.tmp
printf '{"id": "01JAAAAAAA' >$torn
ask show left
gives 0 '*"problems":[[]]*"outgoing":[[]]*' "a temporary name is nobody's record"
ask doctor left
gives 0 '*"count":0*' "and nothing wrong"
ask record left related other
gives 0 '*"stored":true*' "the next write in the folder"
is "$(ls -A tickets/left/artifacts/records | grep -c '^[.]')" 0 "sweeps it away"
: >tickets/later/artifacts/records/.01JBBBBBBBBBBBBBBBBBBBBBBB.json.tmp
ask record later related other
is "$(ls -A tickets/later/artifacts/records | grep -c '^[.]')" 1 \
	"but never one that is younger than its first write: it may be in use"
finish
