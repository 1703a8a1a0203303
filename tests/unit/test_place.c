/* SPDX-License-Identifier: MIT */
#include <errno.h>
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
#include "place.h"
#include "str.h"

/*
 * Real repositories below one folder: main (with main/a/b), its linked
 * worktree `linked` (which git calls twig), bare.git with its linked worktree
 * `frombare`, sub (a checkout whose git directory lies in main's, as a
 * submodule's does), other, and none, which is in no repository.
 */
static char *root;

static const char *const environment[] = {
	"GIT_DIR",        "GIT_COMMON_DIR",          "GIT_WORK_TREE",
	"GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES", "TP_SOCKET"
};

/* A path below the folder; given back by the caller. */
static char *below(const char *path)
{
	return xasprintf("%s/%s", root, path);
}

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *command = xvasprintf(fmt, args);
	va_end(args);
	char *quiet = xasprintf("cd '%s' && { %s; } >log 2>&1 </dev/null", root, command);
	if (system(quiet) != 0)
		fail_msg("%s", command);
	free(quiet);
	free(command);
}

/* Nothing of the environment that runs the tests may count. */
static int clean_environment(void **state)
{
	(void)state;
	char *state_home = below("state"), *runtime = below("run");

	for (size_t i = 0; i < COUNT_OF(environment); i++)
		unsetenv(environment[i]);
	setenv("HOME", root, 1);
	setenv("XDG_CONFIG_HOME", root, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("XDG_STATE_HOME", state_home, 1);
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	free(state_home);
	free(runtime);
	return chdir(root);
}

static int make_repositories(void **state)
{
	char name[] = "/tmp/tp-place-XXXXXX";
	static const char commit[] = "git -C %s -c user.name=t -c user.email=t@t commit -q "
				     "--allow-empty -m start";

	if (!mkdtemp(name))
		return -1;
	root = realpath(name, NULL);
	clean_environment(state);
	run("mkdir run none && git init -q main && mkdir -p main/a/b && git init -q other");
	run(commit, "main");
	run("git -C main worktree add -q -b twig ../twig && mv twig linked && "
	    "git -C main worktree repair ../linked");
	run("git clone -q --bare main bare.git && git -C bare.git worktree add -q -b f ../frombare");
	run("mkdir main/.git/modules && git init -q --separate-git-dir main/.git/modules/sub sub && "
	    "printf 'gitdir: ../main/.git/modules/sub\\n' >sub/.git");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_repositories(void **state)
{
	(void)state;
	int failed = chdir("/") || nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(root);
	return failed;
}

/* The place of a folder below the root; there must be one. */
static struct place find(const char *dir)
{
	struct place place;
	struct fault why;
	char *path = dir[0] == '/' ? xstrdup(dir) : below(dir);

	if (!place_find(path, &place, &why))
		fail_msg("%s: %s", dir, why.text);
	free(path);
	return place;
}

static void assert_nowhere(const char *dir)
{
	struct place place;
	struct fault why;
	char *path = below(dir);

	assert_false(place_find(path, &place, &why));
	assert_int_equal(why.code, FAULT_NO_REPOSITORY);
	assert_non_null(strstr(why.text, path));
	assert_null(place.common);
	assert_null(place.socket);
	free(path);
}

/* Where git directory, top and source of a folder are; a NULL top is a bare repository's. */
static void assert_place(const char *dir, const char *common, const char *top, const char *source)
{
	struct place p = find(dir);
	char *full_common = below(common), *full_top = top ? below(top) : NULL;
	struct stat st;

	assert_string_equal(p.common, full_common);
	assert_int_equal(stat(full_common, &st), 0);
	assert_int_equal(p.dev, st.st_dev);
	assert_int_equal(p.ino, st.st_ino);
	assert_int_equal(p.top != NULL, full_top != NULL);
	if (full_top)
		assert_string_equal(p.top, full_top);
	assert_string_equal(p.source, source);
	free(full_common);
	free(full_top);
	place_release(&p);
}

/* All local places are the same, or none is. */
static bool same_agent(const char *one, const char *two)
{
	struct place a = find(one), b = find(two);
	bool same = strcmp(a.socket, b.socket) == 0;

	assert_int_equal(strcmp(a.state, b.state) == 0, same);
	assert_int_equal(strcmp(a.lock, b.lock) == 0, same);
	assert_int_equal(strcmp(a.hold, b.hold) == 0, same);
	place_release(&a);
	place_release(&b);
	return same;
}

static void a_repository_is_found_from_its_top_and_from_below(void **state)
{
	(void)state;

	assert_place("main", "main/.git", "main", "main");
	assert_place("main/a/b", "main/.git", "main", "main");
}

static void the_working_directory_is_where_one_asks_from(void **state)
{
	(void)state;
	struct place p;
	struct fault why;
	char *expected = below("main");

	assert_int_equal(chdir("main/a"), 0);
	assert_true(place_find(NULL, &p, &why));
	assert_string_equal(p.top, expected);
	place_release(&p);
	assert_true(place_find("b/..", &p, &why));
	assert_string_equal(p.top, expected);
	place_release(&p);
	free(expected);
}

static void a_linked_worktree_has_the_name_git_gave_it(void **state)
{
	(void)state;

	assert_place("linked", "main/.git", "linked", "twig");
	assert_place("frombare", "bare.git", "frombare", "frombare");
}

static void a_bare_repository_has_no_top(void **state)
{
	(void)state;

	assert_place("bare.git", "bare.git", NULL, "main");
	assert_place("bare.git/refs/heads", "bare.git", NULL, "main");
}

static void a_submodule_is_a_repository_of_its_own(void **state)
{
	(void)state;

	assert_place("sub", "main/.git/modules/sub", "sub", "main");
	assert_false(same_agent("main", "sub"));
}

static void a_repository_within_is_found_from_around_it(void **state)
{
	(void)state;
	static const struct {
		const char *path, *within;
	} cases[] = {
		{ ".", NULL },	      { "a", NULL },	    { "a/b", NULL },   { "missing/x", NULL },
		{ "sub", "sub" },     { "sub/t", "sub" },   { "sub/missing", "sub" },
	};
	char *top = xasprintf("%s/main", root);

	run("git init -q main/sub && mkdir main/sub/t");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *expected = cases[i].within ? xasprintf("%s/%s", top, cases[i].within) : NULL;
		char *within = place_within(top, cases[i].path);
		assert_true(expected ? within && strcmp(within, expected) == 0 : !within);
		free(within);
		free(expected);
	}
	run("rm -rf main/sub");
	free(top);
}

static void a_symbolic_link_leads_to_the_same_place(void **state)
{
	(void)state;

	run("ln -sfn main/a shortcut && ln -sfn . dot");
	assert_place("shortcut/b", "main/.git", "main", "main");
	assert_place("dot/linked", "main/.git", "linked", "twig");
	run("rm shortcut dot");
}

static void a_gitdir_file_may_name_a_path_through_a_link(void **state)
{
	(void)state;

	run("ln -sfn main way && mkdir -p through && "
	    "printf 'gitdir: %s/way/.git/worktrees/twig' >through/.git",
	    root);
	assert_place("through", "main/.git", "through", "twig");
	run("rm -r way through");
}

static void what_is_in_no_repository_is_said(void **state)
{
	(void)state;

	assert_nowhere("none");
	assert_nowhere("not there at all");
}

static void a_git_folder_that_is_none_is_passed_over(void **state)
{
	(void)state;

	run("mkdir -p main/a/.git none/.git");
	assert_place("main/a/b", "main/.git", "main", "main");
	assert_nowhere("none");
	run("rmdir main/a/.git none/.git");
}

static void a_gitdir_file_that_leads_nowhere_is_no_repository(void **state)
{
	(void)state;
	static const char *const lines[] = { "gitdir: ../gone", "gitdir: ../run", "gitdir:", "",
					     "../main/.git" };

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		run("printf '%s\\n' >none/.git", lines[i]);
		assert_nowhere("none");
	}
	run("rm none/.git");
}

