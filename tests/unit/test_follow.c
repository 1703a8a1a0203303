/* SPDX-License-Identifier: MIT */
/* Whoever's answer changed is named; whoever was named last, and went, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "answer.h"
#include "doctor.h"
#include "follow.h"
#include "model.h"

#define TICKETS 14
#define HOUR    (INT64_C(3600) * 1000000)

static struct follow follow;
static void drop_claims(struct index *ix);
static int64_t now;

static int setup(void **state)
{
	struct index *ix = index_new();

	model_source(ix, "main");
	now = MODEL_NOW;
	index_pass_time(ix, now);
	index_settle(ix);
	follow_begin(&follow, ix, now);
	*state = ix;
	return 0;
}

static int teardown(void **state)
{
	follow_release(&follow);
	drop_claims(*state);
	index_free(*state);
	return 0;
}

static uint64_t settle(struct index *ix)
{
	uint64_t before = index_generation(ix);

	index_settle(ix);
	follow_up(&follow, now);
	return before;
}

/* -- What is named ------------------------------------------------------ */

static bool is_named(struct index *ix, const char *id, uint64_t since)
{
	for (const struct trace *t = index_changed_since(ix, since); t; t = t->next)
		if (str_is(t->ticket->id, id))
			return true;
	for (const struct gone *g = index_gone_since(ix, since); g; g = g->next)
		if (str_is(g->id, id))
			return true;
	return false;
}

static const char *named(struct index *ix, uint64_t since)
{
	static struct buf text;

	text.len = 0;
	for (const struct trace *t = index_changed_since(ix, since); t; t = t->next)
		buf_addf(&text, "%s%.*s%s", text.len ? " " : "", STR_ARG(t->ticket->id),
			 follow_woke(t, since) ? "!" : "");
	for (const struct gone *g = index_gone_since(ix, since); g; g = g->next)
		buf_addf(&text, "%s-%.*s", text.len ? " " : "", STR_ARG(g->id));
	return buf_text(&text);
}

static void a_change_names_the_ticket_alone(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "A", "queued");
	model_item(ix, "main", "B", "ready");
	uint64_t before = settle(ix);
	assert_true(is_named(ix, "A", before) && is_named(ix, "B", before));
	model_item(ix, "main", "B", "planning");
	before = settle(ix);
	assert_string_equal(named(ix, before), "B");
	assert_string_equal(named(ix, index_generation(ix)), "");
}

static void a_resolved_blocker_names_and_wakes_whom_it_held(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "A", "queued");
	model_item(ix, "main", "B", "inprogress");
	model_item(ix, "main", "C", "queued");
	model_record(ix, "main", "A", "R1", "blocked_by", 1, ",\"related_ticket\":\"B\"");
	settle(ix);
	model_item(ix, "main", "B", "done");
	uint64_t before = settle(ix);
	assert_string_equal(named(ix, before), "B A!");
	/* Whoever reads on from there is not told again. */
	before = index_generation(ix);
	model_item_with(ix, "main", "A", "queued", "queued_at: '2026-05-02T00:00:00Z'\n");
	settle(ix);
	assert_string_equal(named(ix, before), "A");
}

static void what_nobody_else_sees_names_nobody_else(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "A", "queued");
	model_item(ix, "main", "B", "inprogress");
	model_record(ix, "main", "A", "R1", "blocked_by", 1, ",\"related_ticket\":\"B\"");
	settle(ix);
	model_item_with(ix, "main", "B", "inprogress", "updated_at: '2026-05-02T00:00:00Z'\n");
	uint64_t before = settle(ix);
	assert_string_equal(named(ix, before), "B");
	model_record(ix, "main", "A", "R2", "related", 2, ",\"related_ticket\":\"C\"");
	before = settle(ix);
	assert_string_equal(named(ix, before), "A");
}

#define UNTIL_D ",\"note\":\"n\",\"until\":{\"ticket\":\"D\",\"state\":\"done\"}"

