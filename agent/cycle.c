/* SPDX-License-Identifier: MIT */
#include "cycle.h"

#include <stdlib.h>

static bool is_open(const struct ticket *t)
{
	return t && ticket_exists(t) && !ticket_resolved(t);
}

static bool waits_by(const struct decision *d, enum kind_holds who)
{
	return !d->retracted && kind_row(d->record->kind)->holds == who;
}

struct ticket *wait_next(struct wait_walk *walk)
{
	const struct ticket *t = walk->ticket;

	while (walk->own < t->own_count) {
		const struct decision *d = &t->own[walk->own++];
		if (waits_by(d, HOLDS_SELF) && is_open(d->other))
			return d->other;
	}
	if (!walk->begun)
		walk->incoming = t->incoming;
	walk->begun = true;
	while (walk->incoming) {
		const struct decision *d = walk->incoming;
		walk->incoming = d->next;
		if (waits_by(d, HOLDS_OTHER) && is_open(d->ticket))
			return d->ticket;
	}
	return NULL;
}

/* -- One Ticket's way back to itself ------------------------------------ */

/* A Ticket that was reached, and from where. */
struct reached {
	UT_hash_handle hh;
	struct ticket *ticket;
	struct reached *from;
	struct reached *next; /* in the order of reaching */
};

static struct reached *reach(struct reached **table, struct arena *arena, struct ticket *t,
			     struct reached *from)
{
	struct reached *r;

	HASH_FIND_PTR(*table, &t, r);
	if (r)
		return NULL;
	r = arena_alloc(arena, sizeof(*r));
	r->ticket = t;
	r->from = from;
	HASH_ADD_PTR(*table, ticket, r);
	return r;
}

static size_t trace(const struct reached *last, struct arena *arena, struct ticket ***loop)
{
	size_t count = 0;

	for (const struct reached *r = last; r; r = r->from)
		count++;
	*loop = arena_alloc(arena, count * sizeof(struct ticket *));
	for (size_t i = count; i-- > 0; last = last->from)
		(*loop)[i] = last->ticket;
	return count;
}

static int by_id(const void *a, const void *b)
{
	const struct ticket *const *x = a, *const *y = b;

	return str_cmp((*x)->id, (*y)->id);
}

/* By id: of several shortest ways the same one is told, in whatever order files were read. */
static size_t awaited_by(const struct ticket *t, struct arena *arena, struct ticket ***into)
{
	struct wait_walk walk = { .ticket = t };
	size_t count = 0, n = 0;

	while (wait_next(&walk))
		count++;
	*into = arena_alloc(arena, count * sizeof(struct ticket *));
	walk = (struct wait_walk){ .ticket = t };
	while (n < count)
		(*into)[n++] = wait_next(&walk);
	if (n > 1)
		qsort(*into, n, sizeof(struct ticket *), by_id);
	return n;
}

size_t cycle_of(const struct ticket *ticket, size_t sought, struct arena *arena,
		struct ticket ***loop)
{
	struct ticket *start = (struct ticket *)(uintptr_t)ticket;
	struct arena own = { 0 };
	struct reached *table = NULL, *at = reach(&table, &own, start, NULL), *end = at;
	size_t count = 0;

	if (!is_open(ticket))
		at = NULL;
	/* Breadth first: the first way back is a shortest one. */
	for (; at && !count && HASH_COUNT(table) <= sought; at = at->next) {
		struct ticket **next;
		size_t n = awaited_by(at->ticket, &own, &next);
		for (size_t i = 0; i < n && !count; i++) {
			struct reached *more = reach(&table, &own, next[i], at);
			if (next[i] == start)
				count = trace(at, arena, loop);
			if (more)
				end = end->next = more;
		}
	}
	HASH_CLEAR(hh, table);
	arena_release(&own);
	return count;
}

size_t cycle_reach(struct ticket *ticket, size_t sought, struct arena *arena,
		   struct ticket ***list)
{
	struct arena own = { 0 };
	struct reached *table = NULL, *end = reach(&table, &own, ticket, NULL);
	size_t count = 0;

	*list = arena_alloc(arena, sought * sizeof(struct ticket *));
	for (const struct reached *at = end; at && count < sought; at = at->next) {
		struct wait_walk walk = { .ticket = at->ticket };
		struct ticket *t;
		(*list)[count++] = at->ticket;
		while (HASH_COUNT(table) < sought && (t = wait_next(&walk))) {
			struct reached *more = reach(&table, &own, t, NULL);
			if (more)
				end = end->next = more;
		}
	}
	HASH_CLEAR(hh, table);
	arena_release(&own);
	return count;
}

/* -- All groups: Tarjan's algorithm, with a stack of its own ------------- */

struct visit {
	UT_hash_handle hh;
	struct ticket *ticket;
	struct wait_walk walk;
	struct visit *caller; /* the visit that this one goes back to */
	struct visit *below;  /* on the stack of Tickets of no group yet */
	size_t number, lowest;
	bool on_stack;
};

struct tarjan {
	struct arena *arena;
	struct visit *table, *stack;
	size_t numbers;
	struct ticket **groups;
	size_t used, found;
};

static struct visit *find_visit(struct tarjan *s, struct ticket *t)
{
	struct visit *v;

	HASH_FIND_PTR(s->table, &t, v);
	return v;
}

static struct visit *begin_visit(struct tarjan *s, struct ticket *t, struct visit *caller)
{
	struct visit *v = arena_alloc(s->arena, sizeof(*v));

	v->ticket = t;
	v->walk.ticket = t;
	v->caller = caller;
	v->number = v->lowest = ++s->numbers;
	v->below = s->stack;
	v->on_stack = true;
	s->stack = v;
	HASH_ADD_PTR(s->table, ticket, v);
	return v;
}

/* The Tickets above and with v on the stack are a group; of one alone it is none. */
static void end_group(struct tarjan *s, struct visit *v)
{
	bool alone = s->stack == v;
	struct visit *top;

	do {
		top = s->stack;
		s->stack = top->below;
		top->on_stack = false;
		if (!alone)
			s->groups[s->used++] = top->ticket;
	} while (top != v);
	if (alone)
		return;
	s->groups[s->used++] = NULL;
	s->found++;
}

static void lower(struct visit *v, size_t number)
{
	v->lowest = number < v->lowest ? number : v->lowest;
}

static void visit_from(struct tarjan *s, struct ticket *t)
{
	struct visit *v = begin_visit(s, t, NULL);

	while (v) {
		struct ticket *next = wait_next(&v->walk);
		struct visit *known = next ? find_visit(s, next) : NULL;
		if (next && !known) {
			v = begin_visit(s, next, v);
			continue;
		}
		if (known && known->on_stack)
			lower(v, known->number);
		if (next)
			continue;
		if (v->lowest == v->number)
			end_group(s, v);
		if (v->caller)
			lower(v->caller, v->lowest);
		v = v->caller;
	}
}

size_t cycle_groups(struct ticket *const *tickets, size_t count, struct arena *arena,
		    struct ticket ***groups)
{
	struct tarjan s = { .arena = arena };

	/* Each Ticket is in one group at most, and a group has two: so many NULLs at most. */
	s.groups = arena_alloc(arena, (count + count / 2 + 1) * sizeof(struct ticket *));
	for (size_t i = 0; i < count; i++) {
		struct wait_walk walk = { .ticket = tickets[i] };
		if (is_open(tickets[i]) && wait_next(&walk) && !find_visit(&s, tickets[i]))
			visit_from(&s, tickets[i]);
	}
	HASH_CLEAR(hh, s.table);
	*groups = s.groups;
	return s.found;
}
