/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <stdlib.h>

struct view *view_new(struct index *ix, const char *commit, const char *source, const char *root)
{
	struct view *v = xcalloc(1, sizeof(*v));

	*v = (struct view){ .refs = 1,
			    .ix = ix,
			    .commit = commit ? xstrdup(commit) : NULL,
			    .source = xstrdup(source),
			    .root = root ? xstrdup(root) : NULL };
	return v;
}

struct view *view_share(struct view *view)
{
	view->refs++;
	return view;
}

void view_free(struct view *view)
{
	if (!view || --view->refs)
		return;
	index_free(view->ix);
	free(view->commit);
	free(view->source);
	free(view->root);
	free(view);
}

static void put_copy(struct index *into, int source, const struct copy *copy)
{
	if (copy->item) {
		char *path = xasprintf("%s/item.md", copy->dir);
		index_put(into, source, str_of(path), content_share(copy->item));
		free(path);
	}
	for (uint32_t i = 0; i < copy->doc_count; i++)
		index_put(into, source, str_of(copy->docs[i]->path),
			  content_share(copy->docs[i]->content));
}

struct index *view_of_source(struct index *ix, int source)
{
	const struct source *s = index_source(ix, source);
	struct index *into = index_new();
	size_t count;
	struct ticket *const *all = index_tickets(ix, &count);

	int id = index_source_add(into, s->name);
	index_source_set(into, id, s->top, s->root, true);
	for (size_t i = 0; i < count; i++)
		for (const struct copy *c = all[i]->copies; c; c = c->next)
			if (c->source == source)
				put_copy(into, id, c);
	for (const struct stray *stray = index_strays(ix); stray; stray = stray->hh.next)
		if (stray->source == source) {
			char *text = xstrndup(stray->text.at, stray->text.len);
			index_stray_put(into, id, str_of(stray->path), stray->code, text);
			free(text);
		}
	index_settle(into);
	return into;
}