/* A waits for a time, B for a place, C for D. */
static void let_wait(struct index *ix)
{
	model_item(ix, "main", "A", "queued");
	model_item(ix, "main", "B", "queued");
	model_item(ix, "main", "C", "queued");
	model_item(ix, "main", "D", "inprogress");
	model_record(ix, "main", "A", "R1", "waiting_capacity_note", 1,
		     ",\"note\":\"n\",\"until\":{\"after\":\"2026-06-01T01:00:00Z\"}");
	model_record(ix, "main", "B", "R2", "waiting_capacity_note", 1,
		     ",\"note\":\"n\",\"until\":{\"free\":1}");
	model_record(ix, "main", "C", "R3", "waiting_capacity_note", 1, UNTIL_D);
}

static void waits_for_a_time_a_place_and_a_ticket_are_reached(void **state)
{
	struct index *ix = *state;

	let_wait(ix);
	settle(ix);
	uint64_t before = index_generation(ix);
	now = index_next_time(ix);
	index_pass_time(ix, now);
	settle(ix);
	assert_string_equal(named(ix, before), "A!");
	model_item(ix, "main", "D", "done");
	before = settle(ix);
	assert_string_equal(named(ix, before), "D C! B!");
}

static void a_wait_that_is_taken_away_leaves_the_others(void **state)
{
	struct index *ix = *state;

	let_wait(ix);
	model_record(ix, "main", "B", "R3", "waiting_capacity_note", 1, UNTIL_D);
	settle(ix);
	model_drop(ix, "main", "B/artifacts/records/R3.json");
	settle(ix);
	model_drop(ix, "main", "C/artifacts");
	settle(ix);
	model_item(ix, "main", "D", "ready");
	uint64_t before = settle(ix);
	assert_string_equal(named(ix, before), "D B!");
	assert_true(index_next_time(ix) > now);
	model_drop(ix, "main", "A/artifacts");
	settle(ix);
	assert_int_equal(index_next_time(ix), 0);
}

static void who_went_is_told_until_it_comes_back(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "A", "queued");
	model_item(ix, "main", "B", "queued");
	model_record(ix, "main", "A", "R1", "related", 1, ",\"related_ticket\":\"B\"");
	settle(ix);
	model_drop(ix, "main", "B");
	uint64_t before = settle(ix);
	assert_string_equal(named(ix, before), "A -B");
	model_drop(ix, "main", "A");
	settle(ix);
	assert_string_equal(named(ix, before), "-B -A");
	model_item(ix, "main", "B", "queued");
	settle(ix);
	assert_string_equal(named(ix, before), "B! -A");
}

static void a_plan_that_grows_old_is_a_bypass(void **state)
{
	struct index *ix = *state;

	now = MODEL_NOW - 31 * 24 * HOUR; /* 2026-05-01 */
	index_pass_time(ix, now);
	model_item(ix, "main", "A", "queued");
	model_record(ix, "main", "A", "R1", "accepted_plan", 1,
		     ",\"accepted_plan\":{\"summary\":\"s\"}");
	settle(ix);
	assert_int_equal(index_find(ix, STR("A"))->bypasses, 0);
	uint64_t before = index_generation(ix);
	assert_int_equal(index_next_time(ix), now + 2 * HOUR);
	now = index_next_time(ix);
	index_pass_time(ix, now);
	settle(ix);
	const struct trace *t = index_changed_since(ix, before);
	assert_non_null(t);
	assert_true(t->bypass_at > before);
	assert_int_equal(index_next_time(ix), 0);
}

static void only_so_many_that_went_are_known(void **state)
{
	struct index *ix = *state;
	char id[16];

	for (int i = 0; i < TRACE_GONE_MAX + 2; i++) {
		snprintf(id, sizeof(id), "T%d", i);
		model_item(ix, "main", id, "ready");
	}
	settle(ix);
	uint64_t before = index_generation(ix);
	assert_true(index_horizon(ix) <= before);
	model_drop(ix, "main", "T0");
	uint64_t first = index_generation(ix);
	settle(ix);
	model_drop(ix, "main", "");
	settle(ix);
	assert_true(index_horizon(ix) > first);
	size_t count = 0;
	for (const struct gone *g = index_gone_since(ix, index_horizon(ix)); g; g = g->next)
		count++;
	assert_int_equal(count, TRACE_GONE_MAX);
}

