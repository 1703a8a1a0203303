/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
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
#include "heard.h"
#include "tick.h"

/* Descriptors under which the agent finds what it inherits. */
#define LOCK_AS         3
#define READY_AS        4
#define TEXT(number)    TEXT_OF(number)
#define TEXT_OF(number) #number

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
	if (errno == EPERM || errno == EACCES)
		fault(why, FAULT_NO_AGENT,
		      "this shell may not use the Unix socket %s: %s; if it is sandboxed, "
		      "allow the socket, or run tpctl outside",
		      path, strerror(errno));
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

/* The lock for ourselves: *lock is -1 where somebody else has it. */
static bool take_lock(const struct place *place, int *lock, struct holder *h, struct fault *why)
{
	*h = (struct holder){ 0 };
	if (!place_private(place->state, why))
		return false;
	*lock = open(place->lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (*lock < 0)
		return fault_errno(why, FAULT_IO, "cannot open %s", place->lock);
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

/* The agent serves everybody: what the asking shell says of itself is not for it. */
static bool is_private(const char *entry, bool implicit)
{
	static const char *const names[] = { "GIT_",
					     "TP_AUTHOR=", "TP_SESSION=", "TP_CLAIM_TOKEN=" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return implicit && strncmp(entry, "TP_READ_ONLY=", 13) == 0;
}

/* The list is malloced, its entries are not. */
static char **environment(bool implicit)
{
	size_t n = 0, kept = 0;

	while (environ[n])
		n++;
	char **list = xmalloc((n + 1) * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		if (!is_private(environ[i], implicit))
			list[kept++] = environ[i];
	list[kept] = NULL;
	return list;
}

static char *beside(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* The agent's program; a name without a slash is looked for in PATH. */
static char *find_program(void)
{
	const char *named = getenv("TP_TPD");
	char self[PATH_MAX], *found = NULL;

	if (named && *named)
		return xstrdup(named);
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		found = beside(self, "tpd");
		if (!found)
			found = beside(self, "../sbin/tpd");
	}
	if (!found)
		found = beside(SBINDIR, "tpd");
	return found ? found : xstrdup("tpd");
}

static void plan_files(posix_spawn_file_actions_t *files, int lock, int ready)
{
	posix_spawn_file_actions_init(files);
	posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(files, 0, 1);
	posix_spawn_file_actions_adddup2(files, 0, 2);
	posix_spawn_file_actions_adddup2(files, lock, LOCK_AS);
	posix_spawn_file_actions_adddup2(files, ready, READY_AS);
	/* Or a caller's own pipes and locks would live as long as the agent. */
	posix_spawn_file_actions_addclosefrom_np(files, READY_AS + 1);
}

static void plan_process(posix_spawnattr_t *attr)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
					       POSIX_SPAWN_SETSIGMASK);
}

/* Of a git directory that lies apart only its checkout knows that they belong together. */
static const char *served(const struct place *place)
{
	bool knows = place->top && strcmp(place->source, "main") == 0 && !getenv("GIT_DIR");

	return knows ? place->top : place->common;
}

/* Both descriptors must lie above those under which the agent gets them. */
static bool spawn(const struct reach *r, int lock, int ready, pid_t *pid, struct fault *why)
{
	bool implicit = r->mode == START_IMPLICIT;
	const char *argv[] = {
		"tpd", "--foreground",   "--lock-fd=" TEXT(LOCK_AS), "--ready-fd=" TEXT(READY_AS),
		"-C",  served(r->place), implicit ? "--auto" : NULL, NULL
	};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;

	plan_files(&files, lock, ready);
	plan_process(&attr);
	char *program = find_program(), **env = environment(implicit);
	int error = posix_spawnp(pid, program, &files, &attr, (char *const *)(uintptr_t)argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	free(env);
	if (error)
		fault(why, FAULT_NO_AGENT, "cannot run %s: %s; set TP_TPD to where tpd is", program,
		      strerror(error));
	free(program);
	return !error;
}

/* As waitpid, but until the deadline only; 0 if it goes on. */
static pid_t await_end(const struct reach *r, pid_t pid, int *status)
{
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0 && tick_left(r->deadline))
		poll(NULL, 0, 2);
	return ended;
}

/* Its pipe was closed without a word: how did it end? */
static bool explain_death(const struct reach *r, pid_t pid, struct fault *why)
{
	int status;
	pid_t ended = await_end(r, pid, &status);

	if (ended == 0)
		return fault(why, FAULT_BUSY,
			     "the agent (process %d) does not say that it is ready", (int)pid);
	if (ended < 0)
		return fault_errno(why, FAULT_NO_AGENT, "the agent ended while it started");
	if (WIFSIGNALED(status))
		return fault(why, FAULT_NO_AGENT,
			     "the agent was killed while it started: signal %d (%s)",
			     WTERMSIG(status), strsignal(WTERMSIG(status)));
	return fault(why, FAULT_NO_AGENT,
		     "the agent ended while it started, with status %d and without a word",
		     WEXITSTATUS(status));
}

/* One line says whether it serves, or why it cannot. */
static bool await_ready(const struct reach *r, pid_t pid, int ready, struct fault *why)
{
	char line[1024];
	size_t len = 0;

	while (len < sizeof(line) && !memchr(line, '\n', len)) {
		struct pollfd pfd = { .fd = ready, .events = POLLIN };
		int n = poll(&pfd, 1, tick_left(r->deadline));
		if (n == 0)
			return fault(why, FAULT_BUSY,
				     "the agent (process %d) is starting and not ready yet",
				     (int)pid);
		ssize_t got = n > 0 ? read(ready, line + len, sizeof(line) - len) : -1;
		if (got > 0)
			len += (size_t)got;
		else if (got == 0 || errno != EINTR)
			break;
	}
	const char *end = memchr(line, '\n', len);
	if (!end)
		return explain_death(r, pid, why);
	struct str said = { line, (size_t)(end - line) };
	if (str_is(said, "ok"))
		return true;
	/* Who is told that none runs shall find none. */
	await_end(r, pid, &(int){ 0 });
	return fault_heard(why, "the agent cannot start: ", said);
}

/* Move a descriptor out of the way of the agent's numbers; the old one is closed. */
static int lift(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (high >= 0)
		close(fd);
	return high >= 0 ? high : fd;
}

static bool start_agent(struct reach *r, int *lock, struct fault *why)
{
	int ready[2];
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return fault_errno(why, FAULT_IO, "cannot start the agent");
	*lock = lift(*lock);
	ready[1] = lift(ready[1]);
	bool ok = spawn(r, *lock, ready[1], &pid, why);
	close(ready[1]);
	/* The lock must not outlive the agent in our hands. */
	close(*lock);
	*lock = -1;
	ok = ok && await_ready(r, pid, ready[0], why);
	close(ready[0]);
	r->started = ok;
	return ok;
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

bool start_reach(struct reach *r, int *fd, struct fault *why)
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
