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

#include "conn.h"
#include "log.h"
#include "plain.h"
#include "place.h"

/* Of the work for those that write so much is done at once (microseconds) where others read. */
#define SLICE_US 20
/* After accept failed for want of descriptors. */
#define PAUSE_S 0.1

struct server {
	struct crowd crowd;
	ev_io accept;
	ev_timer pause;
	ev_timer tell; /* somebody is to be told something then */
	int64_t tell_at;
	uint64_t told; /* the generation that listeners have heard of */
	uint64_t logged; /* how many lines of the log they have heard of */
	bool busy;
	int fd;    /* -1: there is one client, on standard input and output */
	ino_t ino; /* of the socket's file */
	ev_tstamp idle_since;
};

/* -- All ---------------------------------------------------------------- */

void server_again(struct server *s)
{
	ev_idle_start(s->crowd.loop, &s->crowd.again);
}

void server_reads(struct server *s)
{
	struct conn *c;

	DL_FOREACH2(s->crowd.active, c, act_next) {
		if (c->writes)
			continue;
		conn_answer(c);
		conn_send(c);
	}
}

bool server_only_writes(const struct server *s)
{
	return s->crowd.writers >= s->crowd.service->clients;
}

int64_t server_until(const struct server *s)
{
	return server_only_writes(s) ? INT64_MAX : ticks_now() + SLICE_US;
}

void server_writes(struct server *s, int64_t until)
{
	struct conn *c;
	bool late = false;

	DL_FOREACH2(s->crowd.active, c, act_next) {
		if (late || !c->writes || !c->more)
			continue;
		conn_answer(c);
		late = ticks_now() >= until;
	}
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
		conn_kill(call->conn);
	}
	call_drop(call);
}

/* Whose client has gone wants nothing any more. */
static void run_anew(struct call *call)
{
	if (call->conn && !is_gone(call->conn))
		conn_resume(call->conn, call);
	else
		abandon(call);
}

void server_resume(struct server *s, struct call *call)
{
	struct service *service = s->crowd.service;

	conn_resume(call->conn, call);
	while ((call = service->ready)) {
		DL_DELETE(service->ready, call);
		run_anew(call);
	}
}

void server_go_on(struct server *s, struct call *call)
{
	(void)s;
	/* Whose client has gone needs no answer, and accepts nothing any more. */
	if (call->conn)
		conn_resume(call->conn, call);
	else
		abandon(call);
}

void server_line(struct server *s)
{
	struct service *service = s->crowd.service;
	struct call *next;

	while ((next = service->waiting) && !call_must_wait(next)) {
		DL_DELETE(service->waiting, next);
		run_anew(next);
	}
}

static void drop(struct server *s, struct conn *c)
{
	int fd = c->fd;

	conn_free(c);
	s->idle_since = ev_now(s->crowd.loop);
	if (s->fd < 0)
		s->crowd.service->stop(s->crowd.service->agent);
	else
		close(fd);
}

/* Every listener has a turn where it may have to be told something. */
static bool wake_listeners(struct server *s, int64_t now, bool busy)
{
	struct service *service = s->crowd.service;
	bool news = s->told != index_generation(service->ix);
	bool said = s->logged != log_count();
	struct conn *c;

	if (news || said || busy != s->busy || service->syncing ||
	    (s->tell_at && now >= s->tell_at)) {
		s->tell_at = 0;
		DL_FOREACH2(s->crowd.listening, c, hear_next)
			conn_wake(c);
	}
	s->told = index_generation(service->ix);
	s->busy = busy;
	s->logged = log_count();
	return news;
}

/* No timer runs but where somebody waits for it. */
static void set_timer(struct server *s, int64_t at, int64_t now)
{
	if (!at || (s->tell_at && s->tell_at <= at))
		return;
	s->tell_at = at;
	ev_timer_stop(s->crowd.loop, &s->tell);
	ev_timer_set(&s->tell, at > now ? (ev_tstamp)(at - now) / 1e6 : 0., 0.);
	ev_timer_start(s->crowd.loop, &s->tell);
}

