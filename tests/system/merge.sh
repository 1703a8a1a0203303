#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Two clones that both record: however git brings them together there is no conflict, and the
# answers are the same everywhere.
. "$(dirname "$0")/lib.sh"

# answers CLONE: what an agent of its own says there, without where and when.
answers()
{
	(
		cd "$box/$1" || exit 99
		plain_answer records --status all --limit 1000 --oldest
		for question in queue 'show a' 'show b' 'check a' 'check b' doctor; do
			plain_answer $question
		done
	) | sed "s,$box/$1,TOP,g"
}

# clone NAME FROM
clone()
{
	git clone -q "$box/$2" "$box/$1" && cd "$box/$1" || exit 99
}

# write NAME N: records of both Tickets, retractions among them, in one commit or two.
write()
{
	cd "$box/$1" || exit 99
	for i in $(seq "$2"); do
		ask record a related b -m "$1 $i" --force
		ask record b after a -m "$1 $i" --force
		[ "$i" -ne 1 ] || commit "first of $1"
	done
	ask retract b "$(field record.id)" -m "never mind, says $1"
	commit "others of $1"
}

# same ONE OTHER SENTENCE
same()
{
	is "$(answers "$2")" "$(answers "$1")" "$3"
}

n=$(scaled 4 2 40)
repository base
for id in a b; do ticket $id queued; done
commit
cd "$box" && git clone -q --bare base hub
clone left hub
clone right hub
# What one had said already the other takes back, and both take back the same.
cd "$box/left" || exit 99
ask record a after b
before=$(field record.id)
commit "before both"
git push -q origin main
cd "$box/right" && git pull -q
write left "$n"
write right "$n"
for side in left right; do
	cd "$box/$side" || exit 99
	ask retract a "$before" -m "both say so"
	commit "taken back by $side"
done
# Each wrote 2n and two retractions, beside the one from before both.
all=$((4 * n + 5))
for side in left right; do git -C "$box/$side" push -q "$box/hub" "main:$side"; done

# -- Merged in both orders -----------------------------------------------

clone lr hub
git fetch -q && git merge -q origin/left 2>/dev/null
holds "the right is merged into the left" git merge -q --no-edit origin/right
clone rl hub
git merge -q origin/right 2>/dev/null
holds "the left into the right" git merge -q --no-edit origin/left
is "$(find "$box/lr/tickets" -name '*.json' | wc -l)" "$all" "all $all records of both are there"
is "$(git -C "$box/lr" rev-parse 'HEAD^{tree}')" "$(git -C "$box/rl" rev-parse 'HEAD^{tree}')" \
	"the trees are the same"
cd "$box/lr" || exit 99
ask records --status all --limit 1000
gives 0 '*"count":'"$all"',*' "each is answered once"
ask doctor
gives 0 '*"errors":0*' "and none is wrong"
ask check a
gives 0 '*"verdict":"clear"*' "what both have retracted does not hold"
ask check b
gives 3 '*"code":"ordered"*' "what one of many has not does"
same lr rl "and the answers are the same"

# -- In a bare clone -----------------------------------------------------

cd "$box/hub" || exit 99
# Older gits have no such merge.
if git merge-tree --write-tree HEAD HEAD >/dev/null 2>&1; then
	merged=$(git merge-tree --write-tree left right)
	is "$?" 0 "a server merges them without a work tree"
	is "$merged" "$(git -C "$box/lr" rev-parse 'HEAD^{tree}')" "into the same tree"
	commit=$(git commit-tree -p left -p right -m merged "$merged")
	git branch -q merged "$commit"
	clone served hub
	git checkout -q merged
	same lr served "a clone of that answers the same"
fi

# -- Rebased and picked --------------------------------------------------

clone rebased hub
git checkout -q -b mine origin/right
holds "rebased" git rebase -q origin/left
same lr rebased "one on the other: the same answers"
clone picked hub
git checkout -q -b mine origin/left
holds "picked one by one" git cherry-pick main..origin/right
same lr picked "the same answers"
git checkout -q -b twice origin/left
git cherry-pick main..origin/right >/dev/null 2>&1
holds "what was picked is merged, too" git merge -q --no-edit origin/right
same lr picked "the same answers"
git checkout -q -b thrice mine
git cherry-pick --keep-redundant-commits --allow-empty main..origin/right >"$box/picks" 2>&1
is "$?" 0 "picked a second time it is nothing new"
same lr picked "the same answers"
finish
