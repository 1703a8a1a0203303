/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include <stdlib.h>

#include "answer.h"
#include "claims.h"
#include "clock.h"
#include "follow.h"
#include "frame.h"
#include "log.h"
#include "params.h"
#include "stamp.h"

/* -- What it is about --------------------------------------------------- */

#define TICKETS_MAX 1000

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Slugs become ids; what nobody is called may come. */
static bool take_tickets(struct call *call, struct feed *f, const struct rpc_strs *names,
			 struct str *unknown, size_t *unknown_count, struct fault *why)
{
	if (names->count > TICKETS_MAX)
		return fault(why, FAULT_BAD_ARGUMENT, "ticket: %zu are named; at most %d may be",
			     names->count, TICKETS_MAX);
	f->tickets = arena_alloc(&f->arena, (names->count + 1) * sizeof(*f->tickets));
	for (size_t i = 0; i < names->count; i++) {
		struct str id = names->at[i];
		struct ticket *t;
		if (index_resolve(call->ix, id, &t, why))
			id = t->id;
		else if (why->code != FAULT_NOT_FOUND)
			return false;
		else
			unknown[(*unknown_count)++] = id;
		f->tickets[f->ticket_count++] = arena_str(&f->arena, id);
	}
	if (f->ticket_count > 1)
		qsort(f->tickets, f->ticket_count, sizeof(*f->tickets), by_text);
	return true;
}

static void see_source(struct feed *f, const struct index *ix)
{
	for (int i = -1; f->source.at && (i = index_source_next(ix, UINT64_MAX, i)) >= 0;)
		if (str_is(f->source, index_source(ix, i)->name))
			f->sources |= UINT64_C(1) << i;
}

static bool take_since(struct call *call, struct feed *f, struct str since, struct fault *why)
{
	struct follow *follow = call->service->follow;
	bool known = true;

	f->sent = index_generation(call->ix);
	if (f->kinds || f->statuses || f->source.at)
		follow_all_marks(follow, call->now);
	if (!since.at)
		return true;
	if (!clock_read(call->service, since, &f->sent, &known, why))
		return false;
	f->fresh = !known || f->sent < index_horizon(call->ix) ||
		   ((f->kinds || f->statuses || f->source.at) && f->sent < follow->marks_since);
	if (f->fresh)
		f->sent = index_generation(call->ix);
	return true;
}

bool feed_make(struct call *call, const struct feed_subscribe_params *p, struct feed **into,
	       struct str **unknown, size_t *unknown_count, struct fault *why)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	*unknown = arena_alloc(&call->arena, (p->ticket.count + 1) * sizeof(**unknown));
	*unknown_count = 0;
	f->kinds = p->kind;
	f->statuses = p->status;
	f->verdicts = p->verdicts;
	f->claims = p->claims;
	f->source = arena_str(&f->arena, p->source);
	f->quiet = FEED_QUIET;
	if (rpc_given(RPC_feed_subscribe, p->given, "quiet"))
		f->quiet = p->quiet < FEED_CEILING / 1000 ? p->quiet * 1000 : FEED_CEILING;
	see_source(f, call->ix);
	if (!take_tickets(call, f, &p->ticket, *unknown, unknown_count, why) ||
	    !take_since(call, f, p->since, why)) {
		feed_free(f);
		return false;
	}
	f->from = f->sent;
	if (f->source.at && !f->sources)
		(*unknown)[(*unknown_count)++] = p->source;
	*into = f;
	return true;
}

void feed_free(struct feed *f)
{
	arena_release(&f->arena);
	free(f);
}

static bool is_about(const struct feed *f, struct str id)
{
	return !f->ticket_count ||
	       bsearch(&id, f->tickets, f->ticket_count, sizeof(*f->tickets), by_text);
}

static bool moved(const struct feed *f, const struct trace *t)
{
	return (!f->verdicts && !f->claims) || (f->verdicts && t->verdict_at > f->sent) ||
	       (f->claims && t->claim_at > f->sent);
}

static bool passes(const struct feed *f, const struct trace *t)
{
	return is_about(f, t->ticket->id) && moved(f, t) && (!f->kinds || t->kinds & f->kinds) &&
	       (!f->statuses || t->statuses & f->statuses) &&
	       (!f->source.at || t->sources & f->sources);
}

/* -- What it tells ------------------------------------------------------ */

/* The difference between the cursor and `to`. */
struct difference {
	uint64_t to;
	const struct trace *changed[FEED_IDS_MAX];
	const struct gone *removed[FEED_IDS_MAX];
	size_t changed_count, removed_count;
};

/* In the order of generations, so that it may stop anywhere. */
static void gather(const struct feed *f, const struct index *ix, struct difference *c)
{
	const struct trace *t = index_changed_since(ix, f->sent);
	const struct gone *g = index_gone_since(ix, f->sent);

	c->changed_count = c->removed_count = 0;
	while ((t || g) && c->changed_count + c->removed_count < FEED_IDS_MAX) {
		if (t && (!g || t->generation < g->generation)) {
			if (passes(f, t))
				c->changed[c->changed_count++] = t;
			c->to = t->generation;
			t = t->next;
		} else {
			if (is_about(f, g->id))
				c->removed[c->removed_count++] = g;
			c->to = g->generation;
			g = g->next;
		}
	}
	if (!t && !g)
		c->to = index_generation(ix);
}

