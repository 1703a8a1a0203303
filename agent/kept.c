/* SPDX-License-Identifier: MIT */
#include "kept.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "beneath.h"
#include "log.h"
#include "reading.h"

/* Copies are for decisions of these days, not for a tree that was never committed. */
#define SIGHTINGS_MAX 1000
/* No checkout takes longer to go. */
#define DELETED_S 60

/* A file that is being written; so often, where several ask for the same. */
struct writing {
	UT_hash_handle hh; /* by key */
	unsigned count;
	bool seen;   /* in a checkout */
	bool copied; /* somebody's write was what made it */
	char key[];  /* TICKET/NAME */
};

struct kept {
	struct index *ix;
	struct keep *copies;
	bool writes;
	struct kept_file *files;
	size_t resting, committed; /* of these */
	size_t doubts;
	struct kept_file *fresh;
	uint64_t looked; /* generation */
	uint64_t drops;  /* at the last look at all of them */
	bool wanting;    /* some were not found then, or may be elsewhere now */
	struct sighting *sighted;
	size_t sighted_count;
	struct writing *writing;
};

struct keep *kept_copies(const struct kept *k)
{
	return k->copies;
}

bool kept_read(const struct kept *k, const struct kept_file *f, struct buf *into)
{
	return keep_get(k->copies, f->ticket, f->name, into);
}

struct kept_file *kept_files(const struct kept *k)
{
	return k->files;
}

size_t kept_doubts(const struct kept *k)
{
	return k->doubts;
}

size_t kept_unrested(const struct kept *k)
{
	return HASH_COUNT(k->files) - k->resting;
}

struct kept_file *kept_find(const struct kept *k, const char *ticket, const char *name)
{
	char *key = xconcat(ticket, "/", name, NULL);
	struct kept_file *f;

	HASH_FIND(hh, k->files, key, strlen(key), f);
	free(key);
	return f;
}

static struct writing *find_writing(const struct kept *k, struct str ticket, const char *name,
				    char **key)
{
	struct writing *w;

	*key = xasprintf("%.*s/%s", STR_ARG(ticket), name);
	HASH_FIND(hh, k->writing, *key, strlen(*key), w);
	return w;
}

void kept_writing(struct kept *k, struct str ticket, const char *name)
{
	char *key;
	struct writing *w = find_writing(k, ticket, name, &key);

	if (!w) {
		w = xcalloc(1, sizeof(*w) + strlen(key) + 1);
		strcpy(w->key, key);
		HASH_ADD_KEYPTR(hh, k->writing, w->key, strlen(w->key), w);
	}
	w->count++;
	free(key);
}

static struct kept_file *file_new(struct kept *k, const char *ticket, const char *name)
{
	size_t size = strlen(ticket) + 1 + strlen(name) + 1;
	struct kept_file *f = xcalloc(1, sizeof(*f) + size);

	snprintf(f->key, size, "%s/%s", ticket, name);
	f->ticket = xstrdup(ticket);
	f->name = f->key + strlen(ticket) + 1;
	HASH_ADD_KEYPTR(hh, k->files, f->key, strlen(f->key), f);
	LL_PREPEND2(k->fresh, f, fresh_next);
	return f;
}

void kept_add(struct kept *k, struct str ticket, const char *name, const char *source)
{
	char *id = xstrndup(ticket.at, ticket.len);
	struct kept_file *f = kept_find(k, id, name);
	bool known = f != NULL;

	f = f ? f : file_new(k, id, name);
	free(id);
	k->wanting |= known && !source;
	k->looked = 0;
	/* One that we wrote stays that, wherever it is seen. */
	if (known && (!f->source || f->lost))
		return;
	free(f->source);
	f->source = source ? xstrdup(source) : NULL;
}

static void set_rests(struct kept *k, struct kept_file *f, bool rests)
{
	k->resting += rests;
	k->resting -= f->rests;
	f->rests = rests;
}

