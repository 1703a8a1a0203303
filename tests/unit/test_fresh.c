/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base.h"
#include "fresh.h"

#define PATH "T-1/R1.json"

/* The test's folder, entered: T-1 in it holds PATH, of which was told before it had its name. */
struct folder {
	char base[64];
	int root;
	struct fresh *fresh;
	json_t *said;
};

static void name_a_file(const char *path, const char *text, json_t *json, struct fresh **into)
{
	int fd = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	char unnamed[64];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	if (into)
		*into = fresh_put(fd, path, str_of(text), json);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	assert_int_equal(linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW), 0);
	close(fd);
}

static int make_folder(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/tp-fresh-XXXXXX");
	if (!mkdtemp(f->base) || chdir(f->base) < 0 || mkdir("T-1", 0777) < 0)
		return -1;
	f->root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->said = json_integer(1);
	name_a_file(PATH, "as written", f->said, &f->fresh);
	assert_non_null(f->fresh);
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	char *command = xasprintf("rm -rf %s", f->base);
	int failed = chdir("/") < 0 || system(command) != 0;

	fresh_drop(f->fresh);
	json_decref(f->said);
	close(f->root);
	free(command);
	free(f);
	return failed;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

static bool is_taken(struct folder *f, bool made)
{
	struct stat st = { 0 };
	struct buf bytes = { 0 };
	json_t *said = NULL;
	bool taken = fresh_take(f->root, STR(PATH), made, &bytes, &said, &st);

	if (taken) {
		assert_ptr_equal(said, f->said);
		json_decref(said);
		assert_string_equal(buf_text(&bytes), "as written");
		assert_int_equal(st.st_size, 10);
		assert_int_equal(st.st_nlink, 1);
	}
	buf_release(&bytes);
	return taken;
}

static void the_first_who_looks_takes_it(void **state)
{
	struct folder *f = *state;

	assert_true(is_taken(f, true));
	assert_false(is_taken(f, true));
}

static void a_look_after_more_than_its_making_ends_it(void **state)
{
	struct folder *f = *state;

	assert_false(is_taken(f, false));
	assert_false(is_taken(f, true));
}

static void another_path_is_another_file(void **state)
{
	struct folder *f = *state;
	struct stat st;
	struct buf bytes = { 0 };
	json_t *said = NULL;

	assert_false(fresh_take(f->root, STR("T-1/R1.jso"), true, &bytes, &said, &st));
	assert_false(fresh_take(f->root, STR("T-2/R1.json"), true, &bytes, &said, &st));
	assert_true(is_taken(f, true));
	buf_release(&bytes);
}

static void what_was_dropped_is_not_taken(void **state)
{
	struct folder *f = *state;

	fresh_drop(f->fresh);
	f->fresh = NULL;
	assert_false(is_taken(f, true));
}

static void a_file_that_is_gone_is_not_taken(void **state)
{
	struct folder *f = *state;

	assert_int_equal(unlink(PATH), 0);
	assert_false(is_taken(f, true));
}

static void another_file_of_the_name_is_not_taken(void **state)
{
	struct folder *f = *state;

	/* The number of one that is open is given to nobody. */
	int held = open(PATH, O_RDONLY | O_CLOEXEC);
	struct stat st;
	assert_int_equal(fstat(held, &st), 0);
	assert_int_equal(unlink(PATH), 0);
	name_a_file(PATH, "as written", NULL, NULL);
	assert_int_equal(utimensat(AT_FDCWD, PATH, (struct timespec[]){ st.st_atim, st.st_mtim }, 0),
			 0);
	assert_false(is_taken(f, true));
	close(held);
}

static void a_file_with_a_second_name_is_not_taken(void **state)
{
	struct folder *f = *state;

	assert_int_equal(link(PATH, "other"), 0);
	assert_false(is_taken(f, true));
}

static void a_file_of_another_size_or_time_is_not_taken(void **state)
{
	struct folder *f = *state;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };

	assert_int_equal(truncate(PATH, 3), 0);
	assert_false(is_taken(f, true));
	fresh_drop(f->fresh);
	assert_int_equal(unlink(PATH), 0);
	name_a_file(PATH, "as written", f->said, &f->fresh);
	assert_int_equal(utimensat(AT_FDCWD, PATH, times, 0), 0);
	assert_false(is_taken(f, true));
}

static void of_one_path_in_two_trees_the_later_is_known(void **state)
{
	struct folder *f = *state;
	struct folder other = { .said = json_integer(2) };

	assert_int_equal(mkdir("other", 0777), 0);
	assert_int_equal(chdir("other"), 0);
	assert_int_equal(mkdir("T-1", 0777), 0);
	other.root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int dropped = 0; dropped < 2; dropped++) {
		name_a_file(PATH, "as written", other.said, &other.fresh);
		if (dropped) {
			fresh_drop(f->fresh);
			f->fresh = NULL;
		}
		assert_true(is_taken(&other, true));
		assert_false(is_taken(f, true));
		fresh_drop(other.fresh);
		assert_int_equal(unlink(PATH), 0);
	}
	json_decref(other.said);
	close(other.root);
}

static void what_cannot_be_looked_at_is_not_told_of(void **state)
{
	(void)state;
	assert_null(fresh_put(-1, PATH, STR("x"), NULL));
	fresh_drop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(the_first_who_looks_takes_it),
		with_folder(a_look_after_more_than_its_making_ends_it),
		with_folder(another_path_is_another_file),
		with_folder(what_was_dropped_is_not_taken),
		with_folder(a_file_that_is_gone_is_not_taken),
		with_folder(another_file_of_the_name_is_not_taken),
		with_folder(a_file_with_a_second_name_is_not_taken),
		with_folder(a_file_of_another_size_or_time_is_not_taken),
		with_folder(of_one_path_in_two_trees_the_later_is_known),
		with_folder(what_cannot_be_looked_at_is_not_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
