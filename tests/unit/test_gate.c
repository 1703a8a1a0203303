/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "model.h"

#define OTHER(id) ",\"related_ticket\":\"" id "\""
#define PLAN      ",\"accepted_plan\":{\"summary\":\"do it\"}"
#define UNTIL(u)  ",\"note\":\"n\",\"until\":" u

static int make_index(void **state)
{
	struct index *ix = index_new();

	model_item(ix, "main", "T-1", "queued");
	*state = ix;
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

static void assert_gate(struct index *ix, const char *gate)
{
	index_settle(ix);
	assert_string_equal(model_gate(ix, "T-1"), gate);
}

/* -- Every kind, from both sides, in every form -------------------------- */

/* What a record means, written down here a second time and by hand. */
static const struct rule {
	const char *kind;
	const char *own;      /* code for the Ticket that holds the record, "" for none */
	const char *incoming; /* code for the Ticket it names */
	bool relation;        /* its origin in every form */
} rules[] = {
	{ "before", "", "ordered", false },
	{ "after", "ordered", "", false },
	{ "blocked_by", "blocked", "", false },
	{ "blocks", "", "blocked", false },
	{ "conflicts_with", "conflict", "conflict", false },
	{ "do_not_parallelize", "conflict", "conflict", false },
	{ "depends_on", "blocked", "", true },
	{ "related", "", "", true },
	{ "supersedes", "", "superseded", true },
	{ "duplicate_of", "duplicate", "", true },
};

/* States of the other Ticket; "bad" is unknown, NULL is not there at all. */
static const char *const others[] = { "planning", "ready",  "queued", "inprogress",
				      "done",     "closed", "bad",    NULL };

enum form { FORM_RECORD, FORM_PLAN, FORM_RELATIONS, FORM_COUNT };

static void write_form(struct index *ix, enum form form, const char *ticket, const char *kind,
		       const char *target)
{
	char *fields = xasprintf(",\"related_ticket\":\"%s\"", target), *path, *text;

	if (form == FORM_RECORD) {
		model_record(ix, "main", ticket, "R1", kind, 1, fields);
		free(fields);
		return;
	}
	path = xasprintf("%s/artifacts/%s", ticket,
			 form == FORM_PLAN ? "orchestration-plan.jsonl" : "relations.json");
	text = form == FORM_PLAN ? model_line(ticket, "R1", kind, 1, fields)
				 : model_relations(ticket, kind, target, 1);
	model_put(ix, "main", path, text);
	free(path);
	free(text);
	free(fields);
}

/* Whether the code applies where the other Ticket is in that state. */
static bool applies(const char *code, const char *other)
{
	if (strcmp(code, "conflict") == 0)
		return other && (strcmp(other, "inprogress") == 0 || strcmp(other, "bad") == 0);
	if (strcmp(code, "superseded") == 0 || strcmp(code, "duplicate") == 0)
		return true;
	return !other || (strcmp(other, "done") != 0 && strcmp(other, "closed") != 0);
}

/* The gate of T-1 as the rule says it must be.  The caller's to free. */
static char *expected(const struct rule *rule, bool own, enum form form, const char *other)
{
	const char *code = own ? rule->own : rule->incoming;
	const char *origin = form == FORM_RELATIONS || rule->relation ? "relation" : "plan";
	const char *state = !other || strcmp(other, "bad") == 0 ? "unknown" : other;
	bool note = strcmp(code, "superseded") == 0 || strcmp(code, "duplicate") == 0;
	bool says = *code && applies(code, other), dangles = own && !other;
	char *first, *second, *all;

	first = says ? xasprintf(" %s/%s/%s T-2 %s", code, note ? "note" : "hold", origin, state)
		     : xstrdup("");
	second = dangles ? xasprintf(" dangling/note/%s T-2 unknown", origin) : xstrdup("");
	if (note)
		all = xasprintf("clear%s%s%s", second, says && dangles ? ";" : "", first);
	else
		all = xasprintf("%s%s%s%s", says ? "held" : "clear", first,
				says && dangles ? ";" : "", second);
	free(first);
	free(second);
	return all;
}

static void check_row(const struct rule *rule, bool own, enum form form, const char *other)
{
	struct index *ix = index_new();
	char *gate = expected(rule, own, form, other);

	model_item(ix, "main", "T-1", "queued");
	if (other)
		model_item(ix, "main", "T-2", other);
	write_form(ix, form, own ? "T-1" : "T-2", rule->kind, own ? "T-2" : "T-1");
	index_settle(ix);
	if (strcmp(model_gate(ix, "T-1"), gate) != 0)
		print_error("%s, %s, form %d, other %s\n", rule->kind, own ? "own" : "incoming",
			    (int)form, other ? other : "missing");
	assert_string_equal(model_gate(ix, "T-1"), gate);
	free(gate);
	index_free(ix);
}

static void every_kind_holds_as_the_table_says(void **state)
{
	(void)state;

	for (size_t r = 0; r < COUNT_OF(rules); r++)
		for (enum form form = 0; form < FORM_COUNT; form++)
			for (size_t o = 0; o < COUNT_OF(others); o++) {
				check_row(&rules[r], true, form, others[o]);
				/* One that is not there cannot hold a record without item.md. */
				if (others[o])
					check_row(&rules[r], false, form, others[o]);
			}
}

static void a_ticket_without_item_that_blocks_is_not_resolved(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-2", "R1", "blocks", 1, OTHER("T-1"));
	assert_gate(ix, "held blocked/hold/plan T-2 unknown");
}

static void the_verdict_follows_the_state(void **state)
{
	struct index *ix = *state;
	static const char *const verdicts[] = { "not_queued", "not_queued", "clear",
						"not_queued", "not_queued", "not_queued" };

	for (int i = 0; i < (int)COUNT_OF(verdicts); i++) {
		model_item(ix, "main", "T-1", word(&words_state, i));
		assert_gate(ix, verdicts[i]);
	}
	model_item(ix, "main", "T-1", "bad");
	assert_gate(ix, "held unreadable/hold/tree @main");
}

static void a_ticket_that_is_not_queued_has_its_reasons_all_the_same(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "ready");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_item(ix, "main", "T-2", "ready");
	assert_gate(ix, "not_queued ordered/hold/plan T-2 ready");
}

