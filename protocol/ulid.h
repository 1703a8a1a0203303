/* SPDX-License-Identifier: MIT */
#ifndef TP_ULID_H
#define TP_ULID_H

#include <stdbool.h>

#include "str.h"

/*
 * ULIDs (github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, as 26
 * characters of Crockford's base 32.  They sort by time.
 */
#define ULID_LEN 26

/* A new one; of two made by one process within a millisecond the later is the greater. */
void ulid_make(char into[ULID_LEN + 1]);

/* Whether the text is one, in the upper case form we write. */
bool ulid_is(struct str text);

#endif
