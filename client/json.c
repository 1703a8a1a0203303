/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "base.h"
#include "rpc.h"
#include "utf8.h"

/* Levels that the envelope of a request takes of those allowed. */
#define ENVELOPE_DEPTH 2

/* The text with every byte that belongs to no character replaced. */
static void repair(struct buf *out, struct str text)
{
	uint32_t code;

	for (size_t n; text.len; text.at += n, text.len -= n) {
		n = utf8_next(text, &code);
		if (n)
			buf_add(out, text.at, n);
		else
			buf_add_str(out, STR("\xef\xbf\xbd"));
		n += !n;
	}
}

json_t *json_of_text(struct str text)
{
	struct buf repaired = { 0 };

	if (utf8_ok(text))
		return json_stringn_nocheck(text.len ? text.at : "", text.len);
	repair(&repaired, text);
	json_t *value = json_stringn_nocheck(repaired.at, repaired.len);
	buf_release(&repaired);
	return value;
}

static json_t *json_array_of(const msgpack_object_array *array)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < array->size; i++)
		json_array_append_new(list, json_of(&array->ptr[i]));
	return list;
}

static json_t *json_object_of(const msgpack_object_map *map)
{
	json_t *object = json_object();
	struct buf key = { 0 };

	for (uint32_t i = 0; i < map->size; i++) {
		const msgpack_object *k = &map->ptr[i].key;
		if (k->type != MSGPACK_OBJECT_STR)
			continue;
		key.len = 0;
		repair(&key, (struct str){ k->via.str.ptr, k->via.str.size });
		json_object_setn_new_nocheck(object, buf_text(&key), key.len,
					     json_of(&map->ptr[i].val));
	}
	buf_release(&key);
	return object;
}

json_t *json_of(const msgpack_object *o)
{
	json_t *value = NULL;

	switch (o->type) {
	case MSGPACK_OBJECT_BOOLEAN:
		return json_boolean(o->via.boolean);
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return o->via.u64 <= INT64_MAX ? json_integer((json_int_t)o->via.u64)
					       : json_real((double)o->via.u64);
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return json_integer(o->via.i64);
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		value = json_real(o->via.f64);
		break;
	case MSGPACK_OBJECT_STR:
		return json_of_text((struct str){ o->via.str.ptr, o->via.str.size });
	case MSGPACK_OBJECT_BIN:
		return json_of_text((struct str){ o->via.bin.ptr, o->via.bin.size });
	case MSGPACK_OBJECT_ARRAY:
		return json_array_of(&o->via.array);
	case MSGPACK_OBJECT_MAP:
		return json_object_of(&o->via.map);
	case MSGPACK_OBJECT_NIL:
	case MSGPACK_OBJECT_EXT:
		break;
	}
	return value ? value : json_null();
}

static void wire_real(struct wire *w, double real)
{
	union {
		double real;
		uint64_t bits;
	} both = { real };
	char bytes[9] = { '\xcb' };

	for (int i = 0; i < 8; i++)
		bytes[1 + i] = (char)(both.bits >> (56 - 8 * i));
	wire_raw(w, bytes, sizeof(bytes));
}

static bool wire_object(struct wire *w, json_t *object, struct fault *why)
{
	if (json_object_size(object) > UINT16_MAX)
		return fault(why, FAULT_TOO_LARGE, "a JSON object of more than 65535 keys");
	wire_map(w);
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		wire_key(w, json_object_iter_key(at));
		if (!json_wire(w, json_object_iter_value(at), why))
			return false;
	}
	wire_end(w);
	return true;
}

static bool wire_array(struct wire *w, json_t *array, struct fault *why)
{
	wire_list(w);
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!json_wire(w, json_array_get(array, i), why))
			return false;
	wire_end(w);
	return true;
}

bool json_wire(struct wire *w, json_t *value, struct fault *why)
{
	if (w->depth >= RPC_DEPTH_MAX - ENVELOPE_DEPTH &&
	    (json_is_object(value) || json_is_array(value)))
		return fault(why, FAULT_BAD_ARGUMENT, "the JSON has more than %d levels",
			     RPC_DEPTH_MAX - ENVELOPE_DEPTH);
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return wire_object(w, value, why);
	case JSON_ARRAY:
		return wire_array(w, value, why);
	case JSON_STRING:
		wire_str(w, (struct str){ json_string_value(value), json_string_length(value) });
		break;
	case JSON_INTEGER:
		wire_int(w, json_integer_value(value));
		break;
	case JSON_REAL:
		wire_real(w, json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		wire_bool(w, json_is_true(value));
		break;
	case JSON_NULL:
		wire_nil(w);
		break;
	}
	return true;
}

struct str text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return (struct str){ json_string_value(value), json_string_length(value) };
}

long long number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

json_t *json_answer(const char *kind, json_t *answer)
{
	json_t *envelope = json_object(), *clock = json_object_get(answer, "clock");

	json_object_set_new(envelope, "schema", json_integer(1));
	json_object_set_new(envelope, "kind", json_string(kind));
	if (clock)
		json_object_set(envelope, "clock", clock);
	json_object_update_missing(envelope, answer);
	json_decref(answer);
	return envelope;
}

json_t *json_error(const struct fault *why)
{
	json_t *error = json_object();

	json_object_set_new(error, "code", json_string(fault_name(why->code)));
	json_object_set_new(error, "message", json_of_text(str_of(why->text)));
	json_object_set_new(error, "hint", json_string(fault_hint(why->code)));
	json_object_set_new(error, "retryable", json_boolean(fault_retryable(why->code)));
	json_t *answer = json_object();
	json_object_set_new(answer, "error", error);
	return json_answer("error", answer);
}

static int append(const char *bytes, size_t len, void *out)
{
	buf_add(out, bytes, len);
	return 0;
}

void json_line(struct buf *out, json_t *value)
{
	BUG_IF(json_dump_callback(value, append, out, JSON_COMPACT | JSON_PRESERVE_ORDER) < 0);
	buf_add(out, "\n", 1);
	json_decref(value);
}
