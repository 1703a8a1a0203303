/* SPDX-License-Identifier: MIT */
#ifndef TP_LINK_H
#define TP_LINK_H

#include <poll.h>

#include <msgpack.h>

#include "buf.h"
#include "frame.h"
#include "start.h"

/*
 * Bytes to an agent and messages from it, over a line that is up.  Nothing here
 * waits: whoever owns the link polls its ends and steps.
 */
enum talk {
	TALK_MORE,   /* there is more to come */
	TALK_DONE,   /* the answer is there */
	TALK_ENDED,  /* the other side hung up before */
	TALK_FAILED, /* a fault says why */
};

struct link {
	struct line line;
	const struct reach *reach; /* by which the line came up; for what errors say */
	const struct buf *out;     /* to be sent */
	struct buf *in;
	msgpack_zone *zone;    /* what messages are decoded into */
	size_t sent, may_send; /* of out */
	size_t eaten;          /* bytes of messages that are through */
	struct frame frame;
	bool keep; /* messages stay valid until the link's end; else until the next step */
};

/* One message has come; *done ends the step.  False with *why: it cannot go on. */
typedef bool link_take(void *data, const struct envelope *message, bool *done, struct fault *why);

/* Send and receive what can be.  TALK_DONE where `take` said so. */
enum talk link_step(struct link *link, link_take *take, void *data, struct fault *why);
/* What to wait for; how many. */
size_t link_ends(const struct link *link, struct pollfd ends[2]);

/*
 * Whether the answer to agent.hello is that of the repository's agent: a socket
 * path may be set wrongly, and a repository may have been replaced.  `any_age`
 * takes the agent of one that was at the same place before.
 */
bool link_is_right(const struct link *link, const msgpack_object *hello, bool any_age,
		   struct fault *why);

#endif
