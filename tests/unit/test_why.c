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
#include "query.h"
#include "why.h"

#define OTHER(id) ",\"related_ticket\":\"" id "\""
#define UNTIL(u)  ",\"note\":\"n\",\"until\":" u

static int make_index(void **state)
{
	struct index *ix = index_new();

	for (const char *id = "ABCDE"; *id; id++)
		model_item(ix, "main", (char[]){ *id, 0 }, "queued");
	*state = ix;
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

static void say_row(void *data, const struct why_row *row)
{
	struct buf *said = data;

	buf_addf(said, "%s%u %.*s%s%s%s%s", said->len ? "; " : "", row->depth,
		 STR_ARG(row->ticket ? row->ticket->id : STR("-")), row->reason ? " " : "",
		 row->reason ? word(&words_reason, (int)row->reason->code) : "",
		 row->cycle ? " cycle" : "", row->repeated ? " repeated" : "");
}

/* "0 A; 1 B blocked; 2 A ordered cycle": depth, Ticket, code and marks of each row. */
static void assert_why(struct index *ix, const char *id, const char *wanted)
{
	struct arena arena = { 0 };
	struct buf said = { 0 };
	size_t count, rows = 1;

	index_settle(ix);
	count = why_of(ix, index_find(ix, str_of(id)), MODEL_NOW, STR_NONE, &arena, say_row, &said);
	assert_string_equal(buf_text(&said), wanted);
	for (const char *at = wanted; (at = strchr(at, ';')); at++)
		rows++;
	assert_int_equal(count, rows);
	buf_release(&said);
	arena_release(&arena);
}

static void a_clear_ticket_is_alone(void **state)
{
	assert_why(*state, "A", "0 A");
}

static void a_chain_is_told_to_its_end(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "after", 1, OTHER("B"));
	model_record(ix, "main", "C", "R1", "blocks", 1, OTHER("B"));
	model_record(ix, "main", "C", "R2", "depends_on", 1, OTHER("D"));
	assert_why(ix, "A", "0 A; 1 B ordered; 2 C blocked; 3 D blocked");
	assert_why(ix, "C", "0 C; 1 D blocked");
}

static void what_two_ways_lead_to_is_told_once(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "after", 1, OTHER("B"));
	model_record(ix, "main", "A", "R2", "after", 2, OTHER("C"));
	model_record(ix, "main", "B", "R1", "after", 1, OTHER("D"));
	model_record(ix, "main", "C", "R1", "after", 1, OTHER("D"));
	assert_why(ix, "A", "0 A; 1 B ordered; 2 D ordered; 1 C ordered; 2 D ordered");
	model_record(ix, "main", "D", "R1", "after", 1, OTHER("E"));
	assert_why(ix, "A",
		   "0 A; 1 B ordered; 2 D ordered; 3 E ordered; 1 C ordered; 2 D ordered repeated");
}

static void two_records_about_the_same_are_both_told(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "blocked_by", 1, OTHER("B"));
	model_record(ix, "main", "A", "R2", "after", 1, OTHER("B"));
	model_record(ix, "main", "B", "R1", "after", 1, OTHER("C"));
	assert_why(ix, "A", "0 A; 1 B blocked; 2 C ordered; 1 B ordered repeated");
}

static void a_cycle_ends_where_it_began(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "after", 1, OTHER("B"));
	model_record(ix, "main", "B", "R1", "after", 1, OTHER("C"));
	model_record(ix, "main", "C", "R1", "after", 1, OTHER("B"));
	assert_why(ix, "A", "0 A; 1 B ordered; 2 C ordered; 3 B ordered cycle");
}

static void holds_that_are_no_waits_end_there(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "conflicts_with", 1, OTHER("B"));
	model_item(ix, "main", "B", "inprogress");
	model_record(ix, "main", "B", "R1", "after", 1, OTHER("C"));
	model_record(ix, "main", "A", "R2", "waiting_capacity_note", 2,
		     UNTIL("{\"ticket\":\"D\",\"state\":\"done\"}"));
	model_record(ix, "main", "A", "R3", "waiting_capacity_note", 3, UNTIL("{\"free\":1}"));
	model_record(ix, "main", "A", "R4", "waiting_capacity_note", 4, ",\"note\":\"n\"");
	model_record(ix, "main", "A", "R5", "after", 5, OTHER("X"));
	model_record(ix, "main", "D", "R1", "after", 1, OTHER("E"));
	assert_why(ix, "A",
		   "0 A; 1 X ordered; 1 B conflict; 1 D waiting; 2 E ordered; 1 - waiting");
}

