#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Decisions get into a commit: all of them, nothing else, or nothing at all.
. "$(dirname "$0")/lib.sh"

# What git says of everything but what is in the last commit.
picture()
{
	git status --porcelain=v2 -z --untracked-files=all | tr '\0' '\n'
	git diff --cached
	git diff
	git ls-files --stage
}

committed()
{
	git show --format= --name-only -z HEAD | tr '\0' '\n' | sort
}

# hook NAME: an executable hook from standard input.
hook()
{
	mkdir -p "$(git rev-parse --git-path hooks)"
	cat >"$(git rev-parse --git-path hooks)/$1"
	chmod +x "$(git rev-parse --git-path hooks)/$1"
}

# decide TICKET OTHER
decide()
{
	tpctl record "$1" after "$2" >/dev/null || not_ok "record $1 after $2"
}

repository one
for t in a b c d e f g; do ticket $t queued; done
echo one >code
commit

# -- What is in it -------------------------------------------------------

tp commit
gives 0 'nothing to commit' "where nothing was decided nothing is committed"
ask commit
gives 0 '*"kind":"commit","files":\[\]}' "with --json as well"
decide a b
decide a c
decide b c
plan_line c 1 after d
echo '{"version":1,"relations":[]}' >tickets/d/artifacts.tmp
mkdir -p tickets/d/artifacts && mv tickets/d/artifacts.tmp tickets/d/artifacts/relations.json
echo two >code && git add code && echo three >code
echo new >other
echo more >>tickets/a/item.md
echo notes >tickets/a/artifacts/notes.txt
mkdir -p tickets/a/artifacts/records/deep && echo '{}' >tickets/a/artifacts/records/deep/x.json
echo '{}' >tickets/a/artifacts/records/.x.json
ln -s ../../../b/item.md tickets/a/artifacts/records/link.json
git add -N other
before=$(git diff --cached code; git diff code tickets/a/item.md; git ls-files --stage other)
ask commit
gives 0 '*"kind":"commit","commit":"*","files":\["tickets/a/artifacts/records/*"\],"message":"Record 5 decisions on a, b, c, d"}' \
	"all that was decided is committed"
is "$(field commit)" "$(git rev-parse HEAD)" "the answer names the commit"
is "$(git log -1 --format=%s)" "Record 5 decisions on a, b, c, d" "its message says what is in it"
is "$(committed)" "$(field files)" "its files are those of the answer"
is "$(committed | grep -c 'records/[0-9A-Z]*\.json$')" 3 "records"
is "$(committed | grep -cE '(c/artifacts/orchestration-plan.jsonl|d/artifacts/relations.json)$')" 2 \
	"and what other tools wrote"
is "$(git diff --cached code; git diff code tickets/a/item.md; git ls-files --stage other)" "$before" \
	"what else was staged or changed stays as it was"
tp commit
gives 0 'nothing to commit' "a second time there is nothing left"
git reset -q && git checkout -q code tickets/a/item.md && rm -f other
git clean -qfdx tickets

# -- Some Tickets, a message ---------------------------------------------

for t in a b c d e f; do decide $t g; done
tp commit b c -m 'Two of them'
gives 0 '*Two of them*tickets/b/artifacts/records/*tickets/c/artifacts/records/*' \
	"only the decisions of the Tickets that were named"
