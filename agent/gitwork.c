/* SPDX-License-Identifier: MIT */
#include "gitwork.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base.h"
#include "stamp.h"

static int64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void gitwork_init(struct gitwork *g, const char *folder)
{
	*g = (struct gitwork){ .lock = xasprintf("%s/index.lock", folder),
			       .index = xasprintf("%s/index", folder) };
	gitwork_look(g);
}

void gitwork_release(struct gitwork *g)
{
	free(g->lock);
	free(g->index);
}

static void look_for_lock(struct gitwork *g)
{
	struct stat st;

	if (lstat(g->lock, &st) < 0) {
		g->since = 0;
		return;
	}
	if (g->since)
		return;
	/* One that is older than we know counts from when it was made. */
	int64_t age =
		stamp_now() - ((int64_t)st.st_ctim.tv_sec * 1000000 + st.st_ctim.tv_nsec / 1000);
	g->since = monotonic() - (age > 0 ? age : 0);
	g->since = g->since > 0 ? g->since : 1;
}

static ino_t ino_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

void gitwork_look(struct gitwork *g)
{
	look_for_lock(g);
	g->ino = ino_of(g->index);
}

void gitwork_before(struct gitwork *g)
{
	g->passed = false;
}

void gitwork_after(struct gitwork *g)
{
	ino_t before = g->ino;

	gitwork_look(g);
	g->passed = g->ino != before;
}

bool gitwork_busy(const struct gitwork *g)
{
	return g->since || g->passed;
}

int64_t gitwork_left(const struct gitwork *g)
{
	int64_t left = g->since ? g->since + GITWORK_PATIENCE_US - monotonic() : 0;

	return left > 0 ? left : 0;
}
