/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "keep.h"

/* A folder with nothing in it; the file of copies would be in another one below it. */
struct box {
	char base[32];
	char *path;
	struct keep *keep;
};

static int setup(void **state)
{
	struct box *b = xcalloc(1, sizeof(*b));

	strcpy(b->base, "/tmp/tp-keep.XXXXXX");
	if (!mkdtemp(b->base))
		return -1;
	b->path = xasprintf("%s/state/copies", b->base);
	b->keep = keep_open(b->path, true);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;
	char *folder = xasprintf("%s/state", b->base);

	keep_close(b->keep);
	unlink(b->path);
	rmdir(folder);
	int left = rmdir(b->base);
	free(folder);
	free(b->path);
	free(b);
	return left;
}

#define with_box(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void put(struct box *b, const char *name, const char *source, const char *bytes)
{
	struct copied one = { "T-1", name, source, str_of(bytes) };
	struct fault why;

	assert_true(keep_put(b->keep, &one, 1, &why));
}

static void reopen(struct box *b)
{
	keep_close(b->keep);
	b->keep = keep_open(b->path, true);
}

static void assert_copy(struct box *b, const char *name, const char *bytes)
{
	struct buf got = { 0 };

	assert_int_equal(keep_get(b->keep, "T-1", name, &got), bytes != NULL);
	if (bytes)
		assert_string_equal(buf_text(&got), bytes);
	buf_release(&got);
}

static void add_line(void *ctx, const char *ticket, const char *name, const char *source,
		     int64_t committed)
{
	buf_addf(ctx, "%s/%s of %s", ticket, name, source ? source : "us");
	if (committed)
		buf_addf(ctx, " since %d", (int)committed);
	buf_addf(ctx, "\n");
}

static void assert_all(struct box *b, const char *expected)
{
	struct buf text = { 0 };

	keep_each(b->keep, add_line, &text);
	assert_string_equal(buf_text(&text), expected);
	buf_release(&text);
}

static off_t size_of_file(const struct box *b)
{
	struct stat st;

	return stat(b->path, &st) == 0 ? st.st_size : -1;
}

static void a_copy_is_there_after_a_restart(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "{\n}\n");
	put(b, "B", "a side", "record 4 T-1 C\nxxxx\n");
	put(b, "D", NULL, "");
	for (int i = 0; i < 2; i++) {
		assert_all(b, "T-1/A of us\nT-1/B of a side\nT-1/D of us\n");
		assert_copy(b, "A", "{\n}\n");
		assert_copy(b, "B", "record 4 T-1 C\nxxxx\n");
		assert_copy(b, "C", NULL);
		assert_copy(b, "D", "");
		reopen(b);
	}
}

static void nothing_is_made_before_there_is_a_copy(void **state)
{
	struct box *b = *state;

	keep_drop(b->keep, "T-1", "A", NULL);
	assert_copy(b, "A", NULL);
	reopen(b);
	assert_int_equal(size_of_file(b), -1);
}

static void what_we_wrote_stays_ours_wherever_it_is_seen(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "ours");
	put(b, "A", "side", "seen");
	assert_copy(b, "A", "ours");
	keep_drop(b->keep, "T-1", "A", "side");
	assert_copy(b, "A", "ours");
	put(b, "B", "side", "seen");
	put(b, "B", NULL, "ours");
	reopen(b);
	assert_copy(b, "B", "ours");
	assert_all(b, "T-1/A of us\nT-1/B of us\n");
}

static void what_is_dropped_stays_gone(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "a");
	put(b, "B", NULL, "b");
	keep_drop(b->keep, "T-1", "A", NULL);
	reopen(b);
	assert_all(b, "T-1/B of us\n");
	put(b, "A", "side", "again");
	reopen(b);
	assert_copy(b, "A", "again");
}

static void with_the_last_copy_the_file_goes(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "a");
	put(b, "B", NULL, "b");
	keep_drop(b->keep, "T-1", "A", NULL);
	assert_true(size_of_file(b) > 0);
	keep_drop(b->keep, "T-1", "B", NULL);
	assert_int_equal(size_of_file(b), -1);
	put(b, "C", NULL, "c");
	reopen(b);
	assert_all(b, "T-1/C of us\n");
}

static void the_file_does_not_grow_by_what_is_gone(void **state)
{
	struct box *b = *state;
	char large[4096 + 1] = "";

	memset(large, 'x', sizeof(large) - 1);
	put(b, "stays", NULL, "here");
	for (int i = 0; i < 100; i++) {
		put(b, "goes", NULL, large);
		keep_drop(b->keep, "T-1", "goes", NULL);
	}
	assert_true(size_of_file(b) < 100 * 1024);
	put(b, "last", NULL, "too");
	reopen(b);
	assert_all(b, "T-1/stays of us\nT-1/last of us\n");
	assert_copy(b, "stays", "here");
	assert_copy(b, "last", "too");
}

static void what_a_commit_has_is_known_after_a_restart(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "a");
	put(b, "B", NULL, "b");
	put(b, "C", NULL, "c");
	keep_commit(b->keep, "T-1", "A", 7);
	keep_commit(b->keep, "T-1", "B", 8);
	keep_commit(b->keep, "T-1", "B", 0);
	keep_commit(b->keep, "T-1", "none", 9);
	for (int i = 0; i < 2; i++) {
		assert_all(b, "T-1/A of us since 7\nT-1/B of us\nT-1/C of us\n");
		assert_copy(b, "A", "a");
		reopen(b);
	}
	/* Said twice it is written once. */
	off_t size = size_of_file(b);
	keep_commit(b->keep, "T-1", "A", 7);
	keep_commit(b->keep, "T-1", "C", 0);
	assert_int_equal(size_of_file(b), size);
	put(b, "A", NULL, "another");
	reopen(b);
	assert_all(b, "T-1/B of us\nT-1/C of us\nT-1/A of us\n");
}

