/* SPDX-License-Identifier: MIT */
#ifndef TP_TIMELINE_H
#define TP_TIMELINE_H

#include "git.h"
#include "index.h"
#include "keep.h"
#include "service.h"

/*
 * What git holds, for calls that ask for it.  git is read on a thread of its
 * own, never in a turn: a call that needs it is parked, and goes on in the turn
 * in which the answer has come.
 */
struct timeline;

/*
 * Below `state` copies of records are kept that are in no commit yet, where
 * `writes` says that any may be made.  `wake` is called on git's thread when
 * timeline_take has something to take.
 */
struct timeline *timeline_new(struct index *ix, struct git *git, const char *common,
			      const char *state, bool writes, void (*wake)(void *ctx), void *ctx);
/* Calls that still wait are dropped. */
void timeline_free(struct timeline *t);

/* As service.revision, service.one_source and service.past. */
bool timeline_revision(struct timeline *t, struct call *call, unsigned nth, struct str text,
		       struct view **into, struct fault *why);
bool timeline_source(struct timeline *t, struct str name, struct view **into, struct fault *why);

bool timeline_past(struct timeline *t, struct call *call, const struct past **into,
		   struct fault *why);

/* The parked call is the timeline's until timeline_take gives it back. */
void timeline_await(struct timeline *t, struct call *call);

/* Once everything was read for the first time: what there is may be in no commit. */
void timeline_begin(struct timeline *t);
/*
 * Where a copy of what is written is to be kept; on any thread, as long as the timeline is there.
 */
struct keep *timeline_copies(const struct timeline *t);
/*
 * A record is being written into this folder of a Ticket; and it has come to its end, with or
 * without a copy.
 */
void timeline_writes(struct timeline *t, const char *dir, const char *name);
void timeline_wrote(struct timeline *t, const char *dir, const char *name, bool copied);
/* As service.confirm. */
void timeline_confirm(struct timeline *t, const struct doc *doc);
/* The file of that record, TICKET/NAME, that is being written for another Ticket; or absent. */
struct str timeline_written_beside(const struct timeline *t, struct str ticket, struct str id);
/* A record file was read; for sources_on_record. */
void timeline_sighted(void *t, int source, struct str path);
/*
 * Once a turn, when the index is settled: see what the checkouts have, and ask git where that is
 * due.
 */
void timeline_look(struct timeline *t, uint64_t git_changes);
/* As service.git_reads, service.undecided, service.kept and service.forget. */
bool timeline_reads(const struct timeline *t);
bool timeline_undecided(const struct timeline *t, bool all);
bool timeline_kept(struct timeline *t, const struct doc *doc, struct buf *into);
void timeline_forget(struct timeline *t, const struct doc *doc);

/*
 * Take in what git has answered; the calls that need not wait any more, linked by `next`.
 * Those that asked for the past have it until timeline_went_on is told that they went on.
 */
struct call *timeline_take(struct timeline *t);
void timeline_went_on(struct timeline *t);

#endif
