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
		"$box/$1.clone" "$2" "$bin/tpd" "$(scaled 12 12 1000)"
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
	gives 4 '*"code":"no_revision"*"hint":"*git log*' "no commit \"$try\", and where they are"
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
gives 0 '*"came":*"subject":"a decision","shallow":true}*' \
	"in a shallow clone the first commit that it has, and that it may not be the first"
tp -C "$box/shallow" log a
like "$out" '*(or earlier: the clone is shallow)*' "for people, too"
git -C "$box/shallow" fetch -q --unshallow
ask -C "$box/shallow" log a
unlike "$out" '*shallow*' "a clone that was made whole has its own history"
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

# -- How records stand to git ---------------------------------------------

# stands RECORD PATTERN SENTENCE: in what was asked last.
stands()
{
	found=$("$python" -c 'import json, sys
answer = json.load(open(sys.argv[1]))
rows = answer.get("records", answer.get("ticket", {}).get("outgoing"))
print(*[(r.get("provenance", {}).get("standing"), r.get("provenance", {}).get("came", {}).get("subject"),
	r.get("provenance", {}).get("came", {}).get("author")) for r in rows if r["id"] == sys.argv[2]])
' "$box/out" "$1" | tr -d "(),'")
	is "$found" "$2" "$3"
}

repository provenance
ticket a queued
ticket b ready
plan_line a one before b
ask records --provenance
stands one "untracked None None" "before the first commit a file is unknown to git"
git add -A
ask records --provenance
stands one "staged None None" "then staged"
GIT_AUTHOR_NAME=Ann commit first
ask records --provenance
stands one "committed first Ann" "then in a commit, with who made it"
like "$out" "*\"came\":{\"commit\":\"$(git rev-parse HEAD)\"*" "which is named"
ask records
unlike "$out" '*provenance*' "unasked nothing is said of it"
plan_line a two after b
ask show a --provenance
stands two "modified None None" "a line more in a file that git has"
stands one "committed first Ann" "leaves those before it as they are"
git add -A
ask show a --provenance
stands two "staged None None" "until that is staged"
sed -i 's/"them"/"others"/' tickets/a/artifacts/orchestration-plan.jsonl
ask show a --provenance
stands two "modified None None" "one that was changed after that is modified"
stands one "modified first Ann" "so is one that came in a commit, and says otherwise now"
git checkout -q tickets && commit second
mkdir -p tickets/b/artifacts
printf '{"version":1,"relations":[{"ticket_id":"b","kind":"related","target":"a","author":"them","at":"2026-01-02T03:04:05Z"}]}' \
	>tickets/b/artifacts/relations.json
ask records --provenance
stands related:a "untracked None None" "a relation, too"
commit third
ask records --provenance
stands related:a "committed third Tester" "and its commit"
printf 'tickets/*/artifacts/records/\n' >.gitignore
record_file b 01J00000000000000000000001 after a
ask records --provenance
stands 01J00000000000000000000001 "ignored None None" "a file that git ignores"
git add -f tickets/b/artifacts/records && git commit -qm fourth
ask records --provenance
stands 01J00000000000000000000001 "committed fourth Tester" "does git good once it is added by force"
tp records b --kind after --provenance
gives 0 '*after *a *them *committed *'"$(git rev-parse --short=12 HEAD)"' *Tester*' "for people too"
git rm -q --cached -r tickets/b/artifacts/records
ask records --provenance
stands 01J00000000000000000000001 "ignored fourth Tester" "taken out of the index it is ignored again"
git reset -q
git config core.autocrlf true
rm tickets/b/artifacts/records/* && git checkout -q tickets
ask records --provenance
stands 01J00000000000000000000001 "committed fourth Tester" "ends of lines make no difference"
git config --unset core.autocrlf
rm tickets/b/artifacts/records/* && git checkout -q tickets
ask records --provenance --at HEAD~1
stands one "committed first Ann" "what a commit says is committed"
stands 01J00000000000000000000001 "" "and what is not in it is not told"
git worktree add -q "$box/beyond" -b beyond HEAD~3
(cd "$box/beyond" && record_file a 01J00000000000000000000002 after b)
ask records --provenance
stands 01J00000000000000000000002 "untracked None None" "of a linked checkout"
git -C "$box/beyond" add -f tickets
ask records --provenance
stands 01J00000000000000000000002 "staged None None" "the index is asked"
git -C "$box/beyond" commit -qm beyond
ask records --provenance
stands 01J00000000000000000000002 "committed beyond Tester" "and the commit that it is at"
stands related:a "committed third Tester" "with its own for each"
ask records --provenance --source beyond
stands two "" "one checkout alone"
stands one "committed first Ann" "is asked of git alone"
(cd "$box/beyond" && git rm -q --cached tickets/a/artifacts/orchestration-plan.jsonl)
ask records --provenance --source beyond
stands one "untracked first Ann" "which need not be as another"
tp record b waiting -m x --until human
ask records --provenance --limit 1
id=$(field records.0.id)
git worktree list >/dev/null
rm tickets/b/artifacts/records/"$id".json
ask records --provenance
stands "$id" "lost None None" "what is lost is in no checkout"
"$python" - >tickets/a/artifacts/orchestration-plan.jsonl <<'END'
for i in range(1500):
    print('{"id":"%d","ticket_id":"a","kind":"related","related_ticket":"b","author":"them","at":"2026-01-02T03:04:05Z"}' % i)
END
ask records a --provenance --limit 1000
is "$(field returned; field 'records.*.provenance.standing' | grep -c modified)" "1000
998" \
	"a page of a thousand"

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
	ask records --provenance --status all
	gives 0 '*"provenance":{"standing":"lost"}*"id":"1",*"standing":"committed","came":{*"subject":"first"*' \
		"$1: how records stand to git"
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
for words in 'show a --at HEAD' 'diff HEAD' log 'records --provenance'; do
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

repository torn
ticket a queued
ticket b queued
commit
git checkout -q -b side
tp record a after b
tp commit
git checkout -q "$(git rev-parse --abbrev-ref '@{-1}')"
ask log
gives 0 '*"count":1*' "what another branch has"
cp .git/refs/heads/side "$box/ref"
: >.git/refs/heads/side
ask log
gives 8 '*"code":"git"*refs/heads/side is broken*' "is not left out when its ref is broken"
ask doctor
gives 0 '*"code":"git"*what commits hold cannot be told*refs/heads/side*' "which the doctor says"
tpctl call agent.sync >/dev/null
ask doctor
gives 0 '*"code":"git"*refs/heads/side*' "whatever else git is asked meanwhile"
cp "$box/ref" .git/refs/heads/side
ask doctor
unlike "$out" '*"code":"git"*' "until it is mended"
ask log
gives 0 '*"count":1*' "and all is there again"

repository around
ticket a queued
commit
git -c protocol.file.allow=always submodule --quiet add "$box/torn" plan 2>"$box/err"
git config ticketplan.root plan/tickets
ask doctor
gives 5 '*"code":"misset"*plan/tickets lies in a repository of its own, plan:*' \
	"a tree in a submodule is said to be asked there"
git config --unset ticketplan.root
ask doctor
unlike "$out" '*misset*' "as long as it is one"

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
same_as_fresh random "$(scaled 50 4 400)"
seen_by "$python" "$system/timeline.py" log "$(tpctl -C "$box/random" socket)" "$box/random"
seen_by "$python" "$system/timeline.py" crowd "$(tpctl -C "$box/random" socket)" "$(scaled 200 100 5000)"
repository long
timeline long "$box/long" 3000 && git reset -q --hard 2>"$box/err"
tpctl record a waiting -m x >/dev/null
seen_by "$python" "$system/timeline.py" aside "$(tpctl socket)" a
cd "$box/main" || exit 99
history=${TP_CORPUS-}/history.jsonl
if [ -n "${TP_CORPUS-}" ] && [ -e "$history" ]; then
	repository replayed
	timeline replay "$box/replayed" "$history"
	same_as_fresh replayed "$(scaled 50 1 200)"
else
	note "left out: a real history, for TP_CORPUS names none"
fi
finish
