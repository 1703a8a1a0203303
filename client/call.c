/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "heard.h"
#include "tick.h"

/* An answer's envelope, beside the answer. */
#define SLACK 65536

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

static size_t ends_of(const struct talker *t, struct pollfd ends[2])
{
	ends[0] = (struct pollfd){ .fd = t->line.in, .events = POLLIN };
	ends[1] = (struct pollfd){ .fd = t->line.out, .events = POLLOUT };
	return t->sent < t->may_send ? 2 : 1;
}

static enum talk too_late(const struct talker *t, struct fault *why)
{
	fault(why, FAULT_BUSY, "the agent at %s did not answer in time", t->call->reach.path);
	/* A request of which nothing was sent cannot have been done. */
	if (t->sent > t->request->hello)
		add_retry(t->request, why);
	return TALK_FAILED;
}

static enum talk await(const struct talker *t, struct fault *why)
{
	struct pollfd ends[2];
	int n = poll(ends, ends_of(t, ends), tick_left(t->call->reach.deadline));

	if (n > 0 || (n < 0 && errno == EINTR))
		return TALK_MORE;
	if (n == 0)
		return too_late(t, why);
	fault_errno(why, FAULT_IO, "poll");
	return TALK_FAILED;
}

static enum talk send_some(struct talker *t, struct fault *why)
{
	while (t->sent < t->may_send) {
		ssize_t n = write(t->line.out, t->request->bytes.at + t->sent,
				  t->may_send - t->sent);
		if (n >= 0)
			t->sent += (size_t)n;
		else if (errno == EAGAIN)
			break;
		else if (errno == EPIPE || errno == ECONNRESET)
			return TALK_ENDED;
		else if (errno != EINTR) {
			fault_errno(why, FAULT_IO, "cannot write to the agent");
			return TALK_FAILED;
		}
	}
	return TALK_DONE;
}

static const msgpack_object *field(const msgpack_object *map, const char *name)
{
	if (map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object *key = &map->via.map.ptr[i].key;
		if (key->type == MSGPACK_OBJECT_STR &&
		    str_is((struct str){ key->via.str.ptr, key->via.str.size }, name))
			return &map->via.map.ptr[i].val;
	}
	return NULL;
}

static uint64_t number(const msgpack_object *map, const char *name)
{
	const msgpack_object *value = field(map, name);

	return value && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? value->via.u64 : 0;
}

/* A socket path may be set wrongly, and a repository may have been replaced. */
static bool is_whom_we_meant(const struct talker *t, const msgpack_object *hello, struct fault *why)
{
	const struct place *place = t->call->reach.place;
	const msgpack_object *common = field(hello, "common");
	struct str theirs = STR("another repository");

	if (number(hello, "common_dev") == place->dev && number(hello, "common_ino") == place->ino)
		return true;
	if (common && common->type == MSGPACK_OBJECT_STR)
		theirs = (struct str){ common->via.str.ptr, common->via.str.size };
	if (str_is(theirs, place->common))
		return t->request->stops ||
		       fault(why, FAULT_NO_AGENT,
			     "the agent at %s serves a repository that was at %s before; "
			     "run `tpctl stop`, then `tpctl start`",
			     t->call->reach.path, place->common);
	return fault(why, FAULT_NO_AGENT, "the agent at %s serves %.*s, not %s",
		     t->call->reach.path, STR_ARG(theirs), place->common);
}

/* What it sent cannot be understood: that is not the asking person's fault. */
static bool gibberish(const struct talker *t, struct fault *why)
{
	struct fault what = *why;

	fault(why, FAULT_INTERNAL, "the agent at %s answered gibberish: %.300s",
	      t->call->reach.path, what.text);
	if (t->sent > t->request->hello)
		add_retry(t->request, why);
	return false;
}

/* *done is set when it was the reply to the request. */
static bool take_message(struct talker *t, struct str bytes, bool *done, struct fault *why)
{
	struct envelope e;

	if (!envelope_decode(bytes, &t->call->zone, &e, why))
		return gibberish(t, why);
	if (e.type != ENVELOPE_RESPONSE)
		return true;
	if (e.msgid != REQUEST_HELLO && t->call->taker) {
		*done = t->call->taker->take(t->call->taker, &e);
		t->may_send = t->request->bytes.len;
		return true;
	}
	if (e.failed)
		return fault_heard(why, "", e.error);
	if (e.msgid == REQUEST_HELLO) {
		if (!is_whom_we_meant(t, &e.result, why))
			return false;
		t->may_send = t->request->bytes.len;
	} else if (e.msgid == REQUEST_ASK) {
		t->call->result = e.result;
		*done = true;
	}
	return true;
}

static bool take_messages(struct talker *t, bool *done, struct fault *why)
{
	struct buf *in = &t->call->in;

	while (!*done && in->len > t->eaten) {
		struct str rest = { in->at + t->eaten, in->len - t->eaten };
		enum frame_state state = frame_scan(&t->frame, rest, RPC_ANSWER_MAX + SLACK, why);
		if (state == FRAME_MORE)
			return true;
		if (state == FRAME_BAD)
			return gibberish(t, why);
		rest.len = t->frame.at;
		t->eaten += rest.len;
		frame_reset(&t->frame);
		if (!take_message(t, rest, done, why))
			return false;
	}
	if (t->call->taker) {
		msgpack_zone_clear(&t->call->zone);
		buf_eat(in, t->eaten);
		t->eaten = 0;
	}
	return true;
}

static enum talk receive_some(struct talker *t, bool *done, struct fault *why)
{
	struct buf *in = &t->call->in;

	buf_room(in, SLACK);
	ssize_t n = read(t->line.in, in->at + in->len, SLACK);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return TALK_ENDED;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return TALK_DONE;
	if (n < 0) {
		fault_errno(why, FAULT_IO, "cannot read from the agent");
		return TALK_FAILED;
	}
	in->len += (size_t)n;
	return take_messages(t, done, why) ? TALK_DONE : TALK_FAILED;
}

/* Send and receive what can be, without waiting. */
static enum talk step(struct talker *t, struct fault *why)
{
	bool done = false;
	enum talk how = send_some(t, why);

	/* After a failed send there may still be a reply that says why. */
	if (how != TALK_FAILED)
		how = receive_some(t, &done, why);
	return how == TALK_DONE && !done ? TALK_MORE : how;
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
		return fault(why, FAULT_READ_ONLY, "--offline only looks, and this writes; do it where the agent can be "
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
		.may_send = request->careful ? request->hello : request->bytes.len,
	};
	a->tries++;
	a->connected = reach(call, request, &a->talker.line, why);
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
	start_leave(&a->talker.line);
	a->asked = a->asked || a->talker.sent > a->talker.request->hello;
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
	return ends_of(&a->talker, ends);
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
	struct talker t = { .call = call, .request = request, .may_send = request->hello };

	*ended = false;
	BUG_IF(!msgpack_zone_init(&call->zone, MSGPACK_ZONE_CHUNK_SIZE));
	if (!reach(call, request, &t.line, why))
		return false;
	enum talk how = talk(&t, why);
	start_leave(&t.line);
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
