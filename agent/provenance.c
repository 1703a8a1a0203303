/* SPDX-License-Identifier: MIT */
#include "provenance.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "reading.h"
#include "repo.h"
#include "revision.h"

struct asking {
	struct job job; /* first */
	char *common;
	struct stances *stances; /* one of them */
	struct ignored *ignored;
	void *owner;
};

/* One checkout's repository, as it is read. */
struct looking {
	struct repo *repo;
	struct repo_id tree; /* of its commit; "" where there is none yet */
	struct fault *why;
};

char *provenance_gitdir(const char *common, const char *source)
{
	bool odd = source[0] == '.' || strchr(source, '/');
	char *dir = place_gitdir(common, odd ? "main" : source);

	if (access(dir, F_OK) == 0)
		return dir;
	free(dir);
	return xstrdup(common);
}

/* -- On git's thread ---------------------------------------------------- */

static int by_file(const void *x, const void *y)
{
	const struct stance *a = *(struct stance *const *)x, *b = *(struct stance *const *)y;
	int order = strcmp(a->source, b->source);

	return order ? order : strcmp(a->path, b->path);
}

/* The tree of the commit that the checkout is at; a branch without one yet has none. */
static bool find_tree(struct looking *l)
{
	struct repo_id commit;
	struct fault why;

	l->tree.text[0] = '\0';
	if (repo_resolve(l->repo, STR("HEAD"), &commit, &why))
		return revision_tree(l->repo, &commit, &l->tree, l->why);
	if (why.code == FAULT_NO_REVISION)
		return true;
	*l->why = why;
	return false;
}

/* What the commit has at this path: "" where no file. */
static bool find_blob(struct looking *l, const char *path, struct repo_id *blob)
{
	struct repo_entry entry;
	bool there;

	blob->text[0] = '\0';
	if (!l->tree.text[0])
		return true;
	if (!repo_below(l->repo, &l->tree, str_of(path), &there, &entry, l->why))
		return false;
	if (there && entry.kind == REPO_FILE)
		*blob = entry.id;
	return true;
}

static bool read_blob(struct looking *l, const struct repo_id *blob, const struct stance *s,
		      struct content **into)
{
	struct buf bytes = { 0 };
	enum repo_type type;

	*into = NULL;
	if (!blob->text[0])
		return true;
	bool ok = repo_read(l->repo, blob, ARTIFACT_FILE_MAX, &type, &bytes, l->why);
	if (ok)
		*into = reading_of(str_of(s->inner), s->content->role,
				   (struct str){ bytes.at ? bytes.at : "", bytes.len });
	buf_release(&bytes);
	return ok;
}

/* The records of one file that git tracks. */
static bool tell_tracked(struct looking *l, struct stance **files, size_t count,
			 const struct repo_path *p)
{
	struct content *committed = NULL, *staged = NULL;
	struct repo_id blob;
	bool ok = find_blob(l, p->path, &blob) && read_blob(l, &blob, files[0], &committed);

	if (ok && strcmp(blob.text, p->blob.text) != 0)
		ok = read_blob(l, &p->blob, files[0], &staged);
	for (size_t i = 0; ok && i < count; i++)
		files[i]->standing = stance_holds(committed, files[i]->record) ? STANDING_COMMITTED
				     : stance_holds(staged, files[i]->record)  ? STANDING_STAGED
									       : STANDING_MODIFIED;
	content_free(committed);
	content_free(staged);
	return ok;
}

static size_t same_file(struct stance **files, size_t count)
{
	size_t n = 1;

	while (n < count && strcmp(files[n]->path, files[0]->path) == 0)
		n++;
	return n;
}

static bool tell_all(struct looking *l, struct stance **files, size_t count,
		     const struct repo_path *paths)
{
	for (size_t n; count; files += n, count -= n, paths++) {
		n = same_file(files, count);
		if (paths->standing == REPO_STAGED && !tell_tracked(l, files, n, paths))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (paths->standing != REPO_STAGED)
				files[i]->standing = paths->standing == REPO_IGNORED
							     ? STANDING_IGNORED
							     : STANDING_UNTRACKED;
			files[i]->known = true;
		}
	}
	return true;
}

