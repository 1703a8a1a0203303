/* SPDX-License-Identifier: MIT */
#include "audit.h"

/* One index and the other, and where what differs is told. */
struct audit {
	struct index *held, *fresh;
	struct findings *into;
};

static struct finding *tell(struct audit *a, int source, struct str path, struct str text)
{
	struct finding *f = findings_add(a->into, PROBLEM_DRIFTED, NULL);

	f->source = source;
	f->path = arena_str(a->into->arena, path);
	f->text = text;
	return f;
}

/* -- Checkouts ---------------------------------------------------------- */

/* The source of that name in an index, or -1. */
static int find_source(struct index *ix, const char *name)
{
	for (int i = -1; (i = index_source_next(ix, UINT64_MAX, i)) >= 0;)
		if (strcmp(index_source(ix, i)->name, name) == 0)
			return i;
	return -1;
}

static bool same_source(const struct source *a, const struct source *b)
{
	return strcmp(a->top, b->top) == 0 && strcmp(a->root, b->root) == 0 &&
	       a->authority == b->authority;
}

static void compare_sources(struct audit *a)
{
	for (int i = -1; (i = index_source_next(a->held, UINT64_MAX, i)) >= 0;) {
		const struct source *s = index_source(a->held, i);
		int other = find_source(a->fresh, s->name);
		if (other < 0)
			tell(a, i, STR_NONE, STR("the checkout is not there any more"));
		else if (!same_source(s, index_source(a->fresh, other)))
			tell(a, i, STR_NONE,
			     STR("the checkout's tree lies elsewhere, or its part changed"));
	}
	for (int i = -1; (i = index_source_next(a->fresh, UINT64_MAX, i)) >= 0;) {
		const struct source *s = index_source(a->fresh, i);
		if (find_source(a->held, s->name) < 0)
			tell(a, -1, STR_NONE,
			     arena_printf(a->into->arena, "checkout %s was not noticed", s->name));
	}
}

/* -- Files -------------------------------------------------------------- */

static bool same_content(const struct content *a, const struct content *b)
{
	return a && b ? content_same(a, b) : a == b;
}

/* The same folder of the same checkout in another index. */
static const struct copy *find_copy(struct index *from, const struct copy *copy, struct index *in)
{
	const struct ticket *t = index_find(in, copy->ticket->id);
	int source = find_source(in, index_source(from, copy->source)->name);

	for (const struct copy *c = t ? t->copies : NULL; c; c = c->next)
		if (c->source == source && strcmp(c->dir, copy->dir) == 0)
			return c;
	return NULL;
}

static void compare_copy(struct audit *a, const struct copy *held)
{
	const struct copy *fresh = find_copy(a->held, held, a->fresh);

	if (!fresh) {
		tell(a, held->source, str_of(held->dir), STR("held, and not there any more"));
		return;
	}
	if (!same_content(held->item, fresh->item))
		tell(a, held->source, arena_printf(a->into->arena, "%s/item.md", held->dir),
		     STR("says something else than what is held"));
	for (uint32_t i = 0; i < held->doc_count; i++) {
		const struct doc *d = held->docs[i], *other = copy_doc(fresh, str_of(d->path));
		if (!other)
			tell(a, held->source, str_of(d->path), STR("held, and not there any more"));
		else if (!same_content(d->content, other->content))
			tell(a, held->source, str_of(d->path),
			     STR("says something else than what is held"));
	}
	for (uint32_t i = 0; i < fresh->doc_count; i++)
		if (!copy_doc(held, str_of(fresh->docs[i]->path)))
			tell(a, held->source, str_of(fresh->docs[i]->path),
			     STR("there, and was not noticed"));
}

static void compare_files(struct audit *a)
{
	size_t count;
	struct ticket *const *list = index_tickets(a->held, &count);

	for (size_t i = 0; i < count; i++)
		for (const struct copy *c = list[i]->copies; c; c = c->next)
			compare_copy(a, c);
	list = index_tickets(a->fresh, &count);
	for (size_t i = 0; i < count; i++)
		for (const struct copy *c = list[i]->copies; c; c = c->next)
			if (!find_copy(a->fresh, c, a->held))
				tell(a,
				     find_source(a->held, index_source(a->fresh, c->source)->name),
				     str_of(c->dir), STR("there, and was not noticed"));
}

/* -- What files come to ------------------------------------------------- */

/* What is lost is in no file: there is nothing to hold it against. */
static uint32_t count_own(const struct ticket *t)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < t->own_count; i++)
		count += !decision_is_lost(&t->own[i]);
	return count;
}

static uint32_t count_incoming(const struct ticket *t)
{
	const struct decision *d;
	uint32_t count = 0;

	DL_FOREACH(t->incoming, d)
		count += !decision_is_lost(d);
	return count;
}

static bool same_sum(const struct ticket *a, const struct ticket *b)
{
	return a->state == b->state && count_own(a) == count_own(b) && a->diverged == b->diverged &&
	       a->elsewhere == b->elsewhere && a->unreadable == b->unreadable &&
	       a->twice == b->twice && count_incoming(a) == count_incoming(b) &&
	       str_eq(ticket_title(a), ticket_title(b));
}

static void compare_sums(struct audit *a)
{
	size_t count;
	struct ticket *const *list = index_tickets(a->held, &count);

	for (size_t i = 0; i < count; i++) {
		const struct ticket *other = index_find(a->fresh, list[i]->id);
		if (other && !same_sum(list[i], other))
			tell(a, -1, STR_NONE,
			     arena_printf(a->into->arena,
					  "%.*s: its files are held as they are, and come to "
					  "something else",
					  STR_ARG(list[i]->id)));
	}
}

/* -- What belongs to no Ticket ------------------------------------------ */

static bool has_stray(struct index *from, const struct stray *s, struct index *in)
{
	int source = find_source(in, index_source(from, s->source)->name);

	for (const struct stray *o = index_strays(in); o; o = o->hh.next)
		if (o->source == source && o->code == s->code && strcmp(o->path, s->path) == 0)
			return true;
	return false;
}

static void compare_strays(struct audit *a)
{
	for (const struct stray *s = index_strays(a->held); s; s = s->hh.next)
		if (!has_stray(a->held, s, a->fresh))
			tell(a, s->source, str_of(s->path), STR("its problem is held, and gone"));
	for (const struct stray *s = index_strays(a->fresh); s; s = s->hh.next)
		if (!has_stray(a->fresh, s, a->held))
			tell(a, find_source(a->held, index_source(a->fresh, s->source)->name),
			     str_of(s->path), STR("its problem was not noticed"));
}

void audit_compare(struct index *held, struct index *fresh, struct findings *into)
{
	struct audit a = { held, fresh, into };
	size_t before = into->count;

	compare_sources(&a);
	compare_files(&a);
	compare_strays(&a);
	/* Where files differ, so does what they come to. */
	if (into->count == before)
		compare_sums(&a);
}
