#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The Model Context Protocol: recorded dialogues of each era, input that no client should
# send, restarts and ends, and what hosts are told.
#
#	mcp.sh record	renews the dialogues instead
. "$(dirname "$0")/lib.sh"

# The same small tree for each dialogue.
story_tree()
{
	repository "$1"
	ticket a queued 'First'
	ticket b queued 'Second'
	ticket c ready 'Third'
	ticket d inprogress 'Fourth'
	plan_line a 1 blocked_by c
	commit
}

for era in 2026-07-28 2025-11-25 2025-06-18; do
	story_tree "dialogue-$era"
	if [ "${1-}" = record ]; then
		"$python" "$system/mcp.py" record "$system/dialogue/$era.txt"
	else
		seen_by "$python" "$system/mcp.py" replay "$system/dialogue/$era.txt"
	fi
	tpctl stop >/dev/null
done

[ "${1-}" != record ] || exit 0

story_tree hostile
seen_by "$python" "$system/mcp.py" hostile
is "$(git status --porcelain)" "" "nothing of it got into the tree"
seen_by "$python" "$system/mcp.py" life

list='{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}'
printf '%s\n' "$list" | tpctl mcp >"$box/out"
size=$(wc -c <"$box/out")
[ "$size" -le 8192 ] && ok "the list of tools has at most 8 KiB" ||
	not_ok "the list of tools has at most 8 KiB" "$size"
printf '%s\n' "$list" | tpctl mcp >"$box/again"
holds "and is the same each time" cmp "$box/out" "$box/again"
printf '%s\n' "$list" | tpctl mcp --read-only >"$box/out"
is "$(field 'result.tools.annotations.readOnlyHint' | sort -u)" true \
	"who only looks is shown what only looks"

for host in claude-code cursor vscode; do
	tp mcp --config "$host"
	like "$(field '*' 2>/dev/null; cat "$box/out")" '*"command": "tpctl"*"mcp"*' "a configuration for $host"
	is "$(field 'mcpServers.ticketplan.command' 'servers.ticketplan.command' | grep -v null)" tpctl \
		"that is JSON"
done
tp mcp --config codex --read-only
gives 0 '*[[]mcp_servers.ticketplan]*"--read-only"*' "one for codex, for a companion"
tp mcp --config nonsense
gives 2 '*is none of*codex*' "there are no others"
tp mcp --help
gives 0 '*Model Context Protocol*' "it has a help"
tp help mcp
gives 0 '*Model Context Protocol*' "by either way"

cd "$box" || exit 99
mkdir nowhere && cd nowhere || exit 99
call='{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"queue","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}'
printf '%s\n' "$call" | tpctl mcp >"$box/out"
like "$(cat "$box/out")" '*no_repository*"isError":true*' "outside a repository a tool says so"
printf '%s\n' "$call" | tpctl -C ../hostile mcp >"$box/out"
like "$(cat "$box/out")" '*"structuredContent"*' "and -C names one"
printf '%s\n' "$call" | CLAUDE_PROJECT_DIR="$box/hostile" tpctl mcp >"$box/out"
like "$(cat "$box/out")" '*"structuredContent"*' "as a host does by its own name"
finish
