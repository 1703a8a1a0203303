/* SPDX-License-Identifier: MIT */
#ifndef TP_CLOCK_H
#define TP_CLOCK_H

#include "service.h"

/* Clocks as they stand in messages: INSTANCE:GENERATION, opaque to clients. */
#define CLOCK_MAX (ULID_LEN + 24)

/* In `into`, terminated. */
struct str clock_text(const struct service *service, uint64_t generation, char into[CLOCK_MAX]);

/*
 * The generation that a clock means.  *known is false where it is none of this
 * agent's, or of what is yet to come; what is no clock at all is an error.
 */
bool clock_read(const struct service *service, struct str text, uint64_t *generation, bool *known,
		struct fault *why);

#endif
