/* SPDX-License-Identifier: MIT */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "plain.h"

#define LOCK_PATIENCE_MS 50

/* Who holds the lock, for the message that says so. */
static long holder(int fd)
{
	char text[64] = "";
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	return got > 0 ? strtol(text, NULL, 10) : 0;
}

static bool write_holder(int fd, const struct place *place, struct fault *why)
{
	char *text = xasprintf("%ld\n%s\n", (long)getpid(), place->socket);
	bool ok = ftruncate(fd, 0) == 0 &&
		  pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text);

	free(text);
	return ok ? true : fault_errno(why, FAULT_IO, "cannot write %s", place->lock);
}

/* Whoever asks whether an agent holds it has it himself for a moment. */
static bool lock_soon(int fd)
{
	for (int ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; ms++) {
		if (errno != EWOULDBLOCK || ms == LOCK_PATIENCE_MS)
			return false;
		usleep(1000);
	}
	return true;
}

bool life_lock(const struct place *place, int inherited, int *fd, struct fault *why)
{
	if (!place_private(place->state, why))
		return false;
	*fd = inherited >= 0 ? inherited : open(place->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return fault_errno(why, FAULT_IO, "cannot open %s", place->lock);
	fcntl(*fd, F_SETFD, FD_CLOEXEC);
	/* On an inherited descriptor this is the starter's own lock, and succeeds. */
	if (!lock_soon(*fd)) {
		if (errno == EWOULDBLOCK)
			fault(why, FAULT_BUSY,
			      "an agent for this repository runs already (process %ld)",
			      holder(*fd));
		else
			fault_errno(why, FAULT_IO, "cannot lock %s", place->lock);
		close(*fd);
		return false;
	}
	return write_holder(*fd, place, why);
}

/* sd_notify(3), without its library. */
static void tell_systemd(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!path || !*path || strlen(path) >= sizeof(address.sun_path))
		return;
	strcpy(address.sun_path, path);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, len);
	close(fd);
}

void life_tell(int ready, const struct fault *why)
{
	struct buf line = { 0 };

	if (why) {
		buf_addf(&line, "%s: ", fault_name(why->code));
		plain_add(&line, str_of(why->text));
	} else {
		buf_add(&line, "ok", 2);
		tell_systemd("READY=1");
	}
	buf_add(&line, "\n", 1);
	if (ready >= 0) {
		/* A starter that has gone does not matter. */
		ssize_t put = write(ready, line.at, line.len);
		(void)put;
		close(ready);
	} else if (why) {
		fprintf(stderr, "tpd: %s\n", why->text);
	}
	buf_release(&line);
}

/* What the child said on its pipe; nothing means that it died. */
static int wait_for_child(int fd, pid_t child)
{
	char line[1024];
	size_t len = 0;
	int status;

	for (ssize_t got; len < sizeof(line) - 1; len += (size_t)got) {
		got = read(fd, line + len, sizeof(line) - 1 - len);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			break;
	}
	line[len] = '\0';
	if (strcmp(line, "ok\n") == 0)
		return 0;
	const char *text = strstr(line, ": ");
	if (text) {
		fprintf(stderr, "tpd: %s", text + 2);
		return fault_exit(fault_find((struct str){ line, (size_t)(text - line) }));
	}
	waitpid(child, &status, 0);
	fprintf(stderr, "tpd: it died while it started (status %#x)\n", (unsigned)status);
	return 1;
}

bool life_detach(int *ready, int *status)
{
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		perror("tpd: pipe");
		*status = 1;
		return false;
	}
	pid_t child = fork();
	if (child != 0) {
		close(pipes[1]);
		*status = child < 0 ? (perror("tpd: fork"), 1) : wait_for_child(pipes[0], child);
		return false;
	}
	close(pipes[0]);
	setsid();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	*ready = pipes[1];
	return true;
}

/*
 * An agent at rest holds 15, and more for each further checkout and client; files that are read,
 * git's objects and records on their way want some for a while.  With too few it cannot accept
 * who asks, not even who tells it to stop.
 */
#define DESCRIPTORS_MIN 64

bool life_raise_limits(struct fault *why)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return true;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_max >= DESCRIPTORS_MIN
		       ? true
		       : fault(why, FAULT_IO,
			       "only %llu files may be open at once, and %d are needed; raise the "
			       "limit, `ulimit -n` or LimitNOFILE=",
			       (unsigned long long)limit.rlim_max, DESCRIPTORS_MIN);
}
