/* SPDX-License-Identifier: MIT */
#include "log_rows.h"

#include <stdlib.h>

struct gathering {
	const struct log_filter *filter;
	struct arena *arena;
	struct log_row *at;
	size_t count, cap;
};

static bool passes(const struct log_filter *f, const struct log_row *row)
{
	const struct record *r = row->record;

	if (f->ticket.at && !str_eq(f->ticket, row->ticket))
		return false;
	if (!r)
		return !f->kinds && !f->author.at && !f->since && !f->before;
	return (!f->kinds || f->kinds & UINT64_C(1) << r->kind) &&
	       (!f->author.at || str_eq(f->author, r->author)) &&
	       (!f->since || r->at >= f->since) && (!f->before || r->at < f->before);
}

static void take(struct gathering *g, struct log_row row)
{
	if (!passes(g->filter, &row))
		return;
	g->at = arena_more(g->arena, g->at, g->count, &g->cap, sizeof(*g->at));
	g->at[g->count++] = row;
}

static bool is_relation(const struct decision *d)
{
	return d->doc->content->role == ROLE_RELATIONS;
}

static const struct decision *find_now(const struct index *ix, const struct past_record *r)
{
	const struct ticket *t = index_named(ix, r->ticket);

	for (uint32_t i = 0; t && i < t->own_count; i++)
		if (str_eq(t->own[i].record->id, r->id) && is_relation(&t->own[i]) == r->relation)
			return &t->own[i];
	return NULL;
}

/* One that came in a commit that nothing leads to any more, was never there. */
static const struct past_record *find_past(const struct past *past, const struct decision *d)
{
	const struct past_record *r =
		past_record(past, d->ticket->id, is_relation(d), d->record->id);

	return r && past_came(r) ? r : NULL;
}

static void gather_now(struct gathering *g, struct index *ix, const struct past *past)
{
	size_t count;
	struct ticket *const *all = index_tickets(ix, &count);

	for (size_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < all[i]->own_count; k++) {
			const struct decision *d = &all[i]->own[k];
			take(g, (struct log_row){ all[i]->id, d->record->id, d, find_past(past, d),
						  d->record });
		}
}

static void gather_past(struct gathering *g, const struct index *ix, const struct past *past)
{
	for (const struct past_record *r = past_records(past); r; r = r->hh.next)
		if (past_came(r) && !find_now(ix, r))
			take(g, (struct log_row){ r->ticket, r->id, NULL, r, r->record });
}

static int newest_first(const void *x, const void *y)
{
	const struct log_row *a = x, *b = y;
	int64_t at = a->record ? a->record->at : 0, bt = b->record ? b->record->at : 0;

	if (at != bt)
		return at > bt ? -1 : 1;
	int order = str_cmp(b->id, a->id);
	if (!order)
		order = str_cmp(b->ticket, a->ticket);
	return order ? order : (a->d < b->d) - (a->d > b->d);
}

bool log_rows(struct index *ix, const struct past *past, const struct log_filter *filter,
	      struct arena *arena, struct page *page, struct log_row **rows, struct fault *why)
{
	struct gathering g = { .filter = filter, .arena = arena };

	page_begin(page);
	gather_now(&g, ix, past);
	gather_past(&g, ix, past);
	if (g.count > 1)
		qsort(g.at, g.count, sizeof(*g.at), newest_first);
	page->count = g.count;
	*rows = g.at;
	return page_by_number(arena, page, why);
}

static bool takes_back(const struct record *r, const struct log_row *row)
{
	return r && r->kind == KIND_RETRACTION && str_eq(r->retracts, row->id) &&
	       (!row->record || row->record->kind != KIND_RETRACTION);
}

const struct record *log_retraction(const struct index *ix, const struct past *past,
				    const struct log_row *row)
{
	const struct ticket *t = index_named(ix, row->ticket);

	for (uint32_t i = 0; t && i < t->own_count; i++)
		if (takes_back(t->own[i].record, row) && (!row->d || row->d->retracted))
			return t->own[i].record;
	for (const struct past_record *r = row->d ? NULL : past_records(past); r; r = r->hh.next)
		if (str_eq(r->ticket, row->ticket) && takes_back(r->record, row) && past_came(r))
			return r->record;
	return NULL;
}
