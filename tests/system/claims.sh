#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Claims: who works on what, for how long, and that nothing of it is ever tracked.
. "$(dirname "$0")/lib.sh"

registry()
{
	echo "$box"/state/ticketplan/*/sessions.json
}

# until_said PATTERN WORD…: ask until the answer is like that; it comes by itself, and soon.
until_said()
{
	pattern=$1 tries=0
	shift
	while [ "$tries" -lt 2000 ]; do
		tp "$@"
		matches "$out$err" "$pattern" && return
		tries=$((tries + 1))
	done
}

again()
{
	tpctl stop >/dev/null && tpctl start >/dev/null
}

# All that git has, or could have.
tracked()
{
	git status --porcelain -uall
	find .git -type f ! -name index -exec cksum {} + | sort
}

repository r
for id in a b c d e f; do ticket $id queued; done
plan_line b 1 conflicts_with a
commit
before=$(tracked)

# -- Taking, renewing, giving back ---------------------------------------

ask claim a b --role coder --session one
gives 0 '*"kind":"claims"*"claims":?{"ticket":"a","session":"one","role":"coder","token":*"lives":"lease","until":"*{"ticket":"b",*' \
	"two Tickets are claimed at once"
token=$(field claims.0.token)
is "$(field claims.1.token)" "$token" "under one token"
ask claim c a --session two
gives 3 '*"code":"claimed"*a is claimed by one (coder) since 20*, until 20*"retryable":true*' \
	"who comes second is told who holds it since when"
ask claims
is "$(field count)" 2 "and has nothing of what he wanted"
ask check a --session two
gives 3 '*"code":"claimed","severity":"hold","origin":"claim"*' "the Ticket is held for others"
ask check a --session one
unlike "$out" '*"claimed"*' "and not for its holder"
ask call ticket.accept '{"ticket":"a","message":"x","session":"two"}'
gives 3 '*"code":"held"*a is held: claimed: claimed by one*' "others cannot accept it"
ask check b --session one
gives 3 '*conflicts with a*claimed by one*' "what conflicts with it is held for everybody"
ask show a
is "$(field ticket.claims.0.session)" one "show says who holds it"
tp brief
like "$out" '*## Claimed at present*- a by one (coder) since*' "the brief does too"
ask status
is "$(field claims)" 2 "status counts claims"

ask claim a --session one
is "$status $(field claims.0.token)" "0 $token" "who claims again keeps the token"
ask renew a --session one --ttl 2h
is "$status $(field claims.0.token)" "0 $token" "who renews too"
ask renew --session one
is "$status $(field count)" "0 2" "without a Ticket all are renewed"
ask renew a --session two
gives 3 '*"code":"claimed"*' "nobody renews what another holds"
ask release a --session two
gives 3 '*"code":"claimed"*' "or gives it back"
ask release a c --session one
gives 4 '*c is not claimed by one*' "of several all are given back or none"
ask claims
is "$(field count)" 2 "so both are there"
ask release a b --session one
gives 0 '*"ended":?{"ticket":"a"*"ending":"released"*' "they are given back"
ask release a --session one
status_is 0 "twice, if one likes"
ask claims
is "$(field count)" 0 "nobody holds anything"
ask claims --stale a
is "$(field count ended.0.ending | tr '\n' ' ')" "1 released " "and it is known how it ended"

# -- Living and dead holders ---------------------------------------------

ask claim a --session one
ask claim a --session two --takeover 'one does not answer'
gives 0 '*"session":"two"*"before":?{"ticket":"a","session":"one"*"ending":"taken_over","by":"two","reason":"one does not answer"}*' \
	"from a living holder it is taken with a reason, and that is said"
ask renew a --session one
gives 3 '*"code":"stale"*taken over by two*one does not answer*' "who lost it is told so"
ask claim a --session three --takeover ''
status_is 5 "an empty reason is none"
ask release a --session two

sleep 1000 &
holder=$!
ask claim a --session one --pid $holder
gives 0 '*"lives":"pid","pid":'$holder'*' "a claim may live by a process"
ask claim a --session one --pid $$
gives 3 '*"code":"claimed"*' "another process of the session is another"
kill -9 $holder
wait $holder 2>/dev/null
ask claim a --session two
gives 0 '*"session":"two"*"before":?{"ticket":"a","session":"one"*"ending":"exited"}*' \
	"when it is killed the claim is free at once, and the next is told"
ask release a --session two
ask claim a --pid $holder
gives 4 '*no process '$holder' lives*' "a process that is no more claims nothing"
ask claim a --pid 1 --ttl 5m
gives 2 '*give pid or ttl*' "a claim lives by one thing"
ask claim a --ttl 31d
gives 2 '*30 days*' "a lease has its limit"
ask claim nothere
gives 4 '*no Ticket*nothere*' "a Ticket that is not there"
ask claim a nothere
status_is 4 "or that is one of several"
ask claims
is "$(field count)" 0 "is claimed by nobody"
ask claim a --session "$(printf 'x\ny')"
gives 5 '*session holds a control character*' "a session's name is one line"

ask claim a --session one --ttl 1ms
token=$(field claims.0.token)
until_said '*"count":0*' --json claims
ask claims --stale
is "$(field ended.0.ending)" expired "a lease runs out by itself"
ask renew a --session one
gives 3 '*"code":"stale"*lease ran out*' "and cannot be renewed then"
ask call record.add '{"ticket":"a","kind":"related","other":"c","token":'"$token"'}'
gives 3 '*"code":"stale"*lease ran out*' "who slept past it and writes then is refused"
ask call ticket.accept '{"ticket":"a","message":"m","claim":true,"session":"one","token":'"$token"'}'
gives 3 '*"code":"stale"*' "and accepts nothing"
is "$(git status --porcelain -uall)" "" "nothing was written"

# -- For the life of a command -------------------------------------------

tp claim c --session one -- sh -c 'echo "$TP_CLAIM_TOKEN $TP_SESSION"; tpctl claims; exit 7'
gives 7 '[0-9]* one*c*one*process*' "a command holds the claim, knows its token, and says how it ended"
ask claims
is "$(field count)" 0 "when it has ended nobody holds it"
tp claim c --session one -- sh -c 'kill -TERM $$'
is "$status" 143 "signals are the command's own"
tp claim c -- "$box/none"
gives 127 '*cannot run*none*' "a command that is not there"
tp claim c -- "$box"
status_is 126 "and one that cannot be run"
until_said '*"count":0*' --json claims
ask claim c --session two
tp claim c --session one -- touch "$box/ran"
gives 3 '*c is claimed by two*' "where the claim is not to be had"
fails "the command does not run" test -e "$box/ran"
tp claim c --pid 1 -- true
gives 2 '*leave out --pid*' "its process is its own"
ask release c --session two
tp claim c d -- sh -c 'tpctl record d waiting -m "under the claim" && tpctl record e related f && tpctl --json release d'
gives 0 '*"ending":"released"*' "what is done under a claim carries its token"
rm -rf tickets/*/artifacts/records

# -- Tokens --------------------------------------------------------------

ask claim a --session one
token=$(field claims.0.token)
ask call record.add '{"ticket":"a","kind":"related","other":"c","token":'"$token"'}'
status_is 0 "a present token is good"
ask claim a --session two --takeover 'gone'
higher=$(field claims.0.token)
holds "tokens rise" test "$higher" -gt "$token"
for call in 'record.add {"ticket":"a","kind":"related","other":"d","token":'"$token"'}' \
	'record.retract {"ticket":"a","record":"x","message":"m","token":'"$token"'}' \
	'ticket.accept {"ticket":"a","message":"m","token":'"$token"'}' \
	'claim.renew {"ticket":["a"],"token":'"$token"'}' 'claim.release {"ticket":["a"],"token":'"$token"'}'; do
	ask call "${call%% *}" "${call#* }"
	gives 3 '*"code":"stale"*taken over by two*' "an old one is refused by ${call%% *}"
done
TP_CLAIM_TOKEN=$token
export TP_CLAIM_TOKEN
tp record a related d
gives 3 '*taken over by two*' "also where it comes from the environment"
TP_CLAIM_TOKEN=12
tp record c related d
gives 3 '*no live claim has the token 12*' "one that was never given"
TP_CLAIM_TOKEN=nonsense
tp record c related d
gives 2 '*TP_CLAIM_TOKEN*' "and one that is none"
unset TP_CLAIM_TOKEN
ask call claim.release '{"ticket":["a"],"token":'"$higher"'}'
status_is 0 "who has the token need not say his session"

# -- Who asks ------------------------------------------------------------

user="user:$(id -un)"
ask claim a
is "$(field claims.0.session)" "$user" "a person claims by name"
tp check a
status_is 0 "and asks by it"
TP_SESSION=mine tpctl --json claim b --ttl 1h >"$box/out"
is "$(field claims.0.session)" mine "TP_SESSION names a session"
CLAUDE_CODE_SESSION_ID=0b9e tpctl --json claim d >"$box/out"
is "$(field claims.0.session)" claude:0b9e "an agent's own id does as well"
CLAUDE_CODE_SESSION_ID=0b9e tpctl release d >"$box/out"
ask claims --holder mine
is "$(field count claims.0.ticket | tr '\n' ' ')" "1 b " "claims of one session"
ask sessions
is "$(field 'sessions.*.session' | tr '\n' ' ')" "mine $user " "sessions by name"
ask sessions --limit 1
is "$(field count returned next | tr '\n' ' ')" "2 1 mine " "in pages"
ask sessions --limit 1 --cursor mine
is "$(field sessions.0.session)" "$user" "one after the other"
ask claims --limit 1
ask claims --limit 1 --cursor "$(field next)"
is "$(field claims.0.ticket)" b "claims too"
ask claims --stale --limit 1
first=$(field ended.0.ticket ended.0.ended_at)
ask claims --stale --limit 1 --cursor "$(field next)"
isnt "$(field ended.0.ticket ended.0.ended_at)" "$first" "and those that ended"
TP_READ_ONLY=1 tp claim c
status_is 5 "who may only look claims nothing"

# -- Acceptance and claim in one step ------------------------------------

ask accept e -m 'Do it.' --claim --role coder --session one --worktree "$box/r/sub"
gives 0 '*"worktree":"sub","path":"'"$box"'/r/sub"*"claim":{"ticket":"e","session":"one","role":"coder"*' \
	"a Ticket is accepted and claimed in one step"
id=$(field record.id)
ask call ticket.accept '{"ticket":"e","message":"Do it.","worktree":"sub","claim":true,"session":"one","role":"coder","id":"'"$id"'","author":"Tester"}'
gives 0 '*"id":"'"$id"'"*"claim":{*' "asked again it is as it was"
ask accept f -m "see $box/r" --claim
gives 5 '*names a place of this machine*' "what is refused"
ask claims f
is "$(field count)" 0 "is not claimed either"
ask accept f -m 'Do it.' --role coder
gives 2 '*go with claim*' "a role is that of a claim"
ask claim f --session two
ask accept f -m 'Do it.' --session two
gives 0 '*"stored":true*' "who claims first accepts later"
ask accept d -m x --claim --pid $$ --session one
is "$(field claim.pid)" $$ "the claim may live by a process"

# -- Another start -------------------------------------------------------

sleep 1000 &
holder=$!
ask claim c --session dying --pid $holder
ask claims
was=$(field 'claims.*')
again
ask claims
is "$(field 'claims.*')" "$was" "an agent that was started anew knows every claim as it was"
kill -9 "$(agent_pid)"
kill -9 $holder
wait $holder 2>/dev/null
ask claims
is "$(field 'claims.*.ticket' | tr '\n' ' ')" "a b d e f " "who died while no agent ran holds nothing"
ask claims --stale c
is "$(field ended.0.ending)" exited "and that is said"
kill -9 "$(agent_pid)"
sed -i 's/"boot":"[^"]*"/"boot":"another"/' "$(registry)"
ask claims
is "$(field count)" 0 "a registry that was changed by hand is not believed"
ask status
like "$(field registry)" '*was damaged (its checksum does not fit)*kept as *sessions.json.bad-*' "which is said"
ask claim a --session one
holds "tokens rise all the same" test "$(field claims.0.token)" -gt "$higher"

# -- Nothing of it is tracked --------------------------------------------

rm -rf tickets/*/artifacts/records
rmdir tickets/*/artifacts 2>/dev/null
is "$(tracked)" "$before" "git has nothing of all that, and nothing below .git has changed"
like "$(stat -c %a "$(registry)")" 600 "the registry is for its owner alone"
is "$(grep -rlE 'session|"token"' tickets | wc -l)" 0 "no file of a Ticket says who claimed it"

first=$(agent_pid)
mkdir -m 700 "$box/run2"
XDG_RUNTIME_DIR="$box/run2" tpctl --json claim a --session two >"$box/out"
like "$(cat "$box/out")" '*a is claimed by one*' "another runtime directory reaches the same agent"
is "$(agents | wc -l)" 1 "of which there is one"
is "$(agent_pid)" "$first" "as before"

# -- The agent stays as long as somebody claims --------------------------

repository idle
ticket a queued
commit
tpctl claim a --ttl 1s >/dev/null
tpctl stop >/dev/null
tpd --foreground --idle-exit 20ms 2>>"$box/agents.log"
like "$(cat "$box"/state/ticketplan/idle-*/sessions.json)" '*"ticket":"a"*"ending":"expired"*' \
	"an agent that nobody asks does not end while a claim lives"
finish
