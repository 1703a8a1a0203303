/* SPDX-License-Identifier: MIT */
/*
 * What a host sends: whatever bytes come, in whatever pieces, each line is a
 * message or has one error, and each error is a line of JSON.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base.h"
#include "lines.h"
#include "message.h"
#include "tools.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_answer(struct buf *out)
{
	json_error_t error;
	json_t *answer =
		json_loadb(out->at, out->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	BUG_IF(!answer || out->at[out->len - 1] != '\n');
	BUG_IF(memchr(out->at, '\n', out->len) != out->at + out->len - 1);
	json_t *id = json_object_get(answer, "id");
	BUG_IF(id && !json_is_string(id) && !json_is_integer(id));
	json_decref(answer);
}

/* The arguments of a tool, whatever they are: refused, or in bounds. */
static void check_tool(const struct message *m)
{
	const struct tool *tool;
	struct fault why;
	int64_t patience_ms;

	for (size_t n = 0; (tool = tool_at(n)); n++) {
		json_t *arguments = json_copy(m->params);
		bool ok = tool_prepare(tool, arguments, &patience_ms, &why);
		BUG_IF(ok ? patience_ms < 0 || patience_ms > 60000 : !*tool_advice(why.code));
		json_decref(arguments);
	}
}

static void check_message(struct str line)
{
	struct buf out = { 0 };
	struct message m;

	message_read(line, &m);
	switch (m.kind) {
	case MESSAGE_REQUEST:
	case MESSAGE_NOTIFICATION:
		BUG_IF(!m.method.at || !json_is_object(m.params));
		BUG_IF(!m.id != (m.kind == MESSAGE_NOTIFICATION));
		check_tool(&m);
		message_result(&out, m.id, json_incref(m.params));
		check_answer(&out);
		break;
	case MESSAGE_BAD:
		message_error(&out, m.id, m.code, m.what, NULL);
		check_answer(&out);
		break;
	case MESSAGE_NOTHING:
		break;
	}
	message_release(&m);
	buf_release(&out);
}

/* The bytes in pieces of this size; how many lines there were. */
static size_t feed(struct str bytes, size_t piece, bool check)
{
	struct lines lines = { .taken = 0 };
	size_t count = 0;
	struct str line;

	for (size_t at = 0; at <= bytes.len; at += piece) {
		bool last = at + piece > bytes.len;
		lines_add(&lines, (struct str){ bytes.at + at, last ? bytes.len - at : piece });
		while (lines_next(&lines, last, &line) == LINES_LINE) {
			BUG_IF(memchr(line.at, '\n', line.len));
			count++;
			if (check)
				check_message(line);
		}
	}
	lines_release(&lines);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct str all = { (const char *)bytes, len };

	if (!len)
		return 0;
	size_t count = feed(all, len + 1, true);
	BUG_IF(feed(all, 1, false) != count || feed(all, 7, false) != count);
	return 0;
}
