/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <ev.h>

#include "dispatch.h"
#include "log.h"
#include "place.h"

/* Bytes read at a time, and requests of one client answered in a turn. */
#define READ_SIZE (64 * 1024)
#define CALLS_A_TURN 64
/* A message once begun has to be finished, and an answer taken, in this time. */
#define STALL_S 30.
/* After accept failed for want of descriptors. */
#define PAUSE_S 0.1

struct conn {
	ev_io in, out;
	ev_timer stall;
	struct server *server;
	struct conn *prev, *next;
	struct caller caller;
	struct frame frame;
	struct buf input, output;
	size_t taken; /* bytes of input that were answered */
	struct call *parked;
	int fd, to; /* to read from, and to write to */
	bool ended;   /* the client will send no more */
	bool closing; /* to be closed once output is sent */
	bool dead;
};

struct server {
	struct ev_loop *loop;
	struct service *service;
	ev_io accept;
	ev_timer pause;
	ev_idle more; /* requests are left for another turn */
	struct conn *conns;
	int fd;    /* -1: there is one client, on standard input and output */
	ino_t ino; /* of the socket's file */
	ev_tstamp idle_since;
};

/* -- One client --------------------------------------------------------- */

static void mark_dead(struct conn *c)
{
	c->dead = true;
	ev_io_stop(c->server->loop, &c->in);
	ev_io_stop(c->server->loop, &c->out);
	ev_timer_stop(c->server->loop, &c->stall);
}

/* The clock runs while half a message or an answer that nobody takes is there. */
static void watch_stall(struct conn *c)
{
	bool waiting = c->output.len || (c->input.len > c->taken && !c->parked);

	if (!waiting)
		ev_timer_stop(c->server->loop, &c->stall);
	else
		ev_timer_again(c->server->loop, &c->stall);
}

static void on_stall(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct conn *c = timer->data;

	(void)loop;
	(void)events;
	log_info("server: a client neither went on nor took its answer for %d s; closed",
		 (int)STALL_S);
	mark_dead(c);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct conn *c = io->data;

	(void)events;
	buf_room(&c->input, READ_SIZE);
	ssize_t got = read(c->fd, c->input.at + c->input.len, READ_SIZE);
	if (got > 0) {
		c->input.len += (size_t)got;
	} else if (got == 0) {
		c->ended = true;
		ev_io_stop(loop, io);
	} else if (errno != EAGAIN && errno != EINTR) {
		mark_dead(c);
	}
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)events;
	/* The flush at the end of the turn does the work. */
	ev_io_stop(loop, io);
}

static void conn_new(struct server *s, int fd, int to)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->fd = fd;
	c->to = to;
	c->caller.conn = c;
	ev_io_init(&c->in, on_readable, fd, EV_READ);
	ev_io_init(&c->out, on_writable, to, EV_WRITE);
	ev_init(&c->stall, on_stall);
	c->stall.repeat = STALL_S;
	c->in.data = c->out.data = c->stall.data = c;
	ev_set_priority(&c->in, -1); /* after changes in files */
	ev_set_priority(&c->out, -1);
	ev_io_start(s->loop, &c->in);
	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	s->service->clients++;
}

static void conn_free(struct conn *c)
{
	struct server *s = c->server;

	mark_dead(c);
	if (c->parked)
		c->parked->conn = NULL;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	s->service->clients--;
	s->idle_since = ev_now(s->loop);
	if (s->fd < 0)
		s->service->stop(s->service->agent);
	else
		close(c->fd);
	buf_release(&c->input);
	buf_release(&c->output);
	free(c);
}

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

/* Answer a client's messages; true where some are left for another turn. */
static bool answer_some(struct conn *c)
{
	struct str message;
	int n = 0;

	/* A request that comes behind a write sees it: it waits. */
	while (!c->closing && !c->parked && n < CALLS_A_TURN && next_message(c, &message)) {
		n++;
		if (!dispatch(c->server->service, &c->caller, message, &c->output, &c->parked))
			c->closing = true;
	}
	if (c->taken) {
		buf_eat(&c->input, c->taken);
		c->taken = 0;
	}
	return n == CALLS_A_TURN && !c->closing;
}

