/* SPDX-License-Identifier: MIT */
#ifndef TP_USERGIT_H
#define TP_USERGIT_H

#include <stdbool.h>

#include "buf.h"
#include "fault.h"

/*
 * The user's own git, run as the user would: found in PATH, with the whole
 * environment and configuration, no shell in between.
 */
struct usergit {
	const char *dir;   /* where; NULL: here */
	struct str input;  /* what it reads */
	struct buf *out;   /* gets what it prints; NULL: nobody does */
	struct buf *err;   /* gets what it complains; NULL: it goes where ours goes */
	bool shielded;     /* it is to end its work whatever signals come */
	int status;        /* its exit status, 128 and more after a signal */
};

/* `words` end with NULL.  False only if it could not be run. */
bool usergit_run(struct usergit *git, const char *const *words, struct fault *why);

/* The same, and a failure of git is one of ours: `what` and what it complained. */
bool usergit_do(struct usergit *git, const char *const *words, const char *what, struct fault *why);

/* One line of answer, the caller's to free; NULL where git failed or said nothing. */
char *usergit_line(const char *dir, const char *const *words, struct fault *why);

/*
 * Between these two a signal that would end us ends the git that runs, and we
 * go on, so that what was begun can be undone.  The end says which it was, or 0.
 */
void usergit_hold_signals(void);
int usergit_free_signals(void);

#endif
