#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A repository of somebody else: git refuses it, and so does everything of ours, until
# the user says that he trusts it.
. "$(dirname "$0")/lib.sh"

# Only root can give a file away.
if ! : >"$box/gift" || ! chown 65534 "$box/gift" 2>/dev/null; then
	note "left out: only root can give a repository away"
	finish
fi

# give PATH…: to a user who is not us.
give()
{
	chown -hR 65534 "$@"
}

# refuses PATH WORD…: the question names the path, its owner, and what to type.
refuses()
{
	path=$1 trusted=$2
	shift 2
	ask "$@"
	gives 5 "*\"code\":\"foreign_owner\"*$path belongs to *(user 65534)*git config --global --add safe.directory $trusted\"*\"retryable\":false*" \
		"$* is refused, with what to type"
}

repository theirs
ticket a queued
ticket b ready
commit first
ticket b 'done'
commit second
give "$box/theirs"
fails "git refuses the repository" git status
cp -a "$box/theirs" "$box/before"
for words in 'check a' 'queue' 'records' 'show a --at HEAD' 'log' 'record a after b' 'doctor' 'claim a' \
	'accept a -m x' 'start' 'queue --offline' 'wait a --for change --timeout 1s' 'init --yes' 'init --agents' commit; do
	refuses "$box/theirs" "$box/theirs" $words
done
(cd tickets && tpctl --json queue) >"$box/out"
like "$(cat "$box/out")" '*"foreign_owner"*' "from a folder in it, too"
is "$(agents)" "" "no agent is left"
holds "and nothing was written" diff -r "$box/before" "$box/theirs"
git config --global --add safe.directory "$box/another"
refuses "$box/theirs" "$box/theirs" check a
git config --global --add safe.directory "$box/theirs"
ask check a
gives 0 '*"clear"*' "one that safe.directory names is served"
tp record a after b
status_is 0 "and written to"
ask show a --at HEAD~1
gives 0 '*"state":"queued"*' "with its past"
ask log b
status_is 0 "and what came of records"
ask queue --offline
gives 0 '*"count":1,*' "without an agent, too"
ask init tickets --yes
status_is 0 "and set up"
tpctl stop >/dev/null
git config --global --replace-all safe.directory '*'
tp start
status_is 0 "so is each, where all are trusted"
ask diff HEAD~1 HEAD
gives 0 '*"what":"state","ticket":"b"*' "by git itself where libgit2 refuses"
tpctl stop >/dev/null
git config --global --unset-all safe.directory
SUDO_UID=65534 tpctl --json start >"$box/out" 2>&1
is "$?" 0 "root by sudo may use what is the user's"
SUDO_UID=65534 tpctl --json show a --at HEAD >"$box/out" 2>&1
is "$?" 0 "and read what commits of it hold"
tpctl stop >/dev/null
SUDO_UID=1 tpctl --json start >"$box/out" 2>&1
is "$?" 5 "but not what is another's"
# Objects of which libgit2 knows nothing are read by git.
mkdir "$box/new" && cd "$box/new" && git init -q --template= --object-format=sha256
ticket a queued
commit
give .
SUDO_UID=65534 tpctl --json record a waiting -m x --until human >"$box/out" 2>&1
echo records/ >.gitignore
SUDO_UID=65534 tpctl --json doctor >"$box/out" 2>&1
like "$? $(cat "$box/out")" '0 *"count":1,*"code":"ignored"*' \
	"git is told who became root where it is asked for us"
tpctl stop >/dev/null

# -- Only part of it is theirs, or from now on ----------------------------

repository ours
ticket a queued
commit
chown 65534 .git
refuses "$box/ours/.git" "$box/ours" check a
chown 0 .git
tp start
status_is 0 "given back it is served"
chown 65534 .git
refuses "$box/ours/.git" "$box/ours" check a
like "$(cat "$box/agents.log")" '*agent: ending: *ours/.git belongs to*' \
	"given away while an agent runs: the agent ends"
is "$(agents)" "" "and none comes back"
chown 0 .git
ask check a
gives 0 '*"clear"*' "until it is ours again"
chown 65534 .
refuses "$box/ours" "$box/ours" record a waiting -m x
chown 0 .
mkdir "$box/bare" && git clone -q --bare . "$box/bare/its git" && give "$box/bare"
refuses "$box/bare/its git" "'$box/bare/its git'" -C "$box/bare/its git" queue

# -- A linked checkout ----------------------------------------------------

git worktree add -q "$box/side" -b side
(cd "$box/side" && ticket c queued)
ask show c
status_is 0 "a checkout of ours is read"
give "$box/side"
ask show c
gives 4 '*not_found*' "given away it is left out"
ask doctor
gives 0 '*"code":"foreign","severity":"warning","source":"side",*safe.directory '"$box/side"'"*resync*' \
	"and doctor says why"
refuses "$box/side" "$box/side" -C "$box/side" check a
ask -C "$box/side" status
gives 0 '*"name":"side"*' "from there the agent itself can be asked how it is"
ask check a
gives 0 '*"clear"*' "the others are served"
git config --global --add safe.directory "$box/side"
ask -C "$box/side" resync
status_is 0 "once it is trusted, and that is said"
ask -C "$box/side" show c
gives 0 '*"name":"side"*' "it is read again"
finish
