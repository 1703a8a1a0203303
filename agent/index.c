/* SPDX-License-Identifier: MIT */
#include "index.h"

#include <stdlib.h>

#include "stamp.h"

struct index {
	struct ticket *tickets; /* by id, those that are only named too */
	struct source sources[SOURCES_MAX];
	struct doc *docs[SOURCES_MAX]; /* by path */
	struct stray *strays;
	struct ticket *dirty;
	struct ticket **sorted; /* NULL: to be made again */
	size_t there;           /* Tickets that are there */
	size_t records;
	size_t flaws;
	size_t occupied;
	size_t timed;      /* records that wait for a time */
	int64_t now;       /* as far as index_pass_time was told */
	int64_t next_time; /* the first later one that ends a wait; 0: none */
	uint64_t generation;
	unsigned epoch;
	bool changed;
};

struct index *index_new(void)
{
	struct index *ix = xcalloc(1, sizeof(*ix));

	ix->generation = 1;
	return ix;
}

/* -- Tickets ------------------------------------------------------------ */

struct ticket *index_named(const struct index *ix, struct str id)
{
	struct ticket *t;

	HASH_FIND(hh, ix->tickets, id.at, id.len, t);
	return t;
}

static struct ticket *find_or_make(struct index *ix, struct str id)
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

/* Something of the Ticket changed: look at it again in index_settle. */
static void soil(struct index *ix, struct ticket *t)
{
	ix->changed = true;
	if (t->dirty)
		return;
	t->dirty = true;
	t->dirty_next = ix->dirty;
	ix->dirty = t;
}

/* A Ticket that is not there and that nobody names any more has no place here. */
static void drop_if_unknown(struct index *ix, struct ticket *t)
{
	if (t->copies || t->incoming || t->own || t->dirty)
		return;
	HASH_DELETE(hh, ix->tickets, t);
	free(t);
}

struct ticket *index_find(const struct index *ix, struct str id)
{
	struct ticket *t = index_named(ix, id);

	return t && ticket_exists(t) ? t : NULL;
}

