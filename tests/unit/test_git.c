/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "git.h"

/* The test's folder, entered: a repository's "top", whose .git is made by hand, and "linked". */
struct folder {
	char base[64];
	char *common;
	struct git *git;
};

static void put(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void configure(struct folder *f, const char *text)
{
	put("top/.git/config", text);
	git_reload(f->git);
}

static int make_folder(void **state)
{
	static const char *const dirs[] = { "home", "top", "top/.git", "top/.git/worktrees",
					    "linked" };
	struct folder *f = xcalloc(1, sizeof(*f));
	struct fault why;

	snprintf(f->base, sizeof(f->base), "/tmp/tp-git-XXXXXX");
	if (!mkdtemp(f->base) || chdir(f->base) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		if (mkdir(dirs[i], 0777) < 0)
			return -1;
	put("top/.git/config", "[core]\n\tbare = false\n");
	char *home = xasprintf("%s/home", f->base);
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	free(home);
	f->common = xasprintf("%s/top/.git", f->base);
	*state = f;
	return git_new(f->common, &f->git, &why) ? 0 : -1;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	char *command = xasprintf("rm -rf %s", f->base);
	int failed = chdir("/") < 0 || system(command) != 0;

	git_free(f->git);
	free(command);
	free(f->common);
	free(f);
	return failed;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

static void assert_config(struct folder *f, const char *key, const char *text)
{
	char *value = git_config_text(f->git, key);

	if (text)
		assert_string_equal(value, text);
	else
		assert_null(value);
	free(value);
}

static void values_are_read_from_the_repositorys_file(void **state)
{
	struct folder *f = *state;

	assert_config(f, "ticketplan.root", NULL);
	configure(f, "[ticketplan]\n\troot = work/tickets\n\tautostart = no\n\tx = \"a b\"\n");
	assert_config(f, "ticketplan.root", "work/tickets");
	assert_config(f, "ticketplan.x", "a b");
	assert_false(git_config_bool(f->git, "ticketplan.autostart", true));
	assert_true(git_config_bool(f->git, "ticketplan.none", true));
	assert_false(git_config_bool(f->git, "ticketplan.none", false));
	assert_true(git_config_bool(f->git, "ticketplan.root", true));
}

static void a_value_counts_from_the_next_reload_on(void **state)
{
	struct folder *f = *state;

	put("top/.git/config", "[ticketplan]\n\troot = a\n");
	git_reload(f->git);
	assert_config(f, "ticketplan.root", "a");
	configure(f, "[ticketplan]\n\troot = b\n");
	assert_config(f, "ticketplan.root", "b");
	configure(f, "");
	assert_config(f, "ticketplan.root", NULL);
}

static void the_repository_of_a_form_nobody_knows_has_a_configuration(void **state)
{
	struct folder *f = *state;

	configure(f, "[core]\n\trepositoryformatversion = 99\n[extensions]\n\tfuture = yes\n"
		     "[ticketplan]\n\troot = x\n");
	assert_config(f, "ticketplan.root", "x");
}

static void a_configuration_that_cannot_be_read_is_none(void **state)
{
	struct folder *f = *state;

	configure(f, "[ticketplan\nroot = = x\n");
	assert_config(f, "ticketplan.root", NULL);
	assert_int_equal(unlink("top/.git/config"), 0);
	git_reload(f->git);
	assert_config(f, "ticketplan.root", NULL);
	assert_true(git_config_bool(f->git, "core.bare", true));
}

/* "name=TOP name=TOP", tops without the test's folder. */
static void assert_checkouts(struct folder *f, const char *known, const char *text)
{
	char *real = realpath(f->base, NULL), said[1024] = "";
	size_t count, at = 0;
	struct checkout *list = git_checkouts(f->git, known, &count);

	for (size_t i = 0; i < count; i++) {
		bool ours = strncmp(list[i].top, real, strlen(real)) == 0;
		at += (size_t)snprintf(said + at, sizeof(said) - at, "%s%s=%s", i ? " " : "",
				       list[i].name, list[i].top + (ours ? strlen(real) : 0));
	}
	assert_string_equal(said, text);
	git_checkouts_free(list, count);
	free(real);
}

static void link_worktree(const char *name, const char *gitdir)
{
	char *folder = xasprintf("top/.git/worktrees/%s", name);
	char *file = xasprintf("%s/gitdir", folder);

	assert_int_equal(mkdir(folder, 0777), 0);
	put(file, gitdir);
	free(folder);
	free(file);
}

static void the_main_checkout_lies_beside_its_git_directory(void **state)
{
	struct folder *f = *state;

	assert_checkouts(f, NULL, "main=/top");
	assert_checkouts(f, "/elsewhere", "main=/elsewhere");
	assert_int_equal(rmdir("top/.git/worktrees"), 0);
	assert_checkouts(f, NULL, "main=/top");
}

static void the_main_checkout_lies_where_core_worktree_says(void **state)
{
	struct folder *f = *state;
	char *absolute = xasprintf("[core]\n\tworktree = %s/linked\n", f->base);

	configure(f, "[core]\n\tworktree = ../../linked\n");
	assert_checkouts(f, NULL, "main=/linked");
	configure(f, absolute);
	assert_checkouts(f, NULL, "main=/linked");
	configure(f, "[core]\n\tworktree = ../../gone\n");
	assert_checkouts(f, NULL, "");
	free(absolute);
}

static void a_bare_repository_has_no_main_checkout(void **state)
{
	struct folder *f = *state;
	char *gitdir = xasprintf("%s/linked/.git\n", f->base);

	configure(f, "[core]\n\tbare = true\n");
	assert_checkouts(f, NULL, "");
	link_worktree("w", gitdir);
	assert_checkouts(f, NULL, "w=/linked");
	free(gitdir);
}

static void linked_checkouts_come_by_name_where_their_folder_is_there(void **state)
{
	struct folder *f = *state;
	char *gitdir = xasprintf("%s/linked/.git\n", f->base);
	char *gone = xasprintf("%s/gone/.git\n", f->base);

	link_worktree("zebra", gitdir);
	link_worktree("alpha", "../../../../linked/.git\r\n");
	link_worktree("gone", gone);
	link_worktree("empty", "");
	link_worktree(".hidden", gitdir);
	assert_int_equal(mkdir("top/.git/worktrees/without", 0777), 0);
	put("top/.git/worktrees/file", "");
	assert_checkouts(f, NULL, "main=/top alpha=/linked zebra=/linked");
	free(gitdir);
	free(gone);
}

static void a_gitdir_of_any_length_harms_nobody(void **state)
{
	struct folder *f = *state;
	char *long_line = xmalloc(100001);

	memset(long_line, 'x', 100000);
	long_line[0] = '/';
	long_line[100000] = '\0';
	link_worktree("long", long_line);
	assert_checkouts(f, NULL, "main=/top");
	free(long_line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(values_are_read_from_the_repositorys_file),
		with_folder(a_value_counts_from_the_next_reload_on),
		with_folder(the_repository_of_a_form_nobody_knows_has_a_configuration),
		with_folder(a_configuration_that_cannot_be_read_is_none),
		with_folder(the_main_checkout_lies_beside_its_git_directory),
		with_folder(the_main_checkout_lies_where_core_worktree_says),
		with_folder(a_bare_repository_has_no_main_checkout),
		with_folder(linked_checkouts_come_by_name_where_their_folder_is_there),
		with_folder(a_gitdir_of_any_length_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
