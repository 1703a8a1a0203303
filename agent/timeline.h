/* SPDX-License-Identifier: MIT */
#ifndef TP_TIMELINE_H
#define TP_TIMELINE_H

#include "git.h"
#include "index.h"
#include "service.h"

/*
 * What git holds, for calls that ask for it.  git is read on a thread of its
 * own, never in a turn: a call that needs it is parked, and goes on in the turn
 * in which the answer has come.
 */
struct timeline;

/* `wake` is called on git's thread when timeline_take has something to take. */
struct timeline *timeline_new(struct index *ix, struct git *git, const char *common,
			      void (*wake)(void *ctx), void *ctx);
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

/* Take in what git has answered; the calls that need not wait any more, linked by `next`. */
struct call *timeline_take(struct timeline *t);

#endif
