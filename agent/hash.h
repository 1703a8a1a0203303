/* SPDX-License-Identifier: MIT */
#ifndef TP_HASH_H
#define TP_HASH_H

#include <stdint.h>

#include "base.h"
#include "siphash.h"
#include "str.h"

/*
 * Hash tables and lists, by uthash.  Keys come from files that anybody may have
 * written, so the hash is keyed with random bytes drawn once a process.
 */
extern uint8_t hash_key[16];

/* Draw the key; before the first table is made. */
void hash_init(void);

static inline uint64_t hash_of(struct str bytes)
{
	return siphash(bytes.at, bytes.len, hash_key);
}

#define HASH_FUNCTION(key, len, value) ((value) = (unsigned)siphash((key), (len), hash_key))
#define uthash_malloc(size) xmalloc(size)
#define uthash_fatal(text) bug_at(__FILE__, __LINE__, text)

#include <uthash.h>
#include <utlist.h>

#endif
