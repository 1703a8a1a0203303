#!/bin/sh
# SPDX-License-Identifier: MIT
#
# git as the timeline: what a revision says, what changed between two.
. "$(dirname "$0")/lib.sh"

timeline()
{
	"$python" "$system/timeline.py" "$@"
}

# clone_of NAME: a checkout to try commits in, with the same root.
clone_of()
{
	git clone -q --shared --no-checkout "$box/$1" "$box/$1.clone" 2>"$box/err"
	git -C "$box/$1.clone" config ticketplan.root t
}

# same_as_fresh NAME COMMITS
same_as_fresh()
{
	clone_of "$1"
	tpctl -C "$box/$1" start >/dev/null
	seen_by "$python" "$system/timeline.py" same "$(tpctl -C "$box/$1" socket)" "$box/$1" \
		"$box/$1.clone" "$2" "$bin/tpd"
}

# -- One revision --------------------------------------------------------

repository main
ticket a queued
ticket b ready
plan_line a 1 blocked_by b
commit first
ticket b 'done'
commit second
ticket a inprogress
ask check a --at HEAD~1
gives 3 '*"verdict":"held"*"code":"blocked"*"other_state":"ready"*' "what held at an earlier commit"
like "$out" "*\"clock\":\"*:$(git rev-parse HEAD~1).*" "the clock names the commit"
ask check a --at HEAD
gives 0 '*"verdict":"clear"*' "what was clear at a later one"
ask check a
gives 3 '*"not_queued"*' "and now it is being worked on"
ask show a --at "$(git rev-parse --short HEAD)"
gives 0 '*"state":"queued"*"sources":[[]{"name":"main",*' "by a short id"
git tag -am 'a tag' v1 HEAD~1
ask why a --at v1
gives 0 '*"code":"blocked"*' "by a tag"
ask queue --at v1
gives 0 '*"count":1,*' "the queue of then"
ask graph --at v1
gives 0 '*"from":"a","to":"b"*' "the graph of then"
ask records a --at ':/first'
gives 0 '*"count":1,*' "by the words of its message"
ask tickets --at HEAD --state 'done'
gives 0 '*"count":1,*' "the Tickets of then"
one=$(git rev-parse HEAD~1)
plain_answer show a --at "$one" >"$box/one"
is "$(plain_answer show a --at "$one")" "$(cat "$box/one")" "asked again, from memory, the same"
for try in nowhere HEAD~9 HEAD:tickets --all ''; do
	ask show a "--at=$try"
	gives 4 '*"code":"not_found"*' "no commit \"$try\""
done
ask show a --at HEAD --source main
gives 2 '*give one*' "a commit, or a checkout, not both"
git rm -rq --cached tickets && git commit -qm none
ask queue --at HEAD
gives 4 '*"code":"no_tree"*commit*looked for*' "a commit without a tree"
git config ticketplan.root tickets
ask queue --at HEAD
gives 4 '*"code":"no_tree"*ticketplan.root is tickets*' "said otherwise where the root is configured"
ask check a --at HEAD~1
gives 0 '*"clear"*' "and the commit before it has one"
git config --unset ticketplan.root
git reset -q HEAD~1

# -- What changed --------------------------------------------------------

ask diff HEAD~1 HEAD
gives 0 '*"count":3,*"what":"verdict","ticket":"a","before":"held","after":"clear"*"what":"state","ticket":"b","before":"ready","after":"done"*' \
	"between two commits"
like "$out" "*\"from\":\"$(git rev-parse HEAD~1)\",\"to\":\"$(git rev-parse HEAD)\"*" "which are named"
ask diff HEAD
gives 0 '*"what":"state","ticket":"a","before":"queued","after":"inprogress"*' "from one to now"
unlike "$out" '*"to":*' "which has no name"
tp record b related a -m "Looks alike."
ask diff HEAD
gives 0 '*"what":"record_added","ticket":"b","after":"live","record":*,"kind":"related","other":"a"*"note":"Looks alike."*' \
	"with what is in no commit yet"
