/* SPDX-License-Identifier: MIT */
#ifndef TP_LISTENER_H
#define TP_LISTENER_H

#include "feed.h"
#include "log.h"

/*
 * What one client waits to be told: its feeds, its calls of ticket.wait that are
 * not answered yet, and lines of the log.  Times are ticks, microseconds of a clock
 * that nobody sets.
 */
struct listener {
	struct service *service;
	struct buf *out; /* the client's output */
	struct feed *feeds;
	struct call *waits;
	size_t feed_count, wait_count;
	int64_t last; /* the number last given to a feed */
	bool logs;    /* it wants to hear of lines of the log, too */
	enum log_level level;
	uint64_t logged; /* how many lines there were when it last did */
};

/* How many of each a client may have, and all together. */
#define FEEDS_PER_CLIENT 64
#define FEEDS_MAX        8192
#define WAITS_PER_CLIENT 256
#define WAITS_MAX        16384

void listener_init(struct listener *l, struct service *service, struct buf *out);
/* The client has gone, and nobody waits any more. */
void listener_release(struct listener *l);

static inline bool listener_listens(const struct listener *l)
{
	return l->feeds || l->waits || l->logs;
}

/* The feed is taken over; refused where there are too many. */
bool listener_add(struct listener *l, struct feed *feed, struct fault *why);
bool listener_remove(struct listener *l, int64_t number, struct fault *why);
/* From now on it is told of lines of that level, and graver ones. */
void listener_follow_log(struct listener *l, enum log_level level);
/* Whether one more may wait. */
bool listener_may_wait(const struct listener *l, struct fault *why);
/* A parked call of ticket.wait. */
void listener_wait(struct listener *l, struct call *call);

/*
 * The index has changed, or the time has come: answer the waits that ended, note
 * which feeds are due when, and tell those that are, if the output is empty.
 * `news` says that the index has changed since the last time, `busy` that git is
 * at work.  Returns when to come again; 0: not before something changes, or the
 * output is taken.
 */
int64_t listener_turn(struct listener *l, int64_t now, bool news, bool busy);
/* Tell everything now, however much waits in the output; others are told in this turn. */
void listener_flush(struct listener *l);

/* The present time in ticks. */
int64_t ticks_now(void);

#endif
