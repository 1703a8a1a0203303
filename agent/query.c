/* SPDX-License-Identifier: MIT */
#include "query.h"

#include <stdlib.h>

#include "rpc.h"
#include "stamp.h"

enum kind seen_kind(const struct seen *row)
{
	enum kind kind = row->d->record->kind;

	return row->derived ? kind_row(kind)->inverse : kind;
}

const struct ticket *seen_other(const struct seen *row)
{
	return row->derived ? row->d->ticket : row->d->other;
}

void page_begin(struct page *page)
{
	page->limit = page->limit ? page->limit : RPC_LIMIT_DEFAULT;
}

bool page_bad_cursor(struct fault *why)
{
	return fault(why, FAULT_BAD_ARGUMENT, "cursor is none that this list has given out");
}

bool page_cut(struct page *page, size_t first)
{
	page->first = first;
	page->returned = page->count - first;
	if (page->returned <= (size_t)page->limit)
		return false;
	page->returned = (size_t)page->limit;
	return true;
}

bool page_by_number(struct arena *arena, struct page *page, struct fault *why)
{
	size_t first = 0;

	for (size_t i = 0; i < page->cursor.len; i++) {
		char c = page->cursor.at[i];
		if (c < '0' || c > '9' || i > 9)
			return page_bad_cursor(why);
		first = first * 10 + (size_t)(c - '0');
	}
	if (page_cut(page, first < page->count ? first : page->count))
		page->next = arena_printf(arena, "%zu", page->first + page->returned);
	return true;
}

/* -- Records ------------------------------------------------------------ */

bool query_in_scope(enum status status, enum scope scope)
{
	bool live = status_counts(status);

	return scope == SCOPE_ALL || live == (scope == SCOPE_LIVE);
}

static bool passes(const struct index *ix, const struct record_filter *f, const struct seen *row,
		   int64_t now)
{
	if (f->kinds && !(f->kinds & UINT64_C(1) << seen_kind(row)))
		return false;
	if (f->other && seen_other(row) != f->other)
		return false;
	if (f->author.at && !str_eq(f->author, row->d->record->author))
		return false;
	if ((f->since && row->d->record->at < f->since) ||
	    (f->before && row->d->record->at >= f->before))
		return false;
	return query_in_scope(decision_status(ix, row->d, now), f->scope);
}

struct rows {
	struct seen *at;
	size_t count, cap;
};

static void take(struct rows *rows, struct arena *arena, struct seen row)
{
	rows->at = arena_more(arena, rows->at, rows->count, &rows->cap, sizeof(*rows->at));
	rows->at[rows->count++] = row;
}

static void collect(const struct index *ix, const struct record_filter *f, const struct ticket *t,
		    int64_t now, struct arena *arena, struct rows *rows)
{
	for (uint32_t i = 0; i < t->own_count; i++) {
		struct seen row = { &t->own[i], false };
		if (passes(ix, f, &row, now))
			take(rows, arena, row);
	}
}

static void collect_derived(const struct index *ix, const struct record_filter *f, int64_t now,
			    struct arena *arena, struct rows *rows)
{
	struct decision *d;

	DL_FOREACH(f->ticket->incoming, d) {
		struct seen row = { d, true };
		if (passes(ix, f, &row, now))
			take(rows, arena, row);
	}
}

/* Where a record stands in the order of all: time, id, Ticket, line. */
struct place_in_order {
	int64_t at;
	struct str id;
	struct str ticket;
	uint32_t line;
	uint32_t nth; /* in a cursor: so many rows of this very place were given out */
};

static struct place_in_order place_of(const struct seen *row)
{
	const struct record *r = row->d->record;

	return (struct place_in_order){ r->at, r->id, row->d->ticket->id, r->line, 0 };
}

