/* SPDX-License-Identifier: MIT */
#ifndef TP_LAYOUT_H
#define TP_LAYOUT_H

#include <stdbool.h>

#include "str.h"

/*
 * Where things lie below the root of a Ticket tree; the one place that knows.
 *
 *   flat   ID/item.md
 *   slug   {open,pending,closed}/ID/item.md
 *
 * and below a Ticket's folder artifacts/orchestration-plan.jsonl,
 * artifacts/relations.json and artifacts/records/NAME.json.  A tree may hold both
 * layouts, as it does in the middle of a migration.
 */
enum role {
	ROLE_NONE,      /* not ours; left alone */
	ROLE_BAD,       /* a folder where a Ticket belongs, with a name no Ticket may have */
	ROLE_ROOT,
	ROLE_BUCKET,    /* open, pending, closed */
	ROLE_TICKET,
	ROLE_ARTIFACTS,
	ROLE_RECORDS,
	ROLE_ITEM,      /* from here on files */
	ROLE_PLAN,
	ROLE_RELATIONS,
	ROLE_RECORD,
};

static inline bool role_is_file(enum role role)
{
	return role >= ROLE_ITEM;
}

/* What something of that name is in a folder of that role. */
enum role layout_role(enum role parent, struct str name);
/*
 * All the names that are anything in a folder of that role, up to a NULL; NULL: there is no end of
 * them.
 */
const char *const *layout_names(enum role folder);

/* A path below the root, taken apart. */
struct spot {
	struct str dir;    /* the Ticket's folder, from the root: "ID" or "open/ID" */
	struct str ticket; /* its id */
	/* The rest: "item.md", "artifacts/records/X.json"; absent for the folder. */
	struct str file;
	bool slug;         /* lies in a bucket */
};

/* False for the root and the buckets, which belong to no Ticket. */
bool layout_split(struct str path, struct spot *spot);

/* Where a record's file lies, in a Ticket's folder: the caller's to free. */
char *layout_record(const char *folder, const char *name);

/* 1 to 128 of A-Z a-z 0-9 . _ - and a letter or digit first. */
bool layout_id_ok(struct str id);

#endif