static void put_changed(struct wire *w, const struct feed *f, const struct difference *c)
{
	wire_key(w, "changed");
	wire_list(w);
	for (size_t i = 0; i < c->changed_count; i++)
		wire_str(w, c->changed[i]->ticket->id);
	wire_end(w);
	wire_key(w, "removed");
	wire_list(w);
	for (size_t i = 0; i < c->removed_count; i++)
		wire_str(w, c->removed[i]->id);
	wire_end(w);
	wire_key(w, "woken");
	wire_list(w);
	for (size_t i = 0; i < c->changed_count; i++)
		if (follow_woke(c->changed[i], f->sent))
			wire_str(w, c->changed[i]->ticket->id);
	wire_end(w);
}

static void put_problems(struct call *call, const struct feed *f, const struct difference *c)
{
	struct findings found = { .arena = &call->arena };

	for (size_t i = 0; i < c->changed_count; i++)
		if (c->changed[i]->bypass_at > f->sent && c->changed[i]->ticket->bypasses) {
			doctor_bypasses(call->ix, c->changed[i]->ticket, call->now, &found);
			doctor_lost(c->changed[i]->ticket, &found);
		}
	for (size_t i = 0; i < c->removed_count; i++) {
		const struct ticket *t = index_named(call->ix, c->removed[i]->id);
		if (t)
			doctor_lost(t, &found);
	}
	if (!found.count)
		return;
	wire_key(&call->out, "problems");
	wire_list(&call->out);
	for (size_t i = 0; i < found.count; i++)
		answer_finding(call, &found.at[i]);
	wire_end(&call->out);
}

static void put_claims(struct call *call, const struct feed *f, const struct difference *d)
{
	struct wire *w = &call->out;
	bool any = false;

	for (size_t i = 0; i < d->changed_count; i++) {
		const struct trace *t = d->changed[i];
		if (t->claim_at <= f->sent || !t->ticket->claim)
			continue;
		if (!any)
			wire_key(w, "claims");
		if (!any)
			wire_list(w);
		any = true;
		answer_claim(call, t->ticket->claim);
	}
	if (any)
		wire_end(w);
}

static void put_ended(struct call *call, const struct feed *f, uint64_t to)
{
	const struct claims *claims = call->service->claims;
	struct wire *w = &call->out;
	bool any = false;

	for (size_t i = 0; claims && i < claims->end_count; i++) {
		const struct claim_end *end = claims->ends[i];
		if (end->generation <= f->sent || end->generation > to ||
		    !is_about(f, end->claim->ticket))
			continue;
		if (!any)
			wire_key(w, "ended");
		if (!any)
			wire_list(w);
		any = true;
		answer_claim_end(call, end);
	}
	if (any)
		wire_end(w);
}

#ifdef TP_DEBUG
/* Hold the notification against the shape that the table promises. */
static void check(struct str message)
{
	msgpack_zone *zone = msgpack_zone_new(4096);
	struct envelope e;
	struct fault why;

	if (!envelope_decode(message, zone, &e, &why) ||
	    !topic_check(TOPIC_feed_changed, &e.params, &why)) {
		log_error("feed: a notification: %s", why.text);
		bug_at(__FILE__, __LINE__, "a notification that is not of its shape");
	}
	msgpack_zone_free(zone);
}
#else
static void check(struct str message)
{
	(void)message;
}
#endif

/* Without `c`: nobody knows. */
static void put(struct feed *f, struct service *service, const struct difference *c, uint64_t to,
		struct buf *out)
{
	struct call call = { .service = service, .ix = service->ix, .now = stamp_now() };
	size_t start = out->len;
	char clock[CLOCK_MAX];
	struct wire *w = &call.out;

	wire_init(w, out);
	wire_notification(w, rpc_topic(TOPIC_feed_changed)->name);
	wire_map(w);
	wire_put_int(w, "feed", f->number);
	wire_put_str(w, "from", clock_text(service, f->from, clock));
	wire_put_str(w, "to", clock_text(service, to, clock));
	wire_put_bool(w, "fresh", !c);
	if (c) {
		put_changed(w, f, c);
		put_problems(&call, f, c);
		put_claims(&call, f, c);
		put_ended(&call, f, to);
	}
	wire_end(w);
	arena_release(&call.arena);
	check((struct str){ out->at + start, out->len - start });
}

void feed_tell_fresh(struct feed *f, struct service *service, struct buf *out)
{
	uint64_t to = index_generation(service->ix);

	put(f, service, NULL, to, out);
	f->sent = f->from = to;
}

bool feed_tell(struct feed *f, struct service *service, struct buf *out)
{
	/* Large, and used by one at a time. */
	static struct difference c;

	see_source(f, service->ix);
	if (f->sent < index_horizon(service->ix)) {
		feed_tell_fresh(f, service, out);
		return true;
	}
	gather(f, service->ix, &c);
	bool any = c.changed_count || c.removed_count;
	if (any) {
		put(f, service, &c, c.to, out);
		f->from = c.to;
	}
	f->sent = c.to;
	return any;
}