static void reasons_come_in_the_order_of_the_table_then_of_time(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 0,
		     UNTIL("{\"gate\":\"human\"}"));
	model_record(ix, "main", "T-1", "R2", "after", 3, OTHER("T-4"));
	model_record(ix, "main", "T-1", "R4", "blocked_by", 5, OTHER("T-3"));
	model_record(ix, "main", "T-1", "R3", "depends_on", 4, OTHER("T-4"));
	model_record(ix, "main", "T-2", "R5", "blocks", 4, OTHER("T-1"));
	model_item(ix, "main", "T-2", "ready");
	model_item(ix, "main", "T-3", "ready");
	model_item(ix, "main", "T-4", "ready");
	assert_gate(ix, "held blocked/hold/relation T-4 ready; blocked/hold/plan T-2 ready; "
			"blocked/hold/plan T-3 ready; ordered/hold/plan T-4 ready; "
			"waiting/hold/plan");
}

/* -- Accepted and occupied ----------------------------------------------- */

static void a_plan_not_older_than_the_queueing_holds(void **state)
{
	struct index *ix = *state;
	static const struct {
		const char *queued_at;
		const char *gate;
	} rows[] = {
		{ "queued_at: '2026-05-01T04:59:59Z'\n", "held accepted/hold/plan" },
		{ "queued_at: '2026-05-01T05:00:00Z'\n", "held accepted/hold/plan" },
		{ "queued_at: '2026-05-01T07:00:00+02:00'\n", "held accepted/hold/plan" },
		{ "queued_at: '2026-05-01T05:00:01Z'\n", "clear" },
		{ "queued_at: '2026-05-01T05:00:00-01:00'\n", "clear" },
		{ "queued_at: whenever\n", "held accepted/hold/plan" },
		{ "queued_at: null\n", "held accepted/hold/plan" },
		{ "", "held accepted/hold/plan" },
	};

	model_record(ix, "main", "T-1", "R1", "accepted_plan", 5, PLAN);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		model_item_with(ix, "main", "T-1", "queued", rows[i].queued_at);
		assert_gate(ix, rows[i].gate);
	}
}