static void marks_say_what_ever_was(void **state)
{
	struct index *ix = *state;
	const struct trace *trace;

	model_item(ix, "main", "A", "queued");
	model_item(ix, "main", "B", "queued");
	model_record(ix, "main", "A", "R1", "blocked_by", 1, ",\"related_ticket\":\"B\"");
	settle(ix);
	follow_all_marks(&follow, now);
	model_drop(ix, "main", "A/artifacts");
	settle(ix);
	trace = index_find(ix, STR("B"))->trace;
	assert_true(trace->kinds & UINT64_C(1) << KIND_BLOCKS);
	assert_true(trace->statuses & 1u << STATUS_LIVE);
	assert_true(index_find(ix, STR("A"))->trace->kinds & UINT64_C(1) << KIND_BLOCKED_BY);
}

/* -- Any change --------------------------------------------------------- */

static void id_of(unsigned n, char id[3])
{
	id[0] = (char)('A' + n);
	id[1] = '\0';
}

static unsigned any(uint64_t *seed, unsigned below)
{
	return model_random(seed, below);
}

static const char *any_source(uint64_t *seed)
{
	static const char *const sources[] = { "main", "main", "wt", "xt" };

	return sources[any(seed, 4)];
}

static void put_item(struct index *ix, uint64_t *seed, const char *id)
{
	static const char *const states[] = { "planning",   "queued", "queued", "queued",
					      "inprogress", "done",   "closed", "nonsense" };
	static const char *const lines[] = { "", "updated_at: '2026-05-03T00:00:00Z'\n",
					     "queued_at: '2026-05-01T12:00:00Z'\n" };
	char path[32], text[160];

	if (any(seed, 3)) {
		model_item_with(ix, any_source(seed), id, states[any(seed, 8)],
				lines[any(seed, 3)]);
		return;
	}
	snprintf(path, sizeof(path), "%s/item.md", id);
	snprintf(text, sizeof(text), "---\ntitle: %s the %u\nstate: %s\n---\n", id, any(seed, 3),
		 states[any(seed, 8)]);
	model_put(ix, any_source(seed), path, text);
}

static char *any_line(uint64_t *seed, const char *id, const char *record)
{
	static const char *const kinds[] = { "before",       "after",          "blocked_by",
					     "blocks",       "conflicts_with", "do_not_parallelize",
					     "depends_on",   "related",        "supersedes",
					     "duplicate_of", "blocked_by" };
	char other[3], fields[160];
	const char *kind = kinds[any(seed, 11)];

	/* One more than there ever are. */
	id_of(any(seed, TICKETS + 1), other);
	snprintf(fields, sizeof(fields), ",\"related_ticket\":\"%s\",\"note\":\"%u\"", other,
		 any(seed, 3));
	switch (any(seed, 12)) {
	case 0:
		kind = "waiting_capacity_note";
		snprintf(fields, sizeof(fields), ",\"note\":\"n\",\"until\":{\"free\":%u}",
			 any(seed, 6));
		break;
	case 1:
		kind = "waiting_capacity_note";
		snprintf(fields, sizeof(fields),
			 ",\"note\":\"n\",\"until\":{\"ticket\":\"%s\",\"state\":\"%s\"}", other,
			 any(seed, 2) ? "done" : "ready");
		break;
	case 2:
		kind = "waiting_capacity_note";
		snprintf(fields, sizeof(fields),
			 ",\"note\":\"n\",\"until\":{\"after\":\"2026-06-01T%02u:00:00Z\"}",
			 any(seed, 8));
		break;
	case 3:
		kind = "accepted_plan";
		snprintf(fields, sizeof(fields), ",\"accepted_plan\":{\"summary\":\"%u\"}",
			 any(seed, 3));
		break;
	case 4:
		kind = "retraction";
		snprintf(fields, sizeof(fields), ",\"retracts\":\"R%u\",\"note\":\"n\"",
			 any(seed, 4));
		break;
	default:
		break;
	}
	return model_line(id, record, kind, (int)any(seed, 24), fields);
}

