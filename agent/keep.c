/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "beneath.h"

#define RECORD_BYTES_MAX (64 * 1024 * 1024)

/* The folder of a Ticket's copies, made if there is none; -1 with errno. */
static int open_folder(const char *folder, const char *ticket, bool make)
{
	char *path = xasprintf("%s/%s", folder, ticket);

	if (make && mkdir(path, 0700) < 0 && errno == ENOENT) {
		char *above = xstrndup(folder, (size_t)(strrchr(folder, '/') - folder));
		mkdir(above, 0700);
		mkdir(folder, 0700);
		mkdir(path, 0700);
		free(above);
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int cause = errno;
	free(path);
	errno = cause;
	return fd;
}

static bool write_all(int fd, struct str bytes)
{
	while (bytes.len) {
		ssize_t put = write(fd, bytes.at, bytes.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes = (struct str){ bytes.at + put, bytes.len - (size_t)put };
	}
	return true;
}

static bool put_in(int dir, const char *name, struct str bytes, struct fault *why)
{
	char *temporary = xasprintf(".%s.tmp", name);
	int fd =
		openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write_all(fd, bytes);

	if (fd >= 0)
		close(fd);
	ok = ok && renameat(dir, temporary, dir, name) == 0;
	if (!ok) {
		fault_errno(why, FAULT_IO, "no copy of %s was kept", name);
		unlinkat(dir, temporary, 0);
	}
	free(temporary);
	return ok;
}

bool keep_put(const char *folder, const char *ticket, const char *name, struct str bytes,
	      struct fault *why)
{
	int dir = open_folder(folder, ticket, true);

	if (dir < 0)
		return fault_errno(why, FAULT_IO, "no copy of %s was kept in %s", name, folder);
	bool ok = put_in(dir, name, bytes, why);
	close(dir);
	return ok;
}

bool keep_get(const char *folder, const char *ticket, const char *name, struct buf *into)
{
	int dir = open_folder(folder, ticket, false);
	bool ok = dir >= 0 && beneath_read(dir, name, RECORD_BYTES_MAX, into) == BENEATH_OK;

	if (dir >= 0)
		close(dir);
	return ok;
}

void keep_drop(const char *folder, const char *ticket, const char *name)
{
	char *path = xasprintf("%s/%s", folder, ticket);
	int dir = open_folder(folder, ticket, false);

	if (dir >= 0) {
		unlinkat(dir, name, 0);
		close(dir);
		/* Where it was the last. */
		rmdir(path);
	}
	free(path);
}

static void list_ticket(const char *folder, const char *ticket,
			void (*fn)(void *ctx, const char *ticket, const char *name), void *ctx)
{
	int fd = open_folder(folder, ticket, false);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			fn(ctx, ticket, entry->d_name);
		else if (str_ends(str_of(entry->d_name), STR(".tmp")))
			unlinkat(fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

void keep_folders(const char *folder, void (*fn)(void *ctx, const char *name), void *ctx)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			fn(ctx, entry->d_name);
	if (dir)
		closedir(dir);
}

/* What a list is made for. */
struct list {
	const char *folder;
	void (*fn)(void *ctx, const char *ticket, const char *name);
	void *ctx;
};

static void list_folder(void *ctx, const char *ticket)
{
	const struct list *l = ctx;

	list_ticket(l->folder, ticket, l->fn, l->ctx);
}

void keep_list(const char *folder, void (*fn)(void *ctx, const char *ticket, const char *name),
	       void *ctx)
{
	struct list l = { folder, fn, ctx };

	keep_folders(folder, list_folder, &l);
}
