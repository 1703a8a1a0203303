/* SPDX-License-Identifier: MIT */
#ifndef TP_FLUSH_H
#define TP_FLUSH_H

#include <stddef.h>

/*
 * Many syncs at once.  Syncs that wait together share what the file system
 * commits and what the disk flushes; one after the other each pays for both.
 * So two or more are spread over threads of their own, the first to the first
 * thread and so on; a single one is made by the caller.  Before the first of
 * several the file system is asked to begin with all of them, which only makes
 * them quicker: where it cannot be asked, and whatever it has begun, each sync
 * is made.  Where it fails to begin, that is the sync, and no other is made.
 *
 * Threads are started when they are first needed and wait for the next list
 * until flush_end.  One caller at a time.
 */
struct flush {
	int fd;
	/* Set by flush_all: 0, or the errno of a sync that failed, which is never repeated. */
	int error;
};

/* Returns when all are done. */
void flush_all(struct flush *list, size_t count);

/* End the threads; flush_all would start them anew. */
void flush_end(void);

#endif
