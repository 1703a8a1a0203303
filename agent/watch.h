/* SPDX-License-Identifier: MIT */
#ifndef TP_WATCH_H
#define TP_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "beneath.h"
#include "fault.h"
#include "str.h"

/*
 * Know what changes in a folder tree, by inotify.
 *
 * An event says only "look at this name in that folder"; what is there now is
 * asked of the file system.  So no order, pairing or merging of events can lead
 * astray: whatever happened, the look comes after it.  A watched folder is a
 * node with a parent and a name, never a path.  Folders are watched before they
 * are listed, so that nothing falls between the two.  A folder that moved is
 * forgotten and found again, and takes its watches along.
 *
 * What the names mean is the owner's business (watch_ops); roles are numbers
 * of the owner, 0 is "not ours".
 */
struct watch;
struct watch_tree;

/* What is to be done about a name that is ours. */
enum watch_kind {
	WATCH_FILE,   /* tell of it */
	WATCH_DIR,    /* go into it */
	WATCH_REPORT, /* a folder of that name is trouble */
};

struct watch_ops {
	/* What something of that name in a folder of that role is. */
	int (*role)(int parent, struct str name);
	enum watch_kind (*kind)(int role);
	/* A file that is ours may be there, or have changed, or be gone: read it.  Path from the root. */
	void (*file)(void *ctx, struct str path, int role);
	/* A folder is gone, with all below it. */
	void (*gone)(void *ctx, struct str path);
	/*
	 * A folder of role WATCH_REPORT is there; or where a folder of ours belongs there is a plain
	 * file (BENEATH_OK), or what can be neither, or one that cannot be read (errno in `cause`).
	 */
	void (*trouble)(void *ctx, struct str path, int role, enum beneath_result result, int cause);
	/* Everything of the tree is told again between begin and end. */
	void (*scan)(void *ctx, bool begin);
};

struct watch_counts {
	uint64_t drains, events, overflows, rescans;
	uint64_t watches;   /* folders watched now */
	uint64_t unwatched; /* folders that should be and are not: the limit */
};

bool watch_new(struct watch **into, struct fault *why);
void watch_free(struct watch *w);
/* Becomes readable when there is something to drain. */
int watch_fd(const struct watch *w);
const struct watch_counts *watch_counts(const struct watch *w);

/* Watch the tree at this path and tell all that is in it.  The root's role is given. */
bool watch_tree_new(struct watch *w, const char *path, int role, const struct watch_ops *ops,
		    void *ctx, struct watch_tree **into, struct fault *why);
/* Nothing is told. */
void watch_tree_free(struct watch_tree *tree);
/* The open root, for reading below it. */
int watch_tree_fd(const struct watch_tree *tree);
/* Whether the root's path still leads to the folder that is watched.  One stat. */
bool watch_tree_there(const struct watch_tree *tree);
/* Read everything again. */
void watch_tree_rescan(struct watch_tree *tree);

/* Watch one folder that is no tree; `fn` hears each name that changed in it.  False: it is not there. */
typedef void watch_side_fn(void *ctx, struct str name);
bool watch_side(struct watch *w, const char *path, watch_side_fn *fn, void *ctx);

/*
 * Take in every event whose system call had returned before this call; cheap
 * where there is none.  Then look at what they named, and tell the owner.
 */
void watch_drain(struct watch *w);
void watch_settle(struct watch *w);

#endif
