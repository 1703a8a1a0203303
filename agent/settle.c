/* SPDX-License-Identifier: MIT */
#include "index_private.h"

#include <stdlib.h>

#include "ripple.h"

/* How far a state is, for the choice among sources: unknown is no progress. */
static int progress(enum state state)
{
	return state == STATE_UNKNOWN ? -1 : (int)state;
}

static bool is_authority(const struct index *ix, const struct copy *copy)
{
	return ix->sources[copy->source].authority;
}

static bool authority_has_tree(const struct index *ix)
{
	for (int i = 0; i < SOURCES_MAX; i++)
		if (ix->sources[i].used && ix->sources[i].authority && ix->sources[i].root[0])
			return true;
	return false;
}

/* The authority's copy counts; where it has none, the furthest of the others. */
static const struct copy *choose_face(const struct index *ix, const struct ticket *t)
{
	const struct copy *best = t->copies;

	for (const struct copy *c = t->copies; c; c = c->next) {
		if (is_authority(ix, c))
			return c;
		if (progress(copy_state(c)) > progress(copy_state(best)))
			best = c;
	}
	return best;
}

/* Copies of one source stand side by side. */
static void find_twice(struct ticket *t)
{
	int before = -1;

	t->twice = false;
	for (struct copy *c = t->copies; c; c = c->next) {
		c->twice = c->source == before || (c->next && c->next->source == c->source);
		t->twice |= c->twice;
		before = c->source;
	}
}

static bool copy_unreadable(const struct copy *copy)
{
	return !copy->item || copy->item->unreadable || copy->unreadable;
}

/* What the item.md files of all sources come to. */
static void settle_state(const struct index *ix, struct ticket *t)
{
	find_twice(t);
	t->face = t->copies ? choose_face(ix, t) : NULL;
	t->item = t->face && t->face->item ? t->face->item->item : NULL;
	t->state = (uint8_t)(t->face ? copy_state(t->face) : STATE_UNKNOWN);
	t->elsewhere = t->face && !is_authority(ix, t->face) && authority_has_tree(ix);
	t->unreadable = t->state == STATE_UNKNOWN || t->twice;
	t->diverged = false;
	t->busy_elsewhere = t->resolved_elsewhere = -1;
	for (const struct copy *c = t->copies; c; c = c->next) {
		enum state there = copy_state(c);
		t->unreadable |= copy_unreadable(c);
		if (c->source == t->face->source)
			continue;
		t->diverged |= there != t->state;
		if (there == STATE_INPROGRESS && t->busy_elsewhere < 0)
			t->busy_elsewhere = (int8_t)c->source;
		if (state_resolved(there) && !state_resolved(t->state) && t->resolved_elsewhere < 0)
			t->resolved_elsewhere = (int8_t)c->source;
	}
	if (t->elsewhere && state_resolved(t->state))
		t->resolved_elsewhere = (int8_t)t->face->source;
}

static void unlink_own(struct index *ix, struct ticket *t)
{
	struct decision *own = t->own;
	uint32_t count = t->own_count;

	ix->records -= count;
	t->own = NULL;
	t->own_count = 0;
	t->last_plan = NULL;
	t->takes_back = false;
	for (uint32_t i = 0; i < count; i++) {
		struct ticket *other = own[i].other;
		if (!other)
			continue;
		DL_DELETE(other->incoming, &own[i]);
		if (other != t)
			ticket_drop_if_unknown(ix, other);
	}
	free(own);
}

static int doc_order(const struct doc *a, const struct doc *b)
{
	return strcmp(a->path, b->path);
}

/* Sorts by key, then by what decides which source's content counts. */
static int by_key(const void *a, const void *b, void *data)
{
	const struct decision *x = a, *y = b;
	const struct index *ix = data;
	int order = decision_key_compare(x, y);

	if (!order)
		order = strcmp(ix->sources[x->doc->copy->source].name,
			       ix->sources[y->doc->copy->source].name);
	if (!order)
		order = doc_order(x->doc, y->doc);
	if (!order)
		order = (x->record > y->record) - (x->record < y->record);
	return order;
}

static int by_time(const void *a, const void *b, void *data)
{
	const struct decision *x = a, *y = b;

	if (x->record->at != y->record->at)
		return x->record->at < y->record->at ? -1 : 1;
	return by_key(a, b, data);
}

