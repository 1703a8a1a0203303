/* SPDX-License-Identifier: MIT */
#ifndef TP_TEST_MODEL_H
#define TP_TEST_MODEL_H

#include "buf.h"
#include "index.h"

/*
 * An index out of literal files, and what it says as text, for tests.
 */

/* The source of that name, made with a Ticket tree if there is none; "main" is the authority. */
int model_source(struct index *ix, const char *name);

/* A file is there; its path says what it is.  It counts after index_settle. */
void model_put(struct index *ix, const char *source, const char *path, const char *text);
void model_put_bytes(struct index *ix, const char *source, const char *path, struct str bytes);
void model_drop(struct index *ix, const char *source, const char *path);

/* ID/item.md with that state, titled like the id, and further lines of front matter. */
void model_item(struct index *ix, const char *source, const char *id, const char *state);
void model_item_with(struct index *ix, const char *source, const char *id, const char *state,
		     const char *lines);

/*
 * TICKET/artifacts/records/ID.json, decided in the hour named (0 to 23) of
 * 2026-05-01; `fields` is JSON that begins with a comma, or "".
 */
void model_record(struct index *ix, const char *source, const char *ticket, const char *id,
		  const char *kind, int hour, const char *fields);
/* The same as a line of a plan file, and as a relation; both the caller's to free. */
char *model_line(const char *ticket, const char *id, const char *kind, int hour,
		 const char *fields);
char *model_relations(const char *ticket, const char *kind, const char *target, int hour);

/* 2026-06-01T00:00:00Z, later than all that model_record writes. */
#define MODEL_NOW INT64_C(1780272000000000)

/*
 * The gate: "held blocked/hold/plan T-2 planning; ordered/hold/plan T-3 ready".
 * In a static buffer, until the next call.
 */
const char *model_gate(struct index *ix, const char *id);
/* Its reasons' sentences, a line each. */
const char *model_reasons(struct index *ix, const char *id);
/* "live", "satisfied", … of the Ticket's own record of that id; "none" where it is not served. */
const char *model_status(struct index *ix, const char *ticket, const char *record);

/* Everything that the index says, in a form that does not depend on its history. */
void model_dump(struct index *ix, struct buf *into);

/* Numbers that look random and are the same in every run. */
unsigned model_random(uint64_t *seed, unsigned below);

#endif
