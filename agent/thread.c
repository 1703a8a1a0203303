/* SPDX-License-Identifier: MIT */
#include "thread.h"

/* What stands behind `name: ` up to a blank, or in quotes. */
static struct str attribute(struct str line, struct str name)
{
	const char *at = line.len >= name.len ? memmem(line.at, line.len, name.at, name.len) : NULL;

	if (!at)
		return STR("");
	struct str rest = { at + name.len, (size_t)(line.at + line.len - at) - name.len };
	char end = rest.len && rest.at[0] == '"' ? '"' : ' ';
	if (end == '"')
		rest = (struct str){ rest.at + 1, rest.len - 1 };
	const char *stop = rest.len ? memchr(rest.at, end, rest.len) : NULL;
	return (struct str){ rest.at, stop ? (size_t)(stop - rest.at) : rest.len };
}

static bool is_pointed_at(struct str kind)
{
	return str_is(kind, "decision") || str_is(kind, "plan");
}

struct thread_event *thread_decisions(struct str text, struct arena *arena, size_t *count)
{
	struct thread_event *events = NULL;
	size_t cap = 0;

	*count = 0;
	for (uint32_t n = 1; text.len; n++) {
		const char *end = memchr(text.at, '\n', text.len);
		struct str line = { text.at, end ? (size_t)(end - text.at) : text.len };
		size_t step = line.len + (end != NULL);
		text = (struct str){ text.at + step, text.len - step };
		if (!str_starts(line, STR("<!-- event: ")))
			continue;
		struct str kind = attribute(line, STR("event: "));
		if (!is_pointed_at(kind))
			continue;
		events = arena_more(arena, events, *count, &cap, sizeof(*events));
		events[(*count)++] = (struct thread_event){ kind, attribute(line, STR(" author: ")),
							    attribute(line, STR(" at: ")), n };
	}
	return events;
}
