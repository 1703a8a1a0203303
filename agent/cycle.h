/* SPDX-License-Identifier: MIT */
#ifndef TP_CYCLE_H
#define TP_CYCLE_H

#include "index.h"

/*
 * Who waits for whom: the edges by which a Ticket that is not resolved waits
 * for another that is not, whichever of the two holds the record.  No walk
 * here recurses: chains may be as long as the tree is large.
 */

/* The Tickets that this one waits for, each record once; walk until NULL. */
struct wait_walk {
	const struct ticket *ticket;
	uint32_t own;
	const struct decision *incoming;
	bool begun;
};
struct ticket *wait_next(struct wait_walk *walk);

/* Tickets looked at for one by those that ask for many: a long chain has a gate for each. */
#define CYCLE_SOUGHT 256

/* The Ticket and those it waits for, through others; no more than `sought`, the nearest. */
size_t cycle_reach(struct ticket *ticket, size_t sought, struct arena *arena,
		   struct ticket ***list);

/*
 * A shortest way from the Ticket back to itself; 0 where there is none, and where
 * more than `sought` Tickets had to be looked at to find it.
 */
size_t cycle_of(const struct ticket *ticket, size_t sought, struct arena *arena,
		struct ticket ***loop);

/*
 * The groups of Tickets each of which waits, through others, for all of its
 * group (strongly connected components of two or more), one after the other in
 * *groups, each ended by NULL.  Returns their number.
 */
size_t cycle_groups(struct ticket *const *tickets, size_t count, struct arena *arena,
		    struct ticket ***groups);

#endif
