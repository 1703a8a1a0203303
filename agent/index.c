/* SPDX-License-Identifier: MIT */
#include "index_private.h"

#include <stdlib.h>

#include "ripple.h"
#include "trace.h"

struct index *index_new(void)
{
	struct index *ix = xcalloc(1, sizeof(*ix));

	ix->generation = 1;
	/* Never used nor listed, but named, behind all others: records are merged by source. */
	ix->sources[SOURCE_LOST].name = (char *)(uintptr_t)"\x7f";
	return ix;
}

void index_free(struct index *ix)
{
	if (!ix)
		return;
	ix->followed = false;
	for (int i = 0; i < SOURCES_MAX; i++)
		if (ix->sources[i].used)
			index_source_drop(ix, i);
	for (struct ticket *t = ix->tickets; t; t = t->hh.next)
		while (t->lost)
			index_lost_drop(ix, str_of(t->lost->docs[0]->path));
	index_settle(ix);
	free(ix->misset);
	free(ix->past_failure);
	BUG_IF(ix->tickets);
	trace_release(ix);
	ripple_release(ix);
	free(ix->sorted);
	ids_free(ix);
	free(ix);
}

/* -- Tickets ------------------------------------------------------------ */

struct ticket *index_named(const struct index *ix, struct str id)
{
	struct ticket *t;

	HASH_FIND(hh, ix->tickets, id.at, id.len, t);
	return t;
}

struct ticket *ticket_find_or_make(struct index *ix, struct str id)
{
	struct ticket *t = index_named(ix, id);

	if (t)
		return t;
	t = xcalloc(1, sizeof(*t) + id.len + 1);
	char *name = (char *)(t + 1);
	memcpy(name, id.at, id.len);
	t->id = (struct str){ name, id.len };
	t->state = STATE_UNKNOWN;
	t->busy_elsewhere = t->resolved_elsewhere = -1;
	HASH_ADD_KEYPTR(hh, ix->tickets, name, id.len, t);
	return t;
}

void ticket_soil(struct index *ix, struct ticket *t)
{
	t->anew = true;
	ticket_touch(ix, t);
}

void ticket_touch(struct index *ix, struct ticket *t)
{
	ix->changed = true;
	if (t->dirty)
		return;
	if (ix->followed)
		ripple_before(ix, t);
	t->dirty = true;
	t->dirty_next = ix->dirty;
	ix->dirty = t;
}

void ticket_drop_if_unknown(struct index *ix, struct ticket *t)
{
	if (t->copies || t->lost || t->incoming || t->own || t->claim || t->dirty)
		return;
	HASH_DELETE(hh, ix->tickets, t);
	trace_drop(ix, t);
	free(t);
}

struct ticket *index_find(const struct index *ix, struct str id)
{
	struct ticket *t = index_named(ix, id);

	return t && ticket_exists(t) ? t : NULL;
}

static bool find_slug(struct index *ix, struct str slug, struct ticket **into, struct fault *why)
{
	struct ticket *found = NULL, *other = NULL;

	/* The first two by id: the table has them in the order in which they came. */
	for (struct ticket *t = ix->tickets; t; t = t->hh.next) {
		if (!slug.len || !ticket_exists(t) || !str_eq(ticket_item(t)->slug, slug))
			continue;
		if (!found || str_cmp(t->id, found->id) < 0) {
			other = found;
			found = t;
		} else if (!other || str_cmp(t->id, other->id) < 0) {
			other = t;
		}
	}
	if (!found)
		return fault(why, FAULT_NOT_FOUND, "no Ticket \"%.*s\"",
			     (int)(slug.len > 128 ? 128 : slug.len), slug.at);
	if (other)
		return fault(why, FAULT_AMBIGUOUS,
			     "the slug \"%.*s\" is that of %.*s and of %.*s; name one by its id",
			     STR_ARG(slug), STR_ARG(found->id), STR_ARG(other->id));
	*into = found;
	return true;
}

bool index_resolve(struct index *ix, struct str name, struct ticket **into, struct fault *why)
{
	struct ticket *t = index_find(ix, name);

	if (!t)
		return find_slug(ix, name, into, why);
	*into = t;
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct ticket *const *x = a, *const *y = b;

	return str_cmp((*x)->id, (*y)->id);
}

void index_unsort(struct index *ix)
{
	free(ix->sorted);
	ix->sorted = NULL;
}

struct ticket *const *index_tickets(struct index *ix, size_t *count)
{
	*count = ix->there;
	if (ix->sorted)
		return ix->sorted;
	size_t n = 0;
	ix->sorted = xcalloc(ix->there, sizeof(*ix->sorted));
	for (struct ticket *t = ix->tickets; t; t = t->hh.next)
		if (ticket_exists(t))
			ix->sorted[n++] = t;
	BUG_IF(n != ix->there);
	qsort(ix->sorted, n, sizeof(*ix->sorted), by_id);
	return ix->sorted;
}