/* As they are where each record has a file: names of files sort by time, too. */
static bool in_order(struct index *ix, const struct decision *all, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		if (by_time(&all[i - 1], &all[i], ix) > 0)
			return false;
	return true;
}

static bool same_key(const struct decision *a, const struct decision *b)
{
	return decision_key_compare(a, b) == 0;
}

/* The union over sources: of one key, the authority's content, else the first source's. */
static uint32_t merge_sources(struct index *ix, struct decision *all, uint32_t count)
{
	uint32_t kept = 0, first = 0, nth = 0;
	uint64_t source = 0;

	qsort_r(all, count, sizeof(*all), by_key, ix);
	for (uint32_t i = 0; i < count; i++) {
		bool again = kept && same_key(&all[first], &all[i]);
		/*
		 * The same key twice within a source are two records, the first here and the
		 * first there one of them.
		 */
		nth = again && all[i].sources == source ? nth + 1 : 0;
		source = all[i].sources;
		first = again ? first : kept;
		if (first + nth == kept) {
			all[kept++] = all[i];
			continue;
		}
		struct decision *into = &all[first + nth];
		into->diverged |= into->record->at != all[i].record->at ||
				  !record_same(into->record, all[i].record);
		into->sources |= all[i].sources;
		if (is_authority(ix, all[i].doc->copy)) {
			into->record = all[i].record;
			into->doc = all[i].doc;
		}
	}
	return kept;
}

static int by_record_id(const void *a, const void *b)
{
	const struct decision *const *x = a, *const *y = b;

	return str_cmp((*x)->record->id, (*y)->record->id);
}

/* A relation can come back under its key: written later, it counts again. */
static void retract(const struct decision *r, struct decision *d)
{
	if (d->record->kind != KIND_RETRACTION &&
	    (d->doc->content->role != ROLE_RELATIONS || d->record->at <= r->record->at))
		d->retracted = true;
}

static int id_order(const void *id, const void *item)
{
	struct decision *const *d = item;

	return str_cmp(*(const struct str *)id, (*d)->record->id);
}

static void settle_retractions(struct ticket *t)
{
	struct decision **sorted = NULL;

	for (uint32_t i = 0; i < t->own_count; i++) {
		struct decision *r = &t->own[i];
		if (r->record->kind != KIND_RETRACTION)
			continue;
		t->takes_back = true;
		if (!sorted) {
			sorted = xcalloc(t->own_count, sizeof(struct decision *));
			for (uint32_t k = 0; k < t->own_count; k++)
				sorted[k] = &t->own[k];
			qsort(sorted, t->own_count, sizeof(struct decision *), by_record_id);
		}
		size_t k = lower_bound(&r->record->retracts, sorted, t->own_count,
				       sizeof(struct decision *), id_order);
		for (; k < t->own_count && str_eq(sorted[k]->record->id, r->record->retracts); k++)
			retract(r, sorted[k]);
	}
	free(sorted);
}

static struct decision decision_of(struct doc *d, uint32_t nth)
{
	const struct record *record = &d->content->records[nth];

	return (struct decision){ .record = record, .doc = d, .tag = id_tag(record->id),
				  .sources = UINT64_C(1) << d->copy->source };
}

/* Go on behind `count`; `into` may be NULL. */
static uint32_t gather_copy(const struct copy *c, struct decision *into, uint32_t count)
{
	for (uint32_t n = 0; n < c->doc_count; n++) {
		struct doc *d = c->docs[n];
		for (uint32_t i = 0; into && i < d->content->record_count; i++)
			into[count + i] = decision_of(d, i);
		count += d->content->record_count;
		d->settled |= into != NULL;
	}
	return count;
}

static uint32_t gather(const struct ticket *t, struct decision *into)
{
	uint32_t count = 0;

	for (const struct copy *c = t->copies; c; c = c->next)
		count = gather_copy(c, into, count);
	return t->lost ? gather_copy(t->lost, into, count) : count;
}

static void link_own(struct index *ix, struct ticket *t, uint32_t from)
{
	for (uint32_t i = from; i < t->own_count; i++) {
		struct decision *d = &t->own[i];
		d->ticket = t;
		if (d->record->kind == KIND_ACCEPTED_PLAN && !d->retracted)
			t->last_plan = d;
		if (!d->record->other.at)
			continue;
		d->other = ticket_find_or_make(ix, d->record->other);
		DL_APPEND(d->other->incoming, d);
	}
}