static void set_committed(struct kept *k, struct kept_file *f, int64_t since)
{
	k->committed += since != 0;
	k->committed -= f->committed != 0;
	f->committed = since;
}

static void add_copy(void *ctx, const char *ticket, const char *name, const char *source,
		     int64_t committed)
{
	struct str id = str_of(ticket);

	if (!layout_id_ok(id) || layout_role(ROLE_RECORDS, str_of(name)) != ROLE_RECORD)
		return;
	kept_add(ctx, id, name, source);
	set_committed(ctx, kept_find(ctx, ticket, name), committed);
}

static void forget(struct kept *k, struct kept_file *f)
{
	set_rests(k, f, false);
	set_committed(k, f, 0);
	if (!f->found)
		LL_DELETE2(k->fresh, f, fresh_next);
	HASH_DELETE(hh, k->files, f);
	free(f->tip);
	free(f->ticket);
	free(f->source);
	free(f);
}

static void drop_copy(struct kept *k, struct kept_file *f)
{
	keep_drop(k->copies, f->ticket, f->name, f->source);
	forget(k, f);
	k->looked = 0;
}

/* They are in the order in which they were written, or nearly. */
static void let_go_of_old(struct kept *k, int64_t now)
{
	struct kept_file *f, *next;

	HASH_ITER(hh, k->files, f, next)
	{
		if (!f->committed)
			continue;
		if (k->committed <= KEPT_COMMITTED_MAX && now - f->committed <= KEPT_COMMITTED_S)
			return;
		drop_copy(k, f);
	}
}

struct kept *kept_new(struct index *ix, const char *state, bool writes)
{
	struct kept *k = xcalloc(1, sizeof(*k));
	char *path = xasprintf("%s/kept.records", state);

	*k = (struct kept){ .ix = ix, .copies = keep_open(path, writes), .writes = writes };
	keep_each(k->copies, add_copy, k);
	let_go_of_old(k, time(NULL));
	free(path);
	return k;
}

void kept_free(struct kept *k)
{
	if (!k)
		return;
	while (k->files)
		forget(k, k->files);
	for (struct writing *w = k->writing, *next; w; w = next) {
		next = w->hh.next;
		HASH_DELETE(hh, k->writing, w);
		free(w);
	}
	for (size_t i = 0; i < k->sighted_count; i++)
		sighting_release(&k->sighted[i]);
	free(k->sighted);
	keep_close(k->copies);
	free(k);
}

/* -- Where they are ----------------------------------------------------- */

/* Whether it is in no commit, so far as is known. */
static void set_loose(struct kept *k, struct doc *d, bool loose)
{
	if (d->loose == loose)
		return;
	d->loose = loose;
	index_touch_ticket(k->ix, d->copy->ticket);
}

/* The record file of that name in one folder of the Ticket, or NULL. */
static struct doc *doc_in(const struct kept *k, const struct copy *c, const char *name)
{
	char *path = layout_record(c->dir, name);
	struct doc *d = index_doc(k->ix, c->source, str_of(path));

	free(path);
	return d;
}

/* Whether what others wrote is in a commit, we know only of what happened to be seen. */
static bool is_loose(const struct kept_file *f)
{
	return !f->source && !f->committed;
}

/* Say of each checkout's file whether it is in no commit; whether there is any. */
static bool mark(struct kept *k, const struct kept_file *f, bool loose)
{
	const struct ticket *t = index_named(k->ix, str_of(f->ticket));
	bool any = false;

	for (const struct copy *c = t ? t->copies : NULL; c; c = c->next) {
		struct doc *d = doc_in(k, c, f->name);
		if (d)
			set_loose(k, d, loose);
		any |= d != NULL;
	}
	return any;
}

static struct str lost_path(const struct kept_file *f, char **into)
{
	*into = layout_record(f->ticket, f->name);
	return str_of(*into);
}

