/* SPDX-License-Identifier: MIT */
/*
 * The floors of keeping, by servers that let a thread do it before they answer.
 * `store` makes a file as a record must be made at least: unnamed, written, synced,
 * named, its folder synced.  `durable` makes the same system calls as tpd does for
 * a record: it also finds its folder by path, asks whether the name is taken, keeps
 * a copy, and hears of the name, as it watches its folders.  `replace` replaces one
 * file as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.h"

#define FOLDERS 64

static const char *dir; /* where all is */
static struct {
	int folder[FOLDERS]; /* by turns, as records go to many Tickets */
	char path[FOLDERS][4096];
} folders;
static struct {
	char *bytes;
	size_t size;
} file;
static struct {
	int fd;
	off_t end;
} copy;
static int events;

static void put(int fd)
{
	if (fd < 0 || write(fd, file.bytes, file.size) != (ssize_t)file.size || fsync(fd) != 0)
		die("cannot store a file: %s", strerror(errno));
}

static void store_one(uint64_t number)
{
	char name[32], unnamed[64];
	int folder = folders.folder[number % FOLDERS];
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	put(fd);
	snprintf(name, sizeof(name), "%026llu.json", (unsigned long long)number);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, unnamed, folder, name, AT_SYMLINK_FOLLOW) != 0 || fsync(folder) != 0)
		die("cannot store a file: %s", strerror(errno));
	close(fd);
}

static int open_folder(uint64_t number)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, folders.path[number % FOLDERS], &how,
			    sizeof(how));
}

static void link_in(int fd, int folder, const char *name)
{
	char unnamed[64];

	if (linkat(fd, "", folder, name, AT_EMPTY_PATH) == 0)
		return;
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, unnamed, folder, name, AT_SYMLINK_FOLLOW) != 0)
		die("cannot name a file: %s", strerror(errno));
}

static void keep_copy(void)
{
	struct stat st;

	if (fstat(copy.fd, &st) != 0 ||
	    pwrite(copy.fd, file.bytes, file.size, copy.end) != (ssize_t)file.size)
		die("cannot keep a copy: %s", strerror(errno));
	copy.end += (off_t)file.size;
}

static void keep_one(uint64_t number)
{
	int folder = open_folder(number);
	struct stat st;
	struct statx stx;
	char name[32];

	snprintf(name, sizeof(name), "%026llu.json", (unsigned long long)number);
	if (folder < 0 || statx(folder, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &stx) != 0 ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		die("cannot open the folder of %s: %s", name, strerror(errno));
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	put(fd);
	if (fstat(fd, &st) != 0)
		die("cannot look at a file: %s", strerror(errno));
	link_in(fd, folder, name);
	close(fd);
	if (fsync(folder) != 0)
		die("cannot store a file: %s", strerror(errno));
	close(folder);
	keep_copy();
}

/* What tpd does each time it wakes: is the tree still there, and what has happened in it? */
static void look(void)
{
	static char bytes[65536] __attribute__((aligned(8)));
	struct stat st;
	int waiting = 0;

	if (stat(dir, &st) != 0 || ioctl(events, FIONREAD, &waiting) != 0)
		die("cannot look at %s: %s", dir, strerror(errno));
	ssize_t len = waiting ? read(events, bytes, sizeof(bytes)) : 0;
	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *event = (const void *)(bytes + at);
		/* The watches' numbers begin with 1. */
		if (event->wd >= 1 && event->wd <= FOLDERS)
			fstatat(folders.folder[event->wd - 1], event->name, &st,
				AT_SYMLINK_NOFOLLOW);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* One file, replaced as a whole. */
static void replace_it(uint64_t number)
{
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)number;
	unlinkat(folder, "kept.tmp", 0);
	int fd = openat(folder, "kept.tmp", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	put(fd);
	if (close(fd) != 0 || renameat(folder, "kept.tmp", folder, "kept") != 0 ||
	    fsync(folder) != 0)
		die("cannot replace a file: %s", strerror(errno));
	close(folder);
}

static void make_folders(void)
{
	for (int i = 0; i < FOLDERS; i++) {
		int len = snprintf(folders.path[i], sizeof(folders.path[i]), "%s/%d", dir, i);
		if (len >= (int)sizeof(folders.path[i]) || mkdir(folders.path[i], 0777) != 0)
			die("cannot make folders in %s: %s", dir, strerror(errno));
		folders.folder[i] = open(folders.path[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
}

static void watch_folders(void)
{
	events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (int i = 0; i < FOLDERS; i++)
		if (inotify_add_watch(events, folders.path[i], IN_CREATE | IN_MOVE | IN_DELETE) < 0)
			die("cannot watch %s: %s", folders.path[i], strerror(errno));
}

static void prepare(int argc, char **argv)
{
	if (argc != 5)
		die_usage();
	dir = argv[3];
	file.size = floor_number(argv[4]);
	file.bytes = calloc(1, file.size + 1);
	if (!file.bytes)
		die("no memory");
}

int floor_store(int argc, char **argv)
{
	prepare(argc, argv);
	make_folders();
	return floor_serve(argv, store_one, -1, NULL);
}

int floor_durable(int argc, char **argv)
{
	char path[4096];

	prepare(argc, argv);
	make_folders();
	watch_folders();
	snprintf(path, sizeof(path), "%s/copies", dir);
	copy.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return floor_serve(argv, keep_one, events, look);
}

int floor_replace(int argc, char **argv)
{
	prepare(argc, argv);
	return floor_serve(argv, replace_it, -1, NULL);
}
