/* SPDX-License-Identifier: MIT */
#ifndef TP_SEEN_H
#define TP_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "str.h"

/*
 * How a folder that nobody watches looked, and the names in it that matter,
 * when they were last read: what to hold the next look against.  Whatever
 * changed within two seconds before it was looked at counts as changed again,
 * for its next change may leave the same times behind.
 */
struct seen;

/* Times of files are only so exact, in microseconds. */
#define SEEN_RACY_US (INT64_C(2) * 1000000)

struct seen *seen_new(void);
void seen_free(struct seen *seen);

/* Whether what looks like this last changed so long ago that its next change shows. */
bool seen_sure(const struct stat *st, int64_t now);
/* The folder is about to be listed; `now` in microseconds since 1970. */
void seen_folder(struct seen *seen, const struct stat *st, int64_t now);
/* Whether it must look the same inside as when it was listed. */
bool seen_folder_same(const struct seen *seen, const struct stat *st);
/* A name in it is about to be read; NULL: forget it. */
void seen_entry(struct seen *seen, struct str name, const struct stat *st, int64_t now);
/* Whether it was noted, and as this very file. */
bool seen_entry_is(const struct seen *seen, struct str name, const struct stat *st);
/* The inode's number if it was noted as a file with several names, else 0. */
ino_t seen_several(const struct seen *seen, struct str name);
size_t seen_count(const struct seen *seen);
/* The names that were noted, in order; absent behind the last. */
struct str seen_name(const struct seen *seen, size_t at);
/* Whether what is there must be the same as when it was read. */
bool seen_entry_same(const struct seen *seen, size_t at, const struct stat *st);

#endif
