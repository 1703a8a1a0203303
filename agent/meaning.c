/* SPDX-License-Identifier: MIT */
#include "meaning.h"

struct meaning meaning_make(enum kind kind, struct str ticket, struct str other)
{
	const struct kind_row *row = kind_row(kind);
	bool turned = row->holds == HOLDS_OTHER ||
		      (row->holds == HOLDS_BOTH && str_cmp(other, ticket) < 0);

	return (struct meaning){ turned ? other : ticket, turned ? ticket : other, row->code,
				 row->code == REASON_NONE ? kind : KIND_COUNT };
}

struct meaning meaning_of(const struct decision *d)
{
	return meaning_make(d->record->kind, d->ticket->id, d->other->id);
}

int meaning_compare(const struct meaning *a, const struct meaning *b)
{
	int order = str_cmp(a->waits, b->waits);

	if (!order)
		order = str_cmp(a->awaited, b->awaited);
	if (!order)
		order = (a->code > b->code) - (a->code < b->code);
	return order ? order : (a->kind > b->kind) - (a->kind < b->kind);
}
