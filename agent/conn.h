/* SPDX-License-Identifier: MIT */
#ifndef TP_CONN_H
#define TP_CONN_H

#include <ev.h>

#include "dispatch.h"

/*
 * One client: bytes in, bytes out, and the limits that keep a client which is
 * slow, silent or wrong from harming others.  For server.c.
 */

/* Bytes read at a time, and requests of one client answered in a turn. */
#define CONN_READ  (64 * 1024)
#define CONN_CALLS 64
/* A message once begun has to go on, and an answer to be taken, within so many seconds. */
#define CONN_STALL_S 30.

struct conn {
	ev_io in, out;
	ev_timer stall;
	struct crowd *crowd;
	struct conn *prev, *next;
	struct conn *act_prev, *act_next;   /* in crowd->active */
	struct conn *hear_prev, *hear_next; /* in crowd->listening */
	struct caller caller;
	struct frame frame;
	struct buf input, output;
	size_t taken; /* bytes of input that were answered */
	struct call *parked;
	int fd, to; /* to read from, and to write to */
	bool active;
	bool listening;
	bool more;     /* there may be whole messages that are not answered */
	bool writes;   /* its last call was one that waits for the disk */
	bool replying; /* output holds answers; else only what was told unasked */
	bool moved;    /* bytes went either way in this turn */
	bool ended;    /* the client will send no more */
	bool closing;  /* to be closed once output is sent */
	bool dead;
};

/* All of them. */
struct crowd {
	struct ev_loop *loop;
	struct service *service;
	struct conn *conns;
	struct conn *active;    /* those that something happened to in this turn */
	struct conn *listening; /* those that are to be told of changes */
	size_t writers;         /* those whose last call was one that waits for the disk */
	ev_idle again;          /* something is left for another turn at once */
	char bytes[CONN_READ];
};

void crowd_init(struct crowd *crowd, struct ev_loop *loop, struct service *service);

/* The descriptors are taken over. */
void conn_new(struct crowd *crowd, int fd, int to);
/* Leaves the descriptors open. */
void conn_free(struct conn *conn);

/* Something happened to it: it will have a turn. */
void conn_wake(struct conn *conn);
void conn_kill(struct conn *conn);

/* Answer what is whole. */
void conn_answer(struct conn *conn);
/*
 * Its parked call can go on; unless it has to wait once more, the answer is sent, behind what was
 * left of older ones.  NULL: nobody is there any more.  The client may be dead then.
 */
void conn_resume(struct conn *conn, struct call *call);
/* Send what can be sent.  The client may be dead then. */
void conn_send(struct conn *conn);
/*
 * Send what can be sent, and tell what is to be told.  `news` and `busy` are
 * those of listener_turn, as is what is returned.  The client may be dead then.
 */
int64_t conn_turn(struct conn *conn, int64_t now, bool news, bool busy);

#endif
