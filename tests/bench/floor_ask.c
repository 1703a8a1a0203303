/* SPDX-License-Identifier: MIT */
/*
 * The floors of asking: `ask` measures many questions on one connection, `crowd`
 * how many a second many connections get answered, each of which asks anew when
 * it has its answer, and `once` is the least client: one connection, one write,
 * all replies, and gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "floor.h"
#include "frame.h"
#include "rpc.h"

#define WARM_UP 100
#define CLIENTS_MAX 256
#define REPLY_MAX 65536 /* of one client in a crowd */

/* What is sent at once, and how the end of what comes back is known. */
struct question {
	char *bytes;
	size_t len;
	size_t reply_bytes; /* this many bytes, or where 0 */
	unsigned replies;   /* this many messages */
};

static char reply[RPC_ANSWER_MAX];

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		die("%s is too long for a socket", path);
	strcpy(addr.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		die("cannot connect to %s: %s", path, strerror(errno));
	return fd;
}

/* How many whole messages there are; *end is the first byte behind them. */
static unsigned count_messages(struct frame *frame, struct str bytes, size_t *end)
{
	unsigned count = 0;
	struct fault why;

	while (*end < bytes.len) {
		struct str rest = { bytes.at + *end, bytes.len - *end };
		enum frame_state state = frame_scan(frame, rest, RPC_ANSWER_MAX, &why);

		if (state == FRAME_BAD)
			die("%s", why.text);
		if (state == FRAME_MORE)
			break;
		*end += frame->at;
		count++;
	}
	return count;
}

static void question_load(struct question *q, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct frame frame = { 0 };
	size_t end = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		die("cannot read %s: %s", path, strerror(errno));
	q->len = (size_t)st.st_size;
	q->bytes = malloc(q->len + 1);
	if (!q->bytes || read(fd, q->bytes, q->len) != (ssize_t)q->len)
		die("cannot read %s: %s", path, strerror(errno));
	close(fd);
	q->replies = count_messages(&frame, (struct str){ q->bytes, q->len }, &end);
	if (!q->replies || end != q->len)
		die("%s does not hold whole requests", path);
}

/* Ask and take in the replies; returns their size. */
static size_t ask(int fd, const struct question *q)
{
	struct frame frame = { 0 };
	size_t len = 0, end = 0;
	unsigned replies = 0;

	if (write(fd, q->bytes, q->len) != (ssize_t)q->len)
		die("cannot send: %s", strerror(errno));
	do {
		ssize_t n = read(fd, reply + len, sizeof(reply) - len);
		if (n <= 0)
			die("the connection ended before the reply");
		len += (size_t)n;
		if (!q->reply_bytes)
			replies += count_messages(&frame, (struct str){ reply, len }, &end);
	} while (q->reply_bytes ? len < q->reply_bytes : replies < q->replies);
	return len;
}

/* Whether the replies in the buffer are answers; a figure of errors is worth nothing. */
static void expect_answers(size_t len)
{
	struct frame frame = { 0 };
	struct envelope e;
	struct fault why;
	msgpack_zone zone;

	for (size_t at = 0; at < len; at += frame.at) {
		struct str rest = { reply + at, len - at };

		msgpack_zone_init(&zone, 1024);
		if (frame_scan(&frame, rest, RPC_ANSWER_MAX, &why) != FRAME_WHOLE)
			die("the reply ends early");
		rest.len = frame.at;
		if (!envelope_decode(rest, &zone, &e, &why))
			die("%s", why.text);
		if (e.failed)
			die("the reply is an error: %.*s", STR_ARG(e.error));
		msgpack_zone_destroy(&zone);
	}
}

/* Make of one question of many messages as many questions; returns how many. */
static size_t question_split(const struct question *whole, struct question **into)
{
	struct question *list = calloc(whole->replies, sizeof(*list));
	struct frame frame = { 0 };
	struct fault why;
	char *at = whole->bytes;

	if (!list)
		die("no memory");
	for (unsigned i = 0; i < whole->replies; i++, at += frame.at) {
		struct str rest = { at, whole->len - (size_t)(at - whole->bytes) };

		if (frame_scan(&frame, rest, RPC_ANSWER_MAX, &why) != FRAME_WHOLE)
			die("a request ends early");
		list[i] = (struct question){ .bytes = at, .len = frame.at, .replies = 1 };
	}
	*into = list;
	return whole->replies;
}

static void pin_to(uint64_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("cannot run on CPU %d: %s", (int)cpu, strerror(errno));
}

/* What the command line says. */
struct asking {
	const char *socket;
	struct question whole, *list;
	size_t count; /* of list */
	size_t rounds, clients;
	bool each, apart;
};

/* Take in options; returns how many arguments they were. */
static int parse_options(int argc, char **argv, struct asking *a)
{
	int at = 0;

	for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
		if (strcmp(argv[at], "--each") == 0)
			a->each = true;
		else if (strcmp(argv[at], "--apart") == 0)
			a->each = a->apart = true;
		else if (strcmp(argv[at], "--pin") == 0 && at + 1 < argc)
			pin_to(floor_number(argv[++at]));
		else if (strcmp(argv[at], "--rounds") == 0 && at + 1 < argc)
			a->rounds = floor_number(argv[++at]);
		else if (strcmp(argv[at], "--clients") == 0 && at + 1 < argc)
			a->clients = floor_number(argv[++at]);
		else
			die_usage();
	}
	return at;
}

