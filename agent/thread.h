/* SPDX-License-Identifier: MIT */
#ifndef TP_THREAD_H
#define TP_THREAD_H

#include <stdint.h>

#include "arena.h"

/*
 * The typed events of a thread.md, found by their comment lines:
 *
 *	<!-- event: KIND author: A at: T … -->
 *
 * A thread decides nothing here; its decisions and plans are pointed at.
 */
struct thread_event {
	struct str kind, author, at;
	uint32_t line; /* from 1 */
};

/* The decision and plan events of the text, in its order; borrowed from it. */
struct thread_event *thread_decisions(struct str text, struct arena *arena, size_t *count);

#endif
