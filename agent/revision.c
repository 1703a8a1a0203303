/* SPDX-License-Identifier: MIT */
#include "revision.h"

#include <stdlib.h>

#include "reading.h"

/* A larger item.md is no longer read for the sake of its first lines. */
#define ITEM_BLOB_MAX  (256 * 1024 * 1024)
#define TREE_BYTES_MAX (256 * 1024 * 1024)
/* The root, a bucket, a Ticket, artifacts, records. */
#define DEPTH_MAX 5

struct reader {
	struct repo *repo;
	struct index *ix;
	int source;
	struct buf trees[DEPTH_MAX]; /* by depth */
	struct buf blob;
	struct buf path; /* from the root */
};

static bool read_tree(struct repo *repo, const struct repo_id *id, struct buf *into,
		      struct fault *why)
{
	enum repo_type type;

	if (!repo_read(repo, id, TREE_BYTES_MAX, &type, into, why))
		return false;
	return type == REPO_TREE ? true
				 : fault(why, FAULT_GIT, "git's object %s is no tree", id->text);
}

bool revision_tree(struct repo *repo, const struct repo_id *commit, struct repo_id *tree,
		   struct fault *why)
{
	struct buf bytes = { 0 };
	enum repo_type type;
	struct repo_commit c;
	bool ok = repo_read(repo, commit, TREE_BYTES_MAX, &type, &bytes, why);

	if (ok &&
	    (type != REPO_COMMIT || !repo_commit_parse((struct str){ bytes.at, bytes.len }, &c)))
		ok = fault(why, FAULT_GIT, "git's object %s is no commit", commit->text);
	if (ok)
		*tree = c.tree;
	buf_release(&bytes);
	return ok;
}

/* -- Where it is -------------------------------------------------------- */

static bool has_item(struct repo *repo, const struct repo_id *tree, bool *yes, struct fault *why)
{
	struct repo_entry entry;

	return repo_below(repo, tree, STR("item.md"), yes, &entry, why);
}

static bool holds_tickets(struct repo *repo, const struct repo_id *tree, enum role role, bool *yes,
			  struct fault *why)
{
	struct buf bytes = { 0 };
	struct repo_entry entry;
	bool ok = read_tree(repo, tree, &bytes, why);
	struct str rest = { bytes.at, bytes.len };

	*yes = false;
	while (ok && !*yes && repo_entry_next(tree, &rest, &entry)) {
		enum role inner = layout_role(role, entry.name);
		if (entry.kind != REPO_FOLDER)
			continue;
		if (inner == ROLE_TICKET)
			ok = has_item(repo, &entry.id, yes, why);
		else if (inner == ROLE_BUCKET)
			ok = holds_tickets(repo, &entry.id, ROLE_BUCKET, yes, why);
	}
	buf_release(&bytes);
	return ok;
}

bool revision_root(struct repo *repo, const struct repo_id *tree, const char *configured,
		   const char **root, struct repo_id *into, struct fault *why)
{
	struct repo_entry entry;
	bool there;

	*root = NULL;
	for (size_t i = 0; i < (configured ? 1 : READING_ROOTS) && !*root; i++) {
		const char *name = configured ? configured : reading_roots[i];
		if (!repo_below(repo, tree, str_of(name), &there, &entry, why))
			return false;
		if (!there || entry.kind != REPO_FOLDER)
			continue;
		if (!configured && !holds_tickets(repo, &entry.id, ROLE_ROOT, &there, why))
			return false;
		if (there) {
			*root = name;
			*into = entry.id;
		}
	}
	return true;
}

/* -- What it says ------------------------------------------------------- */

static struct str path_in(const struct reader *r)
{
	return (struct str){ r->path.at, r->path.len };
}

static bool read_file(struct reader *r, const struct repo_entry *entry, enum role role,
		      struct fault *why)
{
	size_t max = role == ROLE_ITEM ? ITEM_BLOB_MAX : ARTIFACT_FILE_MAX;
	struct content *content;
	enum repo_type type;

