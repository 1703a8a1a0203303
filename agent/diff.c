/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <stdlib.h>

#include "gate.h"

struct changes {
	struct index *from, *to;
	int64_t now;
	struct arena *arena;
	struct diff_row *at;
	size_t count, cap;
};

static struct diff_row *add(struct changes *c, enum change what, const struct ticket *t)
{
	c->at = arena_more(c->arena, c->at, c->count, &c->cap, sizeof(*c->at));
	struct diff_row *one = &c->at[c->count++];
	*one = (struct diff_row){ .what = what, .ticket = t->id };
	return one;
}

/* -- Records ------------------------------------------------------------ */

static int by_key(const void *x, const void *y)
{
	const struct decision *a = *(const struct decision *const *)x;
	const struct decision *b = *(const struct decision *const *)y;
	int order = decision_key_compare(a, b);

	/* Of one key twice, which files may hold, the order of the array decides. */
	return order ? order : (a > b) - (a < b);
}

static const struct decision **sorted(struct changes *c, const struct ticket *t)
{
	uint32_t count = t ? t->own_count : 0;
	const struct decision **list = arena_alloc(c->arena, (count + 1) * sizeof(*list));

	for (uint32_t i = 0; i < count; i++)
		list[i] = &t->own[i];
	if (count > 1)
		qsort(list, count, sizeof(*list), by_key);
	return list;
}

static const char *status_word(const struct index *ix, const struct decision *d, int64_t now)
{
	return word(&words_status, (int)decision_status(ix, d, now));
}

static void add_record(struct changes *c, enum change what, const struct ticket *t,
		       const struct decision *before, const struct decision *after)
{
	struct diff_row *one = add(c, what, t);

	one->d = after ? after : before;
	one->before = before ? status_word(c->from, before, c->now) : NULL;
	one->after = after ? status_word(c->to, after, c->now) : NULL;
}

static void compare_record(struct changes *c, const struct ticket *t, const struct decision *before,
			   const struct decision *after)
{
	if (!record_same(before->record, after->record) || before->record->at != after->record->at)
		add_record(c, CHANGE_RECORD_CHANGED, t, before, after);
	else if (decision_status(c->from, before, c->now) != decision_status(c->to, after, c->now))
		add_record(c, CHANGE_RECORD_STATUS, t, before, after);
}

/* `a` or `b` is NULL where the Ticket is not even named on that side. */
static void compare_records(struct changes *c, const struct ticket *a, const struct ticket *b)
{
	const struct decision **before = sorted(c, a), **after = sorted(c, b);
	const struct ticket *t = b ? b : a;

	while (*before || *after) {
		int order = !*before ? 1 : !*after ? -1 : decision_key_compare(*before, *after);
		if (order < 0)
			add_record(c, CHANGE_RECORD_REMOVED, t, *before++, NULL);
		else if (order > 0)
			add_record(c, CHANGE_RECORD_ADDED, t, NULL, *after++);
		else
			compare_record(c, t, *before++, *after++);
	}
}

/* -- Tickets ------------------------------------------------------------ */

static const char *verdict_word(const struct changes *c, struct index *ix, const struct ticket *t)
{
	struct arena scratch = { 0 };
	struct gate gate;

	gate_without_cycle(ix, t, c->now, &scratch, &gate);
	arena_release(&scratch);
	return word(&words_verdict, (int)gate.verdict);
}

static void compare_tickets(struct changes *c, const struct ticket *a, const struct ticket *b)
{
	const char *before = verdict_word(c, c->from, a), *after = verdict_word(c, c->to, b);
	struct diff_row *one;

	if (a->state != b->state) {
		one = add(c, CHANGE_STATE, b);
		one->before = word(&words_state, a->state);
		one->after = word(&words_state, b->state);
	}
	if (before == after)
		return;
	one = add(c, CHANGE_VERDICT, b);
	one->before = before;
	one->after = after;
}

static void compare(struct changes *c, const struct ticket *a, const struct ticket *b)
{
	if (a && b)
		compare_tickets(c, a, b);
	else if (b)
		add(c, CHANGE_TICKET_ADDED, b)->after = word(&words_state, b->state);
	else
		add(c, CHANGE_TICKET_REMOVED, a)->before = word(&words_state, a->state);
	compare_records(c, a, b);
}

static int change_order(const void *x, const void *y)
{
	const struct diff_row *a = x, *b = y;
	int order = str_cmp(a->ticket, b->ticket);

	if (!order)
		order = (a->what > b->what) - (a->what < b->what);
	if (!order && a->d)
		order = (a->d->record->at > b->d->record->at) -
			(a->d->record->at < b->d->record->at);
	if (!order && a->d)
		order = decision_key_compare(a->d, b->d);
	return order ? order : (a > b) - (a < b);
}

static void compare_all(struct changes *c, struct str only)
{
	size_t na, nb, i = 0, k = 0;
	struct ticket *const *a = index_tickets(c->from, &na), *const *b =
								       index_tickets(c->to, &nb);

	while (i < na || k < nb) {
		int order = i == na ? 1 : k == nb ? -1 : str_cmp(a[i]->id, b[k]->id);
		const struct ticket *before = order <= 0 ? a[i++] : NULL;
		const struct ticket *after = order >= 0 ? b[k++] : NULL;
		if (!only.at || str_eq((before ? before : after)->id, only))
			compare(c, before, after);
	}
}

bool diff_of(struct index *from, struct index *to, struct str only, int64_t now,
	     struct arena *arena, struct page *page, struct diff_row **rows, struct fault *why)
{
	struct changes c = { .from = from, .to = to, .now = now, .arena = arena };

	page_begin(page);
	compare_all(&c, only);
	if (c.count > 1)
		qsort(c.at, c.count, sizeof(*c.at), change_order);
	page->count = c.count;
	*rows = c.at;
	return page_by_number(arena, page, why);
}
