/* SPDX-License-Identifier: MIT */
#ifndef TP_GUARD_H
#define TP_GUARD_H

#include "arena.h"
#include "fault.h"
#include "index.h"

/*
 * What is of this machine stays off the tracked files: paths of homes, of
 * temporary and system folders, and of checkouts.  `/api/v2` is no such path.
 */

/*
 * Whether there is a word that looks like a path of a machine, of whichever: without, none is
 * found.
 */
bool guard_suspects(struct str text);

/* The first word of the text that is one; absent where there is none. */
struct str guard_find(const struct index *ix, struct str text);

/* Refuse a text that holds one, naming the field and what to write instead. */
bool guard_text(const struct index *ix, const char *field, struct str text, struct fault *why);

/*
 * A checkout's label: as it was given, or made of a path inside one of the
 * repository's checkouts.  Any other absolute path is refused.
 */
bool guard_label(const struct index *ix, struct arena *arena, struct str text, struct str *label,
		 struct fault *why);

#endif
