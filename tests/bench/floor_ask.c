/* SPDX-License-Identifier: MIT */
/*
 * The floors of asking: `ask` measures many questions on one connection, `once`
 * is the least client, one connection, one write, all replies, and gone.
 */
#include <errno.h>
#include <fcntl.h>
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

static void measure(int fd, const struct question *list, size_t count, size_t rounds)
{
	uint64_t *spans = calloc(rounds, sizeof(*spans));
	size_t len = ask(fd, &list[0]), next = 0;

	if (!spans)
		die("no memory");
	if (!list[0].reply_bytes)
		expect_answers(len);
	for (unsigned i = 0; i < WARM_UP && i < rounds; i++)
		ask(fd, &list[++next % count]);
	for (size_t i = 0; i < rounds; i++) {
		uint64_t begin = floor_now_ns();
		ask(fd, &list[++next % count]);
		spans[i] = floor_now_ns() - begin;
	}
	floor_print(spans, rounds);
	printf(" %zu\n", len);
	free(spans);
}

/* Take in options; returns how many arguments they were. */
static int parse_options(int argc, char **argv, size_t *rounds, bool *each)
{
	int at = 0;

	for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
		if (strcmp(argv[at], "--each") == 0)
			*each = true;
		else if (strcmp(argv[at], "--pin") == 0 && at + 1 < argc)
			pin_to(floor_number(argv[++at]));
		else if (strcmp(argv[at], "--rounds") == 0 && at + 1 < argc)
			*rounds = floor_number(argv[++at]);
		else
			die_usage();
	}
	return at;
}

int floor_ask(int argc, char **argv)
{
	struct question q = { 0 }, *list = &q;
	size_t rounds = 1000, count = 1;
	bool each = false;
	int options = parse_options(argc, argv, &rounds, &each);

	argc -= options;
	argv += options;
	if (argc == 2) {
		question_load(&q, argv[1]);
	} else if (argc == 3) {
		q.len = floor_number(argv[1]);
		q.reply_bytes = floor_number(argv[2]);
		q.bytes = calloc(1, q.len + 1);
	}
	if (!q.bytes || !q.len || !rounds || q.reply_bytes > sizeof(reply))
		die_usage();
	if (each && !q.reply_bytes)
		count = question_split(&q, &list);
	int fd = connect_to(argv[0]);
	measure(fd, list, count, rounds);
	close(fd);
	if (list != &q)
		free(list);
	free(q.bytes);
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
