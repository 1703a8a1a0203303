/* SPDX-License-Identifier: MIT */
#ifndef TP_UTF8_H
#define TP_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

/*
 * The character at the start of the text: its code point and length in bytes.
 * 0 where the bytes are no well-formed UTF-8 (overlong, surrogate, cut short),
 * and for an empty text.
 */
size_t utf8_next(struct str text, uint32_t *code);

/* Whether all of it is well-formed; NUL is allowed. */
bool utf8_ok(struct str text);

/* Whether all of it is, and if not, at which byte it ceases to be. */
bool utf8_check(struct str text, size_t *bad);

#endif
