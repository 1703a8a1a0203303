#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Many that claim at once: of any number one has it, and what all of them saw has an order in
# which it makes sense, whoever dies meanwhile.
. "$(dirname "$0")/lib.sh"

repository r
for id in goal besides p q; do ticket $id queued; done
commit

for round in $(seq "$(scaled 5 1 20)"); do
	pids=
	for n in 1 2 3 4 5 6 7 8; do
		tpctl --timeout 60s claim goal --session "racer-$n" >"$box/racer.$n" 2>&1 &
		pids="$pids $!"
	done
	ends=
	for pid in $pids; do ended=0; wait "$pid" || ended=$?; ends="$ends$ended"; done
	is "$(echo "$ends" | fold -w 1 | sort | tr -d '\n')" 03333333 "round $round: of eight clients one has it"
	ask claims goal
	winner=$(field claims.0.session)
	is "$(grep -l "goal is claimed by $winner since 20.*, until 20" "$box"/racer.* | wc -l)" 7 \
		"round $round: the others are told who, and since when"
	tpctl release goal --session "$winner" >/dev/null
done

# An agent is slower when it watches itself.
rounds=$(scaled 1000 30 20000) histories=$(scaled 100 10 10000)
grep -q __asan_init "$bin/tpd" && rounds=$((rounds / 5 + 1)) histories=$((histories / 2))
seen_by "$bin/tests/system/race_claims" "$(tpctl socket)" "$rounds" 64
seen_by "$python" "$system/histories.py" judge
seed=${TP_SEED:-$(date +%s)}
note "TP_SEED=$seed"
seen_by "$python" "$system/histories.py" "$(tpctl socket)" "$histories" "$seed" "$PWD"

# -- The end of a holder is seen at once ---------------------------------

export PYTHONPATH="$system"
seen_by "$python" - "$(tpctl socket)" <<'END'
import subprocess, sys, time
import rpc
took = []
for _ in range(20):
    holder = subprocess.Popen(["sleep", "1000"])
    conn, waiter = rpc.Conn(sys.argv[1]), rpc.Conn(sys.argv[1])
    conn.ask("claim.take", ticket=["goal"], session="one", pid=holder.pid)
    waiter.send(rpc.request(1, "ticket.wait", {"ticket": "goal", "until": "claimable"}))
    conn.ask("agent.sync")
    begun = time.monotonic()
    holder.kill()
    answer = waiter.receive()
    took.append(time.monotonic() - begun)
    holder.wait()
    assert answer[2] is None and answer[3]["happened"] == "claimable", answer
    conn.close()
    waiter.close()
took.sort()
print("# a waiting client is told of a holder's death within %.1f ms, as a rule" %
      (took[len(took) // 2] * 1000))
print("ok who waits is told when the holder is killed")
END

ask claim p --session one
tp --timeout 5s call ticket.wait '{"ticket":"p","until":"clear","session":"one","timeout":"2s"}'
status_is 0 "what one claims oneself need not be waited for"
tp --timeout 5s call ticket.wait '{"ticket":"p","until":"claimable","session":"two","timeout":"20ms"}'
gives 3 '*after 20 ms p is still claimed by one*' "what another claims does"
ask release p --session one

ask doctor
status_is 0 "nothing of all that is in the tree"
is "$(git status --porcelain -uall)" "" "and nothing has changed"
finish