/* -- Any graph --------------------------------------------------------------- */

#define TICKETS 12

static const char *const states[] = { "planning", "ready",      "queued", "queued",
				      "queued",   "inprogress", "done",   "closed" };
static const char *const kinds[] = { "before",     "after",          "blocked_by",
				     "blocks",     "conflicts_with", "do_not_parallelize",
				     "depends_on", "related" };

static void random_graph(struct index *ix, uint64_t *seed)
{
	for (int i = 0; i < TICKETS; i++)
		model_item(ix, "main", (char[]){ (char)('A' + i), 0 },
			   states[model_random(seed, COUNT_OF(states))]);
	for (int i = 0; i < 24; i++) {
		char ticket[] = { (char)('A' + model_random(seed, TICKETS)), 0 };
		char *id = xasprintf("R%d", i);
		/* One more than there are: it dangles. */
		char *other = xasprintf(",\"related_ticket\":\"%c\"",
					'A' + (int)model_random(seed, TICKETS + 1));
		if (other[19] != ticket[0])
			model_record(ix, "main", ticket, id,
				     kinds[model_random(seed, COUNT_OF(kinds))],
				     (int)model_random(seed, 24), other);
		free(id);
		free(other);
	}
	for (int i = 0; i < 3; i++) {
		char ticket[] = { (char)('A' + model_random(seed, TICKETS)), 0 };
		model_record(ix, "main", ticket, i ? "W" : "P",
			     i ? "waiting_capacity_note" : "accepted_plan",
			     (int)model_random(seed, 24),
			     i == 0   ? ",\"accepted_plan\":{\"summary\":\"x\"}"
			     : i == 1 ? UNTIL("{\"gate\":\"human\"}")
				      : UNTIL("{\"free\":2}"));
	}
	index_settle(ix);
}

static struct gate ask(struct index *ix, const struct ticket *t, struct arena *arena)
{
	struct gate gate;

	gate_of(ix, t, MODEL_NOW, arena, &gate);
	return gate;
}

static void assert_verdicts_part_the_tickets(struct index *ix)
{
	size_t count, queued = 0, clear = 0, held = 0;
	struct ticket *const *all = index_tickets(ix, &count);
	struct arena arena = { 0 };
	struct page page = { 0 };
	struct gate *rows;
	struct fault why;

	for (size_t i = 0; i < count; i++) {
		struct gate gate = ask(ix, all[i], &arena);
		bool is_queued = all[i]->state == STATE_QUEUED;
		size_t holds = 0;
		for (size_t k = 0; k < gate.count; k++)
			holds += gate.reasons[k].severity == SEVERITY_HOLD;
		assert_int_equal(holds, gate.holds);
		assert_int_equal(gate.verdict == VERDICT_NOT_QUEUED, !is_queued);
		assert_int_equal(gate.verdict == VERDICT_CLEAR, is_queued && !holds);
		queued += is_queued;
		clear += gate.verdict == VERDICT_CLEAR;
		held += gate.verdict == VERDICT_HELD;
	}
	assert_int_equal(clear + held, queued);
	assert_true(query_queue(ix, false, MODEL_NOW, &arena, &page, &rows, &why));
	assert_int_equal(page.count, queued);
	page = (struct page){ 0 };
	assert_true(query_queue(ix, true, MODEL_NOW, &arena, &page, &rows, &why));
	assert_int_equal(page.count, clear);
	arena_release(&arena);
}

