/* SPDX-License-Identifier: MIT */
#ifndef TP_GITWORK_H
#define TP_GITWORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Whether git is at work in a checkout.  It locks its index before it changes
 * files, and gives it its name, in the lock's place, after that; what is read
 * in between may be half of what will be.
 */
struct gitwork {
	char *lock, *index;
	int64_t since; /* on the monotonic clock, in microseconds; 0: it is not locked */
	ino_t ino;     /* of the index, as it was looked at last */
	bool passed;   /* git went through while they were read */
};

/* Whoever waits for git waits no longer than this: a lock may have been left behind. */
#define GITWORK_PATIENCE_US (INT64_C(2) * 1000000)

/* `folder` is the checkout's git directory. */
void gitwork_init(struct gitwork *g, const char *folder);
void gitwork_release(struct gitwork *g);

/* Look for the lock and at the index: whenever either may have changed. */
void gitwork_look(struct gitwork *g);
/* Files are about to be read. */
void gitwork_before(struct gitwork *g);
/* They were read, and lock or index may have changed since the last look. */
void gitwork_after(struct gitwork *g);
bool gitwork_busy(const struct gitwork *g);
/* How long it is still worth to wait, in microseconds; 0: not. */
int64_t gitwork_left(const struct gitwork *g);

#endif