static void put_record(struct index *ix, uint64_t *seed, const char *id)
{
	char path[64], name[8];

	snprintf(name, sizeof(name), "R%u", any(seed, 4));
	snprintf(path, sizeof(path), "%s/artifacts/records/%s.json", id, name);
	char *line = any_line(seed, id, name);
	model_put(ix, any_source(seed), path, line);
	free(line);
}

static void put_plan_file(struct index *ix, uint64_t *seed, const char *id)
{
	char path[64], name[8];
	struct buf text = { 0 };

	snprintf(path, sizeof(path), "%s/artifacts/orchestration-plan.jsonl", id);
	for (unsigned i = any(seed, 4); i; i--) {
		snprintf(name, sizeof(name), "R%u", any(seed, 6));
		char *line = any_line(seed, id, name);
		buf_add_str(&text, str_of(line));
		free(line);
	}
	if (!any(seed, 8))
		buf_add_str(&text, STR("no JSON\n"));
	model_put(ix, any_source(seed), path, buf_text(&text));
	buf_release(&text);
}

static void put_relations(struct index *ix, uint64_t *seed, const char *id)
{
	static const char *const kinds[] = { "depends_on", "related", "supersedes" };
	char path[64], other[3];

	id_of(any(seed, TICKETS), other);
	snprintf(path, sizeof(path), "%s/artifacts/relations.json", id);
	char *text = model_relations(id, kinds[any(seed, 3)], other, (int)any(seed, 24));
	model_put(ix, any_source(seed), path, text);
	free(text);
}

static void drop_something(struct index *ix, uint64_t *seed, const char *id)
{
	static const char *const parts[] = { "",
					     "/artifacts",
					     "/artifacts/records",
					     "/artifacts/records/R1.json",
					     "/artifacts/orchestration-plan.jsonl",
					     "/item.md" };
	char path[64];

	snprintf(path, sizeof(path), "%s%s", id, parts[any(seed, 6)]);
	model_drop(ix, any_source(seed), path);
}

static void change_sources(struct index *ix, uint64_t *seed)
{
	const char *name = any_source(seed);
	int source = model_source(ix, name);

	if (any(seed, 2) && strcmp(name, "main") != 0)
		index_source_drop(ix, source);
	else
		index_source_set(ix, source, "/top", any(seed, 4) ? ".tickets" : "tickets",
				 any(seed, 2));
}

/* Somebody claims it, or nobody any more. */
static void put_claim(struct index *ix, uint64_t *seed, const char *id)
{
	static const struct claim claims[] = {
		{ .session = { "one", 3 }, .lives = LIVES_LEASE, .until_at = MODEL_NOW },
		{ .session = { "one", 3 }, .lives = LIVES_LEASE, .until_at = MODEL_NOW + HOUR },
		{ .session = { "two", 3 }, .lives = LIVES_PID, .pid = 7 },
	};
	unsigned which = any(seed, 5);

	index_claim(ix, str_of(id), which < 3 ? &claims[which] : NULL);
}

static void drop_claims(struct index *ix)
{
	char id[3];

	for (unsigned i = 0; i < TICKETS; i++) {
		id_of(i, id);
		index_claim(ix, str_of(id), NULL);
	}
}

static void change(struct index *ix, uint64_t *seed)
{
	char id[3];

	id_of(any(seed, TICKETS), id);
	unsigned what = any(seed, 27);
	if (what < 9) {
		put_item(ix, seed, id);
	} else if (what < 15) {
		put_record(ix, seed, id);
	} else if (what < 16) {
		put_plan_file(ix, seed, id);
	} else if (what < 17) {
		put_relations(ix, seed, id);
	} else if (what < 21) {
		drop_something(ix, seed, id);
	} else if (what < 22) {
		if (!any(seed, 4))
			change_sources(ix, seed);
	} else if (what < 25) {
		put_claim(ix, seed, id);
	} else {
		now = MODEL_NOW + any(seed, 8) * HOUR - (any(seed, 20) ? 0 : 31 * 24 * HOUR);
		index_pass_time(ix, now);
	}
}

