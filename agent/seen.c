/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <stdlib.h>

#include "base.h"

struct look {
	dev_t dev;
	ino_t ino;
	off_t size;
	int64_t changed, written; /* nanoseconds since 1970 */
	bool several;             /* it has several names */
	bool sure;                /* a later change shows */
};

struct file {
	struct look look;
	char name[];
};

struct seen {
	struct look look;
	struct file **files; /* by name */
	size_t count, cap;
};

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct look look_of(const struct stat *st, int64_t now)
{
	struct look look = { .dev = st->st_dev, .ino = st->st_ino, .size = st->st_size,
			     .changed = nanoseconds(st->st_ctim),
			     .written = nanoseconds(st->st_mtim),
			     .several = st->st_nlink > 1 };

	look.sure = look.changed / 1000 + SEEN_RACY_US < now;
	return look;
}

bool seen_sure(const struct stat *st, int64_t now)
{
	return look_of(st, now).sure;
}

static bool is_same(const struct look *a, const struct stat *st)
{
	return a->sure && a->dev == st->st_dev && a->ino == st->st_ino && a->size == st->st_size &&
	       a->changed == nanoseconds(st->st_ctim) && a->written == nanoseconds(st->st_mtim);
}

struct seen *seen_new(void)
{
	return xcalloc(1, sizeof(struct seen));
}

void seen_free(struct seen *seen)
{
	if (!seen)
		return;
	for (size_t i = 0; i < seen->count; i++)
		free(seen->files[i]);
	free(seen->files);
	free(seen);
}

void seen_folder(struct seen *seen, const struct stat *st, int64_t now)
{
	seen->look = look_of(st, now);
}

bool seen_folder_same(const struct seen *seen, const struct stat *st)
{
	return is_same(&seen->look, st);
}

static int name_order(const void *name, const void *item)
{
	struct file *const *f = item;

	return str_cmp(*(const struct str *)name, str_of((*f)->name));
}

/* The place of the file: of it, or of the first behind it. */
static size_t place(const struct seen *seen, struct str name)
{
	return lower_bound(&name, seen->files, seen->count, sizeof(struct file *), name_order);
}

static bool is_at(const struct seen *seen, size_t at, struct str name)
{
	return at < seen->count && str_is(name, seen->files[at]->name);
}

static void insert(struct seen *seen, size_t at, struct str name)
{
	struct file *f = xcalloc(1, sizeof(*f) + name.len + 1);

	memcpy(f->name, name.at, name.len);
	if (seen->count == seen->cap) {
		seen->cap = seen->cap ? seen->cap * 2 : 1;
		seen->files = xrealloc(seen->files, seen->cap * sizeof(struct file *));
	}
	memmove(&seen->files[at + 1], &seen->files[at], (seen->count - at) * sizeof(struct file *));
	seen->files[at] = f;
	seen->count++;
}

void seen_entry(struct seen *seen, struct str name, const struct stat *st, int64_t now)
{
	size_t at = place(seen, name);
	bool known = is_at(seen, at, name);

	if (st && !known)
		insert(seen, at, name);
	if (st) {
		seen->files[at]->look = look_of(st, now);
	} else if (known) {
		free(seen->files[at]);
		seen->count--;
		memmove(&seen->files[at], &seen->files[at + 1],
			(seen->count - at) * sizeof(struct file *));
	}
}

bool seen_entry_is(const struct seen *seen, struct str name, const struct stat *st)
{
	size_t at = place(seen, name);

	return is_at(seen, at, name) && seen->files[at]->look.dev == st->st_dev &&
	       seen->files[at]->look.ino == st->st_ino;
}

ino_t seen_several(const struct seen *seen, struct str name)
{
	size_t at = place(seen, name);

	return is_at(seen, at, name) && seen->files[at]->look.several ? seen->files[at]->look.ino
								      : 0;
}

size_t seen_count(const struct seen *seen)
{
	return seen->count;
}

struct str seen_name(const struct seen *seen, size_t at)
{
	return at < seen->count ? str_of(seen->files[at]->name) : STR_NONE;
}

bool seen_entry_same(const struct seen *seen, size_t at, const struct stat *st)
{
	return is_same(&seen->files[at]->look, st);
}
