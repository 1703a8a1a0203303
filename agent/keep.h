/* SPDX-License-Identifier: MIT */
#ifndef TP_KEEP_H
#define TP_KEEP_H

#include <stdint.h>

#include "buf.h"
#include "fault.h"

/*
 * Copies of record files that are in no commit, or have been in one for a short
 * time only: what was decided outlives the checkout and the branch it was decided
 * in.  All are in one file, one behind the other, so that another one costs a
 * write(2) and neither a file nor a name:
 *
 *	record LENGTH TICKET NAME [SOURCE]
 *	BYTES
 *	committed SECONDS TICKET NAME
 *	gone TICKET NAME
 *
 * It is written anew when most of it is gone, and removed when all of it is.
 * Never synced: the records themselves were.  What was half written when its
 * writer was killed is no copy.
 *
 * A copy is of what we wrote (no source), or of what was seen in a checkout.  Of
 * one record there is one, and of both kinds the former.
 *
 * On any thread.
 */
struct keep;

struct copied {
	const char *ticket, *name; /* without spaces */
	const char *source;        /* or NULL */
	struct str bytes;
};

/* `writes`: whether copies may be made and dropped, or only read.  The file need not be there. */
struct keep *keep_open(const char *path, bool writes);
void keep_close(struct keep *k);

/* All of them or none.  The folder of the file is made if there is none. */
bool keep_put(struct keep *k, const struct copied *list, size_t count, struct fault *why);
bool keep_get(struct keep *k, const char *ticket, const char *name, struct buf *into);
/* Only one of that kind: of what we wrote, or of what was seen in that checkout. */
void keep_drop(struct keep *k, const char *ticket, const char *name, const char *source);
/* A commit has it, since then (seconds since 1970); or 0: none has, as of a new copy. */
void keep_commit(struct keep *k, const char *ticket, const char *name, int64_t since);
/* Tells of each, with what keep_commit said; `fn` must not call back. */
void keep_each(struct keep *k,
	       void (*fn)(void *ctx, const char *ticket, const char *name, const char *source,
			  int64_t committed),
	       void *ctx);

#endif
