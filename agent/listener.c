/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include <time.h>

#include "answer.h"
#include "dispatch.h"
#include "follow.h"

/* While git works on a checkout, what it does is not told; but for so long only, in ticks. */
#define BUSY_MAX 2000000

int64_t ticks_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void listener_init(struct listener *l, struct service *service, struct buf *out)
{
	*l = (struct listener){ .service = service, .out = out };
}

/* -- When ---------------------------------------------------------------- */

/* Something changed now. */
static void pace_note(struct pace *p, int64_t now, int64_t quiet)
{
	if (!p->first)
		p->first = now;
	p->due = now + quiet;
	if (p->due > p->first + FEED_CEILING)
		p->due = p->first + FEED_CEILING;
}

/* When to tell of it; 0: there is nothing to tell. */
static int64_t pace_due(const struct listener *l, const struct pace *p, bool busy)
{
	if (!p->first || l->service->syncing)
		return p->first;
	return busy ? p->first + BUSY_MAX : p->due;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* -- Feeds -------------------------------------------------------------- */

bool listener_add(struct listener *l, struct feed *f, struct fault *why)
{
	if (l->feed_count == FEEDS_PER_CLIENT)
		return fault(why, FAULT_TOO_MANY, "this connection has %d feeds already",
			     FEEDS_PER_CLIENT);
	if (l->service->feeds == FEEDS_MAX)
		return fault(why, FAULT_TOO_MANY, "there are %d feeds already", FEEDS_MAX);
	f->number = ++l->last;
	DL_APPEND(l->feeds, f);
	l->feed_count++;
	l->service->feeds++;
	return true;
}

static void drop_feed(struct listener *l, struct feed *f)
{
	DL_DELETE(l->feeds, f);
	l->feed_count--;
	l->service->feeds--;
	feed_free(f);
}

bool listener_remove(struct listener *l, int64_t number, struct fault *why)
{
	struct feed *f;

	DL_SEARCH_SCALAR(l->feeds, f, number, number);
	if (!f)
		return fault(why, FAULT_NOT_FOUND, "this connection has no feed %lld",
			     (long long)number);
	drop_feed(l, f);
	return true;
}

static void tell_all(struct listener *l, struct feed *f)
{
	uint64_t generation = index_generation(l->service->ix);

	while (f->sent < generation) {
		if (l->out->len >= RPC_ANSWER_MAX)
			feed_tell_fresh(f, l->service, l->out);
		else
			feed_tell(f, l->service, l->out);
	}
	f->pace.first = 0;
}

/* One notification at most: with it the output is empty no more. */
static int64_t turn_feed(struct listener *l, struct feed *f, int64_t now, bool news, bool busy)
{
	uint64_t generation = index_generation(l->service->ix);

	if (f->sent < generation && (news || !f->pace.first))
		pace_note(&f->pace, now, f->quiet);
	int64_t due = pace_due(l, &f->pace, busy);
	if (due > now)
		return due;
	while (due && !l->out->len && f->sent < generation)
		feed_tell(f, l->service, l->out);
	if (f->sent == generation)
		f->pace.first = 0;
	return 0;
}

/* -- Waits -------------------------------------------------------------- */

bool listener_may_wait(const struct listener *l, struct fault *why)
{
	if (l->wait_count == WAITS_PER_CLIENT)
		return fault(why, FAULT_TOO_MANY, "this connection has %d waits already",
			     WAITS_PER_CLIENT);
	if (l->service->waits == WAITS_MAX)
		return fault(why, FAULT_TOO_MANY, "there are %d waits already", WAITS_MAX);
	return true;
}

void listener_wait(struct listener *l, struct call *call)
{
	DL_APPEND(l->waits, call);
	l->wait_count++;
	l->service->waits++;
}

static void unlist(struct listener *l, struct call *call)
{
	DL_DELETE(l->waits, call);
	l->wait_count--;
	l->service->waits--;
}

/* Whether something changed since it was run. */
static bool is_stale(const struct call *call)
{
	const struct ticket *t = index_find(call->ix, call->params.ticket_wait.ticket);

	return !t || (t->trace && t->trace->generation > call->seen);
}

/* Run it again; whether it is over. */
static bool end_wait(struct listener *l, struct call *call)
{
	unlist(l, call);
	call->pace.first = 0;
	/* One that goes on is listed anew. */
	return dispatch_resume(call, l->out);
}

static int64_t turn_wait(struct listener *l, struct call *call, int64_t now, bool news, bool busy)
{
	if (news && is_stale(call))
		pace_note(&call->pace, now, FEED_QUIET);
	int64_t due = sooner(pace_due(l, &call->pace, busy), call->deadline);
	bool is_due = due && due <= now;
	if (is_due && end_wait(l, call))
		return 0;
	return is_due ? call->deadline : due;
}

static int64_t turn_waits(struct listener *l, int64_t now, bool news, bool busy)
{
	struct call *call, *next;
	int64_t soonest = 0;

	DL_FOREACH_SAFE(l->waits, call, next)
		soonest = sooner(soonest, turn_wait(l, call, now, news, busy));
	return soonest;
}

/* -- The log ------------------------------------------------------------ */

void listener_follow_log(struct listener *l, enum log_level level)
{
	l->logs = true;
	l->level = level;
	l->logged = log_count();
}

/* A cursor, too: what is not kept any more is missed. */
static void tell_log(struct listener *l)
{
	static struct log_line lines[LOG_KEPT];
	uint64_t news = log_count() - l->logged;
	size_t count = news && !l->out->len ? log_last(lines) : 0, skip, wanted = 0;
	struct wire w;

	if (!count)
		return;
	skip = news < count ? count - (size_t)news : 0;
	for (size_t i = skip; i < count; i++)
		wanted += lines[i].level <= l->level;
	l->logged = log_count();
	if (!wanted)
		return;
	wire_init(&w, l->out);
	wire_notification(&w, rpc_topic(TOPIC_agent_logged)->name);
	wire_map(&w);
	wire_key(&w, "lines");
	wire_list(&w);
	for (size_t i = skip; i < count; i++)
		if (lines[i].level <= l->level)
			answer_log_line(&w, &lines[i]);
	wire_end(&w);
	wire_put_int(&w, "missed", news > count ? (int64_t)(news - count) : 0);
	wire_end(&w);
}

/* -- All ---------------------------------------------------------------- */

int64_t listener_turn(struct listener *l, int64_t now, bool news, bool busy)
{
	int64_t soonest = turn_waits(l, now, news, busy);
	struct feed *f;

	DL_FOREACH(l->feeds, f)
		soonest = sooner(soonest, turn_feed(l, f, now, news, busy));
	if (l->logs)
		tell_log(l);
	return soonest;
}

void listener_flush(struct listener *l)
{
	struct feed *f;

	l->service->syncing = true;
	turn_waits(l, ticks_now(), true, false);
	DL_FOREACH(l->feeds, f)
		tell_all(l, f);
}

void listener_release(struct listener *l)
{
	while (l->feeds)
		drop_feed(l, l->feeds);
	while (l->waits) {
		struct call *call = l->waits;
		unlist(l, call);
		call_drop(call);
	}
}
