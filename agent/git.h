/* SPDX-License-Identifier: MIT */
#ifndef TP_GIT_H
#define TP_GIT_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

/*
 * What we ask of git, by libgit2.  Only reads; nothing below the git directory
 * is ever written.  Configuration is read from the files themselves, so a
 * repository of a form that libgit2 cannot open still has one.
 */
struct git;

/* `common` is the git common directory. */
bool git_new(const char *common, struct git **into, struct fault *why);
void git_free(struct git *git);

/* Read the configuration anew. */
void git_reload(struct git *git);
/* A value, the caller's to free, or NULL. */
char *git_config_text(const struct git *git, const char *key);
/*
 * ticketplan.root without what means nothing in a path (`./a//b/` is `a/b`), the
 * caller's to free; NULL where none is named.  It may still lead anywhere.
 */
char *git_config_root(const struct git *git);
bool git_config_bool(const struct git *git, const char *key, bool otherwise);

/* A checkout of the repository. */
struct checkout {
	char *name; /* "main", or the linked worktree's git name */
	char *top;  /* its top folder, resolved */
};

/*
 * All that are there: the main one first (`main_top` if that is known, else where git's layout
 * says; none in a bare repository), then the linked ones by name.  Where ticketplan.sources names
 * some, with blanks or commas between, only those.  The caller's, for git_checkouts_free.
 */
struct checkout *git_checkouts(const struct git *git, const char *main_top, size_t *count);
void git_checkouts_free(struct checkout *list, size_t count);

#endif
