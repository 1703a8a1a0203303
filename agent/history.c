/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <stdlib.h>

#include "reading.h"
#include "revision.h"
#include "utf8.h"

#define OBJECT_MAX (256 * 1024 * 1024)
#define TAGS_DEEP  8

/* What a commit did to one record. */
struct tally {
	UT_hash_handle hh; /* by key */
	struct str ticket, id;
	bool relation;
	int net;              /* beside one parent: +1 came, -1 vanished */
	unsigned plus, minus; /* beside how many parents */
	struct content *content;
	const struct record *record;
	char key[];
};

struct walker {
	struct past *past;
	struct repo *repo;
	const char *configured;
	struct buf path; /* from the root */
	struct tally *tallies;
	size_t read; /* commits that were new */
	struct fault *why;
};

/* -- One commit --------------------------------------------------------- */

static struct tally *find_tally(struct walker *w, struct str ticket, bool relation, struct str id)
{
	char *key = xasprintf("%.*s/%c/%.*s", STR_ARG(ticket), relation ? 'r' : 'p', STR_ARG(id));
	struct tally *t;

	HASH_FIND(hh, w->tallies, key, strlen(key), t);
	if (!t) {
		t = xcalloc(1, sizeof(*t) + strlen(key) + 1);
		strcpy(t->key, key);
		t->ticket = (struct str){ t->key, ticket.len };
		t->relation = relation;
		t->id = str_of(t->key + ticket.len + 3);
		HASH_ADD_KEYPTR(hh, w->tallies, t->key, strlen(t->key), t);
	}
	free(key);
	return t;
}

static void count(struct walker *w, struct str ticket, bool relation, struct str id,
		  struct content *content, const struct record *record, int sign)
{
	struct tally *t = find_tally(w, ticket, relation, id);

	t->net += sign;
	if (t->content || !content)
		return;
	t->content = content_share(content);
	t->record = record;
}

/* The records of a file that came (+1) or went (-1). */
static void count_file(struct walker *w, const struct repo_id *blob, enum role role, int sign)
{
	struct str path = { w->path.at, w->path.len };
	struct buf bytes = { 0 };
	enum repo_type type;
	struct spot spot;
	struct fault never;

	BUG_IF(!layout_split(path, &spot));
	if (repo_read(w->repo, blob, ARTIFACT_FILE_MAX, &type, &bytes, &never)) {
		struct content *c =
			reading_of(path, role, (struct str){ bytes.at ? bytes.at : "", bytes.len });
		for (uint32_t i = 0; i < c->record_count; i++)
			count(w, spot.ticket, role == ROLE_RELATIONS, c->records[i].id, c,
			      &c->records[i], sign);
		content_free(c);
	} else if (role == ROLE_RECORD) {
		/* A clone without old files still knows their names, and those are ids. */
		const char *name = (const char *)memrchr(path.at, '/', path.len) + 1;
		struct str id = { name, (size_t)(path.at + path.len - name) - 5 };
		count(w, spot.ticket, false, id, NULL, NULL, sign);
	}
	buf_release(&bytes);
}

static bool compare_folders(struct walker *w, const struct repo_id *before,
			    const struct repo_id *after, enum role role);

/* An entry of one side (the other is NULL), or of both with different ids. */
static bool compare_entries(struct walker *w, enum role role, const struct repo_entry *before,
			    const struct repo_entry *after)
{
	bool folder = !role_is_file(role);
	enum repo_kind wanted = folder ? REPO_FOLDER : REPO_FILE;
	const struct repo_id *a = before && before->kind == wanted ? &before->id : NULL;
	const struct repo_id *b = after && after->kind == wanted ? &after->id : NULL;

	if (folder)
		return (!a && !b) || compare_folders(w, a, b, role);
	if (a)
		count_file(w, a, role, -1);
	if (b)
		count_file(w, b, role, +1);
	return true;
}

/* git's order in a tree: as if a folder's name ended in a slash. */
static int entry_order(const struct repo_entry *a, const struct repo_entry *b)
{
	size_t n = a->name.len < b->name.len ? a->name.len : b->name.len;
	int order = memcmp(a->name.at, b->name.at, n);
	unsigned char x, y;

	if (order)
		return order;
	x = a->name.len > n ? (unsigned char)a->name.at[n] : a->kind == REPO_FOLDER ? '/' : 0;
	y = b->name.len > n ? (unsigned char)b->name.at[n] : b->kind == REPO_FOLDER ? '/' : 0;
	return (x > y) - (x < y);
}

