/* SPDX-License-Identifier: MIT */
#ifndef TP_LIFE_H
#define TP_LIFE_H

#include "fault.h"
#include "place.h"

/*
 * That there is one agent a repository and user, and how it tells its starter
 * that it serves.  The lock file is locked for life, never unlinked, and says
 * who holds it: the process id and the socket's path, a line each.
 */

/*
 * Take the lock, or go on holding the one inherited as `fd` (-1: none).  Its descriptor stays open.
 */
bool life_lock(const struct place *place, int inherited, int *fd, struct fault *why);

/* Tell the starter, on its pipe (-1: nobody waits), and systemd if it waits.  NULL: we serve. */
void life_tell(int ready, const struct fault *why);

/* Go on in the background; the parent returns only to exit with what the child told. */
bool life_detach(int *ready, int *status);

/* As many descriptors as the system allows; false where those are too few to serve with. */
bool life_raise_limits(struct fault *why);

#endif
