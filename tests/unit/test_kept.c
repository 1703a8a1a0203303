/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kept.h"
#include "model.h"

#define FILE_NAME "01JAAAAAAAAAAAAAAAAAAAAAAA.json"
#define PATH STR("T-1/artifacts/records/" FILE_NAME)

struct box {
	char state[32];
	struct index *ix;
	struct kept *kept;
	int source;
};

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	strcpy(b->state, "/tmp/tp-kept.XXXXXX");
	if (!mkdtemp(b->state))
		return -1;
	b->ix = index_new();
	b->source = model_source(b->ix, "main");
	b->kept = kept_new(b->ix, b->state, true);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	kept_free(b->kept);
	index_free(b->ix);
	rmdir(b->state);
	free(b);
	return 0;
}

static size_t sighted_now(struct box *b)
{
	size_t count;
	struct sighting *seen = kept_take_sightings(b->kept, &count);

	for (size_t i = 0; i < count; i++)
		sighting_release(&seen[i]);
	free(seen);
	return count;
}

static void a_record_of_others_is_sighted(void **state)
{
	struct box *b = *state;

	kept_sight(b->kept, b->source, PATH);
	assert_int_equal(sighted_now(b), 1);
}

static void what_is_being_written_is_no_sighting_until_all_who_asked_are_done(void **state)
{
	struct box *b = *state;

	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	kept_sight(b->kept, b->source, PATH);
	assert_int_equal(sighted_now(b), 0);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, true);
	kept_sight(b->kept, b->source, PATH);
	assert_int_equal(sighted_now(b), 0);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, true);
	kept_sight(b->kept, b->source, PATH);
	assert_int_equal(sighted_now(b), 1);
}

static void another_ticket_s_file_of_that_name_is_another(void **state)
{
	struct box *b = *state;

	kept_writing(b->kept, STR("T-2"), FILE_NAME);
	kept_sight(b->kept, b->source, PATH);
	assert_int_equal(sighted_now(b), 1);
}

static void what_we_wrote_is_no_sighting(void **state)
{
	struct box *b = *state;

	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, true);
	kept_add(b->kept, STR("T-1"), FILE_NAME, NULL);
	kept_sight(b->kept, b->source, PATH);
	assert_int_equal(sighted_now(b), 0);
}

static bool is_loose(struct box *b)
{
	return index_doc(b->ix, b->source, PATH)->loose;
}

static void see(struct box *b)
{
	model_record(b->ix, "main", "T-1", "01JAAAAAAAAAAAAAAAAAAAAAAA", "related", 1,
		     ",\"related_ticket\":\"T-2\"");
	kept_sight(b->kept, b->source, PATH);
}

static void what_we_write_is_in_no_commit_as_soon_as_it_is_seen(void **state)
{
	struct box *b = *state;

	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	see(b);
	assert_true(is_loose(b));
	index_settle(b->ix);
	uint64_t settled = index_generation(b->ix);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, true);
	kept_add(b->kept, STR("T-1"), FILE_NAME, NULL);
	kept_look(b->kept);
	/* Nothing is left to be said of it. */
	assert_int_equal(index_generation(b->ix), settled);
	assert_int_equal(sighted_now(b), 0);
}

static void what_we_wrote_and_see_afterwards_is_in_no_commit_at_once(void **state)
{
	struct box *b = *state;

	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, true);
	kept_add(b->kept, STR("T-1"), FILE_NAME, NULL);
	see(b);
	assert_true(is_loose(b));
}

static void what_others_wrote_before_we_could_is_sighted_when_we_are_told(void **state)
{
	struct box *b = *state;

	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	see(b);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, false);
	assert_int_equal(sighted_now(b), 0);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, false);
	assert_false(is_loose(b));
	assert_int_equal(sighted_now(b), 1);
}

static void what_one_of_two_wrote_is_ours(void **state)
{
	struct box *b = *state;

	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	see(b);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, true);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, false);
	assert_true(is_loose(b));
	assert_int_equal(sighted_now(b), 0);
}

static void what_was_there_when_we_were_asked_for_it_is_sighted_as_ours(void **state)
{
	struct box *b = *state;
	size_t count;

	see(b);
	sighted_now(b);
	kept_confirm(b->kept, STR("T-1"), FILE_NAME);
	struct sighting *seen = kept_take_sightings(b->kept, &count);
	assert_int_equal(count, 1);
	assert_null(seen->source);
	sighting_release(seen);
	free(seen);
	kept_add(b->kept, STR("T-1"), FILE_NAME, NULL);
	kept_confirm(b->kept, STR("T-1"), FILE_NAME);
	assert_int_equal(sighted_now(b), 0);
}

static void what_was_seen_and_is_confirmed_is_ours(void **state)
{
	struct box *b = *state;
	struct fault why;
	struct copied seen = { "T-1", FILE_NAME, "main", STR("{}") };

	see(b);
	sighted_now(b);
	assert_true(keep_put(kept_copies(b->kept), &seen, 1, &why));
	kept_add(b->kept, STR("T-1"), FILE_NAME, "main");
	kept_look(b->kept);
	assert_false(is_loose(b));
	kept_confirm(b->kept, STR("T-1"), FILE_NAME);
	assert_null(kept_find(b->kept, "T-1", FILE_NAME)->source);
	kept_look(b->kept);
	assert_true(is_loose(b));
	keep_drop(kept_copies(b->kept), "T-1", FILE_NAME, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_record_of_others_is_sighted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_being_written_is_no_sighting_until_all_who_asked_are_done, setup,
			teardown),
		cmocka_unit_test_setup_teardown(another_ticket_s_file_of_that_name_is_another,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_we_wrote_is_no_sighting, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_we_write_is_in_no_commit_as_soon_as_it_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_we_wrote_and_see_afterwards_is_in_no_commit_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_others_wrote_before_we_could_is_sighted_when_we_are_told, setup,
			teardown),
		cmocka_unit_test_setup_teardown(what_one_of_two_wrote_is_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_there_when_we_were_asked_for_it_is_sighted_as_ours, setup,
			teardown),
		cmocka_unit_test_setup_teardown(what_was_seen_and_is_confirmed_is_ours, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
