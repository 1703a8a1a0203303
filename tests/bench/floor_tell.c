/* SPDX-License-Identifier: MIT */
/*
 * The floors of telling: `tell` says so many bytes to all its clients when a file
 * in a folder is written, `told` writes a file and measures when clients hear.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "floor.h"

#define CLIENTS_MAX 1024
#define WARM_UP     20
/* A client that has heard nothing for so long has heard all there is. */
#define QUIET_MS    20
#define PATIENCE_MS 10000

static struct pollfd ends[CLIENTS_MAX + 2];
static char bytes[1 << 20];

static int open_socket(const char *path, struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (fd < 0 || strlen(path) >= sizeof(addr->sun_path))
		die("no socket for %s", path);
	strcpy(addr->sun_path, path);
	return fd;
}

int floor_tell(int argc, char **argv)
{
	struct sockaddr_un addr;
	size_t clients = 0;

	if (argc != 3)
		die_usage();
	int listener = open_socket(argv[0], &addr), changes = inotify_init1(IN_CLOEXEC);
	size_t size = floor_number(argv[2]);
	if (size > sizeof(bytes) || inotify_add_watch(changes, argv[1], IN_MODIFY) < 0 ||
	    bind(listener, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(listener, 64) != 0)
		die("cannot serve %s: %s", argv[0], strerror(errno));
	ends[0] = (struct pollfd){ .fd = changes, .events = POLLIN };
	ends[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (;;) {
		char events[65536];
		poll(ends, 2, -1);
		if (ends[1].revents && clients < CLIENTS_MAX)
			ends[2 + clients++].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (!ends[0].revents || read(changes, events, sizeof(events)) <= 0)
			continue;
		for (size_t i = 0; i < clients; i++)
			if (send(ends[2 + i].fd, bytes, size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
				die("cannot tell: %s", strerror(errno));
	}
}

static struct {
	size_t clients, rounds;
	const char *socket, *file, *request;
	uint64_t first[10000], spread[10000];
} told = { .clients = 1, .rounds = 1000 };

static void read_arguments(int argc, char **argv)
{
	int at = 0;

	for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
		uint64_t value = floor_number(argv[at + 1]);
		cpu_set_t cpus;
		CPU_ZERO(&cpus);
		if (strcmp(argv[at], "--rounds") == 0 && value <= 10000)
			told.rounds = value;
		else if (strcmp(argv[at], "--clients") == 0 && value <= CLIENTS_MAX)
			told.clients = value;
		else if (strcmp(argv[at], "--pin") == 0 && value < CPU_SETSIZE) {
			CPU_SET(value, &cpus);
			sched_setaffinity(0, sizeof(cpus), &cpus);
		} else
			die_usage();
	}
	if (argc - at < 2 || argc - at > 3 || !told.rounds || !told.clients)
		die_usage();
	told.socket = argv[at];
	told.file = argv[at + 1];
	told.request = argc - at == 3 ? argv[at + 2] : NULL;
}

/* Take what there is, until nothing has come for a while. */
static void settle(void)
{
	while (poll(ends, told.clients, QUIET_MS) > 0)
		for (size_t i = 0; i < told.clients; i++)
			if (ends[i].revents && read(ends[i].fd, bytes, sizeof(bytes)) <= 0)
				die("the server hung up");
}

static void connect_all(void)
{
	struct rlimit files = { CLIENTS_MAX + 64, CLIENTS_MAX + 64 };
	int request = told.request ? open(told.request, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t len = request >= 0 ? read(request, bytes, sizeof(bytes)) : 0;
	struct sockaddr_un addr;

	setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < told.clients; i++) {
		int fd = open_socket(told.socket, &addr);
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
		    write(fd, bytes, (size_t)len) != len)
			die("cannot connect to %s: %s", told.socket, strerror(errno));
		ends[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	settle();
}

/* The first character of a title, where there is one. */
static void write_one(int file, char with)
{
	if (pwrite(file, &with, 1, told.request ? 11 : 0) != 1)
		die("cannot write %s: %s", told.file, strerror(errno));
}

/* One write; when the first client heard of it, and how much later the last. */
static void round_of(int file, size_t round)
{
	static bool heard[CLIENTS_MAX];
	size_t left = told.clients;
	uint64_t first = 0, now = 0;

	memset(heard, 0, sizeof(heard));
	uint64_t start = floor_now_ns();
	write_one(file, round % 2 ? 'a' : 'b');
	while (left) {
		if (poll(ends, told.clients, PATIENCE_MS) <= 0)
			die("%zu of %zu clients heard nothing", left, told.clients);
		for (size_t i = 0; i < told.clients; i++) {
			if (!ends[i].revents)
				continue;
			if (read(ends[i].fd, bytes, sizeof(bytes)) <= 0)
				die("the server hung up");
			now = floor_now_ns();
			first = first ? first : now;
			left -= !heard[i];
			heard[i] = true;
		}
	}
	if (round >= WARM_UP) {
		told.first[round - WARM_UP] = first - start;
		told.spread[round - WARM_UP] = now - first;
	}
}

int floor_told(int argc, char **argv)
{
	read_arguments(argc, argv);
	int file = open(told.file, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		die("cannot open %s: %s", told.file, strerror(errno));
	/* Neither of those that follow. */
	write_one(file, 'x');
	connect_all();
	for (size_t round = 0; round < told.rounds + WARM_UP; round++)
		round_of(file, round);
	floor_print(told.first, told.rounds);
	putchar('\n');
	floor_print(told.spread, told.rounds);
	putchar('\n');
	return 0;
}
