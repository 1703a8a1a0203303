#!/bin/sh
# SPDX-License-Identifier: MIT
#
# However files change, the very next question sees it.
. "$(dirname "$0")/lib.sh"

# stands ID STATE SENTENCE: the next answer says so.
stands()
{
	ask show "$1"
	gives 0 '*"ticket":{"id":"'"$1"'",*"state":"'"$2"'","resolved":*' "$3"
}

gone()
{
	ask show "$1"
	gives 4 '*"code":"not_found"*' "$2"
}

# counted N SENTENCE: so many Tickets are there.
counted()
{
	ask tickets --limit 1
	is "$(field count)" "$1" "$2"
}

# front STATE: an item.md
front()
{
	printf -- '---\ntitle: t\nstate: %s\n---\n' "$1"
}

many=$(scaled 300 20 5000)
repository edits
ticket a queued
ticket b planning
mkdir tickets/a/artifacts
commit
ask queue
gives 0 '*"count":1*' "at first"
first=$(agent_pid)
note "mode: $(tpctl --json status | sed 's/.*"mode":"\([a-z]*\)".*/\1/')"

# -- One file ------------------------------------------------------------

front ready >tickets/a/item.md
stands a ready "a file written over"
front planning >tickets/a/item.md; front inprogress >tickets/a/item.md
stands a inprogress "written twice: the last counts"
front queued >"$box/new"
mv "$box/new" tickets/a/item.md
stands a queued "another one moved over it"
touch -r tickets/b/item.md "$box/then"
front closed >tickets/a/item.md
touch -r "$box/then" tickets/a/item.md
stands a closed "also with an old time"
printf 'Text.\n' >>tickets/a/item.md
stands a closed "text appended"
: >tickets/a/item.md
ask show a
gives 0 '*"state":"unknown"*"code":"no_front_matter"*' "truncated"
front queued | dd of=tickets/a/item.md conv=notrunc 2>/dev/null
stands a queued "written in place"
sed -i 's/^state: .*/state: done/' tickets/a/item.md
stands a done "sed -i"
cp tickets/a/item.md tickets/a/item.md~
mv tickets/a/item.md tickets/a/.item.md.swp
front ready >tickets/a/item.md
rm tickets/a/item.md~ tickets/a/.item.md.swp
stands a ready "an editor that keeps a copy and writes anew"
front queued >tickets/a/4913
mv -f tickets/a/4913 tickets/a/item.md
stands a queued "an editor that renames over"
ln "$(pwd)/tickets/a/item.md" "$box/hard"
front done >"$box/next"
ln -f "$box/next" tickets/a/item.md
stands a done "a hard link put in its place"
rm tickets/a/item.md
gone a "item.md removed, with an empty artifacts folder beside it"
front queued >tickets/a/item.md
stands a queued "and written again"
exec 8>>tickets/a/artifacts/orchestration-plan.jsonl
printf '{"id":"1","ticket_id":"a","kind":"after","related_ticket":"b",' >&8
ask check a
gives 0 '*"verdict":"clear"*' "half a line appended to the records"
printf '"author":"x","at":"2026-01-01T00:00:00Z"}\n' >&8
ask check a
gives 3 '*"code":"ordered"*"other":"b"*' "its other half"
exec 8>&-
mv tickets/a/artifacts/orchestration-plan.jsonl "$box/plan"
ask check a
gives 0 '*clear*' "the records moved away"
ln -s "$box/plan" tickets/a/artifacts/orchestration-plan.jsonl
ask check a
gives 3 '*"code":"unreadable"*' "a link to them in their place is not followed"
mv -f "$box/plan" tickets/a/artifacts/orchestration-plan.jsonl
ask check a
gives 3 '*"code":"ordered"*' "and back"
rm -r tickets/a/artifacts
ask check a
gives 0 '*clear*' "their folder removed"
mkdir -p tickets/a/artifacts/records
record_file a 01JAAAAAAAAAAAAAAAAAAAAAAA after b
ask check a
gives 3 '*"code":"ordered"*' "new folders with a record in them"
mv tickets/a/artifacts/records tickets/a/artifacts/old
ask check a
gives 0 '*clear*' "the records folder renamed"
mv tickets/a/artifacts/old tickets/a/artifacts/records
ask check a
gives 3 '*"code":"ordered"*' "and back"
ticket b done
ask check a
gives 0 '*clear*' "the other Ticket's state counts at once"
git checkout --quiet -f . && git clean -qfdx