	if (entry->kind != REPO_FILE) {
		content = reading_broken(role, BENEATH_NOT_REGULAR, 0);
	} else if (repo_read(r->repo, &entry->id, max, &type, &r->blob, why)) {
		size_t len = r->blob.len < reading_max(role) ? r->blob.len : reading_max(role);
		content = reading_of(path_in(r), role,
				     (struct str){ r->blob.at ? r->blob.at : "", len });
	} else if (why->code == FAULT_TOO_LARGE && role != ROLE_ITEM) {
		content = content_broken(role, PROBLEM_TOO_LARGE, "the file has more than 64 MiB");
	} else {
		return false;
	}
	index_put(r->ix, r->source, path_in(r), content);
	return true;
}

static bool read_folder(struct reader *r, const struct repo_id *tree, enum role role,
			unsigned depth, struct fault *why);

/* What a checkout would have here: an empty folder for a module, nothing to follow for a link. */
static bool read_entry(struct reader *r, const struct repo_entry *entry, enum role role,
		       unsigned depth, struct fault *why)
{
	if (role_is_file(role))
		return read_file(r, entry, role, why);
	bool folder = entry->kind == REPO_FOLDER || entry->kind == REPO_MODULE;
	if (role == ROLE_BAD) {
		if (folder)
			reading_trouble(r->ix, r->source, path_in(r), role, BENEATH_OK, 0);
		return true;
	}
	if (folder)
		return entry->kind == REPO_MODULE ||
		       read_folder(r, &entry->id, role, depth + 1, why);
	reading_trouble(r->ix, r->source, path_in(r), role,
			entry->kind == REPO_LINK ? BENEATH_NOT_REGULAR : BENEATH_OK, 0);
	return true;
}

static bool read_folder(struct reader *r, const struct repo_id *tree, enum role role,
			unsigned depth, struct fault *why)
{
	struct repo_entry entry;
	size_t length = r->path.len;

	BUG_IF(depth >= DEPTH_MAX);
	struct buf *bytes = &r->trees[depth];
	if (!read_tree(r->repo, tree, bytes, why))
		return false;
	struct str rest = { bytes->at, bytes->len };
	while (repo_entry_next(tree, &rest, &entry)) {
		enum role inner = layout_role(role, entry.name);
		if (inner == ROLE_NONE || !entry.name.len ||
		    memchr(entry.name.at, '/', entry.name.len))
			continue;
		buf_addf(&r->path, "%s%.*s", length ? "/" : "", STR_ARG(entry.name));
		bool ok = read_entry(r, &entry, inner, depth, why);
		r->path.len = length;
		if (!ok)
			return false;
	}
	return true;
}

static bool no_tree(const struct repo_id *commit, const char *configured, struct fault *why)
{
	if (configured)
		return fault(
			why, FAULT_NO_TREE,
			"no Ticket tree in commit %.12s: ticketplan.root is %s, which is not in it",
			commit->text, configured);
	return fault(
		why, FAULT_NO_TREE,
		"no Ticket tree in commit %.12s: looked for Tickets in .yoi/tickets, .tickets and "
		"tickets",
		commit->text);
}

bool revision_index(struct repo *repo, const struct repo_id *commit, const char *configured,
		    const char *source, struct index **into, struct fault *why)
{
	struct reader r = { .repo = repo };
	struct repo_id tree, top;
	const char *root;

	if (!revision_tree(repo, commit, &tree, why) ||
	    !revision_root(repo, &tree, configured, &root, &top, why))
		return false;
	if (!root)
		return no_tree(commit, configured, why);
	r.ix = index_new();
	r.source = index_source_add(r.ix, source);
	index_source_set(r.ix, r.source, "", root, true);
	bool ok = read_folder(&r, &top, ROLE_ROOT, 0, why);
	for (size_t i = 0; i < DEPTH_MAX; i++)
		buf_release(&r.trees[i]);
	buf_release(&r.blob);
	buf_release(&r.path);
	index_settle(r.ix);
	if (ok)
		*into = r.ix;
	else
		index_free(r.ix);
	return ok;
}
