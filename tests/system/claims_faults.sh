#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Claims and a world that fails: agents that are killed while they write them down, disks
# that are full, clocks that jump, registries that somebody spoiled.
. "$(dirname "$0")/lib.sh"
ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"

registry()
{
	echo "$box"/state/ticketplan/"$1"-*/sessions.json
}

if may_trace; then
	for what in kills both errors; do
		repository $what
		ticket kept queued
		commit
		seen_by "$python" "$system/fault_claims.py" $what "$PWD" "${TP_SCALE:-1}"
	done
else
	note "strace cannot trace here: nothing is killed or failed at chosen calls"
fi

# -- What somebody did to the registry -----------------------------------

repository spoiled
for id in a b c; do ticket $id queued; done
commit
ask claim a --session one
file=$(registry spoiled)
good=$(cat "$file")

# spoilt SENTENCE PATTERN: what status says of it, after the agent was started anew.
spoilt()
{
	tpctl stop >/dev/null
	tpctl start >/dev/null
	ask status
	like "$(field registry)" "$2" "$1"
}

refuses()
{
	ask claim b --session two
	gives "$1" "$2" "and nothing can be claimed until it is put right"
	ask check c
	status_is 0 "while everything else is answered"
	ask accept c -m 'Do it.' --override 'as ever'
	status_is 0 "and Tickets are accepted"
	tpctl retract c "$(field record.id)" -m 'As it was.' >/dev/null
}

tpctl stop >/dev/null
printf '{"format":2,"sessions":[]}\n' >"$file"
spoilt "a registry from the future is left alone" '*was written by a newer ticketplan (format 2)*'
refuses 5 '*newer ticketplan*'
is "$(cat "$file")" '{"format":2,"sessions":[]}' "not a byte of it has changed"
printf '%s\n' "$good" >"$file"
ask claim b --session two
gives 0 '*"session":"two"*' "when it is put right claims are taken again, without a new start"
ask claims
is "$(field 'claims.*.session' | tr '\n' ' ')" "one two " "and those that were there are there"
good=$(cat "$file")

for spoil in ': >"$file"' 'printf "%.100s" "$good" >"$file"' 'printf "%s\n" "$good" | tr o 0 >"$file"' \
	'printf "\0\0\0" >"$file"' 'echo "[]" >"$file"'; do
	tpctl stop >/dev/null
	rm -f "$file".bad-*
	eval "$spoil"
	spoilt "damaged: $(echo "$spoil" | cut -c1-30)" '*was damaged*all claims are lost*kept as *.bad-*'
	is "$(find "$(dirname "$file")" -name '*.bad-*' | wc -l)" 1 "it is set aside"
	ask claim a --session three
	status_is 0 "and claims begin anew"
	ask release a --session three
done

tpctl stop >/dev/null
printf '%s\n' "$good" >"$file"
chmod 640 "$file"
spoilt "one that others may read is refused" '*is open to others*chmod 600*'
refuses 8 '*open to others*'
chmod 600 "$file"
ask claim b --session two
status_is 0 "until it is closed to them"

tpctl stop >/dev/null
mv "$file" "$file.away" && mkdir "$file"
spoilt "a folder where the file belongs" '*is a folder; remove it*'
refuses 8 '*is a folder*'
rmdir "$file" && mv "$file.away" "$file"
ask claim b --session two
status_is 0 "until it is removed"

if [ "$(id -u)" -eq 0 ]; then
	tpctl stop >/dev/null
	chown 12345 "$file"
	spoilt "one that is somebody else's" '*belongs to another user*'
	chown 0 "$file"
fi

# -- Where it may not lie ------------------------------------------------

repository tracked
ticket a queued
commit
export XDG_STATE_HOME="$PWD/state"
tp claim a
gives 5 '*lies in the checkout*and git does not ignore it*' "in a checkout that would track it"
ask check a
status_is 0 "nothing is claimed, and everything else works"
is "$(find state -name 'sessions*')" "" "no file of claims was made"
echo /state/ >.gitignore
tp claim a
status_is 0 "where git ignores it, it may lie"
tpctl stop >/dev/null
export XDG_STATE_HOME="$box/state"

# -- Clocks --------------------------------------------------------------

faketime=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null | head -1)
case $(readelf -d "$bin/tpd" 2>/dev/null || :) in *libasan*) faketime= ;; esac
if [ -n "$faketime" ]; then
	repository clocks
	for id in a b c; do ticket $id queued; done
	commit
	echo '+0' >"$box/faketime"
	cat >"$box/tpd" <<-END
		#!/bin/sh
		export FAKETIME_TIMESTAMP_FILE="$box/faketime" FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1
		export LD_PRELOAD="$faketime"
		exec "$bin/tpd" "\$@" 2>>"$box/agents.log"
	END
	ask claim a --session one --ttl 1h
	until=$(field claims.0.until)
	ask claim b --session one --ttl 1s
	for jump in +1h +10y -10y -1h; do
		echo "$jump" >"$box/faketime"
		ask claims a
		is "$(field count)" 1 "a clock that jumps by $jump ends no claim"
		unlike "$(field claims.0.until)" "$until" "and says when that is, as the clock goes now"
	done
	tries=0
	while [ "$(ask claims b; field count)" != 0 ] && [ $tries -lt 1000 ]; do tries=$((tries + 1)); done
	ask claims --stale b
	is "$(field ended.0.ending)" expired "and keeps none alive"
	echo '+10y' >"$box/faketime"
	ask claim c --session one
	first=$(field claims.0.token)
	ask release c --session one
	echo '-10y' >"$box/faketime"
	ask claim c --session one
	holds "tokens rise whatever the clock says" test "$(field claims.0.token)" -gt "$first"
	tpctl stop >/dev/null
	tpctl start >/dev/null
	ask claims a
	is "$(field count)" 1 "an agent that starts at another time knows the claim"
else
	note "no libfaketime, or sanitizers that do not go with it: no clock jumps"
fi
finish
