/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base.h"
#include "json.h"

struct str part_first(struct str text)
{
	const char *end = text.len ? memchr(text.at, '\n', text.len) : NULL;

	return end ? (struct str){ text.at, (size_t)(end - text.at) } : text;
}

void part_cell(struct table *t, enum style style, const json_t *object, const char *key)
{
	table_cell(t, style, text_of(object, key));
}

/* How many of how many, and how to see more. */
void part_count(struct page *page, const json_t *list, const char *one, const char *more)
{
	long long count = number_of(list, "count"), returned = number_of(list, "returned");
	struct str next = text_of(list, "next");

	if (returned < count)
		page_addf(page, STYLE_DIM, "%lld of %lld %s", returned, count, more);
	else
		page_addf(page, STYLE_DIM, "%lld %s", count, count == 1 ? one : more);
	if (next.len)
		page_addf(page, STYLE_DIM, "; next page: --cursor %.*s", STR_ARG(next));
	page_line(page);
}

bool part_empty(struct page *page, const json_t *list, const char *none)
{
	if (json_array_size(list))
		return false;
	page_addf(page, STYLE_DIM, "%s", none);
	page_line(page);
	return true;
}

/* A value in one line; the caller frees it. */
char *part_line(const json_t *value)
{
	struct buf line = { 0 };
	size_t i;
	json_t *part;

	if (json_is_string(value))
		return xstrndup(json_string_value(value), json_string_length(value));
	if (json_is_boolean(value))
		return xstrdup(json_is_true(value) ? "yes" : "no");
	if (json_is_integer(value))
		return xasprintf("%lld", (long long)json_integer_value(value));
	json_array_foreach(value, i, part)
		buf_addf(&line, "%s%s", i ? "; " : "", json_string_value(part));
	buf_text(&line);
	return line.at;
}
