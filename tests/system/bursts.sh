#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Thousands of files change at once, by git and by others, while questions are asked: no answer
# is an error, none shows half of what git does as if it were whole, and all are right when the
# burst is over.  Who is told of changes hears of each Ticket that is another then.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ]; then
	export TMPDIR=/dev/shm
fi
. "$(dirname "$0")/lib.sh"

many=$(scaled 200 50 5000)

# during N,N… SENTENCE COMMAND: while it runs, whatever is said without a word of warning is one
# of these numbers of queued Tickets; afterwards it is the last of them.
during()
{
	allowed=$1 sentence=$2
	shift 2
	"$python" "$system/bursts.py" "$(tpctl socket)" "$allowed" "$@" >"$box/seen" 2>&1
	ended=$?
	if [ "$ended" -eq 0 ]; then ok "$sentence"; else not_ok "$sentence" "$(cat "$box/seen")"; fi
	note "$(tail -n 1 "$box/seen")"
}

# audited SENTENCE
audited()
{
	ask doctor --audit
	gives 0 '*"count":0,*' "$1"
}

repository bursts
git config ticketplan.root tickets
i=0
while [ $i -lt "$many" ]; do
	i=$((i + 1))
	ticket "m$i" ready
done
commit ready
git checkout --quiet -b queued
sed -i 's/^state: .*/state: queued/' tickets/m*/item.md
commit queued
git checkout --quiet -b fewer
git rm -rq tickets/m1*
commit fewer
fewer=$(find tickets -name item.md | wc -l)
git checkout --quiet main
tpctl start >/dev/null
started=$(agent_pid)

# Ends where it begins.
all_by_git()
{
	during "0,$many" "git checkout of $many files" git checkout --quiet queued
	during "$many,0" "and back" git checkout --quiet main
	during "0,$many" "git reset --hard" git reset --quiet --hard queued
	during "$many,$fewer" "a checkout that removes many" git checkout --quiet fewer
	during "$fewer,$many" "and brings them back" git checkout --quiet queued
	git checkout --quiet -B main "queued~1"
	audited "what is held is what the files say"
	sed -i 's/^state: .*/state: queued/' tickets/m*/item.md
	during "$many,0" "git stash" git stash --quiet
	during "0,$many" "git stash pop" git stash pop --quiet
	git reset --quiet --hard
	git checkout --quiet -b other
	echo x >other
	commit other
	during "0,$fewer" "git rebase" git rebase --quiet fewer
	git checkout --quiet main
	git checkout --quiet -b merged
	echo x >merged
	commit merged
	during "0,$many" "git merge" git merge --quiet --no-edit queued
	during "$many,$many" "git gc" git gc --quiet
	git checkout --quiet main
	during "0,0" "git worktree add" git worktree add --quiet "$box/linked" queued
	audited "still, with two checkouts"
	during "0,0" "git worktree remove" git worktree remove --force "$box/linked"
	git branch --quiet -D other merged
}

round=0
while [ $round -lt "$(scaled 2 1 200)" ]; do
	round=$((round + 1))
	all_by_git
done

# Without git nobody can tell half from whole, but the end is right.
git checkout --quiet queued
mv tickets elsewhere
ask queue
gives 4 '*no_tree*' "the whole tree renamed"
mkdir tickets
i=0
for folder in elsewhere/*; do mv "$folder" tickets; done
ask queue --limit 1
is "$(field count)" "$many" "every Ticket moved into another tree"
audited "which is held as it is"

# -- More than the kernel counts -----------------------------------------

ask status
clock=$(instance) overflows=$(field overflows)
kill -STOP "$(agent_pid)"
"$python" - tickets 20000 <<'END'
import sys
tree, count = sys.argv[1], int(sys.argv[2])
for i in range(count):
    with open(f"{tree}/m1/noise" if i % 2 else f"{tree}/m2/noise", "a") as to:
        to.write("x")
END
sed -i 's/^state: .*/state: done/' tickets/m1/item.md
kill -CONT "$started"
ask show m1
gives 0 '*"state":"done"*' "20,000 changes while the agent was stopped"
is "$(instance)" "$clock" "the clock goes on"
ask status
is "$(field overflows)" $((overflows + 1)) "the kernel lost count"
is "$(field rescanned.why | tail -n 1)" "the kernel's queue of changes ran over" \
	"and everything was read again for that"
audited "nothing was lost"

# -- The root goes -------------------------------------------------------

(cd tickets && exec sleep 1000) &
sitter=$!
until [ "$(readlink "/proc/$sitter/cwd")" = "$PWD/tickets" ]; do :; done
rm -rf tickets
ask queue
gives 4 '*no_tree*' "a root removed under a process's feet"
ticket new queued
ask queue
gives 0 '*"count":1*"id":"new"*' "and made anew"
kill "$sitter"
rm -rf tickets
mkdir -p "$box/outside/t"
ln -s "$box/outside" tickets
printf -- '---\nstate: queued\n---\n' >"$box/outside/t/item.md"
ask queue
gives 4 '*no_tree*' "a link to a folder in its place is not followed"
rm tickets
git checkout --quiet -f queued
ask queue --limit 1
is "$(field count)" "$many" "and git brings it back"
is "$(agent_pid)" "$started" "all by one agent"
tpctl stop >/dev/null

# -- More folders than watches -------------------------------------------

folders=$(scaled 1000 100 100000)
repository limited
git config ticketplan.root tickets
"$python" - "$folders" <<'END'
import os, sys
for i in range(int(sys.argv[1])):
    os.makedirs(f"tickets/t{i}/artifacts")
    with open(f"tickets/t{i}/item.md", "w") as to:
        to.write("---\ntitle: t\nstate: ready\n---\n")
END
cat >"$box/limited.sh" <<END
echo $((folders / 2)) >/proc/sys/user/max_inotify_watches || exit
# On a busy machine so many take longer than anybody waits unasked.
tpctl --timeout 600s start >/dev/null
tpctl --json --timeout 600s status
tpctl --json --timeout 600s queue
sed -i 's/ready/queued/' tickets/t*7/item.md
tpctl --json --timeout 600s queue --limit 1
mkdir -p tickets/t5/artifacts/records
mv tickets/t6 tickets/u6
tpctl --json --timeout 600s doctor --audit
tpctl stop >/dev/null
END
if unshare -Ur sh "$box/limited.sh" >"$box/limits" 2>&1; then
	like "$(sed -n 1p "$box/limits")" '*"mode":"partial"*max_user_watches*' \
		"of $((folders * 2)) folders a quarter watched: partial, with its reason"
	like "$(sed -n 2p "$box/limits")" '*"count":0*"freshness":{"mode":"partial"*' "answers say so"
	like "$(sed -n 3p "$box/limits")" "*\"count\":$((folders / 10)),*" "and are right"
	like "$(sed -n 4p "$box/limits")" '*"count":0,*' "what is held is what the files say"
else
	note "left out: this machine lets nobody lower a limit of inotify"
fi
finish
