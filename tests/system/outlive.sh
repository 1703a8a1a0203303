#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A decision outlives its checkout: whatever happens to the file, it counts until a
# commit has it, and can be written back.
. "$(dirname "$0")/lib.sh"

# kept [ours|committed]: how many copies there are of what is in no commit, or of these that were
# not only seen; or of what a commit has.
kept()
{
	cat "$box"/state/ticketplan/*/kept.records 2>/dev/null |
		awk -v which="${1-}" '
			$1 == "record" { ours[$3 " " $4] = NF == 4; since[$3 " " $4] = 0 }
			$1 == "committed" { since[$3 " " $4] = $2 }
			$1 == "gone" { delete ours[$2 " " $3]; delete since[$2 " " $3] }
			END {
				for (one in since)
					count += which == "committed" ? since[one] > 0 : !since[one] && (!which || ours[one])
				print count + 0
			}'
}

# decided ID: whether the record counts, and how.
status_of()
{
	ask records --status all
	printf '%s\n' "$out" | sed 's/{"id"/\n{"id"/g' | grep -F "\"$1\"" |
		sed 's/.*"status":"\([a-z]*\)".*/\1/'
}

record_id()
{
	field record.id
}

repository main
ticket a queued
ticket b ready
commit
git worktree add -q "$box/side" -b side
git config ticketplan.record-to asking

# -- A worktree that is removed by force ---------------------------------

(cd "$box/side" && tpctl --json record a blocked-by b -m 'Needs it.') >"$box/out"
one=$(record_id)
is "$(field source path | head -c 200)" \
	"$(printf 'side\n%s' "$box/side/tickets/a/artifacts/records/$one.json")" \
	"record-to=asking: it goes where it is asked for, and the answer says so"
is "$(kept)" 1 "a copy is kept"
ask check a
gives 3 '*"code":"untracked","severity":"note"*in no commit yet*' "the gate notes that it is in no commit"
git worktree remove --force "$box/side"
ask check a
gives 3 '*"verdict":"held"*"code":"blocked"*"code":"untracked"*tpctl recover*' \
	"the worktree removed by force: it holds all the same"
is "$(status_of "$one")" lost "and is said to be lost"
ask show a
gives 0 '*"status":"lost","sources":[[]],*' "by the Ticket too, in no checkout"
ask doctor
gives 5 '*"code":"lost"*'"$one"*'tpctl recover*' "and by the doctor"
ask doctor --audit
gives 0 '*"errors":0*' "but is no file that the agent got wrong"
ask brief
gives 0 "*lost a: record $one*" "and by the brief"
tpctl stop >/dev/null
tpctl start >/dev/null
is "$(status_of "$one")" lost "also after the agent was started anew"
ask show a --provenance
gives 0 '*"provenance":{"standing":"lost"}*' "which is how it stands to git"
ask --offline show a --provenance
gives 0 '*"provenance":{"standing":"lost"}*' "on a pipe, too"
ask --offline check a
gives 3 '*"verdict":"held"*tpctl recover*' "and on a pipe"
tp recover nothing
gives 4 '*names no lost record*' "a name that is none"
ask recover a
gives 0 "*\"recovered\":[[]\"$box/main/tickets/a/artifacts/records/$one.json\"],\"left\":[[]]*" \
	"written back, into a checkout that is there"
is "$(status_of "$one")" live "it is there again"
ask records --provenance
gives 0 '*"provenance":{"standing":"untracked"}*' "and nothing that git knows of"
ask recover
gives 0 '*"recovered":[[]],"left":[[]]*' "and there is nothing more"
is "$(kept)" 1 "its copy stays"
commit 'with it'
ask check a
unlike "$out" '*"code":"untracked"*' "until a commit has it"
ask records --provenance
gives 0 '*"provenance":{"standing":"committed","came":{*"subject":"with it"}}*' "which is named"
is "$(kept) $(kept committed)" "0 1" "and stays for a while, should that commit go"

