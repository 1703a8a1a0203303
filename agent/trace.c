/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <stdlib.h>

#include "index_private.h"

void index_follow(struct index *ix)
{
	BUG_IF(ix->changed);
	ix->followed = true;
	ix->horizon = ix->generation;
}

uint64_t index_horizon(const struct index *ix)
{
	return ix->horizon;
}

struct trace *trace_of(struct ticket *t)
{
	if (!t->trace) {
		t->trace = xcalloc(1, sizeof(*t->trace));
		t->trace->ticket = t;
	}
	return t->trace;
}

void trace_stamp(struct index *ix, struct ticket *t)
{
	struct trace *trace = trace_of(t);

	if (trace->generation)
		DL_DELETE(ix->row, trace);
	trace->generation = ++ix->generation;
	DL_APPEND(ix->row, trace);
}

void trace_drop(struct index *ix, struct ticket *t)
{
	if (!t->trace)
		return;
	if (t->trace->generation)
		DL_DELETE(ix->row, t->trace);
	free(t->trace->before);
	free(t->trace);
	t->trace = NULL;
}

static void forget(struct index *ix, struct gone *gone)
{
	HASH_DELETE(hh, ix->gone, gone);
	DL_DELETE(ix->gone_row, gone);
	free(gone);
}

void trace_back(struct index *ix, struct str id)
{
	struct gone *gone;

	HASH_FIND(hh, ix->gone, id.at, id.len, gone);
	if (gone)
		forget(ix, gone);
}

void trace_gone(struct index *ix, struct ticket *t)
{
	struct gone *gone = xcalloc(1, sizeof(*gone) + t->id.len + 1);
	char *name = (char *)(gone + 1);

	trace_drop(ix, t);
	t->told = 0;
	t->bypasses = 0;
	trace_back(ix, t->id);
	memcpy(name, t->id.at, t->id.len);
	gone->id = (struct str){ name, t->id.len };
	gone->generation = ++ix->generation;
	HASH_ADD_KEYPTR(hh, ix->gone, name, gone->id.len, gone);
	DL_APPEND(ix->gone_row, gone);
	if (HASH_COUNT(ix->gone) <= TRACE_GONE_MAX)
		return;
	ix->horizon = ix->gone_row->generation;
	forget(ix, ix->gone_row);
}

/* Changes are mostly asked for while they are new: look from the end. */
const struct trace *index_changed_since(const struct index *ix, uint64_t generation)
{
	const struct trace *t = ix->row ? ix->row->prev : NULL, *found = NULL;

	for (; t && t->generation > generation; t = t == ix->row ? NULL : t->prev)
		found = t;
	return found;
}

const struct gone *index_gone_since(const struct index *ix, uint64_t generation)
{
	const struct gone *g = ix->gone_row ? ix->gone_row->prev : NULL, *found = NULL;

	for (; g && g->generation > generation; g = g == ix->gone_row ? NULL : g->prev)
		found = g;
	return found;
}

void trace_release(struct index *ix)
{
	while (ix->gone_row)
		forget(ix, ix->gone_row);
}
