/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"

void buf_room(struct buf *buf, size_t more)
{
	BUG_IF(more > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4);
	if (buf->cap - buf->len >= more)
		return;
	size_t cap = buf->cap ? buf->cap : 256;
	while (cap - buf->len < more)
		cap *= 2;
	buf->at = xrealloc(buf->at, cap);
	buf->cap = cap;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!len)
		return;
	buf_room(buf, len);
	memcpy(buf->at + buf->len, bytes, len);
	buf->len += len;
}

void buf_add_str(struct buf *buf, struct str text)
{
	buf_add(buf, text.at, text.len);
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args, again;

	/* Nearly always it fits into what is there, and is printed once. */
	va_start(args, fmt);
	va_copy(again, args);
	int need = vsnprintf(buf->cap ? buf->at + buf->len : NULL, buf->cap - buf->len, fmt, args);
	va_end(args);
	BUG_IF(need < 0);
	if ((size_t)need >= buf->cap - buf->len) {
		buf_room(buf, (size_t)need + 1);
		vsnprintf(buf->at + buf->len, (size_t)need + 1, fmt, again);
	}
	va_end(again);
	buf->len += (size_t)need;
}

void buf_eat(struct buf *buf, size_t n)
{
	BUG_IF(n > buf->len);
	if (n && buf->len > n)
		memmove(buf->at, buf->at + n, buf->len - n);
	buf->len -= n;
}

const char *buf_text(struct buf *buf)
{
	buf_room(buf, 1);
	buf->at[buf->len] = '\0';
	return buf->at;
}

void buf_release(struct buf *buf)
{
	free(buf->at);
	*buf = (struct buf){ 0 };
}