is "$(committed | wc -l)" 2 "and no others"
tp commit nobody
gives 4 '*nobody*' "a Ticket that is not there is an error"
decide g a
tp commit
gives 0 '*Record 5 decisions on a, d, e, f, g*' "the rest later, by name"
for t in a b c d e f g; do plan_line $t 2 after a; done
tp commit
gives 0 '*Record 7 decisions on a, b, c, d, e and 2 more*' "of many Tickets five are named"
tp commit -m ''
gives 2 '*empty message*' "an empty message is refused"
rm "$tree"/g/artifacts/records/*.json
tp commit
gives 0 'nothing to commit' "a record that was removed is not committed"
git checkout -q .

# -- What git ignores ------------------------------------------------------

echo 'artifacts/' >.gitignore
tpctl record a waiting -m 'Left out.' >/dev/null
tpctl record b waiting -m 'And this.' >/dev/null
ask commit a
gives 0 '*"files":[[]],"ignored":[[]"tickets/a/artifacts/records/*.json"]}' "what git ignores is left out, and said"
tp commit
gives 0 'nothing to commit
left out, for git ignores it: tickets/a/artifacts/records/*.json, and 1 more; `tpctl doctor` says what to do' \
	"for people too"
git add -f tickets/a
tp commit
gives 0 '*Record 1 decision on a*left out, for git ignores it: tickets/b/artifacts/records/*.json; *' \
	"what was added by force is committed"
git clean -qfdX tickets && tpctl recover --forget >/dev/null
rm .gitignore

# -- Refused -------------------------------------------------------------

decide a d
decide b d
echo staged >code && git add code
before=$(picture)
hook pre-commit <<'END'
#!/bin/sh
echo "not on a Friday" >&2
exit 1
END
tp commit
gives 5 '*not on a Friday*everything is as it was*' "a hook may refuse"
is "$(picture)" "$before" "and then everything is as it was"
ask commit
gives 5 '*"kind":"error"*"code":"invalid"*not on a Friday*' "with --json the answer says why"
hook pre-commit <<'END'
#!/bin/sh
git diff --cached --name-only >seen
END
git config user.useConfigOnly true
env GIT_CONFIG_GLOBAL=/dev/null tpctl commit >"$box/out" 2>&1
is "$?" 5 "nobody to be named as author: refused"
is "$(picture)" "$before" "and everything is as it was"
for mark in MERGE_HEAD CHERRY_PICK_HEAD REVERT_HEAD; do
	git rev-parse HEAD >".git/$mark"
	tp commit
	gives 5 '*is under way in this checkout*' "refused while there is a $mark"
	rm ".git/$mark"
done
for mark in rebase-merge rebase-apply; do
	mkdir ".git/$mark"
	tp commit
	gives 5 '*a rebase is under way*' "refused while there is a $mark"
	rmdir ".git/$mark"
done
: >.git/index.lock
tp commit --timeout 20s
status_is 5 "refused while another git writes"
rm .git/index.lock
is "$(picture)" "$before" "and still everything is as it was"
TP_READ_ONLY=1 tpctl commit >/dev/null 2>&1
is "$?" 5 "who may only look commits nothing"
hook pre-commit <<'END'
#!/bin/sh
kill -TERM "$(ps -o ppid= -p "$PPID" | tr -d ' ')"
exec tail -f /dev/null
END
holds "a hook that hangs can be interrupted" sh -c 'tpctl commit; [ $? -eq 130 ]'
is "$(picture)" "$before" "and then everything is as it was"
for pid in $(ps -e -o pid=,args= | sed -n 's/^ *\([0-9]*\) tail -f .dev.null$/\1/p'); do
	words_of "$pid" environ | grep -qxF "HOME=$box/home" && kill "$pid"
done
hook pre-commit <<'END'
#!/bin/sh
git diff --cached --name-only >seen
END
tp commit
gives 0 '*Record 2 decisions on a, b*' "a hook that agrees is run"
is "$(wc -l <seen)" 2 "and sees what is committed"
is "$(git diff --cached --name-only)" code "what was staged waits for its own commit"
rm .git/hooks/pre-commit seen
git commit -qm code

# -- Where one works -----------------------------------------------------

decide c d
mkdir -p deep/er
(cd deep/er && tpctl commit >/dev/null) || not_ok "from a folder below"
is "$(git log -1 --format=%s)" "Record 1 decision on c" "from a folder below the top"
decide d e
tp -C deep commit
gives 0 '*Record 1 decision on d*' "and with -C"
decide e f
git checkout -q --detach
tp commit
gives 0 '*Record 1 decision on e*' "on a detached HEAD"
git checkout -q -B main
decide f a
GIT_LITERAL_PATHSPECS=1 tpctl commit >/dev/null
is "$(git log -1 --format=%s)" "Record 1 decision on f" "whatever GIT_LITERAL_PATHSPECS says"

git worktree add -q "$box/linked" -b linked
plan=$(printf '{"id":"9","ticket_id":"a","kind":"after","related_ticket":"g","author":"x","at":"2026-01-02T03:04:05Z"}')
echo "$plan" >>"$box/linked/tickets/a/artifacts/orchestration-plan.jsonl"
decide g c
(cd "$box/linked" && tpctl commit >"$box/out" 2>&1) || not_ok "commit in a linked worktree"
is "$(git -C "$box/linked" log -1 --format=%s)" "Record 1 decision on a" \
	"a linked worktree commits what lies in it"
is "$(git log -1 --format=%s)" "Record 1 decision on f" "and nothing of the main one"
git -C "$box/linked" rev-parse HEAD >"$(git -C "$box/linked" rev-parse --git-path MERGE_HEAD)"
tp commit
gives 0 '*Record 1 decision on g*' "a merge in another worktree is none of ours"

# -- A repository within this one ----------------------------------------

repository within
ticket a queued
commit
repository around
git -c protocol.file.allow=always submodule --quiet add "$box/within" plan
git commit -qm 'add plan'
git config ticketplan.root plan/tickets
tpctl record a waiting -m x >/dev/null
tp commit
gives 5 '*plan/tickets lies in a repository of its own, '"$PWD"'/plan;*' \
	"a tree in a submodule is not committed from around it, and where to do it is said"
tp -C plan commit
gives 0 '*Record 1 decision on a*' "there it is"

# -- Names ---------------------------------------------------------------

repository two
tree='my tickets
of *[a] "year"'
mkdir -p "$tree"
git config ticketplan.root "$tree"
ticket a queued
ticket b queued
decide a b
tp commit
gives 0 '*Record 1 decision on a*' "into a repository without a commit, from a root of any name"
is "$(git ls-files | wc -l)" 1 "the record is all that it holds"
is "$(git status --porcelain | grep -c '^??')" 2 "the Tickets themselves are left alone"
git add -A && git commit -qm all
decide b a
hook pre-commit <<'END'
#!/bin/sh
exit 1
END
before=$(picture)
tp commit
is "$status:$(picture)" "5:$before" "and a refusal there leaves everything as it was"

repository three
ticket a queued
ticket b queued
decide a b
hook pre-commit <<'END'
#!/bin/sh
exit 1
END
before=$(picture)
tp commit
is "$status:$(picture)" "5:$before" "a first commit that is refused too"

repository four
slug_ticket open 20260101-000001-one queued one
slug_ticket closed 20260101-000002-two closed two
commit
decide one two
tp commit one
gives 0 '*Record 1 decision on 20260101-000001-one*tickets/open/20260101-000001-one/artifacts/records/*' \
	"Tickets may be named by their slugs"
finish
