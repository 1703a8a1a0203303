/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "reading.h"
#include "sources_private.h"

/* Where branches have more folders than that, what moves in the others is seen with the next. */
#define REFS_FOLDERS_MAX 256

/* False: it is not there.  One that is, and cannot be watched, makes us look each time. */
static bool watch_beside(struct sources *s, const char *path, watch_side_fn *fn)
{
	if (watch_side(s->watch, path, fn, s))
		return true;
	if (errno == ENOENT || errno == ENOTDIR)
		return false;
	s->refused = true;
	return true;
}

/* Any name matters. */
static void on_any(void *ctx, struct str name)
{
	struct sources *s = ctx;

	(void)name;
	s->stale = true;
}

/* Of worktrees/ all but what git writes on the way; "" is anything. */
static void on_worktrees(void *ctx, struct str name)
{
	if (!str_ends(name, STR(".lock")))
		on_any(ctx, name);
}

/* A branch moved, and nothing else of git need have changed. */
static void on_branches(void *ctx, struct str name)
{
	struct sources *s = ctx;

	s->git_changes += !str_ends(name, STR(".lock"));
}

/* Of a branch whose name has slashes the folders may be new. */
static void on_refs(void *ctx, struct str name)
{
	struct sources *s = ctx;

	on_branches(s, name);
	s->branched |= !str_ends(name, STR(".lock"));
}

/* Of a checkout's git folder: an index gets its name by the lock's losing it. */
static void on_git(struct sources *s, struct str name)
{
	on_branches(s, name);
	s->stirred |= !name.len || str_is(name, "index.lock");
}

static void on_common(void *ctx, struct str name)
{
	struct sources *s = ctx;

	on_git(s, name);
	if (!name.len || str_is(name, "config") || str_is(name, "config.worktree") ||
	    str_is(name, "worktrees"))
		on_any(ctx, name);
}

/* Where a linked checkout is: git writes that after it has made the folder. */
static void on_linked(void *ctx, struct str name)
{
	struct sources *s = ctx;

	on_git(s, name);
	if (!name.len || str_is(name, "gitdir") || str_is(name, "config.worktree"))
		on_any(ctx, name);
}

static void watch_linked(struct sources *s, const char *worktrees)
{
	DIR *dir = opendir(worktrees);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		char *path = xasprintf("%s/%s", worktrees, entry->d_name);
		watch_beside(s, path, on_linked);
		free(path);
	}
	if (dir)
		closedir(dir);
}

/* A folder of refs, and those in it; `room`: for how many. */
static void watch_refs(struct sources *s, const char *path, unsigned *room)
{
	DIR *dir = *room && watch_beside(s, path, on_refs) ? opendir(path) : NULL;
	struct dirent *entry;

	*room -= *room != 0;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		char *below = xasprintf("%s/%s", path, entry->d_name);
		watch_refs(s, below, room);
		free(below);
	}
	if (dir)
		closedir(dir);
}

void beside_refs(struct sources *s)
{
	char *refs = xasprintf("%s/refs", s->common), *branches = xconcat(refs, "/heads", NULL);
	char *table = xasprintf("%s/reftable", s->common);
	unsigned room = REFS_FOLDERS_MAX;

	s->branched = false;
	watch_refs(s, branches, &room);
	watch_refs(s, refs, &room);
	watch_beside(s, table, on_branches);
	free(refs);
	free(branches);
	free(table);
}

void beside_git(struct sources *s)
{
	char *worktrees = xasprintf("%s/worktrees", s->common);

	watch_beside(s, s->common, on_common);
	beside_refs(s);
	watch_beside(s, worktrees, on_worktrees);
	watch_linked(s, worktrees);
	free(worktrees);
}

/* Whether it is the name of a folder on the way to this root, or of the root. */
static bool is_on_the_way(const char *root, struct str name)
{
	while (*root) {
		size_t len = strcspn(root, "/");
		if (str_eq(name, (struct str){ root, len }))
			return true;
		root += len + (root[len] == '/');
	}
	return false;
}

/* Of a checkout's top, and of the folders above roots, only the roots' names matter. */
static void on_top(void *ctx, struct str name)
{
	struct sources *s = ctx;
	const char *root;

	s->stale |= !name.len;
	for (size_t i = 0; (root = site_root_at(s, i)); i++)
		s->stale |= is_on_the_way(root, name);
}

/* A folder that would be a tree if a Ticket were in it. */
static void watch_candidate(struct sources *s, const char *path, enum role role)
{
	DIR *dir = watch_beside(s, path, on_any) ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		enum role inner = layout_role(role, str_of(entry->d_name));
		if (inner != ROLE_BUCKET && inner != ROLE_TICKET)
			continue;
		char *below = xasprintf("%s/%s", path, entry->d_name);
		if (inner == ROLE_BUCKET)
			watch_candidate(s, below, inner);
		else
			watch_beside(s, below, on_any);
		free(below);
	}
	if (dir)
		closedir(dir);
}

/* The folders from the checkout's top down to where the root is, or would be. */
static void watch_above(struct site *site, const char *root)
{
	struct sources *s = site->all;
	char *path = xasprintf("%s/%s", site->top, root);

	for (char *slash = path + strlen(site->top); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		bool there = watch_beside(s, path, on_top);
		*slash = '/';
		if (!there)
			break;
	}
	free(path);
}

static void watch_way(struct site *site, const char *root)
{
	char *path = xasprintf("%s/%s", site->top, root);

	watch_above(site, root);
	if (!site->root || strcmp(site->root, root) != 0)
		watch_candidate(site->all, path, ROLE_ROOT);
	free(path);
}

/* Be told when a root appears or goes; one that comes before ours has to be looked into. */
void beside_top(struct site *site)
{
	struct sources *s = site->all;
	const char *root;

	site->contested = false;
	for (size_t i = 0; (root = site_root_at(s, i)); i++) {
		watch_way(site, root);
		if (site->root && strcmp(site->root, root) == 0)
			break;
		site->contested |= site->root && site_has_folder(site, root);
	}
	site->contested |= site->root && s->refused;
}

void beside_ways(struct site *site)
{
	const char *root;

	for (size_t i = 0; (root = site_root_at(site->all, i)); i++)
		watch_above(site, root);
}
