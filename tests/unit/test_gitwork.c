/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "gitwork.h"

/* The test's folder, entered: a git directory with an index. */
struct folder {
	char base[64];
	struct gitwork git;
};

static void put(const char *path)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	fclose(out);
}

static int make_folder(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/tp-gitwork-XXXXXX");
	if (!mkdtemp(f->base) || chdir(f->base) < 0)
		return -1;
	put("index");
	gitwork_init(&f->git, f->base);
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	char *command = xasprintf("rm -rf %s", f->base);
	int failed = chdir("/") < 0 || system(command) != 0;

	gitwork_release(&f->git);
	free(command);
	free(f);
	return failed;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

static void a_lock_is_git_at_work(void **state)
{
	struct folder *f = *state;

	assert_false(gitwork_busy(&f->git));
	assert_int_equal(gitwork_left(&f->git), 0);
	put("index.lock");
	assert_false(gitwork_busy(&f->git));
	gitwork_look(&f->git);
	assert_true(gitwork_busy(&f->git));
	assert_in_range(gitwork_left(&f->git), 1, GITWORK_PATIENCE_US);
	assert_int_equal(unlink("index.lock"), 0);
	gitwork_look(&f->git);
	assert_false(gitwork_busy(&f->git));
	assert_int_equal(gitwork_left(&f->git), 0);
}

static void a_link_to_nowhere_is_a_lock_too(void **state)
{
	struct folder *f = *state;

	assert_int_equal(symlink("nowhere", "index.lock"), 0);
	gitwork_look(&f->git);
	assert_true(gitwork_busy(&f->git));
}

static void looking_again_does_not_prolong_it(void **state)
{
	struct folder *f = *state;

	put("index.lock");
	gitwork_look(&f->git);
	int64_t since = f->git.since;
	gitwork_look(&f->git);
	assert_int_equal(f->git.since, since);
	/* As if that had been long ago. */
	f->git.since -= GITWORK_PATIENCE_US;
	assert_int_equal(gitwork_left(&f->git), 0);
	assert_true(gitwork_busy(&f->git));
}

static void git_that_comes_while_files_are_read_is_at_work(void **state)
{
	struct folder *f = *state;

	gitwork_before(&f->git);
	put("index.lock");
	gitwork_after(&f->git);
	assert_true(gitwork_busy(&f->git));
}

static void git_that_goes_through_while_files_are_read_is_at_work(void **state)
{
	struct folder *f = *state;

	gitwork_before(&f->git);
	gitwork_after(&f->git);
	assert_false(gitwork_busy(&f->git));
	gitwork_before(&f->git);
	put("index.lock");
	assert_int_equal(rename("index.lock", "index"), 0);
	gitwork_after(&f->git);
	assert_true(gitwork_busy(&f->git));
	assert_int_equal(gitwork_left(&f->git), 0);
	/* The next look begins anew. */
	gitwork_before(&f->git);
	gitwork_after(&f->git);
	assert_false(gitwork_busy(&f->git));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(a_lock_is_git_at_work),
		with_folder(a_link_to_nowhere_is_a_lock_too),
		with_folder(looking_again_does_not_prolong_it),
		with_folder(git_that_comes_while_files_are_read_is_at_work),
		with_folder(git_that_goes_through_while_files_are_read_is_at_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
