/* SPDX-License-Identifier: MIT */
/*
 * The floors of answering: a server on a Unix socket that knows nothing but how
 * many bytes a question and an answer have.  `pong` answers at once; where there
 * is something to keep (floor_keep.c), a thread does that first.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "floor.h"

#define CLIENTS 1024

static size_t bytes_in, bytes_out;
static char *answer;
static size_t got[CLIENTS]; /* bytes of the present question, by descriptor */

static struct {
	void (*keep)(uint64_t number);
	int todo[2], finished[2]; /* pipes that carry descriptors of clients */
} thread;

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		die("%s is too long for a socket", path);
	strcpy(addr.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 64) != 0)
		die("cannot listen at %s: %s", path, strerror(errno));
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0 || fd >= CLIENTS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("cannot take another client");
}

static void reply(int fd)
{
	ssize_t put = send(fd, answer, bytes_out, MSG_NOSIGNAL);

	/* A client that has gone, and maybe was closed, wants none. */
	if (put != (ssize_t)bytes_out && !(put < 0 && (errno == EPIPE || errno == EBADF)))
		die("a client does not read: %s", strerror(errno));
}

/* Read what a client sent; true when its question is whole. */
static bool hear(int fd)
{
	static char bytes[65536];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n <= 0) {
		close(fd);
		got[fd] = 0;
		return false;
	}
	got[fd] += (size_t)n;
	if (got[fd] < bytes_in)
		return false;
	got[fd] = 0;
	return true;
}

static void serve(const char *socket_path, int watched, void (*look)(void))
{
	bool keep = thread.keep;
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_at(socket_path);
	struct epoll_event events[64];

	watch(epoll, listener);
	if (keep)
		watch(epoll, thread.finished[0]);
	if (watched >= 0)
		watch(epoll, watched);
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);
		if (look)
			look();
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd, client;

			if (fd == watched)
				continue;
			if (fd == listener)
				watch(epoll, accept4(fd, NULL, NULL, SOCK_CLOEXEC));
			else if (keep && fd == thread.finished[0]) {
				if (read(fd, &client, sizeof(client)) == sizeof(client))
					reply(client);
			} else if (hear(fd)) {
				if (!keep)
					reply(fd);
				else if (write(thread.todo[1], &fd, sizeof(fd)) != sizeof(fd))
					die("the thread does not read");
			}
		}
	}
}

static void *bg_keep(void *unused)
{
	int client;

	for (uint64_t n = 0; read(thread.todo[0], &client, sizeof(client)) == sizeof(client); n++) {
		thread.keep(n);
		if (write(thread.finished[1], &client, sizeof(client)) != sizeof(client))
			break;
	}
	return unused;
}

static void *zeros(size_t size)
{
	void *block = calloc(1, size + 1);

	if (!block)
		die("no memory");
	return block;
}

static void expect(const char *in, const char *out)
{
	bytes_in = floor_number(in);
	bytes_out = floor_number(out);
	answer = zeros(bytes_out);
}

int floor_pong(int argc, char **argv)
{
	if (argc != 3)
		die_usage();
	expect(argv[1], argv[2]);
	serve(argv[0], -1, NULL);
	return 0;
}

int floor_serve(char **argv, void (*keep)(uint64_t number), int watched, void (*look)(void))
{
	pthread_t id;

	expect(argv[1], argv[2]);
	thread.keep = keep;
	if (pipe2(thread.todo, O_CLOEXEC) != 0 || pipe2(thread.finished, O_CLOEXEC) != 0 ||
	    pthread_create(&id, NULL, bg_keep, NULL) != 0)
		die("cannot have a thread: %s", strerror(errno));
	serve(argv[0], watched, look);
	return 0;
}
