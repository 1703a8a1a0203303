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
 * are still where they were, read what changed, settle the index.
 */
void sources_turn(struct sources *s);

/* Read every file again. */
void sources_rescan(struct sources *s);

/* Whether any checkout has a Ticket tree; if not, *why says where was looked. */
bool sources_any_tree(const struct sources *s, struct fault *why);

/* A Ticket's thread.md, as much as a megabyte of it; false where it cannot be read. */
bool sources_thread(const struct sources *s, const struct copy *copy, struct buf *text);

#endif
