/* SPDX-License-Identifier: MIT */
#include "index_private.h"

#include <stdlib.h>

/*
 * A tree may hold thousands of waits, and a change rarely ends one: so nothing
 * here goes through all of them but where a time has passed, or Tickets are
 * occupied or free that were not.
 */

/* One of those who wait for a Ticket. */
struct await {
	struct await *prev, *next; /* who else waits for it */
	struct await *more;        /* what else the waiter waits for */
	struct awaited *on;
	struct ticket *ticket; /* the one that waits */
};

/* A Ticket that others wait for, there or not. */
struct awaited {
	UT_hash_handle hh; /* by id */
	struct await *by;
	size_t len;
	char id[];
};

/* -- Waits for Tickets -------------------------------------------------- */

static struct awaited *find_awaited(const struct index *ix, struct str id)
{
	struct awaited *on;

	HASH_FIND(hh, ix->awaited, id.at, id.len, on);
	return on;
}

static struct awaited *find_or_make(struct index *ix, struct str id)
{
	struct awaited *on = find_awaited(ix, id);

	if (on)
		return on;
	on = xcalloc(1, sizeof(*on) + id.len);
	on->len = id.len;
	memcpy(on->id, id.at, id.len);
	HASH_ADD_KEYPTR(hh, ix->awaited, on->id, on->len, on);
	return on;
}

static void await(struct index *ix, struct waiter *w, struct str id)
{
	struct await *a = xcalloc(1, sizeof(*a));

	*a = (struct await){ .more = w->awaits, .on = find_or_make(ix, id), .ticket = w->ticket };
	w->awaits = a;
	DL_APPEND(a->on->by, a);
}

static void drop_awaits(struct index *ix, struct waiter *w)
{
	while (w->awaits) {
		struct await *a = w->awaits;
		w->awaits = a->more;
		DL_DELETE(a->on->by, a);
		if (!a->on->by) {
			HASH_DEL(ix->awaited, a->on);
			free(a->on);
		}
		free(a);
	}
}

void waits_reach(struct index *ix, struct str id, void (*reach)(struct index *, struct ticket *))
{
	const struct awaited *on = find_awaited(ix, id);
	const struct await *a;

	if (on)
		DL_FOREACH(on->by, a)
			reach(ix, a->ticket);
}

/* -- Who waits ---------------------------------------------------------- */

static struct waiter *find_waiter(const struct index *ix, const struct ticket *t)
{
	struct waiter *w = NULL;

	if (t->waiter)
		HASH_FIND_PTR(ix->waiters, &t, w);
	return w;
}

static struct waiter *add_waiter(struct index *ix, struct ticket *t)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->ticket = t;
	t->waiter = true;
	HASH_ADD_PTR(ix->waiters, ticket, w);
	return w;
}

static void drop_waiter(struct index *ix, struct waiter *w)
{
	w->ticket->waiter = false;
	HASH_DEL(ix->waiters, w);
	free(w);
}

static void let_go(struct index *ix, struct waiter *w)
{
	drop_awaits(ix, w);
	ix->times_stale |= w->timed;
	ix->free_waits -= w->free;
	w->timed = w->free = false;
}

static void take_up(struct index *ix, struct waiter *w)
{
	const struct ticket *t = w->ticket;

	w->timed = ticket_awaits_start(t);
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct until *u = t->own[i].record->until;
		if (u && u->form == UNTIL_TICKET)
			await(ix, w, u->ticket);
		w->timed |= u && u->form == UNTIL_AFTER;
		w->free |= u && u->form == UNTIL_FREE;
	}
	ix->times_stale |= w->timed;
	ix->free_waits += w->free;
}

/* What a Ticket waits for that may come by itself. */
static bool has_waits(const struct ticket *t, uint32_t from)
{
	for (uint32_t i = from; i < t->own_count; i++)
		if (t->own[i].record->until)
			return true;
	return ticket_awaits_start(t);
}

void waits_settle(struct index *ix, struct ticket *t, uint32_t from)
{
	struct waiter *w = find_waiter(ix, t);

	if (w)
		let_go(ix, w);
	/* Who waited for nothing has nothing among what it had. */
	if (has_waits(t, w ? 0 : from))
		take_up(ix, w ? w : add_waiter(ix, t));
	else if (w)
		drop_waiter(ix, w);
}

/* -- Times -------------------------------------------------------------- */

/* Since the last settling, forth or back. */
static bool time_passed(const struct index *ix)
{
	return ix->now < ix->told_now || (ix->next_time && ix->now >= ix->next_time);
}

bool waits_moved(const struct index *ix)
{
	return time_passed(ix) || (ix->free_waits && ix->told_occupied != ix->occupied);
}

static void note_time(struct index *ix, int64_t at)
{
	if (at > ix->now && (!ix->next_time || at < ix->next_time))
		ix->next_time = at;
}

static void note_times(struct index *ix, const struct ticket *t)
{
	if (ticket_awaits_start(t))
		note_time(ix, t->last_plan->record->at + PLAN_START_US);
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct until *u = t->own[i].record->until;
		if (u && u->form == UNTIL_AFTER)
			note_time(ix, u->after);
	}
}

void waits_set_time(struct index *ix)
{
	if (!ix->times_stale && !time_passed(ix))
		return;
	ix->times_stale = false;
	ix->next_time = 0;
	for (const struct waiter *w = ix->waiters; w; w = w->hh.next)
		if (w->timed)
			note_times(ix, w->ticket);
}
