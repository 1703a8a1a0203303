/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <string.h>

static void drop_taken(struct lines *l)
{
	buf_eat(&l->buf, l->taken);
	l->taken = 0;
}

void lines_add(struct lines *l, struct str bytes)
{
	drop_taken(l);
	if (l->skipping) {
		const char *end = memchr(bytes.at, '\n', bytes.len);
		if (!end)
			return;
		l->skipping = false;
		bytes.len -= (size_t)(end + 1 - bytes.at);
		bytes.at = end + 1;
	}
	buf_add_str(&l->buf, bytes);
}

enum lines_next lines_next(struct lines *l, bool ended, struct str *line)
{
	if (l->taken == l->buf.len)
		return LINES_MORE;
	struct str rest = { l->buf.at + l->taken, l->buf.len - l->taken };
	const char *end = memchr(rest.at, '\n', rest.len);
	size_t len = end ? (size_t)(end - rest.at) : rest.len;

	if (len > LINES_MAX) {
		l->skipping = !end;
		l->taken += len + (end != NULL);
		/* A huge line must not keep its memory for ever. */
		if (l->taken == l->buf.len) {
			buf_release(&l->buf);
			l->taken = 0;
		}
		return LINES_TOO_LONG;
	}
	if (!end && !ended)
		return LINES_MORE;
	*line = (struct str){ rest.at, len };
	l->taken += len + (end != NULL);
	return LINES_LINE;
}

void lines_release(struct lines *l)
{
	buf_release(&l->buf);
	*l = (struct lines){ .taken = 0 };
}