static void find_again(struct kept *k, struct kept_file *f)
{
	char *path;

	if (!f->lost)
		return;
	f->lost = false;
	index_lost_drop(k->ix, lost_path(f, &path));
	free(path);
}

static bool has_source(const struct kept *k, const char *name)
{
	for (int i = -1; (i = index_source_next(k->ix, UINT64_MAX, i)) >= 0;)
		if (strcmp(index_source(k->ix, i)->name, name) == 0)
			return true;
	return false;
}

/*
 * Somebody deleted what somebody wrote; or the checkout is about to go, and its
 * files go one by one.
 */
static void look_at_deleted(struct kept *k, struct kept_file *f)
{
	int64_t now = time(NULL);

	f->doubted = false;
	if (!f->deleted)
		f->deleted = now;
	else if (now - f->deleted > DELETED_S)
		drop_copy(k, f);
}

static void look_for(struct kept *k, struct kept_file *f)
{
	bool there = mark(k, f, is_loose(f));

	if (there)
		find_again(k, f);
	f->away = f->away && !there;
	set_rests(k, f, there && f->committed != 0);
	f->doubted = !there && !f->lost && !f->away;
	if (f->doubted && f->source && has_source(k, f->source)) {
		look_at_deleted(k, f);
		return;
	}
	f->deleted = 0;
	k->doubts += f->doubted;
}

static void look_at_all(struct kept *k)
{
	struct kept_file *f, *next;
	bool went = k->drops != index_drops(k->ix);

	k->doubts = 0;
	k->wanting = false;
	k->drops = index_drops(k->ix);
	HASH_ITER(hh, k->files, f, next)
		if (went || !f->rests)
			look_for(k, f);
	for (f = k->files; f; f = f->hh.next)
		k->wanting |= f->lost || f->doubted || f->deleted;
}

static void set_found(struct kept *k, struct kept_file *f)
{
	if (!f->found)
		LL_DELETE2(k->fresh, f, fresh_next);
	f->found = true;
}

/* Where no file went, what was found before is there still. */
static void look_at_fresh(struct kept *k)
{
	struct kept_file *f, *next;

	LL_FOREACH_SAFE2(k->fresh, f, next, fresh_next) {
		if (!mark(k, f, is_loose(f)))
			continue;
		set_rests(k, f, f->committed != 0);
		set_found(k, f);
	}
	k->wanting = k->fresh != NULL;
}

void kept_look(struct kept *k)
{
	if (k->looked == index_generation(k->ix))
		return;
	if (!k->wanting)
		look_at_fresh(k);
	if (k->wanting || k->drops != index_drops(k->ix))
		look_at_all(k);
	index_settle(k->ix);
	k->looked = index_generation(k->ix);
}

void kept_prune(struct kept *k, struct kept_file *f)
{
	find_again(k, f);
	mark(k, f, false);
	drop_copy(k, f);
}

void kept_commit(struct kept *k, struct kept_file *f, const char *tip)
{
	int64_t now = time(NULL);

	if (f->source) {
		kept_prune(k, f);
		return;
	}
	find_again(k, f);
	if (!f->committed) {
		set_committed(k, f, now);
		keep_commit(k->copies, f->ticket, f->name, now);
	}
	if (tip) {
		free(f->tip);
		f->tip = xstrdup(tip);
	}
	f->away = !mark(k, f, false);
	f->doubted = false;
	set_rests(k, f, !f->away);
	set_found(k, f);
	k->looked = 0;
	let_go_of_old(k, now);
}

/* What was seen in a checkout that is gone, or that we acknowledge, is ours to keep now. */
static void adopt(struct kept *k, struct kept_file *f, const struct buf *bytes)
{
	struct copied ours = { f->ticket, f->name, NULL, { bytes->at, bytes->len } };
	struct fault why;

	if (!k->writes || !keep_put(k->copies, &ours, 1, &why))
		return;
	free(f->source);
	f->source = NULL;
}

