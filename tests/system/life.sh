#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How an agent comes to live, how it ends, and that there is never a second one.
. "$(dirname "$0")/lib.sh"

# foreground WORD…: start tpd ourselves and wait until it is ready; sets agent.
foreground()
{
	rm -f "$box/ready"
	mkfifo "$box/ready"
	tpd --foreground --ready-fd=9 "$@" 9>"$box/ready" 2>"$box/foreground.log" &
	agent=$!
	read -r said <"$box/ready"
}

# ended: wait for it; sets code.
ended()
{
	code=0
	wait "$agent" || code=$?
}

# quickly SENTENCE: the last question needed much less than its patience.
quickly()
{
	if [ $(($(date +%s) - asked)) -lt 20 ]; then ok "$1"; else not_ok "$1"; fi
}

repository one
ticket a queued
ticket b planning
commit

# -- A question starts the agent -----------------------------------------

ask --no-start queue
gives 6 '*"code":"no_agent"*"retryable":true*' "--no-start starts nothing and says so"
ask status
gives 6 '*no agent runs for*' "status looks and starts nothing"
fails "and leaves no folder behind" test -e "$XDG_STATE_HOME/ticketplan"
env -u TP_TPD tpctl --json check a >"$box/out" 2>"$box/err"
is "$?" 0 "a cold question starts the agent that lies beside tpctl"
like "$(cat "$box/out")" '*"verdict":"clear"*' "and is answered"
first=$(agent_pid)
isnt "$first" "" "the agent says which process it is"
is "$(agents "$box/one")" "$first" "and it is the only one"
ask start
gives 0 '*"pid":'"$first"',*' "start leaves one that runs as it is"
ask socket
socket=$(field socket)
is "$(field running)" true "socket says that it runs"
holds "and where" test -S "$socket"
is "$(stat -c %a "$socket" "${socket%/*}" | tr '\n' ' ')" "700 700 " "nobody else may connect"

# -- stop and start ------------------------------------------------------

tp stop
gives 0 'stopped;*' "stop stops"
is "$(agents)" "" "when it returns no process is left"
fails "and no socket" test -e "$socket"
ask queue
gives 6 '*stopped by `tpctl stop`*' "a question after stop starts none"
tp stop
gives 0 'no agent ran*' "stop once more is no error"
tp start
gives 0 'started: process *' "start ends the stop"
ask queue
gives 0 '*"count":1*' "and questions are answered again"
tp start
gives 0 'runs already: process *' "start once more says that it runs"
tp --no-start start
gives 2 '*contradict*' "start --no-start is refused"
like "$(tpctl stop >/dev/null; tpctl start | cat)" 'started*' \
	"an agent holds no pipe of its starter open"

# -- Death ---------------------------------------------------------------

before=$(plain_answer show a)
dead=$(agent_pid)
kill -KILL "$dead"
after=$(plain_answer show a)
is "$after" "$before" "after kill -9 the next question gets the same answer"
isnt "$(agent_pid)" "$dead" "from another process"
is "$(agents | wc -l)" 1 "and there is one"
ask queue
old=$(instance)
tpctl stop >/dev/null
tpctl start >/dev/null
ask queue
isnt "$(instance)" "$old" "a new agent has a new clock"
now=$(agent_pid)
kill -TERM "$now"
ask queue
gives 0 '*"count":1*' "a question on the heels of SIGTERM is answered"

kill -KILL "$(agent_pid)"
rm "$socket"
mkdir "$socket"
ask queue
gives 8 '*is in the way and is no socket*' "what is no socket is not removed"
rmdir "$socket"

# -- One for all ---------------------------------------------------------

ask queue
now=$(agent_pid)
mkdir -m 700 "$box/run2"
ask queue
is "$(XDG_RUNTIME_DIR="$box/run2" agent_pid)" "$now" \
	"another XDG_RUNTIME_DIR reaches the same agent"
XDG_RUNTIME_DIR="$box/run2" tpctl queue >/dev/null
is "$(agents | wc -l)" 1 "and starts no second one"
ln -s "$box/one" "$box/link"
is "$(cd "$box/link" && agent_pid)" "$now" "a symlink to the repository leads to the same agent"
is "$(cd "$box/one/tickets/a" && agent_pid)" "$now" "and so does a folder in it"
tp -C "$box/link" check a
gives 0 'a: clear*' "-C takes it as well"
tpd --foreground >"$box/out" 2>"$box/err"
is "$?" 7 "a second tpd is refused"
like "$(cat "$box/err")" "tpd: an agent for this repository runs already (process $now)*" \
	"and names the first"
tpd >"$box/out" 2>"$box/err"
is "$?" 7 "also where it would have gone to the background"

# Nobody is there, and somebody asks all the time whether: he has the lock half of it.
tpctl stop >/dev/null
seen_by "$python" - "$box"/state/ticketplan/one-*/lock <<'END'
import fcntl, random, subprocess, sys, threading, time
asking = True
def ask():
    while asking:
        with open(sys.argv[1]) as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            time.sleep(random.random() * 0.002)
        time.sleep(random.random() * 0.002)
thread = threading.Thread(target=ask)
thread.start()
ends = []
for _ in range(8):
    agent = subprocess.Popen(["tpd", "--foreground"], stderr=subprocess.PIPE, text=True)
    while agent.poll() is None and subprocess.run(["tpctl", "--no-start", "queue"], capture_output=True).returncode:
        pass
    subprocess.run(["tpctl", "stop"], capture_output=True)
    ends += [(agent.wait(), agent.stderr.read())] * (agent.returncode != 0)
asking = False
thread.join()
print("not " * bool(ends) + "ok who asks whether there is an agent keeps none from starting")
for end in ends:
    print("#", end)
END
tpctl start >/dev/null
now=$(agent_pid)

(repository two; ticket x ready; tpctl queue >/dev/null)
other=$(cd "$box/two" && agent_pid)
isnt "$other" "$now" "another repository has an agent of its own"
is "$(agents | wc -l)" 2 "so there are two"
TP_SOCKET=$socket tpctl -C "$box/two" --json queue >"$box/out" 2>&1
is "$?" 6 "an agent of another repository is not believed"
like "$(cat "$box/out")" "*serves $box/one/.git, not $box/two/.git*" "and both are named"
tpctl -C "$box/two" stop >/dev/null

n=$(scaled 30 8 100)
repository crowd
ticket a queued
pids=
for i in $(seq "$n"); do
	tpctl --json --timeout 60s queue >"$box/crowd.$i" 2>&1 &
	pids="$pids $!"
done
bad=0
for pid in $pids; do wait "$pid" || bad=$((bad + 1)); done
is "$bad" 0 "all of $n cold questions at once are answered"
is "$(sed -n 's/.*"clock":"\([^:]*\):.*/\1/p' "$box"/crowd.* | sort | uniq -c | awk '{print $1}')" \
	"$n" "by one agent"
is "$(agents "$box/crowd" | wc -l)" 1 "and one process is there"
tpctl stop >/dev/null
cd "$box/one" || exit 99

# -- Busy is not dead ----------------------------------------------------

now=$(agent_pid)
inode=$(stat -c %i "$socket")
kill -STOP "$now"
ask --timeout 200ms queue
gives 7 '*"code":"busy"*did not answer in time*' "a stopped process is busy"
ask --timeout 200ms record a after b -m x
gives 7 '*"code":"busy"*' "also for who wants to write"
is "$(stat -c %i "$socket")" "$inode" "its socket is left alone"
kill -CONT "$now"
ask records --status all
gives 0 '*"count":0*' "and nothing was written by one who was told so"
is "$(agent_pid)" "$now" "it is the same process that answers again"

rm "$socket"
ask queue
gives 0 '*"count":1*' "a socket that was removed is made anew"
is "$(agent_pid)" "$now" "by the same process"
mv "${socket%/*}" "$box/away"
ask queue
gives 0 '*"count":1*' "even with its folder"
is "$(agents)" "$now" "and no second agent started"
kill -TERM "$now"
ask queue
gives 0 '*"count":1*' "once it is ended the next question starts another"
tpctl stop >/dev/null
tpctl start >/dev/null
tpctl stop >/dev/null

# -- In the foreground ---------------------------------------------------

foreground --idle-exit 200ms
is "$said" ok "tpd --foreground says when it is ready"
ended
is "$code" 0 "and ends by itself when nobody asks"
like "$(cat "$box/foreground.log")" '*nobody asked for a while*' "saying so"
fails "its socket is gone" test -e "$socket"
foreground
is "$(agent_pid)" "$agent" "tpctl finds it"
kill -TERM "$agent"
ended
is "$code" 0 "SIGTERM ends it well"
fails "without a socket left" test -e "$socket"
foreground
kill -INT "$agent"
ended
is "$code" 0 "and so does SIGINT"
tpd --idle-exit 5m
is "$?" 0 "without --foreground it returns when the agent serves"
is "$(agents | wc -l)" 1 "and one serves"
tpctl status >/dev/null
if cat "/proc/$(agents)/syscall" >/dev/null 2>&1; then
	# What it waits in has its longest time, in milliseconds, as the fourth argument.
	tries=0 longest=0
	while [ "$longest" -le 60000 ] && [ "$tries" -lt 10000 ]; do
		read -r call _ _ _ longest _ <"/proc/$(agents)/syscall"
		[ "$call" != running ] && longest=$((longest)) || longest=0
		tries=$((tries + 1))
	done
	is "$((longest > 60000))" 1 "which nothing wakes while nobody asks, not even to look at the clock"
else
	note "left out: what a process waits for may not be seen here"
fi
tpctl stop >/dev/null
tpctl start >/dev/null; tpctl stop >/dev/null
foreground --read-only
tp record a after b -m x
gives 5 '*may only read*' "--read-only refuses to write"
ask status
gives 0 '*"read_only":true*' "and status says so"
kill -TERM "$agent"
ended

for wrong in --nonsense --idle-exit=never --lock-fd=x extra; do
	tpd "$wrong" >"$box/out" 2>"$box/err"
	is "$?:$(head -c 5 "$box/err")" "2:tpd: " "tpd refuses $wrong"
done
bad=
for n in $(seq 13 5 63); do
	(ulimit -n "$n" && tpctl start) >"$box/out" 2>"$box/err"
	matches "$?:$(cat "$box/err")" "8:*only $n files may be open at once, and 64 are needed*ulimit -n*" ||
		bad="$bad $n"
done
is "$bad" "" "with too few descriptors none starts, and the starter is told how many are needed"
is "$(agents)" "" "indeed none"
(ulimit -n 64 && tpctl start && tpctl check a) >"$box/out" 2>&1
like "$?:$(cat "$box/out")" '0:*clear*' "with as many as are needed it serves"
tpctl stop >/dev/null
if may_trace; then
	for error in ENOSYS EPERM; do
		ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -qq -o "$box/trace" \
			-e inject=openat2:error=$error tpctl start >"$box/out" 2>"$box/err"
		like "$?:$(cat "$box/err")" '8:*openat2(2) cannot be used here; *Linux 5.6*' \
			"where openat2 answers $error none starts, and it is said why"
	done
	is "$(agents)" "" "indeed none"
else
	note "strace cannot trace here: no call is forbidden"
fi
like "$(tpd --help)" 'usage: tpd *' "tpd --help"
like "$(tpd --version)" 'tpd [0-9]*' "tpd --version"

# -- Who wants no agent, or no writing -----------------------------------

rm -f "$XDG_STATE_HOME"/ticketplan/one-*/stopped
git config ticketplan.autostart false
ask queue
gives 6 '*ticketplan.autostart is false*tpctl start*' \
	"ticketplan.autostart=false: a question starts none"
is "$(agents)" "" "indeed none"
tp start
gives 0 'started*' "start still does"
ask queue
gives 0 '*"count":1*' "and then questions are answered"
git config --unset ticketplan.autostart
before=$(find tickets -type f | sort)
export TP_READ_ONLY=1
ask record a after b -m x
gives 5 '*"code":"read_only"*' "TP_READ_ONLY=1 refuses to write"
ask check a
gives 0 '*clear*' "and reads"
unset TP_READ_ONLY
is "$(find tickets -type f | sort)" "$before" "nothing was written"
tp record a related b
gives 0 'recorded*' "another client of the same agent may write"
tpctl stop >/dev/null
tpctl start >/dev/null
kill -KILL "$(agent_pid)"
TP_READ_ONLY=1 tpctl check a >/dev/null
tp record a related b -m again
gives 0 'recorded*' "an agent that a read-only client started still writes for others"
tpctl stop >/dev/null

# -- Starts that fail say why, at once -----------------------------------

asked=$(date +%s)
export XDG_STATE_HOME="$box/state3"
ask --timeout 60s queue
state=$(tpctl --json status | sed 's/.*"state":"\([^"]*\)".*/\1/')
is "$(stat -c %a "$state" "$state/lock" | tr '\n' ' ')" "700 600 " "the state folder is ours alone"
kill -KILL "$(agent_pid)"
chmod 777 "$state"
ask --timeout 60s queue
gives 8 '*is open to others (mode 777)*chmod 700*' "a state folder that is open to all"
chmod 500 "$state"
rm "$state/lock"
powerless tpctl --json --timeout 60s queue >"$box/out" 2>&1
is "$?" 8 "a state folder that cannot be written"
like "$(cat "$box/out")" '*cannot open *lock: Permission denied*' "with its name and the cause"
chmod 700 "$state"
XDG_STATE_HOME=/dev/null/x tpctl --timeout 60s queue >"$box/out" 2>&1
is "$?" 8 "a state folder that cannot be made"
like "$(cat "$box/out")" '*/dev/null*Not a directory*' "says which"
mkdir -m 700 -p "$box/run4/ticketplan"
chmod 755 "$box/run4/ticketplan"
XDG_RUNTIME_DIR="$box/run4" tpctl --timeout 60s queue >"$box/out" 2>&1
is "$?" 8 "a socket folder that is open to others"
like "$(cat "$box/out")" '*run4/ticketplan is open to others*' "says which"
long="$box/run5/$(printf '%090d' 0)"
mkdir -p -m 700 "$long"
XDG_RUNTIME_DIR=$long tpctl --timeout 60s queue >"$box/out" 2>&1
is "$?" 5 "a socket path that is too long"
like "$(cat "$box/out")" '*longer than a Unix socket*set TP_SOCKET*' "says what to do"
TP_SOCKET="$box/short" tpctl queue >"$box/out" 2>&1
is "$?" 0 "and TP_SOCKET does it"
tpctl stop >/dev/null
tpctl start >/dev/null
kill -KILL "$(agent_pid)"
TP_TPD=/nowhere/tpd tpctl --timeout 60s queue >"$box/out" 2>&1
is "$?" 6 "an agent that is not there"
like "$(cat "$box/out")" '*cannot run /nowhere/tpd: No such file*' "says where it was looked for"
TP_TPD=/bin/false tpctl --timeout 60s queue >"$box/out" 2>&1
is "$?" 6 "an agent that dies without a word"
like "$(cat "$box/out")" '*ended while it started, with status 1*' "says how"
if unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_inotify_instances' 2>/dev/null; then
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_inotify_instances
		tpctl --json --timeout 60s queue' >"$box/out" 2>&1
	is "$?" 8 "an agent that may watch nothing"
	like "$(cat "$box/out")" '*the agent cannot start:*inotify*' "says which limit to raise"
else
	note "left out: this machine lets nobody lower a limit of inotify"
fi
quickly "and none of them waited for its 60 seconds"
ask queue
gives 0 '*"count":1*' "after all that a question is answered"
finish
