/* SPDX-License-Identifier: MIT */
#include "repo_back.h"

#include <stdio.h>
#include <stdlib.h>

#include <git2.h>

#include "base.h"

/* A repository by libgit2. */

static const char *said(void)
{
	const git_error *e = git_error_last();

	return e && e->message ? e->message : "libgit2 gives no reason";
}

static bool lib_open(const char *common, const char *gitdir, void **into, struct fault *why)
{
	git_repository *repo;

	(void)common;
	if (git_repository_open(&repo, gitdir) < 0)
		return fault(why, FAULT_GIT, "%s", said());
	*into = repo;
	return true;
}

static void lib_close(void *back)
{
	git_repository_free(back);
}

static void take_id(const git_oid *oid, struct repo_id *into)
{
	git_oid_tostr(into->text, sizeof(into->text), oid);
}

static bool lib_resolve(void *back, struct str revision, struct repo_id *into, struct fault *why)
{
	char *text = xstrndup(revision.at, revision.len);
	git_object *found = NULL, *commit = NULL;
	int result = git_revparse_single(&found, back, text);

	free(text);
	if (result == GIT_EAMBIGUOUS)
		return repo_ambiguous(revision, why);
	if (result == GIT_ENOTFOUND || result == GIT_EINVALIDSPEC || result == GIT_EPEEL)
		return repo_no_revision(revision, why);
	if (result < 0)
		return fault(why, FAULT_GIT, "\"%.*s\" cannot be looked up: %s",
			     (int)(revision.len > 128 ? 128 : revision.len), revision.at, said());
	result = git_object_peel(&commit, found, GIT_OBJECT_COMMIT);
	git_object_free(found);
	if (result < 0)
		return repo_no_commit(revision, why);
	take_id(git_object_id(commit), into);
	git_object_free(commit);
	return true;
}

static bool lib_read_from(git_odb *odb, const struct repo_id *id, size_t max, enum repo_type *type,
			  struct buf *into, struct fault *why)
{
	git_object_t kind;
	git_odb_object *object;
	git_oid oid;
	size_t size;

	if (git_oid_fromstr(&oid, id->text) < 0)
		return repo_unreadable(id, "it is no id", why);
	if (max < SIZE_MAX && git_odb_read_header(&size, &kind, odb, &oid) == 0 && size > max)
		return repo_object_too_large(id, size, why);
	if (git_odb_read(&object, odb, &oid) < 0)
		return repo_unreadable(id, said(), why);
	kind = git_odb_object_type(object);
	*type = kind == GIT_OBJECT_COMMIT ? REPO_COMMIT
		: kind == GIT_OBJECT_TREE ? REPO_TREE
		: kind == GIT_OBJECT_TAG  ? REPO_TAG
					  : REPO_BLOB;
	buf_add(into, git_odb_object_data(object), git_odb_object_size(object));
	git_odb_object_free(object);
	return true;
}

static bool lib_read(void *back, const struct repo_id *id, size_t max, enum repo_type *type,
		     struct buf *into, struct fault *why)
{
	git_odb *odb;

	if (git_repository_odb(&odb, back) < 0)
		return repo_unreadable(id, said(), why);
	bool ok = lib_read_from(odb, id, max, type, into, why);
	git_odb_free(odb);
	return ok;
}

static bool lib_refs_like(git_repository *repo, const char *glob,
			  void (*take)(void *ctx, const char *id), void *ctx)
{
	git_reference_iterator *it;
	const char *name;
	struct repo_id id;
	git_oid oid;

	if (git_reference_iterator_glob_new(&it, repo, glob) < 0)
		return false;
	while (git_reference_next_name(&name, it) == 0)
		if (git_reference_name_to_id(&oid, repo, name) == 0) {
			take_id(&oid, &id);
			take(ctx, id.text);
		}
	git_reference_iterator_free(it);
	return true;
}

static bool lib_refs(void *back, void (*take)(void *ctx, const char *id), void *ctx,
		     struct fault *why)
{
	if (lib_refs_like(back, "refs/heads/*", take, ctx) &&
	    lib_refs_like(back, "refs/remotes/*", take, ctx) &&
	    lib_refs_like(back, "refs/tags/*", take, ctx))
		return true;
	return fault(why, FAULT_GIT, "git's refs cannot be read: %s", said());
}

static bool lib_stand_in(git_repository *repo, git_index *index, struct repo_path *p)
{
	const git_index_entry *entry = git_index_get_bypath(index, p->path, 0);
	int ignored = 0;

	/* Of one in conflict, what this side has. */
	entry = entry ? entry : git_index_get_bypath(index, p->path, 2);
	p->standing = REPO_UNTRACKED;
	if (entry) {
		p->standing = REPO_STAGED;
		take_id(&entry->id, &p->blob);
	} else if (git_ignore_path_is_ignored(&ignored, repo, p->path) < 0) {
		return false;
	} else if (ignored) {
		p->standing = REPO_IGNORED;
	}
	return true;
}

static bool lib_stand(void *back, const char *top, struct repo_path *paths, size_t count,
		      struct fault *why)
{
	git_repository *repo;
	git_index *index = NULL;

	(void)back;
	/* The checkout's own index, which need not be that of the repository that asks. */
	if (git_repository_open(&repo, top) < 0)
		return fault(why, FAULT_GIT, "%s", said());
	bool ok = git_repository_index(&index, repo) == 0;
	for (size_t i = 0; ok && i < count; i++)
		ok = lib_stand_in(repo, index, &paths[i]);
	if (!ok)
		fault(why, FAULT_GIT, "git's index of %s cannot be read: %s", top, said());
	git_index_free(index);
	git_repository_free(repo);
	return ok;
}

const struct repo_back repo_by_library = {
	.open = lib_open,
	.close = lib_close,
	.resolve = lib_resolve,
	.read = lib_read,
	.refs = lib_refs,
	.stand = lib_stand,
};
