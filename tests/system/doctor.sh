#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What doctor finds: each problem by its code, with file, line, severity and remedy.
. "$(dirname "$0")/lib.sh"

plan=artifacts/orchestration-plan.jsonl
relations=artifacts/relations.json
records=artifacts/records
when='"author":"them","at":"2026-01-02T03:04:05Z"'
accepted=',"accepted_plan":{"summary":"x"}'
ulid=01JFFFFFFFFFFFFFFFFFFFFFFF

# raw ID FILE TEXT: text with escapes, as a file of the Ticket.
raw()
{
	mkdir -p "$(dirname "$tree/$1/$2")"
	printf "$3" >"$tree/$1/$2"
}

# line ID FIELDS: of its plan file; begins with "kind".
line()
{
	mkdir -p "$tree/$1/artifacts"
	printf '{"id":"r1","ticket_id":"%s","kind":%s,%s}\n' "$1" "$2" "$when" >>"$tree/$1/$plan"
}

# finds ID CODE SEVERITY FILE LINE: that, and no more, is wrong with the Ticket.
finds()
{
	wanted=0
	[ "$3" = warning ] || wanted=5
	ask doctor "$1"
	is "$status $(field problems.code problems.severity problems.ticket problems.file problems.line | tr '\n' ' ')" \
		"$wanted $2 $3 $1 tickets/$4 $5 " "$2"
	like "$(field problems.0.text problems.0.remedy)" '?*
?*' "$2 says what, and what to do"
}

repository r
ticket ok queued
powerless tpctl start >/dev/null
ask doctor
gives 0 '*"kind":"doctor"*"count":0,"returned":0*"errors":0,"problems":[[][]]*' "nothing is wrong with a good tree"

# -- Files ---------------------------------------------------------------

raw no-item $plan ''
finds no-item no_item error no-item/item.md null
raw no-front item.md 'state: queued\n'
finds no-front no_front_matter error no-front/item.md 1
ticket bad-front queued
printf -- '---\nstate: queued\nother: [x\n---\n' >tickets/bad-front/item.md
finds bad-front bad_front_matter error bad-front/item.md 4
ticket bad-state dreaming
finds bad-state bad_state error bad-state/item.md 3
ticket markers queued
printf -- '---\ntitle: x\n<<<<<<< ours\nstate: queued\n=======\nstate: done\n>>>>>>> theirs\n---\n' >tickets/markers/item.md
finds markers conflict_markers error markers/item.md 3
ticket twice queued
slug_ticket open twice queued twice
finds twice found_twice error open/twice null
ticket not-text queued
printf -- '---\ntitle: "\377"\nstate: queued\n---\n' >tickets/not-text/item.md
finds not-text not_text error not-text/item.md 2
ticket bom queued
printf -- '\357\273\277---\ntitle: x\nstate: queued\n---\n' >tickets/bom/item.md
finds bom byte_order_mark warning bom/item.md 1
ticket bad-field queued
printf -- '---\ntitle: x\nstate: queued\nqueued_at: [1]\n---\n' >tickets/bad-field/item.md
finds bad-field bad_field warning bad-field/item.md 4
mkdir 'tickets/bad name'
ticket not-regular queued
rm tickets/not-regular/item.md
ln -s /etc/passwd tickets/not-regular/item.md
finds not-regular not_regular error not-regular/item.md null
ticket closed-file queued
chmod 000 tickets/closed-file/item.md
finds closed-file unreadable error closed-file/item.md null
ticket too-large queued
printf -- '---\nstate: queued\ntitle: %065536d\n---\n' 0 >tickets/too-large/item.md
finds too-large too_large error too-large/item.md 1

# -- Records -------------------------------------------------------------

for id in bad-record torn kind field wrong-ticket wrong-name self dup-id incomplete dangling dup leak unbounded over; do
	ticket $id queued
