/* SPDX-License-Identifier: MIT */
/*
 * The floor of a cold index: watch and list every folder of a Ticket tree that
 * an agent has to watch, and read the files that it has to read, without
 * looking at a byte.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "floor.h"

#define MASK                                                                                    \
	(IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM |       \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

static int notify;
static unsigned long files, folders;
static unsigned long long bytes;
static char path[4096]; /* of the present folder, from the tree's root */

static void read_file(int folder, const char *name)
{
	static char content[65536];
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		die("cannot open %s/%s: %s", path, name, strerror(errno));
	while ((n = read(fd, content, sizeof(content))) > 0) {
		bytes += (unsigned long long)n;
		if ((size_t)n < sizeof(content))
			break;
	}
	close(fd);
	files++;
}

static bool is_read(const char *folder, const char *name)
{
	if (strcmp(folder, "records") == 0)
		return true;
	if (strcmp(folder, "artifacts") == 0)
		return strcmp(name, "orchestration-plan.jsonl") == 0 ||
		       strcmp(name, "relations.json") == 0;
	return strcmp(name, "item.md") == 0;
}

/* Whether a folder holds artifacts, or Tickets: those down to `depth`. */
static bool is_watched(const char *name, int depth)
{
	return depth > 0 || strcmp(name, "artifacts") == 0 || strcmp(name, "records") == 0;
}

static void crawl(int parent, const char *name, size_t len, int depth)
{
	if (inotify_add_watch(notify, path, MASK) < 0)
		die("cannot watch %s: %s", path, strerror(errno));
	DIR *dir = fdopendir(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
	if (!dir)
		die("cannot list %s: %s", path, strerror(errno));
	folders++;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_type == DT_REG && is_read(name, entry->d_name)) {
			read_file(dirfd(dir), entry->d_name);
		} else if (entry->d_type == DT_DIR && is_watched(entry->d_name, depth)) {
			size_t more = strlen(entry->d_name);
			if (len + more + 2 > sizeof(path))
				die("%s goes too deep", path);
			path[len] = '/';
			memcpy(path + len + 1, entry->d_name, more + 1);
			crawl(dirfd(dir), entry->d_name, len + 1 + more, depth - 1);
			path[len] = '\0';
		}
	}
	closedir(dir);
}

int floor_crawl(int argc, char **argv)
{
	unsigned long long begin = floor_now_ns();

	if (argc != 1)
		die_usage();
	if (chdir(argv[0]) != 0)
		die("cannot go to %s: %s", argv[0], strerror(errno));
	bool buckets = access("open", F_OK) == 0 || access("closed", F_OK) == 0;
	notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	strcpy(path, ".");
	crawl(AT_FDCWD, ".", 1, buckets ? 2 : 1);
	printf("%.2f files=%lu folders=%lu bytes=%llu\n",
	       (double)(floor_now_ns() - begin) / 1000000, files, folders, bytes);
	return 0;
}
