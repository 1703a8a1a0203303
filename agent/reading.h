/* SPDX-License-Identifier: MIT */
#ifndef TP_READING_H
#define TP_READING_H

#include "beneath.h"
#include "content.h"
#include "index.h"

/*
 * What files of a Ticket tree come to in an index, wherever their bytes are
 * from: a checkout's folder, or a commit.  One place, so that both say the same.
 */

/* Where a tree may be if nobody says where; in the order in which they are tried. */
#define READING_ROOTS 3
extern const char *const reading_roots[READING_ROOTS];

/* How much of a file of that role is to be read. */
size_t reading_max(enum role role);

/* What a file says; the path is from the root. */
struct content *reading_of(struct str path, enum role role, struct str bytes);
/* The record file that was written from `said`. */
struct content *reading_written(struct str path, struct str bytes, struct json_t *said);
/* What is said of one that could not be read. */
struct content *reading_broken(enum role role, enum beneath_result result, int cause);

/* At this place there is not what belongs there; as watch_ops.trouble. */
void reading_trouble(struct index *ix, int source, struct str path, enum role role,
		     enum beneath_result result, int cause);

#endif
