/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"

#define CHUNK_MIN 256
#define CHUNK_MAX 16384

/* Each file's content has one. */
struct arena_chunk {
	struct arena_chunk *next;
	uint32_t used;
	uint32_t size;
	alignas(max_align_t) char bytes[];
};

static struct arena_chunk *add_chunk(struct arena *arena, size_t size)
{
	BUG_IF(size > UINT32_MAX);
	struct arena_chunk *chunk = xmalloc(sizeof(*chunk) + size);

	*chunk = (struct arena_chunk){ .next = arena->chunks, .size = (uint32_t)size };
	arena->chunks = chunk;
	return chunk;
}

static struct arena_chunk *grow(struct arena *arena, size_t need)
{
	size_t size = arena->chunks ? (size_t)arena->chunks->size * 2 : CHUNK_MIN;

	size = size < CHUNK_MIN ? CHUNK_MIN : size > CHUNK_MAX ? CHUNK_MAX : size;
	return add_chunk(arena, size < need ? need : size);
}

void arena_reserve(struct arena *arena, size_t size)
{
	BUG_IF(arena->chunks);
	add_chunk(arena, size);
}

static void *take(struct arena *arena, size_t size, size_t align)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t at = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;

	BUG_IF(size > UINT32_MAX);
	if (!chunk || at + size > chunk->size) {
		chunk = grow(arena, size);
		at = 0;
	}
	chunk->used = (uint32_t)(at + size);
	return chunk->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(take(arena, size, alignof(max_align_t)), 0, size);
}

void *arena_more(struct arena *arena, void *array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	/* Large things are mostly alone, or two. */
	*cap = *cap ? *cap * 2 : size < 64 ? 8 : 2;
	void *more = arena_alloc(arena, *cap * size);
	if (count)
		memcpy(more, array, count * size);
	return more;
}

struct str arena_str(struct arena *arena, struct str text)
{
	if (!text.at)
		return STR_NONE;
	char *copy = take(arena, text.len + 1, 1);
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return (struct str){ copy, text.len };
}

struct str arena_printf(struct arena *arena, const char *fmt, ...)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t room = chunk ? chunk->size - chunk->used : 0;
	va_list args;

	/* Nearly always it fits into what is left, and is printed once. */
	va_start(args, fmt);
	int len = vsnprintf(chunk ? chunk->bytes + chunk->used : NULL, room, fmt, args);
	va_end(args);
	BUG_IF(len < 0);
	bool fits = (size_t)len < room;
	char *text = take(arena, (size_t)len + 1, 1);
	if (!fits) {
		va_start(args, fmt);
		vsnprintf(text, (size_t)len + 1, fmt, args);
		va_end(args);
	}
	return (struct str){ text, (size_t)len };
}

struct str arena_join(struct arena *arena, const struct str *pieces, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += pieces[i].len;
	char *text = take(arena, len + 1, 1), *at = text;
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len)
			memcpy(at, pieces[i].at, pieces[i].len);
		at += pieces[i].len;
	}
	*at = '\0';
	return (struct str){ text, len };
}

size_t arena_size(const struct arena *arena)
{
	size_t size = 0;

	for (const struct arena_chunk *c = arena->chunks; c; c = c->next)
		size += sizeof(*c) + c->size;
	return size;
}

void arena_release(struct arena *arena)
{
	for (struct arena_chunk *c = arena->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	arena->chunks = NULL;
}
