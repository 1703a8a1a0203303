#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A system that says no in the middle of a write, and trees in which things are not what they
# should be: each answer is clear, nothing is acknowledged that is not there, and it works again
# once the cause is gone.

# Mounts of our own, where that is allowed.
if [ -z "${apart-}" ] && unshare -m true 2>/dev/null; then
	apart=1 exec unshare -m sh "$0"
fi
. "$(dirname "$0")/lib.sh"

if may_trace; then
	repository failing
	ticket other queued
	commit
	mkdir "$box/lots" && ln -s "$bin/tests/system/faulty" "$box/lots/tpd"
	seen_by "$python" "$system/fault_error.py" "$PWD" "${TP_SCALE:-1}" "$box/lots/tpd"
else
	note "strace cannot trace here: no calls fail at will"
fi

# -- Files that may not grow ---------------------------------------------

repository bounded
for id in a b; do ticket $id queued; done
commit
tpctl start >/dev/null
holds "an agent whose files may have 100 bytes" prlimit --fsize=100:100 --pid "$(agent_pid)"
ask record a related b
gives 8 '*"code":"io"*cannot write the record*File too large*' "says so"
ask records --status all
gives 0 '*"count":0*' "lives, and has recorded nothing"
is "$(find tickets -path '*records/*')" "" "nor left anything behind"
tpctl stop >/dev/null
tpd --foreground 2>"$box/bounded.log" &
bounded=$!
until tpctl --no-start status >/dev/null 2>&1; do :; done
ask record a related b
gives 0 '*"stored":true*' "without the limit it works"
prlimit --fsize=0:0 --pid "$bounded"
kill -TERM "$bounded"
wait "$bounded"
is "$?" 0 "a log that may not grow ends no agent before its time"

# -- What is in the way --------------------------------------------------

# in_the_way WHERE PATTERN SENTENCE: something is there; a record is refused until it is gone.
in_the_way()
{
	ask record t after b --id 01JAAAAAAAAAAAAAAAAAAAAAAA
	gives 5 "$2" "$3"
	is "$(ls -A "$box/elsewhere")" "" "and nothing is written elsewhere"
	rm -rf "$1"
	ask record t after b --id 01JAAAAAAAAAAAAAAAAAAAAAAA
	gives 0 '*"stored":true*' "until it is gone"
	rm -r tickets/t/artifacts
}

repository odd
for id in b t; do ticket $id queued; done
commit
mkdir "$box/elsewhere"
ln -s "$box/elsewhere" tickets/t/artifacts
in_the_way tickets/t/artifacts '*artifacts is not a folder; links*' \
	"a link where artifacts/ belongs"
mkfifo tickets/t/artifacts
in_the_way tickets/t/artifacts '*artifacts is not a folder*' "a pipe"
: >tickets/t/artifacts
in_the_way tickets/t/artifacts '*artifacts is not a folder*' "a file"
records=tickets/t/artifacts/records
mkdir tickets/t/artifacts && ln -s "$box/elsewhere" $records
in_the_way $records '*records is not a folder; links*' "a link where records/ belongs"
mkdir tickets/t/artifacts && mkfifo $records
in_the_way $records '*records is not a folder*' "a pipe"
if mkdir tickets/t/artifacts && mknod $records c 1 3 2>/dev/null; then
	in_the_way $records '*records is not a folder*' "a device"
else
	rm -r tickets/t/artifacts
fi
file=$records/01JAAAAAAAAAAAAAAAAAAAAAAA.json
mkdir -p $records && ln -s "$box/elsewhere/x" $file
in_the_way $file '*01JAAAAAAAAAAAAAAAAAAAAAAA.json is there and is no regular file*' \
	"a link where the record's file belongs"
mkdir -p $records && mkfifo $file
in_the_way $file '*is there and is no regular file*' "a pipe"
mkdir -p $file
in_the_way $file '*is there and is no regular file*' "a folder"
mkdir -p $records && echo '{' >$file
in_the_way $file '*is there already and is no such record*' "a file that is no record"
record_file t 01JBBBBBBBBBBBBBBBBBBBBBBB after b
mv $records/01JBBBBBBBBBBBBBBBBBBBBBBB.json $file
ask doctor
gives 5 '*"code":"wrong_name"*' "a record under another's name is found"
ask record t related b --id 01JBBBBBBBBBBBBBBBBBBBBBBB
gives 0 '*"kind":"related"*"stored":true*' "and its id is free"
rm $records/01JBBBBBBBBBBBBBBBBBBBBBBB.json
in_the_way $file '*is there already and is no such record*' "but the name is taken"

# -- Folders that vanish -------------------------------------------------

n=$(scaled 20 5 500)
(
	while [ ! -e "$box/enough" ]; do
		mkdir -p tickets/t/artifacts/records
		rm -rf tickets/t/artifacts
	done
) 2>/dev/null &
remover=$!
odd=0
for i in $(seq "$n"); do
	ask record t related b -m "number $i"
	matches "$status$out" '0*"stored":true*' ||
		matches "$status$out" '[48]*"kind":"error"*"code":"'"*" || odd=$((odd + 1))
done
: >"$box/enough"
wait "$remover"
is "$odd" 0 "while the folder vanishes time and again each answer is clear"
ask record t after b
gives 0 '*"stored":true*' "and after that it works"
ask recover t
gives 0 '*"recovered":[[]"*' "what went with the folder is brought back"
ask doctor t
gives 0 '*"errors":0*' "nothing is wrong"

# -- Trees that cannot be written ----------------------------------------

# mounted OPTIONS: a repository on a file system of its own.
mounted()
{
	mkdir -p "$box/mounted"
	mount -t tmpfs -o "$1" none "$box/mounted" 2>/dev/null || return
	repository mounted
	for id in a b; do ticket $id queued; done
	tpctl start >/dev/null
}

unmount()
{
	cd "$box" || exit 99
	tpctl -C mounted stop >/dev/null
	umount mounted
}

if [ -n "${apart-}" ] && mounted size=256k; then
	cat /dev/zero >fill 2>/dev/null
	ask record a related b
	gives 8 '*"code":"no_space"*No space left*' "a full disk"
	is "$(find tickets -name '*.json*')" "" "keeps nothing of the record"
	ask queue
	gives 0 '*"count":2*' "questions are answered"
	rm fill
	ask record a related b --id 01JAAAAAAAAAAAAAAAAAAAAAAA
	gives 0 '*"stored":true*' "with room again it works"
	cat /dev/zero >fill 2>/dev/null
	ask record a related b --id 01JAAAAAAAAAAAAAAAAAAAAAAA
	gives 0 '*"stored":true*' "what is there is confirmed on a full disk, too"
	mount -o remount,ro "$box/mounted"
	ask record a related b -m more
	gives 8 '*"code":"io"*Read-only file system*' "a read-only file system"
	ask record b related a
	gives 8 '*"code":"io"*folder */tickets/b/artifacts*Read-only file system*' "also where folders are to be made"
	mount -o remount,rw "$box/mounted"
	rm fill
	ask record a related b -m more
	gives 0 '*"stored":true*' "which can be written again"
	unmount
	mounted nr_inodes=200
	i=0
	while touch "fill.$i" 2>/dev/null; do i=$((i + 1)); done
	ask record a related b -m inodes
	gives 8 '*"code":"no_space"*' "a disk without inodes"
	rm fill.*
	ask record a related b -m inodes
	gives 0 '*"stored":true*' "with some again it works"
	unmount
else
	note "no file system of our own here: none is full or read-only"
fi
finish
