/* SPDX-License-Identifier: MIT */
#ifndef TP_WHY_H
#define TP_WHY_H

#include "gate.h"

/*
 * The tree of holds: why a Ticket is held, and what holds those that hold it.
 */
struct why_row {
	uint32_t depth;
	const struct ticket *ticket;      /* NULL where the hold is no other Ticket */
	const struct reason_row *reason;  /* NULL for the asked Ticket */
	bool cycle;                       /* the Ticket stands above itself */
	bool repeated;                    /* it was told already: nothing is told below it again */
};

/*
 * Tell each row as it is found: parents before children, children in the order
 * of the gate for this session.  A row is the teller's during the call only;
 * what it points to is the index's and the arena's.  Gives how many were told.
 */
typedef void why_teller(void *data, const struct why_row *row);
size_t why_of(const struct index *ix, const struct ticket *ticket, int64_t now, struct str session,
	      struct arena *arena, why_teller *teller, void *data);

#endif
