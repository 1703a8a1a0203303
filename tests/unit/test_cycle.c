/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base.h"
#include "cycle.h"
#include "doctor.h"
#include "model.h"

static int make_index(void **state)
{
	*state = index_new();
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

/* `TICKET kind OTHER`, in a record of its own. */
static void link_tickets(struct index *ix, const char *ticket, const char *kind, const char *other)
{
	char *fields = xasprintf(",\"related_ticket\":\"%s\"", other);
	char *id = xasprintf("%s-%s", kind, other);

	model_record(ix, "main", ticket, id, kind, 1, fields);
	free(fields);
	free(id);
}

static void make_items(struct index *ix, const char *ids)
{
	for (; *ids; ids++)
		model_item(ix, "main", (char[]){ *ids, 0 }, "queued");
}

/* The Tickets of the way from one back to itself: "A B C", "" where there is none. */
static void assert_cycle(struct index *ix, const char *id, const char *wanted)
{
	struct arena arena = { 0 };
	struct ticket **loop;
	struct buf said = { 0 };

	index_settle(ix);
	size_t count = cycle_of(index_find(ix, str_of(id)), SIZE_MAX, &arena, &loop);
	for (size_t i = 0; i < count; i++)
		buf_addf(&said, "%s%.*s", i ? " " : "", STR_ARG(loop[i]->id));
	assert_string_equal(buf_text(&said), wanted);
	buf_release(&said);
	arena_release(&arena);
}

static int by_letter(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* All groups, each with its letters sorted: "AB DEF". */
static void assert_groups(struct index *ix, const char *wanted)
{
	struct arena arena = { 0 };
	struct ticket **at;
	size_t count;
	char said[64] = "", *into = said;

	index_settle(ix);
	struct ticket *const *all = index_tickets(ix, &count);
	size_t groups = cycle_groups(all, count, &arena, &at);
	for (size_t i = 0; i < groups; i++, at++) {
		char *first = into + (i > 0);
		*into = ' ';
		for (into = first; *at; at++)
			*into++ = (*at)->id.at[0];
		qsort(first, (size_t)(into - first), 1, by_letter);
	}
	*into = '\0';
	assert_string_equal(said, wanted);
	arena_release(&arena);
}

/* -- One Ticket's way -------------------------------------------------------- */

static void a_chain_is_no_cycle(void **state)
{
	struct index *ix = *state;

	make_items(ix, "ABC");
	link_tickets(ix, "A", "after", "B");
	link_tickets(ix, "B", "after", "C");
	assert_cycle(ix, "A", "");
	assert_groups(ix, "");
}

static void two_that_wait_for_each_other_are_one(void **state)
{
	struct index *ix = *state;

	make_items(ix, "AB");
	link_tickets(ix, "A", "before", "B");
	link_tickets(ix, "B", "blocks", "A");
	assert_cycle(ix, "A", "A B");
	assert_cycle(ix, "B", "B A");
	assert_groups(ix, "AB");
}

static void the_shortest_way_back_is_named(void **state)
{
	struct index *ix = *state;

	make_items(ix, "ABCDE");
	link_tickets(ix, "A", "after", "B");
	link_tickets(ix, "B", "after", "C");
	link_tickets(ix, "C", "after", "A");
	link_tickets(ix, "A", "depends_on", "D");
	link_tickets(ix, "D", "blocked_by", "A");
	assert_cycle(ix, "A", "A D");
	assert_cycle(ix, "B", "B C A");
	assert_groups(ix, "ABCD");
}

static void who_waits_for_a_cycle_is_not_of_it(void **state)
{
	struct index *ix = *state;

	make_items(ix, "ABC");
	link_tickets(ix, "A", "after", "B");
	link_tickets(ix, "B", "after", "C");
	link_tickets(ix, "C", "after", "B");
	assert_cycle(ix, "A", "");
	assert_cycle(ix, "B", "B C");
	assert_groups(ix, "BC");
}

static void conflicts_and_relations_make_no_cycle(void **state)
{
	struct index *ix = *state;
	static const char *const kinds[] = { "conflicts_with", "do_not_parallelize", "related",
					     "supersedes", "duplicate_of" };

	make_items(ix, "AB");
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		link_tickets(ix, "A", kinds[i], "B");
		link_tickets(ix, "B", kinds[i], "A");
	}
	assert_cycle(ix, "A", "");
	assert_groups(ix, "");
}

static void what_is_resolved_retracted_or_not_there_breaks_a_cycle(void **state)
{
	struct index *ix = *state;

	make_items(ix, "ABC");
	link_tickets(ix, "A", "after", "B");
	link_tickets(ix, "B", "after", "C");
	link_tickets(ix, "C", "after", "A");
	assert_groups(ix, "ABC");
	model_item(ix, "main", "C", "done");
	assert_groups(ix, "");
	model_item(ix, "main", "C", "planning");
	assert_groups(ix, "ABC");
	model_drop(ix, "main", "C/item.md");
	assert_groups(ix, "ABC");
	model_drop(ix, "main", "C");
	assert_groups(ix, "");
	model_item(ix, "main", "C", "queued");
	link_tickets(ix, "C", "after", "A");
	assert_groups(ix, "ABC");
	model_record(ix, "main", "A", "R", "retraction", 2, ",\"retracts\":\"after-B\"");
	assert_groups(ix, "");
}

/* -- All groups -------------------------------------------------------------- */

static void cycles_that_share_a_ticket_are_one_group(void **state)
{
	struct index *ix = *state;

	make_items(ix, "ABCDEFG");
	link_tickets(ix, "A", "after", "B");
	link_tickets(ix, "B", "after", "A");
	link_tickets(ix, "B", "after", "C");
	link_tickets(ix, "C", "after", "B");
	link_tickets(ix, "D", "after", "C");
	link_tickets(ix, "E", "after", "F");
	link_tickets(ix, "F", "after", "E");
	link_tickets(ix, "G", "after", "G");
	assert_groups(ix, "ABC EF");
}

/* By closing all ways: what reaches itself is in a cycle. */
static void close_ways(bool way[10][10])
{
	for (int k = 0; k < 10; k++)
		for (int i = 0; i < 10; i++)
			for (int j = 0; j < 10; j++)
				way[i][j] |= way[i][k] && way[k][j];
}

static void groups_are_what_closing_all_ways_finds(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct index *ix = index_new();
		struct arena arena = { 0 };
		struct ticket **at;
		bool way[10][10] = { { false } };
		int members = 0;
		size_t count;
		make_items(ix, "ABCDEFGHIJ");
		for (int n = 0; n < 4 + round / 4; n++) {
			int a = (int)model_random(&seed, 10), b = (int)model_random(&seed, 10);
			char from[] = { (char)('A' + a), 0 }, to[] = { (char)('A' + b), 0 };
			if (a == b)
				continue;
			way[a][b] = true;
			if (model_random(&seed, 2))
				link_tickets(ix, from, "after", to);
			else
				link_tickets(ix, to, "blocks", from);
		}
		close_ways(way);
		index_settle(ix);
		struct ticket *const *all = index_tickets(ix, &count);
		size_t groups = cycle_groups(all, count, &arena, &at);
		for (; groups--; at++)
			for (int first = (*at)->id.at[0] - 'A'; *at; at++, members++)
				assert_true(way[first][(*at)->id.at[0] - 'A'] &&
					    way[(*at)->id.at[0] - 'A'][first]);
		for (int i = 0; i < 10; i++)
			members -= way[i][i];
		assert_int_equal(members, 0);
		arena_release(&arena);
		index_free(ix);
	}
}

