/* SPDX-License-Identifier: MIT */
#ifndef TP_KEEP_H
#define TP_KEEP_H

#include "buf.h"
#include "fault.h"

/*
 * Copies of record files that are in no commit yet, FOLDER/TICKET/NAME: what was
 * decided outlives the checkout it was decided in.  Written whole or not at all,
 * and never synced: the record itself was.  On any thread.
 */

/* Both names come from records that were read: they lead nowhere else. */
bool keep_put(const char *folder, const char *ticket, const char *name, struct str bytes,
	      struct fault *why);
bool keep_get(const char *folder, const char *ticket, const char *name, struct buf *into);
void keep_drop(const char *folder, const char *ticket, const char *name);
/* Tells of each; what was begun and never ended is removed. */
void keep_list(const char *folder, void (*fn)(void *ctx, const char *ticket, const char *name),
	       void *ctx);
/* Tells of each folder in one. */
void keep_folders(const char *folder, void (*fn)(void *ctx, const char *name), void *ctx);

#endif
