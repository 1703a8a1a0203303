/* SPDX-License-Identifier: MIT */
#ifndef TP_LOG_ROWS_H
#define TP_LOG_ROWS_H

#include "past.h"
#include "query.h"

/*
 * Records as they are joined with the past: each that the index or a commit
 * has, once.  Pure.
 */
struct log_row {
	struct str ticket, id;
	const struct decision *d;       /* as it is now; NULL where no checkout has it */
	const struct past_record *past; /* NULL where no commit has it */
	const struct record *record;    /* of either; NULL where its content is not known */
};

struct log_filter {
	struct str ticket;     /* an id; absent: all */
	uint64_t kinds;        /* bit an enum kind; 0: any */
	struct str author;     /* absent: any */
	int64_t since, before; /* microseconds since 1970; 0: any */
};

/* Newest first. */
bool log_rows(struct index *ix, const struct past *past, const struct log_filter *filter,
	      struct arena *arena, struct page *page, struct log_row **rows, struct fault *why);

/* The retraction that took it back, now or in the past; NULL for none. */
const struct record *log_retraction(const struct index *ix, const struct past *past,
				    const struct log_row *row);

#endif
