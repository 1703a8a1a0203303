/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "buf.h"
#include "launch.h"
#include "tick.h"

/* How long an agent of our own may take to end. */
#define LEAVE_MS 1000

enum knock { KNOCK_OPEN, KNOCK_ABSENT, KNOCK_BUSY, KNOCK_FAILED };

/* A socket directory in /tmp may be anybody's: talk to ourselves and to root only. */
static bool is_ours(int fd, const char *path, struct fault *why)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return fault_errno(why, FAULT_IO, "%s", path);
	if (peer.uid == geteuid() || peer.uid == 0)
		return true;
	return fault(why, FAULT_NO_AGENT, "who listens at %s is user %u, not you; set TP_SOCKET",
		     path, (unsigned)peer.uid);
}

static enum knock refused(const char *path, struct fault *why)
{
	if (errno == ENOENT || errno == ECONNREFUSED)
		return KNOCK_ABSENT;
	if (errno == EAGAIN || errno == EINTR)
		return KNOCK_BUSY;
	if (errno == EPERM || errno == EACCES || errno == EAFNOSUPPORT)
		fault(why, FAULT_SANDBOXED,
		      "this shell is sandboxed and may not use the Unix socket %s: %s", path,
		      strerror(errno));
	else
		fault_errno(why, FAULT_IO, "cannot connect to %s", path);
	return KNOCK_FAILED;
}

static enum knock knock(struct reach *r, const char *path, int *fd, struct fault *why)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	memcpy(r->path, to.sun_path, sizeof(r->path));
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return refused(path, why);
	enum knock how = KNOCK_OPEN;
	if (connect(*fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		how = refused(path, why);
	else if (!is_ours(*fd, path, why))
		how = KNOCK_FAILED;
	if (how != KNOCK_OPEN)
		close(*fd);
	return how;
}

static void read_holder(int lock, struct holder *h)
{
	char text[sizeof(h->path) + 32] = "";
	ssize_t n = pread(lock, text, sizeof(text) - 1, 0);
	char *line = n > 0 ? strchr(text, '\n') : NULL;

	if (!line)
		return;
	h->pid = atoi(text);
	size_t len = strcspn(line + 1, "\n");
	if (line[1 + len] == '\n' && len < sizeof(h->path))
		memcpy(h->path, line + 1, len);
}

bool start_holder(const struct place *place, struct holder *h, struct fault *why)
{
	int lock = open(place->lock, O_RDONLY | O_CLOEXEC);

	*h = (struct holder){ 0 };
	if (lock < 0 && errno == ENOENT)
		return true;
	if (lock < 0)
		return fault_errno(why, FAULT_IO, "cannot open %s", place->lock);
	h->held = flock(lock, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	if (h->held)
		read_holder(lock, h);
	close(lock);
	return true;
}

/* Where nothing may be written no agent can be started: what helps is what helps there. */
static bool see_sandbox(struct fault *why)
{
	if (errno == EROFS)
		why->code = FAULT_SANDBOXED;
	return false;
}

/* The lock for ourselves: *lock is -1 where somebody else has it. */
static bool take_lock(const struct place *place, int *lock, struct holder *h, struct fault *why)
{
	*h = (struct holder){ 0 };
	errno = 0;
	if (!place_private(place->state, why))
		return see_sandbox(why);
	*lock = open(place->lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (*lock < 0) {
		fault_errno(why, FAULT_IO, "cannot open %s", place->lock);
		return see_sandbox(why);
	}
	if (flock(*lock, LOCK_EX | LOCK_NB) == 0) {
		/* What a dead agent left there would lead others astray. */
		if (ftruncate(*lock, 0) == 0)
			return true;
		fault_errno(why, FAULT_IO, "cannot write %s", place->lock);
		close(*lock);
		return false;
	}
	int cause = errno;
	h->held = cause == EWOULDBLOCK;
	if (h->held)
		read_holder(*lock, h);
	close(*lock);
	*lock = -1;
	errno = cause;
	return h->held ? true : fault_errno(why, FAULT_IO, "cannot lock %s", place->lock);
}

/* Of a git directory that lies apart only its checkout knows that they belong together. */
static const char *served(const struct place *place)
{
	bool knows = place->top && strcmp(place->source, "main") == 0 && !getenv("GIT_DIR");

	return knows ? place->top : place->common;
}

static bool start_agent(struct reach *r, int *lock, struct fault *why)
{
	bool implicit = r->mode == START_IMPLICIT;
	const char *const words[] = { "--foreground", "-C", served(r->place),
				      implicit ? "--auto" : NULL, NULL };
	struct launch l = { .words = words, .implicit = implicit, .in = -1, .out = -1,
			    .lock = *lock, .deadline = r->deadline };

	r->started = launch(&l, why);
	/* The lock must not outlive the agent in our hands. */
	*lock = -1;
	return r->started;
}

static bool clear_stale(const char *path, struct fault *why)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return true;
	if (!S_ISSOCK(st.st_mode))
		return fault(why, FAULT_IO, "%s is in the way and is no socket; remove it", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fault_errno(why, FAULT_IO, "cannot remove the stale socket %s", path);
	return true;
}

static bool may_start(struct reach *r, struct fault *why)
{
	if (r->started)
		return fault(why, FAULT_NO_AGENT, "the agent started and ended at once");
	if (r->mode == START_IMPLICIT && access(r->place->hold, F_OK) == 0) {
		r->absent = true;
		return fault(why, FAULT_NO_AGENT,
			     "stopped by `tpctl stop`; `tpctl start` starts it again");
	}
	return true;
}

/* With the lock in our hands nobody lives: connect once more, then start one. */
static enum knock start_locked(struct reach *r, int *lock, int *fd, struct fault *why)
{
	enum knock how = knock(r, r->place->socket, fd, why);

	if (how != KNOCK_ABSENT)
		return how;
	if (!may_start(r, why) || !clear_stale(r->place->socket, why) ||
	    !place_private_for(r->place->socket, why) || !start_agent(r, lock, why))
		return KNOCK_FAILED;
	return knock(r, r->place->socket, fd, why);
}

/* The socket of the place does not answer: ask the lock. */
static enum knock ask_lock(struct reach *r, struct holder *h, int *fd, struct fault *why)
{
	int lock = -1;
	enum knock how;

	if (r->mode == START_NEVER) {
		if (!start_holder(r->place, h, why))
			return KNOCK_FAILED;
	} else if (!take_lock(r->place, &lock, h, why)) {
		return KNOCK_FAILED;
	}
	if (h->held)
		return *h->path ? knock(r, h->path, fd, why) : KNOCK_ABSENT;
	if (r->mode != START_NEVER) {
		how = start_locked(r, &lock, fd, why);
		if (lock >= 0)
			close(lock);
		return how;
	}
	r->absent = true;
	fault(why, FAULT_NO_AGENT, "no agent runs for %s", r->place->common);
	return KNOCK_FAILED;
}

static bool no_answer(const struct reach *r, const struct holder *h, struct fault *why)
{
	if (h->held && h->pid)
		return fault(why, FAULT_BUSY,
			     "the agent (process %d) holds %s and does not answer at %s", h->pid,
			     r->place->lock, r->path);
	if (h->held)
		return fault(why, FAULT_BUSY, "an agent is starting: somebody holds %s",
			     r->place->lock);
	return fault(why, FAULT_BUSY, "the agent at %s takes no connections", r->path);
}

/* Pipes with the agent's ends in `theirs`. */
static bool make_pipes(struct line *line, struct line *theirs, struct fault *why)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) < 0)
		return fault_errno(why, FAULT_IO, "cannot make a pipe");
	if (pipe2(from, O_CLOEXEC) < 0) {
		fault_errno(why, FAULT_IO, "cannot make a pipe");
		close(to[0]);
		close(to[1]);
		return false;
	}
	*line = (struct line){ .in = from[0], .out = to[1] };
	*theirs = (struct line){ .in = to[0], .out = from[1] };
	fcntl(line->in, F_SETFL, O_NONBLOCK);
	fcntl(line->out, F_SETFL, O_NONBLOCK);
	return true;
}

