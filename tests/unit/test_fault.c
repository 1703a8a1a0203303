/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"

static void a_fault_is_false_and_says_why(void **state)
{
	(void)state;
	struct fault why = { 0 };

	assert_false(fault(&why, FAULT_HELD, "%s is held by %d", "T-1", 7));
	assert_int_equal(why.code, FAULT_HELD);
	assert_string_equal(why.text, "T-1 is held by 7");
}

static void a_text_too_long_is_cut_and_terminated(void **state)
{
	(void)state;
	struct fault why;
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fault(&why, FAULT_IO, "%s", text);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	errno = EIO;
	fault_errno(&why, FAULT_IO, "%s", text);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

static void what_errno_says_stands_behind_the_text(void **state)
{
	(void)state;
	struct fault why;

	errno = EACCES;
	assert_false(fault_errno(&why, FAULT_IO, "open %s", "a"));
	assert_int_equal(why.code, FAULT_IO);
	assert_string_equal(why.text, "open a: Permission denied");
}

static void a_full_disk_has_its_own_code(void **state)
{
	(void)state;
	struct fault why;
	static const int full[] = { ENOSPC, EDQUOT };

	for (size_t i = 0; i < 2; i++) {
		errno = full[i];
		fault_errno(&why, FAULT_IO, "write");
		assert_int_equal(why.code, FAULT_NO_SPACE);
		errno = full[i];
		fault_errno(&why, FAULT_NO_AGENT, "connect");
		assert_int_equal(why.code, FAULT_NO_AGENT);
	}
}

static void every_code_is_found_by_its_name(void **state)
{
	(void)state;

	for (enum fault_code code = 0; code < FAULT_COUNT; code++)
		assert_int_equal(fault_find(str_of(fault_name(code))), code);
}

static void no_other_name_is_found(void **state)
{
	(void)state;

	assert_int_equal(fault_find(STR("")), FAULT_COUNT);
	assert_int_equal(fault_find(STR_NONE), FAULT_COUNT);
	assert_int_equal(fault_find(STR("hel")), FAULT_COUNT);
	assert_int_equal(fault_find(STR("held ")), FAULT_COUNT);
	assert_int_equal(fault_find(STR("HELD")), FAULT_COUNT);
	assert_int_equal(fault_find(STR("held")), FAULT_HELD);
}

static void every_code_has_an_exit_status_and_a_hint(void **state)
{
	(void)state;

	for (enum fault_code code = 0; code < FAULT_COUNT; code++) {
		int status = fault_exit(code);
		assert_true((status >= 1 && status <= 8) || status == 130);
		assert_true(strlen(fault_hint(code)) > 0);
	}
}

static void the_exit_statuses_are_those_scripts_rely_on(void **state)
{
	(void)state;

	assert_int_equal(fault_exit(FAULT_INTERNAL), 1);
	assert_int_equal(fault_exit(FAULT_USAGE), 2);
	assert_int_equal(fault_exit(FAULT_BAD_ARGUMENT), 2);
	assert_int_equal(fault_exit(FAULT_HELD), 3);
	assert_int_equal(fault_exit(FAULT_TIMED_OUT), 3);
	assert_int_equal(fault_exit(FAULT_NOT_FOUND), 4);
	assert_int_equal(fault_exit(FAULT_INVALID), 5);
	assert_int_equal(fault_exit(FAULT_NO_AGENT), 6);
	assert_int_equal(fault_exit(FAULT_SANDBOXED), 6);
	assert_int_equal(fault_exit(FAULT_BUSY), 7);
	assert_int_equal(fault_exit(FAULT_IO), 8);
	assert_int_equal(fault_exit(FAULT_INTERRUPTED), 130);
}

static void what_asking_again_cannot_cure_is_not_retryable(void **state)
{
	(void)state;

	for (enum fault_code code = 0; code < FAULT_COUNT; code++) {
		int status = fault_exit(code);
		bool lasting = status == 1 || status == 2 || status == 4 || status == 5 ||
			       code == FAULT_SANDBOXED || code == FAULT_STALE;
		assert_int_equal(fault_retryable(code), !lasting);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_false_and_says_why),
		cmocka_unit_test(a_text_too_long_is_cut_and_terminated),
		cmocka_unit_test(what_errno_says_stands_behind_the_text),
		cmocka_unit_test(a_full_disk_has_its_own_code),
		cmocka_unit_test(every_code_is_found_by_its_name),
		cmocka_unit_test(no_other_name_is_found),
		cmocka_unit_test(every_code_has_an_exit_status_and_a_hint),
		cmocka_unit_test(the_exit_statuses_are_those_scripts_rely_on),
		cmocka_unit_test(what_asking_again_cannot_cure_is_not_retryable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