# A wait holds as long as it did, also where only its copy is left.
tpctl --json record a waiting -m 'Mara decides.' --until human >"$box/out"
rm "$(field path)"
ask check a
gives 3 '*"code":"waiting","severity":"hold"*' "a wait whose file is gone holds too"
ask brief
gives 0 '*Waits*Mara decides.*' "and the brief lists it"
tp recover --forget
gives 0 'let go of *' "what is let go is told to be"

# -- What people do to files ---------------------------------------------

vanishes()
{
	tpctl --json record a after b -m 'Later.' >"$box/out"
	two=$(record_id)
	eval "$1"
	is "$(status_of "$two")" lost "$2: lost"
	ask check a
	gives 3 '*"code":"ordered"*' "$2: and holds"
	tpctl recover >/dev/null
	is "$(status_of "$two")" live "$2: written back"
	rm tickets/a/artifacts/records/"$two".json
	is "$(status_of "$two")" lost "removed by hand"
	ask recover "$two" --forget
	gives 0 "*\"recovered\":[[]\"$two\"]*" "and let go"
	tp recover
	gives 0 'nothing is lost' "and nothing more"
	is "$(status_of "$two")" "" "for good"
}
vanishes 'git clean -qfdx' 'git clean'
vanishes 'git add -A; git reset -q --hard' 'git reset --hard'
vanishes 'git stash -qu; git stash drop -q' 'git stash, dropped'

tpctl --json record a after b -m 'Later.' >"$box/out"
two=$(record_id)
git stash -qu
is "$(status_of "$two")" lost "git stash -u"
git stash pop -q
is "$(status_of "$two")" live "git stash pop"

# -- Who asks again ------------------------------------------------------

# asked_again SENTENCE: an agent that died on the way made no copy; its heir confirms the record.
asked_again()
{
	tpctl --json record a after b -m "$1" >"$box/out"
	two=$(record_id)
	eval "${2-}"
	kill_agent
	rm "$box"/state/ticketplan/main-*/kept.records
	eval "${3-}"
	ask record a after b -m "$1" --id "$two"
	gives 0 '*"stored":true*' "$1: a record that is there is confirmed"
}
asked_again 'before anybody looked'
is "$(kept ours)" 1 "and kept as ours by then"
rm "tickets/a/artifacts/records/$two.json"
is "$(status_of "$two")" lost "deleted it is lost, not gone"
tpctl recover >/dev/null
asked_again 'once its copy was made' '' 'ask records'
rm "tickets/a/artifacts/records/$two.json"
is "$(status_of "$two")" lost "so is one of which a copy was made as of somebody's"
tpctl recover >/dev/null
ask record a after b -m 'once its copy was made' --id "$two"
is "$(kept ours)" 1 "confirmed once more it is what it was"
asked_again 'when a commit has it' 'commit two'
ask check a
unlike "$out" '*"code":"untracked"*' "which is in a commit"
is "$(kept)" 0 "and needs no copy"
git rm -q "tickets/a/artifacts/records/$two.json"
is "$(status_of "$two")" "" "nor is it lost where it goes"
git reset -q --hard
is "$(status_of "$two")" live "and comes"
tpctl --json record a after b -m 'Later.' >"$box/out"
two=$(record_id)

# -- Commits remove what commits brought ---------------------------------

commit 'two'
is "$(status_of "$two")" live "committed"
git rm -q "tickets/a/artifacts/records/$two.json"
is "$(status_of "$two")" "" "removed from the index and the checkout, with a commit that has it: gone, not lost"
git commit -qm 'without two'
ask doctor
unlike "$out" '*"code":"lost"*' "nor by a commit that removes it"
git worktree add -q "$box/third" -b third
(cd "$box/third" && tpctl --json record a related b && git add -A && git commit -qm three) >"$box/out"
three=$(head -n 1 "$box/out" | sed 's/.*"id":"\([^"]*\)".*/\1/')
git worktree remove --force "$box/third"
is "$(status_of "$three")" "" "on a branch that nobody has checked out it is no more lost than that branch"
is "$(kept)" 0 "no copy of it is kept"
git merge -q third
is "$(status_of "$three")" live "and it comes with the merge"

# -- Commits go, too -----------------------------------------------------

