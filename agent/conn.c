/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"

/* Notifications told to one client in a turn, as long as the kernel takes them. */
#define TOLD_A_TURN 16
/* An empty output keeps no more memory than this. */
#define OUTPUT_KEPT (64 * 1024)

static void on_again(struct ev_loop *loop, ev_idle *idle, int events)
{
	(void)events;
	ev_idle_stop(loop, idle);
}

void crowd_init(struct crowd *crowd, struct ev_loop *loop, struct service *service)
{
	*crowd = (struct crowd){ .loop = loop, .service = service };
	ev_idle_init(&crowd->again, on_again);
}

void conn_wake(struct conn *c)
{
	if (c->active)
		return;
	c->active = true;
	DL_APPEND2(c->crowd->active, c, act_prev, act_next);
}

/* It has had its turn. */
static void rest(struct conn *c)
{
	if (!c->active)
		return;
	c->active = false;
	DL_DELETE2(c->crowd->active, c, act_prev, act_next);
}

static void set_listening(struct conn *c, bool listening)
{
	if (c->listening == listening)
		return;
	c->listening = listening;
	if (listening)
		DL_APPEND2(c->crowd->listening, c, hear_prev, hear_next);
	else
		DL_DELETE2(c->crowd->listening, c, hear_prev, hear_next);
}

static void set_writes(struct conn *c, bool writes)
{
	c->crowd->writers += (size_t)writes - (size_t)c->writes;
	c->writes = writes;
}

void conn_kill(struct conn *c)
{
	c->dead = true;
	ev_io_stop(c->crowd->loop, &c->in);
	ev_io_stop(c->crowd->loop, &c->out);
	ev_timer_stop(c->crowd->loop, &c->stall);
	conn_wake(c);
}

/* The clock runs while half a message or an answer that nobody takes is there. */
static void watch_stall(struct conn *c)
{
	bool waiting = (c->output.len && c->replying) || (c->input.len && !c->parked);

	if (!waiting)
		ev_timer_stop(c->crowd->loop, &c->stall);
	else if (c->moved || !ev_is_active(&c->stall))
		ev_timer_again(c->crowd->loop, &c->stall);
	c->moved = false;
}

static void on_stall(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct conn *c = timer->data;

	(void)loop;
	(void)events;
	log_info("server: a client neither went on nor took its answer for %d s; closed",
		 (int)CONN_STALL_S);
	conn_kill(c);
}

/* Into bytes of all first: a client that is silent holds no memory. */
static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct conn *c = io->data;
	ssize_t got = read(c->fd, c->crowd->bytes, CONN_READ);

	(void)events;
	conn_wake(c);
	if (got > 0) {
		buf_add(&c->input, c->crowd->bytes, (size_t)got);
		c->moved = c->more = true;
	} else if (got == 0) {
		c->ended = true;
		ev_io_stop(loop, io);
	} else if (errno != EAGAIN && errno != EINTR) {
		conn_kill(c);
	}
}

/* The turn does the work. */
static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)events;
	ev_io_stop(loop, io);
	conn_wake(io->data);
}

void conn_new(struct crowd *crowd, int fd, int to)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->crowd = crowd;
	c->fd = fd;
	c->to = to;
	c->caller.conn = c;
	listener_init(&c->caller.listener, crowd->service, &c->output);
	ev_io_init(&c->in, on_readable, fd, EV_READ);
	ev_io_init(&c->out, on_writable, to, EV_WRITE);
	ev_init(&c->stall, on_stall);
	c->stall.repeat = CONN_STALL_S;
	c->in.data = c->out.data = c->stall.data = c;
	ev_set_priority(&c->in, -1); /* after changes in files */
	ev_set_priority(&c->out, -1);
	ev_io_start(crowd->loop, &c->in);
	DL_APPEND(crowd->conns, c);
	crowd->service->clients++;
}

void conn_free(struct conn *c)
{
	conn_kill(c);
	rest(c);
	set_listening(c, false);
	set_writes(c, false);
	DL_DELETE(c->crowd->conns, c);
	if (c->parked)
		c->parked->conn = NULL;
	listener_release(&c->caller.listener);
	c->crowd->service->clients--;
	buf_release(&c->input);
	buf_release(&c->output);
	free(c);
}

/* -- Requests ----------------------------------------------------------- */

