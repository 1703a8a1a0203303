#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Several checkouts of one repository: one agent, one answer, from wherever it is asked.
. "$(dirname "$0")/lib.sh"

# everywhere SENTENCE WORD…: the same answer from each checkout.
everywhere()
{
	sentence=$1
	shift
	here=$(cd "$box/main" && plain_answer "$@")
	there=$(cd "$box/side" && plain_answer "$@")
	is "$there" "$here" "$sentence"
}

# sources: names of the checkouts that the agent reads.
sources()
{
	ask status
	field sources.name | tr '\n' ' '
}

repository main
for id in a b c; do ticket $id queued; done
commit
is "$(sources; tpctl queue >/dev/null)" "null " "no agent runs"
ask queue
is "$(sources)" "main " "one checkout"
first=$(agent_pid)

# -- One more ------------------------------------------------------------

git worktree add -q "$box/side" -b side
is "$(sources)" "main side " "git worktree add: it is there by the next question"
is "$(field sources.1.path sources.1.root sources.1.authority)" "$(printf '%s\ntickets\nfalse' "$box/side")" \
	"with its place, and main is the authority"
is "$(cd "$box/side" && agent_pid)" "$first" "the same agent answers there"
ask show a
gives 0 '*"state":"queued"*"sources":[[]{"name":"main","state":"queued","path":"tickets/a"},{"name":"side",*' \
	"a Ticket says where it is"
unlike "$out" '*"diverged"*' "and nothing of a difference where there is none"

# -- Records -------------------------------------------------------------

