/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base.h"
#include "hash.h"

struct content *content_new(enum role role, struct str bytes)
{
	struct content *c = xcalloc(1, sizeof(*c));

	c->refs = 1;
	c->role = role;
	c->hash = hash_of(bytes);
	c->len = bytes.len;
	return c;
}

struct content *content_share(struct content *content)
{
	content->refs++;
	return content;
}

void content_free(struct content *content)
{
	if (!content || --content->refs)
		return;
	arena_release(&content->arena);
	free(content->flaws);
	free(content->records);
	free(content);
}

void content_flaw(struct content *content, enum problem code, uint32_t line, int64_t offset,
		  const char *fmt, ...)
{
	va_list args;

	content->unreadable |= problem_row(code)->holds;
	if (content->flaw_count == CONTENT_FLAWS_MAX) {
		content->flaws_cut++;
		return;
	}
	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	content->flaws = xrealloc(content->flaws,
				  (content->flaw_count + 1) * sizeof(*content->flaws));
	content->flaws[content->flaw_count++] =
		(struct flaw){ code, line, offset, arena_str(&content->arena, str_of(text)) };
	free(text);
}

struct content *content_broken(enum role role, enum problem code, const char *text)
{
	struct content *c = content_new(role, str_of(text));

	c->hash ^= 1; /* a file of these very bytes says something else */
	content_flaw(c, code, 0, -1, "%s", text);
	return c;
}

bool content_same(const struct content *a, const struct content *b)
{
	return a->role == b->role && a->hash == b->hash && a->len == b->len;
}

static bool same_plan(const struct plan *a, const struct plan *b)
{
	if (!a || !b)
		return a == b;
	return str_eq(a->summary, b->summary) && str_eq(a->branch, b->branch) &&
	       str_eq(a->worktree, b->worktree) && str_eq(a->role_plan, b->role_plan);
}

static bool same_until(const struct until *a, const struct until *b)
{
	if (!a || !b)
		return a == b;
	return a->form == b->form && str_eq(a->ticket, b->ticket) && a->state == b->state &&
	       a->after == b->after && a->free == b->free;
}

bool record_same(const struct record *a, const struct record *b)
{
	return a->kind == b->kind && str_eq(a->other, b->other) && str_eq(a->note, b->note) &&
	       same_plan(a->plan, b->plan) && same_until(a->until, b->until) &&
	       str_eq(a->retracts, b->retracts) && str_eq(a->author, b->author);
}
