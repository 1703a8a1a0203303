/* SPDX-License-Identifier: MIT */
#ifndef TP_QUERY_H
#define TP_QUERY_H

#include "fault.h"
#include "gate.h"
#include "index.h"

/*
 * Lists out of the index: selected, in a fixed order, in pages.
 *
 * A cursor is the place of the last row of a page in that order, not a number
 * of rows, so nothing is skipped or told twice when the tree changes between
 * two pages.  Clients treat it as opaque.
 */

/* A record as one Ticket sees it. */
struct seen {
	const struct decision *d;
	bool derived; /* from the other side */
};

struct record_filter {
	const struct ticket *ticket; /* NULL: the stored records of all */
	const struct ticket *other;  /* NULL: any */
	uint64_t kinds;              /* bit an enum kind; 0: any */
	struct str author;           /* absent: any */
	int64_t since, before;       /* microseconds since 1970; 0: any */
	enum scope scope;
	enum order order;
};

/* What a list takes beside its filter, and what it comes to. */
struct page {
	int64_t limit;     /* as asked, within the table's range; 0: the default */
	struct str cursor; /* absent: from the start */
	struct str session; /* the queue: who asks, for the gates; absent: nobody in particular */
	size_t count;      /* all rows that pass the filter */
	size_t first;      /* the page is rows[first .. first + returned) */
	size_t returned;
	struct str next;   /* absent on the last page */
};

/* Whether a list of that scope takes records of that status in. */
bool query_in_scope(enum status status, enum scope scope);

/* Put in the default. */
void page_begin(struct page *page);
/* Rows from `first` on make the page; true where there are more behind it and `next` is due. */
bool page_cut(struct page *page, size_t first);
/*
 * The same for rows that have no place of their own to go on from: the cursor is
 * a number of rows.
 */
bool page_by_number(struct arena *arena, struct page *page, struct fault *why);
/* What to say to a cursor that makes no sense; returns false. */
bool page_bad_cursor(struct fault *why);

/* Rows, arrays and cursors are allocated in the arena. */
bool query_records(struct index *ix, const struct record_filter *filter, int64_t now,
		   struct arena *arena, struct page *page, struct seen **rows, struct fault *why);

/* Tickets in one of the states (a bit each; 0: any), by id. */
void query_tickets(struct index *ix, uint64_t states, struct arena *arena, struct page *page,
		   struct ticket ***rows);

/*
 * Queued ones by queued_at, else updated_at, then id, with their gates; `clear`:
 * unheld ones only.  Rows are those of the page alone.
 */
bool query_queue(struct index *ix, bool clear, int64_t now, struct arena *arena, struct page *page,
		 struct gate **rows, struct fault *why);

/* The kind under which a record is seen. */
enum kind seen_kind(const struct seen *row);
/* The Ticket at its other end; NULL where it names none. */
const struct ticket *seen_other(const struct seen *row);

#endif
