/* SPDX-License-Identifier: MIT */
#ifndef TP_IGNORED_H
#define TP_IGNORED_H

#include "arena.h"
#include "buf.h"
#include "fault.h"
#include "index.h"

/*
 * Which artifact files git ignores, in each checkout: a doctor asks, and a gate
 * that has records in no commit, for no commit will ever have them.  First the
 * list of all there are; once git was asked, of those alone.
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
	uint64_t from; /* the index's generation when the list was made */
	bool known;
};

/* What the index has, or has of one Ticket; the caller's. */
struct ignored *ignored_new(struct index *ix, const struct ticket *only);
/*
 * The same of a Ticket's records that are in no commit; NULL where it has none.  A
 * file of which ignored_remember was told that git would add it is not asked for again.
 */
struct ignored *ignored_new_loose(struct index *ix, const struct ticket *ticket);
void ignored_remember(const struct ignored *g, const struct index *ix, const struct ticket *ticket,
		      struct arena *arena);
/* NULL is fine. */
void ignored_free(struct ignored *g);

/* What is known of a checkout; NULL for nothing, also where `g` is NULL or not known yet. */
const struct ignored_in *ignored_of(const struct ignored *g, const char *source);
/* Whether git ignores that file, path from the top. */
bool ignored_has(const struct ignored_in *in, const char *path);
/* The same of a file of the index, so far as git was asked. */
bool ignored_doc(const struct ignored *g, const struct index *ix, const struct doc *doc,
		 struct arena *arena);

/*
 * What it means that git ignores something, and how to find the rule: of a "FILE"
 * or a "FOLDER", and so many more of its Ticket.
 */
struct str ignored_text(struct arena *arena, struct str something, const char *what, size_t more);

#endif
