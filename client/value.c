/* SPDX-License-Identifier: MIT */
#include "value.h"

#include <stdlib.h>

#include "base.h"
#include "wire.h"

/* -- Parameters ---------------------------------------------------------- */

struct tp_params {
	struct buf bytes;
	struct wire wire;
	bool ended;
};

struct tp_params *tp_params_new(void)
{
	struct tp_params *p = xcalloc(1, sizeof(*p));

	wire_init(&p->wire, &p->bytes);
	wire_map(&p->wire);
	return p;
}

struct tp_params *params_of(struct str map)
{
	struct tp_params *p = xcalloc(1, sizeof(*p));

	buf_add_str(&p->bytes, map);
	p->ended = true;
	return p;
}

void tp_params_free(struct tp_params *p)
{
	if (!p)
		return;
	buf_release(&p->bytes);
	free(p);
}

void tp_set_text(struct tp_params *p, const char *name, const char *text)
{
	wire_put_str(&p->wire, name, str_of(text));
}

void tp_set_number(struct tp_params *p, const char *name, int64_t number)
{
	wire_put_int(&p->wire, name, number);
}

void tp_set_truth(struct tp_params *p, const char *name, int truth)
{
	wire_put_bool(&p->wire, name, truth);
}

void tp_set_texts(struct tp_params *p, const char *name, const char *const *texts, size_t count)
{
	wire_key(&p->wire, name);
	wire_list(&p->wire);
	for (size_t i = 0; i < count; i++)
		wire_str(&p->wire, str_of(texts[i]));
	wire_end(&p->wire);
}

void tp_set_raw(struct tp_params *p, const char *name, const void *bytes, size_t len)
{
	wire_key(&p->wire, name);
	wire_raw(&p->wire, bytes, len);
}

struct str params_map(struct tp_params *p)
{
	if (!p->ended)
		wire_end(&p->wire);
	p->ended = true;
	return (struct str){ p->bytes.at, p->bytes.len };
}

static int append(void *data, const char *bytes, size_t len)
{
	buf_add(data, bytes, len);
	return 0;
}

static void put_object(struct wire *w, const msgpack_object *object)
{
	struct buf bytes = { 0 };
	msgpack_packer pk = { .data = &bytes, .callback = append };

	msgpack_pack_object(&pk, *object);
	wire_raw(w, bytes.at, bytes.len);
	buf_release(&bytes);
}

void params_with_since(struct str map, const char *clock, struct buf *into)
{
	msgpack_unpacked whole;
	struct wire w;

	msgpack_unpacked_init(&whole);
	BUG_IF(msgpack_unpack_next(&whole, map.at, map.len, NULL) != MSGPACK_UNPACK_SUCCESS);
	wire_init(&w, into);
	wire_map(&w);
	for (uint32_t i = 0; i < whole.data.via.map.size; i++) {
		const msgpack_object_kv *pair = &whole.data.via.map.ptr[i];
		if (clock && tp_is(value_of(&pair->key), "since"))
			continue;
		char *name = xstrndup(pair->key.via.str.ptr, pair->key.via.str.size);
		wire_key(&w, name);
		put_object(&w, &pair->val);
		free(name);
	}
	if (clock)
		wire_put_str(&w, "since", str_of(clock));
	wire_end(&w);
	msgpack_unpacked_destroy(&whole);
}

/* -- Answers ------------------------------------------------------------- */

static struct str text_at(const msgpack_object *o)
{
	return o && o->type == MSGPACK_OBJECT_STR ? (struct str){ o->via.str.ptr, o->via.str.size }
						  : STR_NONE;
}

static const msgpack_object *element(const msgpack_object *list, struct str step)
{
	uint64_t at = 0;

	for (size_t i = 0; i < step.len; i++) {
		if (step.at[i] < '0' || step.at[i] > '9' || i > 9)
			return NULL;
		at = at * 10 + (uint64_t)(step.at[i] - '0');
	}
	return step.len && at < list->via.array.size ? &list->via.array.ptr[at] : NULL;
}

static const msgpack_object *member(const msgpack_object *map, struct str step)
{
	for (uint32_t i = 0; i < map->via.map.size; i++)
		if (str_eq(text_at(&map->via.map.ptr[i].key), step))
			return &map->via.map.ptr[i].val;
	return NULL;
}

const struct tp_value *tp_get(const struct tp_value *value, const char *path)
{
	const msgpack_object *o = object_of(value);

	while (o && *path) {
		struct str step = { path, strcspn(path, ".") };
		o = o->type == MSGPACK_OBJECT_MAP     ? member(o, step)
		    : o->type == MSGPACK_OBJECT_ARRAY ? element(o, step)
						      : NULL;
		path += step.len + (path[step.len] == '.');
	}
	return value_of(o);
}

const char *tp_text(const struct tp_value *value, size_t *len)
{
	struct str text = text_at(object_of(value));

	*len = text.len;
	return text.at;
}

int tp_is(const struct tp_value *value, const char *text)
{
	struct str said = text_at(object_of(value));

	return said.at && str_is(said, text);
}

int64_t tp_number(const struct tp_value *value)
{
	const msgpack_object *o = object_of(value);

	if (o && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		return o->via.u64 > INT64_MAX ? INT64_MAX : (int64_t)o->via.u64;
	return o && o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ? o->via.i64 : 0;
}

int tp_truth(const struct tp_value *value)
{
	const msgpack_object *o = object_of(value);

	return o && o->type == MSGPACK_OBJECT_BOOLEAN && o->via.boolean;
}

size_t tp_size(const struct tp_value *value)
{
	const msgpack_object *o = object_of(value);

	if (o && o->type == MSGPACK_OBJECT_MAP)
		return o->via.map.size;
	return o && o->type == MSGPACK_OBJECT_ARRAY ? o->via.array.size : 0;
}

const struct tp_value *tp_at(const struct tp_value *value, size_t at, const struct tp_value **key)
{
	const msgpack_object *o = object_of(value);
	bool map = o && o->type == MSGPACK_OBJECT_MAP;

	if (key)
		*key = NULL;
	if (at >= tp_size(value))
		return NULL;
	if (key && map)
		*key = value_of(&o->via.map.ptr[at].key);
	return value_of(map ? &o->via.map.ptr[at].val : &o->via.array.ptr[at]);
}

void *tp_raw(const struct tp_value *value, size_t *len)
{
	struct buf bytes = { 0 };
	msgpack_packer pk = { .data = &bytes, .callback = append };

	*len = 0;
	if (!value)
		return NULL;
	msgpack_pack_object(&pk, *object_of(value));
	*len = bytes.len;
	return bytes.at;
}
