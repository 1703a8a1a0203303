/* SPDX-License-Identifier: MIT */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"

static int open_resolved(int dirfd, const char *path, unsigned long long flags,
			 unsigned long long resolve)
{
	/* Looking leaves no trace; a time of access would also have to wait for a commit. */
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW | O_NOATIME,
		.resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	for (;;) {
		fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0)
			return fd;
		/* Only who owns a file may leave its times alone. */
		if (errno == EPERM && how.flags & O_NOATIME)
			how.flags &= ~(unsigned long long)O_NOATIME;
		/* EAGAIN: something was renamed while the path was walked. */
		else if (errno != EAGAIN && errno != EINTR)
			return fd;
	}
}

static int open_beneath(int dirfd, const char *path, unsigned long long flags)
{
	return open_resolved(dirfd, path, flags, RESOLVE_BENEATH);
}

static enum beneath_result why_not_opened(void)
{
	if (errno == ENOENT)
		return BENEATH_GONE;
	/* ENOTDIR: a file, or a link, where a folder belongs.  ENXIO: a socket. */
	if (errno == ELOOP || errno == EXDEV || errno == ENOTDIR || errno == ENXIO)
		return BENEATH_NOT_REGULAR;
	return BENEATH_REFUSED;
}

static bool same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Read until the end or max; the size is a guess that a growing file disproves. */
static bool read_all(int fd, size_t guess, size_t max, struct buf *into)
{
	guess = guess < max ? guess : max;
	into->len = 0;
	for (;;) {
		size_t want = guess > into->len ? guess - into->len : 4096;
		want = want > max - into->len ? max - into->len : want;
		if (!want)
			return true;
		buf_room(into, want);
		ssize_t got = read(fd, into->at + into->len, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		into->len += (size_t)got;
		/* Short of what stat promised, or as much: that was the end, as stat after says. */
		if (!got || into->len == guess)
			return true;
	}
}

static enum beneath_result read_open(int fd, size_t max, struct buf *into, struct stat *st)
{
	struct stat after;

	for (int round = 0; round < 3; round++) {
		if (fstat(fd, st) < 0)
			return BENEATH_REFUSED;
		if (!S_ISREG(st->st_mode))
			return BENEATH_NOT_REGULAR;
		if (round && lseek(fd, 0, SEEK_SET) < 0)
			return BENEATH_REFUSED;
		if (!read_all(fd, (size_t)st->st_size, max, into) || fstat(fd, &after) < 0)
			return BENEATH_REFUSED;
		if (same_stat(st, &after))
			break;
	}
	return BENEATH_OK;
}

enum beneath_result beneath_read_stat(int dirfd, const char *path, size_t max, struct buf *into,
				      struct stat *st)
{
	int fd = open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return why_not_opened();
	enum beneath_result result = read_open(fd, max, into, st);
	int cause = errno;
	close(fd);
	errno = cause;
	return result;
}

enum beneath_result beneath_read(int dirfd, const char *path, size_t max, struct buf *into)
{
	struct stat st;

	return beneath_read_stat(dirfd, path, max, into, &st);
}

enum beneath_result beneath_open_dir(int dirfd, const char *path, int *fd)
{
	*fd = open_beneath(dirfd, path, O_RDONLY | O_DIRECTORY);
	return *fd < 0 ? why_not_opened() : BENEATH_OK;
}

enum beneath_result beneath_open_straight(const char *path, int *fd)
{
	*fd = open_resolved(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	return *fd < 0 ? why_not_opened() : BENEATH_OK;
}

bool beneath_allowed(struct fault *why)
{
	int fd;

	if (beneath_open_straight("/", &fd) == BENEATH_OK) {
		close(fd);
		return true;
	}
	/* Anything else is said of what cannot be opened, when it is to be. */
	return errno != ENOSYS && errno != EPERM
		       ? true
		       : fault_errno(why, FAULT_IO,
				     "openat2(2) cannot be used here; it needs Linux 5.6, and a "
				     "container or sandbox that allows it");
}

bool beneath_write_all(int fd, const struct buf *bytes)
{
	for (size_t at = 0; at < bytes->len;) {
		ssize_t put = write(fd, bytes->at + at, bytes->len - at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += (size_t)put;
	}
	return true;
}
