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
#include "rpc.h"

#define OTHER(id) ",\"related_ticket\":\"" id "\""
#define PLAN      ",\"accepted_plan\":{\"summary\":\"do it\"}"

static struct arena arena;

static int make_index(void **state)
{
	*state = index_new();
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	arena_release(&arena);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

/* -- Lists as text ----------------------------------------------------------- */

enum list { LIST_RECORDS, LIST_TICKETS, LIST_QUEUE, LIST_CLEAR };

struct asked {
	enum list list;
	struct record_filter filter;
	uint64_t states;
};

static void add_row(struct buf *into, const struct seen *row)
{
	buf_addf(into, "%s%.*s", into->len ? " " : "", STR_ARG(row->d->record->id));
	if (row->derived)
		buf_addf(into, "(%s)", word(&words_kind, (int)seen_kind(row)));
}

/* One page, its rows added to *into. */
static bool ask(struct index *ix, const struct asked *a, struct page *page, struct buf *into,
		struct fault *why)
{
	struct seen *records;
	struct ticket **tickets;
	struct gate *gates;
	bool ok = true;

	if (a->list == LIST_RECORDS)
		ok = query_records(ix, &a->filter, MODEL_NOW, &arena, page, &records, why);
	else if (a->list == LIST_TICKETS)
		query_tickets(ix, a->states, &arena, page, &tickets);
	else
		ok = query_queue(ix, a->list == LIST_CLEAR, MODEL_NOW, &arena, page, &gates, why);
	for (size_t i = page->first; ok && i < page->first + page->returned; i++) {
		if (a->list == LIST_RECORDS)
			add_row(into, &records[i]);
		else
			buf_addf(into, "%s%.*s", into->len ? " " : "",
				 STR_ARG(a->list == LIST_TICKETS ? tickets[i]->id
								 : gates[i].ticket->id));
	}
	return ok;
}

static struct buf all_of(struct index *ix, const struct asked *a, int64_t limit)
{
	struct page page = { .limit = limit };
	struct buf text = { 0 };
	struct fault why;
	size_t told = 0;

	do {
		page.cursor = page.next;
		page.next = STR_NONE;
		page.count = 0;
		assert_true(ask(ix, a, &page, &text, &why));
		assert_true(page.returned <= (size_t)limit);
		assert_true(page.returned || !page.next.at);
		told += page.returned;
	} while (page.next.at);
	assert_int_equal(told, page.count);
	buf_text(&text);
	return text;
}

/* Whatever the limit, the pages together are the list. */
static void assert_list(struct index *ix, const struct asked *a, const char *rows)
{
	index_settle(ix);
	for (int64_t limit = 1; limit <= 12; limit++) {
		struct buf text = all_of(ix, a, limit);
		assert_string_equal(buf_text(&text), rows);
		buf_release(&text);
	}
}

static void assert_bad_argument(struct index *ix, const struct asked *a, struct str cursor)
{
	struct page page = { .cursor = cursor };
	struct buf text = { 0 };
	struct fault why;

	assert_false(ask(ix, a, &page, &text, &why));
	assert_int_equal(why.code, FAULT_BAD_ARGUMENT);
	buf_release(&text);
}

/* -- Records -------------------------------------------------------------------- */

static void fill_records(struct index *ix)
{
	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	model_item(ix, "main", "T-3", "done");
	model_record(ix, "main", "T-1", "R3", "after", 3, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-3"));
	model_record(ix, "main", "T-2", "R2", "blocks", 2, OTHER("T-1"));
	model_record(ix, "main", "T-2", "R4", "related", 3, OTHER("T-1"));
	model_record(ix, "main", "T-1", "R5", "after", 4, OTHER("T-9"));
}

static void records_come_by_time_then_id_from_either_end(void **state)
{
	struct index *ix = *state;
	struct asked oldest = { .filter = { .scope = SCOPE_ALL, .order = ORDER_OLDEST } };
	struct asked newest = { .filter = { .scope = SCOPE_ALL, .order = ORDER_NEWEST } };

	fill_records(ix);
	assert_list(ix, &oldest, "R1 R2 R3 R4 R5");
	assert_list(ix, &newest, "R5 R4 R3 R2 R1");
}

static void a_ticket_has_its_own_and_the_derived_ones(void **state)
{
	struct index *ix = *state;

	fill_records(ix);
	index_settle(ix);
	struct asked a = { .filter = { .ticket = index_find(ix, STR("T-1")),
				       .scope = SCOPE_ALL,
				       .order = ORDER_OLDEST } };
	assert_list(ix, &a, "R1 R2(blocked_by) R3 R4(related) R5");
	a.filter.ticket = index_find(ix, STR("T-3"));
	assert_list(ix, &a, "R1(blocks)");
}

static void the_scope_parts_the_live_from_the_past(void **state)
{
	struct index *ix = *state;
	struct asked live = { .filter = { .scope = SCOPE_LIVE, .order = ORDER_OLDEST } };
	struct asked history = { .filter = { .scope = SCOPE_HISTORY, .order = ORDER_OLDEST } };

	fill_records(ix);
	assert_list(ix, &live, "R2 R3 R4 R5");
	assert_list(ix, &history, "R1");
	model_record(ix, "main", "T-2", "X1", "retraction", 5, ",\"retracts\":\"R2\"");
	assert_list(ix, &live, "R3 R4 R5");
	assert_list(ix, &history, "R1 R2 X1");
}

static void filters_take_kind_other_and_author(void **state)
{
	struct index *ix = *state;
	struct asked a = { .filter = { .scope = SCOPE_ALL, .order = ORDER_OLDEST } };

	fill_records(ix);
	index_settle(ix);
	a.filter.kinds = UINT64_C(1) << KIND_AFTER | UINT64_C(1) << KIND_RELATED;
	assert_list(ix, &a, "R3 R4 R5");
	a.filter.kinds = 0;
	a.filter.other = index_find(ix, STR("T-1"));
	assert_list(ix, &a, "R2 R4");
	a.filter.author = STR("bob");
	assert_list(ix, &a, "");
	a.filter.author = STR("ann");
	assert_list(ix, &a, "R2 R4");
	a.filter.ticket = index_find(ix, STR("T-1"));
	a.filter.other = index_find(ix, STR("T-2"));
	assert_list(ix, &a, "R2(blocked_by) R3 R4(related)");
	a.filter.kinds = UINT64_C(1) << KIND_BLOCKED_BY;
	assert_list(ix, &a, "R2(blocked_by)");
}

static void records_that_share_time_id_and_place_are_each_told_once(void **state)
{
	struct index *ix = *state;
	struct asked oldest = { .filter = { .scope = SCOPE_ALL, .order = ORDER_OLDEST } };
	struct asked newest = { .filter = { .scope = SCOPE_ALL, .order = ORDER_NEWEST } };
	static const char one[] = "{\"ticket_id\":\"T-1\",\"kind\":\"related\",\"target\":\"T-2\","
				  "\"author\":\"ann\",\"at\":\"2026-05-01T00:00:00Z\"}";
	char *three = xasprintf("{\"version\":1,\"relations\":[%s,%s,%s]}", one, one, one);

	fill_records(ix);
	model_put(ix, "main", "T-1/artifacts/relations.json", three);
	assert_list(ix, &oldest, "related:T-2 related:T-2 related:T-2 R1 R2 R3 R4 R5");
	assert_list(ix, &newest, "R5 R4 R3 R2 R1 related:T-2 related:T-2 related:T-2");
	free(three);
}

static void one_id_on_two_lines_is_told_twice(void **state)
{
	struct index *ix = *state;
	struct asked a = { .filter = { .scope = SCOPE_ALL, .order = ORDER_NEWEST } };
	char *line = model_line("T-1", "P", "after", 1, OTHER("T-2"));
	char *two = xasprintf("%s%s", line, line);

	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", two);
	assert_list(ix, &a, "P P");
	free(line);
	free(two);
}

static void an_id_may_hold_a_slash(void **state)
{
	struct index *ix = *state;
	struct asked a = { .filter = { .scope = SCOPE_ALL, .order = ORDER_OLDEST } };
	char *one = model_line("T-1", "a/b", "after", 1, OTHER("T-2"));
	char *two = model_line("T-1", "a/c/", "after", 1, OTHER("T-2"));
	char *both = xasprintf("%s%s", two, one);

	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", both);
	assert_list(ix, &a, "a/b a/c/");
	free(one);
	free(two);
	free(both);
}

/* Read one page, change the tree, read on. */
static void assert_goes_on(struct index *ix, const struct asked *a, int64_t limit,
			   void (*change)(struct index *ix), const char *rows)
{
	struct page page = { .limit = limit };
	struct buf text = { 0 };
	struct fault why;

	index_settle(ix);
	assert_true(ask(ix, a, &page, &text, &why));
	change(ix);
	index_settle(ix);
	page = (struct page){ .limit = 100, .cursor = page.next };
	assert_true(ask(ix, a, &page, &text, &why));
	assert_null(page.next.at);
	assert_string_equal(buf_text(&text), rows);
	buf_release(&text);
}

static void add_records(struct index *ix)
{
	model_record(ix, "main", "T-1", "R0", "after", 0, OTHER("T-3"));
	model_record(ix, "main", "T-1", "R2b", "after", 2, OTHER("T-3"));
	model_drop(ix, "main", "T-2/artifacts/records/R2.json");
}

static void a_cursor_skips_and_repeats_nothing_when_records_come_and_go(void **state)
{
	struct index *ix = *state;
	struct asked oldest = { .filter = { .scope = SCOPE_ALL, .order = ORDER_OLDEST } };

	fill_records(ix);
	assert_goes_on(ix, &oldest, 2, add_records, "R1 R2 R2b R3 R4 R5");
}

static void a_cursor_from_the_other_end_does_so_too(void **state)
{
	struct index *ix = *state;
	struct asked newest = { .filter = { .scope = SCOPE_ALL, .order = ORDER_NEWEST } };

	fill_records(ix);
	assert_goes_on(ix, &newest, 4, add_records, "R5 R4 R3 R2 R1 R0");
}

static void cursors_that_no_list_gave_out_are_refused(void **state)
{
	struct index *ix = *state;
	struct asked a = { .filter = { .scope = SCOPE_ALL } };
	static const char *const bad[] = { "",      "x",        "1",         "1/",  "1/2",
					   "1/2/3", "/1/1/T/R", "1/1/x/T/R", "1//1" };
	char long_one[5000];

	fill_records(ix);
	index_settle(ix);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_bad_argument(ix, &a, str_of(bad[i]));
	memset(long_one, '1', sizeof(long_one));
	assert_bad_argument(ix, &a, (struct str){ long_one, sizeof(long_one) });
}

static void the_limit_goes_from_1_to_1000_and_is_100_unless_said(void **state)
{
	struct index *ix = *state;
	struct asked a = { .list = LIST_TICKETS };
	struct page page = { 0 };
	struct buf text = { 0 };
	struct fault why;
	char id[16];

	for (int i = 0; i < RPC_LIMIT_DEFAULT + 1; i++) {
		snprintf(id, sizeof(id), "T-%d", i);
		model_item(ix, "main", id, "ready");
	}
	index_settle(ix);
	assert_true(ask(ix, &a, &page, &text, &why));
	assert_int_equal(page.returned, RPC_LIMIT_DEFAULT);
	assert_int_equal(page.count, RPC_LIMIT_DEFAULT + 1);
	assert_non_null(page.next.at);
	page = (struct page){ .limit = RPC_LIMIT_MAX };
	assert_true(ask(ix, &a, &page, &text, &why));
	assert_null(page.next.at);
	buf_release(&text);
}

/* -- Tickets ----------------------------------------------------------------------- */

static void tickets_come_by_id_and_by_state(void **state)
{
	struct index *ix = *state;
	struct asked a = { .list = LIST_TICKETS };

	fill_records(ix);
	assert_list(ix, &a, "T-1 T-2 T-3");
	a.states = UINT64_C(1) << STATE_READY | UINT64_C(1) << STATE_DONE;
	assert_list(ix, &a, "T-2 T-3");
	a.states = UINT64_C(1) << STATE_UNKNOWN;
	assert_list(ix, &a, "");
}

static void change_tickets(struct index *ix)
{
	model_item(ix, "main", "T-0", "ready");
	model_item(ix, "main", "T-20", "ready");
	model_drop(ix, "main", "T-2");
	model_record(ix, "main", "T-1", "R9", "after", 0, OTHER("T-21"));
}

static void a_cursor_of_tickets_holds_though_its_ticket_is_gone(void **state)
{
	struct index *ix = *state;
	struct asked a = { .list = LIST_TICKETS };

	fill_records(ix);
	assert_goes_on(ix, &a, 2, change_tickets, "T-1 T-2 T-20 T-3");
}

/* -- The queue ----------------------------------------------------------------------- */

static void fill_queue(struct index *ix)
{
	model_item_with(ix, "main", "e", "queued", "queued_at: '2026-05-01T12:00:00+02:00'\n");
	model_item_with(ix, "main", "d", "queued", "queued_at: '2026-05-01T11:00:00Z'\n");
	model_item_with(ix, "main", "c", "queued",
			"queued_at: '2026-05-01T09:00:00Z'\nupdated_at: '2026-05-09T00:00:00Z'\n");
	model_item_with(ix, "main", "b", "queued", "updated_at: '2026-05-01T10:30:00Z'\n");
	model_item_with(ix, "main", "a", "queued", "queued_at: '2026-05-01T11:00:00.000Z'\n");
	model_item_with(ix, "main", "x", "ready", "queued_at: '2026-05-01T08:00:00Z'\n");
}

static void the_queue_comes_by_time_of_queueing_then_id(void **state)
{
	struct index *ix = *state;
	struct asked a = { .list = LIST_QUEUE };

	fill_queue(ix);
	assert_list(ix, &a, "c e b a d");
}

static void what_has_no_time_comes_first_in_the_queue(void **state)
{
	struct index *ix = *state;
	struct asked a = { .list = LIST_QUEUE };

	fill_queue(ix);
	model_item(ix, "main", "z", "queued");
	model_item_with(ix, "main", "y", "queued", "queued_at: soon\n");
	model_item_with(ix, "main", "v", "queued", "queued_at: 2026-05-01T10:00\n");
	model_item_with(ix, "main", "w", "queued", "queued_at: a/b\n");
	assert_list(ix, &a, "z v w y c e b a d");
}

static void only_those_that_are_clear_if_asked(void **state)
{
	struct index *ix = *state;
	struct asked a = { .list = LIST_CLEAR };

	fill_queue(ix);
	model_record(ix, "main", "b", "R1", "blocked_by", 1, OTHER("x"));
	model_record(ix, "main", "c", "R2", "accepted_plan", 10, PLAN);
	assert_list(ix, &a, "e a d");
}

static void change_queue(struct index *ix)
{
	model_item_with(ix, "main", "f", "queued", "queued_at: '2026-05-01T08:00:00Z'\n");
	model_item_with(ix, "main", "g", "queued", "queued_at: '2026-05-01T10:10:00Z'\n");
	model_item(ix, "main", "e", "inprogress");
}

static void a_cursor_of_the_queue_holds_though_its_ticket_left_it(void **state)
{
	struct index *ix = *state;
	struct asked a = { .list = LIST_QUEUE };

	fill_queue(ix);
	assert_goes_on(ix, &a, 2, change_queue, "c e g b a d");
	assert_bad_argument(ix, &a, STR("no slash"));
	assert_bad_argument(ix, &a, STR(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(records_come_by_time_then_id_from_either_end),
		with_index(a_ticket_has_its_own_and_the_derived_ones),
		with_index(the_scope_parts_the_live_from_the_past),
		with_index(filters_take_kind_other_and_author),
		with_index(records_that_share_time_id_and_place_are_each_told_once),
		with_index(one_id_on_two_lines_is_told_twice),
		with_index(an_id_may_hold_a_slash),
		with_index(a_cursor_skips_and_repeats_nothing_when_records_come_and_go),
		with_index(a_cursor_from_the_other_end_does_so_too),
		with_index(cursors_that_no_list_gave_out_are_refused),
		with_index(the_limit_goes_from_1_to_1000_and_is_100_unless_said),
		with_index(tickets_come_by_id_and_by_state),
		with_index(a_cursor_of_tickets_holds_though_its_ticket_is_gone),
		with_index(the_queue_comes_by_time_of_queueing_then_id),
		with_index(what_has_no_time_comes_first_in_the_queue),
		with_index(only_those_that_are_clear_if_asked),
		with_index(a_cursor_of_the_queue_holds_though_its_ticket_left_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
