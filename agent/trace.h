/* SPDX-License-Identifier: MIT */
#ifndef TP_TRACE_H
#define TP_TRACE_H

#include "index.h"

/*
 * Who changed when.  An index that is followed stands every Ticket whose answer
 * changed since then in a row, by the generation of its last change, and keeps
 * the names of the last TRACE_GONE_MAX that went.  No two share a generation, so
 * a reader may stop behind any of them and go on there later.
 *
 * A Ticket's answer changes where its own files do, and where something else
 * does that it speaks of: see ripple.h.
 */
#define TRACE_GONE_MAX 65536

struct before;

struct trace {
	struct trace *prev, *next; /* in the row; next is NULL at its end */
	struct ticket *ticket;
	uint64_t generation;   /* of its last change; 0: not in the row yet */
	uint64_t verdict_at;   /* at which its verdict last became another; 0: never */
	uint64_t bypass_at;    /* at which it was last seen to go past the gate; 0: never */
	uint64_t claim_at;     /* at which its claim last came, went or was renewed; 0: never */
	uint64_t claim;        /* the one it has, as a hash; 0: none */
	struct before *before; /* while it is dirty: what it was */
	/* What its records and copies ever were since follow_all_marks. */
	uint64_t sources;  /* bit a source */
	uint64_t kinds;    /* bit a kind, as it sees them */
	unsigned statuses; /* bit a status */
};

/* A Ticket that went. */
struct gone {
	UT_hash_handle hh; /* by id */
	struct gone *prev, *next;
	uint64_t generation;
	struct str id;
};

/* From now on changes leave traces. */
void index_follow(struct index *ix);
/* What is older than this generation is not known to the last change any more. */
uint64_t index_horizon(const struct index *ix);
/* The oldest of those that changed after that generation, or NULL; walk by next. */
const struct trace *index_changed_since(const struct index *ix, uint64_t generation);
const struct gone *index_gone_since(const struct index *ix, uint64_t generation);

/* -- For the index itself ----------------------------------------------- */

/* The Ticket's trace, made if there is none. */
struct trace *trace_of(struct ticket *t);
/* It changed: a generation of its own, and to the end of the row. */
void trace_stamp(struct index *ix, struct ticket *t);
/* It went, or came back. */
void trace_gone(struct index *ix, struct ticket *t);
void trace_back(struct index *ix, struct str id);
/* The Ticket will be freed. */
void trace_drop(struct index *ix, struct ticket *t);
void trace_release(struct index *ix);

#endif
