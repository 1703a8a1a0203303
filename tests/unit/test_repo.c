/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "git.h"
#include "repo.h"

/* The test's folder, entered: a repository "top" with two commits. */
struct folder {
	char base[64];
	char *common;
	struct git *git;
};

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int make_folder(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));
	struct fault why;

	snprintf(f->base, sizeof(f->base), "/tmp/tp-repo-XXXXXX");
	if (!mkdtemp(f->base) || chdir(f->base) < 0)
		return -1;
	setenv("HOME", f->base, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	unsetenv("XDG_CONFIG_HOME");
	f->common = xasprintf("%s/top/.git", f->base);
	*state = f;
	return git_new(f->common, &f->git, &why) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;
	char *command = xasprintf("chmod -R u+rwX %s; rm -rf %s", f->base, f->base);

	git_free(f->git);
	int status = chdir("/") < 0 || system(command) != 0 ? -1 : 0;
	free(command);
	free(f->common);
	free(f);
	return status;
}

static void make_repository(const char *form)
{
	char *command = xasprintf(
		"export GIT_AUTHOR_NAME='A Name' GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=c "
		"GIT_COMMITTER_EMAIL=c@d GIT_COMMITTER_DATE='1700000000 +0100';"
		"git init -q -b main %s top && cd top && mkdir -p a/b && echo one >a/b/f && ln -s f a/b/l "
		"&& git add . && git commit -qm 'The first\n\n with more' && echo two >a/b/f && git commit -qam second && git tag -am t v1",
		form);

	run(command);
	free(command);
}

static struct repo *open_repository(const struct folder *f)
{
	struct repo *r;
	struct fault why;

	if (!repo_open(f->common, f->common, &r, &why))
		fail_msg("%s", why.text);
	return r;
}

static void says(struct repo *r, const char *revision, const char *path, const char *wanted)
{
	struct repo_entry entry;
	struct repo_commit commit;
	struct repo_id id;
	struct buf bytes = { 0 };
	enum repo_type type;
	struct fault why;
	bool there;

	assert_true(repo_resolve(r, str_of(revision), &id, &why));
	assert_true(repo_read(r, &id, SIZE_MAX, &type, &bytes, &why));
	assert_int_equal(type, REPO_COMMIT);
	assert_true(repo_commit_parse((struct str){ bytes.at, bytes.len }, &commit));
	assert_true(str_is(commit.author, "A Name"));
	assert_int_equal(commit.at, INT64_C(1700000000000000));
	struct repo_id tree = commit.tree;
	assert_true(repo_below(r, &tree, str_of(path), &there, &entry, &why));
	assert_int_equal(there, wanted != NULL);
	if (wanted) {
		assert_true(repo_read(r, &entry.id, SIZE_MAX, &type, &bytes, &why));
		assert_int_equal(type, REPO_BLOB);
		assert_string_equal(buf_text(&bytes), wanted);
	}
	buf_release(&bytes);
}

static void refuses(struct repo *r, const char *revision, enum fault_code code)
{
	struct repo_id id;
	struct fault why;

	assert_false(repo_resolve(r, str_of(revision), &id, &why));
	if (why.code != code)
		fail_msg("%s: %s", revision, why.text);
}

static void count_tips(struct repo *r, size_t wanted)
{
	struct repo_id *tips;
	size_t count, held;
	struct fault why;

	assert_true(repo_tips(r, &tips, &count, &held, &why));
	assert_int_equal(held, wanted);
	free(tips);
}

