/* SPDX-License-Identifier: MIT */
#ifndef TP_INDEX_H
#define TP_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "content.h"
#include "fault.h"
#include "hash.h"

/*
 * All Tickets of a repository and the records between them, out of every source
 * (checkout) at once.  A cache and nothing more: it holds what index_put was
 * told of files that are there, and forgets what index_drop was told is gone.
 *
 * Changes are gathered; index_settle makes them visible, all at once, and
 * raises the generation if an answer can differ now; trace.h says whose.  The structs below are
 * for reading.  Pointers into the index live until the next index_settle.
 */
struct index;

/* Sources are bits of a mask. */
#define SOURCES_MAX 64
/* Stands for no checkout: holds the records that are lost. */
#define SOURCE_LOST (SOURCES_MAX - 1)

/* A checkout. */
struct source {
	char *name;
	char *top;      /* the checkout's top folder */
	char *root;     /* its Ticket tree from the top, "" where there is none */
	uint64_t serial; /* no other source has or had it */
	size_t items;    /* files item.md in it */
	bool authority;  /* its states count where sources disagree */
	bool used;
};

/* An artifact file of a Ticket in one source. */
struct doc {
	struct copy *copy;
	struct content *content;
	const char *path; /* from the root; one text for all checkouts that have it */
	unsigned epoch;
	bool loose;   /* it is in no commit, so far as is known, */
	bool addable; /* and git would add it, when it was asked */
	bool settled; /* its records are among the Ticket's own */
};

/* A Ticket as one folder of one source has it. */
struct copy {
	struct ticket *ticket;
	struct copy *next;
	struct content *item; /* NULL where item.md is missing */
	const char *dir;      /* from the root; one text for all checkouts that have it */
	struct doc **docs;    /* by path */
	uint32_t doc_count;
	uint32_t unreadable; /* how many of docs cannot be read whole */
	unsigned item_epoch;
	int8_t source;
	bool twice; /* another folder of its source holds this Ticket too */
};

/* A record as it counts: one, however many sources hold it. */
struct decision {
	const struct record *record; /* as the source that counts has it */
	struct doc *doc;             /* of that source */
	struct ticket *ticket;
	struct ticket *other;        /* NULL where the kind names none */
	struct decision *prev, *next; /* in other->incoming */
	uint64_t sources;            /* bit a source */
	uint32_t tag;                /* id_tag of its id */
	bool retracted;
	bool diverged; /* sources hold it with different content */
};

struct ticket {
	UT_hash_handle hh; /* by id */
	struct str id;
	struct copy *copies;           /* by source name; NULL: only named by others, not there */
	struct copy *lost;             /* records of it whose files are gone; or NULL */
	struct decision *own;          /* array; its own records, by (at, id) */
	struct decision *incoming;     /* list; those of others that name it */
	const struct decision *last_plan; /* the accepted_plan that counts, or NULL */
	const struct copy *face;       /* the copy whose item.md counts */
	const struct item *item;       /* what that says; NULL where there is none to read */
	const struct claim *claim;     /* the live claim that counts, or NULL */
	struct ticket *dirty_next;
	struct trace *trace;           /* since the index is followed; NULL: no change yet */
	uint32_t own_count;
	uint32_t own_files;            /* how many files its first copy had when it settled */
	uint16_t own_slack;            /* so many more would find room in own */
	uint8_t state;                 /* enum state */
	int8_t busy_elsewhere;         /* a source other than face's with state inprogress, or -1 */
	/* A source that has it resolved where that does not count, or -1. */
	int8_t resolved_elsewhere;
	bool dirty : 1;
	/* Dirty, and its records are not just those from before and later ones. */
	bool anew : 1;
	bool takes_back : 1; /* some of its records are retractions */
	bool diverged : 1;   /* sources disagree on the state */
	bool elsewhere : 1;  /* absent from the authority */
	bool unreadable : 1;
	bool twice : 1;      /* a source has it in two folders */
	bool occupied : 1;
	bool waiter : 1;     /* in the index's table of those that something ends by itself */
	uint8_t told : 2;    /* follow: the last verdict and one, or 0 */
	uint8_t bypasses : 4; /* follow: in which ways it went past the gate, or lost a record */
};