static void refuse(struct conn *c, const struct fault *why)
{
	struct wire w;
	char text[sizeof(why->text) + 32];

	snprintf(text, sizeof(text), "%s: %s", fault_name(why->code), why->text);
	wire_init(&w, &c->output);
	wire_error(&w, 0, true, str_of(text));
	c->closing = true;
}

/* The next whole message of the input; false where there is none. */
static bool next_message(struct conn *c, struct str *message)
{
	struct str rest = { c->input.at + c->taken, c->input.len - c->taken };
	struct fault why;

	if (!rest.len)
		return false;
	switch (frame_scan(&c->frame, rest, RPC_MESSAGE_MAX, &why)) {
	case FRAME_WHOLE:
		*message = (struct str){ rest.at, c->frame.at };
		c->taken += c->frame.at;
		return true;
	case FRAME_BAD:
		refuse(c, &why);
		return false;
	case FRAME_MORE:
		break;
	}
	return false;
}

static bool may_answer(const struct conn *c)
{
	/* A request that comes behind a write sees it: it waits. */
	return !c->dead && !c->closing && !c->parked && c->output.len < RPC_ANSWER_MAX;
}

void conn_answer(struct conn *c)
{
	struct str message;
	size_t before = c->output.len;

	for (int n = 0; c->more && may_answer(c) && n < CONN_CALLS; n++) {
		c->more = next_message(c, &message);
		if (!c->more)
			break;
		if (!dispatch(c->crowd->service, &c->caller, message, &c->output, &c->parked))
			c->closing = true;
		set_writes(c, c->parked && c->parked->entry);
	}
	c->replying |= c->output.len > before;
	if (c->taken)
		buf_eat(&c->input, c->taken);
	c->taken = 0;
	if (!c->input.len) {
		c->more = false;
		buf_release(&c->input);
	}
}

void conn_resume(struct conn *c, struct call *call)
{
	if (!dispatch_resume(call, c ? &c->output : NULL) || !c)
		return;
	c->parked = NULL;
	c->replying = true;
	conn_wake(c);
	/* It has waited long enough: no other work of the turn is to come between. */
	conn_send(c);
}

/* -- Answers ------------------------------------------------------------ */

void conn_send(struct conn *c)
{
	while (c->output.len && !c->dead) {
		ssize_t put = write(c->to, c->output.at, c->output.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			ev_io_start(c->crowd->loop, &c->out);
			break;
		}
		if (put < 0) {
			conn_kill(c);
			break;
		}
		c->moved = true;
		buf_eat(&c->output, (size_t)put);
	}
	if (c->output.len)
		return;
	c->replying = false;
	if (c->output.cap > OUTPUT_KEPT)
		buf_release(&c->output);
}

/*
 * Do not read ahead of what may be answered: a client that floods waits in the kernel.  One that
 * only waits for its answer sends nothing, and need not be kept from it.
 */
static void set_reading(struct conn *c)
{
	bool full = c->input.len >= RPC_MESSAGE_MAX || c->output.len >= RPC_ANSWER_MAX ||
		    (c->parked && c->input.len) || c->closing || c->ended;

	if (full)
		ev_io_stop(c->crowd->loop, &c->in);
	else
		ev_io_start(c->crowd->loop, &c->in);
}

/* Of several notifications each is sent before the next is made. */
static int64_t tell(struct conn *c, int64_t now, bool news, bool busy)
{
	struct listener *l = &c->caller.listener;
	int64_t again = 0;

	for (int n = 0; listener_listens(l) && !c->dead && n < TOLD_A_TURN; n++, news = false) {
		bool owing = c->output.len;
		again = listener_turn(l, now, news, busy);
		if (!c->output.len)
			return again;
		conn_send(c);
		/* It is told as soon as it takes what there is. */
		if (owing || c->output.len)
			return again;
	}
	return c->output.len ? again : now;
}

int64_t conn_turn(struct conn *c, int64_t now, bool news, bool busy)
{
	int64_t again = 0;

	conn_send(c);
	set_listening(c, listener_listens(&c->caller.listener));
	if (c->listening && !c->closing)
		again = tell(c, now, news, busy);
	bool done = c->closing || (c->ended && !c->more);
	if (done && !c->output.len && !c->parked)
		conn_kill(c);
	if (c->dead)
		return 0;
	set_reading(c);
	watch_stall(c);
	/* What is left goes on when the output was taken, or the parked call was answered. */
	if (c->more && may_answer(c))
		ev_idle_start(c->crowd->loop, &c->crowd->again);
	else
		rest(c);
	return again;
}
