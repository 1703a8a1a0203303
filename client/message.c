/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <string.h>

#include "json.h"

static void bad(struct message *m, enum message_code code, const char *what)
{
	m->kind = MESSAGE_BAD;
	m->code = code;
	m->what = what;
}

static bool is_blank(struct str line)
{
	while (line.len && strchr(" \t\r", line.at[line.len - 1]))
		line.len--;
	return !line.len;
}

static bool read_id(struct message *m)
{
	json_t *id = json_object_get(m->root, "id");

	if (!id)
		return true;
	if (!json_is_string(id) && !json_is_integer(id)) {
		bad(m, MESSAGE_INVALID, "an id is text or an integer, and never null");
		return false;
	}
	m->id = id;
	return true;
}

static void read_request(struct message *m)
{
	json_t *version = json_object_get(m->root, "jsonrpc");
	json_t *method = json_object_get(m->root, "method");

	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0) {
		bad(m, MESSAGE_INVALID, "\"jsonrpc\" is not \"2.0\"");
	} else if (!method &&
		   (json_object_get(m->root, "result") || json_object_get(m->root, "error"))) {
		m->kind = MESSAGE_NOTHING;
	} else if (!json_is_string(method)) {
		bad(m, MESSAGE_INVALID, "there is no method, or it is no text");
	} else if (m->params && !json_is_object(m->params)) {
		bad(m, MESSAGE_BAD_PARAMS, "params are not an object");
	} else {
		m->method = text_of(m->root, "method");
		m->kind = m->id ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
		if (!m->params) {
			m->params = json_object();
			json_object_set_new(m->root, "params", m->params);
		}
	}
}

void message_read(struct str line, struct message *m)
{
	json_error_t error;

	*m = (struct message){ .kind = MESSAGE_NOTHING };
	if (is_blank(line))
		return;
	m->root = json_loadb(line.at, line.len,
			     JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
	if (!m->root) {
		bad(m, MESSAGE_PARSE, "the line is no JSON, or says a key twice");
	} else if (json_is_array(m->root)) {
		bad(m, MESSAGE_INVALID, "batches are not taken: send one message a line");
	} else if (!json_is_object(m->root)) {
		bad(m, MESSAGE_INVALID, "a message is an object");
	} else if (read_id(m)) {
		m->params = json_object_get(m->root, "params");
		read_request(m);
	}
}

void message_release(struct message *m)
{
	json_decref(m->root);
	*m = (struct message){ .kind = MESSAGE_NOTHING };
}

static json_t *answer_to(json_t *id)
{
	json_t *answer = json_object();

	json_object_set_new(answer, "jsonrpc", json_string("2.0"));
	if (id)
		json_object_set(answer, "id", id);
	return answer;
}

void message_result(struct buf *out, json_t *id, json_t *result)
{
	json_t *answer = answer_to(id);

	json_object_set_new(answer, "result", result);
	json_line(out, answer);
}

void message_error(struct buf *out, json_t *id, enum message_code code, const char *text,
		   json_t *data)
{
	json_t *answer = answer_to(id), *error = json_object();

	json_object_set_new(error, "code", json_integer(code));
	json_object_set_new(error, "message", json_of_text(str_of(text)));
	if (data)
		json_object_set_new(error, "data", data);
	json_object_set_new(answer, "error", error);
	json_line(out, answer);
}