void kept_lose(struct kept *k, struct kept_file *f)
{
	struct buf bytes = { 0 };
	char *path;
	struct str at = lost_path(f, &path);

	f->doubted = f->away = false;
	k->looked = 0;
	if (kept_read(k, f, &bytes)) {
		f->lost = true;
		set_committed(k, f, 0);
		keep_commit(k->copies, f->ticket, f->name, 0);
		index_lost_put(k->ix, at,
			       reading_of(at, ROLE_RECORD, (struct str){ bytes.at, bytes.len }));
		if (f->source)
			adopt(k, f, &bytes);
	} else {
		/* The copy went too; there is nothing left to tell of. */
		log_error("kept: the copy of record %s is gone too", f->key);
		forget(k, f);
	}
	buf_release(&bytes);
	free(path);
}

/* -- What was seen ------------------------------------------------------ */

bool sighting_read(const struct sighting *s, struct buf *into)
{
	int tree = open(s->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	into->len = 0;
	bool ok = tree >= 0 &&
		  beneath_read(tree, s->path, ARTIFACT_FILE_MAX, into) == BENEATH_OK;
	if (tree >= 0)
		close(tree);
	return ok;
}

void sighting_release(struct sighting *s)
{
	free(s->ticket);
	free(s->name);
	free(s->source);
	free(s->tree);
	free(s->path);
}

static struct sighting sighting_of(const struct source *from, bool ours, struct str ticket,
				   const char *name, struct str path)
{
	return (struct sighting){ .ticket = xstrndup(ticket.at, ticket.len),
				  .name = xstrdup(name),
				  .source = ours ? NULL : xstrdup(from->name),
				  .tree = xconcat(from->top, "/", from->root, NULL),
				  .path = xstrndup(path.at, path.len) };
}

static void append_sighting(struct kept *k, struct sighting s)
{
	k->sighted = xrealloc(k->sighted, (k->sighted_count + 1) * sizeof(s));
	k->sighted[k->sighted_count++] = s;
}

static void add_sighting(struct kept *k, struct sighting s)
{
	if (k->sighted_count >= SIGHTINGS_MAX) {
		sighting_release(&s);
		return;
	}
	append_sighting(k, s);
	if (k->sighted_count == SIGHTINGS_MAX)
		log_info("kept: %d record files came at once; of more no copy is kept",
			 SIGHTINGS_MAX);
}

/* It is ours, and not yet in a commit: said at once, so that it settles with what was read. */
static void see_ours(struct kept *k, int source, struct str path)
{
	struct doc *d = index_doc(k->ix, source, path);

	if (d)
		set_loose(k, d, true);
}

static bool is_writing(struct kept *k, struct str ticket, const char *name)
{
	char *key;

	if (!k->writing)
		return false;
	struct writing *w = find_writing(k, ticket, name, &key);
	free(key);
	if (w)
		w->seen = true;
	return w;
}

void kept_sight(struct kept *k, int source, struct str path)
{
	const struct source *from = index_source(k->ix, source);
	struct sighting s;
	struct spot spot;

	if (!k->writes || !from || k->sighted_count >= SIGHTINGS_MAX) {
		/* What is kept may have come back. */
		k->wanting |= k->files != NULL;
		return;
	}
	if (!layout_split(path, &spot))
		return;
	const char *slash = memrchr(path.at, '/', path.len);
	/* The path is a string, and its end is the name. */
	if (is_writing(k, spot.ticket, slash + 1)) {
		see_ours(k, source, path);
		return;
	}
	s = sighting_of(from, false, spot.ticket, slash + 1, path);
	const struct kept_file *known = kept_find(k, s.ticket, s.name);
	/* Others write a file bit by bit, and what was seen first may be half of it. */
	if (known && !known->source) {
		if (!known->committed)
			see_ours(k, source, path);
		/* In another checkout, too. */
		k->wanting |= known->found;
		sighting_release(&s);
		return;
	}
	add_sighting(k, s);
}

/* What was taken for ours is what others wrote under that name. */
static void sight_theirs(struct kept *k, struct str ticket, const char *name)
{
	const struct ticket *t = index_named(k->ix, ticket);

	for (const struct copy *c = t ? t->copies : NULL; c; c = c->next) {
		struct doc *d = doc_in(k, c, name);
		if (!d)
			continue;
		set_loose(k, d, false);
		kept_sight(k, c->source, str_of(d->path));
	}
}

void kept_wrote(struct kept *k, struct str ticket, const char *name, bool copied)
{
	char *key;
	struct writing *w = find_writing(k, ticket, name, &key);

	free(key);
	if (!w)
		return;
	w->copied |= copied;
	if (--w->count)
		return;
	bool theirs = w->seen && !w->copied;
	HASH_DELETE(hh, k->writing, w);
	free(w);
	if (theirs)
		sight_theirs(k, ticket, name);
}

/* A copy was made when it was seen, as of somebody's. */
static void take_over(struct kept *k, struct kept_file *f, const struct sighting *s)
{
	struct buf bytes = { 0 };

	if (sighting_read(s, &bytes) || kept_read(k, f, &bytes)) {
		adopt(k, f, &bytes);
		k->wanting = true;
		k->looked = 0;
	}
	buf_release(&bytes);
}

/*
 * Git was not asked about it yet, or said that a commit has it: it is asked again.  Who is
 * answered does not wait for that, and we may be killed before: there is a copy until then.
 */
static void sight_confirmed(struct kept *k, struct sighting s)
{
	struct buf bytes = { 0 };
	struct fault why;

	if (sighting_read(&s, &bytes)) {
		struct copied ours = { s.ticket, s.name, NULL, { bytes.at, bytes.len } };
		s.copied = keep_put(k->copies, &ours, 1, &why);
		if (!s.copied)
			log_error("kept: %s", why.text);
	}
	buf_release(&bytes);
	append_sighting(k, s);
}

void kept_confirm(struct kept *k, const struct doc *d)
{
	const struct source *from = index_source(k->ix, d->copy->source);

	if (!k->writes || !from || d->content->role != ROLE_RECORD)
		return;
	struct sighting s = sighting_of(from, true, d->copy->ticket->id,
					strrchr(d->path, '/') + 1, str_of(d->path));
	struct kept_file *f = kept_find(k, s.ticket, s.name);
	if (!f) {
		sight_confirmed(k, s);
		return;
	}
	if (f->source)
		take_over(k, f, &s);
	sighting_release(&s);
}

struct str kept_written_beside(const struct kept *k, struct str ticket, struct str id)
{
	for (const struct writing *w = k->writing; w; w = w->hh.next) {
		struct str key = str_of(w->key), name;
		const char *slash = strchr(w->key, '/');
		struct str theirs = { w->key, (size_t)(slash - w->key) };
		name = (struct str){ slash + 1, key.len - theirs.len - 1 };
		if (str_starts(name, id) &&
		    str_is((struct str){ name.at + id.len, name.len - id.len }, ".json") &&
		    !str_eq(theirs, ticket))
			return key;
	}
	return STR_NONE;
}

void kept_sight_all(struct kept *k)
{
	size_t count;
	struct ticket *const *all = index_tickets(k->ix, &count);

	for (size_t i = 0; i < count && k->sighted_count < SIGHTINGS_MAX; i++)
		for (const struct copy *c = all[i]->copies; c; c = c->next)
			for (uint32_t n = 0; n < c->doc_count; n++)
				if (c->docs[n]->content->role == ROLE_RECORD)
					kept_sight(k, c->source, str_of(c->docs[n]->path));
	index_settle(k->ix);
}

size_t kept_sighted(const struct kept *k)
{
	return k->sighted_count;
}

struct sighting *kept_take_sightings(struct kept *k, size_t *count)
{
	struct sighting *taken = k->sighted;

	*count = k->sighted_count;
	k->sighted = NULL;
	k->sighted_count = 0;
	return taken;
}
