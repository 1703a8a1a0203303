/* SPDX-License-Identifier: MIT */
#ifndef TP_REVISION_H
#define TP_REVISION_H

#include "index.h"
#include "repo.h"

/*
 * The Ticket tree of a commit, read into an index as a fresh checkout of it
 * would be.  On git's thread.
 */

/* Where the tree lies in a commit: `configured`, else where it is usual and holds Tickets. */
bool revision_root(struct repo *repo, const struct repo_id *tree, const char *configured,
		   const char **root, struct repo_id *into, struct fault *why);

/* An index with one source of that name, settled.  FAULT_NO_TREE where the commit has no tree. */
bool revision_index(struct repo *repo, const struct repo_id *commit, const char *configured,
		    const char *source, struct index **into, struct fault *why);

/* The commit's tree. */
bool revision_tree(struct repo *repo, const struct repo_id *commit, struct repo_id *tree,
		   struct fault *why);

#endif
