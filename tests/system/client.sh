#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tpctl as people and scripts meet it: help, JSON, completion, pipes, plugins.
. "$(dirname "$0")/lib.sh"

repository main
ticket a queued 'An ordinary title'
ticket b planning
commit
tpctl start >/dev/null

# -- Help ----------------------------------------------------------------

tp
gives 0 'usage: tpctl COMMAND*queue*check*records*record*accept*retract*help --all*' "tpctl alone explains itself"
tp help --all
gives 0 '*read*durable*set-up*options of every command*' "help --all lists every command"
commands=$(tpctl __complete words '' | cut -f1)
isnt "$commands" "" "completion knows the commands"
bad=
for command in $commands; do
	printf '%s\n' "$out" | grep -q "^  $command " || bad="$bad $command(list)"
	tpctl help "$command" >"$box/help" 2>&1 || bad="$bad $command"
	tpctl "$command" --help 2>&1 | cmp -s - "$box/help" || bad="$bad $command(--help)"
	[ "$(sed -n 1p "$box/help" | cut -c1-$((13 + ${#command})))" = "usage: tpctl $command" ] ||
		bad="$bad $command(usage)"
	[ "$(awk 'length > 100' "$box/help")" = "" ] || bad="$bad $command(wide)"
done
is "$bad" "" "help of each of $(echo "$commands" | wc -l) commands"
bad=
for method in $(tpctl __complete words call '' | cut -f1); do
	tpctl help "$method" >/dev/null 2>&1 || bad="$bad $method"
done
is "$bad" "" "and of each method"
tp --version
gives 0 'tpctl [0-9]*' "--version"

# -- What is no command --------------------------------------------------

tp chekc a
gives 2 'tpctl: unknown command chekc; did you mean check?*' "a command that is none"
tp ..
gives 2 '*unknown command*' "a name that can be no program"
tp check a --statsu
gives 2 '*unknown option --statsu*' "an option that is none"
tp records a --staus all
gives 2 '*did you mean --status?*' "and which was meant"
tp record a afer b
gives 2 '*did you mean after?*' "a word that is none"
tp check
gives 2 '*missing: ticket; usage: tpctl check TICKET*' "an argument that is missing"
like "$err" '*hint: see `tpctl help check`' "and where the command is explained"
ask check
like "$(field error.hint)" 'see `tpctl help check`' "in JSON too"
tp check a b
gives 2 '*too much: b*' "one too many"
tp tickets --limit many
gives 2 '*limit*' "a number that is none"
for limit in 0 -1 1001; do
	for list in tickets queue records claims sessions doctor log; do
		ask $list --limit=$limit
		gives 2 "*limit is $limit; it goes from 1 to 1000*" "out of the range of a list: $list $limit"
	done
done
tp brief --max-bytes 0
gives 2 '*max_bytes is 0; it goes from 500 to 1048576*' "and out of that of a text"
tp help queue
like "$out" '*from 1 to 1000*' "which help names"
tp queue --timeout soon
gives 2 '*duration*' "a time that is none"
tp -C
gives 2 '*-C needs a value*' "an option without its value"
is "$(echo "$err" | head -c 7)$(echo "$out" | wc -c)" "tpctl: 1" "errors go to stderr alone"
tp -- check a
gives 0 'a: clear*' "-- ends the options"
tp check -- a
gives 0 'a: clear*' "also behind the command"

# -- JSON ----------------------------------------------------------------

bad=
for words in queue:queue tickets:tickets records:records status:status doctor:doctor \
	'show a:ticket' 'check a:gate' 'why a:why' graph:graph brief:brief resync:sync \
	'record a related b:record' 'accept a -m x:record' socket:socket start:status \
	help:help 'help check:help' --version:version 'call agent.hello:hello' \
	'completion bash:completion'; do
	name=${words%%[: ]*}
	matches " $(echo $commands) --version " "* $name *" || continue
	tpctl --json ${words%:*} >"$box/out" 2>"$box/err" </dev/null || bad="$bad ${words%:*}($?)"
	[ -s "$box/err" ] && bad="$bad ${words%:*}(stderr)"
	[ "$(wc -l <"$box/out")" = 1 ] || bad="$bad ${words%:*}(lines)"
	case $(field schema kind | tr '\n' ' ') in
	"1 ${words#*:} ") ;;
	*) bad="$bad ${words%:*}($(field schema kind | tr '\n' ' '))" ;;
	esac
	case ${words%:*} in socket | help* | --version | completion*) continue ;; esac
	[ "$(field clock)" = null ] && bad="$bad ${words%:*}(clock)"
done
is "$bad" "" "each command answers one line of JSON: schema 1, its kind, the clock"
rm -r tickets/a/artifacts
tpctl recover --forget >/dev/null
bad=
while read -r code words; do
	tpctl $words >"$box/out" 2>"$box/err" </dev/null
	got=$?
	case $(field schema kind error.retryable | tr '\n' ' ') in
	'1 error true ' | '1 error false ') ;;
	*) bad="$bad $words" ;;
	esac
	[ "$(field error.message error.hint | grep -c ..)" = 2 ] || bad="$bad $words(text)"
	[ "$got $(wc -c <"$box/err")" = "$code 0" ] || bad="$bad $words($got)"
