/* SPDX-License-Identifier: MIT */
/*
 * floor: what the machine itself takes for the work that tpd and tpctl do.
 *
 * Each subcommand is the least program that does one piece of that work, so
 * that a figure can be given as a ratio to a floor measured beside it.
 */
#include "floor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "pong", floor_pong, "SOCKET BYTES-IN BYTES-OUT" },
	{ "store", floor_store, "SOCKET BYTES-IN BYTES-OUT DIR BYTES-KEPT" },
	{ "durable", floor_durable, "SOCKET BYTES-IN BYTES-OUT DIR BYTES-KEPT" },
	{ "replace", floor_replace, "SOCKET BYTES-IN BYTES-OUT DIR BYTES-KEPT" },
	{ "ask", floor_ask, "[--pin CPU] [--rounds N] SOCKET BYTES-IN BYTES-OUT" },
	{ "ask", floor_ask, "[--pin CPU] [--rounds N] [--each|--apart] SOCKET REQUESTS" },
	{ "crowd", floor_crowd, "[--pin CPU] [--rounds N] [--clients N] SOCKET BYTES-IN BYTES-OUT" },
	{ "crowd", floor_crowd, "[--pin CPU] [--rounds N] [--clients N] [--each] SOCKET REQUESTS" },
	{ "once", floor_once, "SOCKET REQUESTS" },
	{ "crawl", floor_crawl, "DIR" },
	{ "stat", floor_stat, "DIR FOLDERS" },
	{ "tell", floor_tell, "SOCKET DIR BYTES" },
	{ "told", floor_told, "[--pin CPU] [--rounds N] [--clients N] SOCKET FILE [REQUESTS]" },
	{ "spawn", floor_spawn, "N COMMAND [ARGUMENT...]" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

void die(const char *fmt, ...)
{
	va_list args;

	fputs("floor: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void die_usage(void)
{
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stderr, "%s floor %s %s\n", i ? "      " : "usage:", commands[i].name,
			commands[i].usage);
	exit(2);
}

uint64_t floor_number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*end || *text < '0' || *text > '9')
		die_usage();
	return value;
}

uint64_t floor_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

void floor_print(uint64_t *ns, size_t count)
{
	qsort(ns, count, sizeof(*ns), by_size);
	printf("%.2f %.2f", (double)ns[count / 2] / 1000, (double)ns[count * 99 / 100] / 1000);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	die_usage();
}
