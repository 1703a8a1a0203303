/* SPDX-License-Identifier: MIT */
#ifndef TP_CONTENT_H
#define TP_CONTENT_H

#include <stdint.h>

#include "arena.h"
#include "layout.h"
#include "str.h"
#include "words.h"

struct json_t;

/*
 * What one file says: parsed once, never changed, held once however many
 * checkouts have the same bytes.
 */

/* Something wrong with the file. */
struct flaw {
	enum problem code;
	uint32_t line;  /* from 1; 0 where none is meant */
	int64_t offset; /* from 0; -1 where none is meant */
	struct str text;
};

/* At most so many are kept of one file; `flaws_cut` counts the rest. */
#define CONTENT_FLAWS_MAX 64

struct plan {
	struct str summary, branch, worktree, role_plan;
};

enum until_form { UNTIL_NONE, UNTIL_TICKET, UNTIL_AFTER, UNTIL_HUMAN, UNTIL_FREE };

/* When a wait ends by itself. */
struct until {
	enum until_form form;
	struct str ticket; /* TICKET: this one has come to `state` or a later one */
	enum state state;
	int64_t after; /* AFTER: microseconds since 1970 */
	int64_t free;  /* FREE: fewer than so many Tickets are occupied */
};

/* A record as it was written.  Absent text is { NULL, 0 }. */
struct record {
	struct str id; /* of a relation: "KIND:TARGET" */
	enum kind kind;
	enum origin origin;
	struct str other;
	struct str note;
	const struct plan *plan;
	const struct until *until;
	struct str retracts;
	struct str author;
	int64_t at;
	uint32_t line; /* in a file of several; else 0 */
	bool suspect;  /* a text of it can hold a path of one machine; see guard.h */
};

/* Whether two say the same, whenever and wherever they were written. */
bool record_same(const struct record *a, const struct record *b);

/* What the front matter of item.md says. */
struct item {
	enum state state;
	struct str slug, title, created_at, updated_at, queued_at;
};

struct content {
	unsigned refs;
	enum role role;
	uint64_t hash; /* of the bytes, keyed */
	size_t len;    /* of the file as far as it was read */
	struct arena arena; /* everything below points into it */
	struct flaw *flaws;
	uint32_t flaw_count, flaws_cut;
	uint32_t record_count;
	bool unreadable; /* a flaw makes its Ticket unreadable */
	struct record *records; /* PLAN, RELATIONS, RECORD */
	const struct item *item; /* ITEM; NULL where there is none to read */
};

/* With one reference. */
struct content *content_new(enum role role, struct str bytes);
struct content *content_share(struct content *content);
/* Drop a reference; the last one frees it.  NULL is fine. */
void content_free(struct content *content);

/* Add a flaw; `line` 0 and `offset` -1 for none. */
void content_flaw(struct content *content, enum problem code, uint32_t line, int64_t offset,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Content that holds nothing but a flaw, for a file that could not be read. */
struct content *content_broken(enum role role, enum problem code, const char *text);

/* Whether two say the same for the same reason: the same bytes, the same kind of file. */
bool content_same(const struct content *a, const struct content *b);

/* Whether a content is what item_parse would make of these bytes. */
bool item_is(const struct content *content, struct str bytes, bool slug);
/* item.md of a Ticket in the slug layout, or the flat one. */
struct content *item_parse(struct str bytes, bool slug);

/* An artifact of this Ticket; `name` is the file's. */
struct content *artifact_parse(enum role role, struct str ticket, struct str name,
			       struct str bytes);
/* The record file of this name that was written from `said`: as if it were read. */
struct content *artifact_written(struct str ticket, struct str name, struct str bytes,
				 struct json_t *said);
/* Whether that is what a file of this name, with these bytes, was parsed into. */
bool artifact_is(const struct content *content, struct str ticket, struct str name,
		 struct str bytes);

/* Front matter may have so many bytes; of item.md no more than this need be read. */
#define ITEM_HEAD_MAX (64 * 1024)
#define ARTIFACT_LINE_MAX (1024 * 1024)
#define ARTIFACT_FILE_MAX (64 * 1024 * 1024)

#endif
