/* SPDX-License-Identifier: MIT */
#include "ticketplan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "heard.h"
#include "link.h"
#include "rpc.h"
#include "tick.h"
#include "value.h"
#include "wire.h"

#define HELLO 0

/* A call that is not answered yet; `feed` where it is a feed's subscription. */
struct asked {
	struct asked *next;
	uint32_t msgid;
	tp_reply *reply;
	void *data;
	int feed;
};

struct fed {
	struct fed *next;
	int number;        /* that we gave it */
	int64_t theirs;    /* that the agent gave it on this connection; 0: none yet */
	struct buf params; /* a map without `since` */
	char *clock;       /* up to which it was told; NULL: not at all */
	tp_feed *told;
	void *data;
	bool ended;
};

struct tp {
	struct place place;
	struct reach reach;
	struct link link;
	struct buf in, out;
	msgpack_zone zone;
	struct asked *asked, **asked_last;
	struct fed *feeds;
	tp_topic *topic; /* NULL: nobody listens */
	void *topic_data;
	struct fault why;
	const char *code;
	uint32_t last; /* message id */
	int last_feed;
	bool placed, open, greeted, told;
};

/* -- Life ---------------------------------------------------------------- */

struct tp *tp_new(void)
{
	struct tp *tp = xcalloc(1, sizeof(*tp));

	tp->asked_last = &tp->asked;
	BUG_IF(!msgpack_zone_init(&tp->zone, MSGPACK_ZONE_CHUNK_SIZE));
	return tp;
}

static int fail(struct tp *tp)
{
	tp->code = fault_name(tp->why.code);
	return -1;
}

const char *tp_error(const struct tp *tp)
{
	return tp->code ? tp->why.text : "";
}

const char *tp_error_code(const struct tp *tp)
{
	return tp->code ? tp->code : "";
}

const struct fault *fault_of(const struct tp *tp)
{
	return &tp->why;
}

int tp_is_open(const struct tp *tp)
{
	return tp->open;
}

static void free_fed(struct fed *f)
{
	buf_release(&f->params);
	free(f->clock);
	free(f);
}

/* Nobody answers any more what was asked. */
static void close_line(struct tp *tp, bool tell)
{
	struct asked *asked = tp->asked;

	if (tp->open)
		start_leave(&tp->link.line);
	tp->open = tp->greeted = false;
	tp->in.len = tp->out.len = 0;
	tp->asked = NULL;
	tp->asked_last = &tp->asked;
	for (struct asked *next; asked; asked = next) {
		next = asked->next;
		if (tell && asked->reply)
			asked->reply(tp, NULL, asked->data);
		free(asked);
	}
	for (struct fed *f = tp->feeds; f; f = f->next)
		f->theirs = 0;
}

void tp_free(struct tp *tp)
{
	if (!tp)
		return;
	close_line(tp, false);
	while (tp->feeds) {
		struct fed *f = tp->feeds;
		tp->feeds = f->next;
		free_fed(f);
	}
	if (tp->placed)
		place_release(&tp->place);
	msgpack_zone_destroy(&tp->zone);
	buf_release(&tp->in);
	buf_release(&tp->out);
	free(tp);
}

/* -- Asking -------------------------------------------------------------- */

/* Until it is known whom we talk to, nothing that changes anything goes out, nor what follows. */
static bool is_harmless(const char *method)
{
	enum rpc_id id = rpc_find(str_of(method));

	return id != RPC_COUNT && id != RPC_agent_stop && rpc_method(id)->access == RPC_READ;
}

static uint32_t put_request(struct tp *tp, const char *method, struct str params)
{
	bool held = tp->link.may_send < tp->out.len || !(tp->greeted || is_harmless(method));
	struct wire w;

	if (tp->link.sent == tp->out.len)
		tp->out.len = tp->link.sent = tp->link.may_send = 0;
	wire_init(&w, &tp->out);
	wire_request(&w, tp->last, method);
	wire_raw(&w, params.at, params.len);
	if (!held)
		tp->link.may_send = tp->out.len;
	return tp->last++;
}

static struct asked *expect(struct tp *tp, uint32_t msgid)
{
	struct asked *a = xcalloc(1, sizeof(*a));

	a->msgid = msgid;
	*tp->asked_last = a;
	tp->asked_last = &a->next;
	return a;
}

static const struct str no_params = { "\x80", 1 };

