/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "buf.h"
#include "owner.h"

/*
 * A repository `repo` below one folder, and in `bin` a program called git that
 * writes down how it was called and ends as the file `verdict` says.  PATH leads
 * to it, or to git itself.
 */
#define THEM 65534

static char *root, *top, *gitdir, *path_before;

static char *below(const char *name)
{
	return xasprintf("%s/%s", root, name);
}

static void write_file(const char *name, const char *text)
{
	char *path = below(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

/* What the program wrote since the last call; "" where it was not called.  In a static buffer. */
static const char *called(void)
{
	static char text[20000];
	char *path = below("called");
	FILE *f = fopen(path, "r");

	text[0] = '\0';
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		unlink(path);
	}
	free(path);
	return text;
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static void use_program(int verdict)
{
	char *path = xasprintf("%s/bin:%s", root, path_before);
	char text[20];

	snprintf(text, sizeof(text), "%d\n", verdict);
	write_file("verdict", text);
	setenv("PATH", path, 1);
	called();
	free(path);
}

static void use_git(void)
{
	setenv("PATH", path_before, 1);
}

static void give(uid_t to)
{
	const char *const paths[] = { gitdir, top };

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		if (chown(paths[i], to, (gid_t)-1) < 0)
			skip();
}

static int make(void **state)
{
	char name[] = "/tmp/tp-owner-XXXXXX";

	(void)state;
	if (!mkdtemp(name) || chmod(name, 0755) < 0)
		return -1;
	root = realpath(name, NULL);
	top = below("repo");
	gitdir = below("repo/.git");
	path_before = xstrdup(getenv("PATH"));
	setenv("HOME", root, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	unsetenv("GIT_CONFIG_GLOBAL");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("SUDO_UID");
	char *command = xasprintf("git init -q '%s' && mkdir '%s/bin'", top, root);
	int failed = system(command);
	free(command);
	char *script = xasprintf("#!/bin/sh\n{ printf '%%s\\n' \"$@\"; env; } >'%s/called'\n"
				 "read -r verdict <'%s/verdict'\nexit \"$verdict\"\n", root, root);
	write_file("bin/git", script);
	free(script);
	char *program = below("bin/git");
	failed |= chmod(program, 0755);
	free(program);
	return failed;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int drop(void **state)
{
	(void)state;
	int failed = nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(root);
	free(top);
	free(gitdir);
	free(path_before);
	return failed;
}

static int back(void **state)
{
	(void)state;
	unsetenv("SUDO_UID");
	unsetenv("GIT_DIR");
	unsetenv("GIT_CONFIG_COUNT");
	unsetenv("GIT_CONFIG_GLOBAL");
	use_git();
	if (chown(gitdir, geteuid(), (gid_t)-1) < 0)
		return -1;
	return chown(top, geteuid(), (gid_t)-1);
}

static void of_what_is_ours_git_is_not_asked(void **state)
{
	struct fault why;

	(void)state;
	use_program(1);
	assert_true(owner_trusts(gitdir, top, &why));
	assert_true(owner_trusts(gitdir, NULL, &why));
	assert_string_equal(called(), "");
	/* What is not there is nobody's. */
	assert_true(owner_trusts("/no/such/repo/.git", NULL, &why));
	assert_string_equal(called(), "");
}

static void of_what_is_anothers_git_decides(void **state)
{
	struct fault why;

	(void)state;
	give(THEM);
	use_program(0);
	assert_true(owner_trusts(gitdir, top, &why));
	char *words = xasprintf("-C\n%s\nrev-parse\n--git-dir\n", top);
	assert_memory_equal(called(), words, strlen(words));
	free(words);
	use_program(128);
	assert_false(owner_trusts(gitdir, top, &why));
	assert_int_equal(why.code, FAULT_FOREIGN_OWNER);
	assert_non_null(strstr(why.text, "(user 65534)"));
	assert_non_null(strstr(why.text, "git config --global --add safe.directory "));
}

/* The top, its .git and the git directory, each by itself. */
static void each_part_counts(void **state)
{
	const char *const paths[] = { top, gitdir };
	struct fault why;

	(void)state;
	give(geteuid());
	use_program(1);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (chown(paths[i], THEM, (gid_t)-1) < 0)
			skip();
		assert_false(owner_trusts(gitdir, top, &why));
		assert_memory_equal(why.text, paths[i], strlen(paths[i]));
		assert_memory_equal(why.text + strlen(paths[i]), " belongs to", 11);
		/* Beside a folder called .git is its checkout. */
		assert_false(owner_trusts(gitdir, NULL, &why));
		assert_int_equal(chown(paths[i], geteuid(), (gid_t)-1), 0);
	}
}

static void git_hears_of_the_user_and_of_no_other_repository(void **state)
{
	struct fault why;

	(void)state;
	give(THEM);
	use_program(0);
	setenv("SUDO_UID", "1", 1);
	setenv("GIT_DIR", "/elsewhere/.git", 1);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_GLOBAL", "/their/config", 1);
	assert_true(owner_trusts(gitdir, top, &why));
	const char *text = called();
	char *home = xasprintf("HOME=%s", root);
	assert_true(has_line(text, home));
	free(home);
	assert_true(has_line(text, "SUDO_UID=1"));
	assert_true(has_line(text, "GIT_CONFIG_GLOBAL=/their/config"));
	assert_true(has_line(text, "GIT_CONFIG_NOSYSTEM=1"));
	assert_null(strstr(text, "GIT_DIR="));
	assert_null(strstr(text, "GIT_CONFIG_COUNT="));
}

/* -- Who became root --------------------------------------------------------- */

static const struct {
	const char *sudo;
	bool ours; /* that is decided without git */
} sudoers[] = {
	{ "65534", true },   { "065534", true },
	{ "65533", false },  { "0", false },
	{ "", false },       { "nobody", false },
	{ "65534x", false }, { "65534 ", false },
	{ "-1", false },     { "18446744073709551615", false },
	{ "99999999999999999999999", false },
	{ "0xfffe", false },
};

static void what_is_of_him_who_became_root_is_ours(void **state)
{
	struct fault why;

	(void)state;
	if (geteuid() != 0)
		skip();
	give(THEM);
	use_program(1);
	for (size_t i = 0; i < COUNT_OF(sudoers); i++) {
		setenv("SUDO_UID", sudoers[i].sudo, 1);
		if (owner_trusts(gitdir, top, &why) != sudoers[i].ours)
			fail_msg("SUDO_UID=%s", sudoers[i].sudo);
		assert_int_equal(called()[0] == '\0', sudoers[i].ours);
	}
	/* And what is root's stays ours. */
	give(0);
	assert_true(owner_trusts(gitdir, top, &why));
}

static void who_is_not_root_is_no_other_by_a_variable(void **state)
{
	struct fault why;

	(void)state;
	if (geteuid() != 0)
		skip();
	give(THEM);
	use_program(1);
	setenv("SUDO_UID", "65534", 1);
	assert_int_equal(seteuid(THEM - 1), 0);
	bool ok = owner_trusts(gitdir, top, &why);
	assert_int_equal(seteuid(0), 0);
	assert_false(ok);
}

static bool git_takes_it(void)
{
	char *command = xasprintf("git -C '%s' rev-parse --git-dir >/dev/null 2>&1", top);
	int status = system(command);

	free(command);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void it_is_as_git_itself_has_it(void **state)
{
	static const uid_t owners[] = { 0, THEM };
	struct fault why;

	(void)state;
	if (geteuid() != 0)
		skip();
	use_git();
	for (size_t k = 0; k < COUNT_OF(owners); k++) {
		give(owners[k]);
		for (size_t i = 0; i < COUNT_OF(sudoers); i++) {
			setenv("SUDO_UID", sudoers[i].sudo, 1);
			if (owner_trusts(gitdir, top, &why) != git_takes_it())
				fail_msg("SUDO_UID=%s, owner %u", sudoers[i].sudo, owners[k]);
		}
		unsetenv("SUDO_UID");
		assert_int_equal(owner_trusts(gitdir, top, &why), git_takes_it());
	}
}

#define with_repository(test) cmocka_unit_test_teardown(test, back)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_repository(of_what_is_ours_git_is_not_asked),
		with_repository(of_what_is_anothers_git_decides),
		with_repository(each_part_counts),
		with_repository(git_hears_of_the_user_and_of_no_other_repository),
		with_repository(what_is_of_him_who_became_root_is_ours),
		with_repository(who_is_not_root_is_no_other_by_a_variable),
		with_repository(it_is_as_git_itself_has_it),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