static int compare_places(const struct place_in_order *a, const struct place_in_order *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	int order = str_cmp(a->id, b->id);
	if (!order)
		order = str_cmp(a->ticket, b->ticket);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int oldest_first(const void *x, const void *y)
{
	struct place_in_order a = place_of(x), b = place_of(y);
	const struct seen *r = x, *s = y;
	int order = compare_places(&a, &b);

	/* Of one place they are of one Ticket, whose array has them in their order. */
	return order ? order : (r->d > s->d) - (r->d < s->d);
}

static int newest_first(const void *x, const void *y)
{
	return oldest_first(y, x);
}

/* Written AT/LINE/NTH/TICKET/ID: only the last may hold a slash. */
static bool read_place(struct str text, struct place_in_order *place)
{
	char *end;

	if (!text.len || text.len > 4096)
		return false;
	char *copy = xstrndup(text.at, text.len), *slash;
	place->at = strtoll(copy, &end, 10);
	bool ok = end != copy && *end == '/';
	place->line = ok ? (uint32_t)strtoul(end + 1, &end, 10) : 0;
	ok = ok && *end == '/';
	place->nth = ok ? (uint32_t)strtoul(end + 1, &end, 10) : 0;
	ok = ok && *end == '/' && (slash = strchr(end + 1, '/'));
	if (ok) {
		size_t ticket = (size_t)(end + 1 - copy), id = (size_t)(slash + 1 - copy);
		place->ticket = (struct str){ text.at + ticket, id - 1 - ticket };
		place->id = (struct str){ text.at + id, text.len - id };
	}
	free(copy);
	return ok;
}

/* The first row behind a cursor. */
static size_t row_behind(const struct seen *rows, size_t count, const struct place_in_order *from,
			 int sign)
{
	size_t first = 0;
	uint32_t met = 0;

	for (; first < count; first++) {
		struct place_in_order here = place_of(&rows[first]);
		int order = compare_places(&here, from) * sign;
		if (order > 0 || (order == 0 && met++ == from->nth))
			break;
	}
	return first;
}

static struct str cursor_of(const struct seen *rows, size_t last, struct arena *arena)
{
	struct place_in_order here = place_of(&rows[last]);
	unsigned nth = 1;

	for (size_t i = last; i-- > 0; nth++) {
		struct place_in_order before = place_of(&rows[i]);
		if (compare_places(&before, &here) != 0)
			break;
	}
	return arena_printf(arena, "%lld/%u/%u/%.*s/%.*s", (long long)here.at, here.line, nth,
			    STR_ARG(here.ticket), STR_ARG(here.id));
}

static bool page_records(const struct seen *rows, enum order order, struct arena *arena,
			 struct page *page, struct fault *why)
{
	struct place_in_order from;
	size_t first = 0;

	if (page->cursor.at && !read_place(page->cursor, &from))
		return page_bad_cursor(why);
	if (page->cursor.at)
		first = row_behind(rows, page->count, &from, order == ORDER_OLDEST ? 1 : -1);
	if (page_cut(page, first))
		page->next = cursor_of(rows, first + page->returned - 1, arena);
	return true;
}

bool query_records(struct index *ix, const struct record_filter *filter, int64_t now,
		   struct arena *arena, struct page *page, struct seen **rows, struct fault *why)
{
	struct rows found = { 0 };

	page_begin(page);
	if (filter->ticket) {
		collect(ix, filter, filter->ticket, now, arena, &found);
		collect_derived(ix, filter, now, arena, &found);
	} else {
		size_t count;
		struct ticket *const *all = index_tickets(ix, &count);
		for (size_t i = 0; i < count; i++)
			collect(ix, filter, all[i], now, arena, &found);
		for (const struct ticket *t = NULL; (t = index_lost_next(ix, t));)
			if (!ticket_exists(t))
				collect(ix, filter, t, now, arena, &found);
	}
	if (found.count > 1)
		qsort(found.at, found.count, sizeof(*found.at),
		      filter->order == ORDER_OLDEST ? oldest_first : newest_first);
	page->count = found.count;
	*rows = found.at;
	return page_records(found.at, filter->order, arena, page, why);
}

/* -- Tickets ------------------------------------------------------------ */

void query_tickets(struct index *ix, uint64_t states, struct arena *arena, struct page *page,
		   struct ticket ***rows)
{
	size_t all, first = 0;
	struct ticket *const *list = index_tickets(ix, &all);

	page_begin(page);
	*rows = arena_alloc(arena, (all + 1) * sizeof(struct ticket *));
	for (size_t i = 0; i < all; i++)
		if (!states || states & UINT64_C(1) << list[i]->state)
			(*rows)[page->count++] = list[i];
	while (page->cursor.at && first < page->count &&
	       str_cmp((*rows)[first]->id, page->cursor) <= 0)
		first++;
	if (page_cut(page, first))
		page->next = (*rows)[first + page->returned - 1]->id;
}

/* -- The queue ---------------------------------------------------------- */

/* Since when it is queued, as far as its files say. */
static struct str queued_since(const struct ticket *t)
{
	const struct item *item = ticket_item(t);
	struct str since = item->queued_at.at ? item->queued_at : item->updated_at;

	return since.at ? since : STR("");
}

/* A place in the queue; times are read once, not at each comparison. */
struct queued {
	const struct ticket *ticket;
	struct str since, id;
	int64_t at;
	bool is_time;
};

static struct queued queued_make(const struct ticket *t, struct str since, struct str id)
{
	struct queued q = { .ticket = t, .since = since, .id = id };

	q.is_time = stamp_parse(since, &q.at);
	return q;
}

static int queue_order(const void *x, const void *y)
{
	const struct queued *a = x, *b = y;
	int order;

	/* Offsets may differ: compare as times.  What is no time comes first, as text. */
	if (a->is_time && b->is_time)
		order = (a->at > b->at) - (a->at < b->at);
	else
		order = a->is_time == b->is_time ? str_cmp(a->since, b->since)
						 : a->is_time - b->is_time;
	return order ? order : str_cmp(a->id, b->id);
}

/* The queue in its order; of `clear` only what nothing holds. */
static struct queued *line_up(struct index *ix, bool clear, int64_t now, struct str session,
			      struct arena *arena, size_t *count)
{
	size_t all, queued = 0;
	struct ticket *const *list = index_tickets(ix, &all);
	struct gate gate;

	for (size_t i = 0; i < all; i++)
		queued += list[i]->state == STATE_QUEUED;
	struct queued *line = arena_alloc(arena, (queued + 1) * sizeof(*line));
	*count = 0;
	for (size_t i = 0; i < all; i++) {
		if (list[i]->state != STATE_QUEUED)
			continue;
		if (clear)
			gate_for_without_cycle(ix, list[i], now, session, arena, &gate);
		if (!clear || gate.verdict == VERDICT_CLEAR)
			line[(*count)++] = queued_make(list[i], queued_since(list[i]), list[i]->id);
	}
	if (*count > 1)
		qsort(line, *count, sizeof(*line), queue_order);
	return line;
}

/* The first place behind the cursor, which is SINCE/ID. */
static bool find_cursor(const struct queued *line, const struct page *page, size_t *first,
			struct fault *why)
{
	const char *slash;

	*first = 0;
	if (!page->cursor.at)
		return true;
	slash = page->cursor.len ? memrchr(page->cursor.at, '/', page->cursor.len) : NULL;
	if (!slash)
		return page_bad_cursor(why);
	size_t n = (size_t)(slash - page->cursor.at);
	struct queued from = queued_make(NULL, (struct str){ page->cursor.at, n },
					 (struct str){ slash + 1, page->cursor.len - n - 1 });
	while (*first < page->count && queue_order(&from, &line[*first]) >= 0)
		++*first;
	return true;
}

bool query_queue(struct index *ix, bool clear, int64_t now, struct arena *arena, struct page *page,
		 struct gate **rows, struct fault *why)
{
	size_t first;

	page_begin(page);
	const struct queued *line = line_up(ix, clear, now, page->session, arena,
					    &page->count);
	if (!find_cursor(line, page, &first, why))
		return false;
	bool more = page_cut(page, first);
	*rows = arena_alloc(arena, (page->returned + 1) * sizeof(**rows));
	for (size_t i = 0; i < page->returned; i++)
		gate_for(ix, line[first + i].ticket, now, page->session, arena, &(*rows)[i]);
	if (more) {
		const struct queued *last = &line[first + page->returned - 1];
		page->next = arena_printf(arena, "%.*s/%.*s", STR_ARG(last->since),
					  STR_ARG(last->id));
	}
	/* Only the page was made: it begins at its first row. */
	page->first = 0;
	return true;
}
