/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <sys/random.h>

uint8_t hash_key[16];

void hash_init(void)
{
	BUG_IF(getrandom(hash_key, sizeof(hash_key), 0) != sizeof(hash_key));
}