done
ticket other planning
line bad-record '"related","related_ticket":"other"'
printf '["no object"]\n' >>tickets/bad-record/$plan
finds bad-record bad_record error bad-record/$plan 2
line torn '"related","related_ticket":"other"'
printf '{"id":"r2' >>tickets/torn/$plan
finds torn torn_tail warning torn/$plan 2
line kind '"adores","related_ticket":"other"'
finds kind unknown_kind warning kind/$plan 1
line field '"related","related_ticket":"other","relatd":1'
finds field unknown_field warning field/$plan 1
raw wrong-ticket $plan '{"id":"r1","ticket_id":"other","kind":"after","related_ticket":"ok",'"$when"'}\n'
finds wrong-ticket wrong_ticket error wrong-ticket/$plan 1
raw wrong-name $records/$ulid.json '{"id":"01JFFFFFFFFFFFFFFFFFFFFFFE","ticket_id":"wrong-name","kind":"related","related_ticket":"ok",'"$when"'}\n'
ask doctor wrong-name
is "$status $(field problems.code problems.file | tr '\n' ' ')" "5 wrong_name tickets/wrong-name/$records/$ulid.json " wrong_name
line self '"after","related_ticket":"self"'
finds self self_relation error self/$plan 1
line dup-id '"related","related_ticket":"other"'
line dup-id '"after","related_ticket":"ok"'
finds dup-id duplicate_id warning dup-id/$plan 2
line incomplete '"after"'
finds incomplete incomplete error incomplete/$plan 1
line dangling '"after","related_ticket":"nobody"'
finds dangling dangling error dangling/$plan 1
line dup '"blocked_by","related_ticket":"other"'
raw other $plan '{"id":"r9","ticket_id":"other","kind":"blocks","related_ticket":"dup","author":"them","at":"2026-01-01T03:04:05Z"}\n'
finds dup duplicate warning dup/$plan 1
like "$(field problems.0.text)" '*says the same as record r9 of other*' "and as which"
raw dup $relations '{"version":1,"relations":[{"ticket_id":"dup","kind":"depends_on","target":"other",'"$when"'}]}\n'
ask doctor dup
is "$(field problems.code | sort -u) $(field count)" "duplicate 2" "in three forms: two too many"
line leak '"related","related_ticket":"other","note":"see /home/me/notes"'
finds leak leak warning leak/$plan 1
like "$(field problems.0.text)" '*its note names a place of one machine: /home/me/notes' "and which"
raw leak $plan '{"id":"r1","ticket_id":"leak","kind":"accepted_plan","accepted_plan":{"summary":"x","worktree":"/opt/x","branch":"~me/b"},'"$when"'}\n'
ticket leak inprogress
ask doctor leak
is "$(field problems.code)" leak "places in a plan are found too"
line unbounded '"waiting_capacity_note","note":"n"'
finds unbounded wait_unbounded warning unbounded/$plan 1
line over '"waiting_capacity_note","note":"n","until":{"after":"2026-01-03T00:00:00Z"}'
finds over wait_over warning over/$plan 1
line over '"waiting_capacity_note","note":"n","until":{"ticket":"other","state":"planning"}'
sed -i '1d; s/"r1"/"r2"/' tickets/over/$plan
finds over wait_over warning over/$plan 1
line over '"accepted_plan"'"$accepted"
sed -i '2s/"r1"/"r3"/; 2s/T03:04:05Z/T04:00:00Z/' tickets/over/$plan
ticket over inprogress
ask doctor over
gives 0 '*"count":0*' "a wait that an acceptance ended is over for good"

ticket over2 queued
line over2 '"waiting_capacity_note","note":"n","until":{"after":"2026-01-03T00:00:00Z"}'

# -- Bypasses ------------------------------------------------------------