int tp_call(struct tp *tp, const char *method, struct tp_params *params, tp_reply *reply,
	    void *data)
{
	struct str map = params ? params_map(params) : no_params;
	bool fits = map.len <= RPC_MESSAGE_MAX - 256;

	if (!tp->open)
		fault(&tp->why, FAULT_NO_AGENT, "not connected");
	else if (!fits)
		fault(&tp->why, FAULT_TOO_LARGE, "a request of %zu bytes; at most %d may be sent",
		      map.len, RPC_MESSAGE_MAX);
	else {
		struct asked *a = expect(tp, put_request(tp, method, map));
		a->reply = reply;
		a->data = data;
	}
	tp_params_free(params);
	return tp->open && fits ? 0 : fail(tp);
}

/* -- Feeds --------------------------------------------------------------- */

static struct fed *find_feed(struct tp *tp, int number)
{
	struct fed *f = tp->feeds;

	while (f && f->number != number)
		f = f->next;
	return f;
}

static void end_feed(struct tp *tp, struct fed *f)
{
	struct fed **at = &tp->feeds;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	free_fed(f);
}

/* Its parameters, with the clock up to which it was told in place of what was asked first. */
static void subscribe(struct tp *tp, struct fed *f)
{
	struct buf map = { 0 };

	params_with_since((struct str){ f->params.at, f->params.len }, f->clock, &map);
	expect(tp, put_request(tp, "feed.subscribe", (struct str){ map.at, map.len }))->feed =
		f->number;
	buf_release(&map);
}

int tp_subscribe(struct tp *tp, struct tp_params *params, tp_feed *told, void *data)
{
	struct str map = params ? params_map(params) : no_params;
	struct fed *f = xcalloc(1, sizeof(*f));

	f->number = ++tp->last_feed;
	f->told = told;
	f->data = data;
	buf_add_str(&f->params, map);
	tp_params_free(params);
	f->next = tp->feeds;
	tp->feeds = f;
	if (tp->open)
		subscribe(tp, f);
	return f->number;
}

int tp_unsubscribe(struct tp *tp, int feed)
{
	struct fed *f = find_feed(tp, feed);

	if (!f) {
		fault(&tp->why, FAULT_NOT_FOUND, "there is no feed %d", feed);
		return fail(tp);
	}
	if (f->theirs) {
		struct tp_params *params = tp_params_new();
		tp_set_number(params, "feed", f->theirs);
		tp_call(tp, "feed.unsubscribe", params, NULL, NULL);
	}
	end_feed(tp, f);
	return 0;
}

static void keep_clock(struct fed *f, const struct tp_value *clock)
{
	size_t len;
	const char *text = tp_text(clock, &len);

	if (!text)
		return;
	free(f->clock);
	f->clock = xstrndup(text, len);
}

static void take_feed(struct tp *tp, int number, const struct tp_value *result)
{
	struct fed *f = find_feed(tp, number);

	/* It may have been ended before the agent heard of it: end it there too. */
	if (!f && result) {
		struct tp_params *params = tp_params_new();
		tp_set_number(params, "feed", tp_number(tp_get(result, "feed")));
		tp_call(tp, "feed.unsubscribe", params, NULL, NULL);
	}
	if (!f)
		return;
	if (!result) {
		f->told(tp, number, TP_REFUSED, NULL, f->data);
		f = find_feed(tp, number);
		if (f)
			end_feed(tp, f);
		return;
	}
	f->theirs = tp_number(tp_get(result, "feed"));
	keep_clock(f, tp_get(result, "from"));
	f->told(tp, number, TP_SUBSCRIBED, result, f->data);
}

static void take_change(struct tp *tp, const struct tp_value *change)
{
	int64_t number = tp_number(tp_get(change, "feed"));
	struct fed *f = tp->feeds;

	while (f && f->theirs != number)
		f = f->next;
	if (!f)
		return;
	keep_clock(f, tp_get(change, "to"));
	f->told(tp, f->number, TP_CHANGED, change, f->data);
}

void tp_listen(struct tp *tp, tp_topic *told, void *data)
{
	tp->topic = told;
	tp->topic_data = data;
}

static void take_topic(struct tp *tp, const struct envelope *e)
{
	if (str_is(e->method, rpc_topic(TOPIC_feed_changed)->name)) {
		take_change(tp, value_of(&e->params));
	} else if (tp->topic) {
		char *topic = xstrndup(e->method.at, e->method.len);
		tp->topic(tp, topic, value_of(&e->params), tp->topic_data);
		free(topic);
	}
}

