#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A first Ticket tree, and what an agent is told of it.
. "$(dirname "$0")/lib.sh"

source=$(CDPATH='' cd -- "$system/../.." && pwd -P)

repository one
commit

# -- The root ------------------------------------------------------------

tp init
gives 2 '*make the folder .tickets*git config ticketplan.root .tickets*tpctl init .tickets --yes*' \
	"without a terminal init says what it would do and what to type"
ask init 'my tickets'
gives 2 '{"schema":1,"kind":"error",*tpctl init '"'my tickets'"' --yes*' "with --json as well"
is "$(git status --porcelain; git config ticketplan.root; ls)" "" "and does nothing"
tp init --yes
gives 0 'made .tickets; git'"'"'s ticketplan.root now names it*title: *state: *' \
	"with --yes it makes the folder, and shows a first Ticket"
is "$(git config ticketplan.root)" .tickets "git's configuration names it"
holds "the folder is there" test -d .tickets
sed -n '/^mkdir/,$p' "$box/out" >"$box/first"
holds "the first Ticket can be typed as it is shown" sh "$box/first"
ask queue
gives 0 '*"count":1*"id":"first-ticket"*"verdict":"clear"*' "and then it is in the queue"
ask init
gives 0 '*"kind":"init","root":".tickets","made":false,"configured":false}' \
	"once more changes nothing, and needs no --yes"
tp init
unlike "$out" '*title*' "and shows no first Ticket where there is one"
is "$(git log --oneline | wc -l)" 1 "nothing was committed"
tp init ./plans//all/ --yes
gives 0 'made plans/all; *now names it*' "another root may be named later"
is "$(git config ticketplan.root)" plans/all "without needless parts"
tp -C plans init --yes
gives 0 'plans/all is there*names it*' "from a folder below, the root in use is the usual one"

for root in /etc ../out a/../../b .git .git/tickets . ''; do
	tp init "$root" --yes
	gives 5 '*root: *' "\"$root\" is refused"
done
tp init "$(printf 'a\nb')" --yes
gives 5 '*root: several lines*' "and a name of several lines"
echo text >file
ln -s /tmp link
tp init file --yes
gives 5 '*root: file is no folder*' "a file is refused"
tp init file/below --yes
gives 5 '*root: file is no folder*' "and a folder below one"
tp init link/below --yes
gives 5 '*root: link is no folder but a link*' "and a link"
is "$(git config ticketplan.root)" plans/all "after all that the root is as it was"
: >.git/config.lock
tp init deep/er --yes
gives 5 '*git config*' "where git's configuration cannot be written init fails"
fails "and leaves no folder behind" test -e deep
rm .git/config.lock
TP_READ_ONLY=1 tpctl init x --yes >/dev/null 2>&1
is "$?" 5 "who may only look sets nothing up"

repository two
ticket a queued
tp init --yes
gives 0 'tickets is there; *now names it*' "a tree that is there already is taken"

git init -q --bare "$box/bare"
tp -C "$box/bare" init --yes
gives 5 '*bare*' "a bare repository has no place for Tickets"

# -- On a terminal -------------------------------------------------------

repository three
commit
cat >"$box/typist.py" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if not pid:
    os.execvp("tpctl", ["tpctl", "init"])
answers = [line.encode() + b"\n" for line in sys.argv[1:]]
said = b""
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    if answers and part.rstrip(b" ").endswith(b"]"):
        os.write(fd, answers.pop(0))
