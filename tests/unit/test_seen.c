/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base.h"
#include "seen.h"

#define NOW (INT64_C(1750000000) * 1000000)

/* A file of that age, in microseconds before NOW. */
static struct stat made(ino_t ino, off_t size, int64_t age)
{
	struct stat st = { .st_dev = 1, .st_ino = ino, .st_size = size };

	st.st_ctim.tv_sec = st.st_mtim.tv_sec = (NOW - age) / 1000000;
	st.st_ctim.tv_nsec = st.st_mtim.tv_nsec = (NOW - age) % 1000000 * 1000;
	return st;
}

static void what_looks_the_same_is_the_same(void **state)
{
	struct seen *seen = seen_new();
	struct stat st = made(5, 10, SEEN_RACY_US + 1), other;
	(void)state;

	seen_entry(seen, STR("a"), &st, NOW);
	assert_true(seen_entry_same(seen, 0, &st));
	other = st, other.st_ino++;
	assert_false(seen_entry_same(seen, 0, &other));
	other = st, other.st_dev++;
	assert_false(seen_entry_same(seen, 0, &other));
	other = st, other.st_size++;
	assert_false(seen_entry_same(seen, 0, &other));
	other = st, other.st_mtim.tv_nsec++;
	assert_false(seen_entry_same(seen, 0, &other));
	other = st, other.st_ctim.tv_nsec++;
	assert_false(seen_entry_same(seen, 0, &other));
	seen_free(seen);
}

static void what_had_just_changed_may_have_changed_again(void **state)
{
	struct seen *seen = seen_new();
	struct stat st = made(5, 10, SEEN_RACY_US - 1);
	(void)state;

	seen_folder(seen, &st, NOW);
	assert_false(seen_folder_same(seen, &st));
	seen_folder(seen, &st, NOW + 2);
	assert_true(seen_folder_same(seen, &st));
	/* A clock that was set back. */
	seen_folder(seen, &st, NOW - INT64_C(3600) * 1000000);
	assert_false(seen_folder_same(seen, &st));
	seen_free(seen);
}

static void an_old_date_of_writing_hides_no_change(void **state)
{
	struct seen *seen = seen_new();
	struct stat st = made(5, 10, 1000);
	(void)state;

	st.st_mtim.tv_sec -= 1000;
	seen_entry(seen, STR("a"), &st, NOW);
	assert_false(seen_entry_same(seen, 0, &st));
	seen_free(seen);
}

static void names_are_kept_in_order_and_forgotten(void **state)
{
	struct seen *seen = seen_new();
	struct stat st = made(5, 10, SEEN_RACY_US * 2);
	char name[16];
	(void)state;

	assert_null(seen_name(seen, 0).at);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%02d", i * 37 % 100);
		seen_entry(seen, str_of(name), &st, NOW);
		seen_entry(seen, str_of(name), &st, NOW);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%02d", i);
		assert_true(str_is(seen_name(seen, (size_t)i), name));
	}
	assert_null(seen_name(seen, 100).at);
	seen_entry(seen, STR("n50"), NULL, NOW);
	seen_entry(seen, STR("never"), NULL, NOW);
	assert_true(str_is(seen_name(seen, 50), "n51"));
	assert_null(seen_name(seen, 99).at);
	seen_free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_looks_the_same_is_the_same),
		cmocka_unit_test(what_had_just_changed_may_have_changed_again),
		cmocka_unit_test(an_old_date_of_writing_hides_no_change),
		cmocka_unit_test(names_are_kept_in_order_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