static void every_checkout_has_the_same_agent(void **state)
{
	(void)state;

	assert_true(same_agent("main", "linked"));
	assert_true(same_agent("main", "main/a"));
	assert_true(same_agent("bare.git", "frombare"));
	assert_false(same_agent("main", "other"));
	assert_false(same_agent("main", "bare.git"));
}

static void git_dir_says_which_repository(void **state)
{
	(void)state;
	char *git = below("main/.git"), *linked = below("main/.git/worktrees/twig");
	char *bare = below("bare.git");

	setenv("GIT_DIR", git, 1);
	assert_place("main/a", "main/.git", "main/a", "main");
	setenv("GIT_DIR", linked, 1);
	assert_place("linked", "main/.git", "linked", "twig");
	setenv("GIT_DIR", bare, 1);
	assert_place("bare.git", "bare.git", NULL, "main");
	free(git);
	free(linked);
	free(bare);
}

static void git_dir_may_be_relative_as_in_a_hook(void **state)
{
	(void)state;
	char *tree = below("main");

	setenv("GIT_DIR", ".git", 1);
	assert_place("main", "main/.git", "main", "main");
	setenv("GIT_DIR", "../other/.git", 1);
	assert_place("main", "other/.git", "main", "main");
	setenv("GIT_DIR", "../.git", 1);
	setenv("GIT_WORK_TREE", tree, 1);
	assert_place("main/a", "main/.git", "main", "main");
	free(tree);
}

