/* SPDX-License-Identifier: MIT */
#include "ignored.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"

/* Whether it is in no commit, and git may ignore it. */
static bool is_doubtful(const struct doc *d)
{
	return d->loose && !d->addable;
}

static void add_paths(struct ignored_in *in, const struct source *s, const struct copy *copy,
		      bool loose)
{
	for (uint32_t i = 0; i < copy->doc_count; i++) {
		const struct doc *d = copy->docs[i];
		if (loose && !is_doubtful(d))
			continue;
		buf_addf(&in->bytes, "%s%s%s", in->root ? s->root : "", in->root ? "/" : "",
			 d->path);
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

static void release(struct ignored_in *in)
{
	free(in->source);
	free(in->top);
	free(in->root);
	free(in->paths);
	buf_release(&in->bytes);
}

static void point(struct ignored_in *in)
{
	char *at = in->bytes.at;

	in->paths = xcalloc(in->count + 1, sizeof(char *));
	for (size_t i = 0; i < in->count; i++, at += strlen(at) + 1)
		in->paths[i] = at;
}

/* `of` is by source. */
static void add_ticket(struct ignored_in *const *of, const struct index *ix, const struct ticket *t,
		       bool loose)
{
	for (const struct copy *c = t->copies; c; c = c->next)
		if (of[c->source])
			add_paths(of[c->source], index_source(ix, c->source), c, loose);
}

static struct ignored *of_files(struct index *ix, const struct ticket *only, bool loose)
{
	struct ignored *g = xcalloc(1, sizeof(*g));
	struct ignored_in *of[SOURCES_MAX] = { NULL };
	size_t count;
	struct ticket *const *all = index_tickets(ix, &count);

	g->from = index_generation(ix);
	for (int i = -1; (i = index_source_next(ix, UINT64_MAX, i)) >= 0;) {
		if (!index_source(ix, i)->root[0])
			continue;
		of[i] = &g->at[g->count];
		add_source(g, index_source(ix, i));
	}
	if (only)
		add_ticket(of, ix, only, loose);
	for (size_t i = 0; !only && i < count; i++)
		add_ticket(of, ix, all[i], loose);
	for (size_t i = 0; i < g->count; i++)
		point(&g->at[i]);
	return g;
}

struct ignored *ignored_new(struct index *ix, const struct ticket *only)
{
	return of_files(ix, only, false);
}

static bool has_doubtful(const struct ticket *t)
{
	for (const struct copy *c = t->copies; c; c = c->next)
		for (uint32_t i = 0; i < c->doc_count; i++)
			if (is_doubtful(c->docs[i]))
				return true;
	return false;
}

struct ignored *ignored_new_loose(struct index *ix, const struct ticket *t)
{
	/* So for nearly all, at each check: a list of all checkouts is no small thing to make. */
	if (!has_doubtful(t))
		return NULL;
	struct ignored *g = of_files(ix, t, true);
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++)
		if (g->at[i].count)
			g->at[kept++] = g->at[i];
		else
			release(&g->at[i]);
	g->count = kept;
	if (kept)
		return g;
	free(g);
	return NULL;
}

void ignored_free(struct ignored *g)
{
	for (size_t i = 0; g && i < g->count; i++)
		release(&g->at[i]);
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

bool ignored_doc(const struct ignored *g, const struct index *ix, const struct doc *d,
		 struct arena *arena)
{
	const struct source *s = index_source(ix, d->copy->source);
	const struct ignored_in *in = s ? ignored_of(g, s->name) : NULL;

	/* Mostly it ignores none. */
	return in && (in->whole || in->count) &&
	       ignored_has(in, source_path(s, str_of(d->path), arena).at);
}

/* A rule may come later and is not told of then; doctor asks anew each time. */
void ignored_remember(const struct ignored *g, const struct index *ix, const struct ticket *t,
		      struct arena *arena)
{
	/* What came since was not asked for. */
	for (const struct copy *c = g->from == index_generation(ix) ? t->copies : NULL; c;
	     c = c->next) {
		const struct ignored_in *in = ignored_of(g, index_source(ix, c->source)->name);
		if (!in || in->failed)
			continue;
		for (uint32_t i = 0; i < c->doc_count; i++)
			c->docs[i]->addable |=
				c->docs[i]->loose && !ignored_doc(g, ix, c->docs[i], arena);
	}
}

struct str ignored_text(struct arena *arena, struct str something, const char *what, size_t more)
{
	struct str others =
		more ? arena_printf(arena, " and %zu more of the Ticket", more) : STR("");

	return arena_printf(arena,
			    "git ignores %.*s%.*s: no commit will have what was decided there; "
			    "`git check-ignore -v %s` names the rule",
			    STR_ARG(something), STR_ARG(others), what);
}
