/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
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
	b->source = index_source_add(b->ix, "main");
	index_source_set(b->ix, b->source, b->state, "tree", true);
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

static void confirm(struct box *b)
{
	kept_confirm(b->kept, index_doc(b->ix, b->source, PATH));
}

static const char *const folders[] = { "tree", "tree/T-1", "tree/T-1/artifacts",
				       "tree/T-1/artifacts/records" };

/* The record's file, on the disk. */
static void put_file(struct box *b, const char *text)
{
	char path[128];

	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->state, folders[i]);
		assert_return_code(mkdir(path, 0700), errno);
	}
	snprintf(path, sizeof(path), "%s/tree/%s", b->state, PATH.at);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void take_file(struct box *b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/tree/%s", b->state, PATH.at);
	assert_return_code(unlink(path), errno);
	for (size_t i = COUNT_OF(folders); i-- > 0;) {
		snprintf(path, sizeof(path), "%s/%s", b->state, folders[i]);
		assert_return_code(rmdir(path), errno);
	}
}

static void what_was_there_when_we_were_asked_for_it_is_sighted_as_ours(void **state)
{
	struct box *b = *state;
	size_t count;

	see(b);
	sighted_now(b);
	confirm(b);
	struct sighting *seen = kept_take_sightings(b->kept, &count);
	assert_int_equal(count, 1);
	assert_null(seen->source);
	/* It is not on the disk. */
	assert_false(seen->copied);
	sighting_release(seen);
	free(seen);
	kept_add(b->kept, STR("T-1"), FILE_NAME, NULL);
	confirm(b);
	assert_int_equal(sighted_now(b), 0);
}

static void what_was_there_has_a_copy_of_ours_before_git_is_asked(void **state)
{
	struct box *b = *state;
	struct buf bytes = { 0 };
	size_t count;

	see(b);
	sighted_now(b);
	put_file(b, "the file's");
	confirm(b);
	take_file(b);
	assert_true(keep_get(kept_copies(b->kept), "T-1", FILE_NAME, &bytes));
	assert_string_equal(buf_text(&bytes), "the file's");
	struct sighting *seen = kept_take_sightings(b->kept, &count);
	assert_int_equal(count, 1);
	assert_true(seen->copied);
	/* Until git has answered nobody takes it for one that is in no commit. */
	assert_null(kept_find(b->kept, "T-1", FILE_NAME));
	sighting_release(seen);
	free(seen);
	buf_release(&bytes);
	keep_drop(kept_copies(b->kept), "T-1", FILE_NAME, NULL);
}

static void however_many_wait_for_git_what_is_confirmed_does_too(void **state)
{
	struct box *b = *state;

	see(b);
	for (size_t before = 0; before < kept_sighted(b->kept);) {
		before = kept_sighted(b->kept);
		kept_sight(b->kept, b->source, PATH);
	}
	confirm(b);
	size_t full = sighted_now(b) - 1;
	assert_int_equal(full, 1000);
}

static void what_was_seen_and_is_confirmed_is_ours(void **state)
{
	struct box *b = *state;
	struct fault why;
	struct copied seen = { "T-1", FILE_NAME, "main", STR("{}") };
	struct buf bytes = { 0 };

	see(b);
	sighted_now(b);
	assert_true(keep_put(kept_copies(b->kept), &seen, 1, &why));
	kept_add(b->kept, STR("T-1"), FILE_NAME, "main");
	kept_look(b->kept);
	assert_false(is_loose(b));
	put_file(b, "whole");
	confirm(b);
	take_file(b);
	assert_null(kept_find(b->kept, "T-1", FILE_NAME)->source);
	/* What was seen may have been half of it. */
	assert_true(keep_get(kept_copies(b->kept), "T-1", FILE_NAME, &bytes));
	assert_string_equal(buf_text(&bytes), "whole");
	buf_release(&bytes);
	kept_look(b->kept);
	assert_true(is_loose(b));
	keep_drop(kept_copies(b->kept), "T-1", FILE_NAME, NULL);
}

/* A record that we wrote, its file in no checkout. */
static struct kept_file *add(struct kept *k, const char *name)
{
	struct copied ours = { "T-1", name, NULL, STR("{}") };
	struct fault why;

