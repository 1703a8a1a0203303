/* SPDX-License-Identifier: MIT */
#ifndef TP_FRESH_H
#define TP_FRESH_H

#include <stdbool.h>

#include <sys/stat.h>

#include "buf.h"

struct json_t;

/*
 * Files that we wrote ourselves and that get their names just now: who is told
 * that such a name was made need not read the file.
 *
 * What is there is our file by its device and number, and has no other name.
 * That it still says what we wrote is known by the events: nobody writes to a
 * file in a watched folder without one, so it may only be taken where all that
 * happened to the name is that it was made, and only by the first who looks.
 *
 * On any thread.
 */
struct fresh;

/*
 * The open file is about to get its name: the path is from its tree's root.  The bytes, and the
 * JSON that they say (or NULL), stay the caller's and must be as they are until fresh_drop.  NULL
 * where this cannot be told of.
 */
struct fresh *fresh_put(int file, const char *path, struct str bytes, struct json_t *said);
/* Whether it was taken or not; NULL is none. */
void fresh_drop(struct fresh *fresh);

/*
 * What is at this path below the tree's root, if it is such a file: then *st is what it is now,
 * and *said its JSON with a reference, or NULL.  `made`: nothing else is known to have happened
 * to it.  However this ends, the next one who looks at the path has to read.
 */
bool fresh_take(int root, struct str path, bool made, struct buf *into, struct json_t **said,
		struct stat *st);

#endif