/* -- Sources ------------------------------------------------------------ */

int index_source_add(struct index *ix, const char *name)
{
	int free_one = -1;

	for (int i = SOURCE_LOST - 1; i >= 0; i--) {
		if (ix->sources[i].used && strcmp(ix->sources[i].name, name) == 0)
			return i;
		if (!ix->sources[i].used)
			free_one = i;
	}
	if (free_one < 0)
		return -1;
	ix->sources[free_one] = (struct source){
		.name = xstrdup(name), .top = xstrdup(""), .root = xstrdup(""), .used = true,
		.serial = ++ix->serials,
	};
	ix->changed = true;
	return free_one;
}

static bool replace(char **text, const char *with)
{
	if (strcmp(*text, with) == 0)
		return false;
	free(*text);
	*text = xstrdup(with);
	return true;
}

/* Who is the authority decides what counts of every Ticket. */
static void soil_all(struct index *ix)
{
	for (struct ticket *t = ix->tickets; t; t = t->hh.next)
		ticket_soil(ix, t);
	ix->changed = true;
}

void index_source_set(struct index *ix, int source, const char *top, const char *root,
		      bool authority)
{
	struct source *s = &ix->sources[source];
	bool top_moved = replace(&s->top, top), root_moved = replace(&s->root, root);

	if (!top_moved && !root_moved && s->authority == authority)
		return;
	s->authority = authority;
	soil_all(ix);
}

/* A text that findings of all are made of, or none. */
static void set_flaw(struct index *ix, char **into, const char *text)
{
	ix->changed |= !same_text(text, *into);
	free(*into);
	*into = text ? xstrdup(text) : NULL;
}

void index_misset(struct index *ix, const char *text)
{
	set_flaw(ix, &ix->misset, text);
}

const char *index_settings_flaw(const struct index *ix)
{
	return ix->misset;
}

void index_past_failed(struct index *ix, const char *text)
{
	set_flaw(ix, &ix->past_failure, text);
}

const char *index_past_failure(const struct index *ix)
{
	return ix->past_failure;
}

void index_source_drop(struct index *ix, int source)
{
	struct source *s = &ix->sources[source];

	if (s->authority)
		soil_all(ix);
	index_drop(ix, source, STR(""));
	free(s->name);
	free(s->top);
	free(s->root);
	*s = (struct source){ 0 };
	ix->changed = true;
}

const struct source *index_source(const struct index *ix, int source)
{
	return source >= 0 && source < SOURCES_MAX && ix->sources[source].used
		       ? &ix->sources[source]
		       : NULL;
}

struct str source_path(const struct source *source, struct str path, struct arena *arena)
{
	if (strcmp(source->root, ".") == 0)
		return arena_str(arena, path);
	return arena_cat(arena, str_of(source->root), str_of(path.len ? "/" : ""), path);
}

int index_source_next(const struct index *ix, uint64_t mask, int after)
{
	int next = -1;

	for (; mask; mask &= mask - 1) {
		int i = __builtin_ctzll(mask);
		if (!ix->sources[i].used || i == after)
			continue;
		const char *name = ix->sources[i].name;
		if ((after < 0 || strcmp(name, ix->sources[after].name) > 0) &&
		    (next < 0 || strcmp(name, ix->sources[next].name) < 0))
			next = i;
	}
	return next;
}

/* -- Numbers ------------------------------------------------------------ */

void index_pass_time(struct index *ix, int64_t now)
{
	/* A wall clock may go back, too. */
	ix->changed |= ix->waiters && (now < ix->now || (ix->next_time && now >= ix->next_time));
	ix->now = now;
}

int64_t index_next_time(const struct index *ix)
{
	return ix->next_time;
}

void index_claim(struct index *ix, struct str id, const struct claim *claim)
{
	struct ticket *t = claim ? ticket_find_or_make(ix, id) : index_named(ix, id);

	if (!t || t->claim == claim)
		return;
	ticket_soil(ix, t);
	t->claim = claim;
}

void index_touch_ticket(struct index *ix, struct ticket *ticket)
{
	ticket_touch(ix, ticket);
}

void index_touch(struct index *ix)
{
	ix->changed = true;
}

uint64_t index_generation(const struct index *ix)
{
	return ix->generation;
}

size_t index_count(const struct index *ix)
{
	return ix->there;
}

size_t index_record_count(const struct index *ix)
{
	return ix->records;
}

size_t index_flaw_count(const struct index *ix)
{
	return ix->flaws;
}

size_t index_occupied(const struct index *ix)
{
	return ix->occupied;
}