static void all_of(const struct folder *f)
{
	struct repo *r = open_repository(f);
	struct buf bytes = { 0 };
	enum repo_type type;
	struct repo_id id;
	struct fault why;

	says(r, "HEAD", "a/b/f", "two\n");
	says(r, "HEAD~1", "./a//b/f", "one\n");
	says(r, "v1", "a/b/f", "two\n");
	says(r, "v1", "a/b/none", NULL);
	says(r, "v1", "a/b/f/none", NULL);
	refuses(r, "nowhere", FAULT_NO_REVISION);
	refuses(r, "HEAD~7", FAULT_NO_REVISION);
	refuses(r, "HEAD:a", FAULT_NO_REVISION);
	refuses(r, "--help", FAULT_NO_REVISION);
	refuses(r, "", FAULT_NO_REVISION);
	refuses(r, "HEAD\nHEAD", FAULT_NO_REVISION);
	assert_true(repo_resolve(r, STR("HEAD"), &id, &why));
	assert_false(repo_read(r, &id, 10, &type, &bytes, &why));
	assert_int_equal(why.code, FAULT_TOO_LARGE);
	/* What follows a refusal is answered all the same. */
	says(r, "main", "a/b/f", "two\n");
	count_tips(r, 2);
	buf_release(&bytes);
	repo_close(r);
}

static void a_repository_is_read(void **state)
{
	make_repository("");
	all_of(*state);
}

static void also_one_that_the_library_refuses(void **state)
{
	make_repository("--object-format=sha256");
	all_of(*state);
}

static void and_one_with_harmless_extensions(void **state)
{
	make_repository("");
	run("cd top && git config core.repositoryformatversion 1 && "
	    "git config extensions.worktreeConfig true && git config extensions.partialClone origin && "
	    "git config extensions.preciousObjects true && git config extensions.relativeWorktrees true");
	all_of(*state);
}

static void files_are_staged_ignored_or_unknown(void **state)
{
	/* The library reads the objects of the last and not its index. */
	static const char *const forms[] = { "", "--object-format=sha256", "" };
	struct folder *f = *state;

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct repo_path paths[] = { { .path = "a/b/f" },
					     { .path = "x.o" },
					     { .path = "new" } };
		struct fault why;
		make_repository(forms[i]);
		run("cd top && echo '*.o' >.gitignore && touch x.o new");
		if (i == 2)
			run("cd top && git update-index --split-index");
		struct repo *r = open_repository(f);
		char *top = xasprintf("%s/top", f->base);
		assert_true(repo_stand(r, top, paths, COUNT_OF(paths), &why));
		assert_int_equal(paths[0].standing, REPO_STAGED);
		assert_int_equal(strlen(paths[0].blob.text), i == 1 ? 64 : 40);
		assert_int_equal(paths[1].standing, REPO_IGNORED);
		assert_int_equal(paths[2].standing, REPO_UNTRACKED);
		free(top);
		repo_close(r);
		run("rm -rf top");
	}
}

static void a_file_in_conflict_is_as_this_side_has_it(void **state)
{
	static const char *const forms[] = { "", "--object-format=sha256" };
	struct folder *f = *state;

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct repo_path path = { .path = "a/b/f" };
		struct repo_entry entry;
		struct repo_commit commit;
		struct buf bytes = { 0 };
		enum repo_type type;
		struct repo_id id;
		struct fault why;
		bool there;
		make_repository(forms[i]);
		run("cd top && git checkout -qb other HEAD~1 && echo three >a/b/f && "
		    "git -c user.name=a -c user.email=b commit -qam third && "
		    "{ git -c user.name=a -c user.email=b merge -q main || true; } >/dev/null 2>&1");
		struct repo *r = open_repository(f);
		char *top = xasprintf("%s/top", f->base);
		assert_true(repo_stand(r, top, &path, 1, &why));
		assert_int_equal(path.standing, REPO_STAGED);
		assert_true(repo_resolve(r, STR("HEAD"), &id, &why));
		assert_true(repo_read(r, &id, SIZE_MAX, &type, &bytes, &why));
		assert_true(repo_commit_parse((struct str){ bytes.at, bytes.len }, &commit));
		assert_true(repo_below(r, &commit.tree, STR("a/b/f"), &there, &entry, &why));
		assert_string_equal(path.blob.text, entry.id.text);
		buf_release(&bytes);
		free(top);
		repo_close(r);
		run("rm -rf top");
	}
}

