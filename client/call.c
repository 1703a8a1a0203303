/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <errno.h>
#include <stdio.h>

#include "base.h"
#include "heard.h"
#include "tick.h"

/* Asked once, and once more. */
#define TRIES 2
/* The sockets of a dying process do not close all at once. */
#define PAUSE_MS 20

/* What to do where nobody can say whether a record was written. */
static void add_retry(const struct request *r, struct fault *why)
{
	size_t used = strlen(why->text);

	if (r->writes && *r->id)
		snprintf(why->text + used, sizeof(why->text) - used,
			 "; it may have been recorded: ask again with --id %s, which is safe",
			 r->id);
	else if (r->writes)
		snprintf(why->text + used, sizeof(why->text) - used, "; it may have been done");
}

static enum talk too_late(const struct talker *t, struct fault *why)
{
	fault(why, FAULT_BUSY, "the agent at %s did not answer in time", t->call->reach.path);
	/* A request of which nothing was sent cannot have been done. */
	if (t->link.sent > t->request->hello)
		add_retry(t->request, why);
	return TALK_FAILED;
}

static enum talk await(const struct talker *t, struct fault *why)
{
	struct pollfd ends[2];
	int n = poll(ends, link_ends(&t->link, ends), tick_left(t->call->reach.deadline));

	if (n > 0 || (n < 0 && errno == EINTR))
		return TALK_MORE;
	if (n == 0)
		return too_late(t, why);
	fault_errno(why, FAULT_IO, "poll");
	return TALK_FAILED;
}

static bool take(void *data, const struct envelope *e, bool *done, struct fault *why)
{
	struct talker *t = data;

	if (e->type != ENVELOPE_RESPONSE)
		return true;
	if (e->msgid != REQUEST_HELLO && t->call->taker) {
		*done = t->call->taker->take(t->call->taker, e);
		t->link.may_send = t->request->bytes.len;
		return true;
	}
	if (e->failed)
		return fault_heard(why, "", e->error);
	if (e->msgid == REQUEST_HELLO) {
		if (!link_is_right(&t->link, &e->result, t->request->stops, why))
			return false;
		t->link.may_send = t->request->bytes.len;
	} else if (e->msgid == REQUEST_ASK) {
		t->call->result = e->result;
		*done = true;
	}
	return true;
}

static struct link link_of(struct call *call, const struct request *request)
{
	return (struct link){ .reach = &call->reach, .out = &request->bytes, .in = &call->in,
			      .zone = &call->zone, .keep = !call->taker };
}

static enum talk step(struct talker *t, struct fault *why)
{
	enum talk how = link_step(&t->link, take, t, why);

	/* What it sent cannot be understood: nobody can say what came of the request. */
	if (how == TALK_FAILED && why->code == FAULT_INTERNAL && t->link.sent > t->request->hello)
		add_retry(t->request, why);
	return how;
}

/* Over one connection until the answer is there. */
static enum talk talk(struct talker *t, struct fault *why)
{
	enum talk how = TALK_MORE;

	while (how == TALK_MORE) {
		how = step(t, why);
		if (how == TALK_MORE)
			how = await(t, why);
	}
	return how;
}

void call_pause(void)
{
	poll(NULL, 0, PAUSE_MS);
}

static bool reach(struct call *call, const struct request *request, struct line *line,
		  struct fault *why)
{
	if (call->reach.offline && request->writes)
		return fault(why, FAULT_READ_ONLY,
			     "--offline only looks, and this writes; do it where the agent can be "
			     "reached, or by the MCP tools");
	return start_reach(&call->reach, line, why);
}

static bool connect_again(struct asking *a, struct fault *why)
{
	struct call *call = a->talker.call;
	const struct request *request = a->talker.request;

	call->in.len = 0;
	a->talker = (struct talker){
		.call = call,
		.request = request,
		.link = link_of(call, request),
	};
	a->talker.link.may_send = request->careful ? request->hello : request->bytes.len;
	a->tries++;
	a->connected = reach(call, request, &a->talker.link.line, why);
	if (!a->connected && a->asked)
		add_retry(request, why);
	return a->connected;
}

bool call_begin(struct asking *a, struct call *call, const struct request *request,
		struct fault *why)
{
	*a = (struct asking){ .talker = { .call = call, .request = request } };
	BUG_IF(!msgpack_zone_init(&call->zone, MSGPACK_ZONE_CHUNK_SIZE));
	return connect_again(a, why);
}

void call_hang_up(struct asking *a)
{
	if (!a->connected)
		return;
	start_leave(&a->talker.link.line);
	a->asked = a->asked || a->talker.link.sent > a->talker.request->hello;
	a->connected = false;
}

/* The connection ended without an answer: once more, or that was it. */
static enum talk try_again(struct asking *a, struct fault *why)
{
	const struct request *request = a->talker.request;

	call_hang_up(a);
	if (a->tries < TRIES) {
		call_pause();
		return connect_again(a, why) ? TALK_MORE : TALK_FAILED;
	}
	fault(why, request->writes && a->asked ? FAULT_OUTCOME_UNKNOWN : FAULT_NO_AGENT,
	      "the agent at %s ended twice without an answer", a->talker.call->reach.path);
	if (a->asked)
		add_retry(request, why);
	return TALK_FAILED;
}

enum talk call_go_on(struct asking *a, struct fault *why)
{
	enum talk how = step(&a->talker, why);

	if (how == TALK_ENDED)
		return try_again(a, why);
	return how == TALK_MORE && !tick_left(a->talker.call->reach.deadline)
		       ? too_late(&a->talker, why)
		       : how;
}

size_t call_ends(const struct asking *a, struct pollfd ends[2])
{
	return link_ends(&a->talker.link, ends);
}

bool call_ask(struct call *call, const struct request *request, struct fault *why)
{
	struct asking a;
	enum talk how = call_begin(&a, call, request, why) ? TALK_MORE : TALK_FAILED;

	while (how == TALK_MORE) {
		how = call_go_on(&a, why);
		if (how == TALK_MORE)
			how = await(&a.talker, why);
	}
	call_hang_up(&a);
	return how == TALK_DONE;
}

bool call_many(struct call *call, struct request *request, bool *ended, struct fault *why)
{
	struct talker t = { .call = call, .request = request, .link = link_of(call, request) };

	*ended = false;
	t.link.may_send = request->hello;
	BUG_IF(!msgpack_zone_init(&call->zone, MSGPACK_ZONE_CHUNK_SIZE));
	if (!reach(call, request, &t.link.line, why))
		return false;
	enum talk how = talk(&t, why);
	start_leave(&t.link.line);
	*ended = how == TALK_ENDED;
	if (*ended)
		fault(why, FAULT_NO_AGENT, "the agent at %s ended without an answer",
		      call->reach.path);
	return how == TALK_DONE;
}

void call_release(struct call *call)
{
	msgpack_zone_destroy(&call->zone);
	buf_release(&call->in);
}