static bool is_ours(enum role role)
{
	return role != ROLE_NONE && role != ROLE_BAD && role != ROLE_ITEM;
}

static bool compare_names(struct walker *w, enum role role, const struct repo_entry *before,
			  const struct repo_entry *after)
{
	struct str name = before ? before->name : after->name;
	enum role inner = layout_role(role, name);
	size_t length = w->path.len;

	if (!is_ours(inner) || !name.len || memchr(name.at, '/', name.len))
		return true;
	if (before && after && strcmp(before->id.text, after->id.text) == 0 &&
	    before->kind == after->kind)
		return true;
	buf_addf(&w->path, "%s%.*s", length ? "/" : "", STR_ARG(name));
	bool ok = compare_entries(w, inner, before, after);
	w->path.len = length;
	return ok;
}

/* One side of a comparison of folders. */
struct side {
	const struct repo_id *id;
	struct buf bytes;
	struct str rest;
	struct repo_entry entry;
	bool more;
};

static void advance(struct side *s)
{
	s->more = s->id && repo_entry_next(s->id, &s->rest, &s->entry);
}

static bool side_open(struct walker *w, struct side *s, const struct repo_id *id)
{
	enum repo_type type;

	*s = (struct side){ .id = id };
	if (id && !repo_read(w->repo, id, OBJECT_MAX, &type, &s->bytes, w->why))
		return false;
	s->rest = (struct str){ s->bytes.at, s->bytes.len };
	advance(s);
	return true;
}

/* NULL is an empty folder. */
static bool compare_folders(struct walker *w, const struct repo_id *before,
			    const struct repo_id *after, enum role role)
{
	struct side a = { 0 }, b = { 0 };
	bool ok = side_open(w, &a, before) && side_open(w, &b, after);

	while (ok && (a.more || b.more)) {
		int order = !a.more ? 1 : !b.more ? -1 : entry_order(&a.entry, &b.entry);
		ok = compare_names(w, role, order <= 0 ? &a.entry : NULL,
				   order >= 0 ? &b.entry : NULL);
		if (order <= 0)
			advance(&a);
		if (order >= 0)
			advance(&b);
	}
	buf_release(&a.bytes);
	buf_release(&b.bytes);
	return ok;
}

static bool compare_tops(struct walker *w, const char *before, const char *after)
{
	struct repo_id a, b;

	strcpy(a.text, before);
	strcpy(b.text, after);
	bool ok = compare_folders(w, *before ? &a : NULL, *after ? &b : NULL, ROLE_ROOT);
	for (struct tally *t = w->tallies; t; t = t->hh.next) {
		t->plus += t->net > 0;
		t->minus += t->net < 0;
		t->net = 0;
	}
	return ok;
}

/* What differs from every parent is the commit's own doing. */
static void tell(struct walker *w, const struct past_commit *c)
{
	unsigned parents = c->parent_count ? c->parent_count : 1;
	struct tally *t, *next;

	HASH_ITER(hh, w->tallies, t, next)
	{
		if (c->read && (t->plus == parents || t->minus == parents))
			past_event(w->past, c, t->minus == parents, t->ticket, t->relation, t->id,
				   t->content, t->record);
		HASH_DELETE(hh, w->tallies, t);
		content_free(t->content);
		free(t);
	}
}

static bool same_as_a_parent(const struct past_commit *c)
{
	for (unsigned i = 0; i < c->parent_count; i++)
		if (strcmp(c->parents[i]->top, c->top) == 0)
			return true;
	return false;
}

static bool examine(struct walker *w, struct past_commit *c)
{
	bool ok = true;

	if (!same_as_a_parent(c)) {
		for (unsigned i = 0; ok && i < c->parent_count; i++)
			ok = compare_tops(w, c->parents[i]->top, c->top);
		if (!c->parent_count)
			ok = compare_tops(w, "", c->top);
	}
	c->read = ok;
	tell(w, c);
	return ok;
}

/* -- All of them -------------------------------------------------------- */

/* Names and messages may be in any encoding: what is no UTF-8 becomes a question mark. */
static char *as_text(struct str text)
{
	struct buf out = { 0 };
	size_t bad;

	while (!utf8_check(text, &bad)) {
		buf_addf(&out, "%.*s?", (int)bad, text.at);
		text = (struct str){ text.at + bad + 1, text.len - bad - 1 };
	}
	buf_addf(&out, "%.*s", STR_ARG(text));
	buf_text(&out);
	return out.at;
}

