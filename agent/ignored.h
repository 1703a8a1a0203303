/* SPDX-License-Identifier: MIT */
#ifndef TP_IGNORED_H
#define TP_IGNORED_H

#include "buf.h"
#include "fault.h"
#include "index.h"

/*
 * Which artifact files git ignores, in each checkout: a doctor asks, for no commit
 * will ever have them.  First the list of all there are; once git was asked, of
 * those alone.
 */
struct ignored_in {
	char *source, *top;
	char *root;       /* the Ticket tree from the top; NULL where it is the top */
	struct buf bytes; /* paths from the top, each with its NUL, */
	char **paths;     /* and where they begin, sorted once git was asked */
	size_t count;
	bool whole;  /* git ignores the whole tree; the list is empty */
	bool failed; /* git cannot be asked: why; the list is empty */
	struct fault why;
};

struct ignored {
	struct ignored_in at[SOURCES_MAX];
	size_t count;
	bool known;
};

/* What the index has, or has of one Ticket; the caller's. */
struct ignored *ignored_new(struct index *ix, const struct ticket *only);
/* NULL is fine. */
void ignored_free(struct ignored *g);

/* What is known of a checkout; NULL for nothing, also where `g` is NULL or not known yet. */
const struct ignored_in *ignored_of(const struct ignored *g, const char *source);
/* Whether git ignores that file, path from the top. */
bool ignored_has(const struct ignored_in *in, const char *path);

#endif
