/* SPDX-License-Identifier: MIT */
#ifndef TP_GATE_H
#define TP_GATE_H

#include "arena.h"
#include "ignored.h"
#include "index.h"

/*
 * The one rule that says whether a Ticket may be accepted now.  Every surface
 * asks here.  Pure: the same index and the same time give the same answer.
 */
struct reason_row {
	enum reason code;
	enum severity severity;
	enum origin origin;
	struct str other;  /* absent where none is meant */
	int other_state;   /* enum state, -1 where none is meant */
	struct str source;
	const struct decision *decision; /* the record behind it, or NULL */
	struct str text;
};

struct gate {
	const struct ticket *ticket;
	enum verdict verdict;
	struct reason_row *reasons; /* in the order of reasons.def, then by time, then record */
	size_t count;
	size_t holds; /* how many of them hold */
};

/* Whether what holds by this reason is that another Ticket is not there yet. */
static inline bool reason_waits(const struct reason_row *row)
{
	return row->code == REASON_BLOCKED || row->code == REASON_ORDERED ||
	       row->code == REASON_UNMERGED;
}

/* For nobody in particular.  Everything in *gate lives in the arena or the index. */
void gate_of(const struct index *ix, const struct ticket *ticket, int64_t now, struct arena *arena,
	     struct gate *gate);
/* For this session (absent: nobody): what it claims itself does not hold it. */
void gate_for(const struct index *ix, const struct ticket *ticket, int64_t now, struct str session,
	      struct arena *arena, struct gate *gate);

/*
 * The same but for the note on a cycle, which takes a search: for who walks from
 * Ticket to Ticket and sees cycles on the way.
 */
void gate_without_cycle(const struct index *ix, const struct ticket *ticket, int64_t now,
			struct arena *arena, struct gate *gate);
void gate_for_without_cycle(const struct index *ix, const struct ticket *ticket, int64_t now,
			    struct str session, struct arena *arena, struct gate *gate);

/*
 * Once git was asked what it ignores of the records in no commit (NULL: it was not):
 * the note on them advises a commit, which is of no use for those.
 */
void gate_tell_ignored(const struct index *ix, const struct ignored *ignored, struct arena *arena,
		       struct gate *gate);

#endif