ticket bypass inprogress
finds bypass unrecorded warning bypass/item.md null
line bypass '"accepted_plan"'"$accepted"
ask doctor bypass
gives 0 '*"count":0*' "a plan recorded afterwards ends that"
printf -- '---\ntitle: x\nstate: inprogress\nqueued_at: 2026-01-02T03:04:06Z\n---\n' >tickets/bypass/item.md
finds bypass unrecorded warning bypass/item.md null
ticket past inprogress
line past '"accepted_plan"'"$accepted"
line past '"after","related_ticket":"other"'
sed -i '2s/"r1"/"r2"/' tickets/past/$plan
finds past past_hold warning past/item.md null
like "$(field problems.0.text)" 'in progress, and held: runs after other *' "and by what"
ticket forgotten queued
line forgotten '"accepted_plan"'"$accepted"
finds forgotten accepted_not_started warning forgotten/item.md null
ticket fresh queued
ask call ticket.accept '{"ticket":"fresh","message":"x"}'
ask doctor fresh
gives 0 '*"count":0*' "one that was accepted just now is not forgotten yet"

# -- Cycles and contradictions -------------------------------------------

for id in c1 c2 c3 c4 c5; do ticket $id queued; done
line c1 '"before","related_ticket":"c2"'
line c2 '"before","related_ticket":"c1"'
finds c1 cycle error c1/item.md null
like "$(field problems.0.text)" '*through 2 Tickets: c1, c2*' "each before the other is a cycle of two"
ask doctor c2
is "$status $(field problems.code problems.ticket | tr '\n' ' ')" "5 cycle c1 " "found from either"
line c3 '"after","related_ticket":"c4"'
line c4 '"blocked_by","related_ticket":"c5"'
line c5 '"depends_on","related_ticket":"c3"'
finds c3 cycle error c3/item.md null
like "$(field problems.0.text)" '*through 3 Tickets: c3, c4, c5*' "a cycle of three"
ticket c5 done
ask doctor c3
gives 0 '*"count":0*' "is none once one of them is resolved"

# -- What is in no commit ------------------------------------------------

ticket lone ready
tpctl --json record lone related c1 >"$box/out"
file=$(field path)
ask doctor lone
gives 0 '*"count":0*' "a record that was made just now is not forgotten yet"
sed -i 's/"at": "[^"]*"/"at": "2026-01-02T00:00:00Z"/' "$file"
finds lone untracked warning "lone/artifacts/records/$(basename "$file")" null
ticket away ready
tpctl --json record away related c1 >"$box/out"
rm "$(field path)"
ask doctor away
gives 5 '*"count":1,*"code":"lost","severity":"error","ticket":"away","text":*' "nor is one whose file is gone"

# -- What no commit will have ---------------------------------------------

echo '/tickets/hidden/' >.gitignore
ticket hidden ready
line hidden '"related","related_ticket":"c1"'
finds hidden ignored warning hidden/$plan null

# names CODES FILES SENTENCE: what doctor said last, of the kinds that are about git.
names()
{
	is "$(field 'problems.*.code' | tr '\n' ' ')/ $(field 'problems.*.file' | tr '\n' ' ')" "$1 / $2 " "$3"
}

repository ignoring
ticket a ready
ticket b ready
plan_line a 1 related b
record_file b 01J00000000000000000000001 related a
commit
echo 'artifacts/' >.gitignore
ask doctor
gives 0 '*"count":0*' "what a commit has is not lost to a rule that came later"
tpctl --json record b waiting -m x --until human >"$box/out"
file=$(field path)
ask doctor
names ignored "${file#"$PWD/"}" "a record that git ignores"
gives 0 '*"severity":"warning","ticket":"b","source":"main"*git check-ignore -v*git add -f*' \
	"is a warning, with how to find the rule and what to do"
unlike "$out" '*tpctl commit*' "which is no commit"
advice="git ignores ${file#"$PWD/"}: *git check-ignore -v*git add -f*"
for question in check show; do
	ask $question b
	like "$out" "*\"code\":\"untracked\"*in no commit yet: $advice" "the gate's note says so too: $question"
	unlike "$out" '*tpctl commit*' "and advises no commit"
