/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "audit.h"
#include "model.h"

/* Two indexes that were told the same. */
struct pair {
	struct index *held, *fresh;
	struct arena arena;
};

static void tell(struct index *ix)
{
	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	model_item(ix, "other", "T-1", "ready");
	model_record(ix, "main", "T-1", "R-1", "after", 3, ",\"related_ticket\":\"T-2\"");
	index_stray_put(ix, model_source(ix, "main"), STR("bad name"), PROBLEM_BAD_NAME, "x");
	index_settle(ix);
}

static int make_pair(void **state)
{
	struct pair *p = xcalloc(1, sizeof(*p));

	p->held = index_new();
	p->fresh = index_new();
	/* What it is must not depend on the numbers of sources. */
	model_source(p->fresh, "other");
	tell(p->held);
	tell(p->fresh);
	*state = p;
	return 0;
}

static int drop_pair(void **state)
{
	struct pair *p = *state;

	index_free(p->held);
	index_free(p->fresh);
	arena_release(&p->arena);
	free(p);
	return 0;
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, make_pair, drop_pair)

/* "PATH: TEXT" of each finding. */
static void assert_found(struct pair *p, const char *text)
{
	struct findings all = { .arena = &p->arena };
	struct buf said = { 0 };

	index_settle(p->held);
	index_settle(p->fresh);
	audit_compare(p->held, p->fresh, &all);
	for (size_t i = 0; i < all.count; i++) {
		assert_int_equal(all.at[i].code, PROBLEM_DRIFTED);
		buf_addf(&said, "%s%.*s: %.*s", i ? "; " : "", STR_ARG(all.at[i].path),
			 STR_ARG(all.at[i].text));
	}
	assert_string_equal(buf_text(&said), text);
	buf_release(&said);
}

static void the_same_files_differ_in_nothing(void **state)
{
	assert_found(*state, "");
}

static void a_file_that_says_something_else_is_found(void **state)
{
	struct pair *p = *state;

	model_item(p->fresh, "main", "T-2", "done");
	assert_found(p, "T-2/item.md: says something else than what is held");
}

static void a_file_that_is_gone_is_found(void **state)
{
	struct pair *p = *state;

	model_drop(p->fresh, "main", "T-1/artifacts/records/R-1.json");
	assert_found(p, "T-1/artifacts/records/R-1.json: held, and not there any more");
}

static void a_file_that_was_not_noticed_is_found(void **state)
{
	struct pair *p = *state;

	model_record(p->fresh, "main", "T-1", "R-2", "related", 3, ",\"related_ticket\":\"T-2\"");
	model_item(p->fresh, "other", "T-3", "ready");
	assert_found(p, "T-1/artifacts/records/R-2.json: there, and was not noticed; "
			"T-3: there, and was not noticed");
}

static void a_folder_that_is_gone_is_found(void **state)
{
	struct pair *p = *state;

	model_drop(p->fresh, "main", "T-2");
	assert_found(p, "T-2: held, and not there any more");
}

static void a_problem_that_is_gone_or_new_is_found(void **state)
{
	struct pair *p = *state;

	model_drop(p->fresh, "main", "bad name");
	index_stray_put(p->fresh, model_source(p->fresh, "main"), STR("worse name"),
			PROBLEM_BAD_NAME, "x");
	assert_found(p, "bad name: its problem is held, and gone; "
			"worse name: its problem was not noticed");
}

static void a_checkout_that_was_not_noticed_is_found(void **state)
{
	struct pair *p = *state;

	model_source(p->fresh, "third");
	assert_found(p, ": checkout third was not noticed");
}

static void a_lost_record_is_no_difference(void **state)
{
	struct pair *p = *state;
	struct str bytes = STR("{\"id\":\"01A\",\"ticket_id\":\"T-1\",\"kind\":\"after\","
			       "\"related_ticket\":\"T-2\",\"author\":\"a\","
			       "\"at\":\"2026-05-01T01:00:00Z\"}");

	index_lost_put(p->held, STR("T-1/artifacts/records/01A.json"),
		       artifact_parse(ROLE_RECORD, STR("T-1"), STR("01A.json"), bytes));
	assert_found(p, "");
	model_item(p->fresh, "main", "T-2", "done");
	assert_found(p, "T-2/item.md: says something else than what is held");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pair(the_same_files_differ_in_nothing),
		with_pair(a_file_that_says_something_else_is_found),
		with_pair(a_file_that_is_gone_is_found),
		with_pair(a_file_that_was_not_noticed_is_found),
		with_pair(a_folder_that_is_gone_is_found),
		with_pair(a_problem_that_is_gone_or_new_is_found),
		with_pair(a_checkout_that_was_not_noticed_is_found),
		with_pair(a_lost_record_is_no_difference),
	};

	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
