/* SPDX-License-Identifier: MIT */
#include "ripple.h"

#include <stdlib.h>

#include "cycle.h"
#include "index_private.h"
#include "trace.h"

/* A record of the Ticket that names another, and what the other shows of it. */
struct edge {
	struct ticket *other;
	uint64_t print;
};

/* What others see of a Ticket. */
struct before {
	uint64_t face;
	bool there;
	bool turned; /* others see it differently now */
	uint32_t count;
	struct edge edges[];
};

/* A Ticket that was told to be on a cycle. */
struct loop {
	UT_hash_handle hh; /* by ticket */
	struct ticket *ticket;
	uint64_t print; /* of the cycle */
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	uint64_t both[2] = { hash, value };

	return hash_of((struct str){ (const char *)both, sizeof(both) });
}

/* Claims never change, so which one it is says what it says; also of a Ticket that is not there. */
static uint64_t claim_of(const struct ticket *t)
{
	return t->claim ? mix((uintptr_t)t->claim, ticket_only_claimed(t)) : 0;
}

static uint64_t face_of(const struct index *ix, const struct ticket *t)
{
	int elsewhere = t->resolved_elsewhere;
	uint64_t hash = mix(hash_of(ticket_title(t)), claim_of(t));

	hash = mix(hash, elsewhere < 0 ? 0 : ix->sources[elsewhere].serial);
	return mix(hash, (uint64_t)t->state << 1 | t->occupied);
}

/* Where a record stands says what it says: contents never change. */
static uint64_t print_of(const struct index *ix, const struct decision *d)
{
	uint64_t hash =
		mix(d->doc->content->hash, (uint64_t)(d->record - d->doc->content->records));

	hash = mix(hash, hash_of(str_of(d->doc->path)));
	for (uint64_t rest = d->sources; rest; rest &= rest - 1)
		hash = mix(hash, ix->sources[__builtin_ctzll(rest)].serial);
	return hash << 2 | (uint64_t)d->diverged << 1 | d->retracted;
}

/* One that is not there has no answer; the pointer to it may not last either. */
static bool is_edge(const struct decision *d)
{
	return d->other && ticket_exists(d->other);
}

static int by_other(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;

	if (a->other != b->other)
		return a->other < b->other ? -1 : 1;
	return (a->print > b->print) - (a->print < b->print);
}

static struct before *picture(const struct index *ix, const struct ticket *t)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < t->own_count; i++)
		count += is_edge(&t->own[i]);
	struct before *b = xcalloc(1, sizeof(*b) + count * sizeof(*b->edges));
	b->there = t->face;
	b->face = b->there ? face_of(ix, t) : claim_of(t);
	for (uint32_t i = 0; i < t->own_count; i++)
		if (is_edge(&t->own[i]))
			b->edges[b->count++] =
				(struct edge){ t->own[i].other, print_of(ix, &t->own[i]) };
	if (count > 1)
		qsort(b->edges, count, sizeof(*b->edges), by_other);
	return b;
}

void ripple_before(struct index *ix, struct ticket *t)
{
	struct trace *trace = trace_of(t);

	if (!trace->before)
		trace->before = picture(ix, t);
}

/* Once in a settling. */
static void reach(struct index *ix, struct ticket *t)
{
	if (t && ticket_exists(t) && !(t->trace && t->trace->generation > ix->settled))
		trace_stamp(ix, t);
}

/* -- Neighbours --------------------------------------------------------- */

static void reach_neighbours(struct index *ix, const struct ticket *t)
{
	const struct decision *d;

	for (uint32_t i = 0; i < t->own_count; i++)
		reach(ix, t->own[i].other);
	DL_FOREACH(t->incoming, d)
		reach(ix, d->ticket);
}

/* Both are sorted: what stands in one only is a record that came, went or changed. */
static bool reach_named(struct index *ix, const struct before *old, const struct before *now)
{
	uint32_t i = 0, k = 0;
	bool any = false;

	while (i < old->count || k < now->count) {
		int order = i == old->count   ? 1
			    : k == now->count ? -1
					      : by_other(&old->edges[i], &now->edges[k]);
		if (order)
			reach(ix, order < 0 ? old->edges[i].other : now->edges[k].other);
		any |= order;
		i += order <= 0;
		k += order >= 0;
	}
	return any;
}

/* Whether anything changed that others see. */
static bool spread(struct index *ix, struct ticket *t)
{
	struct before *old = t->trace->before, *now = picture(ix, t);

	old->turned = old->there != now->there || old->face != now->face;
	if (old->turned)
		reach_neighbours(ix, t);
	bool any = reach_named(ix, old, now) || old->turned;
	free(now);
	return any;
}