static void git_dir_that_is_no_repository_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = { "/nowhere/.git", "../run", "/", "", "../log" };

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		setenv("GIT_DIR", wrong[i], 1);
		assert_nowhere("none");
	}
}

static void git_common_dir_counts_beside_git_dir_only(void **state)
{
	(void)state;
	char *linked = below("main/.git/worktrees/twig"), *other = below("other/.git");

	setenv("GIT_COMMON_DIR", other, 1);
	assert_place("main", "main/.git", "main", "main");
	setenv("GIT_DIR", linked, 1);
	assert_place("linked", "other/.git", "linked", "main");
	free(linked);
	free(other);
}

static void local_state_is_named_by_the_repository(void **state)
{
	(void)state;
	struct place p = find("linked");
	char *start = below("state/ticketplan/main-");
	char *lock = xasprintf("%s/lock", p.state), *hold = xasprintf("%s/stopped", p.state);

	assert_true(str_starts(str_of(p.state), str_of(start)));
	assert_int_equal(strlen(p.state), strlen(start) + 16);
	assert_int_equal(strspn(p.state + strlen(start), "0123456789abcdef"), 16);
	assert_string_equal(p.lock, lock);
	assert_string_equal(p.hold, hold);
	free(start);
	free(lock);
	free(hold);
	place_release(&p);
}

static void a_name_of_odd_characters_is_made_harmless(void **state)
{
	(void)state;
	char *start = below("state/ticketplan/a_b__c_-");

	run("git init -q 'a b\xc3\xa4"
	    "c\n'");
	struct place p = find("a b\xc3\xa4"
			      "c\n");
	assert_true(str_starts(str_of(p.state), str_of(start)));
	place_release(&p);
	run("rm -rf a*");
	free(start);
}

static void a_long_name_is_cut(void **state)
{
	(void)state;
	char name[201], *start = below("state/ticketplan/");

	memset(name, 'n', 200);
	name[200] = '\0';
	run("git init -q %s", name);
	struct place p = find(name);
	assert_int_equal(strlen(p.state), strlen(start) + 40 + 1 + 16);
	place_release(&p);
	run("rm -rf %s", name);
	free(start);
}

static void without_a_state_home_it_is_in_the_home_folder(void **state)
{
	(void)state;
	char *start = below(".local/state/ticketplan/main-");
	static const char *const values[] = { NULL, "", "relative/path" };

	for (size_t i = 0; i < COUNT_OF(values); i++) {
		if (values[i])
			setenv("XDG_STATE_HOME", values[i], 1);
		else
			unsetenv("XDG_STATE_HOME");
		struct place p = find("main");
		assert_true(str_starts(str_of(p.state), str_of(start)));
		place_release(&p);
	}
	free(start);
}

static void without_a_home_the_user_database_is_asked(void **state)
{
	(void)state;

	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	struct place p = find("main");
	assert_int_equal(p.state[0], '/');
	assert_non_null(strstr(p.state, "/.local/state/ticketplan/main-"));
	assert_null(strstr(p.state, root));
	place_release(&p);
}

