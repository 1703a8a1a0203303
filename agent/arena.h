/* SPDX-License-Identifier: MIT */
#ifndef TP_ARENA_H
#define TP_ARENA_H

#include <stddef.h>

#include "str.h"

/*
 * Memory that is given back all at once: what a file said, what a call built.
 * All zero is an empty arena.  Nothing in it is ever moved.
 */
struct arena {
	struct arena_chunk *chunks; /* the newest first */
};

/*
 * Make an empty arena's first block just so large: for what is kept long and whose size is known.
 */
void arena_reserve(struct arena *arena, size_t size);
/* Zeroed, aligned for anything. */
void *arena_alloc(struct arena *arena, size_t size);
/*
 * Room for one element more behind `count` of an array in the arena: the array
 * itself, or a copy twice as long, with *cap raised.  All zero is an empty one.
 */
void *arena_more(struct arena *arena, void *array, size_t count, size_t *cap, size_t size);
/* A copy; absent stays absent. */
struct str arena_str(struct arena *arena, struct str text);
struct str arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Pieces one behind the other: as arena_printf, where a thousand are made for one answer. */
#define arena_cat(arena, ...) \
	arena_join(arena, (const struct str[]){ __VA_ARGS__ }, \
		   sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
struct str arena_join(struct arena *arena, const struct str *pieces, size_t count);
/* Bytes taken from the system. */
size_t arena_size(const struct arena *arena);
void arena_release(struct arena *arena);

#endif
