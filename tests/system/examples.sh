#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The examples, each with its language's own MessagePack: they list the queue, tell what
# changes, and go on when the agent was killed or restarted.
. "$(dirname "$0")/lib.sh"

examples=$(CDPATH='' cd -- "$system/../../contrib/examples" && pwd -P)

# hear PATTERN: read on until a line is like that; gives up when the program ends or is late.
hear()
{
	while IFS= read -r line <&3; do
		! matches "$line" "$1" || return 0
	done
	return 1
}

# hears PATTERN SENTENCE
hears()
{
	if hear "$1"; then ok "$2"; else not_ok "$2" "wanted: $1" "$(cat "$box/$language.err")"; fi
}

# follow LANGUAGE COMMAND…: run an example through all that it shall see.
follow()
{
	language=$1
	shift
	repository "$language"
	ticket a queued 'The first'
	ticket b inprogress 'The second'
	plan_line a r-1 blocked_by b
	commit
	mkfifo "$box/$language.out"
	timeout 60 "$@" >"$box/$language.out" 2>"$box/$language.err" &
	example=$!
	exec 3<"$box/$language.out"
	hears 'queued a held' "$language: it lists the queue, and started the agent"
	ticket b 'done'
	hears 'woken a' "$language: it tells that a Ticket became clear"
	kill -KILL "$(agent_pid)"
	hears 'queued a clear' "$language: it goes on when the agent was killed, and lists again"
	ticket c queued 'The third'
	hears 'changed c' "$language: and tells what changes then"
	tpctl stop >/dev/null
	rm -r tickets/c
	tpctl start >/dev/null
	hears 'queued a clear' "$language: it goes on when the agent was stopped and started"
	ticket d queued 'The fourth'
	hears 'changed d' "$language: and tells what changes then"
	kill "$example"
	wait "$example" 2>/dev/null
	exec 3<&-
	tpctl stop >/dev/null
}

# has LANGUAGE PROGRAM WORD…: whether it can be run here.
has()
{
	language=$1
	shift
	if command -v "$1" >/dev/null && "$@" >/dev/null 2>&1 </dev/null; then return 0; fi
	note "left out: $language, for it or its MessagePack is not here"
	return 1
}

follow c "$bin/contrib/examples/queue"
if has python "$python" -c 'import msgpack'; then follow python "$python" "$examples/queue.py"; fi
if has node node -e 'require("@msgpack/msgpack")'; then follow node node "$examples/queue.js"; fi
for lua in lua5.3 lua5.2 lua5.1 lua; do
	if command -v "$lua" >/dev/null; then break; fi
done
if has lua "$lua" -e 'require("MessagePack") require("socket.unix")'; then
	follow lua "$lua" "$examples/queue.lua"
fi
finish
