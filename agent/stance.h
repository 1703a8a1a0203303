/* SPDX-License-Identifier: MIT */
#ifndef TP_STANCE_H
#define TP_STANCE_H

#include "content.h"
#include "fault.h"

/*
 * How records stand to git, each in the checkout whose file of it counts: what an
 * answer needs and only git can tell.  An answer that finds a record here that is
 * not known yet is asked for again, when git has been.
 */
struct stance {
	struct content *content; /* with a reference: what the file says */
	const struct record *record; /* in it */
	char *source;            /* the checkout's name, */
	char *top;               /* its top folder, */
	char *path;              /* the file from there, */
	char *inner;             /* and from the tree's root */
	bool known;
	enum standing standing; /* known */
};

struct stances {
	struct stance *at;
	size_t count, unknown;
	unsigned asked; /* how often git was */
	bool failed;
	struct fault why; /* failed */
};

/* NULL is fine. */
void stances_free(struct stances *s);

/* What is known of a record; NULL where it is not there yet. */
const struct stance *stances_find(const struct stances *s, const struct record *record,
				  const char *source);
/* One to be asked for: `content` is shared, the text copied. */
void stances_add(struct stances *s, struct content *content, const struct record *record,
		 const char *source, const char *top, struct str path, struct str inner);

/* Whether a file with this content has the record as it is. */
bool stance_holds(const struct content *content, const struct record *record);

#endif
