/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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

/* One that was joined may still be listed for a moment. */
static void assert_threads_left(int wanted)
{
	for (int i = 0; i < 10000 && threads() != wanted; i++)
		usleep(1000);
	assert_int_equal(threads(), wanted);
}

/* Files of no name; each third of them is a pipe, which cannot be synced. */
static void open_many(struct flush *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int pipe[2];
		list[i] = (struct flush){ .error = -1 };
		if (i % 3 == 2) {
			assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
			close(pipe[1]);
			list[i].fd = pipe[0];
			continue;
		}
		list[i].fd = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
		assert_int_equal(write(list[i].fd, "x", 1), 1);
	}
}

static void sync_many(size_t count)
{
	struct flush list[MANY];

	open_many(list, count);
	flush_all(list, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list[i].error, i % 3 == 2 ? EINVAL : 0);
		close(list[i].fd);
	}
}

static void each_sync_has_an_outcome_of_its_own(void **state)
{
	(void)state;
	int before = threads();

	for (size_t count = 0; count < 9; count++)
		sync_many(count);
	sync_many(MANY);
	sync_many(3);
	sync_many(MANY);
	flush_end();
	assert_threads_left(before);
}

static void a_single_sync_needs_no_thread(void **state)
{
	(void)state;
	int before = threads();

	sync_many(1);
	assert_int_equal(threads(), before);
	sync_many(2);
	assert_int_equal(threads(), before + 2);
	sync_many(5);
	sync_many(2);
	assert_int_equal(threads(), before + 5);
	flush_end();
	assert_threads_left(before);
}

static void after_the_end_it_begins_anew(void **state)
{
	(void)state;
	flush_end();
	sync_many(4);
	flush_end();
	sync_many(4);
	flush_end();
	flush_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sync_has_an_outcome_of_its_own),
		cmocka_unit_test(a_single_sync_needs_no_thread),
		cmocka_unit_test(after_the_end_it_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
