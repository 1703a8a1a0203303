/* SPDX-License-Identifier: MIT */
#ifndef TP_FLIGHT_H
#define TP_FLIGHT_H

#include "call.h"
#include "tools.h"

/* How an agent is reached. */
struct way {
	const char *dir; /* the repository is that which holds it; NULL: the working directory's */
	bool no_start;   /* only where one runs */
	bool offline;    /* by files alone, which only looks */
};

/*
 * One use of a tool, from its arguments to its result, beside others.
 */
struct flight {
	const struct tool *tool;
	json_t *id;  /* of the request it answers */
	bool modern; /* which era's result it makes */
	struct place place;
	struct request request;
	struct call call;
	struct asking asking;
	bool called; /* the call is to be released */
};

/*
 * Send the request.  Takes a reference to the id.  On failure *why says what the result is; the
 * flight is to be freed in any case.
 */
struct flight *flight_new(const struct tool *tool, json_t *id, bool modern);
bool flight_begin(struct flight *f, const struct way *way, json_t *arguments, struct fault *why);
void flight_free(struct flight *f);

/*
 * Go on; TALK_DONE or TALK_FAILED: *result is what the tool comes to, an answer
 * or a refusal, the caller's to take over.
 */
enum talk flight_go_on(struct flight *f, json_t **result);

/* The result of a tool that was refused: not an error of the protocol, but words for the model. */
json_t *flight_refusal(const struct fault *why);

#endif
