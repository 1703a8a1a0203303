/* SPDX-License-Identifier: MIT */
#include "ignored.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"

static void add_paths(struct ignored_in *in, const struct source *s, const struct copy *copy)
{
	for (const struct doc *d = copy->docs; d; d = d->next) {
		buf_addf(&in->bytes, "%s%s%s", in->root ? s->root : "", in->root ? "/" : "", d->path);
		buf_add(&in->bytes, "", 1);
		in->count++;
	}
}

static void add_source(struct ignored *g, const struct source *s)
{
	g->at[g->count++] = (struct ignored_in){
		.source = xstrdup(s->name),
		.top = xstrdup(s->top),
		.root = strcmp(s->root, ".") == 0 ? NULL : xstrdup(s->root),
	};
}

static void point(struct ignored_in *in)
{
	char *at = in->bytes.at;

	in->paths = xcalloc(in->count + 1, sizeof(char *));
	for (size_t i = 0; i < in->count; i++, at += strlen(at) + 1)
		in->paths[i] = at;
}

/* `of` is by source. */
static void add_ticket(struct ignored_in *const *of, const struct index *ix, const struct ticket *t)
{
	for (const struct copy *c = t->copies; c; c = c->next)
		if (of[c->source])
			add_paths(of[c->source], index_source(ix, c->source), c);
}

struct ignored *ignored_new(struct index *ix, const struct ticket *only)
{
	struct ignored *g = xcalloc(1, sizeof(*g));
	struct ignored_in *of[SOURCES_MAX] = { NULL };
	size_t count;
	struct ticket *const *all = index_tickets(ix, &count);

	for (int i = -1; (i = index_source_next(ix, UINT64_MAX, i)) >= 0;) {
		if (!index_source(ix, i)->root[0])
			continue;
		of[i] = &g->at[g->count];
		add_source(g, index_source(ix, i));
	}
	if (only)
		add_ticket(of, ix, only);
	for (size_t i = 0; !only && i < count; i++)
		add_ticket(of, ix, all[i]);
	for (size_t i = 0; i < g->count; i++)
		point(&g->at[i]);
	return g;
}

void ignored_free(struct ignored *g)
{
	for (size_t i = 0; g && i < g->count; i++) {
		struct ignored_in *in = &g->at[i];
		free(in->source);
		free(in->top);
		free(in->root);
		free(in->paths);
		buf_release(&in->bytes);
	}
	free(g);
}

const struct ignored_in *ignored_of(const struct ignored *g, const char *source)
{
	for (size_t i = 0; g && g->known && i < g->count; i++)
		if (strcmp(g->at[i].source, source) == 0)
			return &g->at[i];
	return NULL;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

bool ignored_has(const struct ignored_in *in, const char *path)
{
	return in && (in->whole || (in->count && bsearch(path, in->paths, in->count,
							 sizeof(char *), by_path)));
}
