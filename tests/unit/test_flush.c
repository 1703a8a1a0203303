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
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "flush.h"

#define MANY 200

/* What was asked of the system, and what it shall say. */
static struct {
	pthread_mutex_t mutex;
	size_t begun, synced;
	size_t begun_first; /* before any sync */
	int odd;            /* the error of beginning with every other file */
	size_t of[4096];    /* syncs by descriptor */
} calls = { .mutex = PTHREAD_MUTEX_INITIALIZER };

int sync_file_range(int fd, off_t offset, off_t bytes, unsigned flags)
{
	assert_true(offset == 0 && bytes == 0 && flags == SYNC_FILE_RANGE_WRITE);
	if (calls.begun++ % 2 == 0 || !calls.odd)
		return (int)syscall(SYS_sync_file_range, fd, offset, bytes, flags);
	errno = calls.odd;
	return -1;
}

int fsync(int fd)
{
	pthread_mutex_lock(&calls.mutex);
	if (calls.synced++ == 0)
		calls.begun_first = calls.begun;
	calls.of[fd]++;
	pthread_mutex_unlock(&calls.mutex);
	return (int)syscall(SYS_fsync, fd);
}

static void count_anew(int odd)
{
	calls.begun = calls.synced = calls.begun_first = 0;
	calls.odd = odd;
	memset(calls.of, 0, sizeof(calls.of));
}

/* Its own, by their name: a sanitizer may have another. */
static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[64 + sizeof(entry->d_name)], name[32] = "";
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		FILE *file = fopen(path, "re");
		count += file && fgets(name, sizeof(name), file) && !strcmp(name, "tpd-sync\n");
		if (file)
			fclose(file);
	}
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
	for (size_t count = 0; count < 9; count++)
		sync_many(count);
	sync_many(MANY);
	sync_many(3);
	sync_many(MANY);
	assert_true(threads() > 0);
	flush_end();
	assert_threads_left(0);
}

static void all_are_begun_before_the_first_is_waited_for(void **state)
{
	(void)state;
	count_anew(0);
	sync_many(20);
	assert_int_equal(calls.begun, 20);
	assert_int_equal(calls.begun_first, 20);
	assert_int_equal(calls.synced, 20);
	flush_end();
}

static void a_single_sync_is_not_begun_before(void **state)
{
	(void)state;
	count_anew(EIO);
	sync_many(1);
	assert_int_equal(calls.begun, 0);
	assert_int_equal(calls.synced, 1);
}

/* Of five files every other cannot be begun; those are synced or not, and that is said of them. */
static void assert_begun(int odd, bool synced, int outcome)
{
	struct flush list[5];

	for (size_t i = 0; i < COUNT_OF(list); i++) {
		list[i].fd = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
		list[i].error = -1;
	}
	count_anew(odd);
	flush_all(list, COUNT_OF(list));
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		assert_int_equal(calls.of[list[i].fd], i % 2 ? synced : 1);
		assert_int_equal(list[i].error, i % 2 ? outcome : 0);
		close(list[i].fd);
	}
	flush_end();
	count_anew(0);
}

static void what_cannot_be_begun_has_failed_and_is_not_synced(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EROFS, EUCLEAN, ENOMEM, EINTR, 4095 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		assert_begun(errors[i], false, errors[i]);
}

static void where_nothing_can_be_begun_all_is_synced(void **state)
{
	static const int errors[] = { ENOSYS, EOPNOTSUPP, EINVAL, ESPIPE, EPERM, EACCES };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		assert_begun(errors[i], true, 0);
}

static void a_single_sync_needs_no_thread(void **state)
{
	(void)state;
	/* Those that the test before ended. */
	assert_threads_left(0);
	sync_many(1);
	assert_int_equal(threads(), 0);
	sync_many(2);
	assert_int_equal(threads(), 2);
	sync_many(5);
	sync_many(2);
	assert_int_equal(threads(), 5);
	flush_end();
	assert_threads_left(0);
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
		cmocka_unit_test(all_are_begun_before_the_first_is_waited_for),
		cmocka_unit_test(a_single_sync_is_not_begun_before),
		cmocka_unit_test(what_cannot_be_begun_has_failed_and_is_not_synced),
		cmocka_unit_test(where_nothing_can_be_begun_all_is_synced),
		cmocka_unit_test(a_single_sync_needs_no_thread),
		cmocka_unit_test(after_the_end_it_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
