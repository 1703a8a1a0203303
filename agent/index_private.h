/* SPDX-License-Identifier: MIT */
#ifndef TP_INDEX_PRIVATE_H
#define TP_INDEX_PRIVATE_H

#include "index.h"

/*
 * The index from within: for index.c (Tickets, sources, numbers), intake.c (what
 * files are there), settle.c (what they come to), waits.c (who waits for what),
 * ids.c (which ids records have), trace.c and ripple.c (who changed), and nobody else.
 */
struct index {
	struct ticket *tickets; /* by id, those that are only named too */
	struct source sources[SOURCES_MAX];
	struct copy *lost; /* of all Tickets: those that hold records whose files are gone */
	struct stray *strays;
	char *misset; /* what is wrong with the settings, or NULL */
	char *past_failure;
	struct ticket *dirty;
	struct ticket **sorted; /* NULL: to be made again */
	size_t there;           /* Tickets that are there */
	size_t records;
	size_t flaws;
	size_t occupied;
	struct waiter *waiters;
	struct awaited *awaited; /* Tickets that others wait for */
	size_t free_waits;       /* waiters that wait for a free place */
	int64_t now;       /* as far as index_pass_time was told */
	int64_t next_time; /* the first later one that ends a wait; 0: none */
	bool times_stale;  /* times came or went since next_time was found */
	uint64_t generation;
	uint64_t drops; /* artifact files that were dropped, ever */
	uint64_t serials; /* of sources, given so far */
	unsigned epoch;
	bool changed;
	/* trace.c and ripple.c */
	bool followed;
	uint64_t settled;      /* the generation before this settling */
	uint64_t horizon;
	int64_t told_now;      /* as of the last settling */
	size_t told_occupied;
	struct trace *row;
	struct gone *gone, *gone_row;
	struct loop *loops;
	struct ids *ids; /* of record files; or NULL */
};

/* A Ticket with a wait that ends by itself, or a plan that grows old. */
struct waiter {
	UT_hash_handle hh; /* by ticket */
	struct ticket *ticket;
	struct await *awaits; /* Tickets */
	bool timed, free;     /* a time; a free place */
};

/*
 * What a dirty Ticket waits for; its own records before `from` are those it had when it settled
 * last.
 */
void waits_settle(struct index *ix, struct ticket *t, uint32_t from);
/* Whether waits for a time or a place may have begun or ended since the last settling. */
bool waits_moved(const struct index *ix);
/* All that wait for the Ticket of that id. */
void waits_reach(struct index *ix, struct str id, void (*reach)(struct index *, struct ticket *));
/* Find out the next time that ends a wait. */
void waits_set_time(struct index *ix);

/* A file's records, so that their ids are found. */
void ids_add(struct index *ix, const struct content *content);
void ids_free(struct index *ix);

/* The Ticket of that id, made as one that is only named if there is none. */
struct ticket *ticket_find_or_make(struct index *ix, struct str id);
/* Something of the Ticket changed: look at it again in index_settle. */
void ticket_soil(struct index *ix, struct ticket *t);
/* The same where its records are as they were, but for files that came. */
void ticket_touch(struct index *ix, struct ticket *t);
/* A Ticket that is not there and that nobody names any more has no place here. */
void ticket_drop_if_unknown(struct index *ix, struct ticket *t);
/* Tickets came or went: their order is to be made again. */
void index_unsort(struct index *ix);

#endif
