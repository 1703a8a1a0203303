/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include "base.h"
#include "rpc.h"

_Static_assert(COUNT_OF(((struct frame *)0)->left) == RPC_DEPTH_MAX + 1, "a level each");

/* What a head byte announces: bytes of its own, bytes of payload, values inside. */
struct head {
	unsigned size;    /* of head and length field */
	uint64_t payload; /* bytes that follow */
	uint64_t values;  /* values that follow, one level deeper */
	bool container;
};

static uint64_t big_endian(const uint8_t *at, unsigned n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | *at++;
	return value;
}

/* How long the length field behind a head byte is; 0 where there is none. */
static unsigned length_field(uint8_t byte)
{
	switch (byte) {
	case 0xc4: case 0xd9: case 0xc7:
		return 1;
	case 0xc5: case 0xda: case 0xc8: case 0xdc: case 0xde:
		return 2;
	case 0xc6: case 0xdb: case 0xc9: case 0xdd: case 0xdf:
		return 4;
	default:
		return 0;
	}
}

static void fixed(uint8_t byte, struct head *h)
{
	static const uint8_t payloads[32] = {
		[0xca - 0xc0] = 4, [0xcb - 0xc0] = 8,  [0xcc - 0xc0] = 1, [0xcd - 0xc0] = 2,
		[0xce - 0xc0] = 4, [0xcf - 0xc0] = 8,  [0xd0 - 0xc0] = 1, [0xd1 - 0xc0] = 2,
		[0xd2 - 0xc0] = 4, [0xd3 - 0xc0] = 8,  [0xd4 - 0xc0] = 2, [0xd5 - 0xc0] = 3,
		[0xd6 - 0xc0] = 5, [0xd7 - 0xc0] = 9,  [0xd8 - 0xc0] = 17,
	};

	if (byte >= 0xc0 && byte <= 0xdf)
		h->payload = payloads[byte - 0xc0];
	else if (byte >= 0xa0 && byte <= 0xbf)
		h->payload = byte & 0x1f;
	else if (byte >= 0x90 && byte <= 0x9f) {
		h->values = byte & 0x0f;
		h->container = true;
	} else if (byte >= 0x80 && byte <= 0x8f) {
		h->values = (uint64_t)(byte & 0x0f) * 2;
		h->container = true;
	}
}

/* Read a head; false where its length field is not there yet. */
static bool read_head(const uint8_t *at, size_t len, struct head *h)
{
	unsigned field = length_field(*at);

	*h = (struct head){ .size = 1 + field };
	if (len < h->size)
		return false;
	if (!field) {
		fixed(*at, h);
		return true;
	}
	uint64_t n = big_endian(at + 1, field);
	if (*at >= 0xdc && *at <= 0xdf) {
		h->values = *at >= 0xde ? n * 2 : n;
		h->container = true;
	} else {
		h->payload = n + (*at >= 0xc7 && *at <= 0xc9); /* ext: a type byte */
	}
	return true;
}

void frame_reset(struct frame *f)
{
	*f = (struct frame){ 0 };
}

/* One value is through: so may be the containers that it was the last of. */
static void close_levels(struct frame *f)
{
	while (f->depth && !f->left[f->depth])
		f->depth--;
}

enum frame_state frame_scan(struct frame *f, struct str bytes, size_t max, struct fault *why)
{
	const uint8_t *at = (const uint8_t *)bytes.at;

	if (!f->started) {
		frame_reset(f);
		f->started = true;
		f->left[0] = 1;
	}
	while (f->left[0] || f->depth) {
		struct head h;

		if (f->at >= bytes.len || !read_head(at + f->at, bytes.len - f->at, &h))
			return bytes.len > max ? (fault(why, FAULT_BAD_MESSAGE,
							"a message of more than %zu bytes", max),
						  FRAME_BAD)
					       : FRAME_MORE;
		/* A value is a byte at least: what promises more than fits is a lie. */
		if (f->at + h.size > max || h.payload > max - f->at - h.size ||
		    h.values > max - f->at - h.size) {
			fault(why, FAULT_BAD_MESSAGE, "a message of more than %zu bytes", max);
			return FRAME_BAD;
		}
		if (bytes.len - f->at - h.size < h.payload)
			return FRAME_MORE;
		if (*(at + f->at) == 0xc1) {
			fault(why, FAULT_BAD_MESSAGE, "not MessagePack: byte 0xc1 at %zu", f->at);
			return FRAME_BAD;
		}
		f->left[f->depth]--;
		f->at += h.size + h.payload;
		if (h.container) {
			if (f->depth == RPC_DEPTH_MAX) {
				fault(why, FAULT_BAD_MESSAGE, "a message of more than %d levels",
				      RPC_DEPTH_MAX);
				return FRAME_BAD;
			}
			f->left[++f->depth] = h.values;
		}
		close_levels(f);
	}
	f->started = false;
	return FRAME_WHOLE;
}

