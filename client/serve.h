/* SPDX-License-Identifier: MIT */
#ifndef TP_SERVE_H
#define TP_SERVE_H

#include <poll.h>

#include "buf.h"
#include "flight.h"
#include "str.h"

/*
 * What a server of the Model Context Protocol says to each line: both eras of
 * it, told apart request by request.  Answers that need no agent are there at
 * once; those of tools come when the agent gives them, in any order.
 */
#define SERVE_FLIGHTS 32
/* Descriptors that it may wait for. */
#define SERVE_ENDS (2 * SERVE_FLIGHTS)

struct serve;

struct serve *serve_new(const struct way *way);
void serve_free(struct serve *s);

/* Take a line in; what can be answered at once is added to `out`. */
void serve_line(struct serve *s, struct str line, struct buf *out);
/* A line was too long to be taken in. */
void serve_too_long(struct buf *out);

/* Whether no more lines may be taken in for now. */
bool serve_full(const struct serve *s);
/* Whether nobody waits for an answer. */
bool serve_idle(const struct serve *s);
/* What to wait for, and until when: milliseconds, -1 for ever. */
size_t serve_ends(const struct serve *s, struct pollfd *ends, int *wait_ms);
/* Go on with all that wait. */
void serve_go_on(struct serve *s, struct buf *out);

#endif
