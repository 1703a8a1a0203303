/* SPDX-License-Identifier: MIT */
#ifndef TP_LAUNCH_H
#define TP_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#include "fault.h"

/*
 * Run the agent's program in a session of its own, and wait until it says that
 * it serves.
 */
struct launch {
	const char *const *words; /* what follows its name, ended by NULL */
	bool implicit;            /* nobody asked for it: TP_READ_ONLY is not meant for it */
	int in, out;              /* its standard input and output; -1: none.  Closed here */
	int lock;                 /* it goes on holding this lock; -1: none.  Closed here */
	int64_t deadline;         /* as tick.h counts */
	pid_t pid;                /* is set */
};

/* FAULT_NO_AGENT, or what it said: it cannot start.  FAULT_BUSY: it is not ready in time. */
bool launch(struct launch *l, struct fault *why);

/* Let it end, until the deadline; then make it. */
void launch_end(pid_t pid, int64_t deadline);

/*
 * A program of ours: in the folder of the one that runs, in `near` seen from
 * there, or in `installed`; else its name, to be looked for in PATH.  The
 * caller frees it.
 */
char *launch_find(const char *name, const char *near, const char *installed);

#endif