cd "$box/side" || exit 99
record_file a 01JAAAAAAAAAAAAAAAAAAAAAAA after b
cd "$box/main" || exit 99
ask check a
gives 3 '*"code":"ordered"*"other":"b"*' "a record in one checkout holds in all"
everywhere "and is told alike in both" show a
cp -r "$box/side/tickets/a/artifacts" tickets/a/
ask records --status all
gives 0 '*"count":1,*"sources":[[]"main","side"]*' "the same record in both is one"
sed -i 's/"author": "them"/"author": "others"/' tickets/a/artifacts/records/*.json
ask check a
gives 3 '*"code":"diverged"*' "with another content in each: said"
ask records --status all
gives 0 '*"count":1,*"author":"others"*' "and the authority's counts"
rm -r "$box/side/tickets/a/artifacts"
ask records --status all
gives 0 '*"count":1,*"sources":[[]"main"]*' "removed in one it stays in the other"
cd "$box/side" || exit 99
tp record b conflicts-with c
gives 0 'recorded *.json of the checkout main' "a record made from the other checkout: it is said where"
tp -C "$box/main" record a related c
unlike "$out" '*of the checkout*' "as it is not where it is asked"
is "$(find "$box/main/tickets/b" "$box/side/tickets/b" -name '*.json' | sed "s#$box/##; s#/tickets.*##")" \
	main "goes to the authority's"
everywhere "and is seen from both" records --status all
cd "$box/main" || exit 99
rm -r tickets/a/artifacts tickets/b/artifacts

# -- A checkout out of which all Tickets went ---------------------------------

mkdir "$box/aside"
mv tickets/* "$box/aside"
ask check a
unlike "$out" '*elsewhere*' "where the authority's checkout holds no Ticket, nothing is elsewhere"
is "$(tpctl --json status | "$python" "$system/rpc.py" field sources.0.root)" null \
	"and it is said to have no tree"
was=$(plain_answer tickets; plain_answer check a)
tpctl stop >/dev/null
tpctl start >/dev/null
first=$(agent_pid)
is "$(plain_answer tickets; plain_answer check a)" "$was" "an agent that comes new to it says the same"
mv "$box/aside"/* tickets
ask show a
gives 0 '*"sources":[[]{"name":"main"*' "it is the authority's again when they are back"

# -- States --------------------------------------------------------------

(cd "$box/side" && ticket a inprogress)
ask show a
gives 0 '*"state":"queued"*"diverged":true*' \
	"a state that differs: the authority's counts, and it is said"
ask check a
gives 3 '*"code":"accepted"*"source":"side"*' "in progress elsewhere is taken"
plan_line b 1 conflicts_with a
ask check b
gives 3 '*"code":"conflict"*"other":"a"*' "and occupies, for what conflicts with it"
rm -r tickets/b/artifacts
(cd "$box/side" && ticket a queued)
plan_line b 1 after c
ask check b
gives 3 '*"code":"ordered"*' "to wait for another"
(cd "$box/side" && ticket c done)
ask check b
gives 3 '*"code":"unmerged"*"other":"c"*"source":"side"*' \
	"that is done in the other checkout only: unmerged"
everywhere "the same verdict from both" check b
(cd "$box/side" && git add -A && git commit -qm done)
git merge -q side
ask check b
gives 0 '*"verdict":"clear"*' "after the merge it is done"
(cd "$box/side" && ticket new queued)
ask check new
gives 0 '*"code":"elsewhere","severity":"note"*' "a Ticket that only the other checkout has"
(cd "$box/side" && tpctl --json record new after a >"$box/out" 2>&1)
is "$(field path | sed 's#/artifacts.*##')" "$box/side/tickets/new" "its records go where it is"
git config ticketplan.authority side
ask show a
is "$(field ticket.state)" queued "another authority is taken over at once"
(cd "$box/side" && ticket a ready)
ask show a
is "$(field ticket.state)" ready "and counts"
git config ticketplan.authority sied
ask doctor
gives 5 '*"code":"misset"*ticketplan.authority is sied, which is no checkout*' \
	"one that is no checkout is an error for the doctor"
git config --unset ticketplan.authority
ask show a
is "$(field ticket.state)" queued "as does its end"
ask doctor
unlike "$out" '*misset*' "which the doctor sees, too"

# -- They come and go ----------------------------------------------------

git worktree add -q --detach "$box/third"
(cd "$box/third" && ticket b inprogress)
ask check b
gives 3 '*"source":"third"*' "a third one"
git worktree move "$box/third" "$box/far"
ask check b
gives 3 '*"source":"third"*' "git worktree move: it is the same one"
(cd "$box/far" && ticket b queued)
ask check b
unlike "$out" '*"code":"accepted"*' "which is watched where it is now"
(cd "$box/far" && ticket b inprogress)
git worktree remove --force "$box/far"
ask check b
unlike "$out" '*third*' "git worktree remove: what it said is forgotten"
is "$(sources)" "main side " "and it is not listed any more"
git worktree add -q --detach "$box/third"
(cd "$box/third" && ticket b inprogress)
rm -rf "$box/third"
ask check b
unlike "$out" '*third*' "removed without git: its files are gone"
git worktree prune
is "$(sources)" "main side " "git worktree prune"
# What git does in one command takes several steps, and a question may come between.
mkdir -p .git/worktrees/late
is "$(sources)" "main side " "git worktree add, begun"
git worktree add -q --detach "$box/early"
mkdir "$box/late"
(cd "$box/late" && ticket l queued)
cp .git/worktrees/early/HEAD .git/worktrees/early/commondir .git/worktrees/late
echo "gitdir: $PWD/.git/worktrees/late" >"$box/late/.git"
echo "$box/late/.git" >.git/worktrees/late/gitdir
is "$(sources)" "early late main side " "and ended"
mv "$box/late" "$box/later"
is "$(sources)" "early main side " "git worktree move, begun"
echo "$box/later/.git" >.git/worktrees/late/gitdir
ask show l
gives 0 '*"name":"late"*' "and ended"
record_file a 01JDDDDDDDDDDDDDDDDDDDDDDD after b
mkdir -p "$box/early/tickets/a/artifacts" "$box/later/tickets/a/artifacts"
cp -r tickets/a/artifacts/records "$box/early/tickets/a/artifacts"
cp -r tickets/a/artifacts/records "$box/later/tickets/a/artifacts"
ask records a --kind after
like "$out" '*"sources":[[]"early","late","main"]*' "the sources of a record by name, whenever they came"
rm -r tickets/a/artifacts/records
git worktree remove --force "$box/early"
git worktree remove --force "$box/later"
is "$(sources)" "main side " "both removed"
(cd "$box/side" && git checkout -q --orphan empty && git rm -rfq . && rm -rf tickets)
is "$(sources)" "main side " "a checkout without a tree is one all the same"
ask show new
gives 4 '*not_found*' "what only it had is gone"
(cd "$box/side" && plain_answer queue >"$box/side.queue")
is "$(cat "$box/side.queue")" "$(plain_answer queue)" "and asked from there the others answer"
is "$(agent_pid)" "$first" "all that by one agent"
tpctl stop >/dev/null

before=$(plain_answer show a; plain_answer queue)
is "$before" "$(plain_answer show a; plain_answer queue)" "stopped"
tpctl start >/dev/null
git -C "$box/side" checkout -qf side
after=$(plain_answer show a --status all; plain_answer tickets)
tpctl stop >/dev/null
tpctl start >/dev/null
is "$(plain_answer show a --status all; plain_answer tickets)" "$after" \
	"an agent that starts later says the same of all checkouts"

# -- More than there is room for -----------------------------------------

for i in $(seq 70); do
	mkdir -p .git/worktrees/n$i "$box/n$i"
	cp .git/HEAD .git/worktrees/n$i/HEAD
	echo ../.. >.git/worktrees/n$i/commondir
	echo "$box/n$i/.git" >.git/worktrees/n$i/gitdir
	echo "gitdir: $PWD/.git/worktrees/n$i" >"$box/n$i/.git"
done
ask doctor
gives 5 '*"code":"misset"*checkouts, of which 63 are read: name those*ticketplan.sources*' \
	"more checkouts than can be read: said"
for i in $(seq 70); do rm -r .git/worktrees/n$i "$box/n$i"; done
ask doctor
unlike "$out" '*misset*' "as long as it is so"
tpctl stop >/dev/null

# -- Not all of them ------------------------------------------------------

tpctl start >/dev/null
git worktree add -q --detach "$box/other"
git config ticketplan.sources 'main, other'
is "$(sources)" "main other " "only the checkouts that ticketplan.sources names"
git config ticketplan.sources sied
ask queue
gives 4 '*ticketplan.sources is sied, of which no checkout is there*' \
	"a choice of which nothing is there is said to be one"
for root in .git .git/worktrees; do
	git config ticketplan.sources main
	git config ticketplan.root $root
	ask queue
	gives 4 "*ticketplan.root is $root, and what lies in .git is git's own*" "$root is no tree"
	git config --unset ticketplan.root
	is "$(sources)" "main " "and what becomes of the configuration is seen after it"
done
git config ticketplan.sources side
is "$(sources)" "side " "another choice is taken over at once"
git config --unset ticketplan.sources
is "$(sources)" "main other side " "and its end"
git worktree remove --force "$box/other"
tpctl stop >/dev/null

# -- Without a main checkout ---------------------------------------------

git clone -q --bare "$box/main" "$box/bare.git"
cd "$box/bare.git" || exit 99
ask queue
gives 4 '*"code":"no_tree"*no worktree to look*' "a bare repository has no tree"
git worktree add -q "$box/only" main
ask tickets
gives 0 '*"count":3*' "until it has a worktree"
is "$(sources)" "only " "which is the one source"
(cd "$box/only" && ticket a done)
ask show a
is "$(field ticket.state)" done "and is watched"
tp record a related b
gives 0 'recorded*' "records can be made"
is "$(git -C "$box/only" status --porcelain -uall | grep -c records)" 1 "in that worktree"

git init -q --separate-git-dir "$box/apart.git" "$box/apart"
cd "$box/apart" || exit 99
ticket s queued
ask queue
gives 0 '*"id":"s"*' "a git directory that lies apart"
finish
