/* SPDX-License-Identifier: MIT */
#ifndef TP_FEED_H
#define TP_FEED_H

#include "service.h"

/*
 * A feed tells a client which Tickets changed.  It is a cursor, not a queue: all
 * it holds is the generation up to which was told, and what is told is the
 * difference between then and now.  So a client that does not read costs one
 * notification, and is told later what differs by then.
 */
struct feed {
	struct feed *prev, *next;
	int64_t number;
	uint64_t sent; /* the generation up to which was looked */
	uint64_t from; /* that up to which the client was told: `to` of its last notification */
	struct pace pace;
	int64_t quiet; /* how long nothing shall have changed, in ticks */
	bool fresh;    /* nobody knows what changed since `sent` */
	/* What it is about; all zero is everything. */
	struct arena arena;
	struct str *tickets; /* ids, sorted */
	size_t ticket_count;
	uint64_t kinds, statuses;
	struct str source;
	uint64_t sources; /* bits that this name had so far */
	bool verdicts, claims;
};

/* At most so many ids in a notification. */
#define FEED_IDS_MAX 1000
/* For how long nothing shall have changed, unless the client says so, in ticks. */
#define FEED_QUIET 5000
/* However much changes, what did is told after so long. */
#define FEED_CEILING 100000

/* By the parameters of feed.subscribe; names that nobody has are added to *unknown. */
bool feed_make(struct call *call, const struct feed_subscribe_params *p, struct feed **into,
	       struct str **unknown, size_t *unknown_count, struct fault *why);
void feed_free(struct feed *feed);

/*
 * Write the next notification into `out`; false where nothing that it is about
 * has changed.  In any case the cursor goes on; whether to the end says the
 * feed's `sent`.
 */
bool feed_tell(struct feed *feed, struct service *service, struct buf *out);
/* The same, without saying what changed. */
void feed_tell_fresh(struct feed *feed, struct service *service, struct buf *out);

#endif