static void asking_load(struct asking *a, int argc, char **argv)
{
	int options;

	*a = (struct asking){ .list = &a->whole, .count = 1, .rounds = 1000, .clients = 1 };
	options = parse_options(argc, argv, a);
	argc -= options;
	argv += options;
	if (argc == 2) {
		question_load(&a->whole, argv[1]);
	} else if (argc == 3) {
		a->whole.len = floor_number(argv[1]);
		a->whole.reply_bytes = floor_number(argv[2]);
		a->whole.bytes = calloc(1, a->whole.len + 1);
	}
	if (!a->whole.bytes || !a->whole.len || !a->rounds || !a->clients ||
	    a->clients > CLIENTS_MAX || a->whole.reply_bytes > sizeof(reply))
		die_usage();
	if (a->each && !a->whole.reply_bytes)
		a->count = question_split(&a->whole, &a->list);
	a->socket = argv[0];
}

static void asking_release(struct asking *a)
{
	if (a->list != &a->whole)
		free(a->list);
	free(a->whole.bytes);
}

/* Ask once and see that it is answered; returns the size of the reply. */
static size_t try_out(int fd, const struct question *q)
{
	size_t len = ask(fd, q);

	if (!q->reply_bytes)
		expect_answers(len);
	return len;
}

/* Ask the questions by turns; one figure for all of them, or one for each. */
static void measure(int fd, const struct asking *a)
{
	size_t groups = a->apart ? a->count : 1, total = groups * a->rounds, next = 0;
	uint64_t *spans = calloc(total, sizeof(*spans));
	size_t *sizes = calloc(groups, sizeof(*sizes));

	if (!spans || !sizes)
		die("no memory");
	for (size_t g = 0; g < groups; g++)
		sizes[g] = try_out(fd, &a->list[next++ % a->count]);
	for (size_t i = 0; i < WARM_UP && i < total; i++)
		ask(fd, &a->list[next++ % a->count]);
	next += (groups - next % groups) % groups;
	for (size_t i = 0; i < total; i++) {
		const struct question *q = &a->list[next++ % a->count];
		uint64_t begin = floor_now_ns();
		ask(fd, q);
		spans[i % groups * a->rounds + i / groups] = floor_now_ns() - begin;
	}
	for (size_t g = 0; g < groups; g++) {
		floor_print(spans + g * a->rounds, a->rounds);
		printf(" %zu\n", sizes[g]);
	}
	free(spans);
	free(sizes);
}

int floor_ask(int argc, char **argv)
{
	struct asking a;

	asking_load(&a, argc, argv);
	if (a.clients != 1)
		die_usage();
	int fd = connect_to(a.socket);
	measure(fd, &a);
	close(fd);
	asking_release(&a);
	return 0;
}

/* One of many that ask at once. */
struct client {
	const struct question *asked;
	struct frame frame;
	size_t len, end; /* bytes of the reply, and how many of them are known to be whole */
	char reply[REPLY_MAX];
};

static struct client clients[CLIENTS_MAX];
static struct pollfd doors[CLIENTS_MAX];

static void client_ask(size_t at, const struct question *q)
{
	struct client *c = &clients[at];

	c->asked = q;
	c->frame = (struct frame){ 0 };
	c->len = c->end = 0;
	if (write(doors[at].fd, q->bytes, q->len) != (ssize_t)q->len)
		die("cannot send: %s", strerror(errno));
}

/* Read what came; whether the reply is whole. */
static bool client_hear(size_t at)
{
	struct client *c = &clients[at];
	ssize_t n = read(doors[at].fd, c->reply + c->len, sizeof(c->reply) - c->len);

	if (n <= 0)
		die("the connection ended before the reply");
	c->len += (size_t)n;
	if (c->asked->reply_bytes)
		return c->len >= c->asked->reply_bytes;
	if (!count_messages(&c->frame, (struct str){ c->reply, c->len }, &c->end))
		return false;
	memcpy(reply, c->reply, c->len);
	expect_answers(c->len);
	return true;
}

/* Each client asks the next question when it has its answer; returns the nanoseconds. */
static uint64_t crowd(const struct asking *a)
{
	uint64_t begin = floor_now_ns();
	size_t asked = 0, answered = 0;

	for (size_t i = 0; i < a->clients && asked < a->rounds; i++)
		client_ask(i, &a->list[asked++ % a->count]);
	while (answered < a->rounds) {
		if (poll(doors, a->clients, -1) < 0)
			die("cannot wait: %s", strerror(errno));
		for (size_t i = 0; i < a->clients; i++) {
			if (!doors[i].revents || !client_hear(i))
				continue;
			answered++;
			if (asked < a->rounds)
				client_ask(i, &a->list[asked++ % a->count]);
		}
	}
	return floor_now_ns() - begin;
}

int floor_crowd(int argc, char **argv)
{
	struct asking a;

	asking_load(&a, argc, argv);
	if (a.apart || (a.whole.replies > 1 && !a.each) || a.whole.reply_bytes > REPLY_MAX)
		die_usage();
	for (size_t i = 0; i < a.clients; i++)
		doors[i] = (struct pollfd){ .fd = connect_to(a.socket), .events = POLLIN };
	printf("%.2f\n", (double)a.rounds * 1e9 / (double)crowd(&a));
	for (size_t i = 0; i < a.clients; i++)
		close(doors[i].fd);
	asking_release(&a);
	return 0;
}

int floor_once(int argc, char **argv)
{
	struct question q = { 0 };

	if (argc != 2)
		die_usage();
	question_load(&q, argv[1]);
	ask(connect_to(argv[0]), &q);
	free(q.bytes);
	return 0;
}