/* All of one checkout, by path. */
static bool look_in(struct looking *l, struct stance **files, size_t count)
{
	struct repo_path *paths = xcalloc(count, sizeof(*paths));
	size_t n = 0;

	for (size_t i = 0; i < count; i += same_file(files + i, count - i))
		paths[n++].path = files[i]->path;
	bool ok = find_tree(l) && repo_stand(l->repo, files[0]->top, paths, n, l->why) &&
		  tell_all(l, files, count, paths);
	free(paths);
	return ok;
}

static bool look_at(struct asking *a, struct stance **files, size_t count)
{
	struct looking l = { .why = &a->stances->why };
	char *gitdir = provenance_gitdir(a->common, files[0]->source);
	bool ok = repo_open(a->common, gitdir, &l.repo, l.why);

	free(gitdir);
	if (!ok)
		return false;
	ok = look_in(&l, files, count);
	repo_close(l.repo);
	return ok;
}

static void bg_ask(struct asking *a)
{
	struct stances *all = a->stances;
	struct stance **files = xcalloc(all->count + 1, sizeof(struct stance *));
	size_t count = 0, n;

	for (size_t i = 0; i < all->count; i++)
		if (!all->at[i].known)
			files[count++] = &all->at[i];
	if (count > 1)
		qsort(files, count, sizeof(struct stance *), by_file);
	for (size_t i = 0; i < count && !all->failed; i += n) {
		for (n = 1; i + n < count && strcmp(files[i]->source, files[i + n]->source) == 0;)
			n++;
		all->failed = !look_at(a, files + i, n);
	}
	all->unknown = 0;
	free(files);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keep the ignored ones of the list. */
static bool keep_ignored(struct ignored_in *in, struct repo *repo)
{
	struct repo_path *paths = xcalloc(in->count + 1, sizeof(*paths));
	size_t kept = 0;

	for (size_t i = 0; i < in->count; i++)
		paths[i].path = in->paths[i];
	bool ok = repo_stand(repo, in->top, paths, in->count, &in->why);
	for (size_t i = 0; ok && i < in->count; i++)
		if (paths[i].standing == REPO_IGNORED)
			in->paths[kept++] = in->paths[i];
	in->count = kept;
	if (kept > 1)
		qsort(in->paths, kept, sizeof(char *), by_text);
	free(paths);
	return ok;
}

/* Of a tree that is ignored as a whole, files may have been added by force. */
static bool see_whole(struct ignored_in *in, size_t all, struct repo *repo)
{
	struct repo_path root = { .path = in->root };

	if (!in->root || !all || in->count < all)
		return true;
	if (!repo_stand(repo, in->top, &root, 1, &in->why))
		return false;
	in->whole = root.standing == REPO_IGNORED;
	return true;
}

static void bg_ignored(struct asking *a)
{
	for (size_t i = 0; i < a->ignored->count; i++) {
		struct ignored_in *in = &a->ignored->at[i];
		char *gitdir = provenance_gitdir(a->common, in->source);
		struct repo *repo = NULL;
		size_t all = in->count;
		in->failed = !repo_open(a->common, gitdir, &repo, &in->why) ||
			     !keep_ignored(in, repo) || !see_whole(in, all, repo);
		in->count = in->failed ? 0 : in->count;
		repo_close(repo);
		free(gitdir);
	}
}

static void bg_ask_all(struct job *batch)
{
	for (; batch; batch = batch->next) {
		struct asking *a = (struct asking *)batch;
		if (a->stances)
			bg_ask(a);
		else
			bg_ignored(a);
	}
}

/* -- Given and taken ---------------------------------------------------- */

static struct job *ask(const char *common, struct stances *stances, struct ignored *ignored,
		       void *owner)
{
	struct asking *a = xcalloc(1, sizeof(*a));

	*a = (struct asking){ .job = { .run = bg_ask_all },
			      .common = xstrdup(common),
			      .stances = stances,
			      .ignored = ignored,
			      .owner = owner };
	return &a->job;
}

struct job *provenance_ask(const char *common, struct stances *stances, void *owner)
{
	stances->asked++;
	return ask(common, stances, NULL, owner);
}

struct job *provenance_ignored(const char *common, struct ignored *ignored, void *owner)
{
	return ask(common, NULL, ignored, owner);
}

bool provenance_is(const struct job *job)
{
	return job->run == bg_ask_all;
}

void *provenance_take(struct job *job)
{
	struct asking *a = (struct asking *)job;
	void *owner = a->owner;

	if (a->ignored)
		a->ignored->known = true;
	free(a->common);
	free(a);
	return owner;
}