	assert_true(keep_put(kept_copies(k), &ours, 1, &why));
	kept_add(k, STR("T-1"), name, NULL);
	return kept_find(k, "T-1", name);
}

static void drop_all(struct box *b)
{
	while (kept_files(b->kept))
		kept_prune(b->kept, kept_files(b->kept));
}

static void reopen(struct box *b)
{
	kept_free(b->kept);
	b->kept = kept_new(b->ix, b->state, true);
}

static void what_a_commit_and_a_checkout_have_rests_until_one_is_gone(void **state)
{
	struct box *b = *state;
	struct kept_file *f = add(b->kept, FILE_NAME);

	see(b);
	kept_look(b->kept);
	assert_true(is_loose(b));
	assert_int_equal(kept_unrested(b->kept), 1);
	kept_commit(b->kept, f, NULL);
	kept_look(b->kept);
	assert_false(is_loose(b));
	assert_int_equal(kept_unrested(b->kept), 0);
	/* Seen once more, as when a branch is checked out, it is no other. */
	kept_sight(b->kept, b->source, PATH);
	assert_false(is_loose(b));
	assert_int_equal(sighted_now(b), 0);
	reopen(b);
	assert_int_equal(kept_unrested(b->kept), 1);
	kept_look(b->kept);
	assert_false(is_loose(b));
	assert_int_equal(kept_unrested(b->kept), 0);
	index_drop(b->ix, b->source, PATH);
	index_settle(b->ix);
	kept_look(b->kept);
	assert_int_equal(kept_doubts(b->kept), 1);
	assert_int_equal(kept_unrested(b->kept), 1);
	drop_all(b);
}

static void what_a_branch_alone_has_is_no_doubt_but_asked_for_when_git_changes(void **state)
{
	struct box *b = *state;
	struct kept_file *f = add(b->kept, FILE_NAME);

	kept_look(b->kept);
	assert_int_equal(kept_doubts(b->kept), 1);
	kept_commit(b->kept, f, NULL);
	kept_look(b->kept);
	assert_int_equal(kept_doubts(b->kept), 0);
	assert_true(f->away);
	assert_int_equal(kept_unrested(b->kept), 1);
	see(b);
	index_settle(b->ix);
	kept_look(b->kept);
	assert_false(f->away || is_loose(b));
	assert_int_equal(kept_unrested(b->kept), 0);
	drop_all(b);
}

static void who_only_reads_sees_too_that_it_is_there_again(void **state)
{
	struct box *b = *state;

	keep_commit(kept_copies(b->kept), "T-1", add(b->kept, FILE_NAME)->name, time(NULL));
	kept_free(b->kept);
	b->kept = kept_new(b->ix, b->state, false);
	kept_look(b->kept);
	kept_commit(b->kept, kept_files(b->kept), NULL);
	kept_look(b->kept);
	/* Something else changes. */
	index_touch(b->ix);
	index_settle(b->ix);
	kept_look(b->kept);
	assert_true(kept_files(b->kept)->away);
	see(b);
	index_settle(b->ix);
	kept_look(b->kept);
	assert_false(kept_files(b->kept)->away);
	assert_int_equal(kept_unrested(b->kept), 0);
	reopen(b);
	drop_all(b);
}

static void what_is_lost_is_in_no_commit_any_more(void **state)
{
	struct box *b = *state;
	struct kept_file *f = add(b->kept, FILE_NAME);

	kept_commit(b->kept, f, NULL);
	kept_lose(b->kept, f);
	kept_look(b->kept);
	assert_true(f->lost && !f->away && !f->committed);
	reopen(b);
	assert_int_equal(kept_files(b->kept)->committed, 0);
	see(b);
	index_settle(b->ix);
	kept_look(b->kept);
	assert_true(is_loose(b));
	drop_all(b);
}

static void write_once_more(struct box *b)
{
	kept_writing(b->kept, STR("T-1"), FILE_NAME);
	see(b);
	index_settle(b->ix);
	/* Before we are told that it is done. */
	kept_look(b->kept);
	kept_wrote(b->kept, STR("T-1"), FILE_NAME, true);
	kept_add(b->kept, STR("T-1"), FILE_NAME, NULL);
	kept_look(b->kept);
}