static void the_socket_lies_in_the_runtime_folder(void **state)
{
	(void)state;
	struct place p = find("main");
	char *start = below("run/ticketplan/");

	assert_true(str_starts(str_of(p.socket), str_of(start)));
	assert_string_equal(p.socket + strlen(start) + 16, ".sock");
	assert_memory_equal(p.socket + strlen(start), p.state + strlen(p.state) - 16, 16);
	free(start);
	place_release(&p);
}

static void without_a_runtime_folder_it_lies_below_tmp(void **state)
{
	(void)state;
	static const char *const values[] = { NULL, "", "run", "/nowhere/run/user/1" };
	char *start = xasprintf("/tmp/ticketplan-%u/", (unsigned)getuid());

	for (size_t i = 0; i < COUNT_OF(values); i++) {
		if (values[i])
			setenv("XDG_RUNTIME_DIR", values[i], 1);
		else
			unsetenv("XDG_RUNTIME_DIR");
		struct place p = find("main");
		assert_true(str_starts(str_of(p.socket), str_of(start)));
		assert_int_equal(strlen(p.socket), strlen(start) + 16 + 5);
		place_release(&p);
	}
	free(start);
}

static void tp_socket_names_another_socket(void **state)
{
	(void)state;

	setenv("TP_SOCKET", "/run/mine.sock", 1);
	struct place p = find("main");
	assert_string_equal(p.socket, "/run/mine.sock");
	place_release(&p);
	setenv("TP_SOCKET", "", 1);
	p = find("main");
	assert_true(str_starts(str_of(p.socket), str_of(root)));
	place_release(&p);
}

static void a_socket_path_longer_than_the_kernel_takes_is_refused(void **state)
{
	(void)state;
	struct place p;
	struct fault why;
	char *dir = below("main"), path[109];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	setenv("TP_SOCKET", path, 1);
	assert_true(place_find(dir, &p, &why));
	place_release(&p);
	path[107] = 'x';
	path[108] = '\0';
	setenv("TP_SOCKET", path, 1);
	assert_false(place_find(dir, &p, &why));
	assert_int_equal(why.code, FAULT_INVALID);
	assert_non_null(strstr(why.text, "108 of 107 bytes"));
	assert_non_null(strstr(why.text, "TP_SOCKET"));
	assert_null(p.common);
	free(dir);
}

static void finding_makes_nothing(void **state)
{
	(void)state;

	struct place p = find("main");
	assert_int_equal(access(p.state, F_OK), -1);
	assert_int_equal(access("state", F_OK), -1);
	assert_int_equal(access("run/ticketplan", F_OK), -1);
	place_release(&p);
}

static void assert_not_private(const char *path, const char *part)
{
	struct fault why;
	char *dir = path[0] == '/' ? xstrdup(path) : below(path);

	assert_false(place_private(dir, &why));
	assert_int_equal(why.code, FAULT_IO);
	assert_non_null(strstr(why.text, dir));
	if (!strstr(why.text, part))
		fail_msg("%s", why.text);
	free(dir);
}

