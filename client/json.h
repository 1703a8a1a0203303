/* SPDX-License-Identifier: MIT */
#ifndef TP_JSON_H
#define TP_JSON_H

#include <jansson.h>
#include <msgpack.h>

#include "buf.h"
#include "fault.h"
#include "wire.h"

/*
 * MessagePack as JSON.  Bytes that are not UTF-8 become U+FFFD; what JSON does
 * not know becomes null; a key that is not text is left out.  Caller owns it.
 */
json_t *json_of(const msgpack_object *object);
json_t *json_of_text(struct str text);

/* JSON as MessagePack; refused where it is too deep or a map too large for a request. */
bool json_wire(struct wire *w, json_t *value, struct fault *why);

/* What an object says under a key; absent and 0 where it says nothing of that type. */
struct str text_of(const json_t *object, const char *key);
long long number_of(const json_t *object, const char *key);

/* The envelope: schema, kind, clock, then the answer's own keys.  Takes the answer over. */
json_t *json_answer(const char *kind, json_t *answer);
json_t *json_error(const struct fault *why);

/* Add it as one line.  Takes it over. */
void json_line(struct buf *out, json_t *value);

#endif