static void what_we_write_once_more_is_there_again(void **state)
{
	struct box *b = *state;
	struct kept_file *f = add(b->kept, FILE_NAME);

	kept_look(b->kept);
	kept_commit(b->kept, f, NULL);
	kept_look(b->kept);
	write_once_more(b);
	assert_false(f->away || is_loose(b));
	index_drop(b->ix, b->source, PATH);
	index_settle(b->ix);
	kept_look(b->kept);
	kept_commit(b->kept, f, NULL);
	kept_look(b->kept);
	kept_lose(b->kept, f);
	kept_look(b->kept);
	write_once_more(b);
	assert_false(f->lost);
	assert_true(is_loose(b));
	drop_all(b);
}

static void what_others_wrote_is_not_kept_beyond_its_commit(void **state)
{
	struct box *b = *state;
	struct copied seen = { "T-1", FILE_NAME, "main", STR("{}") };
	struct fault why;

	assert_true(keep_put(kept_copies(b->kept), &seen, 1, &why));
	kept_add(b->kept, STR("T-1"), FILE_NAME, "main");
	kept_commit(b->kept, kept_files(b->kept), NULL);
	assert_null(kept_files(b->kept));
}

static void what_has_long_been_in_a_commit_is_kept_no_longer(void **state)
{
	struct box *b = *state;
	int64_t now = time(NULL);

	add(b->kept, "01JAAAAAAAAAAAAAAAAAAAAAAA.json");
	add(b->kept, "01JBBBBBBBBBBBBBBBBBBBBBBB.json");
	add(b->kept, "01JCCCCCCCCCCCCCCCCCCCCCCC.json");
	keep_commit(kept_copies(b->kept), "T-1", "01JBBBBBBBBBBBBBBBBBBBBBBB.json",
		    now - KEPT_COMMITTED_S - 1);
	keep_commit(kept_copies(b->kept), "T-1", "01JCCCCCCCCCCCCCCCCCCCCCCC.json",
		    now - KEPT_COMMITTED_S + 1000);
	reopen(b);
	assert_non_null(kept_find(b->kept, "T-1", "01JAAAAAAAAAAAAAAAAAAAAAAA.json"));
	assert_null(kept_find(b->kept, "T-1", "01JBBBBBBBBBBBBBBBBBBBBBBB.json"));
	assert_non_null(kept_find(b->kept, "T-1", "01JCCCCCCCCCCCCCCCCCCCCCCC.json"));
	drop_all(b);
}

static void of_what_commits_have_the_oldest_copies_go_where_there_are_many(void **state)
{
	struct box *b = *state;
	char name[40];

	add(b->kept, FILE_NAME);
	for (int i = 0; i < KEPT_COMMITTED_MAX + 2; i++) {
		snprintf(name, sizeof(name), "01JB%022d.json", i);
		kept_commit(b->kept, add(b->kept, name), NULL);
	}
	assert_non_null(kept_find(b->kept, "T-1", FILE_NAME));
	assert_null(kept_find(b->kept, "T-1", "01JB0000000000000000000000.json"));
	assert_null(kept_find(b->kept, "T-1", "01JB0000000000000000000001.json"));
	assert_non_null(kept_find(b->kept, "T-1", "01JB0000000000000000000002.json"));
	drop_all(b);
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
		cmocka_unit_test_setup_teardown(
			what_was_there_has_a_copy_of_ours_before_git_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(
			however_many_wait_for_git_what_is_confirmed_does_too, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_seen_and_is_confirmed_is_ours, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			what_a_commit_and_a_checkout_have_rests_until_one_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_a_branch_alone_has_is_no_doubt_but_asked_for_when_git_changes, setup,
			teardown),
		cmocka_unit_test_setup_teardown(who_only_reads_sees_too_that_it_is_there_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_lost_is_in_no_commit_any_more, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_we_write_once_more_is_there_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_others_wrote_is_not_kept_beyond_its_commit,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_long_been_in_a_commit_is_kept_no_longer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_what_commits_have_the_oldest_copies_go_where_there_are_many, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
