/* SPDX-License-Identifier: MIT */
#include "why.h"

#include <stdlib.h>

/* A Ticket whose holds are being told, or were. */
struct told {
	UT_hash_handle hh;
	const struct ticket *ticket;
	struct gate gate;
	size_t next;       /* reason to tell next */
	struct told *above;
	uint32_t depth;
	bool open;         /* on the way from the asked Ticket to here */
};

struct telling {
	const struct index *ix;
	struct arena *arena;
	int64_t now;
	struct str session;
	struct told *table;
	why_teller *teller;
	void *data;
	size_t count;
};

static void tell(struct telling *s, const struct why_row *row)
{
	s->count++;
	s->teller(s->data, row);
}

static struct told *begin(struct telling *s, const struct ticket *t, struct told *above)
{
	struct told *told = arena_alloc(s->arena, sizeof(*told));

	told->ticket = t;
	told->above = above;
	told->depth = above ? above->depth + 1 : 0;
	told->open = true;
	gate_for_without_cycle(s->ix, t, s->now, s->session, s->arena, &told->gate);
	HASH_ADD_PTR(s->table, ticket, told);
	return told;
}

/* Whom the reason names: the record's other side knows without a search. */
static const struct ticket *named(const struct telling *s, const struct ticket *t,
				  const struct reason_row *reason)
{
	const struct decision *d = reason->decision;

	if (!reason->other.at || reason->code == REASON_WAITING || !d)
		return reason->other.at ? index_named(s->ix, reason->other) : NULL;
	return d->ticket == t ? d->other : d->ticket;
}

/* Tell one hold; the Ticket below it that is to be told next, or NULL. */
static const struct ticket *tell_hold(struct telling *s, struct told *at,
				      const struct reason_row *reason)
{
	const struct ticket *other = named(s, at->ticket, reason);
	struct why_row row = { .depth = at->depth + 1, .ticket = other, .reason = reason };
	struct told *before = NULL;
	bool goes_on = other && ticket_exists(other) &&
		       (reason_waits(reason) || reason->code == REASON_WAITING);

	if (goes_on)
		HASH_FIND_PTR(s->table, &other, before);
	row.cycle = before && before->open;
	row.repeated = before && !before->open && before->gate.holds;
	tell(s, &row);
	return goes_on && !before ? other : NULL;
}

size_t why_of(const struct index *ix, const struct ticket *ticket, int64_t now, struct str session,
	      struct arena *arena, why_teller *teller, void *data)
{
	struct telling s = { .ix = ix, .arena = arena, .now = now, .session = session,
			     .teller = teller, .data = data };
	struct told *at = begin(&s, ticket, NULL);

	tell(&s, &(struct why_row){ .ticket = ticket });
	while (at) {
		const struct ticket *below = NULL;
		while (!below && at->next < at->gate.count) {
			const struct reason_row *reason = &at->gate.reasons[at->next++];
			if (reason->severity == SEVERITY_HOLD)
				below = tell_hold(&s, at, reason);
		}
		if (below) {
			at = begin(&s, below, at);
			continue;
		}
		at->open = false;
		at = at->above;
	}
	HASH_CLEAR(hh, s.table);
	return s.count;
}
