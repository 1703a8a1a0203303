/* SPDX-License-Identifier: MIT */
#ifndef TP_AGENT_H
#define TP_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "place.h"

/*
 * The agent: owns everything else and is the only one that knows everyone.
 */
struct agent;

struct agent_options {
	/* Started by a question, not by hand: ticketplan.autostart may forbid it. */
	bool automatic;
	bool read_only;  /* refuse every writing method */
	int64_t idle_ms; /* end after this long without a client */
	bool stdio;      /* one client, on standard input and output; no lock, no socket */
	int lock;        /* descriptor of the lock that the starter took, or -1 */
};

/* Take the lock, listen.  The place is borrowed for the agent's life. */
bool agent_new(const struct place *place, const struct agent_options *options, struct agent **into,
	       struct fault *why);
/* Read the trees, then serve until asked to stop. */
void agent_run(struct agent *agent);
void agent_free(struct agent *agent);

#endif