# -- Folders -------------------------------------------------------------

mv tickets/a tickets/z
gone a "a Ticket renamed: the old id"
stands z queued "the new id"
front ready >tickets/z/item.md
stands z ready "and what is written there afterwards"
mkdir -p tickets/z/artifacts/records
record_file z 01JAAAAAAAAAAAAAAAAAAAAAAA after b
ask check z
gives 3 '*"code":"ordered"*' "also below folders made after that"
mv tickets/z tickets/y
front queued >tickets/y/item.md
mv tickets/y tickets/a
stands a queued "renamed twice with a write between"
mv tickets/a "$box/a"
mv tickets/b tickets/a
stands a planning "another one in its place"
mv "$box/a" tickets/b
stands b queued "and it in that one's"
cp -r tickets/b tickets/copy
stands copy queued "a copied folder"
rm -rf tickets/copy
gone copy "and removed"
mkdir tickets/copy
front ready >tickets/copy/item.md
stands copy ready "and made anew under the same name"
mkdir -p "$box/deep/one"
front ready >"$box/deep/one/item.md"
mv "$box/deep/one" tickets/moved-in
front done >tickets/moved-in/item.md
stands moved-in done "moved in from outside, then written"

mv tickets tickets.off
ask queue
gives 4 '*"code":"no_tree"*' "the whole tree moved away"
mv tickets.off tickets
stands a planning "and back"
front ready >tickets/a/item.md
stands a ready "and written to"
rm -rf tickets
ask queue
gives 4 '*"code":"no_tree"*' "rm -rf of the tree"
ticket a queued
stands a queued "and its return"
front done >tickets/a/item.md
stands a done "which is watched like the first"
mv "$box/edits" "$box/moved"
cd "$box/moved" || exit 99
ask queue
isnt "$(agent_pid)" "$first" "a moved repository is another one"
tpctl stop >/dev/null
cd "$box" || exit 99
mv "$box/moved" "$box/edits"
cd "$box/edits" || exit 99
stands a done "and it comes back"
front ready >tickets/a/item.md
stands a ready "to one who sees it"
mkdir -p "$box/parent/work"
cp -r . "$box/parent/work"
cd "$box/parent/work" || exit 99
stands a ready "a copy of the repository"
now=$(agent_pid)
cd "$box" || exit 99
mv parent elsewhere && mv elsewhere parent
cd "$box/parent/work" || exit 99
front queued >tickets/a/item.md
stands a queued "a folder above renamed to and fro"
is "$(agent_pid)" "$now" "by the same agent"
tpctl stop >/dev/null
cd "$box/edits" || exit 99

# -- git -----------------------------------------------------------------