/* A record is among its Ticket's own, and once among the other's, and each hold has both ends. */
static void assert_both_sides_agree(struct index *ix)
{
	size_t count;
	struct ticket *const *all = index_tickets(ix, &count);

	for (size_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < all[i]->own_count; k++) {
			const struct decision *d = &all[i]->own[k], *seen;
			int times = 0;
			if (!d->other)
				continue;
			DL_FOREACH(d->other->incoming, seen)
			times += seen == d;
			assert_int_equal(times, 1);
			struct seen stored = { d, false }, derived = { d, true };
			assert_int_equal(kind_row(seen_kind(&stored))->inverse,
					 seen_kind(&derived));
			assert_ptr_equal(seen_other(&stored), d->other);
			assert_ptr_equal(seen_other(&derived), d->ticket);
		}
}

static bool still_held_by(struct index *ix, const char *id, const char *record, const char *holder)
{
	struct arena arena = { 0 };
	struct gate gate = ask(ix, index_find(ix, str_of(id)), &arena);
	bool found = false;

	for (size_t i = 0; i < gate.count; i++) {
		const struct reason_row *r = &gate.reasons[i];
		found |= r->severity == SEVERITY_HOLD && r->decision &&
			 str_is(r->decision->record->id, record) &&
			 str_is(r->decision->ticket->id, holder);
	}
	arena_release(&arena);
	return found;
}

/* Take the Ticket's first hold away in the way its text names; false where it has none. */
static bool remove_a_hold(struct index *ix, const char *id, uint64_t *seed, int *undone)
{
	struct arena arena = { 0 };
	struct gate gate = ask(ix, index_find(ix, str_of(id)), &arena);
	const struct reason_row *r = gate.reasons;

	while (r < gate.reasons + gate.count && r->severity != SEVERITY_HOLD)
		r++;
	if (r == gate.reasons + gate.count) {
		arena_release(&arena);
		return false;
	}
	assert_non_null(r->decision);
	char *holder = xstrndup(r->decision->ticket->id.at, r->decision->ticket->id.len);
	char *record = xstrndup(r->decision->record->id.at, r->decision->record->id.len);
	bool resolvable = r->other_state >= 0 && r->other_state != STATE_UNKNOWN;
	if (resolvable && model_random(seed, 2)) {
		model_item(ix, "main", r->other.at, model_random(seed, 2) ? "done" : "closed");
	} else {
		char *retraction = xasprintf("Z%d", (*undone)++);
		char *fields = xasprintf(",\"retracts\":\"%s\"", record);
		model_record(ix, "main", holder, retraction, "retraction", 23, fields);
		free(retraction);
		free(fields);
	}
	index_settle(ix);
	assert_false(still_held_by(ix, id, record, holder));
	free(holder);
	free(record);
	arena_release(&arena);
	return true;
}

static void holds_go_when_their_cause_goes_and_leave_it_clear(void **state)
{
	uint64_t seed = 42;
	const char *scale = getenv("TP_SCALE");
	int rounds = scale && strcmp(scale, "100") == 0 ? 5000
		     : scale && strcmp(scale, "0") == 0 ? 5
							: 60;
	int removed = 0;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		struct index *ix = index_new();
		int undone = 0;
		random_graph(ix, &seed);
		assert_verdicts_part_the_tickets(ix);
		assert_both_sides_agree(ix);
		for (int i = 0; i < TICKETS; i++) {
			char id[] = { (char)('A' + i), 0 };
			const struct ticket *t = index_find(ix, str_of(id));
			if (t->state != STATE_QUEUED)
				continue;
			while (remove_a_hold(ix, id, &seed, &undone))
				removed++;
			assert_memory_equal(model_gate(ix, id), "clear", 5);
		}
		assert_verdicts_part_the_tickets(ix);
		assert_both_sides_agree(ix);
		index_free(ix);
	}
	/* Graphs in which nothing holds would prove nothing. */
	assert_true(removed > rounds * 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(a_clear_ticket_is_alone),
		with_index(a_chain_is_told_to_its_end),
		with_index(what_two_ways_lead_to_is_told_once),
		with_index(two_records_about_the_same_are_both_told),
		with_index(a_cycle_ends_where_it_began),
		with_index(holds_that_are_no_waits_end_there),
		cmocka_unit_test(holds_go_when_their_cause_goes_and_leave_it_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