done
sed -i 's,artifacts/,!&,' .gitignore
ask check b
like "$out" '*in no commit yet; `tpctl commit` makes one"*' "once the rule is changed it does"
unlike "$out" '*git ignores*' "and says nothing of the rule"
sed -i 's,!,,' .gitignore
ticket e ready
tpctl --json record e related a -m y >"$box/out"
git add -f "$(field path)"
tpctl --json record e related b -m y >"$box/out"
other=$(field path)
ask check e
like "$out" "*2 records of it are in no commit yet; \`tpctl commit\` makes one, but git ignores ${other#"$PWD/"}: *" \
	"of two records it names the one that is ignored"
ask doctor a
gives 0 '*"count":0*' "and one of that Ticket alone"
sed -i 's/"at": "[^"]*"/"at": "2026-01-02T00:00:00Z"/' "$file"
ask doctor b
names ignored "${file#"$PWD/"}" "an old one is not said to wait for a commit, too"
ticket c ready
plan_line c 1 related b
record_file c 01J00000000000000000000002 related a
ask doctor c
names ignored tickets/c/artifacts/orchestration-plan.jsonl "of a Ticket with several the first"
like "$(field problems.0.text)" '*and 1 more of the Ticket*' "and how many more"
git add -f tickets .gitignore
ask doctor
names untracked "${file#"$PWD/"}" "added by force they are as good as others"
git commit -qm all
ask doctor
gives 0 '*"count":0*' "and in the end in a commit"
git worktree add -q "$box/aside" -b aside
(cd "$box/aside" && ticket d ready && record_file d 01J00000000000000000000003 related a)
ask doctor
gives 0 '*"count":1,*"ticket":"d","source":"aside"*' "of each checkout"
ask doctor --source main
gives 0 '*"count":0*' "or of one"
ask doctor --at HEAD
gives 0 '*"count":0*' "and never of a commit"
git worktree remove --force "$box/aside" && tpctl recover --forget >/dev/null
repository private
ticket a ready
plan_line a 1 related a2
ticket a2 ready
plan_line a2 1 after a
mkdir .git/info && echo '/tickets/' >.git/info/exclude
ask doctor
gives 0 '*"count":1,*"code":"ignored","severity":"warning","source":"main","file":"tickets"*whole tree*' \
	"a tree that git ignores as a whole is said once"
git add -f tickets/a2
ask doctor
names ignored tickets/a/artifacts/orchestration-plan.jsonl "but for what was added"
git update-index --split-index
ask doctor
names ignored tickets/a/artifacts/orchestration-plan.jsonl "asked of git where libgit2 cannot read the index"
git config core.repositoryformatversion 1
git config extensions.refStorage reftable
ask doctor
gives 0 '*"count":1,*"code":"git","severity":"warning","source":"main"*refuses*' \
	"where git cannot be asked, that is said"
tpctl stop >/dev/null
cd "$box/r" || exit 99

# -- All -----------------------------------------------------------------

ask doctor --limit 1000
status_is 5 "errors are told by the exit status"
is "$(field problems.code=bad_name.severity problems.code=bad_name.file | tr '\n' ' ')" "warning tickets/bad name " bad_name
tpctl --json call agent.describe >"$box/describe"
"$python" - "$box/describe" "$box/out" >"$box/seen" <<'END'
import json, sys
described, found = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))["problems"]
codes = {one["code"] for one in found}
# What differs from the files takes an agent with a fault: report.sh has one.  owner.sh has a
# checkout of somebody else, checkouts.sh an authority that is none, and above is a repository that
# git does not know.
elsewhere = {"drifted", "foreign", "misset", "git"}
known = set(json.loads(described["table"])["words"]["problem"]) - elsewhere
print("not found:", " ".join(sorted(known - codes)))
print("without remedy:", " ".join(sorted(one["code"] for one in found if not one["remedy"])))
places = [(one.get("file", ""), one.get("line", 0)) for one in found]
print("sorted:", places == sorted(places))
END
is "$(cat "$box/seen")" "not found: 
without remedy: 
sorted: True" "every code of the table is found, by file and line, with its remedy"
errors=$(field errors)
is "$(field problems.severity | grep -c error)" "$errors" "as many errors as are counted"
ask doctor --limit 7
is "$(field returned count errors | tr '\n' ' ')" "7 $(ask doctor --limit 1000; field count) $errors " "a page counts the errors of all"