# decided ID: a decision about a, in a commit of the present checkout.
decided()
{
	tpctl --json record a after b -m 'Decided.' | sed 's/.*"id":"\([^"]*\)".*/\1/'
	git add -A
	git commit -qm decided
}

two=$(decided)
is "$(status_of "$two")" live "decided, in a commit"
git reset -q --hard HEAD~1
is "$(status_of "$two")" lost "that a reset takes away: lost"
ask check a
gives 3 '*"code":"ordered"*"code":"untracked"*tpctl recover*' "it holds, and is in no commit any more"
tpctl stop >/dev/null
tpctl start >/dev/null
is "$(status_of "$two")" lost "also for the next agent"
tpctl recover >/dev/null
ask check a
gives 3 '*"code":"ordered"*"code":"untracked","severity":"note"*' "written back it is as it was before the commit"
commit 'once more'
ask check a
unlike "$out" '*"code":"untracked"*' "until it is in another one"
git reset -q HEAD~1
git clean -qfdx
is "$(status_of "$two")" lost "a reset that leaves the files, which are cleaned away then"
ask recover
gives 0 "*$two.json*\"left\":[[]]*" "and written back"
commit 'for good'
is "$(status_of "$two")" live "again it is there"

git switch -q -c aside HEAD~1
is "$(status_of "$two")" "" "on a branch without it, it is not there"
git switch -q main
ask check a
unlike "$out" '*"code":"untracked"*' "and is as it was when its branch is there again"
git branch -q -D aside

git worktree add -q "$box/apart" -b apart
four=$(cd "$box/apart" && decided)
git worktree remove --force "$box/apart"
is "$(status_of "$four")" "" "a branch has it, and no checkout"
tpctl stop >/dev/null
tpctl start >/dev/null
is "$(status_of "$four")" "" "which is no loss"
git switch -q apart
is "$(status_of "$four")" live "it is there where the branch is checked out"
git switch -q main
is "$(status_of "$four")" "" "and not where another one is"
git branch -q -D apart
is "$(status_of "$four")" lost "the branch deleted: lost"
tpctl recover --forget >/dev/null
is "$(status_of "$four")" "" "and let go, if that was meant"

# ref_goes REF COMMAND: nothing else leads to the decision, and nothing else of git changes.
ref_goes()
{
	four=$(decided)
	eval "$1"
	git reset -q --hard HEAD~1
	is "$(status_of "$four")" "" "$1 has it alone"
	eval "$2"
	is "$(status_of "$four")" lost "$2: lost"
	tpctl recover --forget >/dev/null
}
git branch -q of/mine
ref_goes 'git branch of/many/words' 'git branch -q -f of/many/words main'
ref_goes 'git branch -q -f of/many/words main' 'git update-ref -d refs/heads/of/many/words'
ref_goes 'git tag of' 'git tag -f of main >/dev/null'
ref_goes 'git update-ref refs/remotes/origin/of main' 'git update-ref -d refs/remotes/origin/of'
git branch -q -D of/mine
git tag -d of >/dev/null

git worktree add -q --detach "$box/apart"
four=$(cd "$box/apart" && decided)
is "$(status_of "$four")" live "in a commit that no branch has"
git worktree remove --force "$box/apart"
is "$(status_of "$four")" lost "the checkout was all that led there"
tpctl recover --forget >/dev/null

two=$(decided)
git worktree add -q "$box/apart" -b apart
git rm -q "tickets/a/artifacts/records/$two.json"
git commit -qm 'without it'
is "$(status_of "$two")" live "removed by a commit here, and there in another checkout"
tpctl call agent.sync >/dev/null
before=$(kept committed)
(cd "$box/apart" && git rm -q "tickets/a/artifacts/records/$two.json" && git commit -qm 'nor there')
is "$(status_of "$two")" "" "removed there, too: gone"
tpctl call agent.sync >/dev/null
is "$(kept committed)" $((before - 1)) "with its copy"
git worktree remove --force "$box/apart"
git branch -q -D apart

