/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include <stdlib.h>

#include "base.h"
#include "json.h"
#include "tick.h"

/* More than a model can take in at once. */
#define ANSWER_MAX 65536

struct flight *flight_new(const struct tool *tool, json_t *id, bool modern)
{
	struct flight *f = xcalloc(1, sizeof(*f));

	f->tool = tool;
	f->id = json_incref(id);
	f->modern = modern;
	return f;
}

bool flight_begin(struct flight *f, const struct way *way, json_t *arguments, struct fault *why)
{
	int64_t patience_ms;

	if (tool_writes(f->tool) && request_read_only())
		return fault(why, FAULT_READ_ONLY, "%s writes, and this server only looks",
			     f->tool->name);
	if (!tool_prepare(f->tool, arguments, &patience_ms, why) ||
	    !request_params(f->tool->method, arguments, &f->request, why) ||
	    !place_find(way->dir, &f->place, why))
		return false;
	f->call.reach = (struct reach){ .place = &f->place,
					.mode = way->no_start ? START_NEVER : START_IMPLICIT,
					.offline = way->offline,
					.deadline = tick_now() + patience_ms };
	f->called = true;
	request_stand(&f->request, f->place.source);
	return call_begin(&f->asking, &f->call, &f->request, why);
}

void flight_free(struct flight *f)
{
	call_hang_up(&f->asking);
	if (f->called)
		call_release(&f->call);
	request_release(&f->request);
	place_release(&f->place);
	json_decref(f->id);
	free(f);
}

static json_t *text_content(struct str text)
{
	return json_pack("[{s:s, s:o}]", "type", "text", "text", json_of_text(text));
}

/* The text of a value on one line, without its end. */
static struct str line_of(struct buf *line, json_t *value)
{
	json_line(line, value);
	return (struct str){ line->at, line->len - 1 };
}

json_t *flight_refusal(const struct fault *why)
{
	struct buf line = { 0 };
	json_t *answer = json_error(why);

	json_object_set_new(json_object_get(answer, "error"), "hint",
			    json_string(tool_advice(why->code)));
	json_t *result = json_pack("{s:o, s:b}", "content", text_content(line_of(&line, answer)),
				   "isError", 1);
	buf_release(&line);
	return result;
}

static json_t *result_of(const struct flight *f, json_t *answer, struct fault *why)
{
	struct buf line = { 0 };
	struct str text = line_of(&line, json_incref(answer));
	json_t *result = NULL;

	if (text.len > ANSWER_MAX)
		fault(why, FAULT_TOO_LARGE,
		      "the answer of %s has %zu bytes, more than the %d a "
		      "tool gives",
		      f->tool->name, text.len, ANSWER_MAX);
	else
		result = json_pack("{s:o, s:O}", "content", text_content(text), "structuredContent",
				   answer);
	buf_release(&line);
	return result;
}

enum talk flight_go_on(struct flight *f, json_t **result)
{
	struct fault why;
	enum talk how = call_go_on(&f->asking, &why);

	*result = NULL;
	if (how == TALK_MORE)
		return how;
	if (how == TALK_DONE) {
		json_t *answer = json_answer(f->request.kind, json_of(&f->call.result));
		*result = result_of(f, answer, &why);
		json_decref(answer);
	}
	if (!*result)
		*result = flight_refusal(&why);
	return how;
}
