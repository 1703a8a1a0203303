/* SPDX-License-Identifier: MIT */
#include "ulid.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base.h"
#include "stamp.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Add one to the 80 random bits; false where they were all ones. */
static bool next_random(uint8_t random[10])
{
	for (int i = 9; i >= 0; i--)
		if (++random[i])
			return true;
	return false;
}

static void encode(uint64_t ms, const uint8_t random[10], char into[ULID_LEN + 1])
{
	for (int i = 9; i >= 0; i--, ms >>= 5)
		into[i] = alphabet[ms & 31];
	for (int half = 0; half < 2; half++) {
		uint64_t bits = 0;
		for (int i = 0; i < 5; i++)
			bits = bits << 8 | random[half * 5 + i];
		for (int i = 7; i >= 0; i--, bits >>= 5)
			into[10 + half * 8 + i] = alphabet[bits & 31];
	}
	into[ULID_LEN] = '\0';
}

void ulid_make(char into[ULID_LEN + 1])
{
	static uint64_t last;
	static uint8_t random[10];
	uint64_t now = (uint64_t)(stamp_now() / 1000);

	/* A clock that stands still or goes back must not break the order. */
	if (now > last || !next_random(random)) {
		last = now > last ? now : last + 1;
		BUG_IF(getrandom(random, sizeof(random), 0) != sizeof(random));
	}
	encode(last, random, into);
}

bool ulid_is(struct str text)
{
	/* The first character has 3 bits: 48 bits of time fill 10 characters of 5. */
	if (text.len != ULID_LEN || text.at[0] > '7')
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!text.at[i] || !strchr(alphabet, text.at[i]))
			return false;
	return true;
}
