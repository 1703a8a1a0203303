/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <stdlib.h>

#include "base.h"

struct node *node_new(struct watch_tree *tree, struct node *parent, struct str name, int role)
{
	struct node *n = xcalloc(1, sizeof(*n) + name.len + 1);

	n->tree = tree;
	n->parent = parent;
	n->wd = -1;
	n->role = (uint8_t)role;
	n->kids_sorted = true;
	memcpy(n->name, name.at, name.len);
	if (!parent)
		return n;
	n->blind = parent->blind;
	if (parent->kid_count == parent->kid_cap) {
		parent->kid_cap = parent->kid_cap ? parent->kid_cap * 2 : 1;
		parent->kids = xrealloc(parent->kids, parent->kid_cap * sizeof(struct node *));
	}
	parent->kids[parent->kid_count++] = n;
	parent->kids_sorted = parent->kid_count == 1;
	return n;
}

void node_free(struct node *n)
{
	free(n->kids);
	free(n);
}

static int by_name(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

struct node **node_find(struct node *parent, struct str name)
{
	uint32_t from = 0, count = parent->kid_count;

	if (!parent->kids_sorted)
		qsort(parent->kids, parent->kid_count, sizeof(struct node *), by_name);
	parent->kids_sorted = true;
	while (count) {
		uint32_t half = count / 2;
		int order = str_cmp(str_of(parent->kids[from + half]->name), name);
		if (!order)
			return &parent->kids[from + half];
		if (order < 0) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return NULL;
}

struct node *node_like(struct node *root, const struct node *n)
{
	struct node *parent, **kid = NULL;

	if (!n->parent)
		return root;
	parent = node_like(root, n->parent);
	if (parent)
		kid = node_find(parent, str_of(n->name));
	return kid ? *kid : NULL;
}

struct node *node_cut(struct node **kid)
{
	struct node *n = *kid, *parent = n->parent;
	size_t behind = (size_t)(parent->kids + parent->kid_count - (kid + 1));

	memmove(kid, kid + 1, behind * sizeof(struct node *));
	parent->kid_count--;
	return n;
}

static void add_path(struct buf *into, const struct node *n)
{
	if (!n->parent)
		return;
	add_path(into, n->parent);
	if (into->len)
		buf_add(into, "/", 1);
	buf_add(into, n->name, strlen(n->name));
}

struct str node_path(struct buf *into, const struct node *n, struct str name)
{
	into->len = 0;
	add_path(into, n);
	if (into->len && name.len)
		buf_add(into, "/", 1);
	buf_add_str(into, name);
	return (struct str){ buf_text(into), into->len };
}

void nodes_add(struct nodes *list, struct node *n)
{
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 16;
		list->at = xrealloc(list->at, list->cap * sizeof(struct node *));
	}
	list->at[list->count++] = n;
}

/* -- Descriptors -------------------------------------------------------- */

/* The place of a descriptor in the list: of it, or of the first greater one. */
static size_t place(const struct wds *wds, int wd)
{
	size_t from = 0, count = wds->count;

	if (count && wds->at[count - 1].wd < wd)
		return count;
	while (count) {
		size_t half = count / 2;
		if (wds->at[from + half].wd < wd) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}

struct node *wds_find(const struct wds *wds, int wd)
{
	size_t at = place(wds, wd);

	return at < wds->count && wds->at[at].wd == wd ? wds->at[at].node : NULL;
}

/* Take out what is watched no more. */
static void pack(struct wds *wds)
{
	size_t kept = 0;

	for (size_t i = 0; i < wds->count; i++)
		if (wds->at[i].node)
			wds->at[kept++] = wds->at[i];
	wds->count = kept;
	wds->gone = 0;
}

struct node *wds_set(struct wds *wds, struct node *n, int wd)
{
	size_t at = place(wds, wd);
	struct node *old = NULL;

	n->wd = wd;
	if (at < wds->count && wds->at[at].wd == wd) {
		old = wds->at[at].node;
		wds->gone -= !old;
		if (old && old != n)
			old->wd = -1;
		wds->at[at].node = n;
		return old;
	}
	if (wds->count == wds->cap) {
		wds->cap = wds->cap ? wds->cap * 2 : 64;
		wds->at = xrealloc(wds->at, wds->cap * sizeof(*wds->at));
	}
	memmove(&wds->at[at + 1], &wds->at[at], (wds->count - at) * sizeof(*wds->at));
	wds->at[at] = (struct watched){ wd, n };
	wds->count++;
	return NULL;
}

bool wds_unset(struct wds *wds, struct node *n)
{
	if (n->wd < 0)
		return false;
	wds->at[place(wds, n->wd)].node = NULL;
	n->wd = -1;
	if (++wds->gone > 64 && wds->gone > wds->count / 2)
		pack(wds);
	return true;
}