tp diff HEAD
gives 0 '*b?  +  related  a*live*Looks alike.*' "for people too"
ask diff HEAD --ticket a
gives 0 '*"count":2,*' "of one Ticket"
ask diff HEAD HEAD
gives 0 '*"count":0,*"changes":[[]]*' "nothing between one and itself"
ask diff HEAD nowhere
gives 4 '*no revision*nowhere*' "no such revision"
ask diff nowhere
gives 4 '*no revision*nowhere*' "and none to begin from"

# -- What became of records ----------------------------------------------

ask log a
gives 0 '*"count":1,*"record":"1","ticket":"a","kind":"blocked_by","other":"b","author":"them"*"status":"satisfied","came":{"commit":"*"author":"Tester",*"subject":"first"}}*' \
	"in which commit a decision came"
ask log b
gives 0 '*"count":1,*"note":"Looks alike."*"status":"live"}*' "none, as long as it is in no commit"
tpctl commit b -m 'a decision' >"$box/out"
ask log b
gives 0 '*"came":*"subject":"a decision"}}*' "and then that"
tpctl retract b "$(field log.0.record)" -m 'It does not.' >/dev/null
ask log b --kind related
gives 0 '*"count":1,*"status":"retracted"*"retracted":{"record":"*","author":"Tester",*"note":"It does not."}*' \
	"who took it back, and why"
tp log b
gives 0 '*related *a *retracted*
*in ????????????*Tester: a decision*
*taken back*Tester: It does not.*' "for people too"
plan_line b 9 after a
git add tickets/b/artifacts && git commit -qm 'with nine'
git rm -rqf tickets/b/artifacts && git commit -qm 'without it'
ask log b --kind after
gives 0 '*"count":1,*"record":"9"*"came":*"subject":"with nine"},"vanished":*"subject":"without it"}*' \
	"what vanished, and in which commit"
unlike "$out" '*"status"*' "has no status any more"
git commit -q --amend -m 'gone'
ask log b --kind after
gives 0 '*"vanished":*"subject":"gone"*' "a commit that was replaced is forgotten"
git reset -q --hard HEAD~2
ask log b --kind after
gives 0 '*"count":0,*' "with all that it brought"
ask log nobody
gives 4 '*no Ticket*nobody*' "a Ticket that never was"
git clone -q --depth 1 "file://$box/main" "$box/shallow"
ask -C "$box/shallow" log a
gives 0 '*"came":*"subject":"a decision"}*' "in a shallow clone the first commit that it has"
git checkout -q HEAD~1 -- tickets 2>/dev/null
ticket a inprogress

# -- Who asks, and one checkout alone ------------------------------------

git worktree add -q "$box/side" -b side "$(git rev-parse ":/first")"
(cd "$box/side" && tpctl --json show b --at HEAD) >"$box/out"
is "$(field ticket.state ticket.sources.0.name)" "$(printf 'ready\nside')" \
	"HEAD is that of the checkout in which one stands"
(cd "$box/side" && ticket b planning)
ask show b --source side
gives 0 '*"state":"planning"*"sources":[[]{"name":"side"*' "one checkout alone"
ask show b --source main
gives 0 '*"state":"done"*' "and the other"
unlike "$out" '*diverged*' "which knows of no other"
(cd "$box/side" && ticket b ready)
ask show b --source side
gives 0 '*"state":"ready"*' "as it is now"
ask records --source nowhere
gives 4 '*no checkout*nowhere*' "one that is not there"

# -- Other forms of a repository -----------------------------------------

# answers NAME SENTENCE: two commits, a blocker done in the second.
answers()
{
	tree=tickets
	ticket a queued
	ticket b ready
	plan_line a 1 blocked_by b
	commit first
	ticket b 'done'
	commit second
	ask check a --at HEAD~1
	gives 3 '*"code":"blocked"*' "$1: a revision"
	ask diff HEAD~1 HEAD
	gives 0 '*"what":"verdict","ticket":"a"*' "$1: a difference"
	ask log a
	gives 0 '*"came":*"subject":"first"*' "$1: the log"
	tpctl --json record b related a >"$box/out"
	rm "$(field path)"
	ask show b
	gives 0 '*"status":"lost"*' "$1: what is in no commit"
	tpctl recover >/dev/null && commit third
	ask show b
	unlike "$out" '*"code":"untracked"*' "$1: and what is in one"
}
mkdir "$box/sha256" && cd "$box/sha256" || exit 99
git init -q --template= --object-format=sha256
answers sha256
repository extended
git config core.repositoryformatversion 1
for one in worktreeConfig=true partialClone=origin preciousObjects=true; do
	git config "extensions.${one%=*}" "${one#*=}"