/* Fill in a commit, and add its parents to the list where they are new. */
static bool fill(struct walker *w, struct past_commit *c, struct str bytes,
		 struct past_commit ***list, size_t *count)
{
	const char *root;
	struct repo_commit commit;
	struct repo_id top, parent, own;

	if (!repo_commit_parse(bytes, &commit))
		return fault(w->why, FAULT_GIT, "git's object %s is no commit", c->id);
	if (!revision_root(w->repo, &commit.tree, w->configured, &root, &top, w->why))
		return false;
	strcpy(own.text, c->id);
	c->cut = repo_is_shallow_at(w->repo, &own);
	while (!c->cut && repo_parent_next(&commit.parents, &parent)) {
		struct past_commit *known = past_find(w->past, parent.text);
		if (!known) {
			known = past_add(w->past, parent.text);
			*list = xrealloc(*list, (*count + 1) * sizeof(struct past_commit *));
			(*list)[(*count)++] = known;
		}
		past_parent(c, known);
	}
	c->author = as_text(commit.author);
	c->subject = as_text(commit.subject);
	c->at = commit.at;
	c->top = xstrdup(root ? top.text : "");
	return true;
}

/* What a tip is in the end: tags lead to commits, mostly.  *c is NULL where it leads to none. */
static bool find_tip(struct walker *w, struct repo_id id, struct past_commit **c, bool *new)
{
	struct buf bytes = { 0 };
	enum repo_type type = REPO_TAG;
	bool ok = true;

	*new = false;
	*c = past_find(w->past, id.text);
	for (int deep = 0; ok && !*c && type == REPO_TAG && deep < TAGS_DEEP; deep++) {
		ok = repo_read(w->repo, &id, OBJECT_MAX, &type, &bytes, w->why);
		if (ok && type == REPO_COMMIT) {
			*c = past_add(w->past, id.text);
			*new = true;
		} else if (ok && type == REPO_TAG &&
			   repo_tag_parse((struct str){ bytes.at, bytes.len }, &id)) {
			*c = past_find(w->past, id.text);
		}
	}
	buf_release(&bytes);
	return ok;
}

/* Read all that is new from these on.  The list grows on the way. */
static bool walk(struct walker *w, struct past_commit ***list, size_t *count)
{
	struct buf bytes = { 0 };
	enum repo_type type;
	struct repo_id id;
	bool ok = true;

	for (size_t i = 0; ok && i < *count; i++) {
		struct past_commit *c = (*list)[i];
		strcpy(id.text, c->id);
		ok = repo_read(w->repo, &id, OBJECT_MAX, &type, &bytes, w->why) &&
		     fill(w, c, (struct str){ bytes.at, bytes.len }, list, count);
	}
	for (size_t i = 0; ok && i < *count; i++)
		ok = examine(w, (*list)[i]);
	w->read = *count;
	buf_release(&bytes);
	return ok;
}

static bool update(struct walker *w, const struct repo_id *tips, size_t count, size_t held)
{
	struct past_commit **list = NULL, **ends = xcalloc(count + 1, sizeof(struct past_commit *));
	size_t new_count = 0;
	bool ok = true, new;

	for (size_t i = 0; ok && i < count; i++) {
		ok = find_tip(w, tips[i], &ends[i], &new);
		if (!ok || !new)
			continue;
		list = xrealloc(list, (new_count + 1) * sizeof(struct past_commit *));
		list[new_count++] = ends[i];
	}
	ok = ok && walk(w, &list, &new_count);
	past_unmark(w->past);
	for (size_t i = 0; ok && i < count; i++)
		if (ends[i])
			past_mark(ends[i], i < held);
	free(list);
	free(ends);
	return ok;
}

bool history_fits(const struct past *past, const struct repo *repo)
{
	return str_eq(past_begin(past), repo_shallow(repo));
}

bool history_update(struct past *past, struct repo *repo, const char *configured, bool *changed,
		    struct fault *why)
{
	size_t seen[2], now_held[2];
	struct walker w = { .past = past, .repo = repo, .configured = configured, .why = why };
	struct repo_id *tips;
	size_t count, held;

	if (!repo_tips(repo, &tips, &count, &held, why))
		return false;
	past_set_begin(past, repo_shallow(repo));
	past_count(past, &seen[0], &now_held[0]);
	bool ok = update(&w, tips, count, held);
	past_count(past, &seen[1], &now_held[1]);
	*changed = w.read || seen[0] != seen[1] || now_held[0] != now_held[1];
	free(tips);
	buf_release(&w.path);
	return ok;
}
