/* SPDX-License-Identifier: MIT */
#ifndef TP_REPO_H
#define TP_REPO_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "fault.h"
#include "str.h"

/*
 * The objects of a repository: what commits hold.  Read by libgit2; where that
 * refuses the repository's form, by a `git` that runs beside us as long as the
 * repository is open.  Only reads; neither takes a lock, runs a hook or asks a
 * network.  Opened afresh for each piece of work, so what changed in between is
 * seen.  Used on one thread at a time, which is never the loop's.
 *
 * Object ids are hexadecimal text: 40 digits, or 64.
 */
struct repo;

#define REPO_ID_MAX 64

struct repo_id {
	char text[REPO_ID_MAX + 1];
};

enum repo_type { REPO_COMMIT, REPO_TREE, REPO_BLOB, REPO_TAG };

/* `gitdir`: whose HEAD is meant, the common directory or one of worktrees/. */
bool repo_open(const char *common, const char *gitdir, struct repo **into, struct fault *why);
void repo_close(struct repo *repo);

/* The commit that a revision means, written as git takes it: FAULT_NO_REVISION, FAULT_AMBIGUOUS. */
bool repo_resolve(struct repo *repo, struct str revision, struct repo_id *into, struct fault *why);

/*
 * An object's bytes, in place of what `into` held; an object of more than `max` bytes is refused.
 */
bool repo_read(struct repo *repo, const struct repo_id *id, size_t max, enum repo_type *type,
	       struct buf *into, struct fault *why);

/*
 * What branches, remote branches and tags point to, and then what the HEADs of
 * the checkouts do.  *held: how many of them are of the first kind.  The
 * caller's to free.
 */
bool repo_tips(struct repo *repo, struct repo_id **tips, size_t *count, size_t *held,
	       struct fault *why);

/*
 * FAULT_GIT where a ref is broken: git and its library pass over it, and what it leads to is
 * missed without a word.
 */
bool repo_refs_are_whole(const struct repo *repo, struct fault *why);

/* How a file stands to git in the checkout whose top this is. */
enum repo_standing { REPO_UNTRACKED, REPO_IGNORED, REPO_STAGED };

/*
 * Of each path, from the checkout's top: whether git's index has it (and as which
 * blob; of one in conflict, this side's), or it is ignored.
 */
struct repo_path {
	const char *path;
	enum repo_standing standing;
	struct repo_id blob; /* STAGED */
};
bool repo_stand(struct repo *repo, const char *top, struct repo_path *paths, size_t count,
		struct fault *why);

/* -- What objects say --------------------------------------------------- */

enum repo_kind { REPO_FILE, REPO_FOLDER, REPO_LINK, REPO_MODULE };

struct repo_entry {
	enum repo_kind kind;
	struct str name;
	struct repo_id id;
};

/* The next entry of the bytes of this tree; false at the end, or where they are none of a tree. */
bool repo_entry_next(const struct repo_id *tree, struct str *rest, struct repo_entry *entry);

/* Text borrows from the bytes. */
struct repo_commit {
	struct repo_id tree;
	struct str parents; /* for repo_parent_next */
	struct str author;  /* the name alone */
	struct str subject;
	int64_t at; /* when it was committed, microseconds since 1970 */
};

bool repo_commit_parse(struct str bytes, struct repo_commit *commit);
bool repo_parent_next(struct str *rest, struct repo_id *parent);
/* What an annotated tag points to. */
bool repo_tag_parse(struct str bytes, struct repo_id *target);

/*
 * What lies at a path below a tree, "" or "." for the tree itself; *there says
 * whether anything does.
 */
bool repo_below(struct repo *repo, const struct repo_id *tree, struct str path, bool *there,
		struct repo_entry *entry, struct fault *why);

/* Where history ends because the clone is shallow: a commit's id a line; "" for a whole one. */
struct str repo_shallow(const struct repo *repo);
/* Whether history ends at this commit because the clone is shallow. */
bool repo_is_shallow_at(const struct repo *repo, const struct repo_id *commit);

#endif
