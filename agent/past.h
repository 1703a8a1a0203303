/* SPDX-License-Identifier: MIT */
#ifndef TP_PAST_H
#define TP_PAST_H

#include "content.h"
#include "hash.h"

/*
 * What commits did to records: in which a record came, in which it vanished.
 * Filled commit by commit, in any order; what no tip leads to any more stays and
 * does not count.
 */
struct past;

struct past_commit {
	UT_hash_handle hh; /* by id */
	char *id;
	struct past_commit **parents;
	unsigned parent_count;
	char *author, *subject;
	int64_t at;
	char *top; /* id of its Ticket tree, "" for none */
	bool held; /* a branch or a tag leads to it */
	bool seen; /* one does, or the HEAD of a checkout */
	bool read; /* what it did is in the past already */
	bool cut;  /* a shallow clone begins with it: what it has may be older */
};

/* A record came with a commit, or vanished with it. */
struct past_event {
	const struct past_commit *commit;
	bool vanished;
	struct past_event *next;
};

struct past_record {
	UT_hash_handle hh; /* by key: TICKET, whether it is a relation, id */
	struct str ticket, id;
	bool relation;
	struct content *content;     /* one that holds it, or NULL where none could be read */
	const struct record *record; /* in it */
	struct past_event *events;   /* in no order */
	char key[];
};

struct past *past_new(void);
void past_free(struct past *past);

/*
 * Where the clone that it was read from begins, as git's file `shallow` has it; "" for a whole one.
 */
struct str past_begin(const struct past *past);
void past_set_begin(struct past *past, struct str begin);

/* The commit of that id: NULL where it is not there yet. */
struct past_commit *past_find(const struct past *past, const char *id);
/* A new one; its parents are known by then or made by this, and filled in later. */
struct past_commit *past_add(struct past *past, const char *id);
void past_parent(struct past_commit *commit, struct past_commit *parent);
struct past_commit *past_commits(const struct past *past);

/* How many commits something leads to, and how many a branch or a tag does. */
void past_count(const struct past *past, size_t *seen, size_t *held);

/* Nothing leads anywhere; and then, this does. */
void past_unmark(struct past *past);
void past_mark(struct past_commit *tip, bool held);

/* `record` is one of `content`, or NULL with its id alone. */
void past_event(struct past *past, const struct past_commit *commit, bool vanished,
		struct str ticket, bool relation, struct str id, struct content *content,
		const struct record *record);

const struct past_record *past_record(const struct past *past, struct str ticket, bool relation,
				      struct str id);
const struct past_record *past_records(const struct past *past);

/* The first commit with which it came, the last with which it vanished; NULL for none. */
const struct past_commit *past_came(const struct past_record *r);
const struct past_commit *past_vanished(const struct past_record *r);
/* Whether a commit that a branch or a tag leads to has, or had, it. */
bool past_held(const struct past_record *r);

#endif
