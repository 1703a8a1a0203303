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

#include "base.h"
#include "hash.h"
#include "mounts.h"

static void file_systems_of_others_are_blind(void **state)
{
	(void)state;

	assert_string_equal(mounts_blind_type(0x6969), "NFS does not tell what others change");
	assert_string_equal(mounts_blind_type(0x65735546), "FUSE does not tell what others change");
	assert_string_equal(mounts_blind_type(0x01021997), "9p does not tell what others change");
	/* As a system gives it whose longs are short. */
	assert_string_equal(mounts_blind_type((unsigned long)(long)(int)0xff534d42), "CIFS does not tell what others change");
}

static void local_ones_are_not(void **state)
{
	(void)state;

	assert_null(mounts_blind_type(0xef53));     /* ext4 */
	assert_null(mounts_blind_type(0x9123683e)); /* btrfs */
	assert_null(mounts_blind_type(0x58465342)); /* XFS */
	assert_null(mounts_blind_type(0x01021994)); /* tmpfs */
	assert_null(mounts_blind_type(0x794c7630)); /* overlay: it tells */
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_null(mounts_blind(fd));
	close(fd);
	assert_null(mounts_blind(-1));
}

static void the_same_table_says_the_same(void **state)
{
	struct mounts *m = mounts_new();
	(void)state;

	assert_non_null(m);
	assert_true(mounts_fd(m) >= 0);
	uint64_t root = mounts_at(m, "/"), proc = mounts_at(m, "/proc");
	assert_int_not_equal(root, 0);
	assert_int_equal(mounts_at(m, "/"), root);
	assert_int_equal(mounts_at(m, "/proc"), proc);
	/* What is above counts, what is beside does not. */
	assert_int_not_equal(mounts_at(m, "/nowhere/at/all"), 0);
	assert_int_not_equal(mounts_at(m, "/nowhere/at/all"), proc);
	assert_int_equal(mounts_at(m, "/procedure"), mounts_at(m, "/nowhere"));
	mounts_free(m);
	mounts_free(NULL);
	assert_int_equal(mounts_fd(NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_systems_of_others_are_blind),
		cmocka_unit_test(local_ones_are_not),
		cmocka_unit_test(the_same_table_says_the_same),
	};

	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
