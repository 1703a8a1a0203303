/* SPDX-License-Identifier: MIT */
#ifndef TP_GRAPH_H
#define TP_GRAPH_H

#include "buf.h"
#include "query.h"

/*
 * Tickets and the records that join them, and their drawing.  What holds, what
 * conflicts and what orders look different; what is resolved fades.
 */
struct edge {
	const struct ticket *from, *to; /* from waits for to, or holds the record */
	const struct decision *d;
	enum status status;
	bool holds; /* it holds a Ticket that is open, for one that is open */
};

struct graph {
	const struct ticket **nodes; /* by id */
	size_t node_count;
	struct edge *edges; /* by the ids of from and to, then time */
	size_t edge_count;
};

/* All Tickets that a record in scope joins to another, or those that hang together with one. */
void graph_of(struct index *ix, const struct ticket *only, enum scope scope, int64_t now,
	      struct arena *arena, struct graph *graph);

void graph_draw(const struct graph *graph, enum graph_format format, struct buf *into);

#endif
