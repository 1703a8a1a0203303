/* SPDX-License-Identifier: MIT */
#include "usergit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "input.h"

#define OUTPUT_MAX ((size_t)256 * 1024 * 1024)
#define WORDS_MAX  24

extern char **environ;

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static struct sigaction before[COUNT_OF(held)];
static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

void usergit_hold_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	caught = 0;
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		sigaction(held[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(held[i], &action, NULL);
	}
}

int usergit_free_signals(void)
{
	for (size_t i = 0; i < COUNT_OF(held); i++)
		sigaction(held[i], &before[i], NULL);
	return caught;
}

/* A file of no name that holds these bytes; -1 with errno. */
static int file_of(struct str bytes)
{
	int fd = memfd_create("tpctl", MFD_CLOEXEC);

	while (fd >= 0 && bytes.len) {
		ssize_t n = write(fd, bytes.at, bytes.len);
		if (n < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		bytes.at += n > 0 ? n : 0;
		bytes.len -= n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* tpctl ignores SIGPIPE; git must not, and neither must its hooks. */
static void plan_signals(posix_spawnattr_t *attr, bool shielded)
{
	sigset_t normal, blocked;

	sigemptyset(&normal);
	sigaddset(&normal, SIGPIPE);
	sigemptyset(&blocked);
	for (size_t i = 0; shielded && i < COUNT_OF(held); i++)
		sigaddset(&blocked, held[i]);
	posix_spawnattr_setsigdefault(attr, &normal);
	posix_spawnattr_setsigmask(attr, &blocked);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* Its descriptors; -1 leaves ours in place. */
static int start(const char *const *words, const int fds[3], bool shielded, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	for (int fd = 0; fd < 3; fd++)
		if (fds[fd] >= 0)
			posix_spawn_file_actions_adddup2(&files, fds[fd], fd);
	plan_signals(&attr, shielded);
	int failed = posix_spawnp(pid, words[0], &files, &attr, (char *const *)(intptr_t)words,
				  environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return failed;
}

static int await(pid_t pid, bool shielded)
{
	int state;

	while (waitpid(pid, &state, 0) < 0)
		if (errno == EINTR && caught && !shielded)
			kill(pid, caught);
	return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

static bool take(int fd, struct buf *into, struct fault *why)
{
	if (!into)
		return true;
	lseek(fd, 0, SEEK_SET);
	return input_read(fd, "what git printed", OUTPUT_MAX, into, why);
}

bool usergit_run(struct usergit *git, const char *const *words, struct fault *why)
{
	const char *all[WORDS_MAX] = { "git", "-C", git->dir ? git->dir : ".",
				       "--no-literal-pathspecs" };
	int fds[3] = { file_of(git->input), file_of(STR_NONE), git->err ? file_of(STR_NONE) : -1 };
	bool ok = fds[0] >= 0 && fds[1] >= 0 && (fds[2] >= 0 || !git->err);
	size_t count = 4;
	pid_t pid;

	for (; *words; words++) {
		BUG_IF(count + 1 == WORDS_MAX);
		all[count++] = *words;
	}
	if (!ok)
		fault_errno(why, FAULT_IO, "cannot run git");
	int failed = ok ? start(all, fds, git->shielded, &pid) : 0;
	if (failed) {
		errno = failed;
		ok = fault_errno(why, FAULT_IO, "cannot run git");
	}
	if (ok) {
		git->status = await(pid, git->shielded);
		ok = take(fds[1], git->out, why) && take(fds[2], git->err, why);
	}
	for (int fd = 0; fd < 3; fd++)
		if (fds[fd] >= 0)
			close(fds[fd]);
	return ok;
}

bool usergit_do(struct usergit *git, const char *const *words, const char *what, struct fault *why)
{
	struct buf complaint = { 0 };

	if (!git->err)
		git->err = &complaint;
	bool ok = usergit_run(git, words, why);
	if (ok && git->status != 0) {
		while (git->err->len && git->err->at[git->err->len - 1] == '\n')
			git->err->len--;
		ok = fault(why, FAULT_INVALID, "%s: %s", what,
			   git->err->len ? buf_text(git->err) : "git failed");
	}
	if (git->err == &complaint)
		git->err = NULL;
	buf_release(&complaint);
	return ok;
}

char *usergit_line(const char *dir, const char *const *words, struct fault *why)
{
	struct buf out = { 0 };
	struct usergit git = { .dir = dir, .out = &out };

	if (!usergit_do(&git, words, "git", why) || !out.len) {
		buf_release(&out);
		return NULL;
	}
	/* A path may hold line feeds; the last is git's. */
	if (out.at[out.len - 1] == '\n')
		out.len--;
	buf_text(&out);
	return out.at;
}