/* -- Long ones --------------------------------------------------------------- */

#define MANY 100000

static void make_ring(struct index *ix, int count)
{
	char id[16], text[256];

	for (int i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "T%06d", i);
		model_item(ix, "main", id, "queued");
		char *path = xasprintf("%s/artifacts/relations.json", id);
		snprintf(
			text, sizeof(text),
			"{\"version\":1,\"relations\":[{\"ticket_id\":\"%s\",\"kind\":\"depends_on\","
			"\"target\":\"T%06d\",\"author\":\"ann\",\"at\":\"2026-05-01T00:00:00Z\"}]}",
			id, (i + 1) % count);
		model_put(ix, "main", path, text);
		free(path);
	}
}

/* A gate looks for a cycle no further than is quick; the doctor finds it all the same. */
static void a_cycle_is_sought_no_further_than_asked(void **state)
{
	struct index *ix = *state;
	struct arena arena = { 0 };
	struct ticket **loop;

	make_ring(ix, 100);
	index_settle(ix);
	const struct ticket *first = index_find(ix, STR("T000000"));
	assert_int_equal(cycle_of(first, 100, &arena, &loop), 100);
	assert_int_equal(cycle_of(first, 98, &arena, &loop), 0);
	assert_int_equal(cycle_of(first, 0, &arena, &loop), 0);
	arena_release(&arena);
}

/* Run in little stack: whoever recursed once a Ticket would not come back. */
static void a_cycle_of_very_many_is_found_without_recursion(void **state)
{
	struct index *ix = *state;
	struct rlimit before, little;
	struct arena arena = { 0 };
	struct page page = { 0 };
	struct finding *rows;
	struct fault why;
	size_t errors;
	/* Sanitizers make every frame larger, and what is not asked for quickly is asked for less. */
	const char *scale = getenv("TP_SCALE");
	int count = scale && strcmp(scale, "0") == 0 ? MANY / 10 : MANY;

	make_ring(ix, count);
	index_settle(ix);
	assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
	little = before;
	little.rlim_cur = 512 * 1024;
	assert_int_equal(setrlimit(RLIMIT_STACK, &little), 0);
	assert_true(doctor_run(ix, NULL, NULL, MODEL_NOW, &arena, &page, &rows, &errors, &why));
	assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
	assert_int_equal(page.count, 1);
	assert_int_equal(errors, 1);
	assert_int_equal(rows[0].code, PROBLEM_CYCLE);
	assert_string_equal(rows[0].ticket->id.at, "T000000");
	char *wanted = xasprintf("waits for itself, through %d Tickets: T000000, T000001, T000002, "
				 "T000003, T000004, T000005, T000006, T000007, …",
				 count);
	assert_string_equal(rows[0].text.at, wanted);
	free(wanted);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(a_chain_is_no_cycle),
		with_index(two_that_wait_for_each_other_are_one),
		with_index(the_shortest_way_back_is_named),
		with_index(who_waits_for_a_cycle_is_not_of_it),
		with_index(conflicts_and_relations_make_no_cycle),
		with_index(what_is_resolved_retracted_or_not_there_breaks_a_cycle),
		with_index(cycles_that_share_a_ticket_are_one_group),
		cmocka_unit_test(groups_are_what_closing_all_ways_finds),
		with_index(a_cycle_is_sought_no_further_than_asked),
		with_index(a_cycle_of_very_many_is_found_without_recursion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
