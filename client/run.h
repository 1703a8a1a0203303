/* SPDX-License-Identifier: MIT */
#ifndef TP_RUN_H
#define TP_RUN_H

#include <jansson.h>

#include "args.h"
#include "page.h"
#include "request.h"
#include "start.h"

/* What a command has to say: an answer, or text, or both. */
struct outcome {
	const char *kind;    /* of the JSON envelope */
	json_t *answer;      /* NULL: the text is all there is */
	enum shape_id shape; /* of the answer; SHAPE_COUNT: it is for machines */
	struct page page;    /* empty: the answer is shown by its shape */
	bool told;           /* all has been said, and ends with `status` */
	int status;
};

/* The whole of tpctl; returns its exit status. */
int run(int argc, char **argv);

/*
 * Send a request and wait for its answer, in the repository and the time that
 * the command line says.  *reach, if not NULL, gets what was found on the way.
 */
bool run_request(const struct args *args, enum start_mode mode, struct request *request,
		 struct outcome *o, struct reach *reach, struct fault *why);

#endif
