/* SPDX-License-Identifier: MIT */
#ifndef TP_START_H
#define TP_START_H

#include <stdint.h>
#include <sys/un.h>

#include "fault.h"
#include "place.h"

/*
 * Reach the one agent of a repository, and start it where none lives.
 *
 * The lock file decides who lives: the agent holds it for its life, and an
 * agent that is being started inherits it from the client that won it.  Whoever
 * finds it taken goes to the socket that the file names, so that another
 * XDG_RUNTIME_DIR starts no second agent.  Nothing is taken for dead but a
 * missing or refusing socket with a free lock; a timeout means busy.
 */
enum start_mode {
	START_NEVER,    /* somebody only wants to look, or said --no-start */
	START_IMPLICIT, /* a question needs one; `tpctl stop` is respected */
	START_EXPLICIT, /* `tpctl start` */
};

struct reach {
	const struct place *place;
	enum start_mode mode;
	bool offline;     /* no socket: an agent of our own on a pipe, which only reads */
	int64_t deadline; /* of all that follows, as tick.h counts */
	/* What was found: */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* the socket tried last */
	bool found;                                             /* a connection came about */
	bool started;                                           /* we started it */
	bool absent; /* it is known that no agent lives */
};

/* What leads to an agent and back: one socket, or a pipe each way. */
struct line {
	int in, out;
	pid_t agent; /* at the other end of the pipes; 0: there is a socket */
};

/*
 * Be connected; both descriptors are close-on-exec and non-blocking.
 * FAULT_NO_AGENT: none lives and none may be started; FAULT_SANDBOXED: this
 * process may not use sockets; FAULT_BUSY: one lives and does not answer; else
 * what the agent said when it could not start.
 */
bool start_reach(struct reach *reach, struct line *line, struct fault *why);
/* Hang up. */
void start_leave(struct line *line);

/* Who holds the lock. */
struct holder {
	bool held;
	int pid; /* 0 and "": not written yet */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* Look, without creating anything. */
bool start_holder(const struct place *place, struct holder *holder, struct fault *why);

#endif
