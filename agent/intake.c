/* SPDX-License-Identifier: MIT */
#include "index_private.h"

#include <stdlib.h>

/* A path that several checkouts may have, and who ends it. */
struct text {
	uint32_t refs;
	char at[];
};

static struct text *text_of(const char *at)
{
	return (struct text *)((uintptr_t)at - offsetof(struct text, at));
}

static const char *text_new(struct str from)
{
	struct text *text = xmalloc(sizeof(*text) + from.len + 1);

	text->refs = 1;
	memcpy(text->at, from.at, from.len);
	text->at[from.len] = '\0';
	return text->at;
}

static const char *text_share(const char *at)
{
	text_of(at)->refs++;
	return at;
}

static void text_free(const char *at)
{
	if (--text_of(at)->refs == 0)
		free(text_of(at));
}

static void count_content(struct index *ix, const struct content *c, int sign)
{
	if (c)
		ix->flaws += (size_t)((int64_t)sign * (c->flaw_count + c->flaws_cut));
}

static void count_doc(struct index *ix, struct copy *copy, const struct content *c, int sign)
{
	count_content(ix, c, sign);
	if (c && c->unreadable)
		copy->unreadable += (uint32_t)sign;
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

/* In the flat layout that is the Ticket's id. */
static const char *copy_dir(const struct ticket *t, struct str dir)
{
	if (str_eq(dir, t->id))
		return t->id.at;
	for (const struct copy *c = t->copies; c; c = c->next)
		if (str_is(dir, c->dir))
			return text_share(c->dir);
	return text_new(dir);
}

static struct copy *copy_new(struct ticket *t, int source, struct str dir)
{
	struct copy *copy = xcalloc(1, sizeof(*copy));

	copy->ticket = t;
	copy->source = (int8_t)source;
	copy->dir = copy_dir(t, dir);
	return copy;
}

static void copy_free(struct copy *copy)
{
	if (copy->dir != copy->ticket->id.at)
		text_free(copy->dir);
	free(copy->docs);
	free(copy);
}

static struct copy *find_or_make_copy(struct index *ix, int source, const struct spot *spot)
{
	struct ticket *t = ticket_find_or_make(ix, spot->ticket);
	struct copy *copy = find_copy(t, source, spot->dir), **at = &t->copies;

	if (copy)
		return copy;
	if (!t->copies) {
		ix->there++;
		index_unsort(ix);
	}
	copy = copy_new(t, source, spot->dir);
	while (*at && copy_order(ix, *at, copy) < 0)
		at = &(*at)->next;
	copy->next = *at;
	*at = copy;
	ticket_soil(ix, t);
	return copy;
}

static int path_order(const void *path, const void *item)
{
	struct doc *const *d = item;

	return str_cmp(*(const struct str *)path, str_of((*d)->path));
}

/* Where a doc of that path is, or would be, among the copy's. */
static uint32_t doc_place(const struct copy *copy, struct str path)
{
	return (uint32_t)lower_bound(&path, copy->docs, copy->doc_count, sizeof(struct doc *),
				     path_order);
}

struct doc *copy_doc(const struct copy *copy, struct str path)
{
	uint32_t at = doc_place(copy, path);

	return at < copy->doc_count && str_is(path, copy->docs[at]->path) ? copy->docs[at] : NULL;
}

struct doc *doc_behind(const struct doc *doc)
{
	uint32_t next = doc_place(doc->copy, str_of(doc->path)) + 1;

	return next < doc->copy->doc_count ? doc->copy->docs[next] : NULL;
}

static struct doc *add_doc(struct copy *copy, struct str path)
{
	uint32_t at = doc_place(copy, path), count = copy->doc_count++;
	struct doc *doc = xcalloc(1, sizeof(*doc)), *same = NULL;

	/* There is room for the next power of two. */
	if (!(count & (count - 1)))
		copy->docs = xrealloc(copy->docs, (count ? count * 2 : 1) * sizeof(struct doc *));
	memmove(&copy->docs[at + 1], &copy->docs[at], (count - at) * sizeof(struct doc *));
	copy->docs[at] = doc;
	doc->copy = copy;
	for (const struct copy *c = copy->ticket->copies; c && !same; c = c->next)
		same = c == copy ? NULL : copy_doc(c, path);
	doc->path = same ? text_share(same->path) : text_new(path);
	return doc;
}

static void drop_doc(struct index *ix, struct doc *doc)
{
	struct copy *copy = doc->copy;

	ix->drops++;
	ticket_soil(ix, copy->ticket);
	count_doc(ix, copy, doc->content, -1);
	uint32_t at = doc_place(copy, str_of(doc->path)), behind = --copy->doc_count - at;
	memmove(&copy->docs[at], &copy->docs[at + 1], behind * sizeof(struct doc *));
	/* Decisions point to the doc until settle; the content may be shared. */
	doc->copy = NULL;
	content_free(doc->content);
	text_free(doc->path);
	free(doc);
}

static void set_item(struct index *ix, struct copy *copy, struct content *item)
{
	ticket_soil(ix, copy->ticket);
	count_content(ix, copy->item, -1);
	count_content(ix, item, +1);
	if (!copy->item != !item)
		ix->sources[copy->source].items += item ? 1 : (size_t)-1;
	content_free(copy->item);
	copy->item = item;
	if (copy->ticket->face == copy)
		copy->ticket->item = item ? item->item : NULL;
}

static void drop_copy(struct index *ix, struct copy *copy)
{
	struct ticket *t = copy->ticket;
	struct copy **at = &t->copies;

	while (copy->doc_count)
		drop_doc(ix, copy->docs[copy->doc_count - 1]);
	set_item(ix, copy, NULL);
	while (*at != copy)
		at = &(*at)->next;
	*at = copy->next;
	if (t->face == copy)
		t->face = NULL;
	copy_free(copy);
	if (t->copies)
		return;
	ix->there--;
	index_unsort(ix);
}

static void drop_copy_if_empty(struct index *ix, struct copy *copy)
{
	if (!copy->item && !copy->doc_count)
		drop_copy(ix, copy);
}

struct doc *index_doc(const struct index *ix, int source, struct str path)
{
	struct spot spot;

	if (!layout_split(path, &spot))
		return NULL;
	const struct ticket *t = index_named(ix, spot.ticket);
	const struct copy *copy = !t			     ? NULL
				  : source == SOURCE_LOST ? t->lost
							  : find_copy(t, source, spot.dir);
	return copy ? copy_doc(copy, path) : NULL;
}

/* The content that a source has of a file, or NULL. */
static struct content *content_at(const struct copy *c, struct str path, enum role role)
{
	if (role == ROLE_ITEM)
		return c->item;
	const struct doc *doc = copy_doc(c, path);
	return doc ? doc->content : NULL;
}

/* The same content in another checkout is held once. */
static struct content *share(const struct copy *copy, struct str path, struct content *content)
{
	for (const struct copy *c = copy->ticket->copies; c; c = c->next) {
		if (c->source == copy->source)
			continue;
		struct content *same = content_at(c, path, content->role);
		if (same && content_same(same, content)) {
			content_free(content);
			return content_share(same);
		}
	}
	return content;
}

static void put_doc(struct index *ix, struct copy *copy, struct str path, struct content *content)
{
	struct doc *doc = copy_doc(copy, path);

	if (doc && content_same(doc->content, content)) {
		doc->epoch = ix->epoch;
		content_free(content);
		return;
	}
	if (doc) {
		ticket_soil(ix, copy->ticket);
	} else {
		doc = add_doc(copy, path);
		ticket_touch(ix, copy->ticket);
	}
	count_doc(ix, copy, doc->content, -1);
	count_doc(ix, copy, content, +1);
	ids_add(ix, content);
	content_free(doc->content);
	doc->content = content;
	doc->epoch = ix->epoch;
}

struct content *index_known(const struct index *ix, struct str path, enum role role,
			    struct str bytes)
{
	const char *slash = memrchr(path.at, '/', path.len);
	struct str name = { slash + 1, (size_t)(path.at + path.len - (slash + 1)) };
	struct spot spot;

	BUG_IF(!layout_split(path, &spot));
	const struct ticket *t = index_named(ix, spot.ticket);
	for (const struct copy *c = t ? t->copies : NULL; c; c = c->next) {
		struct content *same = content_at(c, path, role);
		if (!same || same->role != role)
			continue;
		if (role == ROLE_ITEM ? item_is(same, bytes, spot.slug)
				      : artifact_is(same, spot.ticket, name, bytes))
			return content_share(same);
	}
	return NULL;
}

void index_put(struct index *ix, int source, struct str path, struct content *content)
{
	struct spot spot;

	BUG_IF(!layout_split(path, &spot) || !spot.file.len);
	struct copy *copy = find_or_make_copy(ix, source, &spot);
	if (copy->next || copy->ticket->copies != copy)
		content = share(copy, path, content);
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

	if (!copy)
		return;
	if (!spot->file.at) {
		drop_copy(ix, copy);
		return;
	}
	if (str_is(spot->file, "item.md") && copy->item)
		set_item(ix, copy, NULL);
	struct doc *doc = copy_doc(copy, path);
	if (doc)
		drop_doc(ix, doc);
	for (uint32_t i = doc ? 0 : copy->doc_count; i-- > 0;)
		if (below(copy->docs[i]->path, path))
			drop_doc(ix, copy->docs[i]);
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
			next = c->next;
			if (c->source != source)
				continue;
			for (uint32_t i = c->doc_count; i-- > 0;)
				if (c->docs[i]->epoch != ix->epoch)
					drop_doc(ix, c->docs[i]);
			if (c->item && c->item_epoch != ix->epoch)
				set_item(ix, c, NULL);
			drop_copy_if_empty(ix, c);
		}
	HASH_ITER(hh, ix->strays, s, next_stray)
	if (s->source == source && s->epoch != ix->epoch)
		drop_stray(ix, s);
}

