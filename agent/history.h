/* SPDX-License-Identifier: MIT */
#ifndef TP_HISTORY_H
#define TP_HISTORY_H

#include "past.h"
#include "repo.h"

/*
 * The past out of git: walks what tips lead to and is not known yet, and looks
 * what each commit did to the records of its Ticket tree.  On git's thread.
 */

/*
 * `configured`: ticketplan.root, or NULL; the past is of one such value.
 * *changed: whether it is another than before.  After a failure it is of no use.
 */
bool history_update(struct past *past, struct repo *repo, const char *configured, bool *changed,
		    struct fault *why);

/*
 * Whether the repository's commits still have the parents that the past knows: it was not deepened.
 */
bool history_fits(const struct past *past, const struct repo *repo);

#endif
