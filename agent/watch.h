/* SPDX-License-Identifier: MIT */
#ifndef TP_WATCH_H
#define TP_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
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
 * A folder that cannot be watched is held against how it looked before, each
 * time that watch_walk is called: one that the kernel allows no watch for, or
 * all of a tree on a file system that does not tell what others do.
 *
 * While one of these calls looks, the process's working folder may be another
 * than it was when the watcher was made; when it returns it is that again.
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

#define WATCH_NAMES_MAX 8
struct watch_ops {
	/* What something of that name in a folder of that role is. */
	int (*role)(int parent, struct str name);
	enum watch_kind (*kind)(int role);
	/*
	 * All names of ours that a folder of that role can hold, at most WATCH_NAMES_MAX, up to a
	 * NULL; NULL: any number.
	 */
	const char *const *(*names)(int role);
	/*
	 * A file that is ours may be there, or have changed, or be gone: read it.  Path from the
	 * root.  `made`: all that is known to have happened to the name is that it was made, once.
	 * *st is all zero; where the file could be opened, put in it what it was then.
	 */
	void (*file)(void *ctx, struct str path, int role, bool made, struct stat *st);
	/* A folder is gone, with all below it. */
	void (*gone)(void *ctx, struct str path);
	/*
	 * A folder of role WATCH_REPORT is there; or where a folder of ours belongs there is a
	 * plain file (BENEATH_OK), or what can be neither, or one that cannot be read (errno in
	 * `cause`).
	 */
	void (*trouble)(void *ctx, struct str path, int role, enum beneath_result result,
			int cause);
	/* Everything of the tree is told again between begin and end. */
	void (*scan)(void *ctx, bool begin);
};

struct watch_counts {
	uint64_t drains, events, overflows, rescans, walks;
	uint64_t looks;     /* names of ours that were looked at again */
	uint64_t watches;   /* folders watched now */
	uint64_t sides;     /* of them, those that are in no tree */
	uint64_t unwatched; /* folders of trees that are not */
	uint64_t linked;    /* folders with files that have other names, too: looked at by walks */
	uint64_t refused;   /* of them, those that the kernel refused to watch: the limit */
};

/* A tree was read again as a whole. */
struct watch_rescan {
	int64_t at;      /* microseconds since 1970 */
	const char *why; /* lives for ever */
	char *path;      /* of the root */
};

/* An event, as it came. */
struct watch_event {
	int64_t at;
	uint32_t mask;   /* as inotify(7) says */
	char folder[64]; /* the end of its name or path; may be cut */
	char name[64];
};

#define WATCH_RESCANS_KEPT 8
#define WATCH_EVENTS_KEPT 512

bool watch_new(struct watch **into, struct fault *why);
/*
 * One that asks the kernel for nothing: its trees are read when they are made, and by watch_walk.
 */
struct watch *watch_new_blind(void);
/*
 * No more events, before trees are freed at the very end: the kernel drops all watches at once
 * much quicker than one by one.
 */
void watch_end(struct watch *w);
void watch_free(struct watch *w);
/* Becomes readable when there is something to drain. */
int watch_fd(const struct watch *w);
const struct watch_counts *watch_counts(const struct watch *w);
/* The last ones, oldest first; how many. */
size_t watch_rescans(const struct watch *w, struct watch_rescan into[WATCH_RESCANS_KEPT]);
size_t watch_events(const struct watch *w, struct watch_event into[WATCH_EVENTS_KEPT]);
/* "CREATE ISDIR" and the like; the caller's to free. */
char *watch_event_text(const struct watch_event *event);

/* Watch the tree at this path and tell all that is in it.  The root's role is given. */
bool watch_tree_new(struct watch *w, const char *path, int role, const struct watch_ops *ops,
		    void *ctx, struct watch_tree **into, struct fault *why);
/* Nothing is told. */
void watch_tree_free(struct watch_tree *tree);
/* The open root, for reading below it. */
int watch_tree_fd(const struct watch_tree *tree);
/* Read a file below the root as beneath_read_stat does; in `file` it may have been read ahead. */
enum beneath_result watch_read(const struct watch_tree *tree, struct str path, size_t max,
			       struct buf *into, struct stat *st);
/* Whether the root's path still leads to the folder that is watched.  One stat. */
bool watch_tree_there(const struct watch_tree *tree);
/*
 * Why it, or a folder in it, is looked through by watch_walk and not watched; NULL where it is
 * watched.
 */
const char *watch_tree_blind(const struct watch_tree *tree);
/*
 * Do not rely on events of this tree any more; `why` lives for ever.  The next settle reads
 * everything.
 */
void watch_tree_distrust(struct watch_tree *tree, const char *why);
/* Read everything again: now, or in the next settle.  `why` lives for ever. */
void watch_tree_rescan(struct watch_tree *tree, const char *why);
void watch_tree_soil(struct watch_tree *tree, const char *why);

/*
 * Watch one folder that is no tree; `fn` hears each name that changed in it.  False: errno says why
 * not.
 */
typedef void watch_side_fn(void *ctx, struct str name);
bool watch_side(struct watch *w, const char *path, watch_side_fn *fn, void *ctx);

/*
 * Take in every event whose system call had returned before this call; cheap
 * where there is none.  Then look at what they named, and tell the owner.
 */
void watch_drain(struct watch *w);
/* Whether there may be events that were not taken in: something happened since the last drain. */
bool watch_has_news(const struct watch *w);
/* Look whether anything changed where nothing is watched; the next settle looks closer. */
void watch_walk(struct watch *w);
/* False where there was nothing to look at. */
bool watch_settle(struct watch *w);

#ifdef TP_WATCH_FAULTS
/* What a watcher might do wrong, for tests that have to find it. */
struct watch_faults {
	bool late_drain; /* take in only what was there a turn ago */
	bool no_scan;    /* do not list folders that appear */
	bool deaf;       /* as if the file systems of trees told nothing */
	int64_t later;   /* as if files were looked at so many microseconds later */
	uint64_t limit;  /* as if the kernel allowed no more watches than so many; 0: it does */
};
extern struct watch_faults watch_faults;
#endif

#endif
