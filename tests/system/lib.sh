# SPDX-License-Identifier: MIT
#
# What every story here stands on; sourced, not run.  A story runs the real tpd and
# tpctl in a box of its own (folders, git configuration, sockets, state) and says in
# TAP what it saw.  It never sleeps: each answer sees all that was done before it.
#
#	abs_top_builddir	where tpd and tpctl were built
#	TP_SCALE		0, 1 or 100: how much of everything
set -u

story=$(basename "$0" .sh)
system=$(CDPATH='' cd -- "$(dirname "$0")" && pwd -P)

find_programs()
{
	for bin in "${abs_top_builddir-}" "$PWD" "$system/../.." "$system"/../../build*/ \
		"$system"/../../build*/*/; do
		if [ -n "$bin" ] && [ -x "$bin/tpctl" ] && [ -x "$bin/tpd" ]; then
			bin=$(CDPATH='' cd -- "$bin" && pwd -P)
			return
		fi
	done
	echo "Bail out! set abs_top_builddir to the folder with tpd and tpctl"
	exit 99
}

# The system's own is quicker than one that a version manager puts before it.
find_python()
{
	for python in "${PYTHON-}" /usr/bin/python3 python3; do
		command -v "${python:-none}" >/dev/null 2>&1 && return
	done
	echo "Bail out! no python3"
	exit 99
}

open_box()
{
	box=$(mktemp -d "${TMPDIR:-/tmp}/tp.XXXXXX") && box=$(cd "$box" && pwd -P) || exit 99
	trap close_box EXIT
	trap 'exit 130' INT TERM HUP
	for name in $(env | sed -n 's/^\(\(TP\|GIT\|XDG\)_[A-Z_]*\)=.*/\1/p'); do
		case $name in TP_SCALE | TP_CORPUS) ;; *) unset "$name" ;; esac
	done
	export HOME="$box/home" XDG_RUNTIME_DIR="$box/run" XDG_STATE_HOME="$box/state"
	export GIT_CONFIG_GLOBAL="$box/home/.gitconfig" GIT_CONFIG_NOSYSTEM=1
	export LC_ALL=C.UTF-8 TZ=UTC TERM=dumb PYTHONDONTWRITEBYTECODE=1 PATH="$bin:$PATH"
	mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR"
	git config --global user.name Tester
	git config --global user.email tester@example.org
	git config --global init.defaultBranch main
	git config --global gc.auto 0
	git config --global advice.detachedHead false
	logged_agents
	export LSAN_OPTIONS="${LSAN_OPTIONS-suppressions=$system/../lsan.supp:print_suppressions=0}"
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$box/sanitizer"
	export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$box/sanitizer"
}

# An agent that tpctl starts has no stderr; what it says there is kept in $box/agents.log.
# Another program than tpd may be given.
logged_agents()
{
	printf '#!/bin/sh\nexec "%s" "$@" 2>>"%s/agents.log"\n' "${1-$bin/tpd}" "$box" >"$box/tpd"
	chmod +x "$box/tpd"
	export TP_TPD="$box/tpd"
}

# The words that a process was started with, or its environment, a line each.
words_of()
{
	{ tr '\0' '\n' <"/proc/$1/$2"; } 2>/dev/null
}

# Processes of agents that were started in this box, for the repository if one is given.
agents()
{
	for comm in /proc/[0-9]*/comm; do
		{ read -r name <"$comm"; } 2>/dev/null && [ "$name" = tpd ] || continue
		pid=${comm%/comm} pid=${pid#/proc/}
		words_of "$pid" environ | grep -qxF "HOME=$box/home" || continue
		[ $# -eq 0 ] || words_of "$pid" cmdline | grep -qxF -e "$1" -e "$1/.git" || continue
		echo "$pid"
	done
}

close_box()
{
	code=$?
	trap - EXIT
	cd /
	for pid in $(agents); do
		kill -CONT "$pid" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
	done
	chmod -R u+rwX "$box" 2>/dev/null
	rm -rf "$box"
	exit "$code"
}

# -- What was seen -------------------------------------------------------

count=0 failed=0

ok()
{
	count=$((count + 1))
	echo "ok $count - $1"
}

# not_ok SENTENCE [WHAT…]
not_ok()
{
	count=$((count + 1)) failed=$((failed + 1))
	echo "not ok $count - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | cut -c1-1500 | sed 's/^/#	/'
}

note()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# is GOT WANTED SENTENCE
is()
{
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got:    $1" "wanted: $2"; fi
}

isnt()
{
	if [ "$1" != "$2" ]; then ok "$3"; else not_ok "$3" "got: $1"; fi
}

matches()
{
	case $1 in $2) return 0 ;; esac
	return 1
}

# like GOT PATTERN SENTENCE: a pattern of the shell.
like()
{
	if matches "$1" "$2"; then ok "$3"; else not_ok "$3" "got:    $1" "wanted: $2"; fi
}

unlike()
{
	if matches "$1" "$2"; then not_ok "$3" "got: $1"; else ok "$3"; fi
}

# holds SENTENCE COMMAND…: the command succeeds.
holds()
{
	sentence=$1
	shift
	if "$@" >"$box/holds" 2>&1; then ok "$sentence"; else
		not_ok "$sentence" "failed: $*" "$(cat "$box/holds")"
	fi
}

# fails SENTENCE COMMAND…
fails()
{
	sentence=$1
	shift
	if "$@" >/dev/null 2>&1; then not_ok "$sentence" "succeeded: $*"; else ok "$sentence"; fi
}

# Take over what a program says it saw: lines "ok SENTENCE", "not ok SENTENCE", "# …".
seen_by()
{
	ended=0
	"$@" >"$box/seen" 2>"$box/seen.err" || ended=$?
	while IFS= read -r line; do
		case $line in
		'ok '*)     ok "${line#ok }" ;;
		'not ok '*) not_ok "${line#not ok }" ;;
		*)          echo "$line" ;;
		esac
	done <"$box/seen"
	[ "$ended" -eq 0 ] || not_ok "${1##*/} came to its end" "status $ended" "$(cat "$box/seen.err")"
}

