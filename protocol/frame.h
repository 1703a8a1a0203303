/* SPDX-License-Identifier: MIT */
#ifndef TP_FRAME_H
#define TP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <msgpack.h>

#include "fault.h"
#include "str.h"

/*
 * Find where one MessagePack message ends, without believing it.
 *
 * msgpack-c reserves what a header promises before it has seen an element (five
 * bytes reserve gigabytes, see its issue 1013).  So bytes from outside go
 * through frame_scan first: it holds no memory but the struct, remembers where
 * it stopped, and lets only a message through that is complete, no longer than
 * `max`, no deeper than RPC_DEPTH_MAX, and whose containers have their elements.
 */
struct frame {
	size_t at;          /* bytes scanned of this message */
	unsigned depth;     /* containers open */
	uint64_t left[17];  /* values still to come in each; [0] is the message */
	bool started;
};

enum frame_state { FRAME_MORE, FRAME_WHOLE, FRAME_BAD };

/* Forget the message; the next scan begins at a new one. */
void frame_reset(struct frame *f);

/*
 * Go on at f->at in `bytes`, the message from its first byte on as far as it
 * has come.  FRAME_WHOLE: it is the first f->at bytes.  FRAME_BAD: *why says
 * what is wrong; the stream cannot be trusted any more.
 */
enum frame_state frame_scan(struct frame *f, struct str bytes, size_t max, struct fault *why);

enum envelope_type { ENVELOPE_REQUEST, ENVELOPE_RESPONSE, ENVELOPE_NOTIFICATION };

/* A message taken apart; the objects live in the zone, text in the bytes. */
struct envelope {
	enum envelope_type type;
	uint32_t msgid;
	struct str method;
	msgpack_object params; /* the map, or an empty one where there was none */
	bool failed;           /* response */
	bool argument;         /* failed: the request was wrong, not the world */
	struct str error;      /* failed: "code: text" */
	msgpack_object result; /* response that did not fail */
};

/* `bytes` is one whole message that frame_scan let through. */
bool envelope_decode(struct str bytes, msgpack_zone *zone, struct envelope *e, struct fault *why);

#endif