static void a_retracted_plan_holds_nothing_and_an_earlier_one_counts_again(void **state)
{
	struct index *ix = *state;

	model_item_with(ix, "main", "T-1", "queued", "queued_at: '2026-05-01T04:00:00Z'\n");
	model_record(ix, "main", "T-1", "R1", "accepted_plan", 3, PLAN);
	model_record(ix, "main", "T-1", "R2", "accepted_plan", 5, PLAN);
	assert_gate(ix, "held accepted/hold/plan");
	model_record(ix, "main", "T-1", "R3", "retraction", 6, ",\"retracts\":\"R2\"");
	assert_gate(ix, "clear");
	model_item(ix, "main", "T-1", "queued");
	assert_gate(ix, "held accepted/hold/plan");
	model_record(ix, "main", "T-1", "R4", "retraction", 6, ",\"retracts\":\"R1\"");
	assert_gate(ix, "clear");
}

static void a_ticket_in_progress_in_the_authority_is_not_held_by_itself(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "inprogress");
	model_record(ix, "main", "T-1", "R1", "accepted_plan", 5, PLAN);
	assert_gate(ix, "not_queued");
	assert_int_equal(index_occupied(ix), 1);
}

static void a_conflict_holds_while_the_other_is_occupied(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "conflicts_with", 1, OTHER("T-2"));
	model_item(ix, "main", "T-2", "queued");
	assert_gate(ix, "clear");
	model_record(ix, "main", "T-2", "R2", "accepted_plan", 2, PLAN);
	assert_gate(ix, "held conflict/hold/plan T-2 queued");
	model_item_with(ix, "main", "T-2", "queued", "queued_at: '2026-05-01T03:00:00Z'\n");
	assert_gate(ix, "clear");
	model_item(ix, "main", "T-2", "inprogress");
	assert_gate(ix, "held conflict/hold/plan T-2 inprogress");
	model_item(ix, "main", "T-2", "done");
	assert_gate(ix, "clear");
}

static void a_conflict_with_a_ticket_busy_in_another_checkout_holds(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-2", "R1", "do_not_parallelize", 1, OTHER("T-1"));
	model_item(ix, "main", "T-2", "ready");
	model_item(ix, "feature", "T-2", "inprogress");
	assert_gate(ix, "held conflict/hold/plan T-2 ready");
}

/* -- Waiting -------------------------------------------------------------- */

static void a_note_without_condition_is_only_said(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 1, ",\"note\":\"n\"");
	assert_gate(ix, "clear waiting/note/plan");
}

static void a_wait_for_a_ticket_ends_with_that_state_or_a_later_one(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 1,
		     UNTIL("{\"ticket\":\"T-2\",\"state\":\"inprogress\"}"));
	assert_gate(ix, "held waiting/hold/plan T-2 unknown");
	for (int s = 0; s < STATE_UNKNOWN; s++) {
		char *held = xasprintf("held waiting/hold/plan T-2 %s", word(&words_state, s));
		model_item(ix, "main", "T-2", word(&words_state, s));
		assert_gate(ix, s < STATE_INPROGRESS ? held : "clear");
		free(held);
	}
	model_item(ix, "main", "T-2", "bad");
	assert_gate(ix, "held waiting/hold/plan T-2 unknown");
}

static void a_wait_says_how_far_the_ticket_is_that_it_waits_for(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 1,
		     UNTIL("{\"ticket\":\"T-2\",\"state\":\"done\"}"));
	index_settle(ix);
	assert_non_null(strstr(model_reasons(ix, "T-1"),
			       "; ends when T-2, which is not there, has come and is done"));
	model_item(ix, "main", "T-2", "ready");
	index_settle(ix);
	assert_non_null(strstr(model_reasons(ix, "T-1"), "; ends when T-2 \"T-2\" (ready) is done"));
	model_item(ix, "feature", "T-2", "closed");
	index_settle(ix);
	assert_non_null(strstr(model_reasons(ix, "T-1"), "; ends when T-2 \"T-2\" (ready), which is "
			       "resolved in the checkout feature only, is merged"));
}

