/* SPDX-License-Identifier: MIT */
#include "stance.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"

void stances_free(struct stances *s)
{
	for (size_t i = 0; s && i < s->count; i++) {
		struct stance *one = &s->at[i];
		content_free(one->content);
		free(one->source);
		free(one->top);
		free(one->path);
		free(one->inner);
	}
	if (s)
		free(s->at);
	free(s);
}

const struct stance *stances_find(const struct stances *s, const struct record *record,
				  const char *source)
{
	for (size_t i = 0; i < s->count; i++)
		/* Checkouts share what they have alike. */
		if (s->at[i].record == record && strcmp(s->at[i].source, source) == 0)
			return &s->at[i];
	return NULL;
}

void stances_add(struct stances *s, struct content *content, const struct record *record,
		 const char *source, const char *top, struct str path, struct str inner)
{
	s->at = xrealloc(s->at, (s->count + 1) * sizeof(*s->at));
	s->at[s->count++] = (struct stance){ .content = content_share(content),
					     .record = record,
					     .source = xstrdup(source),
					     .top = xstrdup(top),
					     .path = xstrndup(path.at, path.len),
					     .inner = xstrndup(inner.at, inner.len) };
	s->unknown++;
}

bool stance_holds(const struct content *content, const struct record *record)
{
	for (uint32_t i = 0; content && i < content->record_count; i++) {
		const struct record *r = &content->records[i];
		if (str_eq(r->id, record->id) && r->at == record->at && record_same(r, record))
			return true;
	}
	return false;
}
