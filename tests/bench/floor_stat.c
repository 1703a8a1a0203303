/* SPDX-License-Identifier: MIT */
/*
 * The floor of a question where not every folder can be watched: one look at
 * each of the last FOLDERS folders of a Ticket tree, as they are listed, and at
 * each file in them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

#define ROUNDS 9

static struct {
	char **paths;
	bool *folder;
	size_t count, cap;
} found;

static void add(const char *path, bool folder)
{
	if (found.count == found.cap) {
		found.cap = found.cap ? found.cap * 2 : 1024;
		found.paths = realloc(found.paths, found.cap * sizeof(char *));
		found.folder = realloc(found.folder, found.cap * sizeof(bool));
		if (!found.paths || !found.folder)
			die("no memory");
	}
	found.folder[found.count] = folder;
	found.paths[found.count] = strdup(path);
	if (!found.paths[found.count++])
		die("no memory");
}

static void list(const char *path)
{
	char below[4096];
	DIR *dir = opendir(path);

	if (!dir)
		die("cannot list %s: %s", path, strerror(errno));
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(below, sizeof(below), "%s%s%s", strcmp(path, ".") == 0 ? "" : path,
			     strcmp(path, ".") == 0 ? "" : "/", entry->d_name) >= (int)sizeof(below))
			die("%s goes too deep", path);
		add(below, entry->d_type == DT_DIR);
		if (entry->d_type == DT_DIR)
			list(below);
	}
	closedir(dir);
}

static size_t last_folders(unsigned long wanted)
{
	size_t at = found.count;

	while (at && wanted)
		wanted -= found.folder[--at];
	return at;
}

static uint64_t look(int root, size_t from)
{
	uint64_t begin = floor_now_ns();
	struct stat st;

	for (size_t i = from; i < found.count; i++)
		if (fstatat(root, found.paths[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			die("cannot look at %s: %s", found.paths[i], strerror(errno));
	return floor_now_ns() - begin;
}

int floor_stat(int argc, char **argv)
{
	uint64_t ns[ROUNDS];

	if (argc != 2)
		die_usage();
	if (chdir(argv[0]) != 0)
		die("cannot go to %s: %s", argv[0], strerror(errno));
	list(".");
	size_t from = last_folders(floor_number(argv[1]));
	int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	look(root, from);
	for (int i = 0; i < ROUNDS; i++)
		ns[i] = look(root, from);
	floor_print(ns, ROUNDS);
	return 0;
}