static void a_wait_for_a_time_ends_when_it_has_come(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 1,
		     UNTIL("{\"after\":\"2026-06-01T00:00:00.000001Z\"}"));
	assert_gate(ix, "held waiting/hold/plan");
	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 1,
		     UNTIL("{\"after\":\"2026-06-01T00:00:00Z\"}"));
	assert_gate(ix, "clear");
	assert_string_equal(model_status(ix, "T-1", "R1"), "satisfied");
}

static void a_wait_for_capacity_ends_when_few_are_occupied(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 1, UNTIL("{\"free\":2}"));
	assert_gate(ix, "clear");
	model_item(ix, "main", "T-2", "inprogress");
	assert_gate(ix, "clear");
	model_item(ix, "main", "T-3", "inprogress");
	assert_gate(ix, "held waiting/hold/plan");
	model_drop(ix, "main", "T-3");
	assert_gate(ix, "clear");
}

static void a_wait_for_a_person_ends_by_retraction_or_acceptance(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 2,
		     UNTIL("{\"gate\":\"human\"}"));
	model_record(ix, "main", "T-1", "R2", "accepted_plan", 1, PLAN);
	assert_gate(ix, "held accepted/hold/plan; waiting/hold/plan");
	model_record(ix, "main", "T-1", "R3", "accepted_plan", 3, PLAN);
	assert_gate(ix, "held accepted/hold/plan");
	assert_string_equal(model_status(ix, "T-1", "R1"), "superseded");
	model_drop(ix, "main", "T-1/artifacts/records/R3.json");
	model_record(ix, "main", "T-1", "R4", "retraction", 4, ",\"retracts\":\"R1\"");
	assert_gate(ix, "held accepted/hold/plan");
	assert_string_equal(model_status(ix, "T-1", "R1"), "retracted");
}

/* -- Several checkouts ---------------------------------------------------- */

static void a_blocker_resolved_in_another_checkout_only_is_unmerged(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R2", "after", 2, OTHER("T-2"));
	model_item(ix, "main", "T-2", "inprogress");
	model_item(ix, "feature", "T-2", "done");
	assert_gate(ix, "held unmerged/hold/plan T-2 inprogress @feature; "
			"unmerged/hold/plan T-2 inprogress @feature");
	model_item(ix, "main", "T-2", "done");
	assert_gate(ix, "clear");
}

static void a_blocker_may_be_resolved_in_the_first_checkout_that_was_seen(void **state)
{
	(void)state;
	struct index *ix = index_new();

	model_item(ix, "feature", "T-2", "closed");
	model_item(ix, "main", "T-2", "queued");
	model_item(ix, "main", "T-1", "queued");
	model_record(ix, "main", "T-2", "R1", "blocks", 1, OTHER("T-1"));
	assert_gate(ix, "held unmerged/hold/plan T-2 queued @feature");
	model_item(ix, "feature", "T-2", "inprogress");
	index_settle(ix);
	assert_string_equal(model_gate(ix, "T-2"),
			    "held accepted/hold/tree @feature; diverged/note/tree");
	index_free(ix);
}

static void a_resolution_in_the_authority_counts_whatever_others_say(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_item(ix, "main", "T-2", "closed");
	model_item(ix, "feature", "T-2", "inprogress");
	assert_gate(ix, "clear");
}

static void a_ticket_in_progress_elsewhere_is_held_and_said_to_diverge(void **state)
{
	struct index *ix = *state;

	model_item(ix, "feature", "T-1", "inprogress");
	assert_gate(ix, "held accepted/hold/tree @feature; diverged/note/tree");
}

static void a_ticket_that_the_authority_lacks_is_said_to_be_elsewhere(void **state)
{
	struct index *ix = *state;

	model_drop(ix, "main", "T-1");
	model_item(ix, "feature", "T-1", "queued");
	assert_gate(ix, "clear elsewhere/note/tree @feature");
}

static void a_blocker_that_is_done_only_where_it_does_not_count_still_holds(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R2", "waiting_capacity_note", 2,
		     UNTIL("{\"ticket\":\"T-2\",\"state\":\"done\"}"));
	model_item(ix, "feature", "T-2", "done");
	assert_gate(ix, "held unmerged/hold/plan T-2 done @feature; waiting/hold/plan T-2 done");
	model_item(ix, "main", "T-2", "done");
	assert_gate(ix, "clear");
}

