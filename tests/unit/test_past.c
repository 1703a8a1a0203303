/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "past.h"

static struct past_commit *commit(struct past *p, const char *id, int64_t at, const char *parent)
{
	struct past_commit *c = past_add(p, id);

	c->at = at;
	if (parent)
		past_parent(c, past_find(p, parent));
	return c;
}

static void event(struct past *p, const char *id, bool vanished)
{
	past_event(p, past_find(p, id), vanished, STR("T-1"), false, STR("01A"), NULL, NULL);
}

static const char *id_of(const struct past_commit *c)
{
	return c ? c->id : "none";
}

static void only_what_a_tip_leads_to_counts(void **state)
{
	struct past *p = past_new();

	(void)state;
	commit(p, "a", 1, NULL);
	commit(p, "b", 2, "a");
	commit(p, "c", 3, "a");
	event(p, "b", false);
	event(p, "c", false);
	const struct past_record *r = past_record(p, STR("T-1"), false, STR("01A"));
	assert_non_null(r);
	assert_null(past_record(p, STR("T-1"), true, STR("01A")));
	assert_null(past_came(r));
	past_mark(past_find(p, "c"), false);
	assert_string_equal(id_of(past_came(r)), "c");
	assert_false(past_held(r));
	past_mark(past_find(p, "b"), true);
	assert_string_equal(id_of(past_came(r)), "b");
	assert_true(past_held(r));
	assert_true(past_find(p, "a")->held);
	past_unmark(p);
	assert_null(past_came(r));
	past_free(p);
}

static void the_first_coming_and_the_last_going_are_told(void **state)
{
	struct past *p = past_new();

	(void)state;
	commit(p, "a", 1, NULL);
	commit(p, "b", 2, "a");
	commit(p, "c", 3, "b");
	commit(p, "d", 4, "c");
	event(p, "c", false);
	event(p, "a", false);
	event(p, "b", true);
	event(p, "d", true);
	past_mark(past_find(p, "d"), true);
	const struct past_record *r = past_records(p);
	assert_string_equal(id_of(past_came(r)), "a");
	assert_string_equal(id_of(past_vanished(r)), "d");
	past_free(p);
}

static void a_commit_is_held_though_it_was_seen_before(void **state)
{
	struct past *p = past_new();
	size_t seen, held;

	(void)state;
	commit(p, "a", 1, NULL);
	commit(p, "b", 2, "a");
	past_mark(past_find(p, "b"), false);
	past_mark(past_find(p, "b"), true);
	past_count(p, &seen, &held);
	assert_int_equal(seen, 2);
	assert_int_equal(held, 2);
	past_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_a_tip_leads_to_counts),
		cmocka_unit_test(the_first_coming_and_the_last_going_are_told),
		cmocka_unit_test(a_commit_is_held_though_it_was_seen_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
