/* SPDX-License-Identifier: MIT */
#include "fresh.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <jansson.h>

#include "hash.h"

struct fresh {
	UT_hash_handle hh; /* by path, until it is taken */
	bool there;
	struct stat st;
	struct str bytes;
	json_t *said;
	char path[];
};

static struct {
	pthread_mutex_t mutex; /* guards what follows, and each one's `there` */
	struct fresh *files;
	/* Outside of it, too: mostly there is none. */
	atomic_size_t count;
} all = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void leave(struct fresh *f)
{
	if (!f->there)
		return;
	f->there = false;
	HASH_DELETE(hh, all.files, f);
	atomic_fetch_sub(&all.count, 1);
}

struct fresh *fresh_put(int file, const char *path, struct str bytes, json_t *said)
{
	size_t len = strlen(path);
	struct fresh *f = xcalloc(1, sizeof(*f) + len + 1), *other;

	memcpy(f->path, path, len);
	f->bytes = bytes;
	f->said = said;
	if (fstat(file, &f->st) < 0) {
		free(f);
		return NULL;
	}
	pthread_mutex_lock(&all.mutex);
	/* In another checkout's tree: of one path there is one. */
	HASH_FIND(hh, all.files, path, len, other);
	if (other)
		leave(other);
	f->there = true;
	HASH_ADD_KEYPTR(hh, all.files, f->path, len, f);
	atomic_fetch_add(&all.count, 1);
	pthread_mutex_unlock(&all.mutex);
	return f;
}

void fresh_drop(struct fresh *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&all.mutex);
	leave(f);
	pthread_mutex_unlock(&all.mutex);
	free(f);
}

/* Of a file with several names the others tell of what is written to it, or nobody. */
static bool is_it(const struct fresh *f, const struct stat *st)
{
	return st->st_dev == f->st.st_dev && st->st_ino == f->st.st_ino && st->st_nlink == 1 &&
	       S_ISREG(st->st_mode) && st->st_size == f->st.st_size &&
	       st->st_mtim.tv_sec == f->st.st_mtim.tv_sec &&
	       st->st_mtim.tv_nsec == f->st.st_mtim.tv_nsec;
}

static bool take(struct fresh *f, int root, struct buf *into, json_t **said, struct stat *st)
{
	struct stat now;

	if (fstatat(root, f->path, &now, AT_SYMLINK_NOFOLLOW) < 0 || !is_it(f, &now))
		return false;
	*st = now;
	into->len = 0;
	buf_add_str(into, f->bytes);
	*said = json_incref(f->said);
	return true;
}

bool fresh_take(int root, struct str path, bool made, struct buf *into, json_t **said,
		struct stat *st)
{
	struct fresh *f;

	/* Who puts one there does so before its name is made, of which we are told after that. */
	if (!atomic_load(&all.count))
		return false;
	pthread_mutex_lock(&all.mutex);
	HASH_FIND(hh, all.files, path.at, path.len, f);
	bool taken = f && made && take(f, root, into, said, st);
	if (f)
		leave(f);
	pthread_mutex_unlock(&all.mutex);
	return taken;
}