/* What ticket.get says, all records included. */
static void get(struct index *ix, const char *id, struct buf *into)
{
	static char nobody[] = "user:nobody";
	struct claims *none = claims_new(1);
	struct service service = { .claims = none, .session = nobody };
	struct call call = { .service = &service, .ix = ix, .now = now };
	struct ticket *t = index_find(ix, str_of(id));

	into->len = 0;
	wire_init(&call.out, into);
	if (t)
		answer_ticket(&call, t, SCOPE_ALL, STR_NONE);
	arena_release(&call.arena);
	claims_free(none);
}

static void assert_told_what_is(struct index *ix, const char *id)
{
	struct ticket *t = index_find(ix, str_of(id));
	struct arena arena = { 0 };
	struct gate gate;

	if (!t)
		return;
	gate_of(ix, t, now, &arena, &gate);
	assert_int_equal(follow_verdict(t), gate.verdict);
	struct findings found = { .arena = &arena };
	doctor_bypasses(ix, t, now, &found);
	assert_int_equal(found.count > 0, t->bypasses != 0);
	arena_release(&arena);
}

static void assert_in_order(struct index *ix)
{
	uint64_t last = 0;

	for (const struct trace *t = index_changed_since(ix, 0); t; t = t->next) {
		assert_true(t->generation > last);
		last = t->generation;
	}
	assert_true(index_generation(ix) >= last);
}

static int rounds(int usual)
{
	const char *scale = getenv("TP_SCALE");

	return scale && strcmp(scale, "100") == 0 ? usual * 50
	       : scale && strcmp(scale, "0") == 0 ? usual / 20
						  : usual;
}

static void whose_answer_differs_is_named(void **state)
{
	struct index *ix = *state;
	static struct buf was[TICKETS], is;
	uint64_t seed = 7;
	size_t differ = 0, told = 0, tickets = 0;
	char id[3];

	for (int round = rounds(6000); round; round--) {
		for (unsigned n = 1 + any(&seed, 3) * any(&seed, 3); n; n--)
			change(ix, &seed);
		uint64_t before = settle(ix);
		for (unsigned i = 0; i < TICKETS; i++) {
			id_of(i, id);
			get(ix, id, &is);
			bool other = is.len != was[i].len ||
				     (is.len && memcmp(is.at, was[i].at, is.len) != 0);
			bool said = is_named(ix, id, before);
			if (other && !said)
				print_message("round %d: %s changed: %s\n", round, id,
					      named(ix, before));
			assert_true(said || !other);
			differ += other;
			told += said;
			tickets++;
			was[i].len = 0;
			buf_add(&was[i], is.at, is.len);
			assert_told_what_is(ix, id);
		}
		assert_in_order(ix);
	}
	print_message("of %zu answers %zu differed and %zu were named\n", tickets, differ, told);
	/* Naming everybody would be no art. */
	assert_true(told < differ * 3 / 2);
	for (unsigned i = 0; i < TICKETS; i++)
		buf_release(&was[i]);
	buf_release(&is);
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(a_change_names_the_ticket_alone),
		with_index(a_resolved_blocker_names_and_wakes_whom_it_held),
		with_index(what_nobody_else_sees_names_nobody_else),
		with_index(waits_for_a_time_a_place_and_a_ticket_are_reached),
		with_index(a_wait_that_is_taken_away_leaves_the_others),
		with_index(who_went_is_told_until_it_comes_back),
		with_index(a_plan_that_grows_old_is_a_bypass),
		with_index(only_so_many_that_went_are_known),
		with_index(marks_say_what_ever_was),
		with_index(whose_answer_differs_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
