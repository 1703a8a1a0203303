/* SPDX-License-Identifier: MIT */
#ifndef TP_REPO_BACK_H
#define TP_REPO_BACK_H

#include "repo.h"

/* The two ways in which a repository is read, for repo.c alone. */
struct repo_back {
	bool (*open)(const char *common, const char *gitdir, void **into, struct fault *why);
	void (*close)(void *back);
	bool (*resolve)(void *back, struct str revision, struct repo_id *into, struct fault *why);
	bool (*read)(void *back, const struct repo_id *id, size_t max, enum repo_type *type,
		     struct buf *into, struct fault *why);
	/* `take` gets each branch's, remote branch's and tag's target. */
	bool (*refs)(void *back, void (*take)(void *ctx, const char *id), void *ctx,
		     struct fault *why);
	bool (*stand)(void *back, const char *top, struct repo_path *paths, size_t count,
		      struct fault *why);
};

extern const struct repo_back repo_by_library, repo_by_program;

/* What both say of a revision. */
bool repo_no_revision(struct str revision, struct fault *why);
bool repo_no_commit(struct str revision, struct fault *why);
bool repo_ambiguous(struct str revision, struct fault *why);
bool repo_unreadable(const struct repo_id *id, const char *cause, struct fault *why);
bool repo_object_too_large(const struct repo_id *id, size_t size, struct fault *why);

#endif