static void a_private_folder_is_made_with_its_parents(void **state)
{
	(void)state;
	struct fault why;
	struct stat st;
	char *dir = below("p/q/r");
	mode_t old = umask(0);

	assert_true(place_private(dir, &why));
	umask(old);
	assert_int_equal(lstat(dir, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_true(place_private(dir, &why));
	run("rm -r p");
	free(dir);
}

static void parents_that_are_there_need_not_be_private(void **state)
{
	(void)state;
	struct fault why;
	char *dir = below("open/closed");

	run("mkdir -m 755 open");
	assert_true(place_private(dir, &why));
	run("rm -r open");
	free(dir);
}

static void a_folder_that_others_may_enter_is_refused(void **state)
{
	(void)state;
	static const mode_t modes[] = { 0755, 0710, 0701, 0740, 0777, 01777 };

	assert_int_equal(mkdir("open", 0700), 0);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		assert_int_equal(chmod("open", modes[i]), 0);
		assert_not_private("open", "chmod 700");
	}
	run("rmdir open");
}

static void what_is_no_folder_is_refused(void **state)
{
	(void)state;

	run("mkdir -m 700 mine && ln -s mine link && touch file && mkfifo -m 600 pipe");
	assert_not_private("link", "not a folder");
	assert_not_private("file", "not a folder");
	assert_not_private("pipe", "not a folder");
	run("rm -r mine link file pipe");
}

static void a_file_in_the_place_of_a_parent_is_refused(void **state)
{
	(void)state;
	struct fault why;
	char *dir = below("file/below/it");

	run("touch file");
	assert_false(place_private(dir, &why));
	assert_int_equal(why.code, FAULT_IO);
	assert_non_null(strstr(why.text, "Not a directory"));
	run("rm file");
	free(dir);
}

/* Root can make a folder somebody else's; for others root's own are that. */
static void a_folder_of_somebody_else_is_refused(void **state)
{
	(void)state;

	if (geteuid() != 0) {
		assert_not_private("/usr", "belongs to user 0");
		return;
	}
	assert_int_equal(mkdir("theirs", 0700), 0);
	assert_int_equal(chown("theirs", 65534, 65534), 0);
	assert_not_private("theirs", "belongs to user 65534");
	run("rmdir theirs");
}

static void the_folder_of_a_file_is_made_private(void **state)
{
	(void)state;
	struct fault why;
	struct stat st;
	char *file = below("run/ticketplan/0.sock"), *dir = below("run/ticketplan");

	assert_true(place_private_for(file, &why));
	assert_int_equal(lstat(dir, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_false(place_private_for(file, &why));
	run("rmdir run/ticketplan");
	free(file);
	free(dir);
}

static void a_file_without_a_folder_lies_in_the_present_one(void **state)
{
	(void)state;
	struct fault why;

	assert_int_equal(mkdir("here", 0700), 0);
	assert_int_equal(chdir("here"), 0);
	assert_true(place_private_for("tp.sock", &why));
	assert_int_equal(chmod(".", 0755), 0);
	assert_false(place_private_for("tp.sock", &why));
	assert_int_equal(chdir(".."), 0);
	run("rmdir here");
}

#define from_root(test) cmocka_unit_test_setup(test, clean_environment)

int main(void)
{
	const struct CMUnitTest tests[] = {
		from_root(a_repository_is_found_from_its_top_and_from_below),
		from_root(the_working_directory_is_where_one_asks_from),
		from_root(a_linked_worktree_has_the_name_git_gave_it),
		from_root(a_bare_repository_has_no_top),
		from_root(a_submodule_is_a_repository_of_its_own),
		from_root(a_repository_within_is_found_from_around_it),
		from_root(a_symbolic_link_leads_to_the_same_place),
		from_root(a_gitdir_file_may_name_a_path_through_a_link),
		from_root(what_is_in_no_repository_is_said),
		from_root(a_git_folder_that_is_none_is_passed_over),
		from_root(a_gitdir_file_that_leads_nowhere_is_no_repository),
		from_root(every_checkout_has_the_same_agent),
		from_root(git_dir_says_which_repository),
		from_root(git_dir_may_be_relative_as_in_a_hook),
		from_root(git_dir_that_is_no_repository_is_refused),
		from_root(git_common_dir_counts_beside_git_dir_only),
		from_root(local_state_is_named_by_the_repository),
		from_root(a_name_of_odd_characters_is_made_harmless),
		from_root(a_long_name_is_cut),
		from_root(without_a_state_home_it_is_in_the_home_folder),
		from_root(without_a_home_the_user_database_is_asked),
		from_root(the_socket_lies_in_the_runtime_folder),
		from_root(without_a_runtime_folder_it_lies_below_tmp),
		from_root(tp_socket_names_another_socket),
		from_root(a_socket_path_longer_than_the_kernel_takes_is_refused),
		from_root(finding_makes_nothing),
		from_root(a_private_folder_is_made_with_its_parents),
		from_root(parents_that_are_there_need_not_be_private),
		from_root(a_folder_that_others_may_enter_is_refused),
		from_root(what_is_no_folder_is_refused),
		from_root(a_file_in_the_place_of_a_parent_is_refused),
		from_root(a_folder_of_somebody_else_is_refused),
		from_root(the_folder_of_a_file_is_made_private),
		from_root(a_file_without_a_folder_lies_in_the_present_one),
	};

	return cmocka_run_group_tests(tests, make_repositories, remove_repositories);
}