static void what_a_commit_has_is_known_when_the_file_was_written_anew(void **state)
{
	struct box *b = *state;
	char large[4096 + 1] = "";

	memset(large, 'x', sizeof(large) - 1);
	put(b, "A", NULL, "a");
	keep_commit(b->keep, "T-1", "A", 7);
	for (int i = 0; i < 100; i++) {
		put(b, "goes", NULL, large);
		keep_commit(b->keep, "T-1", "goes", 1 + i);
		keep_drop(b->keep, "T-1", "goes", NULL);
	}
	assert_true(size_of_file(b) < 100 * 1024);
	put(b, "B", NULL, "b");
	keep_commit(b->keep, "T-1", "B", 8);
	reopen(b);
	assert_all(b, "T-1/A of us since 7\nT-1/B of us since 8\n");
	assert_copy(b, "A", "a");
	assert_copy(b, "B", "b");
}

static void the_file_does_not_grow_by_what_commits_come_and_go(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "a");
	for (int i = 1; i < 10000; i++)
		keep_commit(b->keep, "T-1", "A", i);
	assert_true(size_of_file(b) < 100 * 1024);
	reopen(b);
	assert_all(b, "T-1/A of us since 9999\n");
}

static void what_was_half_written_is_no_copy_and_in_nobody_s_way(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "first");
	off_t whole = size_of_file(b);
	put(b, "B", NULL, "second");
	off_t both = size_of_file(b);
	keep_commit(b->keep, "T-1", "B", 1795712241);
	for (off_t size = size_of_file(b) - 1; size > both; size--) {
		assert_int_equal(truncate(b->path, size), 0);
		reopen(b);
		assert_all(b, "T-1/A of us\nT-1/B of us\n");
	}
	for (off_t size = both - 1; size > whole; size--) {
		assert_int_equal(truncate(b->path, size), 0);
		reopen(b);
		assert_all(b, "T-1/A of us\n");
	}
	put(b, "C", NULL, "3");
	reopen(b);
	assert_all(b, "T-1/A of us\nT-1/C of us\n");
	assert_copy(b, "C", "3");
}

static void where_there_is_no_room_all_of_them_or_none_are_kept(void **state)
{
	struct box *b = *state;
	struct copied two[] = { { "T-1", "B", NULL, STR("b") }, { "T-1", "C", NULL, STR("c") } };
	struct rlimit before, tight;
	struct fault why;

	put(b, "A", NULL, "a");
	off_t whole = size_of_file(b);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	tight = before;
	tight.rlim_cur = (rlim_t)whole + 25;
	setrlimit(RLIMIT_FSIZE, &tight);
	bool kept = keep_put(b->keep, two, 2, &why);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_false(kept);
	assert_int_equal(why.code, FAULT_IO);
	assert_int_equal(size_of_file(b), whole);
	assert_all(b, "T-1/A of us\n");
	assert_true(keep_put(b->keep, two, 2, &why));
	reopen(b);
	assert_all(b, "T-1/A of us\nT-1/B of us\nT-1/C of us\n");
}

static void where_somebody_removes_the_file_the_next_copy_brings_back_all(void **state)
{
	struct box *b = *state;

	put(b, "A", NULL, "a");
	assert_int_equal(unlink(b->path), 0);
	put(b, "B", NULL, "b");
	reopen(b);
	assert_copy(b, "A", "a");
	assert_copy(b, "B", "b");
}

static void names_that_would_read_as_others_are_refused(void **state)
{
	struct box *b = *state;
	const struct copied bad[] = { { "T 1", "A", NULL, STR("x") },
				      { "T-1", "A\nB", NULL, STR("x") },
				      { "T-1", "A", "a\nside", STR("x") },
				      { "T-1", "", NULL, STR("x") } };
	struct fault why;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(keep_put(b->keep, &bad[i], 1, &why));
	assert_int_equal(size_of_file(b), -1);
}

static void who_only_reads_changes_nothing(void **state)
{
	struct box *b = *state;
	struct copied one = { "T-1", "B", NULL, STR("b") };
	struct buf got = { 0 };
	struct fault why;

	put(b, "A", NULL, "a");
	struct keep *reader = keep_open(b->path, false);
	off_t size = size_of_file(b);
	assert_false(keep_put(reader, &one, 1, &why));
	keep_drop(reader, "T-1", "A", NULL);
	keep_commit(reader, "T-1", "A", 7);
	assert_int_equal(size_of_file(b), size);
	/* Also what goes meanwhile can be read by who began before. */
	keep_drop(b->keep, "T-1", "A", NULL);
	assert_true(keep_get(reader, "T-1", "A", &got));
	assert_string_equal(buf_text(&got), "a");
	buf_release(&got);
	keep_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_box(a_copy_is_there_after_a_restart),
		with_box(nothing_is_made_before_there_is_a_copy),
		with_box(what_we_wrote_stays_ours_wherever_it_is_seen),
		with_box(what_is_dropped_stays_gone),
		with_box(with_the_last_copy_the_file_goes),
		with_box(the_file_does_not_grow_by_what_is_gone),
		with_box(what_a_commit_has_is_known_after_a_restart),
		with_box(what_a_commit_has_is_known_when_the_file_was_written_anew),
		with_box(the_file_does_not_grow_by_what_commits_come_and_go),
		with_box(what_was_half_written_is_no_copy_and_in_nobody_s_way),
		with_box(where_there_is_no_room_all_of_them_or_none_are_kept),
		with_box(where_somebody_removes_the_file_the_next_copy_brings_back_all),
		with_box(names_that_would_read_as_others_are_refused),
		with_box(who_only_reads_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
