/* SPDX-License-Identifier: MIT */
/*
 * drain: what it takes to take in changes, beside its bare system calls.
 *
 *	drain DIR ROUNDS EVENTS
 *
 * So many events a round; both read them from a descriptor of their own, by
 * turns first.  Prints the medians in microseconds: ours, then the bare one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "hash.h"
#include "layout.h"
#include "watch.h"

static int on_role(int parent, struct str name)
{
	return (int)layout_role((enum role)parent, name);
}

static enum watch_kind on_kind(int role)
{
	return role_is_file((enum role)role) ? WATCH_FILE : WATCH_DIR;
}

static const char *const *on_names(int role)
{
	return layout_names((enum role)role);
}

static void on_file(void *ctx, struct str path, int role, bool made, struct stat *st)
{
	(void)ctx;
	(void)path;
	(void)role;
	(void)made;
	(void)st;
}

static void on_gone(void *ctx, struct str path)
{
	(void)ctx;
	(void)path;
}

static void on_trouble(void *ctx, struct str path, int role, enum beneath_result result, int cause)
{
	(void)ctx;
	(void)path;
	(void)role;
	(void)result;
	(void)cause;
}

static void on_scan(void *ctx, bool begin)
{
	(void)ctx;
	(void)begin;
}

static const struct watch_ops ops = { on_role, on_kind, on_names, on_file, on_gone,
				     on_trouble, on_scan };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void bare_drain(int fd)
{
	static char events[64 * 1024];
	int waiting = 0;

	BUG_IF(ioctl(fd, FIONREAD, &waiting) < 0);
	while (waiting > 0) {
		ssize_t got = read(fd, events, sizeof(events));
		BUG_IF(got <= 0);
		waiting -= (int)got;
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *list, size_t count)
{
	qsort(list, count, sizeof(*list), by_size);
	return list[count / 2];
}

static double timed(struct watch *w, int fd)
{
	double begin = now_us();

	if (w)
		watch_drain(w);
	else
		bare_drain(fd);
	return now_us() - begin;
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	struct watch_tree *tree;
	struct watch *w;
	struct fault why;

	if (!rounds || chdir(argv[1]) < 0) {
		fprintf(stderr, "usage: drain DIR ROUNDS EVENTS\n");
		return 2;
	}
	unsigned long events = strtoul(argv[3], NULL, 10);
	hash_init();
	mkdir("t", 0777);
	int a = open("t/item.md", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	int b = open("t/thread.md", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	int bare = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	BUG_IF(a < 0 || b < 0 || bare < 0 || inotify_add_watch(bare, "t", IN_MODIFY) < 0);
	char *root = realpath(".", NULL);
	BUG_IF(!watch_new(&w, &why) || !watch_tree_new(w, root, ROLE_ROOT, &ops, NULL, &tree, &why));
	double *ours = xcalloc(rounds, sizeof(double)), *theirs = xcalloc(rounds, sizeof(double));
	for (size_t i = 0; i < rounds; i++) {
		for (unsigned long k = 0; k < events; k++)
			BUG_IF(pwrite(k % 2 ? a : b, "x", 1, 0) != 1);
		if (i % 2)
			ours[i] = timed(w, -1);
		theirs[i] = timed(NULL, bare);
		if (i % 2 == 0)
			ours[i] = timed(w, -1);
		watch_settle(w);
	}
	printf("%.3f %.3f\n", median(ours, rounds), median(theirs, rounds));
	watch_free(w);
	free(root);
	free(ours);
	free(theirs);
	return 0;
}
