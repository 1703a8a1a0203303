/* SPDX-License-Identifier: MIT */
#ifndef TP_TALK_H
#define TP_TALK_H

#include <msgpack.h>

#include "buf.h"
#include "frame.h"
#include "rpc.h"
#include "wire.h"

/* A client of the agent for programs that test it: one that goes wrong aborts. */
struct talk {
	int fd; /* -1: closed */
	struct buf in;
};

void talk_open(struct talk *t, const char *socket);
void talk_close(struct talk *t);
/* The request is released. */
void talk_send(const struct talk *t, struct buf *request);
/* The next answer; false where the agent hung up, said nonsense, or nothing for long. */
bool talk_receive(struct talk *t, msgpack_zone *zone, struct envelope *e);
/* Of a map; NULL where there is none. */
const msgpack_object *talk_member(const msgpack_object *map, const char *name);
/* A text of it; absent where there is none. */
struct str talk_text(const msgpack_object *map, const char *name);

#endif
