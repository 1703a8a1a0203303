/* SPDX-License-Identifier: MIT */
#ifndef TP_TIMELINE_PRIVATE_H
#define TP_TIMELINE_PRIVATE_H

#include "kept.h"
#include "timeline.h"
#include "worker.h"

/*
 * What the two halves of the timeline share: timeline.c has the calls that wait
 * for git and the views of commits, review.c the records that may be in none.
 */

/* Views that are kept for the next who asks. */
#define VIEWS_MAX 8

struct timeline {
	struct index *ix;
	struct git *git;
	char *common;
	struct worker *worker;
	struct view *views[VIEWS_MAX]; /* the one that was asked last first; then NULL */
	struct call *waiting;
	struct past *past; /* git's thread has it while `reviewing` */
	char *past_root;   /* what ticketplan.root was for it */
	struct kept *kept;
	uint64_t git_changes,
		git_reviewed; /* how far git changed, and how far that was looked at */
	bool reviewing;
	bool handing; /* calls are to go on that were promised the past: it stays until they did */
	bool judging; /* and that decides what answers say */
	bool began;   /* what was there at the start was looked at, or is */
	unsigned made;
	unsigned lookups; /* under way */
};

/* Ask git what became of records, where somebody wants to know and nobody is asking yet. */
void review_start(struct timeline *t);
bool review_is(const struct job *job);
/* Take in what it said, and free the job; calls that waited for it wait for that no more. */
void review_take(struct timeline *t, struct job *job);

#endif
