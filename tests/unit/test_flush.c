/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "base.h"
#include "flush.h"

#define MANY 200

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Each is done once, and by how many threads. */
struct work {
	atomic_uint times[MANY];
	pthread_t by[MANY];
};

static void bg_note(void *ctx, size_t nth)
{
	struct work *w = ctx;

	w->times[nth]++;
	w->by[nth] = pthread_self();
}

static void do_many(size_t count)
{
	struct work w = { 0 };

	flush_all(count, bg_note, &w);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(w.times[i], i < count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pthread_equal(w.by[i], pthread_self()) != 0, count < 2);
}

static void each_is_done_once_and_where_there_are_several_by_others(void **state)
{
	(void)state;
	for (size_t count = 0; count < 9; count++)
		do_many(count);
	do_many(MANY);
	do_many(3);
	do_many(MANY);
	flush_end();
}

static void a_single_one_needs_no_thread(void **state)
{
	(void)state;
	int before = threads();

	do_many(1);
	assert_int_equal(threads(), before);
	do_many(2);
	assert_int_equal(threads(), before + 2);
	do_many(5);
	do_many(2);
	assert_int_equal(threads(), before + 5);
	flush_end();
	assert_int_equal(threads(), before);
}

static void after_the_end_it_begins_anew(void **state)
{
	(void)state;
	flush_end();
	do_many(4);
	flush_end();
	do_many(4);
	flush_end();
	flush_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_done_once_and_where_there_are_several_by_others),
		cmocka_unit_test(a_single_one_needs_no_thread),
		cmocka_unit_test(after_the_end_it_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
