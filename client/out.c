/* SPDX-License-Identifier: MIT */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

void out_guard(void)
{
	/* Lowest first, so that open takes the very number; opened the wrong way round. */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			return;
}

static bool write_all(int fd, struct str text)
{
	while (text.len) {
		ssize_t n = write(fd, text.at, text.len);
		if (n > 0) {
			text.at += n;
			text.len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return false;
		}
	}
	return true;
}

bool out_write(struct str text, struct fault *why)
{
	if (write_all(STDOUT_FILENO, text) || errno == EPIPE)
		return true;
	return fault_errno(why, FAULT_IO, "cannot write to standard output");
}

bool out_page(struct buf *page, struct fault *why)
{
	bool ok = out_write((struct str){ page->at, page->len }, why);

	page->len = 0;
	return ok;
}

bool out_reach(struct str text)
{
	return write_all(STDOUT_FILENO, text);
}

void out_complain(struct str text)
{
	write_all(STDERR_FILENO, text);
}
