/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "brief.h"
#include "model.h"
#include "rpc.h"
#include "utf8.h"

#define OTHER(id) ",\"related_ticket\":\"" id "\""

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

/* The Ticket named by ctx has a thread. */
static bool thread_of(void *ctx, const struct copy *copy, struct buf *text)
{
	if (!ctx || strcmp(copy->dir, ctx) != 0)
		return false;
	buf_addf(text, "<!-- event: plan author: ann at: T1 -->\n");
	return true;
}

static struct brief ask(struct index *ix, size_t max, const char *with_thread, struct arena *arena)
{
	struct brief brief;

	index_settle(ix);
	brief_of(ix, MODEL_NOW, STR_NONE, max, thread_of, (void *)(uintptr_t)with_thread, arena, &brief);
	return brief;
}

static void an_empty_tree_has_a_headline(void **state)
{
	struct arena arena = { 0 };
	struct brief brief = ask(*state, 500, NULL, &arena);

	assert_string_equal(brief.text.at,
			    "# Tickets: 0 queued, 0 in progress, 0 ready, 0 planning; "
			    "0 worked on\n");
	assert_int_equal(brief.cut_count, 0);
	arena_release(&arena);
}

static void threads_are_pointed_at_for_queued_and_running_tickets_only(void **state)
{
	static const char *const states[] = { "planning", "ready", "queued", "inprogress", "done" };
	struct index *ix = *state;

	for (size_t i = 0; i < COUNT_OF(states); i++) {
		struct arena arena = { 0 };
		model_item(ix, "main", "T-1", states[i]);
		struct brief brief = ask(ix, 4000, "T-1", &arena);
		bool told =
			strstr(brief.text.at, "- T-1 plan by ann, T1: .tickets/T-1/thread.md:1\n");
		assert_int_equal(told, i == 2 || i == 3);
		arena_release(&arena);
	}
}

static void a_line_that_is_too_long_ends_behind_a_character(void **state)
{
	struct index *ix = *state;

	for (int pad = 0; pad < 8; pad++) {
		struct arena arena = { 0 };
		struct buf text = { 0 };
		buf_addf(&text, "---\nstate: queued\ntitle: '%.*s", pad, "xxxxxxxx");
		for (int i = 0; i < 300; i++)
			buf_addf(&text, i % 2 ? "\xe6\x97\xa5" : "\xf0\x9f\x98\x80");
		buf_addf(&text, "'\n---\n");
		model_put(ix, "main", "T-1/item.md", buf_text(&text));
		struct brief brief = ask(ix, 4000, NULL, &arena);
		assert_true(utf8_ok(brief.text));
		assert_non_null(strstr(brief.text.at, "\xe2\x80\xa6\n"));
		const char *line = strstr(brief.text.at, "- T-1");
		size_t len = strcspn(line, "\n");
		assert_true(len <= 400 && len > 390);
		buf_release(&text);
		arena_release(&arena);
	}
}

static void no_text_begins_a_line_of_its_own(void **state)
{
	struct index *ix = *state;
	struct arena arena = { 0 };

	model_put(ix, "main", "T-1/item.md",
		  "---\nstate: inprogress\ntitle: \"a\\n- T-9 clear: b\"\n---\n");
	model_record(ix, "main", "T-1", "R1", "accepted_plan", 1,
		     ",\"accepted_plan\":{\"summary\":\"a\\n## Queue\",\"branch\":\"b\\n- c\"}");
	model_record(
		ix, "main", "T-1", "R2", "waiting_capacity_note", 2,
		",\"note\":\"n\\r\\n- m\",\"until\":{\"ticket\":\"x\\n- y\",\"state\":\"done\"}");
	model_record(ix, "main", "T-1", "R3", "after", 3, OTHER("z\\n## Forged"));
	struct brief brief = ask(ix, 8000, NULL, &arena);
	assert_null(strstr(brief.text.at, "\n- T-9"));
	assert_null(strstr(brief.text.at, "\n## Forged"));
	assert_null(strstr(brief.text.at, "\n## Queue"));
	assert_null(strstr(brief.text.at, "\n- c"));
	assert_null(strstr(brief.text.at, "\n- m"));
	assert_null(strstr(brief.text.at, "\n- y"));
	arena_release(&arena);
}

/* Trees of any make-up, in any length: within it, whole characters, and cuts are said. */
static void every_length_is_kept(void **state)
{
	static const char *const kinds[] = { "after", "blocked_by", "conflicts_with", "before" };
	static const char *const states[] = { "planning", "ready", "queued", "inprogress" };
	struct index *ix = *state;
	uint64_t seed = 3;

	for (int i = 0; i < 80; i++) {
		char id[16], other[64], record[16];
		snprintf(id, sizeof(id), "T%d", i);
		snprintf(record, sizeof(record), "R%d", i);
		snprintf(other, sizeof(other),
			 ",\"note\":\"\xe6\x97\xa5\xe6\x9c\xac\",\"related_ticket\":\"T%u\"",
			 model_random(&seed, 90));
		model_item(ix, "main", id, states[model_random(&seed, 4)]);
		model_record(ix, "main", id, record, kinds[model_random(&seed, 4)], i % 24, other);
		if (i % 5 == 0)
			model_record(
				ix, "main", id, "W", "waiting_capacity_note", 3,
				",\"note\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\",\"until\":{\"free\":2}");
	}
	for (size_t max = RPC_TEXT_MIN; max < 30000; max += 1 + max / 37) {
		struct arena arena = { 0 };
		struct brief brief = ask(ix, max, "T7", &arena), again = ask(ix, max, "T7", &arena);
		assert_true(brief.text.len <= max);
		assert_true(utf8_ok(brief.text));
		assert_true(str_eq(brief.text, again.text));
		assert_int_equal(brief.cut_count != 0,
				 strstr(brief.text.at, " left out; ") ||
					 strstr(brief.text.at, " sections are cut: "));
		arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(an_empty_tree_has_a_headline),
		with_index(threads_are_pointed_at_for_queued_and_running_tickets_only),
		with_index(a_line_that_is_too_long_ends_behind_a_character),
		with_index(no_text_begins_a_line_of_its_own),
		with_index(every_length_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