void server_flush(struct server *s)
{
	struct service *service = s->crowd.service;
	bool busy = s->crowd.listening && service->unsettled(service->agent);
	int64_t now = ticks_now(), soonest = 0;
	bool news = wake_listeners(s, now, busy);
	struct conn *c, *next;

	DL_FOREACH_SAFE2(s->crowd.active, c, next, act_next)
	{
		int64_t at = conn_turn(c, now, news, busy);
		if (c->dead)
			drop(s, c);
		else if (at && (!soonest || at < soonest))
			soonest = at;
	}
	service->syncing = false;
	set_timer(s, soonest, now);
}

static struct peer peer_of(const struct conn *c, struct arena *arena)
{
	struct peer peer = { .calls = c->caller.calls,
			     .unsent = c->output.len,
			     .waits = c->parked || c->caller.listener.waits };
	struct ucred who;
	socklen_t len = sizeof(who);
	char path[64], name[32] = "";

	if (c->caller.client[0])
		peer.client = arena_str(arena, str_of(c->caller.client));
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return peer;
	peer.pid = who.pid;
	snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)peer.pid);
	FILE *file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file)) {
		struct buf text = { 0 };
		name[strcspn(name, "\n")] = '\0';
		plain_add(&text, str_of(name));
		peer.program = arena_str(arena, (struct str){ buf_text(&text), text.len });
		buf_release(&text);
	}
	if (file)
		fclose(file);
	return peer;
}

struct peer *server_peers(const struct server *s, struct arena *arena, size_t *count)
{
	size_t n = 0;

	for (const struct conn *c = s->crowd.conns; c; c = c->next)
		n++;
	struct peer *peers = arena_alloc(arena, (n + 1) * sizeof(*peers));
	n = 0;
	for (const struct conn *c = s->crowd.conns; c; c = c->next)
		if (!c->dead)
			peers[n++] = peer_of(c, arena);
	*count = n;
	return peers;
}

bool server_asked(const struct server *s)
{
	bool asked = s->crowd.service->waiting;

	for (const struct conn *c = s->crowd.active; c && !asked; c = c->act_next)
		asked = c->more;
	return asked;
}

bool server_listens(const struct server *s)
{
	return s->crowd.listening != NULL;
}

bool server_idle(const struct server *s, double *since)
{
	*since = s->idle_since;
	return !s->crowd.conns;
}

bool server_busy(const struct server *s)
{
	for (const struct conn *c = s->crowd.conns; c; c = c->next)
		if (c->replying || c->parked)
			return true;
	return false;
}

static void on_pause(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct server *s = timer->data;

	(void)events;
	ev_io_start(loop, &s->accept);
}

static void on_tell(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
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
	if (s->crowd.service->clients >= SERVER_CLIENTS_MAX || !is_welcome(fd)) {
		close(fd);
		return;
	}
	conn_new(&s->crowd, fd, fd);
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

	crowd_init(&s->crowd, loop, service);
	s->fd = fd;
	s->idle_since = ev_now(loop);
	s->told = index_generation(service->ix);
	ev_io_init(&s->accept, on_connection, fd, EV_READ);
	ev_init(&s->pause, on_pause);
	ev_init(&s->tell, on_tell);
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
	conn_new(&s->crowd, STDIN_FILENO, STDOUT_FILENO);
	return s;
}

void server_check_socket(struct server *s)
{
	struct stat st;
	struct fault why;
	ino_t ino;

	if (lstat(s->crowd.service->place->socket, &st) == 0 && st.st_ino == s->ino)
		return;
	log_info("server: the socket is gone; listening anew");
	int fd = open_socket(s->crowd.service, &ino, &why);
	if (fd < 0) {
		/* Nobody could ever ask us anything: make place for one who can be asked. */
		log_error("server: %s; ending", why.text);
		s->crowd.service->stop(s->crowd.service->agent);
		return;
	}
	ev_io_stop(s->crowd.loop, &s->accept);
	close(s->fd);
	s->fd = fd;
	s->ino = ino;
	ev_io_set(&s->accept, fd, EV_READ);
	ev_io_start(s->crowd.loop, &s->accept);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	while (s->crowd.conns)
		drop(s, s->crowd.conns);
	ev_io_stop(s->crowd.loop, &s->accept);
	ev_timer_stop(s->crowd.loop, &s->pause);
	ev_timer_stop(s->crowd.loop, &s->tell);
	ev_idle_stop(s->crowd.loop, &s->crowd.again);
	if (s->fd >= 0) {
		unlink(s->crowd.service->place->socket);
		close(s->fd);
	}
	free(s);
}
