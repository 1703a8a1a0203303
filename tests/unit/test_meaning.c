/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "meaning.h"
#include "model.h"

static int compare(enum kind a, const char *at, const char *ao, enum kind b, const char *bt,
		   const char *bo)
{
	struct meaning x = meaning_make(a, str_of(at), str_of(ao));
	struct meaning y = meaning_make(b, str_of(bt), str_of(bo));
	int order = meaning_compare(&x, &y);

	/* The other way round it is the other way round. */
	assert_int_equal((order > 0) - (order < 0),
			 (meaning_compare(&y, &x) < 0) - (meaning_compare(&y, &x) > 0));
	return order;
}

/* What each kind says of A, written in it about B: who waits, whether it is the other, by what. */
static const struct {
	enum kind kind;
	const char *waits;
	enum reason code;
} rows[] = {
	{ KIND_BEFORE, "B", REASON_ORDERED },
	{ KIND_AFTER, "A", REASON_ORDERED },
	{ KIND_BLOCKED_BY, "A", REASON_BLOCKED },
	{ KIND_BLOCKS, "B", REASON_BLOCKED },
	{ KIND_DEPENDS_ON, "A", REASON_BLOCKED },
	{ KIND_CONFLICTS_WITH, "A", REASON_CONFLICT },
	{ KIND_DO_NOT_PARALLELIZE, "A", REASON_CONFLICT },
	{ KIND_RELATED, "A", REASON_NONE },
	{ KIND_SUPERSEDES, "A", REASON_NONE },
	{ KIND_DUPLICATE_OF, "A", REASON_NONE },
};

static void each_kind_says_who_waits_for_whom_and_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct meaning m = meaning_make(rows[i].kind, STR("A"), STR("B"));
		bool own = rows[i].waits[0] == 'A';
		assert_true(str_is(m.waits, own ? "A" : "B"));
		assert_true(str_is(m.awaited, own ? "B" : "A"));
		assert_int_equal(m.code, rows[i].code);
		assert_int_equal(m.kind, m.code == REASON_NONE ? rows[i].kind : KIND_COUNT);
	}
}

static void a_record_and_its_inverse_mean_the_same(void **state)
{
	(void)state;
	assert_int_equal(compare(KIND_BEFORE, "A", "B", KIND_AFTER, "B", "A"), 0);
	assert_int_equal(compare(KIND_BLOCKS, "A", "B", KIND_BLOCKED_BY, "B", "A"), 0);
	assert_int_equal(compare(KIND_BLOCKED_BY, "A", "B", KIND_DEPENDS_ON, "A", "B"), 0);
	assert_int_equal(compare(KIND_CONFLICTS_WITH, "A", "B", KIND_CONFLICTS_WITH, "B", "A"), 0);
	assert_int_equal(compare(KIND_CONFLICTS_WITH, "A", "B", KIND_DO_NOT_PARALLELIZE, "B", "A"),
			 0);
}

static void what_differs_in_anything_means_something_else(void **state)
{
	(void)state;
	assert_int_not_equal(compare(KIND_BEFORE, "A", "B", KIND_BEFORE, "B", "A"), 0);
	assert_int_not_equal(compare(KIND_AFTER, "A", "B", KIND_BLOCKED_BY, "A", "B"), 0);
	assert_int_not_equal(compare(KIND_AFTER, "A", "B", KIND_AFTER, "A", "C"), 0);
	assert_int_not_equal(compare(KIND_RELATED, "A", "B", KIND_SUPERSEDES, "A", "B"), 0);
	assert_int_not_equal(compare(KIND_RELATED, "A", "B", KIND_RELATED, "B", "A"), 0);
	assert_int_not_equal(compare(KIND_SUPERSEDES, "A", "B", KIND_SUPERSEDES, "B", "A"), 0);
	assert_int_not_equal(compare(KIND_CONFLICTS_WITH, "A", "B", KIND_AFTER, "A", "B"), 0);
}

static void a_decision_means_what_its_parts_do(void **state)
{
	struct index *ix = index_new();
	struct meaning made = meaning_make(KIND_BLOCKS, STR("A"), STR("B"));

	(void)state;
	model_item(ix, "main", "A", "queued");
	model_record(ix, "main", "A", "R", "blocks", 1, ",\"related_ticket\":\"B\"");
	index_settle(ix);
	struct meaning read = meaning_of(&index_find(ix, STR("A"))->own[0]);
	assert_int_equal(meaning_compare(&made, &read), 0);
	index_free(ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_says_who_waits_for_whom_and_why),
		cmocka_unit_test(a_record_and_its_inverse_mean_the_same),
		cmocka_unit_test(what_differs_in_anything_means_something_else),
		cmocka_unit_test(a_decision_means_what_its_parts_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
