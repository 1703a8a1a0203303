#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tpctl watch and tpctl wait: told what changes, also by git, also over the end of an agent.
. "$(dirname "$0")/lib.sh"

repository main
ticket a queued "The first"
ticket b inprogress
commit
tpctl start >/dev/null
tpctl record a blocked-by b -m 'Needs it.' >/dev/null
commit
# That a commit has it is a change, too, which is seen a little later.
tpctl call agent.sync >/dev/null

# -- watch ----------------------------------------------------------------

follow watch
next_line
like "$out" '{"schema":1,"kind":"watch","clock":"*","fresh":false,"unknown":\[\],"version":"*"}' \
	"the first line says what it is"
clock=$(field clock)
ticket b done
next_line
is "$(field kind from fresh changed woken)" "change
$clock
false
b
a
a" "a change is a line"
kill_agent
next_line
is "$(field kind)" disconnected "the end of the agent is said"
next_line
is "$(field kind fresh)" "reconnected
true" "and that there is another, which does not know what changed"
ticket b ready
next_line
is "$(field kind woken.#)" "change
0" "it goes on"
tpctl stop >/dev/null
next_line
is "$(field kind)" disconnected "an agent that was stopped stays so"
tpctl start >/dev/null
next_line
is "$(field kind)" reconnected "until it is started"
kill "$follower"
ended 143 "it goes on until it is ended"

ask queue
clock=$(field clock)
ask watch --once --since "$clock" --timeout 0ms
gives 3 '*"kind":"watch"*"code":"timed_out"*' "nothing changed since that clock"
ticket b done
ask watch --once --since "$clock"
gives 0 '*"kind":"change"*"woken":\["a"\]*' "something has"
ask watch --once --since 01ARZ3NDEKTSV4RRFFQ69G5FAV:1
gives 0 '*"fresh":true*' "nobody knows: that is news, too"
ask watch none --once --timeout 1ms
gives 3 '*"unknown":\["none"\]*' "what is not there is named"
ask watch --since yesterday
gives 2 '*no clock*' "what is no clock is refused"
ask watch --kind nothing
gives 2 '*kind*' "and so is a word that there is not"
ask watch --offline
gives 2 '*takes the agent*' "there is nothing to follow without an agent"
is "$(tpctl watch | head -n 1 | grep -c '"kind":"watch"')" 1 "it ends when nobody reads on"

# -- wait -----------------------------------------------------------------

ticket b inprogress
tp wait a --for clear --timeout 30ms
gives 3 '*a is still held: blocked: *' "a wait says what is still in the way"
tp wait b --for resolved --timeout nonsense
gives 2 '*timeout*' "what is no time is refused"
tp wait none --for clear
gives 4 '*none*' "what is not there is not waited for"
tp wait a
gives 2 '*' "it takes what for"

is_waited_for()
{
	tries=0
	# Between two agents there is none to say.
	while waits=$(tpctl --json status | sed -n 's/.*"waits":\([0-9][0-9]*\).*/\1/p')
		[ "${waits:-0}" -lt 1 ] && [ "$tries" -lt 500 ]; do
		tries=$((tries + 1))
	done
}

git checkout --quiet -b work
ticket b done
git commit --quiet -am 'b is done'
git checkout --quiet main
reader=$box/feed
tpctl watch >"$reader" 2>/dev/null &
watcher=$!
follow wait a --for clear
while [ ! -s "$reader" ]; do :; done
is_waited_for
git merge --quiet work
next_line
is "$out" 'a "The first" may be accepted now' "a merge wakes whom it frees"
ended 0 "and the wait ends well"
tpctl call agent.sync >/dev/null
ticket b ready
# What comes next is there when all before it is.
tries=0
while [ "$(grep -c '"b"' "$reader")" -lt 2 ] && [ "$tries" -lt 2000 ]; do
	tries=$((tries + 1))
done
kill "$watcher"
wait "$watcher" 2>/dev/null
is "$(grep -c '"woken":\["a"\]' "$reader")" 1 "and once only"

follow wait b --for resolved
is_waited_for
kill_agent
ticket b done
next_line
is "$out" 'b "b" is resolved' "a wait outlives its agent"
ended 0 "and ends well"

follow wait b --for change --json
is_waited_for
kill_agent
tpctl start >/dev/null 2>&1
ticket b planning
next_line
is "$(field happened)" changed "what changes between two agents is a change"
ended 0 "and is told as one"
tp wait b --for clear --timeout 1ms
gives 3 '*b is still planning*' "what is not queued is not clear"
ticket b closed
tp wait b --for clear
gives 3 '*b is closed: there is nothing left*' "what is closed will not be"
finish
