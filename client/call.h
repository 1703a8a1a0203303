/* SPDX-License-Identifier: MIT */
#ifndef TP_CALL_H
#define TP_CALL_H

#include <msgpack.h>

#include "buf.h"
#include "frame.h"
#include "request.h"
#include "start.h"

/*
 * One question and its answer.  agent.hello and the request go out in one
 * write, and both replies are awaited: one round trip.  Only a request that
 * changes something waits until the hello has shown whose agent it is.
 */
struct taker;

struct call {
	struct reach reach; /* to be filled in */
	struct taker *taker; /* of many answers, or NULL */
	struct buf in;
	msgpack_zone zone;
	msgpack_object result; /* lives in zone and in */
};

/*
 * Ask, and once more where the connection ended without a reply.  The call is
 * to be released in any case.
 */
bool call_ask(struct call *call, const struct request *request, struct fault *why);
void call_release(struct call *call);

/*
 * Many questions over one connection.  `take` gets each answer behind the
 * hello's; it may put more requests behind those of `request`, and says with
 * true that it waits for none any more.
 */
struct taker {
	bool (*take)(struct taker *taker, const struct envelope *answer);
};

/* Until whoever ended a connection has let go of its socket too. */
void call_pause(void);

/* Until the taker is done.  *ended: the connection ended before. */
bool call_many(struct call *call, struct request *request, bool *ended, struct fault *why);

#endif
