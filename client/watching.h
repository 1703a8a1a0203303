/* SPDX-License-Identifier: MIT */
#ifndef TP_WATCHING_H
#define TP_WATCHING_H

#include "run.h"

/*
 * `tpctl watch`: say what changes until somebody ends it; to people in words, to
 * programs as JSON Lines, each whole as soon as it is there.  Where the agent
 * ends it is said, and what changes is told from there on once there is one
 * again.
 *
 * `tpctl wait`: until one thing has happened to one Ticket; an agent that ends
 * meanwhile is asked anew.
 *
 * `tpctl agent-log`: the last lines of the agent's log, and those to come if
 * that is asked for.  Starts no agent, nor another where one ends.
 */
bool watching_run(const struct args *args, struct outcome *o, struct fault *why);
bool waiting_run(const struct args *args, struct outcome *o, struct fault *why);
bool trail_run(const struct args *args, struct outcome *o, struct fault *why);

/* -- For all ------------------------------------------------------------- */

struct tp;

/* A connection that is made anew where it ends. */
struct follower {
	const struct args *args;
	struct tp *tp;
	unsigned flags;
	int64_t deadline; /* as tick.h counts; 0: none */
	bool patient;     /* something has to be heard before the deadline counts */
};

/* How it went on. */
enum followed {
	FOLLOWED_NEWS,   /* something was told */
	FOLLOWED_ENDED,  /* the agent has ended */
	FOLLOWED_LATE,   /* the deadline has come */
	FOLLOWED_NOBODY, /* who reads our output has gone */
};

/* `flags` are for tp_open, beside what the command line says. */
bool follower_open(struct follower *f, const struct args *args, unsigned flags, struct fault *why);
/* Until something happens. */
enum followed follower_wait(struct follower *f);
/* Until there is an agent again; FOLLOWED_NEWS: there is one. */
enum followed follower_return(struct follower *f);
void follower_release(struct follower *f);

#endif
