/* SPDX-License-Identifier: MIT */
#ifndef TP_LINES_H
#define TP_LINES_H

#include "buf.h"

/* More than a line of input may have; the rest of a longer one is never kept. */
#define LINES_MAX ((size_t)4 * 1024 * 1024)

/* Lines out of bytes that come as they like. */
struct lines {
	struct buf buf;
	size_t taken;  /* bytes that were given out */
	bool skipping; /* to the end of a line that is too long */
};

enum lines_next {
	LINES_MORE,     /* nothing whole is there */
	LINES_LINE,     /* *line, without its end; good until the next call */
	LINES_TOO_LONG, /* a line was thrown away */
};

void lines_add(struct lines *l, struct str bytes);
/* `ended`: no more bytes will come, and what is left is a line. */
enum lines_next lines_next(struct lines *l, bool ended, struct str *line);
void lines_release(struct lines *l);

#endif
