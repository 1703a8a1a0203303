/* SPDX-License-Identifier: MIT */
#ifndef TP_PROVENANCE_H
#define TP_PROVENANCE_H

#include "ignored.h"
#include "stance.h"
#include "worker.h"

/*
 * Find out how records stand to git: what its index and the commit that a checkout
 * is at have of their files.  A record of a file of several is looked for in it, so
 * that one that was added is told from those around it.
 */

/* On git's thread: fills in what is unknown of `stances`, which nobody touches meanwhile. */
struct job *provenance_ask(const char *common, struct stances *stances, void *owner);
/* The same for which files are ignored. */
struct job *provenance_ignored(const char *common, struct ignored *ignored, void *owner);
/* Whether a job is of these kinds. */
bool provenance_is(const struct job *job);
/* It has come back: its owner; the job is freed. */
void *provenance_take(struct job *job);

/*
 * The git directory of a checkout: where its HEAD and its index are; the common one where there
 * is no checkout of that name, which may be whatever a client said.  The caller's.
 */
char *provenance_gitdir(const char *common, const char *source);

#endif
