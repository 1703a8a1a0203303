/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <unistd.h>

#include <cmocka.h>

#include "session.h"

static int clean(void **state)
{
	(void)state;
	unsetenv("TP_SESSION");
	unsetenv("CLAUDE_CODE_SESSION_ID");
	unsetenv("CODEX_THREAD_ID");
	return 0;
}

static void is_named(const char *wanted)
{
	char *name = session_of_environment();

	if (wanted)
		assert_string_equal(name, wanted);
	else
		assert_null(name);
	free(name);
}

static void the_environment_says_who_asks(void **state)
{
	(void)state;
	is_named(NULL);
	setenv("CODEX_THREAD_ID", "t-1", 1);
	is_named("codex:t-1");
	setenv("CLAUDE_CODE_SESSION_ID", "0b9e", 1);
	is_named("claude:0b9e");
	setenv("TP_SESSION", "worker 3", 1);
	is_named("worker 3");
	setenv("TP_SESSION", "", 1);
	is_named("claude:0b9e");
	setenv("CLAUDE_CODE_SESSION_ID", "", 1);
	is_named("codex:t-1");
}

static void a_person_is_a_session_too(void **state)
{
	char *root = session_of_user(0), *nobody = session_of_user(3999999);

	(void)state;
	assert_string_equal(root, "user:root");
	assert_string_equal(nobody, "user:3999999");
	free(root);
	free(nobody);
}

static void a_name_is_one_line_of_text(void **state)
{
	char longest[SESSION_BYTES_MAX + 2];
	struct fault why;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(session_name_ok("session", (struct str){ longest, SESSION_BYTES_MAX }, &why));
	assert_false(
		session_name_ok("session", (struct str){ longest, SESSION_BYTES_MAX + 1 }, &why));
	assert_true(session_name_ok("session", STR("caf\xc3\xa9 \xe6\x97\xa5"), &why));
	assert_false(session_name_ok("session", STR(""), &why));
	assert_string_equal(why.text, "session is empty");
	assert_false(session_name_ok("role", STR("a\nb"), &why));
	assert_string_equal(why.text, "role holds a control character");
	assert_false(session_name_ok("role", STR("a\x1b[1m"), &why));
	assert_false(session_name_ok("role", STR("a\0b"), &why));
	assert_false(session_name_ok("role", STR("a\xff"), &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_environment_says_who_asks, clean, clean),
		cmocka_unit_test(a_person_is_a_session_too),
		cmocka_unit_test(a_name_is_one_line_of_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
