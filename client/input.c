/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"

#define CHUNK 65536

bool input_read(int fd, const char *name, size_t max, struct buf *into, struct fault *why)
{
	size_t before = into->len;
	ssize_t n;

	do {
		buf_room(into, CHUNK);
		n = read(fd, into->at + into->len, CHUNK);
		into->len += n > 0 ? (size_t)n : 0;
		if (into->len - before > max)
			return fault(why, FAULT_TOO_LARGE, "%s holds more than %zu bytes", name,
				     max);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 ? true : fault_errno(why, FAULT_IO, "cannot read %s", name);
}

char *input_path(const char *dir, const char *name)
{
	return dir && *name != '/' ? xasprintf("%s/%s", dir, name) : xstrdup(name);
}

bool input_read_file(const char *dir, const char *name, size_t max, struct buf *into,
		     struct fault *why)
{
	if (strcmp(name, "-") == 0)
		return input_read(STDIN_FILENO, "standard input", max, into, why);
	char *path = input_path(dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return fault_errno(why, errno == ENOENT ? FAULT_NO_FILE : FAULT_IO,
				   "cannot open %s", name);
	bool ok = input_read(fd, name, max, into, why);
	close(fd);
	return ok;
}
