/* SPDX-License-Identifier: MIT */
#ifndef TP_LEDGER_H
#define TP_LEDGER_H

#include <stdint.h>

#include "buf.h"
#include "fault.h"
#include "fresh.h"
#include "keep.h"
#include "worker.h"

struct json_t;

/*
 * Durable record files.  A record is one file, written under no name, synced,
 * and then given its name, which fails if the name is taken; then the folder is
 * synced.  Whatever happens on the way, there is a whole record or none, and
 * nothing to clean up; where the file system has no nameless files, a name that
 * begins with a dot may stay, and the next agent's first write in the folder
 * removes it.  Entries that come together are synced together (flush.h) and share
 * their folder syncs; those that come while others are on their way join them.
 *
 * ledger_write runs on the worker's thread.
 */
enum ledger_result {
	LEDGER_WRITTEN, /* it is on disk, with its name */
	LEDGER_THERE,   /* a file of that name was there already, and is safe now */
	LEDGER_FAILED,  /* nothing was written; why says what went wrong */
	LEDGER_UNKNOWN, /* the disk failed while it was made safe: it may be there or not */
};

struct ledger_entry {
	struct job job; /* first: a batch is a list of these */
	char *root;     /* the Ticket tree's root; all five are the entry's own */
	char *dir;      /* the Ticket's folder, from the root */
	char *name;     /* of the record file */
	char *path;     /* of it, from the root */
	struct buf bytes;
	struct json_t *said; /* the JSON that they are, or NULL; with a reference */
	enum ledger_result result;
	struct fault why;
	int folder;      /* records folder while the batch is written; else -1 */
	uint64_t folder_dev, folder_ino; /* which one that is */
	int file;        /* the record's, until it has its name; else -1 */
	char *temporary; /* its name until then, where it needs one */
	struct fresh *fresh; /* while nobody has looked at it, or NULL */
	/* Where a copy is kept too until it is in a commit, or NULL; all of a batch have one. */
	struct keep *keep;
	bool shares;       /* somebody only asks: the CPU is left to others before its turn */
	bool uncopied;     /* it was written and none is kept; why says what went wrong */
	void *owner;
};

struct ledger_entry *ledger_entry_new(const char *root, const char *dir, const char *name);
void ledger_entry_free(struct ledger_entry *entry);

/*
 * Write a batch, and what comes meanwhile; each entry is given back as soon as
 * it is done.  After a sync that failed nothing is taken for safe: what begins
 * then begins with a probe (a file of no name, written and synced), and while
 * that fails every entry is refused with FAULT_STORE_READ_ONLY.  Where a folder's
 * sync failed, entries that were on their way behind it begin once more.
 *
 * Without a worker nothing comes, and nothing is given back.
 */
void ledger_write(struct worker *worker, struct job *batch);

/* Forget that a sync failed.  On any thread. */
void ledger_trust(void);

/* Let go of the threads that sync; once no batch is being written. */
void ledger_end(void);

#endif
