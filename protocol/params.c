/* SPDX-License-Identifier: MIT */
#include "params.h"

#include <stdio.h>

#include "base.h"
#include "stamp.h"
#include "utf8.h"

static bool wrong(struct fault *why, const struct rpc_field *f, const char *what)
{
	return fault(why, FAULT_BAD_ARGUMENT, "%s %s", f->name, what);
}

static bool get_text(const struct rpc_field *f, const msgpack_object *v, struct str *into,
		     struct fault *why)
{
	if (v->type != MSGPACK_OBJECT_STR)
		return wrong(why, f, "is not text");
	*into = (struct str){ v->via.str.size ? v->via.str.ptr : "", v->via.str.size };
	if (!utf8_ok(*into))
		return wrong(why, f, "is not UTF-8");
	if (into->len && memchr(into->at, 0, into->len))
		return wrong(why, f, "holds a NUL byte");
	return true;
}

static bool get_int(const struct rpc_field *f, const msgpack_object *v, int64_t *into,
		    struct fault *why)
{
	if (v->type == MSGPACK_OBJECT_POSITIVE_INTEGER && v->via.u64 <= INT64_MAX)
		*into = (int64_t)v->via.u64;
	else if (v->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*into = v->via.i64;
	else
		return wrong(why, f, "is not an integer");
	if (!f->range.most || (*into >= f->range.least && *into <= f->range.most))
		return true;
	return fault(why, FAULT_BAD_ARGUMENT, "%s is %lld; it goes from %lld to %lld", f->name,
		     (long long)*into, (long long)f->range.least, (long long)f->range.most);
}

static bool get_word(const struct rpc_field *f, const msgpack_object *v, int *into,
		     struct fault *why)
{
	struct str text;

	if (!get_text(f, v, &text, why))
		return false;
	*into = word_find(f->words, text);
	if (*into >= 0)
		return true;
	size_t shown = text.len < 64 ? text.len : 64;
	while (shown < text.len && (text.at[shown] & 0xc0) == 0x80) /* not within a character */
		shown--;
	fault(why, FAULT_BAD_ARGUMENT, "%s: \"%.*s\" is none of", f->name, (int)shown, text.at);
	for (int i = 0; i < f->words->count; i++) {
		size_t used = strlen(why->text);
		snprintf(why->text + used, sizeof(why->text) - used, "%s %s", i ? "," : "",
			 f->words->list[i].name);
	}
	return false;
}

static bool get_time(const struct rpc_field *f, const msgpack_object *v, int64_t *into,
		     struct fault *why)
{
	struct str text;

	if (!get_text(f, v, &text, why))
		return false;
	if (stamp_parse(text, into))
		return true;
	return wrong(why, f, "is not a time such as 2026-01-31T12:00:00Z");
}

static bool get_span(const struct rpc_field *f, const msgpack_object *v, int64_t *into,
		     struct fault *why)
{
	struct str text;

	if (v->type == MSGPACK_OBJECT_POSITIVE_INTEGER && v->via.u64 <= 999999999) {
		*into = (int64_t)v->via.u64 * 1000;
		return true;
	}
	if (!get_text(f, v, &text, why))
		return false;
	if (span_parse(text, into))
		return true;
	return wrong(why, f, "is not a duration such as 30s, 5m or 2h");
}

static bool get_words(const struct rpc_field *f, const msgpack_object *v, uint64_t *into,
		      struct fault *why)
{
	int at;

	*into = 0;
	if (v->type != MSGPACK_OBJECT_ARRAY) {
		if (!get_word(f, v, &at, why))
			return false;
		*into = UINT64_C(1) << at;
		return true;
	}
	for (uint32_t i = 0; i < v->via.array.size; i++) {
		if (!get_word(f, &v->via.array.ptr[i], &at, why))
			return false;
		*into |= UINT64_C(1) << at;
	}
	return true;
}

static bool get_strs(const struct rpc_field *f, const msgpack_object *v, msgpack_zone *zone,
		     struct rpc_strs *into, struct fault *why)
{
	if (v->type != MSGPACK_OBJECT_ARRAY)
		return wrong(why, f, "is not a list of text");
	into->count = v->via.array.size;
	struct str *list = msgpack_zone_malloc(zone, (into->count + 1) * sizeof(*list));
	BUG_IF(!list);
	into->at = list;
	for (size_t i = 0; i < into->count; i++)
		if (!get_text(f, &v->via.array.ptr[i], &list[i], why))
			return false;
	return true;
}

static bool get(const struct rpc_field *f, const msgpack_object *v, msgpack_zone *zone, void *into,
		struct fault *why)
{
	switch (f->type) {
	case RPC_STR:
		return get_text(f, v, into, why);
	case RPC_ID:
		if (!get_text(f, v, into, why))
			return false;
		return ((struct str *)into)->len ? true : wrong(why, f, "is empty");
	case RPC_INT:
		return get_int(f, v, into, why);
	case RPC_BOOL:
		if (v->type != MSGPACK_OBJECT_BOOLEAN)
			return wrong(why, f, "is not true or false");
		*(bool *)into = v->via.boolean;
		return true;
	case RPC_TIME:
		return get_time(f, v, into, why);
	case RPC_DURATION:
		return get_span(f, v, into, why);
	case RPC_ENUM:
		return get_word(f, v, into, why);
	case RPC_ENUMS:
		return get_words(f, v, into, why);
	case RPC_STRS:
		return get_strs(f, v, zone, into, why);
	case RPC_OBJECT:
	case RPC_LIST:
		break;
	}
	bug_at(__FILE__, __LINE__, "a type that no parameter has");
}

bool params_decode(const struct rpc_method *method, const msgpack_object *map, msgpack_zone *zone,
		   union rpc_params *into, struct fault *why)
{
	uint32_t given = 0;
	unsigned at;

