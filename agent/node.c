/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <stdlib.h>

#include "base.h"

/* Only roots have one, in front of themselves. */
static struct watch_tree **root_tree(const struct node *root)
{
	return (struct watch_tree **)(uintptr_t)root - 1;
}

/* There are many, so that each has just the bytes it needs. */
static size_t size_of(struct str name)
{
	size_t size = offsetof(struct node, name) + name.len + 1;

	return size < sizeof(struct node) ? sizeof(struct node) : size;
}

static struct node *root_new(struct watch_tree *tree, struct str name)
{
	struct watch_tree **at = xcalloc(1, sizeof(tree) + size_of(name));

	*at = tree;
	return (struct node *)(at + 1);
}

struct watch_tree *node_tree(const struct node *n)
{
	while (n->parent)
		n = n->parent;
	return *root_tree(n);
}

static void add_kid(struct node *parent, struct node *kid)
{
	uint32_t count = parent->kid_count++;

	parent->kids_sorted = !count;
	if (!count) {
		parent->kids.one = kid;
		return;
	}
	/* There is room for the next power of two. */
	if (count == 1) {
		struct node *one = parent->kids.one;
		parent->kids.many = xcalloc(2, sizeof(struct node *));
		parent->kids.many[0] = one;
	} else if (!(count & (count - 1))) {
		parent->kids.many =
			xrealloc(parent->kids.many, (size_t)count * 2 * sizeof(struct node *));
	}
	parent->kids.many[count] = kid;
}

struct node *node_new(struct watch_tree *tree, struct node *parent, struct str name, int role)
{
	struct node *n = parent ? xcalloc(1, size_of(name)) : root_new(tree, name);

	n->parent = parent;
	n->wd = -1;
	n->role = (uint8_t)role;
	n->kids_sorted = true;
	memcpy(n->name, name.at, name.len);
	if (parent) {
		n->blind = parent->blind;
		add_kid(parent, n);
	}
	return n;
}

void node_free(struct node *n)
{
	if (n->kid_count > 1)
		free(n->kids.many);
	free(n->parent ? (void *)n : root_tree(n));
}

static int by_name(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int name_order(const void *name, const void *item)
{
	struct node *const *n = item;

	return str_cmp(*(const struct str *)name, str_of((*n)->name));
}

struct node *node_find(struct node *parent, struct str name)
{
	struct node *const *kids = node_kids(parent);

	if (!parent->kids_sorted)
		qsort(parent->kids.many, parent->kid_count, sizeof(struct node *), by_name);
	parent->kids_sorted = true;
	size_t at = lower_bound(&name, kids, parent->kid_count, sizeof(struct node *), name_order);
	return at < parent->kid_count && str_is(name, kids[at]->name) ? kids[at] : NULL;
}

struct node *node_like(struct node *root, const struct node *n)
{
	if (!n->parent)
		return root;
	struct node *parent = node_like(root, n->parent);
	return parent ? node_find(parent, str_of(n->name)) : NULL;
}

struct node *node_cut(struct node *n)
{
	struct node *parent = n->parent, **at = parent->kids.many;
	uint32_t left = --parent->kid_count;

	if (!left)
		return n;
	while (*at != n)
		at++;
	memmove(at, at + 1, (size_t)(parent->kids.many + left - at) * sizeof(struct node *));
	if (left == 1) {
		struct node *one = parent->kids.many[0];
		free(parent->kids.many);
		parent->kids.one = one;
		parent->kids_sorted = true;
	}
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

static int wd_order(const void *wd, const void *item)
{
	int a = *(const int *)wd, b = ((const struct watched *)item)->wd;

	return (a > b) - (a < b);
}

/* The place of a descriptor in the list: of it, or of the first greater one. */
static size_t place(const struct wds *wds, int wd)
{
	if (wds->count && wds->at[wds->count - 1].wd < wd)
		return wds->count;
	return lower_bound(&wd, wds->at, wds->count, sizeof(*wds->at), wd_order);
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
