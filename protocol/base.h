/* SPDX-License-Identifier: MIT */
#ifndef TP_BASE_H
#define TP_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What every file may lean on: the two ways to die, and memory.
 *
 * BUG_IF is for what cannot happen; it is always compiled in and aborts with
 * its place.  Running out of memory aborts too: whatever was acknowledged is
 * on disk, the rest can be computed again, and every size that comes from
 * outside is capped before anything is allocated for it.
 */
#define BUG_IF(cond) \
	do { \
		if (cond) \
			bug_at(__FILE__, __LINE__, #cond); \
	} while (0)

_Noreturn void bug_at(const char *file, int line, const char *what);

/* Never NULL; a size of 0 gives a block that may be freed. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
/* Texts one behind the other; a NULL ends the list.  Where much is written, half of the price. */
char *xconcat(const char *first, ...) __attribute__((sentinel));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/*
 * Where in a sorted array of so many items of a size the key stands, or would: the first item
 * that is not before it.  Arguments are as bsearch(3) has them.
 */
size_t lower_bound(const void *key, const void *base, size_t count, size_t size,
		   int (*compare)(const void *key, const void *item));

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