two=$(decided)
mkdir -p other/c
printf -- '---\nstate: queued\n---\n' >other/c/item.md
git config ticketplan.root other
ask doctor
unlike "$out" '*"code":"lost"*' "another root is configured: what the usual one has is not lost"
tpctl stop >/dev/null
tpctl start >/dev/null
is "$(status_of "$two")" "" "nor for the next agent"
git config --unset ticketplan.root
is "$(status_of "$two")" live "it is there with its root"
rm -r other

mkdir -p .git/worktrees/half
echo 0000000000000000000000000000000000000000 >.git/worktrees/half/HEAD
ask log
status_is 0 "a worktree that git is about to make leads nowhere, and is no error"
rm -r .git/worktrees/half

# -- A Ticket that goes with its checkout --------------------------------

git worktree add -q --detach "$box/fourth"
(cd "$box/fourth" && ticket new queued && tpctl --json record new after a) >"$box/out"
four=$(record_id)
git worktree remove --force "$box/fourth"
is "$(status_of "$four")" lost "a record of a Ticket that is gone too"
ask doctor
gives 5 "*\"code\":\"lost\"*\"ticket\":\"new\"*$four*" "the doctor names both"
ask recover
gives 0 "*\"recovered\":[[]],\"left\":[[]\"$four of new: the Ticket is in no checkout*" \
	"it cannot be written back without its Ticket"
ticket new queued
ask recover
gives 0 '*tickets/new/artifacts/records/*"left":[[]]*' "and can, once that is there"

# -- Records of others ---------------------------------------------------

commit 'all'
git worktree add -q "$box/fifth" -b fifth
(cd "$box/fifth" && record_file b 01JAAAAAAAAAAAAAAAAAAAAAAA related a)
ask records
tpctl call agent.sync >/dev/null
is "$(kept)" 1 "a record that somebody wrote by hand is kept too, once it was seen"
git worktree remove --force "$box/fifth"
is "$(status_of 01JAAAAAAAAAAAAAAAAAAAAAAA)" lost "it is lost with its checkout"
tpctl stop >/dev/null
git worktree add -q "$box/fifth" fifth
tpctl start >/dev/null
is "$(status_of 01JAAAAAAAAAAAAAAAAAAAAAAA)" lost "also where another one of that name comes"
tpctl recover >/dev/null
is "$(status_of 01JAAAAAAAAAAAAAAAAAAAAAAA)" live "and recovered"
record_file b 01JBBBBBBBBBBBBBBBBBBBBBBB related a
tpctl call agent.sync >/dev/null
rm tickets/b/artifacts/records/01JBBBBBBBBBBBBBBBBBBBBBBB.json
is "$(status_of 01JBBBBBBBBBBBBBBBBBBBBBBB)" "" \
	"what somebody wrote and deletes in a checkout that stays was meant to go"
agent=$(agent_pid)
kill -STOP "$agent"
git worktree add -q "$box/sixth" -b sixth
(cd "$box/sixth" && record_file b 01JCCCCCCCCCCCCCCCCCCCCCCC related a)
kill -CONT "$agent"
is "$(status_of 01JCCCCCCCCCCCCCCCCCCCCCCC)" live "a record that is there when its checkout is found"
tpctl call agent.sync >/dev/null
git worktree remove --force "$box/sixth"
is "$(status_of 01JCCCCCCCCCCCCCCCCCCCCCCC)" lost "is kept as well"
tpctl recover --forget >/dev/null
git add -A
git update-ref refs/heads/aside "$(git commit-tree -m aside "$(git write-tree)")"
ask check b
unlike "$out" '*"code":"untracked"*' "a commit on any branch will do"
is "$(kept ours)" 0 "for its copy to go"
TP_READ_ONLY=1 tpctl recover >"$box/out" 2>&1
like "$(cat "$box/out")" '*read*' "who may only read recovers nothing"

# -- At random -----------------------------------------------------------

tpctl stop >/dev/null
repository random
for id in a b c; do ticket $id queued; done
commit
git commit -q --allow-empty -m second
tpctl start >/dev/null
seen_by "$python" "$system/outlive.py" "$PWD" "$(scaled 60 30 10000)" "${TP_SEED:-2}"
tpctl stop >/dev/null
finish
