/* SPDX-License-Identifier: MIT */
#ifndef TP_AHEAD_H
#define TP_AHEAD_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "beneath.h"
#include "buf.h"
#include "str.h"
#include "watch.h"

/*
 * Ask the system ahead.  Where many folders are to be looked into at once, most
 * of the time goes into system calls.  A second thread makes those that will be
 * asked for and writes down what came of them, while who asks takes in what it
 * wrote before, or else looks into some of the folders by itself.
 *
 * What is written down is as good as asked anew: each folder was watched before
 * anything in it was asked for, so that of what changed since then events tell.
 * Whoever asks for something else than what comes next is told nothing, and asks
 * the system.
 *
 * The thread knows paths and bytes only: of the tree it sees the open root and
 * what names mean, which is of constants.
 */
struct ahead;

/* What was asked for, in a row, as each will be asked for again. */
struct notes {
	struct buf text;
	size_t at; /* of the next one */
	size_t untaken; /* of those that say that a folder is watched */
};

enum note_kind {
	NOTE_WATCH, /* what watched the folder: `result` is the descriptor, or -1 */
	NOTE_STAT,  /* what is there: `result` is 0, or -1 */
	NOTE_LIST,  /* a folder that could be opened: `bytes` are as in listing_read */
	NOTE_READ,  /* a file: `result` is a beneath_result */
};

struct note {
	enum note_kind kind;
	int result, cause; /* errno */
	struct stat st;    /* all zero where it has none */
	size_t path_len, bytes_len;
	char text[]; /* the path and a NUL, then the bytes */
};

/* The next one if it says this of that path; absent notes say nothing.  Valid while those are. */
const struct note *notes_take(struct notes *notes, enum note_kind kind, struct str path);
/* The one behind that, taken or not, or the first where that is NULL; NULL behind the last. */
const struct note *notes_behind(const struct notes *notes, const struct note *note);
struct str note_bytes(const struct note *note);

/*
 * The names of ours in an open folder of that role, each behind its type as readdir gives it;
 * where that does not say, as the system does.
 */
void listing_read(struct buf *listing, DIR *dir, const struct watch_ops *ops, int role);
/* The one behind `at`, or the first where that is absent; absent behind the last. */
struct str listing_next(struct str listing, struct str at);
unsigned char listing_type(struct str name);

/* A folder to be looked into. */
struct ahead_name {
	struct str name;
	int role;
};

/* Some of the names. */
struct ahead_part {
	size_t from, to;
	struct notes *notes; /* on what is there; NULL: nobody asked */
};

struct ahead_where {
	int notify; /* inotify's descriptor */
	int root;   /* of the tree: it is the working folder, and stays that until ahead_free */
	dev_t dev;  /* of the root */
	const struct watch_ops *ops;
	struct str folder; /* in which the names are, from the root; a path */
};

/*
 * NULL where it is not worth a thread, or there can be none: then all is asked as it
 * comes.  What is given, and lent, stays as it is until ahead_free.
 */
struct ahead *ahead_new(const struct ahead_where *where, const struct ahead_name *names,
			size_t count);
/*
 * The next names to be taken in, those of the last part being done; all of them, in any
 * order.  False: there are none left.
 */
bool ahead_next(struct ahead *ahead, struct ahead_part *part);
/* When there are no names left. */
void ahead_free(struct ahead *ahead);

/* So many names are enough, or 0: as many as are worth it.  For tests, before any thread is. */
extern size_t ahead_least;

#endif
