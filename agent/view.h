/* SPDX-License-Identifier: MIT */
#ifndef TP_VIEW_H
#define TP_VIEW_H

#include "index.h"

/*
 * A view: an index of its own that holds what one commit says, or one checkout
 * alone, for questions that are not about everything as it is now.  Shared by
 * count; on one thread at a time.
 */
struct view {
	unsigned refs;
	struct index *ix; /* with one source, which is its own authority */
	char *commit;     /* whose tree it is; NULL for a checkout */
	char *source;     /* the checkout, or the one from which the commit was seen */
	char *root;       /* as configured when it was made, or NULL */
	uint64_t from;    /* checkout: the generation of the live index at which it was made */
	unsigned made;    /* commit: the how-manieth view it is, so that no clock comes twice */
};

/* With one reference; the index is taken over, the text copied. */
struct view *view_new(struct index *ix, const char *commit, const char *source, const char *root);
struct view *view_share(struct view *view);
/* Drop a reference; the last one frees it.  NULL is fine. */
void view_free(struct view *view);

/* What a source of this index says; contents are shared with it. */
struct index *view_of_source(struct index *ix, int source);

#endif
