/* SPDX-License-Identifier: MIT */
#include "siphash.h"

#include <endian.h>
#include <string.h>

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t load(const uint8_t *at, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)at[i] << (8 * i);
	return word;
}

static uint64_t load_whole(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return le64toh(word);
}

static void mix(uint64_t v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

uint64_t siphash(const void *bytes, size_t len, const uint8_t key[16])
{
	const uint8_t *at = bytes;
	uint64_t k0 = load_whole(key), k1 = load_whole(key + 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			  k1 ^ 0x7465646279746573 };
	size_t left = len;

	for (; left >= 8; at += 8, left -= 8) {
		uint64_t word = load_whole(at);
		v[3] ^= word;
		mix(v, 2);
		v[0] ^= word;
	}
	uint64_t last = load(at, left) | (uint64_t)(len & 0xff) << 56;
	v[3] ^= last;
	mix(v, 2);
	v[0] ^= last;
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
