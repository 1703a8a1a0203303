/* SPDX-License-Identifier: MIT */
#ifndef TP_DIFF_H
#define TP_DIFF_H

#include "query.h"

/*
 * What changed between two indexes: Tickets, their states and verdicts, and
 * records.  Pure.
 */
struct diff_row {
	enum change what;
	struct str ticket;
	const char *before,
		*after; /* words: states, verdicts or statuses; NULL where there is none */
	const struct decision *d; /* the record, of the later side if that has it; or NULL */
};

/* By Ticket, then by what, then by record; of one Ticket where `only` is not absent. */
bool diff_of(struct index *from, struct index *to, struct str only, int64_t now,
	     struct arena *arena, struct page *page, struct diff_row **rows, struct fault *why);

#endif
