/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a stranger: wherever they are cut, frame_scan says the same of them,
 * and what it lets through can be taken apart and decoded.  Built with
 * libFuzzer, or with replay.c as a program that runs its corpus.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base.h"
#include "frame.h"
#include "params.h"
#include "rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A small limit is reached by small inputs. */
static const size_t limits[] = { 24, RPC_MESSAGE_MAX };

static enum frame_state scan_bytewise(struct str bytes, size_t max, size_t *end)
{
	struct frame f = { 0 };
	struct fault why;
	enum frame_state state = FRAME_MORE;

	for (size_t n = 0; n <= bytes.len && state == FRAME_MORE; n++) {
		state = frame_scan(&f, (struct str){ bytes.at, n }, max, &why);
		BUG_IF(f.at > n && state != FRAME_BAD);
	}
	*end = f.at;
	return state;
}

static void decode(struct str message)
{
	msgpack_zone *zone = msgpack_zone_new(2048);
	msgpack_object object;
	struct envelope e;
	union rpc_params params;
	struct fault why;
	size_t end = 0;

	BUG_IF(!zone);
	BUG_IF(msgpack_unpack(message.at, message.len, &end, zone, &object) !=
	       MSGPACK_UNPACK_SUCCESS);
	if (envelope_decode(message, zone, &e, &why) && e.type != ENVELOPE_RESPONSE) {
		enum rpc_id id = rpc_find(e.method);
		if (id != RPC_COUNT)
			params_decode(rpc_method(id), &e.params, zone, &params, &why);
	} else if (e.type == ENVELOPE_RESPONSE && !e.failed) {
		for (enum shape_id id = 0; id < SHAPE_COUNT; id++)
			shape_check(id, &e.result, &why);
	}
	msgpack_zone_free(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct str all = { (const char *)bytes, len };

	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		struct frame f = { 0 };
		struct fault why;
		size_t end;
		enum frame_state state = frame_scan(&f, all, limits[i], &why);
		BUG_IF(scan_bytewise(all, limits[i], &end) != state);
		BUG_IF(state == FRAME_MORE && len > limits[i]);
		BUG_IF(state == FRAME_WHOLE && (end != f.at || end > limits[i] || end > len));
		if (state == FRAME_WHOLE)
			decode((struct str){ all.at, end });
	}
	return 0;
}
