/* SPDX-License-Identifier: MIT */
#ifndef TP_WATCH_PRIVATE_H
#define TP_WATCH_PRIVATE_H

/* What the files of the watcher share, and nobody else sees. */

#include "hash.h"
#include "node.h"
#include "watch.h"

/* One folder that is not a tree. */
struct side {
	struct node *node;
	watch_side_fn *fn;
	void *ctx;
	struct side *next;
};

/* What happened to a name. */
enum soil {
	SOIL_REPLACED = 1, /* it may be another folder than before */
	SOIL_MADE = 2,     /* it was made, and that is all */
};

/* A name to look at. */
struct dirty {
	UT_hash_handle hh;
	struct node *node;
	unsigned how; /* enum soil */
	uint16_t len;
	char key[]; /* the node's address, then the name */
};

struct watch_tree {
	struct watch *w;
	const struct watch_ops *ops;
	void *ctx;
	struct node *root;
	struct watch_tree *next;
	char *path;
	int fd;
	dev_t dev;
	ino_t ino;
	bool whole;         /* everything in it is being told */
	bool probed, folds; /* whether ITEM.MD is item.md there: asked once, where there is one */
	struct node *before; /* the root as it was then; NULL the first time */
	const char *rescan; /* why it is to be read again */
	const char *blind;  /* why it is not watched */
	const char *partly; /* why a folder in it is not */
};

/* What is to be told of a folder. */
#define WATCH_MASK \
	(IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

#define WATCH_READ_SIZE (64 * 1024)

struct watch {
	int fd; /* -1: one that only looks */
	int home;                    /* the working folder; of one that does not only look */
	const struct watch_tree *at; /* whose root is the working folder now; NULL: home is */
	struct wds wds;
	struct watch_tree *trees;
	struct side *sides;
	struct dirty *dirty;
	struct nodes limbo; /* out of their trees, not yet freed */
	struct nodes loose; /* unwatched */
	bool loose_gone;    /* some of them are in limbo, or watched */
	struct nodes linked; /* holding files that have other names */
	bool linked_gone;
	struct nodes robbed; /* whose watch another folder took over */
	struct buf path;    /* scratch */
	struct notes *notes; /* of who asked ahead on the folders that are crawled now; or NULL */
	char *events;       /* WATCH_READ_SIZE bytes of them */
	struct watch_counts counts;
	struct watch_rescan rescans[WATCH_RESCANS_KEPT];
	struct watch_event *trail; /* the last events, counts.events of them, round and round */
	int64_t drained_at;
	int late; /* for a fault */
};

#ifdef TP_WATCH_FAULTS
#define FAULTY(fault) (watch_faults.fault)
#else
#define FAULTY(fault) 0
#endif

/* -- watch.c: what becomes of nodes ------------------------------------- */

static inline struct str path_of(struct watch *w, const struct node *n, struct str name)
{
	return node_path(&w->path, n, name);
}

/* Put a node and all below it aside; whoever finds its folders again takes their watches. */
void watch_into_limbo(struct watch *w, struct node *n);
/* What nobody found again is watched no more. */
void watch_sweep(struct watch *w);
/* Of the unwatched leave those out that are watched now, or gone. */
void watch_pack_loose(struct watch *w);
/* The file in this folder has other names, too, through which it may be written unseen. */
void watch_keep_linked(struct watch *w, struct node *parent, struct str name,
		       const struct stat *st);
/* The file has no other name, and has had none for a while. */
void watch_drop_linked(struct watch *w, struct node *parent, struct str name);
void watch_tell_side(struct watch *w, const struct node *n, struct str name);
/* It is watched by itself no more. */
void watch_drop_side(struct watch *w, struct node *n);

/*
 * The last of what a ring of `kept` things of a size took in, oldest first: of
 * `total`, each in the place behind the one before.  How many there are.
 */
size_t watch_ring(const void *ring, uint64_t total, size_t kept, size_t size, void *into);

/* -- look.c: what is there ---------------------------------------------- */

/* Have the kernel watch a folder, by its path; errno says why not. */
int watch_ask(struct watch *w, const char *path);
/* Watch a folder of a tree; errno says why not.  The working folder is the tree's root then. */
bool watch_add(struct watch_tree *t, struct node *n);
/* The working folder is what it was when the watcher was made. */
void watch_come_back(struct watch *w);
/* What is at a path below the root, "" for itself; false, with errno, where that cannot be told. */
bool watch_stat(const struct watch_tree *t, struct str path, struct stat *st);
/* Open it for listing and keep who it is; -1 with the cause. */
int watch_open_node(struct watch_tree *t, struct node *n, enum beneath_result *result);
/* Watch a folder, then tell what is in it. */
void watch_crawl(struct watch_tree *t, struct node *n);
/*
 * Of the folders whose watch another one took over, those that are still there
 * are in the tree twice, by a bind mount: events tell of one only.  Whether there were any.
 */
bool watch_share(struct watch *w);
/* See what there is of that name, and tell the owner. */
void watch_look_at(struct dirty *d);

/* -- walk.c: where nothing is watched ----------------------------------- */

/* List it again; whatever is, or was, in it is to be looked at. */
void watch_list_again(struct watch_tree *t, struct node *n);

/* -- drain.c: what may have changed ------------------------------------- */

/* The name in the folder is to be looked at; `how` is of enum soil. */
void watch_soil(struct watch *w, struct node *n, struct str name, unsigned how);

#endif
