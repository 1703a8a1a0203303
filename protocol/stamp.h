/* SPDX-License-Identifier: MIT */
#ifndef TP_STAMP_H
#define TP_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

/*
 * Points in time as text (RFC 3339) and as microseconds since 1970 UTC, and
 * spans of time as text ("30s") and as milliseconds.
 */

/* Room for the longest text that stamp_text makes, terminator included. */
#define STAMP_MAX 40

/* Years 0001 to 9999, any offset, fractions kept to the microsecond; false if it is none. */
bool stamp_parse(struct str text, int64_t *us);

/*
 * As UTC with Z; a fraction only where there is one.  Before the year 0001 and
 * after 9999 the first and the last second of these.  Returns `into`.
 */
const char *stamp_text(int64_t us, char into[STAMP_MAX]);

/* The wall clock now. */
int64_t stamp_now(void);

/*
 * A point in time as it is written down: in whole milliseconds, and in no whole
 * second.  As text that has no fraction, and sorts behind all others of its second.
 */
int64_t stamp_mark(int64_t us);

/* "250ms", "30s", "5m", "2h", "1d", or whole seconds; false if it is none or too long. */
bool span_parse(struct str text, int64_t *ms);

#endif