static void flush(struct conn *c)
{
	while (c->output.len && !c->dead) {
		ssize_t put = write(c->to, c->output.at, c->output.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			ev_io_start(c->server->loop, &c->out);
			break;
		}
		if (put < 0) {
			mark_dead(c);
			break;
		}
		buf_eat(&c->output, (size_t)put);
	}
	/* A client whose own buffers are huge keeps them; we do not. */
	if (!c->output.len && c->output.cap > 1024 * 1024)
		buf_release(&c->output);
	if (!c->output.len && (c->closing || c->ended) && !c->parked)
		mark_dead(c);
}

/* Do not read ahead of what may be answered: a client that floods waits in the kernel. */
static void set_reading(struct conn *c)
{
	bool full = c->input.len >= RPC_MESSAGE_MAX || c->output.len >= RPC_ANSWER_MAX || c->parked ||
		    c->closing || c->ended;

	if (full)
		ev_io_stop(c->server->loop, &c->in);
	else
		ev_io_start(c->server->loop, &c->in);
}

/* -- All ---------------------------------------------------------------- */

static void on_idle(struct ev_loop *loop, ev_idle *idle, int events)
{
	(void)events;
	ev_idle_stop(loop, idle);
}

void server_calls(struct server *s)
{
	for (struct conn *c = s->conns; c; c = c->next) {
		if (c->dead || !c->input.len || c->output.len >= RPC_ANSWER_MAX)
			continue;
		if (answer_some(c))
			ev_idle_start(s->loop, &s->more);
	}
}

/* Whom a parked call belongs to goes on, unless it has to wait once more. */
static void go_on(struct server *s, struct call *call)
{
	struct conn *c = call->conn;

	if (!dispatch_resume(call, c ? &c->output : NULL) || !c)
		return;
	c->parked = NULL;
	if (c->input.len)
		ev_idle_start(s->loop, &s->more);
}

/* Nobody reads from a client whose call waits, so its end is to be asked for. */
static bool is_gone(const struct conn *c)
{
	struct pollfd end = { .fd = c->fd };

	return poll(&end, 1, 0) > 0 && end.revents & (POLLHUP | POLLERR);
}

static void abandon(struct call *call)
{
	if (call->conn) {
		call->conn->parked = NULL;
		mark_dead(call->conn);
	}
	call_drop(call);
}

void server_next_accept(struct server *s)
{
	struct service *service = s->service;

	while (!service->accepting && service->waiting && !service->unsettled(service->agent)) {
		struct call *next = service->waiting;
		DL_DELETE(service->waiting, next);
		/* Whose client has gone accepts nothing any more. */
		if (next->conn && !is_gone(next->conn))
			go_on(s, next);
		else
			abandon(next);
	}
}

void server_resume(struct server *s, struct ledger_entry *entry)
{
	go_on(s, entry->owner);
	server_next_accept(s);
}

void server_go_on(struct server *s, struct call *call)
{
	/* Whose client has gone needs no answer, and accepts nothing any more. */
	if (call->conn)
		go_on(s, call);
	else
		abandon(call);
}

void server_flush(struct server *s)
{
	for (struct conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		if (!c->dead)
			flush(c);
		if (c->dead) {
			conn_free(c);
			continue;
		}
		set_reading(c);
		watch_stall(c);
	}
}

bool server_idle(const struct server *s, double *since)
{
	*since = s->idle_since;
	return !s->conns;
}

bool server_busy(const struct server *s)
{
	for (const struct conn *c = s->conns; c; c = c->next)
		if (c->output.len || c->parked)
			return true;
	return false;
}

static void on_pause(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct server *s = timer->data;

	(void)events;
	ev_io_start(loop, &s->accept);
}

