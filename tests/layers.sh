#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who may include whom, and does the map at the top of agent/main.c name every file.
# Prints each violation as file:line: what; run from anywhere, or with srcdir set.

# Of what layer a file of agent/ is, by its name without ending.
layers='
floor    arena hash jsonset log
model    layout content item artifact thread index index_private intake settle waits ids status claims claims_private claimrules claimtext trace ripple meaning cycle gate guard query why graph doctor brief follow view diff past log_rows audit stance ignored
service  service server conn listener feed clock dispatch draft answer handlers handle_*
world    ahead beneath watch git repo repo_* worker ledger flush life registry pids node seen mounts watch_private look walk drain gitwork keep fresh
top      agent agent_private agent_service main reading holders sources site beside revision history timeline review timeline_private sources_private upkeep kept provenance
'

# Which headers a layer, or a room, may not include.  A pattern with a slash is a path as
# it stands in <>; LAYER: means every header of that layer or room.
never='
protocol  agent: client: ev.h git2* pthread.h sys/inotify.h yaml.h uthash.h
client    agent: ev.h git2* pthread.h sys/inotify.h yaml.h uthash.h
floor     model: world: service: top: client: msgpack*
model     world: service: top: client: msgpack* unistd.h fcntl.h sys/*
world     model: service: top: client:
service   top: client: watch.h load.h git.h
top       client:
'

# Headers that only these files may include.
only='
ev.h            agent/agent_private.h agent/agent.c agent/conn.h agent/server.c
git2*           agent/git.c agent/repo_lib.c
sys/inotify.h   agent/watch.c agent/look.c agent/drain.c agent/ahead.c
pthread.h       agent/ahead.c agent/worker.c agent/worker.h agent/flush.c agent/keep.c agent/fresh.c
yaml.h          agent/item.c
uthash.h        agent/hash.h
watch_private.h agent/watch.c agent/look.c agent/drain.c agent/walk.c agent/ahead.c
sources_private.h agent/sources.c agent/site.c agent/beside.c agent/upkeep.c
timeline_private.h agent/timeline.c agent/review.c
agent_private.h agent/agent.c agent/agent_service.c
claims_private.h agent/claims.c agent/claimrules.c
index_private.h agent/index.c agent/intake.c agent/settle.c agent/waits.c agent/ids.c agent/trace.c agent/ripple.c
'

cd "${srcdir:-$(dirname "$0")/..}" || exit 99
set -f
export layers never only

# Every include line as FILE LINE HEADER, quotes and brackets off.
includes()
{
	set +f
	grep -snE '^[[:blank:]]*#[[:blank:]]*include' \
		protocol/*.c protocol/*.h agent/*.c agent/*.h client/*.c client/*.h /dev/null |
		sed -E 's/^([^:]*):([0-9]+):[^"<]*["<]([^">]*)[">].*/\1 \2 \3/'
	set -f
}

