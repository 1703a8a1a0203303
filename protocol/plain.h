/* SPDX-License-Identifier: MIT */
#ifndef TP_PLAIN_H
#define TP_PLAIN_H

#include "buf.h"
#include "str.h"

/*
 * The one way in which foreign text (titles, notes, file names, messages) gets
 * to a terminal or a log.  Ticket text is anybody's: it may hold escape
 * sequences that repaint a terminal, or characters that turn the direction of
 * writing around.  Control characters, bytes that are not UTF-8, and the
 * invisible ones (bidi marks and overrides, tags, line separators) come out as
 * \n, \t, \xNN or \u{NNNN}; everything else as it is.
 */
void plain_add(struct buf *out, struct str text);

/* As plain_add, but line feeds stay, for text that has lines. */
void plain_add_lines(struct buf *out, struct str text);

/* The text as one word for a shell, quoted where it has to be; the caller's. */
char *plain_word(const char *text);

/* Columns the text takes on a terminal, after plain_add. */
size_t plain_width(struct str text);

#endif
