/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base.h"
#include "words.h"

static const struct words *const sets[] = {
	&words_state,  &words_verdict,     &words_severity, &words_origin, &words_direction,
	&words_status, &words_scope,       &words_order,    &words_level,  &words_mode,
	&words_graph_format, &words_stored_kind, &words_kind, &words_reason, &words_problem,
};

static void every_word_is_found_by_its_name(void **state)
{
	(void)state;

	for (size_t s = 0; s < COUNT_OF(sets); s++) {
		assert_true(sets[s]->count > 0);
		for (int i = 0; i < sets[s]->count; i++)
			assert_int_equal(word_find(sets[s], str_of(word(sets[s], i))), i);
	}
}

static void every_word_is_lower_case_and_has_a_meaning(void **state)
{
	(void)state;

	for (size_t s = 0; s < COUNT_OF(sets); s++)
		for (int i = 0; i < sets[s]->count; i++) {
			const struct word *w = &sets[s]->list[i];
			assert_int_equal(strspn(w->name, "abcdefghijklmnopqrstuvwxyz_"),
					 strlen(w->name));
			assert_true(strlen(w->name) > 0 && strlen(w->doc) > 0);
		}
}

static void a_set_of_bits_has_room_for_every_word(void **state)
{
	(void)state;

	for (size_t s = 0; s < COUNT_OF(sets); s++)
		assert_true(sets[s]->count <= 64);
}

static void a_word_that_is_not_in_the_set_is_not_found(void **state)
{
	(void)state;

	assert_int_equal(word_find(&words_state, STR("")), -1);
	assert_int_equal(word_find(&words_state, STR_NONE), -1);
	assert_int_equal(word_find(&words_state, STR("Queued")), -1);
	assert_int_equal(word_find(&words_state, STR("queue")), -1);
	assert_int_equal(word_find(&words_state, STR("queued\0")), -1);
	assert_int_equal(word_find(&words_state, STR("held")), -1);
}

static void the_enumerations_match_the_names(void **state)
{
	(void)state;

	assert_string_equal(word(&words_state, STATE_INPROGRESS), "inprogress");
	assert_string_equal(word(&words_verdict, VERDICT_NOT_QUEUED), "not_queued");
	assert_string_equal(word(&words_kind, KIND_DO_NOT_PARALLELIZE), "do_not_parallelize");
	assert_string_equal(word(&words_kind, KIND_DUPLICATED_BY), "duplicated_by");
	assert_string_equal(word(&words_reason, REASON_UNMERGED), "unmerged");
	assert_string_equal(word(&words_problem, PROBLEM_CYCLE), "cycle");
}

static void states_stand_in_the_order_of_work(void **state)
{
	(void)state;

	assert_true(STATE_PLANNING < STATE_READY && STATE_READY < STATE_QUEUED);
	assert_true(STATE_QUEUED < STATE_INPROGRESS && STATE_INPROGRESS < STATE_DONE);
	assert_true(STATE_DONE < STATE_CLOSED);
}

static void the_inverse_of_the_inverse_is_the_kind_itself(void **state)
{
	(void)state;

	for (enum kind k = 0; k < KIND_COUNT; k++)
		assert_int_equal(kind_row(kind_row(k)->inverse)->inverse, k);
}

static void the_other_side_of_who_waits_is_who_is_waited_for(void **state)
{
	(void)state;

	for (enum kind k = 0; k < KIND_COUNT; k++) {
		const struct kind_row *row = kind_row(k), *inverse = kind_row(row->inverse);

		assert_int_equal(row->code, inverse->code);
		assert_int_equal(row->origin, inverse->origin);
		if (row->inverse == k)
			continue;
		if (row->holds == HOLDS_SELF)
			assert_int_equal(inverse->holds, HOLDS_OTHER);
		else if (row->holds == HOLDS_OTHER)
			assert_int_equal(inverse->holds, HOLDS_SELF);
		else
			assert_int_equal(inverse->holds, HOLDS_NOBODY);
	}
}

static void what_can_be_stored_names_something(void **state)
{
	(void)state;

	assert_int_equal(words_stored_kind.count, KIND_STORED_COUNT);
	for (enum kind k = 0; k < KIND_COUNT; k++)
		assert_int_equal(kind_row(k)->takes == TAKES_NOTHING,
				 (int)k >= (int)KIND_STORED_COUNT);
}

static void a_derived_kind_cannot_be_written(void **state)
{
	(void)state;

	assert_int_equal(word_find(&words_stored_kind, STR("dependency_of")), -1);
	assert_int_equal(word_find(&words_kind, STR("dependency_of")), KIND_DEPENDENCY_OF);
	assert_int_equal(word_find(&words_stored_kind, STR("retraction")), KIND_RETRACTION);
}

static void the_last_reason_is_never_given(void **state)
{
	(void)state;

	assert_int_equal(words_reason.count, REASON_NONE);
	assert_int_equal(word_find(&words_reason, STR("none")), -1);
}

static void a_problem_that_holds_is_an_error(void **state)
{
	(void)state;

	for (enum problem p = 0; p < PROBLEM_COUNT; p++)
		if (problem_row(p)->holds)
			assert_int_equal(problem_row(p)->level, LEVEL_ERROR);
	assert_true(problem_row(PROBLEM_BAD_RECORD)->holds);
	assert_false(problem_row(PROBLEM_TORN_TAIL)->holds);
	assert_false(problem_row(PROBLEM_UNKNOWN_KIND)->holds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_found_by_its_name),
		cmocka_unit_test(every_word_is_lower_case_and_has_a_meaning),
		cmocka_unit_test(a_set_of_bits_has_room_for_every_word),
		cmocka_unit_test(a_word_that_is_not_in_the_set_is_not_found),
		cmocka_unit_test(the_enumerations_match_the_names),
		cmocka_unit_test(states_stand_in_the_order_of_work),
		cmocka_unit_test(the_inverse_of_the_inverse_is_the_kind_itself),
		cmocka_unit_test(the_other_side_of_who_waits_is_who_is_waited_for),
		cmocka_unit_test(what_can_be_stored_names_something),
		cmocka_unit_test(a_derived_kind_cannot_be_written),
		cmocka_unit_test(the_last_reason_is_never_given),
		cmocka_unit_test(a_problem_that_holds_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
