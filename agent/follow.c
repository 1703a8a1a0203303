/* SPDX-License-Identifier: MIT */
#include "follow.h"

#include "claims.h"
#include "doctor.h"

/* Only of a queued Ticket, or one that may be, does the gate have to be asked. */
static enum verdict verdict_of(struct follow *f, const struct ticket *t, int64_t now)
{
	struct gate gate;

	if (t->state != STATE_QUEUED && t->state != STATE_UNKNOWN)
		return VERDICT_NOT_QUEUED;
	gate_without_cycle(f->ix, t, now, &f->arena, &gate);
	return gate.verdict;
}

static unsigned bypasses_of(struct follow *f, const struct ticket *t, int64_t now)
{
	struct findings found = { .arena = &f->arena };
	unsigned bits = 0;

	doctor_bypasses(f->ix, t, now, &found);
	for (size_t i = 0; i < found.count; i++)
		bits |= found.at[i].code == PROBLEM_UNRECORDED  ? 1
			: found.at[i].code == PROBLEM_PAST_HOLD ? 2
								: 4;
	found.count = 0;
	doctor_lost(t, &found);
	return found.count ? bits | 8 : bits;
}

static void mark(struct follow *f, struct trace *trace, const struct decision *d, bool derived,
		 int64_t now)
{
	struct seen seen = { d, derived };

	trace->kinds |= UINT64_C(1) << seen_kind(&seen);
	trace->statuses |= 1u << decision_status(f->ix, d, now);
}

static void mark_all(struct follow *f, struct trace *trace, int64_t now)
{
	const struct ticket *t = trace->ticket;
	const struct decision *d;

	for (const struct copy *c = t->copies; c; c = c->next)
		trace->sources |= UINT64_C(1) << c->source;
	for (uint32_t i = 0; i < t->own_count; i++)
		mark(f, trace, &t->own[i], false, now);
	DL_FOREACH(t->incoming, d)
		mark(f, trace, d, true, now);
}

/* Claims never change: one that is renewed is another. */
static uint64_t claim_print(const struct claim *c)
{
	uint64_t parts[] = { c ? c->token : 0, c ? (uint64_t)c->until : 0,
			     c ? (uint64_t)c->pid : 0 };

	return c ? hash_of((struct str){ (const char *)parts, sizeof(parts) }) | 1 : 0;
}

static void look_at_claim(struct ticket *t)
{
	uint64_t print = claim_print(t->claim);

	if (!t->trace && !print)
		return;
	struct trace *trace = trace_of(t);
	if (trace->claim != print)
		trace->claim_at = trace->generation;
	trace->claim = print;
}

static void look(struct follow *f, struct ticket *t, int64_t now)
{
	enum verdict verdict = verdict_of(f, t, now);
	unsigned bypasses = bypasses_of(f, t, now);

	if (t->trace && t->told != verdict + 1)
		t->trace->verdict_at = t->trace->generation;
	if (t->trace && bypasses & ~(unsigned)t->bypasses)
		t->trace->bypass_at = t->trace->generation;
	look_at_claim(t);
	t->told = (uint8_t)(verdict + 1) & 3;
	t->bypasses = bypasses & 15;
	arena_release(&f->arena);
}

void follow_begin(struct follow *f, struct index *ix, int64_t now)
{
	size_t count;
	struct ticket *const *list = index_tickets(ix, &count);

	*f = (struct follow){ .ix = ix, .to = index_generation(ix) };
	index_follow(ix);
	for (size_t i = 0; i < count; i++)
		look(f, list[i], now);
}

void follow_up(struct follow *f, int64_t now)
{
	const struct trace *at = index_changed_since(f->ix, f->to);

	for (; at; at = at->next) {
		look(f, at->ticket, now);
		if (f->marks_since)
			mark_all(f, at->ticket->trace, now);
	}
	f->to = index_generation(f->ix);
}

void follow_all_marks(struct follow *f, int64_t now)
{
	size_t count;
	struct ticket *const *list = index_tickets(f->ix, &count);

	if (f->marks_since)
		return;
	f->marks_since = f->to;
	for (size_t i = 0; i < count; i++)
		mark_all(f, trace_of(list[i]), now);
}

enum verdict follow_verdict(const struct ticket *t)
{
	return t->told ? (enum verdict)(t->told - 1) : VERDICT_NOT_QUEUED;
}

bool follow_woke(const struct trace *trace, uint64_t generation)
{
	return trace->verdict_at > generation && follow_verdict(trace->ticket) == VERDICT_CLEAR;
}

void follow_release(struct follow *f)
{
	arena_release(&f->arena);
}
