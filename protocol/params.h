/* SPDX-License-Identifier: MIT */
#ifndef TP_PARAMS_H
#define TP_PARAMS_H

#include <msgpack.h>

#include "fault.h"
#include "rpc.h"

/*
 * Parameter maps against the request table, and answers against the shapes.
 */

/*
 * Fill *into, which is the method's parameter struct, from a map.  Keys the
 * table does not know are ignored, so that a newer client can talk to an older
 * agent.  A key twice, a missing one, a wrong type, a number out of its range, text
 * that is not UTF-8 or holds a NUL: FAULT_BAD_ARGUMENT that names the parameter.  Text borrows from
 * the map; lists are allocated in the zone.
 */
bool params_decode(const struct rpc_method *method, const msgpack_object *map, msgpack_zone *zone,
		   union rpc_params *into, struct fault *why);

/* Whether an answer has the shape its method promises; the first difference in *why. */
bool shape_check(enum shape_id id, const msgpack_object *map, struct fault *why);
/* The same for what a notification carries. */
bool topic_check(enum topic_id id, const msgpack_object *map, struct fault *why);

#endif
