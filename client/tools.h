/* SPDX-License-Identifier: MIT */
#ifndef TP_TOOLS_H
#define TP_TOOLS_H

#include <stdint.h>

#include <jansson.h>

#include "fault.h"
#include "rpc.h"

/*
 * What tools.def says, as C, joined with the request table.
 */
struct tool {
	const char *name;
	enum rpc_id method;
	const char *unlisted; /* names of parameters with blanks between them */
};

/* The n-th tool, or NULL behind the last. */
const struct tool *tool_at(size_t n);
/* The tool of that name, or NULL. */
const struct tool *tool_find(struct str name);
/* Whether it changes something. */
bool tool_writes(const struct tool *tool);
/* As it stands in a list of tools: name, description, schemas, hints.  Caller owns it. */
json_t *tool_describe(const struct tool *tool);

/*
 * See that the tool takes every argument, and bring those in bounds that could
 * make an answer too long for a model, or too late: an answer's bytes, and how
 * long a tool waits.  *patience_ms is how long the answer may take.
 */
bool tool_prepare(const struct tool *tool, json_t *arguments, int64_t *patience_ms,
		  struct fault *why);

/* What to do about a fault, said to a model. */
const char *tool_advice(enum fault_code code);

#endif