# Whether strace may be put to an agent here.
may_trace()
{
	(cd "$system" && "$python" -c 'import sys, fault; sys.exit(not fault.may_trace())')
}

# Nobody may have found anything wrong with the programs themselves.
finish()
{
	for pid in $(agents); do kill -TERM "$pid" 2>/dev/null; done
	# A leak is told by the last that a process does.
	tries=0
	while [ -n "$(agents)" ] && [ "$tries" -lt 1000 ]; do tries=$((tries + 1)); done
	is "$(agents)" "" "every agent ends when it is told to"
	bad=$(cat "$box"/sanitizer* 2>/dev/null; grep -hE '^(bug|fatal): ' "$box"/*.log 2>/dev/null)
	is "$bad" "" "no program of ours broke a rule of its own or of memory"
	echo "1..$count"
	[ "$failed" -eq 0 ]
	exit
}

# scaled N LEAST MOST: N times TP_SCALE, within bounds.
scaled()
{
	n=$(($1 * ${TP_SCALE:-1}))
	if [ "$n" -lt "$2" ]; then n=$2; elif [ "$n" -gt "$3" ]; then n=$3; fi
	echo "$n"
}

# -- Asking --------------------------------------------------------------

# tp WORD…: run tpctl; sets status, out and err.
tp()
{
	status=0
	tpctl "$@" >"$box/out" 2>"$box/err" </dev/null || status=$?
	out=$(cat "$box/out") err=$(cat "$box/err")
}

ask()
{
	tp --json "$@"
}

# gives STATUS PATTERN SENTENCE: so the last question ended, and so it was answered.
gives()
{
	if [ "$status" -eq "$1" ] && matches "$out$err" "$2"; then
		ok "$3"
	else
		not_ok "$3" "status: $status, wanted $1" "said: $out$err" "wanted: $2"
	fi
}

status_is()
{
	gives "$1" '*' "$2"
}

# field PATH…: from the last answer; paths as rpc.py takes them, one value a line.
field()
{
	"$python" "$system/rpc.py" field "$@" <"$box/out"
}

# An answer without what differs between two agents that know the same.
plain_answer()
{
	ask "$@"
	sed 's/"clock":"[^"]*",\{0,1\}//; s/,"freshness":{[^}]*}//' "$box/out"
}

agent_pid()
{
	tpctl --json --no-start status 2>/dev/null | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'
}

kill_agent()
{
	kill -KILL "$(agent_pid)"
}

# follow WORD…: run tpctl in the background; its lines come by next_line.
follow()
{
	rm -f "$box/lines"
	mkfifo "$box/lines"
	tpctl "$@" >"$box/lines" 2>"$box/follow.err" &
	follower=$!
	exec 3<"$box/lines"
}

next_line()
{
	IFS= read -r out <&3 || out="(end)"
	printf '%s\n' "$out" >"$box/out"
}

# ended STATUS SENTENCE: so the follower ended.
ended()
{
	ended=0
	wait "$follower" || ended=$?
	exec 3<&-
	is "$ended" "$1" "$2"
}

instance()
{
	printf '%s\n' "$out" | sed -n 's/.*"clock":"\([^:"]*\):.*/\1/p'
}

# -- Repositories --------------------------------------------------------

# repository NAME: make it and go there.
repository()
{
	mkdir -p "$box/$1"
	cd "$box/$1" || exit 99
	git init --quiet --template=
	tree=tickets
}

commit()
{
	git add -A && git commit --quiet --allow-empty -m "${1:-as it is}"
}

# ticket ID STATE [TITLE]: in the flat layout, below $tree.
ticket()
{
	mkdir -p "$tree/$1"
	printf -- '---\ntitle: %s\nstate: %s\n---\n' "${3:-$1}" "$2" >"$tree/$1/item.md"
}

# slug_ticket BUCKET ID STATE SLUG
slug_ticket()
{
	mkdir -p "$tree/$1/$2"
	printf -- '---\nid: %s\nslug: %s\ntitle: %s\nstatus: %s\nworkflow_state: %s\n---\n' \
		"$2" "$4" "$2" "$1" "$3" >"$tree/$1/$2/item.md"
}

# plan_line TICKET ID KIND OTHER [FIELDS]: add a record as other tools wrote them.
plan_line()
{
	mkdir -p "$tree/$1/artifacts"
	printf '{"id":"%s","ticket_id":"%s","kind":"%s","related_ticket":"%s","author":"them","at":"2026-01-02T03:04:05Z"%s}\n' \
		"$2" "$1" "$3" "$4" "${5-}" >>"$tree/$1/artifacts/orchestration-plan.jsonl"
}

# record_file TICKET ID KIND OTHER
record_file()
{
	mkdir -p "$tree/$1/artifacts/records"
	printf '{\n  "id": "%s",\n  "ticket_id": "%s",\n  "kind": "%s",\n  "related_ticket": "%s",\n  "author": "them",\n  "at": "2026-01-02T03:04:05Z"\n}\n' \
		"$2" "$1" "$3" "$4" >"$tree/$1/artifacts/records/$2.json"
}

# Run something as one who may not read everything, also where root runs the tests.
powerless()
{
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search -- "$@"
	else
		"$@"
	fi
}

find_programs
find_python
open_box
