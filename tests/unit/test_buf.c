/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "buf.h"

static void added_pieces_stand_one_behind_the_other(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	buf_add(&buf, "one\0", 4);
	buf_add_str(&buf, STR("two"));
	buf_addf(&buf, " %d-%s", 3, "four");
	assert_int_equal(buf.len, 14);
	assert_memory_equal(buf.at, "one\0two 3-four", 14);
	buf_release(&buf);
}

static void adding_nothing_changes_nothing(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	buf_add(&buf, NULL, 0);
	buf_add_str(&buf, STR_NONE);
	assert_int_equal(buf.len, 0);
	assert_null(buf.at);
	buf_addf(&buf, "%s", "");
	assert_int_equal(buf.len, 0);
	buf_release(&buf);
}

static void ten_thousand_pieces_are_all_there(void **state)
{
	(void)state;
	struct buf buf = { 0 };
	char piece[16];

	for (int i = 0; i < 10000; i++)
		buf_addf(&buf, "%06d", i);
	assert_int_equal(buf.len, 60000);
	for (int i = 0; i < 10000; i++) {
		snprintf(piece, sizeof(piece), "%06d", i);
		assert_memory_equal(buf.at + i * 6, piece, 6);
	}
	buf_release(&buf);
}

static void formatted_text_longer_than_the_room_is_whole(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	for (int width = 250; width <= 520; width++) {
		buf_release(&buf);
		buf_add(&buf, "<", 1);
		buf_addf(&buf, "%*d", width, 7);
		assert_int_equal(buf.len, (size_t)width + 1);
		assert_int_equal(buf.at[0], '<');
		assert_int_equal(buf.at[buf.len - 1], '7');
	}
	buf_release(&buf);
}

static void room_may_be_written_to_the_last_byte(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	for (size_t more = 1; more < 5000; more = more * 3 + 1) {
		buf_room(&buf, more);
		assert_true(buf.cap - buf.len >= more);
		memset(buf.at + buf.len, 'x', more);
		buf.len += more;
	}
	for (size_t i = 0; i < buf.len; i++)
		assert_int_equal(buf.at[i], 'x');
	buf_release(&buf);
}

static void eating_drops_the_first_bytes_only(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	buf_add(&buf, "abcdefgh", 8);
	buf_eat(&buf, 0);
	assert_string_equal(buf_text(&buf), "abcdefgh");
	buf_eat(&buf, 3);
	assert_string_equal(buf_text(&buf), "defgh");
	buf_add(&buf, "i", 1);
	buf_eat(&buf, 1);
	assert_string_equal(buf_text(&buf), "efghi");
	buf_eat(&buf, 5);
	assert_int_equal(buf.len, 0);
	buf_release(&buf);
}

static void text_is_terminated_and_not_longer(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	assert_string_equal(buf_text(&buf), "");
	for (size_t n = 1; n <= 600; n++) {
		buf_add(&buf, "y", 1);
		assert_int_equal(strlen(buf_text(&buf)), n);
		assert_int_equal(buf.len, n);
	}
	buf_release(&buf);
}

static void a_released_buffer_can_be_used_again(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	buf_add(&buf, "old", 3);
	buf_release(&buf);
	assert_null(buf.at);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.cap, 0);
	buf_add(&buf, "new", 3);
	assert_string_equal(buf_text(&buf), "new");
	buf_release(&buf);
}

static void eating_more_than_there_is_is_a_bug(void **state)
{
	(void)state;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct buf buf = { 0 };
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		buf_eat(&buf, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void slices_compare_by_bytes_and_a_prefix_comes_first(void **state)
{
	(void)state;

	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("ab"), STR("a")) > 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("a\0b"), STR("a\0b")), 0);
	assert_true(str_cmp(STR("a\0b"), STR("a\0c")) < 0);
	assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
}

static void slices_start_and_end_with_what_they_hold(void **state)
{
	(void)state;

	assert_true(str_starts(STR("ticket"), STR("tick")));
	assert_false(str_starts(STR("tic"), STR("tick")));
	assert_true(str_ends(STR("ticket"), STR("ket")));
	assert_false(str_ends(STR("et"), STR("ket")));
	assert_true(str_starts(STR_NONE, STR("")));
	assert_true(str_ends(STR_NONE, STR_NONE));
	assert_true(str_is(STR("ab"), "ab"));
	assert_false(str_is(STR("ab"), "abc"));
	assert_false(str_is(STR("a\0"), "a"));
	assert_null(str_of(NULL).at);
}

static void copies_are_terminated_and_their_own(void **state)
{
	(void)state;
	char *cut = xstrndup("abcdef", 3), *none = xstrndup(NULL, 0);
	char *made = xasprintf("%s/%d", cut, 42), *whole = xstrdup(made);

	char *one = xconcat("", NULL), *all = xconcat("a", "", "bc", "/", cut, NULL);

	assert_string_equal(one, "");
	assert_string_equal(all, "abc/abc");
	assert_string_equal(cut, "abc");
	assert_string_equal(none, "");
	assert_string_equal(whole, "abc/42");
	assert_ptr_not_equal(whole, made);
	free(one);
	free(all);
	free(cut);
	free(none);
	free(made);
	free(whole);
	free(xmalloc(0));
	free(xcalloc(0, 0));
	free(xrealloc(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_pieces_stand_one_behind_the_other),
		cmocka_unit_test(adding_nothing_changes_nothing),
		cmocka_unit_test(ten_thousand_pieces_are_all_there),
		cmocka_unit_test(formatted_text_longer_than_the_room_is_whole),
		cmocka_unit_test(room_may_be_written_to_the_last_byte),
		cmocka_unit_test(eating_drops_the_first_bytes_only),
		cmocka_unit_test(text_is_terminated_and_not_longer),
		cmocka_unit_test(a_released_buffer_can_be_used_again),
		cmocka_unit_test(eating_more_than_there_is_is_a_bug),
		cmocka_unit_test(slices_compare_by_bytes_and_a_prefix_comes_first),
		cmocka_unit_test(slices_start_and_end_with_what_they_hold),
		cmocka_unit_test(copies_are_terminated_and_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