/* -- Waits -------------------------------------------------------------- */

static bool passed(const struct index *ix, int64_t at)
{
	return (ix->told_now >= at) != (ix->now >= at);
}

static bool wait_moved(const struct index *ix, const struct decision *d)
{
	const struct until *u = d->record->until;

	return u && ((u->form == UNTIL_AFTER && passed(ix, u->after)) ||
		     (u->form == UNTIL_FREE && ix->told_occupied != ix->occupied));
}

static void reach_waiting(struct index *ix)
{
	for (const struct ticket *t = ix->dirty; t; t = t->dirty_next)
		if (t->trace->before->turned)
			waits_reach(ix, t->id, reach);
	if (!waits_moved(ix))
		return;
	for (struct waiter *w = ix->waiters; w; w = w->hh.next) {
		const struct ticket *t = w->ticket;
		bool moved = ticket_awaits_start(t) &&
			     passed(ix, t->last_plan->record->at + PLAN_START_US);
		for (uint32_t i = 0; i < t->own_count && !moved; i++)
			moved = wait_moved(ix, &t->own[i]);
		if (moved)
			reach(ix, w->ticket);
	}
}

/* -- Cycles ------------------------------------------------------------- */

static uint64_t loop_print(const struct ticket *t)
{
	struct arena arena = { 0 };
	struct ticket **loop;
	size_t count = cycle_of(t, CYCLE_SOUGHT, &arena, &loop);
	uint64_t hash = count;

	for (size_t i = 0; i < count; i++)
		hash = mix(hash, hash_of(loop[i]->id));
	arena_release(&arena);
	return hash;
}

static struct loop *find_loop(const struct index *ix, const struct ticket *t)
{
	struct loop *loop;

	HASH_FIND_PTR(ix->loops, &t, loop);
	return loop;
}

static void drop_loop(struct index *ix, struct loop *loop)
{
	HASH_DEL(ix->loops, loop);
	free(loop);
}

/* Look at its cycle again. */
static void follow_loop(struct index *ix, struct ticket *t)
{
	struct loop *loop = find_loop(ix, t);
	uint64_t print = loop_print(t);

	if (print == (loop ? loop->print : 0))
		return;
	reach(ix, t);
	if (!print) {
		drop_loop(ix, loop);
		return;
	}
	if (!loop) {
		loop = xcalloc(1, sizeof(*loop));
		loop->ticket = t;
		HASH_ADD_PTR(ix->loops, ticket, loop);
	}
	loop->print = print;
}

/* All from which and to which this one waits. */
static void follow_group(struct index *ix, struct ticket *t)
{
	struct arena arena = { 0 };
	struct ticket **group;
	size_t count = cycle_reach(t, CYCLE_SOUGHT, &arena, &group);

	for (size_t i = 0; i < count; i++)
		follow_loop(ix, group[i]);
	arena_release(&arena);
}

/*
 * Every cycle that came, went or changed leads through a Ticket that is dirty.
 * One that was on a cycle may have been on that of any other which was.
 */
static void reach_cycles(struct index *ix)
{
	bool broken = false;
	struct loop *loop, *next;

	for (const struct ticket *t = ix->dirty; t && !broken; t = t->dirty_next)
		broken = find_loop(ix, t);
	if (broken)
		HASH_ITER(hh, ix->loops, loop, next)
			follow_loop(ix, loop->ticket);
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next)
		if (ticket_exists(t) && loop_print(t))
			follow_group(ix, t);
}

/* -- All ---------------------------------------------------------------- */

static void stamp_dirty(struct index *ix)
{
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next) {
		if (ticket_exists(t)) {
			trace_back(ix, t->id);
			trace_stamp(ix, t);
		}
	}
}

static void bury(struct index *ix)
{
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next) {
		struct before *before = t->trace->before;
		/* What is lost of one that is not there is told with its name. */
		bool went = (before->there || t->lost) && !ticket_exists(t);
		t->trace->before = NULL;
		free(before);
		if (went)
			trace_gone(ix, t);
	}
}

void ripple_spread(struct index *ix)
{
	bool seen = false;

	stamp_dirty(ix);
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next)
		seen |= spread(ix, t);
	reach_waiting(ix);
	if (seen)
		reach_cycles(ix);
	bury(ix);
}

void ripple_release(struct index *ix)
{
	struct loop *loop, *next;

	HASH_ITER(hh, ix->loops, loop, next)
		drop_loop(ix, loop);
}
