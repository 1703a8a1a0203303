/* SPDX-License-Identifier: MIT */
#ifndef TP_REQUEST_H
#define TP_REQUEST_H

#include <jansson.h>

#include "args.h"
#include "buf.h"
#include "ulid.h"

/* Message ids of the two requests that tpctl sends. */
#define REQUEST_HELLO 0
#define REQUEST_ASK   1

/*
 * The bytes of agent.hello and of one request behind it.  They are the same
 * when they are sent again: a writing request carries the id of its record.
 */
struct request {
	struct buf bytes;
	size_t hello; /* length of the first message */
	bool careful; /* the second waits until the hello is answered as it should be */
	bool writes;
	bool stops;   /* it may also go to an agent that was overtaken by a new repository */
	char id[ULID_LEN + 1]; /* of the record, where tpctl chose it; else "" */
	const char *kind;      /* of the JSON envelope */
	enum shape_id shape;   /* of the answer; SHAPE_COUNT: not known */
};

/* The request of a command that has a method. */
bool request_make(const struct args *args, struct request *r, struct fault *why);
/* The parameters alone. */
bool request_map(const struct args *args, struct buf *into, struct fault *why);
/* A request without parameters. */
void request_plain(enum rpc_id method, struct request *r);
/* Any request; `json` is NULL or the text of an object, and "-" reads it from standard input. */
bool request_call(const char *method, const char *json, struct request *r, struct fault *why);
/* The same of parameters that were read already. */
bool request_params(enum rpc_id method, json_t *params, struct request *r, struct fault *why);
/* The first page of Tickets, as long as may be. */
void request_tickets(struct request *r);
/* A request about one Ticket, and nothing else. */
void request_ticket(enum rpc_id method, struct str ticket, struct request *r);

/* Say from which checkout is asked, once that is known. */
void request_stand(struct request *r, const char *source);

/* Only agent.hello; writing requests will be put behind it. */
void request_greet(struct request *r);
/*
 * Add one writing request with these parameters, and what it has from its
 * surroundings.  On failure `into` holds nothing that could be sent.
 */
bool request_message(enum rpc_id method, uint32_t msgid, json_t *params, struct buf *into,
		     struct fault *why);

/* Whether TP_READ_ONLY says that nothing may be changed. */
bool request_read_only(void);
void request_release(struct request *r);

#endif
