/* SPDX-License-Identifier: MIT */
#ifndef TP_NODE_H
#define TP_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "str.h"

/*
 * Folders as the watcher knows them: a parent and a name, never a path; and
 * which of the kernel's watch descriptors leads to which.  Nothing here asks
 * the file system.
 */
struct watch_tree;
struct seen;

struct node {
	struct node *parent;
	union {
		struct node **many; /* by name where kids_sorted */
		struct node *one;   /* where there is one */
	} kids;
	struct seen *seen; /* how it looked; where it is unwatched or linked */
	ino_t ino;
	uint32_t kid_count;
	int wd; /* -1: not watched */
	uint8_t role;
	bool kids_sorted : 1;
	bool gone : 1;      /* out of its tree; freed in the sweep */
	bool unwatched : 1; /* there, and to be looked at by walks */
	bool linked : 1;    /* it holds files with other names, which are in `seen` */
	bool refused : 1;   /* for the kernel allows no more */
	bool blind : 1;     /* nobody tells of changes there; so below it */
	char name[];
};

/* As the last of its parent's, or a root where that is NULL. */
struct node *node_new(struct watch_tree *tree, struct node *parent, struct str name, int role);
/* The tree it is, or was, in; NULL for a folder that is watched by itself. */
struct watch_tree *node_tree(const struct node *n);
/* Its children, kid_count of them. */
static inline struct node *const *node_kids(const struct node *n)
{
	return n->kid_count == 1 ? &n->kids.one : n->kids.many;
}
/* Without its children. */
void node_free(struct node *n);
/* The child of that name, or NULL. */
struct node *node_find(struct node *parent, struct str name);
/* The one below another root that has the same path, or NULL. */
struct node *node_like(struct node *root, const struct node *n);
/* Take a child out of its parent; it knows that one all the same.  Returns it. */
struct node *node_cut(struct node *n);
/* The path from the root of its tree, "" for the root; or of a name in it. */
struct str node_path(struct buf *into, const struct node *n, struct str name);

/* Nodes in a row. */
struct nodes {
	struct node **at;
	size_t count, cap;
};
void nodes_add(struct nodes *list, struct node *n);

/*
 * From descriptors to nodes.  The kernel counts descriptors upwards, so a list
 * in their order mostly grows at its end.
 */
struct wds {
	struct watched {
		int wd;
		struct node *node; /* NULL: watched no more, until the list is packed */
	} *at;
	size_t count, cap;
	size_t gone; /* of count */
};

struct node *wds_find(const struct wds *wds, int wd);
/*
 * The descriptor leads to this node now.  Returns the one that it led to before, which has none
 * then.
 */
struct node *wds_set(struct wds *wds, struct node *n, int wd);
/* The node's descriptor leads nowhere; false where it had none. */
bool wds_unset(struct wds *wds, struct node *n);

#endif
