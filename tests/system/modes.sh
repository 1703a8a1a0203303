#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where nobody tells what changed, the agent looks, and says so: while git is at work, under
# mounts, on file systems of others, and where watches run out.

# Mounts are made where nobody else sees them.
if [ -z "${INSIDE-}" ] && unshare -Urm true 2>/dev/null; then
	INSIDE=1 exec unshare -Urm sh "$0"
fi
. "$(dirname "$0")/lib.sh"

# lists IDS SENTENCE: these Tickets are there, each with its state.
lists()
{
	ask tickets
	is "$(field 'tickets.*.id' 'tickets.*.state' | tr '\n' ' ' | sed 's/ $//')" "$1" "$2"
}

# mode WORD SENTENCE: so the agent says it keeps up.
mode()
{
	is "$(tpctl --json status | sed 's/.*"mode":"\([a-z]*\)".*/\1/')" "$1" "$2"
}

milliseconds()
{
	date +%s%3N
}

# -- git at work ---------------------------------------------------------

repository busy
ticket a queued
ticket b queued
ticket c queued
commit
ask queue
unlike "$out" '*freshness*' "at rest nothing is said of freshness"
: >.git/index.lock
ask queue
gives 0 '*"count":3*"freshness":{"mode":"watch","reasons":?"git is at work in checkout main*"git_busy":?"main"?}}' \
	"while git has locked the index, answers say so"
tp queue
like "$out" '*may be unfinished: git is at work*' "to people, too"
rm .git/index.lock
ask queue
unlike "$out" '*freshness*' "and no longer than that"
git worktree add --quiet "$box/linked"
: >.git/worktrees/linked/index.lock
ask queue
like "$out" '*"git_busy":?"linked"?*' "in a linked checkout"
rm .git/worktrees/linked/index.lock

# An acceptance that comes while git writes is decided on what git has written.
: >.git/index.lock
tpctl --json accept a -m 'now' >"$box/accepted" 2>&1 &
until tpctl --json status | grep -q '"clients":2'; do :; done
plan_line a 1 blocked_by b
rm .git/index.lock
wait $! && status=0 || status=$?
out=$(cat "$box/accepted") err=
gives 3 '*"code":"held"*blocked*' "an acceptance waits for git, and is decided on what it left"

: >.git/index.lock
before=$(milliseconds)
tp accept b -m 'later'
took=$(($(milliseconds) - before))
status_is 0 "a lock that stays holds up nobody for ever"
if [ "$took" -ge 1000 ]; then ok "it was waited for"; else not_ok "it was waited for" "$took ms"; fi
tp accept c -m 'now'
status_is 0 "one that is old is not waited for again"
like "$out" '*index.lock*' "but named"
rm .git/index.lock
tpctl stop >/dev/null

# -- A file system that keeps silent -------------------------------------

logged_agents "$bin/tests/system/faulty"
repository silent
ticket a queued
ticket b ready
commit
TP_WATCH_FAULT=deaf tpctl start >/dev/null
mode watch "a file system that tells nothing looks like any other"
ticket a done
lists "a b queued ready" "at first"
ask record b after a
gives 0 '*"freshness":{"mode":"scan","reasons":?"the tree of checkout main is looked through at each question: the system did not tell of a file that was written here"?}*' \
	"until a record of our own is told of by nobody: its answer says so"
mode scan "so does status"
lists "a b done ready" "all that was missed until then is seen"
ask records b --status all
gives 0 '*"count":1*"kind":"after"*' "and the record"
ticket b queued
lists "a b done queued" "and whatever comes, by looking"
like "$(cat "$box/agents.log")" '*nobody told of it; the tree is looked through from now on*' \
	"the log names the file"
tpctl stop >/dev/null
logged_agents

# -- Mounts --------------------------------------------------------------

if [ -n "${INSIDE-}" ]; then
repository mounts
ticket a queued
ticket b ready
commit
lists "a b queued ready" "before anything is mounted"
started=$(agent_pid)
mount -t tmpfs none tickets/b
lists "a queued" "something mounted over a Ticket's folder hides it"
ticket b done
lists "a b queued done" "what is written there is seen"
umount tickets/b
lists "a b queued ready" "taken off it is as before"
mount -t tmpfs none tickets
ask queue
gives 4 '*"code":"no_tree"*' "something mounted over the tree"
ticket z queued
lists "z queued" "is the tree, once there is a Ticket"
umount -l tickets
lists "a b queued ready" "and no more when it is taken off"
ticket a done
lists "a b done ready" "the first one is watched again"
mkdir tickets/c
mount --bind tickets/a tickets/c
lists "a b c done ready done" "a folder that is there twice"
ticket a queued
lists "a b c queued ready queued" "is seen at both its places, written here"
ticket c ready
lists "a b c ready ready ready" "and there"
mode partial "and only one of them can be watched"
umount tickets/c
lists "a b ready ready" "until it is taken off"
mode watch "all is watched again"
mkdir "$box/elsewhere"
mount -t tmpfs none "$box/elsewhere"
: >"$box/elsewhere/x"
before=$(tpctl --json status | sed 's/.*"rescans":\([0-9]*\).*/\1/')
umount "$box/elsewhere"
tpctl queue >/dev/null
is "$(tpctl --json status | sed 's/.*"rescans":\([0-9]*\).*/\1/')" "$before" \
	"what is mounted elsewhere makes nobody read again"
