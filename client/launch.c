/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "heard.h"
#include "tick.h"

/* Descriptors under which the agent finds what it inherits. */
#define LOCK_AS         3
#define READY_AS        4
#define TEXT(number)    TEXT_OF(number)
#define TEXT_OF(number) #number

/* Words that an agent may be given here. */
#define WORDS_MAX 12

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

char *launch_find(const char *name, const char *near, const char *installed)
{
	char self[PATH_MAX], *found = NULL;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		found = beside(self, name);
	}
	if (n > 0 && !found) {
		char *other = xasprintf("%s/%s", self, near);
		found = beside(other, name);
		free(other);
	}
	if (!found)
		found = beside(installed, name);
	return found ? found : xstrdup(name);
}

static char *find_agent(void)
{
	const char *named = getenv("TP_TPD");

	return named && *named ? xstrdup(named) : launch_find("tpd", "../sbin", SBINDIR);
}

static void plan_file(posix_spawn_file_actions_t *files, int fd, int as)
{
	if (fd >= 0)
		posix_spawn_file_actions_adddup2(files, fd, as);
	else
		posix_spawn_file_actions_addopen(files, as, "/dev/null", O_RDWR, 0);
}

static void plan_files(posix_spawn_file_actions_t *files, const struct launch *l, int ready)
{
	posix_spawn_file_actions_init(files);
	plan_file(files, l->in, STDIN_FILENO);
	plan_file(files, l->out, STDOUT_FILENO);
	plan_file(files, -1, STDERR_FILENO);
	plan_file(files, l->lock, LOCK_AS);
	plan_file(files, ready, READY_AS);
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

static void plan_words(const struct launch *l, const char *argv[WORDS_MAX])
{
	size_t n = 0;

	argv[n++] = "tpd";
	argv[n++] = "--ready-fd=" TEXT(READY_AS);
	if (l->lock >= 0)
		argv[n++] = "--lock-fd=" TEXT(LOCK_AS);
	for (size_t i = 0; l->words[i]; i++) {
		BUG_IF(n + 2 > WORDS_MAX);
		argv[n++] = l->words[i];
	}
	argv[n] = NULL;
}

/* All descriptors must lie above those under which the agent gets them. */
static bool spawn(struct launch *l, int ready, struct fault *why)
{
	const char *argv[WORDS_MAX];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;

	plan_words(l, argv);
	plan_files(&files, l, ready);
	plan_process(&attr);
	char *program = find_agent(), **env = environment(l->implicit);
	int error =
		posix_spawnp(&l->pid, program, &files, &attr, (char *const *)(uintptr_t)argv, env);
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
static pid_t await_end(pid_t pid, int64_t deadline, int *status)
{
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0 && tick_left(deadline))
		poll(NULL, 0, 2);
	return ended;
}

/* Its pipe was closed without a word: how did it end? */
static bool explain_death(const struct launch *l, struct fault *why)
{
	int status, pid = l->pid;
	pid_t ended = await_end(l->pid, l->deadline, &status);

	if (ended == 0)
		return fault(why, FAULT_BUSY,
			     "the agent (process %d) does not say that it is ready", pid);
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
static bool await_ready(const struct launch *l, int ready, struct fault *why)
{
	char line[1024];
	size_t len = 0;

	while (len < sizeof(line) && !memchr(line, '\n', len)) {
		struct pollfd pfd = { .fd = ready, .events = POLLIN };
		int n = poll(&pfd, 1, tick_left(l->deadline));
		if (n == 0)
			return fault(why, FAULT_BUSY,
				     "the agent (process %d) is starting and not ready yet",
				     (int)l->pid);
		ssize_t got = n > 0 ? read(ready, line + len, sizeof(line) - len) : -1;
		if (got > 0)
			len += (size_t)got;
		else if (got == 0 || errno != EINTR)
			break;
	}
	const char *end = memchr(line, '\n', len);
	if (!end)
		return explain_death(l, why);
	struct str said = { line, (size_t)(end - line) };
	if (str_is(said, "ok"))
		return true;
	/* Who is told that none runs shall find none. */
	await_end(l->pid, l->deadline, &(int){ 0 });
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

/* What is open of them, lifted out of the way; the old ones are closed. */
static void lift_all(struct launch *l)
{
	int *const all[] = { &l->in, &l->out, &l->lock };

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (*all[i] >= 0)
			*all[i] = lift(*all[i]);
}

static void close_all(struct launch *l)
{
	const int all[] = { l->in, l->out, l->lock };

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i] >= 0)
			close(all[i]);
}

bool launch(struct launch *l, struct fault *why)
{
	int ready[2];
	bool ok = false;

	lift_all(l);
	if (pipe2(ready, O_CLOEXEC) < 0) {
		fault_errno(why, FAULT_IO, "cannot start the agent");
		close_all(l);
		return false;
	}
	ready[1] = lift(ready[1]);
	ok = spawn(l, ready[1], why);
	close(ready[1]);
	close_all(l);
	ok = ok && await_ready(l, ready[0], why);
	close(ready[0]);
	return ok;
}

void launch_end(pid_t pid, int64_t deadline)
{
	int status;

	if (await_end(pid, deadline, &status) != 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}
