/* SPDX-License-Identifier: MIT */
#include "index_private.h"

#include <stdlib.h>

/*
 * Which ids record files have, so that most that are asked for are known to be none of them
 * without a look at every Ticket.  Bits that are only ever set: what is gone stays until the
 * table is too small and is made anew.  Until somebody asks there is none.
 */
struct ids {
	size_t count, room;
	size_t mask; /* bits, and one less */
	uint64_t *bits;
};

/* At 8 bits an id and so many marks each, 2 of 100 that are not there seem to be. */
#define MARKS 4
#define BITS_AN_ID 8
#define ROOM_MIN 1024

static size_t bit_of(const struct ids *ids, uint64_t hash, unsigned mark)
{
	return (size_t)((hash & UINT32_MAX) + mark * (hash >> 32 | 1)) & ids->mask;
}

static void mark(struct ids *ids, struct str id)
{
	uint64_t hash = hash_of(id);

	for (unsigned i = 0; i < MARKS; i++) {
		size_t bit = bit_of(ids, hash, i);
		ids->bits[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	ids->count++;
}

static bool is_marked(const struct ids *ids, struct str id)
{
	uint64_t hash = hash_of(id);

	for (unsigned i = 0; i < MARKS; i++) {
		size_t bit = bit_of(ids, hash, i);
		if (!(ids->bits[bit / 64] >> bit % 64 & 1))
			return false;
	}
	return true;
}

static void mark_all(struct ids *ids, const struct content *content)
{
	for (uint32_t i = 0; content->role == ROLE_RECORD && i < content->record_count; i++)
		mark(ids, content->records[i].id);
}

static void mark_copy(struct ids *ids, const struct copy *copy)
{
	for (uint32_t i = 0; i < copy->doc_count; i++)
		mark_all(ids, copy->docs[i]->content);
}

static struct ids *ids_new(const struct index *ix)
{
	struct ids *ids = xcalloc(1, sizeof(*ids));

	/* Half of it is for those that come. */
	ids->room = ROOM_MIN;
	while (ids->room < 2 * ix->records)
		ids->room *= 2;
	ids->mask = ids->room * BITS_AN_ID - 1;
	ids->bits = xcalloc((ids->mask + 1) / 64, sizeof(*ids->bits));
	for (const struct ticket *t = ix->tickets; t; t = t->hh.next) {
		for (const struct copy *c = t->copies; c; c = c->next)
			mark_copy(ids, c);
		if (t->lost)
			mark_copy(ids, t->lost);
	}
	return ids;
}

void ids_free(struct index *ix)
{
	if (!ix->ids)
		return;
	free(ix->ids->bits);
	free(ix->ids);
	ix->ids = NULL;
}

void ids_add(struct index *ix, const struct content *content)
{
	if (!ix->ids)
		return;
	mark_all(ix->ids, content);
	if (ix->ids->count > ix->ids->room)
		ids_free(ix);
}

const struct decision *ticket_record(const struct ticket *t, struct str id)
{
	uint32_t tag = id_tag(id);

	for (uint32_t i = 0; i < t->own_count; i++)
		if (t->own[i].tag == tag && t->own[i].doc->content->role == ROLE_RECORD &&
		    str_eq(t->own[i].record->id, id))
			return &t->own[i];
	return NULL;
}

const struct decision *index_record_beside(struct index *ix, struct str id,
					   const struct ticket *beside)
{
	const struct decision *found = NULL;

	if (!ix->ids)
		ix->ids = ids_new(ix);
	if (!is_marked(ix->ids, id))
		return NULL;
	for (const struct ticket *t = ix->tickets; t && !found; t = t->hh.next)
		found = t == beside ? NULL : ticket_record(t, id);
	return found;
}