/* A problem that belongs to no file of a Ticket. */
struct stray {
	UT_hash_handle hh;
	enum problem code;
	int source;
	unsigned epoch;
	struct str text;
	char path[]; /* from the root */
};

struct index *index_new(void);
void index_free(struct index *ix);

/* The source of that name, made if there is none; -1 where there are too many. */
int index_source_add(struct index *ix, const char *name);
/* Where it is now; "" as root for no tree. */
void index_source_set(struct index *ix, int source, const char *top, const char *root,
		      bool authority);
/* What is wrong with the settings of all of them, for the doctor; NULL: nothing. */
void index_misset(struct index *ix, const char *text);
const char *index_settings_flaw(const struct index *ix);
/* Why the past could not be read from git when it was last tried; NULL: it could, or was not. */
void index_past_failed(struct index *ix, const char *text);
const char *index_past_failure(const struct index *ix);
/* Forget it and all it held. */
void index_source_drop(struct index *ix, int source);
const struct source *index_source(const struct index *ix, int source);
/* A path below the source's tree as one from the checkout's top; the tree may be the top itself. */
struct str source_path(const struct source *source, struct str path, struct arena *arena);
/* Of a mask's sources the next by name behind `after`, the first for -1; -1 at the end. */
int index_source_next(const struct index *ix, uint64_t mask, int after);

/* A file is there and says this.  `path` is from the root; the content is taken over. */
void index_put(struct index *ix, int source, struct str path, struct content *content);
/*
 * What a file of these bytes at this path says, where that is known already: from
 * another source, or from before.  With a reference of its own; or NULL.
 */
struct content *index_known(const struct index *ix, struct str path, enum role role,
			    struct str bytes);
/* The artifact file that a copy, or a source, has at this path, or NULL. */
struct doc *copy_doc(const struct copy *copy, struct str path);
struct doc *index_doc(const struct index *ix, int source, struct str path);
/* The next one of its copy, or NULL. */
struct doc *doc_behind(const struct doc *doc);
/* What is at this path, file or folder, is gone; "" for the whole tree. */
void index_drop(struct index *ix, int source, struct str path);
/* A problem at this path; stands until index_drop of it or of a folder above. */
void index_stray_put(struct index *ix, int source, struct str path, enum problem code,
		     const char *text);

/*
 * A record whose file is gone from every source, though no commit removed it: it
 * counts all the same.  `path` is TICKET/artifacts/records/NAME.  Until
 * index_lost_drop, which does nothing where it is none.
 */
void index_lost_put(struct index *ix, struct str path, struct content *content);
void index_lost_drop(struct index *ix, struct str path);
/*
 * The next Ticket that has any, whether it is there or not; NULL: the first, and behind the last.
 */
const struct ticket *index_lost_next(const struct index *ix, const struct ticket *after);

/* Between the two everything of the source is told again; what is not, is gone. */
void index_scan_begin(struct index *ix, int source);
void index_scan_end(struct index *ix, int source);

/* Make the changes visible; whether there were any. */
bool index_settle(struct index *ix);

/*
 * The time has come to this: where that ends a wait, the next settle raises the
 * generation.  The next such time, in microseconds since 1970; 0 for none.
 */
void index_pass_time(struct index *ix, int64_t now);
int64_t index_next_time(const struct index *ix);

/* Who claims the Ticket of that id now; NULL for nobody.  Borrowed until the next call for it. */
void index_claim(struct index *ix, struct str ticket, const struct claim *claim);

/* Whatever else may change an answer (config, a passed time) says so. */
void index_touch(struct index *ix);
/* The same of one Ticket: something else about it changed. */
void index_touch_ticket(struct index *ix, struct ticket *ticket);
uint64_t index_generation(const struct index *ix);

