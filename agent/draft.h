/* SPDX-License-Identifier: MIT */
#ifndef TP_DRAFT_H
#define TP_DRAFT_H

#include "content.h"
#include "index.h"
#include "ledger.h"

/*
 * A record about to be written: made of what was asked, checked, turned into
 * the bytes of its file.  Text borrows from the call.
 */
struct draft {
	struct str id; /* a ULID */
	const struct ticket *ticket;
	enum kind kind;
	struct str other; /* an id */
	struct str note;
	struct plan plan; /* for the kind that takes one */
	struct until until;
	struct str retracts;
	struct str author;
	int64_t at;
	struct str asking; /* the checkout in which it is asked for */
	bool to_asking;    /* that is where records go, not the authority's */
};

/* `ticket:ID=STATE`, `after:TIME`, `human`, `free:N`; the Ticket must be there. */
bool draft_until(struct index *ix, struct str text, struct until *until, struct fault *why);

/*
 * Limits, one line where one line belongs, nothing of this machine, and what
 * the kind needs and may not have.  Rewrites the worktree to a label.  Text that
 * is blank counts as absent: it becomes so, and where text is needed it is missing.
 */
bool draft_check(const struct index *ix, struct draft *draft, struct arena *arena,
		 struct fault *why);

/*
 * The folder of the Ticket into which its records go: that of the authority, or
 * of the asking checkout where that is wanted or the authority has none, or of
 * any.  NULL where no checkout has the Ticket.
 */
const struct copy *draft_where(const struct index *ix, const struct ticket *t, struct str asking,
			       bool to_asking);

/* Its file: where it is stored already, else where records go. */
struct ledger_entry *draft_entry(const struct index *ix, const struct draft *draft,
				 const struct decision *stored);

/* Whether a stored record says what the entry's file would, but for the time. */
bool draft_is(const struct decision *stored, const struct ledger_entry *entry);

#endif