done
answers extensions
repository split
git config core.splitIndex true
git update-index --split-index 2>"$box/err"
answers 'a split index'
repository sparse
mkdir -p other/below && echo 1 >other/below/file && commit
git sparse-checkout set --cone --sparse-index tickets 2>"$box/err"
is "$(git ls-files --sparse)" other/ "git keeps a folder as one entry of its index"
answers 'a sparse index'
mkdir -p "$box/apart"
repository relative
commit
git worktree add -q "$box/apart/linked" -b linked
echo ../../../../apart/linked/.git >.git/worktrees/linked/gitdir
echo 'gitdir: ../../relative/.git/worktrees/linked' >"$box/apart/linked/.git"
cd "$box/apart/linked" || exit 99
answers 'a checkout linked by relative paths'
is "$(field ticket.sources.0.name)" linked "which is the one that is asked"
git -C "$box/relative" config core.repositoryformatversion 1
git -C "$box/relative" config extensions.relativeWorktrees true
ask check a --at HEAD~2
gives 3 '*"code":"blocked"*' "also where git's own release is too old for them"
repository tables
ticket a queued
commit
git config core.repositoryformatversion 1
git config extensions.refStorage reftable
fails "a form that even git does not know: git refuses" git rev-parse HEAD
ask check a
gives 0 '*"clear"*' "what the files say is answered"
tp record a waiting -m 'Later.'
status_is 0 "and written"
for words in 'show a --at HEAD' 'diff HEAD' log; do
	ask $words
	gives 8 '*"code":"git"*git refuses the repository too*refstorage*' "$words: one clear error"
done
ask check a
gives 0 '*"waiting"*' "and no end of it"
repository super
git -c protocol.file.allow=always submodule --quiet add "$box/split" tickets/module 2>"$box/err"
answers 'a submodule among Tickets'
ask show a --at HEAD
repository broken
ticket a queued
commit
blob=$(git rev-parse HEAD:tickets/a/item.md)
chmod u+w .git/objects/*/*
echo broken >".git/objects/$(echo "$blob" | cut -c1-2)/$(echo "$blob" | cut -c3-)"
ask show a --at HEAD
gives 8 "*\"code\":\"git\"*$blob*fsck*" "an object that is damaged is named"
ask show a
gives 0 '*"state":"queued"*' "and the files are answered for all the same"

# -- git's own files ------------------------------------------------------

# Each file below .git with its bytes, and when it was changed.
snapshot()
{
	find .git -type f -exec sha256sum {} + | sort
	find .git -printf '%p %T@ %s\n' | sort
}
repository untouched
ticket a queued
ticket b ready
commit
git worktree add -q "$box/beside" -b beside
tpctl stop >/dev/null
snapshot >"$box/before"
tpctl start >/dev/null
for words in status tickets 'check a' 'show a --at HEAD' 'diff HEAD~0' log 'log a' brief doctor queue \
	'record a after b' 'show b --source beside' 'accept a -m x --override y' resync recover; do
	ask $words
done
rm -r tickets/a/artifacts
ask records
ask recover
tpctl stop >/dev/null
snapshot >"$box/after"
is "$(cat "$box/after")" "$(cat "$box/before")" "nothing below .git is written, and nothing is touched"

# -- The same as a fresh agent on a checkout -----------------------------

repository random
timeline make "$box/random" "$(scaled 100 40 400)" && git reset -q --hard 2>"$box/err"
same_as_fresh random "$(scaled 12 4 50)"
seen_by "$python" "$system/timeline.py" log "$(tpctl -C "$box/random" socket)" "$box/random"
cd "$box/main" || exit 99
history=${TP_CORPUS-}/history.jsonl
if [ -n "${TP_CORPUS-}" ] && [ -e "$history" ]; then
	repository replayed
	timeline replay "$box/replayed" "$history"
	same_as_fresh replayed "$(scaled 1 1 50)"
else
	note "left out: a real history, for TP_CORPUS names none"
fi
finish
