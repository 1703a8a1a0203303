/* SPDX-License-Identifier: MIT */
#ifndef TP_FOLLOW_H
#define TP_FOLLOW_H

#include "arena.h"
#include "trace.h"

/*
 * What became of the Tickets that changed: whether their verdict is another, and
 * whether they went past the gate.  It is noted in their traces, for readers that
 * come by later, each from another generation on.
 */
struct follow {
	struct index *ix;
	uint64_t to; /* the generation up to which was looked */
	uint64_t marks_since; /* from it on traces say what records and copies were; 0: not yet */
	struct arena arena; /* of one Ticket at a time */
};

/* From now on; the index is settled, and so is it in each call below. */
void follow_begin(struct follow *f, struct index *ix, int64_t now);
void follow_release(struct follow *f);
/* Look at what changed since the last time. */
void follow_up(struct follow *f, int64_t now);
/*
 * Keep in the traces what kinds and statuses of records, and what sources, each
 * Ticket ever had.  It takes a trace for every Ticket, so only where somebody
 * wants to know.
 */
void follow_all_marks(struct follow *f, int64_t now);

/* As it was noted last. */
enum verdict follow_verdict(const struct ticket *t);
/* Whether it is clear, and last became so after that generation. */
bool follow_woke(const struct trace *trace, uint64_t generation);

#endif
