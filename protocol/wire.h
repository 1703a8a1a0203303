/* SPDX-License-Identifier: MIT */
#ifndef TP_WIRE_H
#define TP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

/*
 * Write MessagePack front to back.  Maps and lists are opened, filled and
 * ended; their counts are filled in at the end, so nobody has to know
 * beforehand how many optional fields there will be.  Only the headers are
 * ours (map 16, array 32, which leave room for the count); values are
 * msgpack-c's.
 */
#define WIRE_DEPTH_MAX 16

struct wire {
	struct buf *out;
	unsigned depth;
	struct {
		size_t header; /* where the header begins in out */
		uint32_t count;
		bool map;
	} open[WIRE_DEPTH_MAX];
};

void wire_init(struct wire *w, struct buf *out);

/* Values, as an element of the open list or as what the last key names. */
void wire_map(struct wire *w);
void wire_list(struct wire *w);
void wire_end(struct wire *w);
void wire_str(struct wire *w, struct str text);
void wire_int(struct wire *w, int64_t value);
void wire_bool(struct wire *w, bool value);
void wire_nil(struct wire *w);
/* One whole value that is MessagePack already. */
void wire_raw(struct wire *w, const void *bytes, size_t len);

/* The next key of the open map. */
void wire_key(struct wire *w, const char *name);

/* Key and value; the _opt ones write nothing for an absent text. */
void wire_put_str(struct wire *w, const char *name, struct str text);
void wire_put_opt(struct wire *w, const char *name, struct str text);
void wire_put_int(struct wire *w, const char *name, int64_t value);
void wire_put_bool(struct wire *w, const char *name, bool value);
/* RFC 3339. */
void wire_put_time(struct wire *w, const char *name, int64_t us);

/* Envelopes of MessagePack-RPC; what follows is the parameter map, or the result. */
void wire_request(struct wire *w, uint32_t msgid, const char *method);
void wire_response(struct wire *w, uint32_t msgid);
void wire_notification(struct wire *w, const char *method);
/* A whole error answer; `argument` says that the request was wrong, not the world. */
void wire_error(struct wire *w, uint32_t msgid, bool argument, struct str text);

#endif