is "$(agent_pid)" "$started" "all by one agent"
tpctl stop >/dev/null

mkdir -p "$box/lower/tickets/l" "$box/upper" "$box/work" "$box/overlay"
printf -- '---\ntitle: l\nstate: queued\n---\n' >"$box/lower/tickets/l/item.md"
if mount -t overlay none -o "lowerdir=$box/lower,upperdir=$box/upper,workdir=$box/work" \
	"$box/overlay" 2>/dev/null; then
	repository overlay
	lists "l queued" "on an overlay"
	ticket l done
	lists "l done" "a file of the lower layer that is written"
	ticket m ready
	lists "l m done ready" "and one of the upper"
	tp record m after l
	status_is 0 "and our own"
	mode watch "are told of"
	tpctl stop >/dev/null
	cd "$box" || exit 99
	umount "$box/overlay"
else
	note "left out: no overlay can be mounted here"
fi

# -- File systems of others ----------------------------------------------

mkdir -p "$box/theirs/a" "$box/foreign"
if command -v bindfs >/dev/null && bindfs "$box/theirs" "$box/foreign" 2>/dev/null; then
	umount "$box/foreign"
	# What FUSE itself remembers for a second is no matter of ours.
	uncached=attr_timeout=0,entry_timeout=0,negative_timeout=0
	repository foreign-tree
	mkdir tickets
	tree=$box/theirs
	ticket a queued
	bindfs -o "$uncached" "$box/theirs" tickets
	lists "a queued" "a tree on FUSE"
	like "$out" '*"freshness":{"mode":"scan","reasons":?"the tree of checkout main*FUSE*' \
		"is looked through, and the answer says why"
	mode scan "so does status"
	ticket a done
	lists "a done" "what others change behind it is seen"
	mkdir -p "$tree/a/artifacts"
	plan_line a 1 after b
	ask records a --status all
	gives 0 '*"count":1*' "also new folders"
	mv "$tree/a" "$tree/b"
	lists "b done" "and names"
	rm -r "$tree/b"
	ask tickets
	gives 4 '*no_tree*' "down to the last"
	ticket n queued
	lists "n queued" "and up again"
	tpctl --json wait n --for change --timeout 20s >"$box/waited" 2>&1 &
	waiter=$!
	until tpctl --json status | grep -q '"unsent":0,"waits":true' || ! kill -0 $waiter; do :; done
	ticket n queued another
	wait $waiter && status=0 || status=$?
	out=$(cat "$box/waited") err=
	status_is 0 "who waits for a change is told without asking again"
	walks=$(tpctl --json status | sed 's/.*"walks":\([0-9]*\).*/\1/')
	tpctl wait n --for change --timeout 1s >/dev/null 2>&1
	walks=$(($(tpctl --json status | sed 's/.*"walks":\([0-9]*\).*/\1/') - walks))
	if [ "$walks" -lt 8 ]; then ok "by a look now and then"; else
		not_ok "by a look now and then" "$walks looks in a second"; fi
	tree=tickets
	tp record n waiting -m 'something'
	status_is 0 "a record is written there"
	ask check n
	gives 0 '*"waiting"*' "and seen"
	tp doctor
	tpctl stop >/dev/null
	cd "$box" || exit 99
	umount "$box/foreign-tree/tickets"

	repository foreign-part
	ticket a queued
	mkdir tickets/b
	lists "a queued" "a tree of our own"
	printf -- '---\ntitle: b\nstate: ready\n---\n' >"$box/theirs/item.md"
	bindfs -o "$uncached" "$box/theirs" tickets/b
	lists "a b queued ready" "with one Ticket on FUSE"
	mode partial "is watched but for that"
	printf -- '---\ntitle: b\nstate: done\n---\n' >"$box/theirs/item.md"
	lists "a b queued done" "which is looked at each time"
	tpctl watch --once >"$box/told" &
	until [ -s "$box/told" ] || ! kill -0 $!; do :; done
	printf -- '---\ntitle: b\nstate: ready\n---\n' >"$box/theirs/item.md"
	wait $!
	like "$(cat "$box/told")" '*"changed":?"b"?*' "and in between for who wants to be told"
	tpctl stop >/dev/null
	cd "$box" || exit 99
	umount "$box/foreign-part/tickets/b"
else
	note "left out: bindfs is not there, or may not be used"
fi
else
	note "left out: this machine lets nobody mount"
fi
finish
