/* SPDX-License-Identifier: MIT */
#ifndef TP_SOURCES_H
#define TP_SOURCES_H

#include "fault.h"
#include "git.h"
#include "index.h"
#include "watch.h"

/*
 * The checkouts of the repository: found, watched, and read into the index.
 * Where the file system meets the model.
 */
struct sources;

struct sources *sources_new(struct index *ix, struct watch *watch, struct git *git,
			    const char *common, const char *main_top);
void sources_free(struct sources *s);

/*
 * See everything that changed before this call: drain, look whether the roots
 * are still where they were, read what changed, settle the index.  Of a root
 * that went with a folder above the checkout nobody tells: that is seen only
 * where `asked`, which must be so before anybody gets an answer.  Nor of what
 * happens where nothing is watched: that is seen only where `look`, which may
 * take long, and is for whoever asks, or is due to be told.
 */
void sources_turn(struct sources *s, bool asked, bool look);

/*
 * How long it is still worth to wait for git, which is at work in a checkout;
 * in microseconds, never more than two seconds.  0: it is not at work, or has
 * been for so long that its lock may have been left behind.
 */
int64_t sources_git_left(const struct sources *s);

/* How often something of git changed that may have been a commit: a number that only rises. */
uint64_t sources_git_changes(const struct sources *s);
/* `fn` hears of each record file that is read from now on; the path is from the tree's root. */
typedef void sources_record_fn(void *ctx, int source, struct str path);
void sources_on_record(struct sources *s, sources_record_fn *fn, void *ctx);

/*
 * Its descriptor is urgent (for epoll: writable) when something was mounted; -1 where that cannot
 * be told.
 */
int sources_mounts_fd(const struct sources *s);
/* That it was; the next turn looks. */
void sources_remounted(struct sources *s);

/*
 * A record that we wrote is on disk: the path from the tree's root.  If the
 * turn since has not seen it, the system does not tell of what happens in that
 * tree, which is looked through at each question from now on.
 */
void sources_wrote(struct sources *s, const char *root, const char *path);

/* How it keeps up with the files; the texts live until it is asked again. */
struct keeping;
void sources_keeping(struct sources *s, struct keeping *into);

/* Whether there are files of which nobody tells when they change. */
bool sources_blind(const struct sources *s);

/* Read every file again. */
void sources_rescan(struct sources *s);

/*
 * Read everything once more into another index, and tell where that differs
 * from what is held.  FAULT_BUSY where the files change faster than they can be compared.
 */
struct findings;
bool sources_audit(struct sources *s, struct findings *into, struct fault *why);

/*
 * False: the repository, or the checkout of that name (absent: none is meant), is somebody else's
 * and not trusted.  Such a repository is not read any more; such a checkout never was.
 */
bool sources_serve(const struct sources *s, struct str checkout, struct fault *why);

/* Whether records go into the checkout in which they are asked for, not the authority's. */
bool sources_to_asking(const struct sources *s);

/* Whether any checkout has a Ticket tree; if not, *why says where was looked. */
bool sources_any_tree(const struct sources *s, struct fault *why);

/* A Ticket's thread.md, as much as a megabyte of it; false where it cannot be read. */
bool sources_thread(const struct sources *s, const struct copy *copy, struct buf *text);

#endif