static bool find_slug(struct index *ix, struct str slug, struct ticket **into, struct fault *why)
{
	struct ticket *found = NULL;

	for (struct ticket *t = ix->tickets; t; t = t->hh.next) {
		if (!slug.len || !ticket_exists(t) || !str_eq(ticket_item(t)->slug, slug))
			continue;
		if (found)
			return fault(why, FAULT_AMBIGUOUS,
				     "the slug \"%.*s\" is that of %.*s and of %.*s; name one by its id",
				     STR_ARG(slug), STR_ARG(found->id), STR_ARG(t->id));
		found = t;
	}
	if (!found)
		return fault(why, FAULT_NOT_FOUND, "no Ticket \"%.*s\"",
			     (int)(slug.len > 128 ? 128 : slug.len), slug.at);
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

const struct item *ticket_item(const struct ticket *t)
{
	static const struct item none = { .state = STATE_UNKNOWN };

	return t->face && t->face->item && t->face->item->item ? t->face->item->item : &none;
}

struct str ticket_title(const struct ticket *t)
{
	struct str title = ticket_item(t)->title;

	return title.at ? title : STR("");
}

/* -- Files -------------------------------------------------------------- */

static void count_content(struct index *ix, const struct content *c, int sign)
{
	if (c)
		ix->flaws += (size_t)((int64_t)sign * (c->flaw_count + c->flaws_cut));
}

static struct copy *find_copy(const struct ticket *t, int source, struct str dir)
{
	struct copy *copy = t->copies;

	while (copy && !(copy->source == source && str_is(dir, copy->dir)))
		copy = copy->next;
	return copy;
}

/* By the sources' names, for a source's number depends on when it came; then by folder. */
static int copy_order(const struct index *ix, const struct copy *a, const struct copy *b)
{
	int order = strcmp(ix->sources[a->source].name, ix->sources[b->source].name);

	return order ? order : strcmp(a->dir, b->dir);
}

static struct copy *find_or_make_copy(struct index *ix, int source, const struct spot *spot)
{
	struct ticket *t = find_or_make(ix, spot->ticket);
	struct copy *copy = find_copy(t, source, spot->dir), **at = &t->copies;

	if (copy)
		return copy;
	if (!t->copies) {
		ix->there++;
		free(ix->sorted);
		ix->sorted = NULL;
	}
	copy = xcalloc(1, sizeof(*copy) + spot->dir.len + 1);
	copy->ticket = t;
	copy->source = source;
	memcpy(copy->dir, spot->dir.at, spot->dir.len);
	while (*at && copy_order(ix, *at, copy) < 0)
		at = &(*at)->next;
	copy->next = *at;
	*at = copy;
	soil(ix, t);
	return copy;
}

static void drop_doc(struct index *ix, struct doc *doc)
{
	struct copy *copy = doc->copy;

	soil(ix, copy->ticket);
	count_content(ix, doc->content, -1);
	HASH_DELETE(hh, ix->docs[copy->source], doc);
	DL_DELETE(copy->docs, doc);
	/* Decisions point to the doc until settle; the content may be shared. */
	doc->copy = NULL;
	content_free(doc->content);
	free(doc);
}

static void set_item(struct index *ix, struct copy *copy, struct content *item)
{
	count_content(ix, copy->item, -1);
	count_content(ix, item, +1);
	content_free(copy->item);
	copy->item = item;
	soil(ix, copy->ticket);
}

static void drop_copy(struct index *ix, struct copy *copy)
{
	struct ticket *t = copy->ticket;
	struct copy **at = &t->copies;

	while (copy->docs)
		drop_doc(ix, copy->docs);
	set_item(ix, copy, NULL);
	while (*at != copy)
		at = &(*at)->next;
	*at = copy->next;
	if (t->face == copy)
		t->face = NULL;
	free(copy);
	if (t->copies)
		return;
	ix->there--;
	free(ix->sorted);
	ix->sorted = NULL;
}

static void drop_copy_if_empty(struct index *ix, struct copy *copy)
{
	if (!copy->item && !copy->docs)
		drop_copy(ix, copy);
}

static int doc_order(const struct doc *a, const struct doc *b)
{
	return strcmp(a->path, b->path);
}

/* The same content in another checkout is held once. */
static struct content *share(struct index *ix, const struct copy *copy, struct str path,
			     struct content *content)
{
	for (const struct copy *c = copy->ticket->copies; c; c = c->next) {
		struct content *same = c->item;
		struct doc *doc;
		if (c->source == copy->source)
			continue;
		if (content->role != ROLE_ITEM) {
			HASH_FIND(hh, ix->docs[c->source], path.at, path.len, doc);
			same = doc ? doc->content : NULL;
		}
		if (same && content_same(same, content)) {
			content_free(content);
			return content_share(same);
		}
	}
	return content;
}

static void put_doc(struct index *ix, struct copy *copy, struct str path, struct content *content)
{
	struct doc *doc;

	HASH_FIND(hh, ix->docs[copy->source], path.at, path.len, doc);
	if (doc && content_same(doc->content, content)) {
		doc->epoch = ix->epoch;
		content_free(content);
		return;
	}
	if (!doc) {
		doc = xcalloc(1, sizeof(*doc) + path.len + 1);
		memcpy(doc->path, path.at, path.len);
		doc->copy = copy;
		HASH_ADD_KEYPTR(hh, ix->docs[copy->source], doc->path, path.len, doc);
		/* The head's prev is the tail. */
		if (copy->docs && strcmp(copy->docs->prev->path, doc->path) > 0)
			copy->docs_mixed = true;
		DL_APPEND(copy->docs, doc);
	}
	count_content(ix, doc->content, -1);
	count_content(ix, content, +1);
	content_free(doc->content);
	doc->content = content;
	doc->epoch = ix->epoch;
	soil(ix, copy->ticket);
}

void index_put(struct index *ix, int source, struct str path, struct content *content)
{
	struct spot spot;

	BUG_IF(!layout_split(path, &spot) || !spot.file.len);
	struct copy *copy = find_or_make_copy(ix, source, &spot);
	if (copy->next || copy->ticket->copies != copy)
		content = share(ix, copy, path, content);
	if (content->role != ROLE_ITEM) {
		put_doc(ix, copy, path, content);
		return;
	}
	copy->item_epoch = ix->epoch;
	if (copy->item && content_same(copy->item, content))
		content_free(content);
	else
		set_item(ix, copy, content);
}

static bool below(const char *path, struct str folder)
{
	return strncmp(path, folder.at, folder.len) == 0 &&
	       (path[folder.len] == '/' || path[folder.len] == '\0');
}

/* Drop the copies of a source that lie below a folder above Tickets. */
static void drop_many(struct index *ix, int source, struct str folder)
{
	for (struct ticket *t = ix->tickets; t; t = t->hh.next)
		for (struct copy *c = t->copies, *next; c; c = next) {
			next = c->next;
			if (c->source == source && (!folder.len || below(c->dir, folder)))
				drop_copy(ix, c);
		}
}

static void drop_stray(struct index *ix, struct stray *s)
{
	HASH_DELETE(hh, ix->strays, s);
	free(s);
	ix->flaws--;
	ix->changed = true;
}

static void drop_strays(struct index *ix, int source, struct str path)
{
	struct stray *s, *next;

	HASH_ITER(hh, ix->strays, s, next)
		if (s->source == source && (!path.len || below(s->path, path)))
			drop_stray(ix, s);
}

static void drop_in_ticket(struct index *ix, int source, const struct spot *spot, struct str path)
{
	struct ticket *t = index_named(ix, spot->ticket);
	struct copy *copy = t ? find_copy(t, source, spot->dir) : NULL;
	struct doc *doc, *next;

	if (!copy)
		return;
	if (!spot->file.at) {
		drop_copy(ix, copy);
		return;
	}
	if (str_is(spot->file, "item.md") && copy->item)
		set_item(ix, copy, NULL);
	HASH_FIND(hh, ix->docs[source], path.at, path.len, doc);
	if (doc) {
		drop_doc(ix, doc);
	} else {
		DL_FOREACH_SAFE(copy->docs, doc, next)
			if (below(doc->path, path))
				drop_doc(ix, doc);
	}
	drop_copy_if_empty(ix, copy);
}

void index_drop(struct index *ix, int source, struct str path)
{
	struct spot spot;

	if (ix->strays)
		drop_strays(ix, source, path);
	if (layout_split(path, &spot))
		drop_in_ticket(ix, source, &spot, path);
	else
		drop_many(ix, source, path);
}

void index_stray_put(struct index *ix, int source, struct str path, enum problem code,
		     const char *text)
{
	struct stray *s;

	for (s = ix->strays; s; s = s->hh.next)
		if (s->source == source && str_is(path, s->path))
			break;
	if (s && s->code == code && str_is(s->text, text)) {
		s->epoch = ix->epoch;
		return;
	}
	if (s)
		drop_stray(ix, s);
	s = xcalloc(1, sizeof(*s) + path.len + 1 + strlen(text) + 1);
	memcpy(s->path, path.at, path.len);
	strcpy(s->path + path.len + 1, text);
	s->text = str_of(s->path + path.len + 1);
	s->code = code;
	s->source = source;
	s->epoch = ix->epoch;
	HASH_ADD_KEYPTR(hh, ix->strays, s->path, path.len, s);
	ix->flaws++;
	ix->changed = true;
}

const struct stray *index_strays(const struct index *ix)
{
	return ix->strays;
}

void index_scan_begin(struct index *ix, int source)
{
	(void)source;
	ix->epoch++;
}

void index_scan_end(struct index *ix, int source)
{
	struct stray *s, *next_stray;

	for (struct ticket *t = ix->tickets; t; t = t->hh.next)
		for (struct copy *c = t->copies, *next; c; c = next) {
			struct doc *doc, *next_doc;
			next = c->next;
			if (c->source != source)
				continue;
			DL_FOREACH_SAFE(c->docs, doc, next_doc)
				if (doc->epoch != ix->epoch)
					drop_doc(ix, doc);
			if (c->item && c->item_epoch != ix->epoch)
				set_item(ix, c, NULL);
			drop_copy_if_empty(ix, c);
		}
	HASH_ITER(hh, ix->strays, s, next_stray)
		if (s->source == source && s->epoch != ix->epoch)
			drop_stray(ix, s);
}

/* -- Sources ------------------------------------------------------------ */

int index_source_add(struct index *ix, const char *name)
{
	int free_one = -1;

	for (int i = SOURCES_MAX - 1; i >= 0; i--) {
		if (ix->sources[i].used && strcmp(ix->sources[i].name, name) == 0)
			return i;
		if (!ix->sources[i].used)
			free_one = i;
	}
	if (free_one < 0)
		return -1;
	ix->sources[free_one] = (struct source){ .name = xstrdup(name), .top = xstrdup(""),
						 .root = xstrdup(""), .used = true };
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
		soil(ix, t);
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

void index_source_drop(struct index *ix, int source)
{
	struct source *s = &ix->sources[source];

	if (s->authority)
		soil_all(ix);
	drop_many(ix, source, STR(""));
	drop_strays(ix, source, STR(""));
	free(s->name);
	free(s->top);
	free(s->root);
	*s = (struct source){ 0 };
	ix->changed = true;
}

const struct source *index_source(const struct index *ix, int source)
{
	return source >= 0 && source < SOURCES_MAX && ix->sources[source].used ? &ix->sources[source]
									      : NULL;
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

/* -- Settling ----------------------------------------------------------- */

enum state copy_state(const struct copy *copy)
{
	return copy->item && copy->item->item ? copy->item->item->state : STATE_UNKNOWN;
}

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

static bool found_twice(const struct ticket *t)
{
	for (const struct copy *c = t->copies; c && c->next; c = c->next)
		if (c->source == c->next->source)
			return true;
	return false;
}

static bool copy_unreadable(const struct copy *copy)
{
	if (!copy->item || copy->item->unreadable)
		return true;
	for (const struct doc *d = copy->docs; d; d = d->next)
		if (d->content->unreadable)
			return true;
	return false;
}

/* What the item.md files of all sources come to. */
static void settle_state(const struct index *ix, struct ticket *t)
{
	t->face = t->copies ? choose_face(ix, t) : NULL;
	t->twice = found_twice(t);
	t->state = (uint8_t)(t->face && !t->twice ? copy_state(t->face) : STATE_UNKNOWN);
	t->elsewhere = t->face && !is_authority(ix, t->face) && authority_has_tree(ix);
	t->unreadable = t->state == STATE_UNKNOWN;
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
}

static bool is_timed(const struct decision *d)
{
	return d->record->until && d->record->until->form == UNTIL_AFTER;
}

static void unlink_own(struct index *ix, struct ticket *t)
{
	struct decision *own = t->own;
	uint32_t count = t->own_count;

	ix->records -= count;
	ix->timed -= t->own_timed;
	t->own_timed = 0;
	t->own = NULL;
	t->own_count = 0;
	t->last_plan = NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct ticket *other = own[i].other;
		if (!other)
			continue;
		DL_DELETE(other->incoming, &own[i]);
		if (other != t)
			drop_if_unknown(ix, other);
	}
	free(own);
}

/* Sorts by key, then by what decides which source's content counts. */
static int by_key(const void *a, const void *b, void *data)
{
	const struct decision *x = a, *y = b;
	const struct index *ix = data;
	int order = str_cmp(x->record->id, y->record->id);

	if (!order)
		order = (x->doc->content->role == ROLE_RELATIONS) -
			(y->doc->content->role == ROLE_RELATIONS);
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

static bool same_key(const struct decision *a, const struct decision *b)
{
	return (a->doc->content->role == ROLE_RELATIONS) ==
		       (b->doc->content->role == ROLE_RELATIONS) &&
	       str_eq(a->record->id, b->record->id);
}

/* The union over sources: of one key, the authority's content, else the first source's. */
static uint32_t merge_sources(struct index *ix, struct decision *all, uint32_t count)
{
	uint32_t kept = 0;

	qsort_r(all, count, sizeof(*all), by_key, ix);
	for (uint32_t i = 0; i < count; i++) {
		struct decision *into = NULL;
		/* The same key twice within a source are two records: look for one without it. */
		for (uint32_t k = kept; k > 0 && same_key(&all[k - 1], &all[i]) && !into; k--)
			if (!(all[k - 1].sources & all[i].sources))
				into = &all[k - 1];
		if (!into) {
			all[kept++] = all[i];
			continue;
		}
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

/* Where `id` would stand among decisions sorted by id: the first that is not before it. */
static uint32_t lower_bound(struct decision *const *sorted, uint32_t count, struct str id)
{
	uint32_t from = 0;

	while (count) {
		uint32_t half = count / 2;
		if (str_cmp(sorted[from + half]->record->id, id) < 0) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}

static void settle_retractions(struct ticket *t)
{
	struct decision **sorted = NULL;

	for (uint32_t i = 0; i < t->own_count; i++) {
		struct decision *r = &t->own[i];
		if (r->record->kind != KIND_RETRACTION)
			continue;
		if (!sorted) {
			sorted = xcalloc(t->own_count, sizeof(struct decision *));
			for (uint32_t k = 0; k < t->own_count; k++)
				sorted[k] = &t->own[k];
			qsort(sorted, t->own_count, sizeof(struct decision *), by_record_id);
		}
		uint32_t k = lower_bound(sorted, t->own_count, r->record->retracts);
		for (; k < t->own_count && str_eq(sorted[k]->record->id, r->record->retracts); k++)
			retract(r, sorted[k]);
	}
	free(sorted);
}

static uint32_t gather(const struct ticket *t, struct decision *into)
{
	uint32_t count = 0;

	for (const struct copy *c = t->copies; c; c = c->next)
		for (struct doc *d = c->docs; d; d = d->next)
			for (uint32_t i = 0; i < d->content->record_count; i++, count++)
				if (into)
					into[count] = (struct decision){
						.record = &d->content->records[i],
						.doc = d,
						.sources = UINT64_C(1) << c->source,
					};
	return count;
}

static void link_own(struct index *ix, struct ticket *t)
{
	for (uint32_t i = 0; i < t->own_count; i++) {
		struct decision *d = &t->own[i];
		d->ticket = t;
		t->own_timed += is_timed(d);
		if (d->record->kind == KIND_ACCEPTED_PLAN && !d->retracted)
			t->last_plan = d;
		if (!d->record->other.at)
			continue;
		d->other = find_or_make(ix, d->record->other);
		DL_APPEND(d->other->incoming, d);
	}
}

static void settle_records(struct index *ix, struct ticket *t)
{
	uint32_t count = gather(t, NULL);

	if (count) {
		struct decision *own = xcalloc(count, sizeof(*own));
		gather(t, own);
		if (t->copies->next)
			count = merge_sources(ix, own, count);
		qsort_r(own, count, sizeof(*own), by_time, ix);
		t->own = own;
		t->own_count = count;
		settle_retractions(t);
		link_own(ix, t);
		ix->timed += t->own_timed;
	}
	ix->records += count;
}

bool ticket_plan_is_current(const struct ticket *t)
{
	int64_t queued;

	if (!t->last_plan)
		return false;
	return !ticket_item(t)->queued_at.at || !stamp_parse(ticket_item(t)->queued_at, &queued) ||
	       t->last_plan->record->at >= queued;
}

static void settle_occupied(struct index *ix, struct ticket *t)
{
	ix->occupied -= t->occupied;
	t->occupied = t->state == STATE_INPROGRESS || t->busy_elsewhere >= 0 ||
		      (t->state == STATE_QUEUED && ticket_plan_is_current(t));
	ix->occupied += t->occupied;
}

/* Folders list their files in no order. */
static void sort_docs(struct ticket *t)
{
	for (struct copy *c = t->copies; c; c = c->next) {
		if (c->docs_mixed)
			DL_SORT(c->docs, doc_order);
		c->docs_mixed = false;
	}
}

/* The first time after now that ends a wait.  Few trees have any such record. */
static void settle_next_time(struct index *ix)
{
	ix->next_time = 0;
	for (const struct ticket *t = ix->timed ? ix->tickets : NULL; t; t = t->hh.next)
		for (uint32_t i = 0; t->own_timed && i < t->own_count; i++) {
			int64_t at = is_timed(&t->own[i]) ? t->own[i].record->until->after : 0;
			if (at > ix->now && (!ix->next_time || at < ix->next_time))
				ix->next_time = at;
		}
}

void index_pass_time(struct index *ix, int64_t now)
{
	/* A wall clock may go back, too. */
	ix->changed |= ix->timed && (now < ix->now || (ix->next_time && now >= ix->next_time));
	ix->now = now;
}

int64_t index_next_time(const struct index *ix)
{
	return ix->next_time;
}

bool index_settle(struct index *ix)
{
	if (!ix->changed)
		return false;
	ix->changed = false;
	ix->generation++;
	/* First let go of everything, so that nobody is found by a record that is gone. */
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next)
		unlink_own(ix, t);
	for (struct ticket *t = ix->dirty; t; t = t->dirty_next) {
		sort_docs(t);
		settle_state(ix, t);
		settle_records(ix, t);
		settle_occupied(ix, t);
		t->generation = ix->generation;
	}
	while (ix->dirty) {
		struct ticket *t = ix->dirty;
		ix->dirty = t->dirty_next;
		t->dirty = false;
		t->dirty_next = NULL;
		drop_if_unknown(ix, t);
	}
	settle_next_time(ix);
	return true;
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

void index_free(struct index *ix)
{
	if (!ix)
		return;
	for (int i = 0; i < SOURCES_MAX; i++)
		if (ix->sources[i].used)
			index_source_drop(ix, i);
	index_settle(ix);
	BUG_IF(ix->tickets);
	free(ix->sorted);
	free(ix);
}

/* -- Status ------------------------------------------------------------- */

bool decision_until_holds(const struct index *ix, const struct decision *d, int64_t now)
{
	const struct until *u = d->record->until;
	const struct ticket *t;

	switch (u ? u->form : UNTIL_NONE) {
	case UNTIL_TICKET:
		t = index_find(ix, u->ticket);
		return t && t->state != STATE_UNKNOWN && t->state >= u->state;
	case UNTIL_AFTER:
		return now >= u->after;
	case UNTIL_FREE:
		return index_occupied(ix) < (uint64_t)u->free;
	case UNTIL_HUMAN:
	case UNTIL_NONE:
		break;
	}
	return false;
}

bool decision_superseded(const struct decision *d)
{
	const struct decision *plan = d->ticket->last_plan;
	enum kind kind = d->record->kind;

	/* The array is in order of time: what stands before the last plan is older. */
	return (kind == KIND_ACCEPTED_PLAN || kind == KIND_WAITING_CAPACITY_NOTE) && plan && d < plan;
}

enum status decision_status(const struct index *ix, const struct decision *d, int64_t now)
{
	const struct kind_row *row = kind_row(d->record->kind);
	bool dangling = d->other && !ticket_exists(d->other);

	if (d->retracted)
		return STATUS_RETRACTED;
	if (d->record->kind == KIND_RETRACTION)
		return STATUS_SATISFIED;
	if (row->code == REASON_NONE && row->takes == TAKES_TICKET)
		return dangling ? STATUS_DANGLING : STATUS_LIVE;
	if (decision_superseded(d))
		return STATUS_SUPERSEDED;
	if (state_resolved(d->ticket->state))
		return STATUS_SATISFIED;
	if (dangling)
		return STATUS_DANGLING;
	if (d->other && state_resolved(d->other->state))
		return STATUS_SATISFIED;
	return decision_until_holds(ix, d, now) ? STATUS_SATISFIED : STATUS_LIVE;
}
