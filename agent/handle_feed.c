/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include "answer.h"
#include "claims.h"
#include "clock.h"
#include "listener.h"
#include "trace.h"

/* To be told: feeds, and waiting for one Ticket. */

/* A wait that may last longer has no end. */
#define TIMEOUT_MAX_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)

bool handle_feed_subscribe(struct call *call, const struct feed_subscribe_params *p,
			   struct fault *why)
{
	struct wire *w = &call->out;
	char clock[CLOCK_MAX];
	struct str *unknown;
	size_t unknown_count;
	struct feed *feed;

	if (!feed_make(call, p, &feed, &unknown, &unknown_count, why))
		return false;
	if (!listener_add(call->listener, feed, why)) {
		feed_free(feed);
		return false;
	}
	wire_put_int(w, "feed", feed->number);
	wire_put_str(w, "from", clock_text(call->service, feed->sent, clock));
	wire_put_bool(w, "fresh", feed->fresh);
	answer_strs(call, "unknown", unknown, unknown_count);
	return true;
}

bool handle_feed_unsubscribe(struct call *call, const struct feed_unsubscribe_params *p,
			     struct fault *why)
{
	return listener_remove(call->listener, p->feed, why);
}

/* -- ticket.wait -------------------------------------------------------- */

static struct str asker(const struct call *call)
{
	return call_session(call, call->params.ticket_wait.session);
}

static bool has_happened(const struct call *call, const struct ticket *t, const struct gate *gate,
			 enum happened *what)
{
	switch ((enum wait_for)call->params.ticket_wait.until) {
	case WAIT_FOR_CLEAR:
		*what = HAPPENED_CLEAR;
		return gate->verdict == VERDICT_CLEAR;
	case WAIT_FOR_RESOLVED:
		*what = HAPPENED_RESOLVED;
		return state_resolved((enum state)t->state);
	case WAIT_FOR_CHANGE:
		*what = HAPPENED_CHANGED;
		return !call->since || (t->trace && t->trace->generation > call->since);
	case WAIT_FOR_CLAIMABLE:
		*what = HAPPENED_CLAIMABLE;
		return !t->claim || str_eq(t->claim->session, asker(call));
	case WAIT_FOR_COUNT:
		break;
	}
	bug_at(__FILE__, __LINE__, "a wait for nothing");
}

static void put_waited(struct call *call, enum happened what, struct str id, const struct ticket *t,
		       const struct gate *gate)
{
	struct wire *w = &call->out;

	wire_put_str(w, "ticket", id);
	wire_put_str(w, "until", str_of(word(&words_wait_for, call->params.ticket_wait.until)));
	wire_put_str(w, "happened", str_of(word(&words_happened, (int)what)));
	wire_put_bool(w, "at_once", !call->resumed);
	if (!t)
		return;
	wire_put_str(w, "title", ticket_title(t));
	wire_put_str(w, "state", str_of(word(&words_state, t->state)));
	wire_key(w, "gate");
	answer_gate(call, gate);
}

/* It came to its end, or went, and what was waited for does not come that way. */
static bool is_in_vain(struct call *call, const struct ticket *t, struct fault *why)
{
	struct str name = call->params.ticket_wait.ticket;

	if (call->params.ticket_wait.until != WAIT_FOR_CLEAR)
		return false;
	if (!t)
		fault(why, FAULT_NOT_FOUND, "%.*s was removed while it was waited for",
		      STR_ARG(name));
	else if (state_resolved((enum state)t->state))
		fault(why, FAULT_HELD, "%.*s is %s: there is nothing left to be accepted",
		      STR_ARG(t->id), word(&words_state, t->state));
	else
		return false;
	return true;
}

static bool time_is_up(struct call *call, const struct ticket *t, const struct gate *gate,
		       struct fault *why)
{
	const struct reason_row *hold = gate->reasons;
	long long waited = (long long)call->params.ticket_wait.timeout;

	while (gate->holds && hold->severity != SEVERITY_HOLD)
		hold++;
	if (gate->holds && call->params.ticket_wait.until == WAIT_FOR_CLEAR)
		return fault(why, FAULT_TIMED_OUT, "after %lld ms %.*s is still held: %s: %.*s",
			     waited, STR_ARG(t->id), word(&words_reason, (int)hold->code),
			     STR_ARG(hold->text));
	if (call->params.ticket_wait.until == WAIT_FOR_CLAIMABLE)
		return fault(why, FAULT_TIMED_OUT, "after %lld ms %.*s is still claimed by %.*s",
			     waited, STR_ARG(t->id), STR_ARG(t->claim->session));
	return fault(why, FAULT_TIMED_OUT, "after %lld ms %.*s is still %s", waited, STR_ARG(t->id),
		     word(&words_state, t->state));
}

/* Wait on, or for the first time. */
static bool go_on_waiting(struct call *call, struct fault *why)
{
	const struct ticket_wait_params *p = &call->params.ticket_wait;
	bool given = rpc_given(RPC_ticket_wait, p->given, "timeout");
	int64_t timeout = p->timeout;

	if (!call->resumed) {
		if (!listener_may_wait(call->listener, why))
			return false;
		if (given && timeout < TIMEOUT_MAX_MS)
			call->deadline = ticks_now() + timeout * 1000;
	}
	call->seen = index_generation(call->ix);
	call->parked = call->waits = true;
	return true;
}

/* 0: long ago, so that nobody knows whether it changed since. */
static bool read_since(struct call *call, struct str since, struct fault *why)
{
	bool known = true;

	call->since = index_generation(call->ix);
	if (since.at && !clock_read(call->service, since, &call->since, &known, why))
		return false;
	if (!known || call->since < index_horizon(call->ix))
		call->since = 0;
	return true;
}

bool handle_ticket_wait(struct call *call, const struct ticket_wait_params *p, struct fault *why)
{
	struct ticket *t = NULL;
	enum happened what;
	struct gate gate;

	if (!call->resumed && !read_since(call, p->since, why))
		return false;
	if (!index_resolve(call->ix, p->ticket, &t, why) &&
	    !(call->resumed && why->code == FAULT_NOT_FOUND))
		return false;
	if (is_in_vain(call, t, why))
		return false;
	if (!t) {
		put_waited(call, HAPPENED_REMOVED, p->ticket, NULL, NULL);
		return true;
	}
	gate_for(call->ix, t, call->now, asker(call), &call->arena, &gate);
	if (has_happened(call, t, &gate, &what)) {
		put_waited(call, what, t->id, t, &gate);
		return true;
	}
	if (call->deadline && ticks_now() >= call->deadline)
		return time_is_up(call, t, &gate, why);
	return go_on_waiting(call, why);
}