/* -- Hearing ------------------------------------------------------------- */

static struct asked *take_asked(struct tp *tp, uint32_t msgid)
{
	struct asked **at = &tp->asked;

	while (*at && (*at)->msgid != msgid)
		at = &(*at)->next;
	struct asked *a = *at;
	if (!a)
		return NULL;
	*at = a->next;
	if (!*at)
		tp->asked_last = at;
	return a;
}

static void take_answer(struct tp *tp, const struct envelope *e)
{
	struct asked *a = take_asked(tp, e->msgid);
	const struct tp_value *result = e->failed ? NULL : value_of(&e->result);

	if (!a)
		return;
	if (e->failed) {
		fault_heard(&tp->why, "", e->error);
		fail(tp);
	}
	if (a->feed)
		take_feed(tp, a->feed, result);
	else if (a->reply)
		a->reply(tp, result, a->data);
	free(a);
}

static bool take(void *data, const struct envelope *e, bool *done, struct fault *why)
{
	struct tp *tp = data;

	(void)done;
	tp->told = true;
	if (e->type == ENVELOPE_NOTIFICATION) {
		take_topic(tp, e);
		return true;
	}
	if (e->type != ENVELOPE_RESPONSE)
		return true;
	if (e->msgid != HELLO) {
		take_answer(tp, e);
		return true;
	}
	if (e->failed)
		return fault_heard(why, "", e->error);
	if (!link_is_right(&tp->link, &e->result, false, why))
		return false;
	tp->greeted = true;
	tp->link.may_send = tp->out.len;
	return true;
}

int tp_process(struct tp *tp)
{
	if (!tp->open) {
		fault(&tp->why, FAULT_NO_AGENT, "not connected");
		return fail(tp);
	}
	enum talk how = link_step(&tp->link, take, tp, &tp->why);
	if (how == TALK_MORE)
		return 0;
	if (how == TALK_ENDED)
		fault(&tp->why, FAULT_NO_AGENT, "the agent at %s has ended", tp->reach.path);
	fail(tp);
	close_line(tp, true);
	return -1;
}

/* -- Connecting ---------------------------------------------------------- */

static void greet(struct tp *tp, unsigned flags)
{
	struct tp_params *params = tp_params_new();

	tp_set_text(params, "client", "libticketplan " PACKAGE_VERSION);
	if (strcmp(tp->place.source, "main") != 0)
		tp_set_text(params, "source", tp->place.source);
	if (flags & TP_READ_ONLY)
		tp_set_truth(params, "read_only", 1);
	tp->last = HELLO;
	put_request(tp, rpc_method(RPC_agent_hello)->name, params_map(params));
	tp_params_free(params);
}

static bool find_place(struct tp *tp, const char *dir)
{
	if (tp->placed)
		place_release(&tp->place);
	tp->placed = place_find(dir, &tp->place, &tp->why);
	return tp->placed;
}

int tp_open(struct tp *tp, const char *dir, unsigned flags, int timeout_ms)
{
	close_line(tp, true);
	if (!find_place(tp, dir))
		return fail(tp);
	tp->reach = (struct reach){ .place = &tp->place,
				    .mode = flags & TP_NO_START ? START_NEVER : START_IMPLICIT,
				    .deadline = tick_now() + timeout_ms };
	tp->link = (struct link){
		.reach = &tp->reach, .out = &tp->out, .in = &tp->in, .zone = &tp->zone
	};
	if (!start_reach(&tp->reach, &tp->link.line, &tp->why))
		return fail(tp);
	tp->open = true;
	greet(tp, flags);
	for (struct fed *f = tp->feeds; f; f = f->next)
		subscribe(tp, f);
	return 0;
}

int tp_fd(const struct tp *tp)
{
	return tp->open ? tp->link.line.in : -1;
}

short tp_events(const struct tp *tp)
{
	return tp->link.sent < tp->link.may_send ? POLLIN | POLLOUT : POLLIN;
}

int tp_wait(struct tp *tp, int timeout_ms)
{
	int64_t deadline = tick_now() + timeout_ms;

	tp->told = false;
	do {
		struct pollfd end = { .fd = tp_fd(tp), .events = tp_events(tp) };
		poll(&end, end.fd >= 0, timeout_ms < 0 ? -1 : tick_left(deadline));
		if (tp_process(tp) < 0)
			return -1;
	} while (!tp->told && (timeout_ms < 0 || tick_left(deadline)));
	return tp->told;
}
