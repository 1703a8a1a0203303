/* SPDX-License-Identifier: MIT */
#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void bug_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "bug: %s:%d: %s\n", file, line, what);
	abort();
}

static void *sure(void *at)
{
	if (!at) {
		fputs("fatal: out of memory\n", stderr);
		abort();
	}
	return at;
}

void *xmalloc(size_t size)
{
	return sure(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return sure(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
	return sure(realloc(old, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return sure(strdup(text));
}

char *xstrndup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *xvasprintf(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		sure(NULL);
	return text;
}

char *xconcat(const char *first, ...)
{
	size_t len = 0;
	va_list args;

	va_start(args, first);
	for (const char *text = first; text; text = va_arg(args, const char *))
		len += strlen(text);
	va_end(args);
	char *all = xmalloc(len + 1), *at = all;
	va_start(args, first);
	for (const char *text = first; text; text = va_arg(args, const char *))
		at = stpcpy(at, text);
	va_end(args);
	*at = '\0';
	return all;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	return text;
}

size_t lower_bound(const void *key, const void *base, size_t count, size_t size,
		   int (*compare)(const void *key, const void *item))
{
	size_t from = 0;

	while (count) {
		size_t half = count / 2;
		if (compare(key, (const char *)base + (from + half) * size) > 0) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}