files()
{
	set +f
	ls protocol/*.h agent/*.h client/*.h 2>/dev/null
	set -f
}

check_includes()
{
	{ files; echo --; includes; } | awk '
	# A shell pattern as a regular expression.
	function like(text, pattern) {
		gsub(/\./, "[.]", pattern)
		gsub(/\*/, ".*", pattern)
		return text ~ ("^" pattern "$")
	}
	function stem(file) { sub(/.*\//, "", file); sub(/[.].*/, "", file); return file }
	function layer_of(file,    i, j, n, part) {
		if (file !~ /^agent\//)
			return substr(file, 1, index(file, "/") - 1)
		for (i = 1; i <= layer_lines; i++) {
			n = split(layer_line[i], part)
			for (j = 2; j <= n; j++)
				if (like(stem(file), part[j]))
					return part[1]
		}
	}
	function room_of(file) { return substr(file, 1, index(file, "/") - 1) }
	# The file a header is: of the room that includes it, else of another.
	function found(file, header,    i) {
		for (i = 1; i <= 4; i++)
			if ((i == 1 ? room_of(file) : room[i]) "/" header in there)
				return (i == 1 ? room_of(file) : room[i]) "/" header
		return ""
	}
	function forbidden(layer, header, path,    i, j, n, part) {
		for (i = 1; i <= never_lines; i++) {
			n = split(never_line[i], part)
			for (j = 2; j <= n && part[1] == layer; j++) {
				if (part[j] !~ /:$/ && like(header, part[j]))
					return 1
				if (path != "" && (part[j] == layer_of(path) ":" ||
				    part[j] == room_of(path) ":"))
					return 1
			}
		}
		return 0
	}
	function restricted(file, header,    i, j, n, part) {
		for (i = 1; i <= only_lines; i++) {
			n = split(only_line[i], part)
			if (!like(header, part[1]))
				continue
			for (j = 2; j <= n; j++)
				if (part[j] == file)
					return ""
			sub(/^[^ ]+ +/, "", only_line[i])
			return only_line[i]
		}
		return ""
	}
	BEGIN {
		layer_lines = split(ENVIRON["layers"], layer_line, "\n")
		never_lines = split(ENVIRON["never"], never_line, "\n")
		split("- protocol agent client", room)
	}
	!listed && $0 == "--" { listed = 1; next }
	!listed { there[$0]; next }
	{
		only_lines = split(ENVIRON["only"], only_line, "\n")
		layer = layer_of($1)
		if (layer == "" && !($1 in told)) {
			print $1 ":1: of no layer; give it one in tests/layers.sh"
			told[$1]
			bad = 1
		}
		if (forbidden(layer, $3, found($1, $3))) {
			print $1 ":" $2 ": " layer " may not include " $3
			bad = 1
		}
		allowed = restricted($1, $3)
		if (allowed != "") {
			print $1 ":" $2 ": only " allowed " may include " $3
			bad = 1
		}
	}
	END { exit bad }'
}

# The map: the comment of agent/main.c that says "map".  A row of it is cells with two or more
# blanks between them, names and what they are in turn: names are words without an ending, with
# commas between several.  A layer may stand before the first name.
check_map()
{
	set +f
	ls protocol/*.[ch] agent/*.[ch] client/*.[ch] 2>/dev/null |
		sed -E 's#.*/(.*)[.][ch]$#\1#' | sort -u |
		awk -v map=agent/main.c '
		function look(row, at,    n, i, cell) {
			sub(/^ *\/?\*+ */, "", row)
			n = split(row, cell, /   *| \*\/$/)
			i = 1
			if (cell[1] in layer && (n % 2 || !(cell[1] in there)))
				i = n > 2 ? 2 : n + 1
			for (; i <= n; i += 2)
				if (cell[i] ~ /^[a-z0-9_]+(, [a-z0-9_]+)*$/ && n > 1)
					names(cell[i], at)
		}
		function names(list, at,    n, i, name) {
			n = split(list, name, ", ")
			for (i = 1; i <= n; i++) {
				named[name[i]]
				if (!(name[i] in there))
					say(at, "the map names " name[i] ", which is not there")
			}
		}
		function say(at, what) {
			print map ":" at ": " what
			bad = 1
		}
		BEGIN {
			lines = split(ENVIRON["layers"], line, "\n")
			for (i = 1; i <= lines; i++)
				if (split(line[i], word) > 1)
					layer[word[1]]
		}
		{ there[$0] }
		END {
			for (number = 1; (getline text < map) > 0; number++) {
				if (!first && text ~ /\/\*/ && text !~ /\*\//)
					first = number
				if (!first)
					continue
				is_map = is_map || text ~ /(^|[^a-z])[Mm]ap([^a-z]|$)/
				row[number] = text
				if (text ~ /\*\// && is_map)
					break
				if (text ~ /\*\//)
					first = 0
			}
			if (!is_map) {
				print map ":1: no comment that is the map"
				exit 1
			}
			for (i = first; i <= number; i++)
				look(row[i], i)
			for (name in there)
				if (!(name in named))
					say(first, "the map does not name " name)
			exit bad
		}'
}

status=0
tell()
{
	"$1" || { printf 'not '; status=1; }
	echo "ok $2"
}
tell check_includes "1 - every file includes what it may"
tell check_map "2 - the map names every file"
echo 1..2
exit $status