static void where_no_checkout_counts_more_a_blocker_is_resolved_in_any(void **state)
{
	(void)state;
	struct index *ix = index_new();

	model_item(ix, "one", "T-1", "queued");
	model_record(ix, "one", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_item(ix, "two", "T-2", "done");
	assert_gate(ix, "clear");
	index_free(ix);
}

static void checkouts_that_disagree_on_a_record_are_said_to_diverge(void **state)
{
	struct index *ix = *state;

	model_item(ix, "feature", "T-1", "queued");
	model_item(ix, "main", "T-2", "done");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_record(ix, "feature", "T-1", "R1", "after", 1, OTHER("T-2"));
	assert_gate(ix, "clear");
	model_record(ix, "feature", "T-1", "R1", "after", 1, OTHER("T-2") ",\"note\":\"x\"");
	assert_gate(ix, "clear diverged/note/plan");
}

/* -- Cycles --------------------------------------------------------------- */

static void of_two_cycles_the_same_is_told_in_whatever_order_files_came(void **state)
{
	(void)state;

	for (int turned = 0; turned < 2; turned++) {
		struct index *ix = index_new();
		for (int i = 1; i <= 3; i++) {
			char *id = xasprintf("T-%d", i);
			model_item(ix, "main", id, "queued");
			free(id);
		}
		model_record(ix, "main", turned ? "T-3" : "T-2", "R1", "blocks", 1, OTHER("T-1"));
		model_record(ix, "main", "T-2", "R2", "after", 1, OTHER("T-1"));
		model_record(ix, "main", "T-3", "R3", "after", 1, OTHER("T-1"));
		index_settle(ix);
		model_record(ix, "main", turned ? "T-2" : "T-3", "R1", "blocks", 1, OTHER("T-1"));
		index_settle(ix);
		assert_string_equal(
			model_gate(ix, "T-1"),
			"held blocked/hold/plan T-2 queued; blocked/hold/plan T-3 queued; "
			"cycle/note/tree");
		assert_non_null(strstr(model_reasons(ix, "T-1"), "(T-1, T-2)"));
		index_free(ix);
	}
}

static void a_ticket_that_waits_for_a_cycle_is_not_in_it(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_item(ix, "main", "T-2", "queued");
	model_item(ix, "main", "T-3", "queued");
	model_record(ix, "main", "T-2", "R2", "after", 1, OTHER("T-3"));
	model_record(ix, "main", "T-3", "R3", "after", 1, OTHER("T-2"));
	assert_gate(ix, "held ordered/hold/plan T-2 queued");
	assert_string_equal(model_gate(ix, "T-2"),
			    "held ordered/hold/plan T-3 queued; cycle/note/tree");
}

/* -- Unreadable ------------------------------------------------------------ */

static void an_artifact_that_cannot_be_read_whole_holds(void **state)
{
	struct index *ix = *state;

	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", "[]\n");
	assert_gate(ix, "held unreadable/hold/tree @main");
	assert_non_null(strstr(model_reasons(ix, "T-1"),
			       ".tickets/T-1/artifacts/orchestration-plan.jsonl:1: "));
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", "{");
	assert_gate(ix, "clear");
}

static void an_artifact_unreadable_in_another_checkout_holds_too(void **state)
{
	struct index *ix = *state;

	model_item(ix, "feature", "T-1", "queued");
	model_put(ix, "feature", "T-1/artifacts/relations.json", "");
	assert_gate(ix, "held unreadable/hold/tree @feature");
}

static void a_ticket_found_twice_in_a_checkout_is_held(void **state)
{
	struct index *ix = *state;

	model_put(ix, "main", "open/T-1/item.md", "---\nworkflow_state: queued\n---\n");
	assert_gate(ix, "held unreadable/hold/tree @main");
	assert_non_null(strstr(model_reasons(ix, "T-1"), "T-1 and .tickets/open/T-1 are both"));
	model_drop(ix, "main", "T-1");
	assert_gate(ix, "clear");
}

static void a_ticket_found_twice_in_another_checkout_is_unknown_there_alone(void **state)
{
	struct index *ix = *state;

	model_item(ix, "feature", "T-1", "inprogress");
	model_put(ix, "feature", "open/T-1/item.md", "---\nworkflow_state: queued\n---\n");
	assert_gate(ix, "held unreadable/hold/tree @feature; diverged/note/tree");
	assert_string_equal(word(&words_state, index_find(ix, STR("T-1"))->state), "queued");
}

static void the_text_names_what_ends_the_hold_and_why_it_was_decided(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "blocked_by", 1,
		     OTHER("T-2") ",\"note\":\"schema first\\nsecond line\"");
	model_item(ix, "main", "T-2", "planning");
	index_settle(ix);
	assert_string_equal(model_reasons(ix, "T-1"),
			    "blocked by T-2 \"T-2\" (planning); ends when that is done or closed"
			    ": schema first\xe2\x80\xa6 [ann, 2026-05-01]\n");
}

static void a_long_note_is_cut_at_the_end_of_a_character(void **state)
{
	struct index *ix = *state;
	char fields[512] = OTHER("T-2") ",\"note\":\"x", *end = fields + strlen(fields);

	for (int i = 0; i < 100; i++, end += 3)
		memcpy(end, "\xe6\x97\xa5", 3);
	memcpy(end, "\"", 2);
	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, fields);
	index_settle(ix);
	/* One byte and 66 characters of three; the 67th would be the 202nd byte. */
	assert_non_null(
		strstr(model_reasons(ix, "T-1"), "\xe6\x97\xa5\xe2\x80\xa6 [ann, 2026-05-01]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_holds_as_the_table_says),
		with_index(a_ticket_without_item_that_blocks_is_not_resolved),
		with_index(the_verdict_follows_the_state),
		with_index(a_ticket_that_is_not_queued_has_its_reasons_all_the_same),
		with_index(reasons_come_in_the_order_of_the_table_then_of_time),
		with_index(a_plan_not_older_than_the_queueing_holds),
		with_index(a_retracted_plan_holds_nothing_and_an_earlier_one_counts_again),
		with_index(a_ticket_in_progress_in_the_authority_is_not_held_by_itself),
		with_index(a_conflict_holds_while_the_other_is_occupied),
		with_index(a_conflict_with_a_ticket_busy_in_another_checkout_holds),
		with_index(a_note_without_condition_is_only_said),
		with_index(a_wait_for_a_ticket_ends_with_that_state_or_a_later_one),
		with_index(a_wait_says_how_far_the_ticket_is_that_it_waits_for),
		with_index(a_wait_for_a_time_ends_when_it_has_come),
		with_index(a_wait_for_capacity_ends_when_few_are_occupied),
		with_index(a_wait_for_a_person_ends_by_retraction_or_acceptance),
		with_index(a_blocker_resolved_in_another_checkout_only_is_unmerged),
		cmocka_unit_test(a_blocker_may_be_resolved_in_the_first_checkout_that_was_seen),
		with_index(a_resolution_in_the_authority_counts_whatever_others_say),
		with_index(a_ticket_in_progress_elsewhere_is_held_and_said_to_diverge),
		with_index(a_ticket_that_the_authority_lacks_is_said_to_be_elsewhere),
		with_index(a_blocker_that_is_done_only_where_it_does_not_count_still_holds),
		cmocka_unit_test(where_no_checkout_counts_more_a_blocker_is_resolved_in_any),
		with_index(checkouts_that_disagree_on_a_record_are_said_to_diverge),
		cmocka_unit_test(of_two_cycles_the_same_is_told_in_whatever_order_files_came),
		with_index(a_ticket_that_waits_for_a_cycle_is_not_in_it),
		with_index(an_artifact_that_cannot_be_read_whole_holds),
		with_index(an_artifact_unreadable_in_another_checkout_holds_too),
		with_index(a_ticket_found_twice_in_a_checkout_is_held),
		with_index(a_ticket_found_twice_in_another_checkout_is_unknown_there_alone),
		with_index(the_text_names_what_ends_the_hold_and_why_it_was_decided),
		with_index(a_long_note_is_cut_at_the_end_of_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
