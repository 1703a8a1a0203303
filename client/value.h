/* SPDX-License-Identifier: MIT */
#ifndef TP_VALUE_H
#define TP_VALUE_H

#include <msgpack.h>

#include "buf.h"
#include "fault.h"
#include "str.h"
#include "ticketplan.h"

/* Parameters and answers of ticketplan.h from within. */

/* One that is finished already: a copy. */
struct tp_params *params_of(struct str map);
/* The finished map; nothing can be added any more. */
struct str params_map(struct tp_params *params);
/* A map, with `since` as that clock unless it is NULL, whatever it says itself. */
void params_with_since(struct str map, const char *clock, struct buf *into);

/* Why the last call failed. */
const struct fault *fault_of(const struct tp *tp);

static inline const struct tp_value *value_of(const msgpack_object *object)
{
	return (const struct tp_value *)object;
}

static inline const msgpack_object *object_of(const struct tp_value *value)
{
	return (const msgpack_object *)value;
}

#endif
