/* SPDX-License-Identifier: MIT */
#ifndef TP_BRIEF_H
#define TP_BRIEF_H

#include "buf.h"
#include "index.h"

/*
 * What one who forgot everything has to know, in one text of limited length.
 * The sections, in this order, each by the order of its list:
 *
 *   the queue with verdicts and what holds; accepted plans under way; live claims;
 *   waits with their conditions; holds on Tickets not queued yet; bypasses; problems;
 *   decisions and plans in the threads of queued and running Tickets.
 *
 * Equal trees give equal texts.  Each section is sure of a share of the length;
 * what one leaves over, the first ones that need it get.
 */

/* Read a Ticket's thread.md into `text`; false where there is none. */
typedef bool brief_thread_fn(void *ctx, const struct copy *copy, struct buf *text);

struct brief {
	struct str text;
	struct str *cut; /* a line a section that lost some: what, and how to ask for it */
	size_t cut_count;
};

void brief_of(struct index *ix, int64_t now, struct str session, size_t max,
	      brief_thread_fn *thread, void *ctx, struct arena *arena, struct brief *brief);

#endif
