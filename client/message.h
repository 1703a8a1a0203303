/* SPDX-License-Identifier: MIT */
#ifndef TP_MESSAGE_H
#define TP_MESSAGE_H

#include <jansson.h>

#include "buf.h"
#include "str.h"

/*
 * JSON-RPC 2.0 as the Model Context Protocol uses it: one object a line, no
 * batches, ids that are text or integers and never null.
 */
enum message_code {
	MESSAGE_PARSE = -32700,
	MESSAGE_INVALID = -32600,
	MESSAGE_NO_METHOD = -32601,
	MESSAGE_BAD_PARAMS = -32602,
	MESSAGE_BAD_VERSION = -32022, /* of the protocol */
};

enum message_kind {
	MESSAGE_REQUEST,      /* id, method and params are there */
	MESSAGE_NOTIFICATION, /* method and params are */
	MESSAGE_NOTHING,      /* a blank line, or an answer nobody waits for */
	MESSAGE_BAD,          /* code and what say why; the id is there if it could be read */
};

struct message {
	enum message_kind kind;
	json_t *root;
	json_t *id; /* borrowed from root, as the rest is */
	struct str method;
	json_t *params; /* an object, also where none was given */
	enum message_code code;
	const char *what;
};

/* Take a line apart, whatever it is.  The message is to be released. */
void message_read(struct str line, struct message *m);
void message_release(struct message *m);

/* Add a line with a result, which is taken over; or with an error.  `id` and `data` may be NULL. */
void message_result(struct buf *out, json_t *id, json_t *result);
void message_error(struct buf *out, json_t *id, enum message_code code, const char *text,
		   json_t *data);

#endif