	memset(into, 0, sizeof(*into));
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[i];
		if (kv->key.type != MSGPACK_OBJECT_STR)
			return fault(why, FAULT_BAD_ARGUMENT, "a parameter's name is not text");
		struct str key = { kv->key.via.str.ptr, kv->key.via.str.size };
		const struct rpc_field *f = rpc_field_find(method->params, key, &at);
		if (!f)
			continue;
		if (given & UINT32_C(1) << at)
			return wrong(why, f, "is given twice");
		given |= UINT32_C(1) << at;
		if (!get(f, &kv->val, zone, (char *)into + f->offset, why))
			return false;
	}
	at = 0;
	for (const struct rpc_field *f = method->params; f->name; f++, at++)
		if (f->required && !(given & UINT32_C(1) << at))
			return wrong(why, f, "is missing");
	memcpy(into, &given, sizeof(given));
	return true;
}

static bool value_check(const char *where, const struct rpc_field *f, const msgpack_object *v,
			struct fault *why);

/* Fields of the shape `beside` may stand in the same map; SHAPE_COUNT: none. */
static bool fields_check(enum shape_id id, const msgpack_object *map, enum shape_id beside,
			 struct fault *why)
{
	const struct shape *s = shape(id);
	uint32_t given = 0;
	unsigned at;

	if (map->type != MSGPACK_OBJECT_MAP)
		return fault(why, FAULT_INTERNAL, "%s is not a map", s->name);
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[i];
		if (kv->key.type != MSGPACK_OBJECT_STR)
			return fault(why, FAULT_INTERNAL, "%s: a key is not text", s->name);
		struct str key = { kv->key.via.str.ptr, kv->key.via.str.size };
		const struct rpc_field *f = rpc_field_find(s->fields, key, &at);
		if (!f && beside != SHAPE_COUNT && rpc_field_find(shape(beside)->fields, key, &at))
			continue;
		if (!f)
			return fault(why, FAULT_INTERNAL, "%s has an unknown field %.*s", s->name,
				     STR_ARG(key));
		if (given & UINT32_C(1) << at)
			return fault(why, FAULT_INTERNAL, "%s.%s stands twice", s->name, f->name);
		given |= UINT32_C(1) << at;
		if (!value_check(s->name, f, &kv->val, why))
			return false;
	}
	at = 0;
	for (const struct rpc_field *f = s->fields; f->name; f++, at++)
		if (f->required && !(given & UINT32_C(1) << at))
			return fault(why, FAULT_INTERNAL, "%s.%s is missing", s->name, f->name);
	return true;
}

/* Whether every element of a list is text, or has the shape. */
static bool elements_check(const char *where, const struct rpc_field *f, const msgpack_object *v,
			   struct fault *why)
{
	if (v->type != MSGPACK_OBJECT_ARRAY)
		return fault(why, FAULT_INTERNAL, "%s.%s is not a list", where, f->name);
	for (uint32_t i = 0; i < v->via.array.size; i++) {
		const msgpack_object *one = &v->via.array.ptr[i];
		if (f->type == RPC_STRS && one->type != MSGPACK_OBJECT_STR)
			return fault(why, FAULT_INTERNAL, "%s.%s holds no text", where, f->name);
		if (f->type == RPC_LIST && !fields_check(f->shape, one, SHAPE_COUNT, why))
			return false;
	}
	return true;
}

static bool value_check(const char *where, const struct rpc_field *f, const msgpack_object *v,
			struct fault *why)
{
	int at;
	int64_t number;
	struct fault inner;
	struct str text;
	bool ok = true;

	switch (f->type) {
	case RPC_STR:
	case RPC_ID:
		ok = get_text(f, v, &text, &inner);
		break;
	case RPC_TIME:
		ok = get_time(f, v, &number, &inner);
		break;
	case RPC_ENUM:
		ok = get_word(f, v, &at, &inner);
		break;
	case RPC_INT:
	case RPC_DURATION:
		ok = get_int(f, v, &number, &inner);
		break;
	case RPC_BOOL:
		ok = v->type == MSGPACK_OBJECT_BOOLEAN;
		snprintf(inner.text, sizeof(inner.text), "%s is not true or false", f->name);
		break;
	case RPC_OBJECT:
		return fields_check(f->shape, v, SHAPE_COUNT, why);
	case RPC_ENUMS:
	case RPC_STRS:
	case RPC_LIST:
		return elements_check(where, f, v, why);
	}
	return ok ? true : fault(why, FAULT_INTERNAL, "%s: %.500s", where, inner.text);
}

bool shape_check(enum shape_id id, const msgpack_object *map, struct fault *why)
{
	return fields_check(id, map, SHAPE_envelope, why) &&
	       fields_check(SHAPE_envelope, map, id, why);
}

bool topic_check(enum topic_id id, const msgpack_object *map, struct fault *why)
{
	return fields_check(rpc_topic(id)->shape, map, SHAPE_COUNT, why);
}
