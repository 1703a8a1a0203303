/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <msgpack.h>

#include "base.h"
#include "stamp.h"

static int append(void *data, const char *bytes, size_t len)
{
	buf_add(data, bytes, len);
	return 0;
}

static msgpack_packer packer(struct wire *w)
{
	return (msgpack_packer){ .data = w->out, .callback = append };
}

/* Every value but a key's counts as an element of the list it stands in. */
static void count(struct wire *w)
{
	if (w->depth && !w->open[w->depth - 1].map)
		w->open[w->depth - 1].count++;
}

void wire_init(struct wire *w, struct buf *out)
{
	*w = (struct wire){ .out = out };
}

static void open_container(struct wire *w, bool map)
{
	static const char headers[2][5] = { { '\xdd' }, { '\xde' } };

	BUG_IF(w->depth == WIRE_DEPTH_MAX);
	count(w);
	w->open[w->depth].header = w->out->len;
	w->open[w->depth].count = 0;
	w->open[w->depth].map = map;
	w->depth++;
	buf_add(w->out, headers[map], map ? 3 : 5);
}

void wire_map(struct wire *w)
{
	open_container(w, true);
}

void wire_list(struct wire *w)
{
	open_container(w, false);
}

void wire_end(struct wire *w)
{
	BUG_IF(!w->depth);
	w->depth--;
	uint32_t n = w->open[w->depth].count;
	uint8_t *at = (uint8_t *)w->out->at + w->open[w->depth].header + 1;
	if (w->open[w->depth].map) {
		BUG_IF(n > UINT16_MAX);
		*at++ = (uint8_t)(n >> 8);
		*at = (uint8_t)n;
		return;
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(n >> shift);
}

/* Most of an answer are short texts: header and bytes in one step. */
static void put_text(struct wire *w, const char *text, size_t len)
{
	msgpack_packer pk = packer(w);

	if (len < 32) {
		buf_room(w->out, len + 1);
		w->out->at[w->out->len] = (char)(0xa0 | len);
		if (len)
			memcpy(w->out->at + w->out->len + 1, text, len);
		w->out->len += len + 1;
		return;
	}
	msgpack_pack_str(&pk, len);
	msgpack_pack_str_body(&pk, text, len);
}

void wire_str(struct wire *w, struct str text)
{
	count(w);
	put_text(w, text.at, text.len);
}

void wire_int(struct wire *w, int64_t value)
{
	msgpack_packer pk = packer(w);

	count(w);
	msgpack_pack_int64(&pk, value);
}

void wire_bool(struct wire *w, bool value)
{
	msgpack_packer pk = packer(w);

	count(w);
	if (value)
		msgpack_pack_true(&pk);
	else
		msgpack_pack_false(&pk);
}

void wire_nil(struct wire *w)
{
	msgpack_packer pk = packer(w);

	count(w);
	msgpack_pack_nil(&pk);
}

void wire_raw(struct wire *w, const void *bytes, size_t len)
{
	count(w);
	buf_add(w->out, bytes, len);
}

void wire_key(struct wire *w, const char *name)
{
	BUG_IF(!w->depth || !w->open[w->depth - 1].map);
	w->open[w->depth - 1].count++;
	put_text(w, name, strlen(name));
}

void wire_put_str(struct wire *w, const char *name, struct str text)
{
	wire_key(w, name);
	wire_str(w, text);
}

void wire_put_opt(struct wire *w, const char *name, struct str text)
{
	if (text.at)
		wire_put_str(w, name, text);
}

void wire_put_int(struct wire *w, const char *name, int64_t value)
{
	wire_key(w, name);
	wire_int(w, value);
}

void wire_put_bool(struct wire *w, const char *name, bool value)
{
	wire_key(w, name);
	wire_bool(w, value);
}

void wire_put_time(struct wire *w, const char *name, int64_t us)
{
	char text[STAMP_MAX];

	wire_put_str(w, name, str_of(stamp_text(us, text)));
}

void wire_request(struct wire *w, uint32_t msgid, const char *method)
{
	msgpack_packer pk = packer(w);

	msgpack_pack_array(&pk, 4);
	msgpack_pack_int(&pk, 0);
	msgpack_pack_uint32(&pk, msgid);
	wire_str(w, str_of(method));
	msgpack_pack_array(&pk, 1);
}

void wire_response(struct wire *w, uint32_t msgid)
{
	msgpack_packer pk = packer(w);

	msgpack_pack_array(&pk, 4);
	msgpack_pack_int(&pk, 1);
	msgpack_pack_uint32(&pk, msgid);
	msgpack_pack_nil(&pk);
}

void wire_notification(struct wire *w, const char *method)
{
	msgpack_packer pk = packer(w);

	msgpack_pack_array(&pk, 3);
	msgpack_pack_int(&pk, 2);
	wire_str(w, str_of(method));
	msgpack_pack_array(&pk, 1);
}

void wire_error(struct wire *w, uint32_t msgid, bool argument, struct str text)
{
	msgpack_packer pk = packer(w);

	msgpack_pack_array(&pk, 4);
	msgpack_pack_int(&pk, 1);
	msgpack_pack_uint32(&pk, msgid);
	msgpack_pack_array(&pk, 2);
	msgpack_pack_int(&pk, argument);
	wire_str(w, text);
	msgpack_pack_nil(&pk);
}
