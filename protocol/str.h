/* SPDX-License-Identifier: MIT */
#ifndef TP_STR_H
#define TP_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * A slice: bytes that somebody else owns, and their number.  Not terminated,
 * may hold any byte.  { NULL, 0 } is "absent", which is not the same as empty.
 */
struct str {
	const char *at;
	size_t len;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })

/* For "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).at ? (s).at : ""

static inline struct str str_of(const char *text)
{
	return text ? (struct str){ text, strlen(text) } : STR_NONE;
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool str_is(struct str a, const char *text)
{
	return str_eq(a, str_of(text));
}

/* Byte order; a prefix comes first. */
static inline int str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.at, b.at, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The same of strings that may be NULL, for none. */
static inline bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Whether it says nothing: it is empty, or blanks and line feeds alone. */
static inline bool str_is_blank(struct str a)
{
	while (a.len && strchr(" \t\r\n", a.at[a.len - 1]) && a.at[a.len - 1])
		a.len--;
	return !a.len;
}

static inline bool str_starts(struct str a, struct str prefix)
{
	return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.at, prefix.at, prefix.len) == 0);
}

static inline bool str_ends(struct str a, struct str suffix)
{
	return a.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(a.at + a.len - suffix.len, suffix.at, suffix.len) == 0);
}

#endif
