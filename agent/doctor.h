/* SPDX-License-Identifier: MIT */
#ifndef TP_DOCTOR_H
#define TP_DOCTOR_H

#include "ignored.h"
#include "query.h"

/*
 * Everything that is wrong with the tree and its records, with place and
 * remedy.  Pure, like the gate.
 */
struct finding {
	enum problem code;
	const struct ticket *ticket; /* NULL where it concerns none */
	int source;                  /* -1 where it concerns none */
	struct str path;             /* from the source's root; absent for the whole tree */
	uint32_t line;               /* 0: none */
	int64_t offset;              /* -1: none */
	struct str text;
};

/* What is wrong with the files of one Ticket; the list grows in the arena. */
struct findings {
	struct arena *arena;
	struct finding *at;
	size_t count, cap;
	const struct ignored *ignored; /* what git was found to ignore; NULL: it was not asked */
};

/* One more; of no source, and without a place. */
struct finding *findings_add(struct findings *into, enum problem code, const struct ticket *t);

void doctor_files(const struct ticket *t, struct findings *into);

/* In which ways the Ticket went past the gate: unrecorded, past_hold, accepted_not_started. */
void doctor_bypasses(const struct index *ix, const struct ticket *t, int64_t now,
		     struct findings *into);

/* Records of it that are lost. */
void doctor_lost(const struct ticket *t, struct findings *into);

/*
 * Everything, or what concerns one Ticket (NULL: all), by file and line; of what git ignores
 * as much as `ignored` knows (NULL: nothing).  Counts errors over all pages.
 */
bool doctor_run(struct index *ix, const struct ticket *only, const struct ignored *ignored,
		int64_t now, struct arena *arena, struct page *page, struct finding **rows,
		size_t *errors, struct fault *why);

/* Sort what was found, and cut the page out. */
bool doctor_page(struct index *ix, struct findings *all, struct page *page,
		 struct finding **rows, size_t *errors, struct fault *why);

#endif
