#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The plugin for Neovim, in the real one: what it shows, completes, jumps to and records,
# while the agent is there, is not yet there, goes, and comes back.
. "$(dirname "$0")/lib.sh"

plugin=$(CDPATH='' cd -- "$system/../../contrib/nvim" && pwd -P)

# Run nvim.lua's story of that name, in a Neovim that knows nothing but the plugin.
in_nvim()
{
	seen_by timeout 120 env STORY="$1" nvim --headless -i NONE -n -u NONE \
		--cmd "set runtimepath^=$plugin" --cmd 'filetype plugin on' --cmd 'runtime! plugin/ticketplan.lua' \
		-c "luafile $system/nvim.lua"
}

# -- What needs no Neovim ------------------------------------------------

bad=
for word in $(sed -n 's/^	\([a-z]*\) = { run = .*/\1/p' "$plugin/lua/ticketplan/command.lua"); do
	grep -q "^:Tp $word" "$plugin/doc/ticketplan.txt" || bad="$bad $word"
done
is "$bad" "" "the help explains every word of :Tp"
bad=
for name in $(sed -n '/^local M = {/,/^}/s/^	\([a-z_]*\) = .*/\1/p' "$plugin/lua/ticketplan/config.lua"); do
	grep -q "^$name[[:blank:]]" "$plugin/doc/ticketplan.txt" || bad="$bad $name"
done
is "$bad" "" "and every setting"

if command -v luacheck >/dev/null; then
	bad=$(luacheck --quiet --no-color --globals vim --no-max-line-length \
		"$plugin" "$plugin/../examples" "$system/nvim.lua") && bad=
	is "$bad" "" "luacheck finds nothing"
fi

if ! command -v nvim >/dev/null; then
	note "left out: no Neovim here"
	finish
fi

# -- What does -----------------------------------------------------------

mkdir "$box/doc" && cp "$plugin/doc/ticketplan.txt" "$box/doc"
nvim --headless -i NONE -n -u NONE -c "helptags $box/doc" -c quit >"$box/out" 2>&1 </dev/null
is "$(cat "$box/out")" "" "the help's tags are right"

repository main
ticket a queued 'The first'
ticket b inprogress 'The second'
ticket c queued 'The third'
plan_line a r-1 blocked_by b ',"note":"Needs the rows."'
plan_line a r-2 related c
commit
in_nvim files
in_nvim writes

repository follow
ticket a queued 'The first'
ticket b inprogress 'The second'
plan_line a r-1 after b
commit
in_nvim follow

repository life
ticket a queued
commit
in_nvim life

export TP_READ_ONLY=1
in_nvim looks
unset TP_READ_ONLY

socket=$(cd "$box/follow" && tpctl call agent.sync >/dev/null && tpctl socket)
repository stray
ticket a queued
commit
export TP_SOCKET="$socket"
in_nvim stray
unset TP_SOCKET

repository trees
ticket a queued
ticket b inprogress
plan_line a r-1 blocked_by b
commit
git worktree add --quiet "$box/side"
(cd "$box/side" && ticket b 'done')
ticket c planning
in_nvim checkouts

repository odd
tree=tickets
slug_ticket open 20260101-000001-short queued short
slug_ticket open 20260101-000002-long planning long
printf -- '---\nid: 20260101-000003-odd\ntitle: "%s"\nstatus: open\nworkflow_state: queued\n---\n' \
	'長い題名\e[2J\u202e 一覧\n二行目' >"$box/odd.md"
mkdir -p tickets/open/20260101-000003-odd && cp "$box/odd.md" tickets/open/20260101-000003-odd/item.md
mkdir -p tickets/open/torn && printf 'no front matter\n' >tickets/open/torn/item.md
commit
in_nvim odd

mkdir "$box/nowhere" && cd "$box/nowhere" && printf -- '---\nstate: queued\n---\n' >item.md
in_nvim nowhere
finish