# -- A whole history -----------------------------------------------------

cat >"$box/replay.py" <<'END'
"""Live through a history; after each acceptance ask who was accepted without a plan."""
import datetime, json, os, sys
sys.path.insert(0, sys.argv[1])
import rpc

conn, root = rpc.Conn(sys.argv[2]), sys.argv[3]
events = [json.loads(line) for line in open(sys.argv[4])]
when = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
state, queued, plans, relations = {}, {}, {}, {}
first = min(e["at"] for e in events if e["op"] == "record")

def write(ticket, name, text, how="w"):
    os.makedirs("%s/%s/artifacts" % (root, ticket), exist_ok=True)
    with open("%s/%s/%s" % (root, ticket, name), how) as file:
        file.write(text)

def set_state(e):
    ticket = e["ticket"]
    state[ticket] = e["state"]
    if e["state"] == "queued":
        queued[ticket] = e["at"]
    write(ticket, "item.md", "---\ntitle: '%s'\nstate: '%s'\n%s---\n" % (ticket, e["state"],
          "queued_at: '%s'\n" % queued[ticket] if ticket in queued else ""))

def planned(ticket):
    return any(ticket not in queued or at >= when(queued[ticket]) for at in plans.get(ticket, []))

asked = flagged = never = 0
wrong = []
for e in events:
    ticket = e["ticket"]
    accepted = e["op"] == "state" and e.get("from") == "queued" and e["state"] == "inprogress"
    if e["op"] in ("ticket", "state"):
        set_state(e)
    elif e["op"] == "relation":
        relations.setdefault(ticket, []).append(e["relation"])
        write(ticket, "artifacts/relations.json", json.dumps({"version": 1, "relations": relations[ticket]}))
    else:
        write(ticket, "artifacts/orchestration-plan.jsonl", json.dumps(e["record"]) + "\n", "a")
        if e["record"]["kind"] == "accepted_plan":
            plans.setdefault(ticket, []).append(when(e["record"]["at"]))
    if not accepted or e["at"] < first:
        continue
    asked += 1
    found = conn.ask("doctor.run", limit=1000)["problems"]
    seen = {one["ticket"] for one in found if one["code"] == "unrecorded"}
    wanted = {one for one in state if state[one] == "inprogress" and not planned(one)}
    if seen != wanted:
        wrong.append("%s: %s" % (e["at"], sorted(seen ^ wanted)))
    if ticket in seen:
        flagged += 1
        never += not any(abs((when(o["at"]) - when(e["at"])).total_seconds()) < 7200 for o in events
                         if o["op"] == "record" and o["ticket"] == ticket and o["record"]["kind"] == "accepted_plan")
print("not ok" if wrong or not asked else "ok", "%d acceptances of a real history: %d without a plan at that "
      "moment are flagged, no other Ticket is; %d never got one within two hours" % (asked, flagged, never))
print("".join("# %s\n" % one for one in wrong[:10]), end="")
END
if [ -n "${TP_CORPUS-}" ] && [ -e "$TP_CORPUS/history.jsonl" ]; then
	repository history
	ticket none closed
	ask queue
	seen_by "$python" "$box/replay.py" "$system" "$(tpctl socket)" "$PWD/$tree" "$TP_CORPUS/history.jsonl"
else
	note "left out: no real history, for TP_CORPUS names none"
fi
finish
