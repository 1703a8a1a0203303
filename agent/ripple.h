/* SPDX-License-Identifier: MIT */
#ifndef TP_RIPPLE_H
#define TP_RIPPLE_H

#include "index.h"

/*
 * Whose answers a change reaches.
 *
 * The answer of a Ticket speaks of other Tickets: whether they are there, their
 * state and title, whether somebody works on them, the records in which they
 * name it, and the cycle it is in.  So a change of one Ticket is a change of its
 * neighbours in the graph of records, of those that wait for it or for a free
 * place, and of those on a cycle through it.  Looked for are differences: what
 * a dirty Ticket was is kept when it is soiled, and held against what it became.
 *
 * For the index itself.
 */

/* Before the first change of a Ticket in this turn. */
void ripple_before(struct index *ix, struct ticket *t);
/* After the dirty ones were settled, before they count as clean: stamp all that changed. */
void ripple_spread(struct index *ix);
void ripple_release(struct index *ix);

#endif