static bool decode_error(const msgpack_object *error, struct envelope *e)
{
	if (error->type == MSGPACK_OBJECT_STR) {
		e->error = (struct str){ error->via.str.ptr, error->via.str.size };
		return true;
	}
	if (error->type != MSGPACK_OBJECT_ARRAY || error->via.array.size != 2 ||
	    error->via.array.ptr[1].type != MSGPACK_OBJECT_STR)
		return false;
	const msgpack_object *parts = error->via.array.ptr;
	e->argument = parts[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER && parts[0].via.u64 == 1;
	e->error = (struct str){ parts[1].via.str.ptr, parts[1].via.str.size };
	return true;
}

/* Parameters are a list of one map; none at all is the empty map. */
static bool decode_params(const msgpack_object *list, struct envelope *e, struct fault *why)
{
	e->params = (msgpack_object){ .type = MSGPACK_OBJECT_MAP };
	if (list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size > 1)
		return fault(why, FAULT_BAD_MESSAGE, "parameters are not a list of one map");
	if (!list->via.array.size)
		return true;
	if (list->via.array.ptr[0].type != MSGPACK_OBJECT_MAP)
		return fault(why, FAULT_BAD_MESSAGE, "parameters are not a list of one map");
	e->params = list->via.array.ptr[0];
	return true;
}

static bool decode_call(const msgpack_object *method, const msgpack_object *params,
			struct envelope *e, struct fault *why)
{
	if (method->type != MSGPACK_OBJECT_STR)
		return fault(why, FAULT_BAD_MESSAGE, "the method's name is not text");
	e->method = (struct str){ method->via.str.ptr, method->via.str.size };
	return decode_params(params, e, why);
}

static bool decode_response(const msgpack_object *part, struct envelope *e, struct fault *why)
{
	e->failed = part[2].type != MSGPACK_OBJECT_NIL;
	e->result = part[3];
	if (e->failed && !decode_error(&part[2], e))
		return fault(why, FAULT_BAD_MESSAGE, "an error of an unknown form");
	return true;
}

bool envelope_decode(struct str bytes, msgpack_zone *zone, struct envelope *e, struct fault *why)
{
	msgpack_object message;
	size_t at = 0;

	*e = (struct envelope){ 0 };
	if (msgpack_unpack(bytes.at, bytes.len, &at, zone, &message) != MSGPACK_UNPACK_SUCCESS)
		return fault(why, FAULT_BAD_MESSAGE, "not MessagePack");
	if (message.type != MSGPACK_OBJECT_ARRAY || !message.via.array.size)
		return fault(why, FAULT_BAD_MESSAGE, "not a MessagePack-RPC message");
	const msgpack_object *part = message.via.array.ptr;
	uint32_t parts = message.via.array.size;
	uint64_t type = part[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER ? part[0].via.u64 : 99;
	if (type > 2 || parts != (type == ENVELOPE_NOTIFICATION ? 3 : 4))
		return fault(why, FAULT_BAD_MESSAGE, "not a MessagePack-RPC message");
	e->type = (enum envelope_type)type;
	if (type == ENVELOPE_NOTIFICATION)
		return decode_call(&part[1], &part[2], e, why);
	if (part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER || part[1].via.u64 > UINT32_MAX)
		return fault(why, FAULT_BAD_MESSAGE, "the message id is not a 32-bit number");
	e->msgid = (uint32_t)part[1].via.u64;
	return type == ENVELOPE_REQUEST ? decode_call(&part[2], &part[3], e, why)
					: decode_response(part, e, why);
}