sys.stdout.write(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
said=$("$python" "$box/typist.py" work n)
is "$?" 130 "on a terminal init asks, and no is no"
like "$said" '*Where shall the Tickets lie*.tickets*make the folder work*Do this?*' "after it has said what"
fails "nothing was made" test -e work
"$python" "$box/typist.py" '' '' >/dev/null
is "$?:$(git config ticketplan.root)" 0:.tickets "the usual answers make the usual tree"

# -- What agents are told ------------------------------------------------

repository four
commit
tp init --agents
gives 0 'AGENTS.md tells agents*' "init --agents writes the instructions"
holds "as contrib/orchestrator has them" cmp AGENTS.md "$source/contrib/orchestrator/AGENTS.block.md"
is "$(grep -c . AGENTS.md | awk '{ print $1 <= 15 }')" 1 "in at most 15 lines"
tp init --agents
gives 0 '*says so already*' "once more changes nothing"
is "$(git config ticketplan.root)" "" "nothing else is set up"

printf '# Ours\n\nno end' >NOTES.md
chmod 640 NOTES.md
ln -s NOTES.md LINK.md
mkdir sub
tp -C sub init --agents ../LINK.md
status_is 0 "another file may be named, also through a link"
is "$(printf '# Ours\n\nno end\n\n'; cat AGENTS.md)" "$(cat NOTES.md)" "the block stands behind all else"
is "$(stat -c %a NOTES.md):$(readlink LINK.md)" 640:NOTES.md "mode and link stay"
{
	printf 'before\r\n\n'
	printf '<!-- ticketplan:begin -->\nold\n<!-- ticketplan:end -->\r\n\nbehind \377 without end'
} >OLD.md
ask init --agents OLD.md
gives 0 '*"kind":"init","file":"OLD.md","changed":true}' "an old block is replaced"
{
	printf 'before\r\n\n'
	head -c -1 AGENTS.md
	printf '\r\n\nbehind \377 without end'
} >"$box/wanted"
holds "and every other byte stays" cmp OLD.md "$box/wanted"
for bad in 'begin' 'end' 'end begin' 'begin begin end' 'begin end end'; do
	for mark in $bad; do echo "<!-- ticketplan:$mark -->"; done >BAD.md
	cp BAD.md "$box/before"
	tp init --agents BAD.md
	gives 5 '*BAD.md:[123]: *' "markers \"$bad\": refused"
	holds "and left as they were" cmp BAD.md "$box/before"
done
mkdir folder
tp init --agents folder
gives 5 '*folder is no regular file*' "a folder is no file"
mkfifo pipe
tp init --agents pipe
gives 5 '*pipe is no regular file*' "nor is a pipe, which nobody waits for"
echo theirs >"$box/theirs.md"
ln -s "$box/theirs.md" OUT.md
tp init --agents OUT.md
gives 5 "*OUT.md is a link that leads out of the checkout; name the file itself: $box/theirs.md*" \
	"a link that leads out of the checkout is refused"
is "$(cat "$box/theirs.md")" theirs "and what it leads to stays as it was"
tp init --agents "$box/theirs.md"
gives 0 '*tells agents now*' "by its own name such a file is taken"
is "$(ls -A | grep -c tmp)" 0 "no temporary file is left"

holds "the skill's front matter is short" "$python" - "$source/contrib/orchestrator/SKILL.md" <<'END'
import re, sys
front = open(sys.argv[1]).read().split("---")[1]
assert re.search(r"^name: ticketplan$", front, re.M), "no name"
assert re.search(r"^description: \S", front, re.M), "no description"
assert len(front) / 4 <= 60, "%d characters" % len(front)
END

# -- The skill's example -------------------------------------------------

repository sample
cp -r "$source/contrib/sample/tickets" .
commit
sed -n 's/^    \$ //p' "$source/contrib/orchestrator/SKILL.md" >"$box/example"
isnt "$(wc -l <"$box/example")" 0 "the skill has an example"
while IFS= read -r line; do
	case $line in *'# 3'*) wanted=3 ;; *) wanted=0 ;; esac
	got=0
	sh -c "$line" >"$box/out" 2>&1 </dev/null || got=$?
	is "$got" $wanted "${line%%#*}"
done <"$box/example"
is "$(git log -1 --format=%s)" "Record 3 decisions on fetch-retry, print-view" "and its decisions are committed"
like "$(tpctl check image-cache)" '*held*store-v2*fetch-retry*' "which hold what they are meant to"

hook=$source/contrib/orchestrator/hooks/check
said=$("$hook" search-page 2>&1)
is "$?" 2 "the hook stops work on a Ticket that is held"
like "$said" '*search-page: held*ordered*search-index*' "and says why"
TP_TICKET=search-page "$hook" 2>/dev/null
is "$?" 2 "also where the environment names it"
"$hook" store-v2
is "$?" 0 "one that is under way is let through"
"$hook"
is "$?" 0 "and so is whatever names no Ticket"
"$hook" nobody 2>/dev/null
is "$?" 2 "a Ticket that is not there is not"

hooks=$source/contrib/orchestrator/hooks
like "$("$hooks/brief")" '# Tickets*fetch-retry*' "a hook tells a session what to know again"
tpctl stop >/dev/null
like "$("$hooks/brief")" '# Tickets*fetch-retry*' "also where no agent may run"
said=$(cd "$box" && "$hooks/brief" 2>&1)
is "$?$said" 0 "and where there is nothing it says nothing, and does no harm"
tpctl start >/dev/null
tpctl claim search-page store-v2 --session claude:abc-1 --ttl 1h >/dev/null
tpctl claim fetch-retry --session other --ttl 1h >/dev/null
echo '{"session_id": "abc-1", "reason": "other"}' | "$hooks/end"
is "$?$(tpctl --json claims | sed 's/.*"count":\([0-9]*\).*/\1/')" 01 "a hook gives back what a session claims, and nothing else"
echo '{"session_id": "abc-1"}' | "$hooks/end"
is "$?" 0 "and does no harm where there is nothing"
TP_SESSION=other "$hooks/end" </dev/null
is "$(tpctl --json claims | sed 's/.*"count":\([0-9]*\).*/\1/')" 0 "a session may be named, too"
"$python" "$system/rpc.py" field hooks.SessionStart.hooks <"$hooks/claude-code.json" >"$box/command"
holds "a host is told of a hook that is there" grep -q hooks/brief "$box/command"
"$python" "$system/rpc.py" field hooks.SessionEnd.hooks <"$hooks/claude-code.json" >"$box/command"
holds "and of the other" grep -q hooks/end "$box/command"
finish