/* The Ticket of that id: NULL for one that is not there, even if records name it. */
struct ticket *index_find(const struct index *ix, struct str id);
/* How many artifact files went, ever: as long as that stays none did. */
uint64_t index_drops(const struct index *ix);

/* As index_find, but one that is not there and only named by records is found too. */
struct ticket *index_named(const struct index *ix, struct str id);
/* By id, else by slug: FAULT_NOT_FOUND, FAULT_AMBIGUOUS. */
bool index_resolve(struct index *ix, struct str name, struct ticket **into, struct fault *why);

/* All that are there, by id.  Until the next settle. */
struct ticket *const *index_tickets(struct index *ix, size_t *count);
/* All problems that belong to no Ticket, in no order: walk by ->hh.next. */
const struct stray *index_strays(const struct index *ix);

/* Numbers for status. */
size_t index_count(const struct index *ix);
size_t index_record_count(const struct index *ix);
size_t index_flaw_count(const struct index *ix);
/* Tickets that somebody works on; and without this one where that is only claimed. */
size_t index_occupied(const struct index *ix);
size_t index_occupied_beside(const struct index *ix, const struct ticket *ticket);

/* Of equal ids equal, of others rarely: to look for one without reading them all. */
static inline uint32_t id_tag(struct str id)
{
	uint32_t tag = (uint32_t)id.len;

	if (id.len >= sizeof(tag))
		memcpy(&tag, id.at + id.len - sizeof(tag), sizeof(tag));
	return tag;
}

/* What a source says of the Ticket's state; of one that it holds twice, nothing. */
enum state copy_state(const struct copy *copy);
static inline bool state_resolved(enum state state)
{
	return state == STATE_DONE || state == STATE_CLOSED;
}

/* Whether it is done or closed where that counts: not in another checkout only. */
static inline bool ticket_resolved(const struct ticket *t)
{
	return state_resolved((enum state)t->state) && !t->elsewhere;
}

static inline bool ticket_exists(const struct ticket *t)
{
	return t->copies != NULL;
}

/* Front matter that counts; a static empty one where there is none. */
const struct item *ticket_item(const struct ticket *t);
/* Its title; empty, never absent. */
struct str ticket_title(const struct ticket *t);

/* Whether its accepted plan is one for this stay in the queue, not for an earlier one. */
bool ticket_plan_is_current(const struct ticket *t);
/* Whether it was accepted and nobody has begun. */
bool ticket_awaits_start(const struct ticket *t);
/* A plan so old (microseconds) whose Ticket is still queued was forgotten, not just written. */
#define PLAN_START_US (INT64_C(3600) * 1000000)

/* Whether no checkout has it any more. */
static inline bool decision_is_lost(const struct decision *d)
{
	return d->sources == UINT64_C(1) << SOURCE_LOST;
}

/* The record file of that id of the Ticket, or NULL. */
const struct decision *ticket_record(const struct ticket *t, struct str id);
/* The same of any other Ticket: an id names one record. */
const struct decision *index_record_beside(struct index *ix, struct str id,
					   const struct ticket *beside);

/* Two records of one Ticket by id, plan's before relation's: 0 where they are the same one. */
int decision_key_compare(const struct decision *a, const struct decision *b);

/* Whether somebody is at work on it by a claim alone: it is not in progress, and no plan counts. */
bool ticket_only_claimed(const struct ticket *t);

/* Whether a later accepted plan of its Ticket took its place; only plans and waits can be. */
bool decision_superseded(const struct decision *d);
/* Whether a record of that status still says something, wherever its file is. */
static inline bool status_counts(enum status status)
{
	return status == STATUS_LIVE || status == STATUS_DANGLING || status == STATUS_LOST;
}

/* What has become of a record, at this time (microseconds since 1970). */
enum status decision_status(const struct index *ix, const struct decision *d, int64_t now);
/* Whether the condition of a wait has come; false where it has none. */
bool decision_until_holds(const struct index *ix, const struct decision *d, int64_t now);

#endif
