/* SPDX-License-Identifier: MIT */
/*
 * The floors of answering: servers on a Unix socket that know nothing but how
 * many bytes a question and an answer have.  `pong` answers at once.  `durable`
 * first lets a thread store a file as a record is stored: unnamed file, write,
 * fsync, link, fsync of the folder; `replace` lets it replace one file as a whole.
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
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "floor.h"

#define CLIENTS 1024
#define FOLDERS 64

static size_t bytes_in, bytes_out;
static char *answer;
static size_t got[CLIENTS]; /* bytes of the present question, by descriptor */

static struct {
	int folders[FOLDERS]; /* by turns, as records go to many Tickets */
	size_t size;
	char *bytes;
	int todo[2], finished[2]; /* pipes that carry descriptors of clients */
	void (*keep)(uint64_t number);
	const char *replaced; /* the folder of the file that is */
} store;

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

static void serve(const char *socket_path, bool keep)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_at(socket_path);
	struct epoll_event events[64];

	watch(epoll, listener);
	if (keep)
		watch(epoll, store.finished[0]);
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd, client;

			if (fd == listener)
				watch(epoll, accept4(fd, NULL, NULL, SOCK_CLOEXEC));
			else if (keep && fd == store.finished[0]) {
				if (read(fd, &client, sizeof(client)) == sizeof(client))
					reply(client);
			} else if (hear(fd)) {
				if (!keep)
					reply(fd);
				else if (write(store.todo[1], &fd, sizeof(fd)) != sizeof(fd))
					die("the thread does not read");
			}
		}
	}
}

static void keep_one(uint64_t number)
{
	char name[32], unnamed[64];
	int folder = store.folders[number % FOLDERS];
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	snprintf(name, sizeof(name), "%026llu.json", (unsigned long long)number);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, store.bytes, store.size) != (ssize_t)store.size || fsync(fd) != 0 ||
	    linkat(AT_FDCWD, unnamed, folder, name, AT_SYMLINK_FOLLOW) != 0 || fsync(folder) != 0)
		die("cannot store a file: %s", strerror(errno));
	close(fd);
}

/* One file, replaced as a whole. */
static void replace_it(uint64_t number)
{
	int folder = open(store.replaced, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)number;
	unlinkat(folder, "kept.tmp", 0);
	int fd = openat(folder, "kept.tmp", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	if (fd < 0 || write(fd, store.bytes, store.size) != (ssize_t)store.size ||
	    fsync(fd) != 0 || close(fd) != 0 || renameat(folder, "kept.tmp", folder, "kept") != 0 ||
	    fsync(folder) != 0)
		die("cannot replace a file: %s", strerror(errno));
	close(folder);
}

static void *bg_keep(void *unused)
{
	int client;

	for (uint64_t n = 0; read(store.todo[0], &client, sizeof(client)) == sizeof(client); n++) {
		store.keep(n);
		if (write(store.finished[1], &client, sizeof(client)) != sizeof(client))
			break;
	}
	return unused;
}

static void make_folders(const char *path)
{
	char name[16];
	int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < FOLDERS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (parent < 0 || mkdirat(parent, name, 0777) != 0)
			die("cannot make folders in %s: %s", path, strerror(errno));
		store.folders[i] = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	close(parent);
}

static void *zeros(size_t size)
{
	void *block = calloc(1, size + 1);

	if (!block)
		die("no memory");
	return block;
}

int floor_pong(int argc, char **argv)
{
	if (argc != 3)
		die_usage();
	bytes_in = floor_number(argv[1]);
	bytes_out = floor_number(argv[2]);
	answer = zeros(bytes_out);
	serve(argv[0], false);
	return 0;
}

static int keep(int argc, char **argv, void (*how)(uint64_t number))
{
	pthread_t thread;

	if (argc != 5)
		die_usage();
	bytes_in = floor_number(argv[1]);
	bytes_out = floor_number(argv[2]);
	answer = zeros(bytes_out);
	store.keep = how;
	store.replaced = argv[3];
	if (how == keep_one)
		make_folders(argv[3]);
	store.size = floor_number(argv[4]);
	store.bytes = zeros(store.size);
	if (pipe2(store.todo, O_CLOEXEC) != 0 || pipe2(store.finished, O_CLOEXEC) != 0 ||
	    pthread_create(&thread, NULL, bg_keep, NULL) != 0)
		die("cannot store files in %s: %s", argv[3], strerror(errno));
	serve(argv[0], true);
	return 0;
}

int floor_durable(int argc, char **argv)
{
	return keep(argc, argv, keep_one);
}

int floor_replace(int argc, char **argv)
{
	return keep(argc, argv, replace_it);
}
