/* SPDX-License-Identifier: MIT */
#ifndef TP_FLUSH_H
#define TP_FLUSH_H

#include <stddef.h>

/*
 * Many things at once that end in a sync.  Syncs that wait together share what
 * the file system commits and what the disk flushes; one after the other each
 * pays for both.  What leads to a sync is done on its thread, too: then it goes
 * on while others wait for the disk.  So two or more are spread over threads of
 * their own, the first to the first thread and so on; a single one is done by
 * the caller.
 *
 * Threads are started when they are first needed and wait for the next list
 * until flush_end.  One caller at a time.
 */

/* Calls bg_do with 0 to count - 1, on any thread; returns when all have returned. */
void flush_all(size_t count, void (*bg_do)(void *ctx, size_t nth), void *ctx);

/* End the threads; flush_all would start them anew. */
void flush_end(void);

#endif
