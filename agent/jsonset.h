/* SPDX-License-Identifier: MIT */
#ifndef TP_JSONSET_H
#define TP_JSONSET_H

#include <jansson.h>

#include "str.h"

/* Keys of a JSON object that is to be written: in the order in which they are set. */

/* Absent text sets none. */
void jsonset_text(json_t *object, const char *name, struct str text);
/* Microseconds since 1970, as RFC 3339. */
void jsonset_time(json_t *object, const char *name, int64_t us);

#endif