done <<'END'
2 nonsense --json
2 --json check
2 check a --json --nonsense
4 --json check nobody
4 --json -C / queue
5 --json record a after a
2 --json call no.such.method
2 --json call ticket.get {}
2 --json call ticket.get [
2 --json record a wrongly b
END
is "$bad" "" "errors are JSON too, with the exit status they have without"
is "$(tpctl --json check b >"$box/out"; echo "$? $(field gate.verdict)")" "3 not_queued" \
	"a no is an answer, and an exit status of 3"
tp call ticket.check '{"ticket":"a","nonsense":[1,{"x":null}]}'
gives 0 '{*"verdict": "clear"*}' "call sends what it is given; unknown keys are ignored"
echo '{"ticket":"a"}' | tpctl --json call ticket.check - >"$box/out"
is "$(field gate.ticket)" a "also from standard input"
tp call agent.describe
gives 0 '{*schema*' "the agent describes itself"
is "$(tpctl call agent.describe | "$python" -c '
import json, sys
print("methods" in json.loads(json.load(sys.stdin)["table"]))')" True "in JSON"

# -- Pages ---------------------------------------------------------------

for i in $(seq 25); do ticket "p$i" ready; done
bad='' cursor='' all=''
for page in 1 2 3; do
	ask tickets --state ready --limit 10 ${cursor:+--cursor "$cursor"}
	all="$all $(field tickets.id | tr '\n' ' ')"
	cursor=$(field next)
	[ "$(field count)" = 25 ] || bad="$bad $page"
done
is "$(echo $all | tr ' ' '\n' | sort -u | wc -l)$bad$cursor" "25null" "pages are joined by cursors"
ask tickets --cursor nonsense!
case $status in
0 | 2 | 5) ok "a cursor that is none does no harm" ;;
*) not_ok "a cursor that is none does no harm" "$status $out" ;;
esac
ask tickets --limit 1001
isnt "$status" 0 "more than 1,000 rows at once are refused"
is "$(tpctl --json tickets --state ready --state queued | sed 's/.*"count":\([0-9]*\).*/\1/')" 26 \
	"options may be repeated"

# -- Completion ----------------------------------------------------------

for shell in bash zsh fish; do
	tpctl completion $shell >"$box/completion.$shell"
	if command -v $shell >/dev/null 2>&1; then
		holds "the completion script for $shell parses" $shell -n "$box/completion.$shell"
	else
		note "left out: no $shell here"
		holds "there is a completion script for $shell" test -s "$box/completion.$shell"
	fi
done
is "$(tpctl __complete words che | cut -f1)" check "commands are completed"
is "$(tpctl __complete words check p1 | cut -f1 | tr '\n' ' ')" \
	"p1 p10 p11 p12 p13 p14 p15 p16 p17 p18 p19 " "Ticket ids are"
is "$(tpctl __complete words record a conf | cut -f1)" conflicts-with "and words"
is "$(tpctl __complete words records a --stat | cut -f1)" --status "and options"
is "$(tpctl __complete words records a --status h | cut -f1)" history "and their values"
if command -v bash >/dev/null 2>&1; then
	is "$(bash -c '. "$1"; COMP_WORDS=(tpctl chec); COMP_CWORD=1; _tpctl; echo "${COMPREPLY[@]}"' - \
		"$box/completion.bash")" check "bash completes by the script"
fi

# -- Where output goes ---------------------------------------------------

tpctl queue >&- 2>"$box/err"
is "$?:$(cat "$box/err")" "8:tpctl: cannot write to standard output: Bad file descriptor" \
	"a closed stdout"
tpctl queue >/dev/full 2>"$box/err"
is "$?:$(cat "$box/err")" "8:tpctl: cannot write to standard output: No space left on device" \
	"a full disk"
tpctl record a related b >/dev/full 2>"$box/err"
is "$?" 8 "a record whose answer finds no place"
unlike "$(cat "$box/err")" '*nothing was changed*' "is not denied"
{ tpctl help --all 2>"$box/err"; echo $? >"$box/code"; } | head -n 1 >/dev/null
is "$(cat "$box/code" "$box/err")" 0 "a reader that goes away"
tpctl chek 2>&-
is "$?" 2 "a closed stderr"
tpctl check a <&- >/dev/null
is "$?" 0 "a closed stdin"

# -- Foreign text --------------------------------------------------------

mkdir tickets/evil
printf -- '---\ntitle: "\\e[31mred\\e]0;title\\a \\u202Eabc\\u2028 \\u200B\\U000E0041 ok \303\251"\nstate: queued\n---\n' \
	>tickets/evil/item.md
for words in queue tickets 'show evil' 'record b after evil -m x' 'check b'; do
	tpctl $words >>"$box/shown" 2>&1
done
is "$(grep -c "$(printf '[\001-\010\013-\037\177]')" "$box/shown")" 0 "no control character reaches the terminal"
is "$("$python" -c 'import sys
text = open(sys.argv[1], encoding="utf-8").read()
print(sum(c in "\u202e\u2028\u200b\U000e0041" for c in text))' "$box/shown")" 0 "nor one that nobody sees"
like "$(cat "$box/shown")" '*\\x1b[[]31mred*\\u{202e}abc*ok é*' "they are shown as what they are"
tp check "$(printf 'no\033[1mbody')"
gives 4 '*no\\x1b[[]1mbody*' "also in what was typed"
ask show evil
is "$(field ticket.title | od -An -c | tr -s ' \n' ' ' | cut -c1-10)" ' 033 [ 3 1' \
	"JSON carries the text itself"

# -- Programs beside tpctl -----------------------------------------------

mkdir "$box/path"
cat >"$box/path/tpctl-hello" <<'END'
#!/bin/sh
echo "hello $* in $PWD at $TP_SOCKET"
exit 42
END
chmod +x "$box/path/tpctl-hello"
PATH="$box/path:$PATH"
tp hello one '--two three'
gives 42 "hello one --two three in $box/main at $(tpctl socket)" "tpctl NAME runs tpctl-NAME"
tp --json -C / hello
gives 42 'hello --json in / at *' "with --json, where -C says"
cp "$box/path/tpctl-hello" "$box/path/tpctl-check"
tp check a
gives 0 'a: clear*' "and never instead of a command"
finish
