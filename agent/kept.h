/* SPDX-License-Identifier: MIT */
#ifndef TP_KEPT_H
#define TP_KEPT_H

#include "buf.h"
#include "index.h"
#include "keep.h"

/*
 * Records of which a copy is kept, and what becomes of them: a commit holds one;
 * or its file goes from every checkout and from whatever a ref leads to, and it is
 * lost.
 *
 * What we wrote was acknowledged, and is lost however it goes, but by a commit that
 * removes it.  A commit may go, too, with its branch or by a reset: the copy stays
 * KEPT_COMMITTED_S longer, as git keeps a commit that no ref leads to.  What others
 * wrote and we only saw is lost when its checkout goes with it, before a commit has
 * it; a file that is deleted in a checkout that stays was meant to be.
 */
#define KEPT_COMMITTED_S (INT64_C(30) * 24 * 3600)
/* Of so many at most; then the oldest go. */
#define KEPT_COMMITTED_MAX 1000

struct kept;

struct kept_file {
	UT_hash_handle hh; /* by key */
	bool doubted;      /* no checkout has it: either a commit has it, or it is lost */
	bool lost;
	bool away;         /* a branch or tag has it, and no checkout */
	bool rests;        /* a commit has it, and a checkout */
	bool found;        /* a checkout had it when it was looked for; or it is away */
	int64_t committed; /* since when (seconds since 1970) a commit has it; 0: none does */
	char *tip;         /* what the branch or tag that was found to have it pointed to; or NULL */
	struct kept_file *fresh_next; /* those that were not looked for yet */
	char *source; /* in which it was seen; NULL: we wrote it */
	/* Since when (seconds) somebody else's is gone from a checkout that stays; 0: not. */
	int64_t deleted;
	const char *name; /* in key, as is the Ticket's id before the slash */
	char *ticket;
	char key[]; /* TICKET/NAME */
};

/* A record file that was read and that may be in no commit. */
struct sighting {
	char *ticket, *name;
	char *source; /* NULL: it is ours */
	char *tree; /* its tree's root */
	char *path; /* from there */
	bool copied; /* a copy is there, and goes if a commit has it */
};

/*
 * `writes`: whether copies may be made and removed, or only read.  They lie in the folder `state`.
 */
struct kept *kept_new(struct index *ix, const char *state, bool writes);
void kept_free(struct kept *k);
/* The copies themselves, to be added to by whoever then tells with kept_add. */
struct keep *kept_copies(const struct kept *k);
/* The copy's bytes. */
bool kept_read(const struct kept *k, const struct kept_file *file, struct buf *into);

/*
 * Between the two we write that file, with a copy: a checkout in which it is
 * seen before we are told that it is done has nothing new, but a file that is in
 * no commit.  `copied`: it was written; else what was seen was somebody else's.
 */
void kept_writing(struct kept *k, struct str ticket, const char *name);
void kept_wrote(struct kept *k, struct str ticket, const char *name, bool copied);
/*
 * What was there when we were asked for it, and is acknowledged: as if we wrote it, from then on.
 * Its copy is there on return; whether a commit has it, and none is needed, git is asked later.
 */
void kept_confirm(struct kept *k, const struct doc *d);
/* What of that record's id is written for another Ticket meanwhile, as TICKET/NAME; or absent. */
struct str kept_written_beside(const struct kept *k, struct str ticket, struct str id);

/* A copy is there now, of a file that we wrote, or that was seen in this source. */
void kept_add(struct kept *k, struct str ticket, const char *name, const char *source);
struct kept_file *kept_find(const struct kept *k, const char *ticket, const char *name);
struct kept_file *kept_files(const struct kept *k);

/* See which of them the checkouts have, once the index is settled; settles it again. */
void kept_look(struct kept *k);
/* How many are doubted. */
size_t kept_doubts(const struct kept *k);

/* Of how many git is to be asked when it changed: of those that do not rest. */
size_t kept_unrested(const struct kept *k);

/* A branch or tag has it, which points to `tip`; NULL: it is not known which. */
void kept_commit(struct kept *k, struct kept_file *file, const char *tip);
/* A commit had it, and one removed it; or somebody lets it go. */
void kept_prune(struct kept *k, struct kept_file *file);
/* None has. */
void kept_lose(struct kept *k, struct kept_file *file);

/* Take note of a record file, before the index settles: a copy is to be kept, or another one. */
void kept_sight(struct kept *k, int source, struct str path);
/* All that the index has, as far as there are not too many; settles it again. */
void kept_sight_all(struct kept *k);
/* What was sighted since the last call, the caller's with each text. */
struct sighting *kept_take_sightings(struct kept *k, size_t *count);
size_t kept_sighted(const struct kept *k);
/* The file as it is now.  On any thread. */
bool sighting_read(const struct sighting *s, struct buf *into);
void sighting_release(struct sighting *s);

#endif
