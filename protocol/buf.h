/* SPDX-License-Identifier: MIT */
#ifndef TP_BUF_H
#define TP_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "str.h"

/* Bytes that grow.  All zero is an empty one; buf_release gives the memory back. */
struct buf {
	char *at;
	size_t len;
	size_t cap;
};

/* Make room for `more` bytes behind len; they may be written at buf->at + len. */
void buf_room(struct buf *buf, size_t more);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str text);
void buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drop the first n bytes. */
void buf_eat(struct buf *buf, size_t n);
/* A terminated view; the terminator is not counted in len. */
const char *buf_text(struct buf *buf);
void buf_release(struct buf *buf);

#endif