static void a_broken_object_is_said(void **state)
{
	struct folder *f = *state;
	struct repo_id id;
	struct buf bytes = { 0 };
	enum repo_type type;
	struct fault why;

	make_repository("");
	run("cd top && o=$(git rev-parse HEAD:a/b/f) && chmod u+w .git/objects/*/* && "
	    "echo broken >.git/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)");
	struct repo *r = open_repository(f);
	assert_true(repo_resolve(r, STR("HEAD"), &id, &why));
	struct repo_entry entry;
	struct repo_commit commit;
	bool there;
	assert_true(repo_read(r, &id, SIZE_MAX, &type, &bytes, &why));
	assert_true(repo_commit_parse((struct str){ bytes.at, bytes.len }, &commit));
	struct repo_id tree = commit.tree;
	assert_true(repo_below(r, &tree, STR("a/b/f"), &there, &entry, &why));
	assert_false(repo_read(r, &entry.id, SIZE_MAX, &type, &bytes, &why));
	assert_int_equal(why.code, FAULT_GIT);
	buf_release(&bytes);
	repo_close(r);
}

static void refuses_refs(struct folder *f, const char *name)
{
	struct repo *r = open_repository(f);
	struct fault why;

	assert_false(repo_refs_are_whole(r, &why));
	assert_int_equal(why.code, FAULT_GIT);
	assert_non_null(strstr(why.text, name));
	count_tips(r, 2);
	repo_close(r);
}

static void a_broken_ref_is_said(void **state)
{
	static const char *const forms[] = { "", "--object-format=sha256" };

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		make_repository(forms[i]);
		run("cd top && mkdir -p .git/refs/heads/deep && : >.git/refs/heads/deep/empty");
		refuses_refs(*state, "refs/heads/deep/empty");
		run("cd top && echo nonsense >.git/refs/heads/deep/empty");
		refuses_refs(*state, "refs/heads/deep/empty");
		run("rm -rf top");
	}
}

static void a_ref_that_leads_nowhere_or_a_name_that_is_none_is_not_broken(void **state)
{
	struct fault why;

	make_repository("");
	run("cd top && mkdir -p .git/refs/remotes/origin .git/refs/tags/.odd && "
	    "echo ref: refs/remotes/origin/gone >.git/refs/remotes/origin/HEAD && "
	    ": >.git/refs/heads/new.lock && : >.git/refs/tags/.DS_Store && : >.git/refs/tags/.odd/x");
	struct repo *r = open_repository(*state);
	assert_true(repo_refs_are_whole(r, &why));
	count_tips(r, 2);
	repo_close(r);
}

static void no_repository_is_said(void **state)
{
	struct folder *f = *state;
	struct repo *r;
	struct fault why;

	run("mkdir -p top/.git");
	assert_false(repo_open(f->common, f->common, &r, &why));
	assert_int_equal(why.code, FAULT_GIT);
}

static void junk_is_no_commit_and_no_tree(void **state)
{
	struct repo_id tree = { "0123456789012345678901234567890123456789" };
	struct repo_commit c;
	struct repo_entry e;
	struct str rest = STR("100644 a\0short");

	(void)state;
	assert_false(repo_commit_parse(STR("hello"), &c));
	assert_false(repo_commit_parse(STR(""), &c));
	assert_true(repo_commit_parse(STR("tree x\nparent y\nauthor"), &c));
	assert_false(repo_entry_next(&tree, &rest, &e));
	rest = STR("");
	assert_false(repo_entry_next(&tree, &rest, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_repository_is_read, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(also_one_that_the_library_refuses, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(and_one_with_harmless_extensions, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(files_are_staged_ignored_or_unknown, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(a_file_in_conflict_is_as_this_side_has_it,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_broken_ref_is_said, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			a_ref_that_leads_nowhere_or_a_name_that_is_none_is_not_broken, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(a_broken_object_is_said, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(no_repository_is_said, make_folder, remove_folder),
		cmocka_unit_test(junk_is_no_commit_and_no_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