/* -- Records that are lost ---------------------------------------------- */

void index_lost_put(struct index *ix, struct str path, struct content *content)
{
	struct spot spot;

	BUG_IF(!layout_split(path, &spot) || !spot.file.len || content->role != ROLE_RECORD);
	struct ticket *t = ticket_find_or_make(ix, spot.ticket);
	if (!t->lost) {
		t->lost = copy_new(t, SOURCE_LOST, spot.dir);
		t->lost->next = ix->lost;
		ix->lost = t->lost;
	}
	put_doc(ix, t->lost, path, content);
}

void index_lost_drop(struct index *ix, struct str path)
{
	struct doc *doc = index_doc(ix, SOURCE_LOST, path);

	if (!doc)
		return;
	struct copy *copy = doc->copy, **at = &ix->lost;
	drop_doc(ix, doc);
	if (copy->doc_count)
		return;
	while (*at != copy)
		at = &(*at)->next;
	*at = copy->next;
	copy->ticket->lost = NULL;
	copy_free(copy);
}

const struct ticket *index_lost_next(const struct index *ix, const struct ticket *after)
{
	const struct copy *next = after ? after->lost->next : ix->lost;

	return next ? next->ticket : NULL;
}

uint64_t index_drops(const struct index *ix)
{
	return ix->drops;
}
