/* SPDX-License-Identifier: MIT */
#ifndef TP_SIPHASH_H
#define TP_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed 64-bit hash that an
 * adversary who chooses the input cannot make collide without the key.  With a
 * random key it serves tables, with a fixed one it names files.
 */
uint64_t siphash(const void *bytes, size_t len, const uint8_t key[16]);

#endif
