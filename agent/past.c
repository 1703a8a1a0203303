/* SPDX-License-Identifier: MIT */
#include "past.h"

#include <stdlib.h>

#include "buf.h"

struct past {
	struct past_commit *commits;
	struct past_record *records;
	struct buf begin;
};

struct past *past_new(void)
{
	return xcalloc(1, sizeof(struct past));
}

static void commit_free(struct past_commit *c)
{
	free(c->id);
	free(c->parents);
	free(c->author);
	free(c->subject);
	free(c->top);
	free(c);
}

static void record_free(struct past_record *r)
{
	while (r->events) {
		struct past_event *e = r->events;
		LL_DELETE(r->events, e);
		free(e);
	}
	content_free(r->content);
	free(r);
}

void past_free(struct past *p)
{
	struct past_commit *c, *next_commit;
	struct past_record *r, *next_record;

	if (!p)
		return;
	HASH_ITER(hh, p->commits, c, next_commit)
	{
		HASH_DELETE(hh, p->commits, c);
		commit_free(c);
	}
	HASH_ITER(hh, p->records, r, next_record)
	{
		HASH_DELETE(hh, p->records, r);
		record_free(r);
	}
	buf_release(&p->begin);
	free(p);
}

struct str past_begin(const struct past *p)
{
	return (struct str){ p->begin.at, p->begin.len };
}

void past_set_begin(struct past *p, struct str begin)
{
	p->begin.len = 0;
	buf_add(&p->begin, begin.at, begin.len);
}

/* -- Commits ------------------------------------------------------------ */

struct past_commit *past_find(const struct past *p, const char *id)
{
	struct past_commit *c;

	HASH_FIND(hh, p->commits, id, strlen(id), c);
	return c;
}

struct past_commit *past_add(struct past *p, const char *id)
{
	struct past_commit *c = xcalloc(1, sizeof(*c));

	c->id = xstrdup(id);
	HASH_ADD_KEYPTR(hh, p->commits, c->id, strlen(c->id), c);
	return c;
}

void past_parent(struct past_commit *c, struct past_commit *parent)
{
	c->parents = xrealloc(c->parents, (c->parent_count + 1) * sizeof(struct past_commit *));
	c->parents[c->parent_count++] = parent;
}

struct past_commit *past_commits(const struct past *p)
{
	return p->commits;
}

void past_count(const struct past *p, size_t *seen, size_t *held)
{
	*seen = *held = 0;
	for (const struct past_commit *c = p->commits; c; c = c->hh.next) {
		*seen += c->seen;
		*held += c->held;
	}
}

void past_unmark(struct past *p)
{
	for (struct past_commit *c = p->commits; c; c = c->hh.next)
		c->held = c->seen = false;
}

/* A history is as long as it likes: no recursion. */
void past_mark(struct past_commit *tip, bool held)
{
	struct past_commit **stack = NULL;
	size_t count = 0, cap = 0;

	for (struct past_commit *c = tip; c; c = count ? stack[--count] : NULL) {
		if (c->held || (c->seen && !held))
			continue;
		c->seen = true;
		c->held |= held;
		if (count + c->parent_count > cap) {
			cap = 2 * (count + c->parent_count);
			stack = xrealloc(stack, cap * sizeof(struct past_commit *));
		}
		for (unsigned i = 0; i < c->parent_count; i++)
			stack[count++] = c->parents[i];
	}
	free(stack);
}

/* -- Records ------------------------------------------------------------ */

static char *key_of(struct str ticket, bool relation, struct str id)
{
	/* No Ticket's id holds a slash. */
	return xasprintf("%.*s/%c/%.*s", STR_ARG(ticket), relation ? 'r' : 'p', STR_ARG(id));
}

static struct past_record *find_key(const struct past *p, const char *key)
{
	struct past_record *r;

	HASH_FIND(hh, p->records, key, strlen(key), r);
	return r;
}

static struct past_record *record_new(struct past *p, const char *key, size_t ticket_len)
{
	struct past_record *r = xcalloc(1, sizeof(*r) + strlen(key) + 1);

	strcpy(r->key, key);
	r->ticket = (struct str){ r->key, ticket_len };
	r->relation = r->key[ticket_len + 1] == 'r';
	r->id = str_of(r->key + ticket_len + 3);
	HASH_ADD_KEYPTR(hh, p->records, r->key, strlen(r->key), r);
	return r;
}

void past_event(struct past *p, const struct past_commit *commit, bool vanished, struct str ticket,
		bool relation, struct str id, struct content *content, const struct record *record)
{
	char *key = key_of(ticket, relation, id);
	struct past_record *r = find_key(p, key);
	struct past_event *e = xcalloc(1, sizeof(*e));

	r = r ? r : record_new(p, key, ticket.len);
	free(key);
	if (!r->content && content) {
		r->content = content_share(content);
		r->record = record;
	}
	*e = (struct past_event){ .commit = commit, .vanished = vanished };
	LL_PREPEND(r->events, e);
}

const struct past_record *past_record(const struct past *p, struct str ticket, bool relation,
				      struct str id)
{
	char *key = key_of(ticket, relation, id);
	const struct past_record *r = find_key(p, key);

	free(key);
	return r;
}

const struct past_record *past_records(const struct past *p)
{
	return p->records;
}

static bool earlier(const struct past_commit *a, const struct past_commit *b)
{
	return a->at != b->at ? a->at < b->at : strcmp(a->id, b->id) < 0;
}

const struct past_commit *past_came(const struct past_record *r)
{
	const struct past_commit *first = NULL;

	for (const struct past_event *e = r->events; e; e = e->next)
		if (e->commit->seen && !e->vanished && (!first || earlier(e->commit, first)))
			first = e->commit;
	return first;
}

const struct past_commit *past_vanished(const struct past_record *r)
{
	const struct past_commit *last = NULL;

	for (const struct past_event *e = r->events; e; e = e->next)
		if (e->commit->seen && e->vanished && (!last || earlier(last, e->commit)))
			last = e->commit;
	return last;
}

bool past_held(const struct past_record *r)
{
	for (const struct past_event *e = r->events; e; e = e->next)
		if (e->commit->held && !e->vanished)
			return true;
	return false;
}