/* Only this user and root; the folder's mode says so already. */
static bool is_welcome(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return false;
	return who.uid == geteuid() || who.uid == 0;
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	struct server *s = io->data;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
		log_error("server: out of descriptors; new clients wait");
		ev_io_stop(loop, io);
		ev_timer_set(&s->pause, PAUSE_S, 0.);
		ev_timer_start(loop, &s->pause);
		return;
	}
	if (fd < 0)
		return;
	if (s->service->clients >= SERVER_CLIENTS_MAX || !is_welcome(fd)) {
		close(fd);
		return;
	}
	conn_new(s, fd, fd);
}

/* Nobody but us may connect, from the first moment on. */
static bool bind_private(int fd, const char *path, struct fault *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return fault(why, FAULT_INVALID, "the socket's path is too long: %s", path);
	strcpy(address.sun_path, path);
	unlink(path);
	mode_t before = umask(077);
	int bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (bound < 0)
		return fault_errno(why, FAULT_IO, "cannot make the socket %s", path);
	if (listen(fd, SERVER_CLIENTS_MAX) < 0)
		return fault_errno(why, FAULT_IO, "cannot listen at %s", path);
	return true;
}

/* A socket that listens at the service's path; -1 with *why where there can be none. */
static int open_socket(const struct service *service, ino_t *ino, struct fault *why)
{
	const char *path = service->place->socket;
	struct stat st;

	if (!place_private_for(path, why))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		fault_errno(why, FAULT_IO, "cannot make a socket");
		return -1;
	}
	if (!bind_private(fd, path, why)) {
		close(fd);
		return -1;
	}
	*ino = lstat(path, &st) == 0 ? st.st_ino : 0;
	return fd;
}

static struct server *server_init(struct ev_loop *loop, struct service *service, int fd)
{
	struct server *s = xcalloc(1, sizeof(*s));

	*s = (struct server){ .loop = loop, .service = service, .fd = fd,
			      .idle_since = ev_now(loop) };
	ev_io_init(&s->accept, on_connection, fd, EV_READ);
	ev_init(&s->pause, on_pause);
	ev_idle_init(&s->more, on_idle);
	s->accept.data = s->pause.data = s;
	return s;
}

bool server_new(struct ev_loop *loop, struct service *service, struct server **into,
		struct fault *why)
{
	ino_t ino;
	int fd = open_socket(service, &ino, why);

	if (fd < 0)
		return false;
	*into = server_init(loop, service, fd);
	(*into)->ino = ino;
	ev_io_start(loop, &(*into)->accept);
	return true;
}

/* A terminal or a file may be shared with others, who would not expect it. */
static void unblock(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

struct server *server_new_stdio(struct ev_loop *loop, struct service *service)
{
	struct server *s = server_init(loop, service, -1);

	unblock(STDIN_FILENO);
	unblock(STDOUT_FILENO);
	conn_new(s, STDIN_FILENO, STDOUT_FILENO);
	return s;
}

void server_check_socket(struct server *s)
{
	struct stat st;
	struct fault why;
	ino_t ino;

	if (lstat(s->service->place->socket, &st) == 0 && st.st_ino == s->ino)
		return;
	log_info("server: the socket is gone; listening anew");
	int fd = open_socket(s->service, &ino, &why);
	if (fd < 0) {
		/* Nobody could ever ask us anything: make place for one who can be asked. */
		log_error("server: %s; ending", why.text);
		s->service->stop(s->service->agent);
		return;
	}
	ev_io_stop(s->loop, &s->accept);
	close(s->fd);
	s->fd = fd;
	s->ino = ino;
	ev_io_set(&s->accept, fd, EV_READ);
	ev_io_start(s->loop, &s->accept);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	while (s->conns)
		conn_free(s->conns);
	ev_io_stop(s->loop, &s->accept);
	ev_timer_stop(s->loop, &s->pause);
	ev_idle_stop(s->loop, &s->more);
	if (s->fd >= 0) {
		unlink(s->service->place->socket);
		close(s->fd);
	}
	free(s);
}