git add -A
git reset --quiet --hard
git clean -qfdx
git checkout --quiet -b many
for i in $(seq "$many"); do ticket "m$i" ready; done
commit many
counted $((many + 2)) "$many more Tickets"
git checkout --quiet -b changed
sed -i 's/^state: .*/state: queued/' tickets/m*/item.md
commit changed
ask queue --limit 1
is "$(field count)" $((many + 1)) "all of them edited"
git checkout --quiet main
counted 2 "git checkout of a branch without them"
git checkout --quiet changed
ask queue --limit 1
is "$(field count)" $((many + 1)) "of the one where they are queued"
git checkout --quiet many
ask queue --limit 1
is "$(field count)" 1 "of the one where they are not"
front done >tickets/m1/item.md
ticket extra queued
stands m1 done "an edit that is not committed"
git stash --quiet --include-untracked
stands m1 ready "git stash"
gone extra "also of new files"
git stash pop --quiet
stands m1 done "git stash pop"
git reset --quiet --hard
stands m1 ready "git reset --hard"
git clean -qfd
gone extra "git clean"
git rm -rq --cached tickets/m1
stands m1 ready "what git knows of a file does not matter"
git reset --quiet --hard
git mv tickets/m2 tickets/n2
stands n2 ready "git mv"
git reset --quiet --hard
git checkout --quiet changed
git merge --quiet --no-edit main >/dev/null 2>&1
git rebase --quiet main >/dev/null 2>&1
ask queue --limit 1
is "$(field count)" $((many + 1)) "git rebase"
tpctl resync >/dev/null
ask queue --limit 1
is "$(field count)" $((many + 1)) "resync changes nothing"
tpctl stop >/dev/null

repository slugs
slug_ticket open 20260101-one queued one
slug_ticket open 20260102-two queued two
slug_ticket closed 20260103-three done three
plan_line open/20260102-two 1 after 20260101-one
sed -i 's#open/##' tickets/open/20260102-two/artifacts/orchestration-plan.jsonl
ask check two
gives 3 '*"code":"ordered"*' "in the slug layout: held"
sed -i 's/workflow_state: queued/workflow_state: done/; s/^status: .*/status: closed/' \
	tickets/open/20260101-one/item.md
mv tickets/open/20260101-one tickets/closed/
ask show one
gives 0 '*"state":"done"*"path":"tickets/closed/20260101-one"*' "a Ticket closed by moving it"
ask check two
gives 0 '*"verdict":"clear"*' "frees the one behind it"
mv tickets/closed tickets/closing
mv tickets/closing tickets/closed
ask show three
gives 0 '*"state":"done"*' "a bucket renamed to and fro"
tpctl stop >/dev/null

# -- Too many to watch ---------------------------------------------------

repository limited
for i in 1 2 3 4 5 6 7 8 9; do ticket "t$i" queued; done
cat >"$box/limited.sh" <<'END'
echo 5 >/proc/sys/user/max_inotify_watches || exit
tpctl start >/dev/null
tpctl queue --json --limit 1
sed -i 's/queued/done/' tickets/t[1-8]/item.md
tpctl queue --json
for i in 1 2 3 4 5; do tpctl status --json; done | sed 's/.*"walks":\([0-9]*\).*/\1/' |
	awk 'NR > 1 { printf "%d ", $1 - before } { before = $1 } END { print "" }'
mkdir tickets/t10
cp tickets/t9/item.md tickets/t10
tpctl queue --json
tpctl stop >/dev/null
END
if unshare -Ur sh "$box/limited.sh" >"$box/limits" 2>&1; then
	like "$(sed -n 1p "$box/limits")" '*"count":9*"freshness":{"mode":"*max_user_watches*' \
		"with too few watches the answer says what it cannot promise"
	like "$(sed -n 2p "$box/limits")" '*"count":1,*"id":"t9"*' "and is right all the same"
	like "$(sed -n 4p "$box/limits")" '*"count":2,*"id":"t10"*' "also on new folders"
	is "$(sed -n 3p "$box/limits")" '1 1 1 1 ' \
		"what is not watched is looked at once a question"
else
	note "left out: this machine lets nobody lower a limit of inotify"
fi

# -- At random -----------------------------------------------------------

repository random
for i in 1 2 3 4 5; do ticket "t$i" queued; done
commit
tpctl queue >/dev/null
seen_by "$python" "$system/edits.py" "$(tpctl socket)" "$box" "$(scaled 500 40 5000)" \
	"$([ "${TP_SCALE:-1}" -gt 1 ] && echo 1 || echo 20)"
finish
