/* SPDX-License-Identifier: MIT */
#ifndef TP_BENEATH_H
#define TP_BENEATH_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/stat.h>

#include "buf.h"
#include "fault.h"

/*
 * Open what lies below a folder, and nothing else: no link is followed, no `..`
 * leads out, no pipe makes us wait.  Ticket trees may come from anybody.
 */

/* Whether the kernel, and what it runs us in, lets us: Linux 5.6, and openat2(2) not forbidden. */
bool beneath_allowed(struct fault *why);

enum beneath_result {
	BENEATH_OK,
	BENEATH_GONE,        /* there is nothing of that name (any more) */
	BENEATH_NOT_REGULAR, /* a link, pipe, device, or a folder where a file belongs */
	BENEATH_REFUSED,     /* the system says why in errno */
};

/* Read a regular file, at most `max` bytes of it, twice if it changed while it was read. */
enum beneath_result beneath_read(int dirfd, const char *path, size_t max, struct buf *into);
/* The same; *st is the file's, as it was before that. */
enum beneath_result beneath_read_stat(int dirfd, const char *path, size_t max, struct buf *into,
				      struct stat *st);

/* Open a folder for listing; *fd is the caller's. */
enum beneath_result beneath_open_dir(int dirfd, const char *path, int *fd);
/* The same where the whole path, from the file system's root, is free of links. */
enum beneath_result beneath_open_straight(const char *path, int *fd);

/* Write all of it; false with errno.  On any thread. */
bool beneath_write_all(int fd, const struct buf *bytes);

#endif