/* Who has more files than when it settled last is one that grows. */
static uint16_t slack_of(const struct ticket *t, uint32_t count)
{
	const struct copy *c = t->copies;

	if (t->lost || !c || c->next || !t->own_files || c->doc_count <= t->own_files)
		return 0;
	return (uint16_t)(count / 2 < UINT16_MAX ? count / 2 + 1 : UINT16_MAX);
}

static void settle_records(struct index *ix, struct ticket *t)
{
	uint32_t count = gather(t, NULL);

	if (count) {
		t->own_slack = slack_of(t, count);
		struct decision *own = xcalloc(count + t->own_slack, sizeof(*own));
		gather(t, own);
		if (t->lost || t->copies->next) {
			count = merge_sources(ix, own, count);
			own = xrealloc(own, count * sizeof(*own));
		}
		if (!in_order(ix, own, count))
			qsort_r(own, count, sizeof(*own), by_time, ix);
		t->own = own;
		t->own_count = count;
		settle_retractions(t);
		link_own(ix, t, 0);
	}
	ix->records += count;
}

/* Whether all that came of records, if anything, stands behind those that were there. */
static bool only_grew(struct index *ix, const struct ticket *t)
{
	const struct copy *c = t->copies;
	uint32_t count = 0;

	if (t->anew || !t->own_count || t->lost || t->takes_back || !c || c->next)
		return false;
	struct decision last = t->own[t->own_count - 1];
	for (uint32_t n = t->own_files; n < c->doc_count; n++) {
		struct doc *d = c->docs[n];
		/* It has been there, so one that came is before it. */
		if (d->settled)
			return false;
		for (uint32_t i = 0; i < d->content->record_count; i++) {
			struct decision next = decision_of(d, i);
			if (++count > t->own_slack || next.record->kind == KIND_RETRACTION ||
			    by_time(&last, &next, ix) > 0)
				return false;
			last = next;
		}
	}
	return true;
}

static void settle_more_records(struct index *ix, struct ticket *t)
{
	const struct copy *c = t->copies;
	uint32_t before = t->own_count;

	for (uint32_t n = t->own_files; n < c->doc_count; n++) {
		for (uint32_t i = 0; i < c->docs[n]->content->record_count; i++)
			t->own[t->own_count++] = decision_of(c->docs[n], i);
		c->docs[n]->settled = true;
	}
	t->own_slack = (uint16_t)(t->own_slack - (t->own_count - before));
	link_own(ix, t, before);
	ix->records += t->own_count - before;
}

bool ticket_awaits_start(const struct ticket *t)
{
	return t->state == STATE_QUEUED && t->busy_elsewhere < 0 && ticket_plan_is_current(t);
}

static void settle_occupied(struct index *ix, struct ticket *t)
{
	ix->occupied -= t->occupied;
	t->occupied = t->state == STATE_INPROGRESS || t->busy_elsewhere >= 0 || t->claim ||
		      ticket_awaits_start(t);
	ix->occupied += t->occupied;
}

static void settle_dirty(struct index *ix)
{
	/* First let go of everything, so that nobody is found by a record that is gone. */
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next) {
		t->anew = !only_grew(ix, t);
		if (t->anew)
			unlink_own(ix, t);
	}
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next) {
		uint32_t before = t->own_count;
		settle_state(ix, t);
		if (t->anew)
			settle_records(ix, t);
		else
			settle_more_records(ix, t);
		t->anew = false;
		t->own_files = t->copies ? t->copies->doc_count : 0;
		settle_occupied(ix, t);
		waits_settle(ix, t, before);
	}
}

bool index_settle(struct index *ix)
{
	if (!ix->changed)
		return false;
	ix->changed = false;
	ix->settled = ix->generation;
	settle_dirty(ix);
	if (ix->followed)
		ripple_spread(ix);
	while (ix->dirty) {
		struct ticket *t = ix->dirty;
		ix->dirty = t->dirty_next;
		t->dirty = false;
		t->dirty_next = NULL;
		ticket_drop_if_unknown(ix, t);
	}
	/* Also where nobody is named. */
	if (ix->generation == ix->settled)
		ix->generation++;
	waits_set_time(ix);
	ix->told_now = ix->now;
	ix->told_occupied = ix->occupied;
	return true;
}