static bool go_offline(struct reach *r, struct line *line, struct fault *why)
{
	const char *const words[] = { "--stdio", "-C", served(r->place), NULL };
	struct line theirs = { -1, -1, 0 };

	snprintf(r->path, sizeof(r->path), "the other end of a pipe");
	if (!make_pipes(line, &theirs, why))
		return false;
	struct launch l = { .words = words, .in = theirs.in, .out = theirs.out, .lock = -1,
			    .deadline = r->deadline };
	r->found = r->started = launch(&l, why);
	line->agent = l.pid;
	if (!r->started)
		start_leave(line);
	return r->started;
}

void start_leave(struct line *line)
{
	close(line->in);
	if (line->out != line->in)
		close(line->out);
	if (line->agent > 0)
		launch_end(line->agent, tick_now() + LEAVE_MS);
}

static bool reach_socket(struct reach *r, int *fd, struct fault *why)
{
	struct holder holder = { 0 };
	int pause_ms = 5;

	r->started = false;
	for (;;) {
		enum knock how = knock(r, r->place->socket, fd, why);
		if (how == KNOCK_ABSENT)
			how = ask_lock(r, &holder, fd, why);
		r->found = r->found || how == KNOCK_OPEN;
		if (how == KNOCK_OPEN || how == KNOCK_FAILED)
			return how == KNOCK_OPEN;
		int left = tick_left(r->deadline);
		if (!left)
			return no_answer(r, &holder, why);
		poll(NULL, 0, pause_ms < left ? pause_ms : left);
		pause_ms = pause_ms * 3 / 2 < 50 ? pause_ms * 3 / 2 : 50;
	}
}

bool start_reach(struct reach *r, struct line *line, struct fault *why)
{
	int fd;

	if (r->offline)
		return go_offline(r, line, why);
	if (!reach_socket(r, &fd, why))
		return false;
	*line = (struct line){ .in = fd, .out = fd };
	return true;
}
