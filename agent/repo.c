/* SPDX-License-Identifier: MIT */
#include "repo.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "repo_back.h"

/* A commit or tree larger than this is no honest one. */
#define NODE_MAX  (64 * 1024 * 1024)
#define TAGS_DEEP 8

/* The tree that was read last at this depth of a path: the next path is mostly near. */
#define LEVELS 8
struct level {
	struct repo_id id;
	enum repo_type type;
	struct buf bytes;
};

struct repo {
	const struct repo_back *by;
	void *back;
	char *common, *gitdir;
	struct buf shallow; /* the file of that name: a commit's id a line */
	struct level levels[LEVELS]; /* of repo_below */
};

/* -- Saying no ---------------------------------------------------------- */

static int shown(struct str revision)
{
	return (int)(revision.len > 128 ? 128 : revision.len);
}

bool repo_no_revision(struct str revision, struct fault *why)
{
	return fault(why, FAULT_NO_REVISION, "no revision \"%.*s\"", shown(revision), revision.at);
}

bool repo_no_commit(struct str revision, struct fault *why)
{
	return fault(why, FAULT_NO_REVISION, "\"%.*s\" is no commit", shown(revision), revision.at);
}

bool repo_ambiguous(struct str revision, struct fault *why)
{
	return fault(why, FAULT_AMBIGUOUS, "\"%.*s\" is short for several objects; give more of it",
		     shown(revision), revision.at);
}

bool repo_unreadable(const struct repo_id *id, const char *cause, struct fault *why)
{
	return fault(why, FAULT_GIT, "git's object %s cannot be read: %s; see git fsck", id->text,
		     cause);
}

bool repo_object_too_large(const struct repo_id *id, size_t size, struct fault *why)
{
	return fault(why, FAULT_TOO_LARGE, "git's object %s has %zu bytes", id->text, size);
}

/* -- Opening ------------------------------------------------------------ */

/* A small file as a whole; empty, and false with errno, where it cannot be opened. */
static bool slurp(const char *path, struct buf *into)
{
	FILE *in = fopen(path, "re");

	if (!in)
		return false;
	for (size_t got = 1; got && into->len < NODE_MAX; into->len += got) {
		buf_room(into, 4096);
		got = fread(into->at + into->len, 1, 4096, in);
	}
	fclose(in);
	return true;
}

bool repo_open(const char *common, const char *gitdir, struct repo **into, struct fault *why)
{
	const struct repo_back *by = &repo_by_library;
	struct fault first, second;
	void *back;

	if (!by->open(common, gitdir, &back, &first)) {
		by = &repo_by_program;
		if (!by->open(common, gitdir, &back, &second))
			return fault(why, FAULT_GIT,
				     "git's objects cannot be read: %.250s (%.250s)", second.text,
				     first.text);
	}
	struct repo *r = xcalloc(1, sizeof(*r));
	*r = (struct repo){ .by = by, .back = back, .common = xstrdup(common),
			    .gitdir = xstrdup(gitdir) };
	char *shallow = xasprintf("%s/shallow", common);
	slurp(shallow, &r->shallow);
	free(shallow);
	*into = r;
	return true;
}

void repo_close(struct repo *r)
{
	if (!r)
		return;
	r->by->close(r->back);
	free(r->common);
	free(r->gitdir);
	buf_release(&r->shallow);
	for (size_t i = 0; i < LEVELS; i++)
		buf_release(&r->levels[i].bytes);
	free(r);
}

bool repo_resolve(struct repo *r, struct str revision, struct repo_id *into, struct fault *why)
{
	/* What begins with a dash is an option to git, and no name of anything. */
	if (!revision.len || revision.len > 1024 || revision.at[0] == '-' ||
	    memchr(revision.at, '\n', revision.len) || memchr(revision.at, '\0', revision.len))
		return repo_no_revision(revision, why);
	return r->by->resolve(r->back, revision, into, why);
}

bool repo_read(struct repo *r, const struct repo_id *id, size_t max, enum repo_type *type,
	       struct buf *into, struct fault *why)
{
	into->len = 0;
	return r->by->read(r->back, id, max, type, into, why);
}

bool repo_stand(struct repo *r, const char *top, struct repo_path *paths, size_t count,
		struct fault *why)
{
	void *other;

	if (!count || r->by->stand(r->back, top, paths, count, why))
		return true;
	/* The library reads the objects of repositories whose index it does not know. */
	if (r->by == &repo_by_program || !repo_by_program.open(r->common, r->gitdir, &other, why))
		return false;
	bool ok = repo_by_program.stand(other, top, paths, count, why);
	repo_by_program.close(other);
	return ok;
}

struct str repo_shallow(const struct repo *r)
{
	return (struct str){ r->shallow.at, r->shallow.len };
}

bool repo_is_shallow_at(const struct repo *r, const struct repo_id *commit)
{
	size_t n = strlen(commit->text);

	for (size_t at = 0; at + n <= r->shallow.len; at += n + 1)
		if (memcmp(r->shallow.at + at, commit->text, n) == 0)
			return true;
	return false;
}

/* -- Tips --------------------------------------------------------------- */

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") >= 40;
}

/* Whether a ref's file names neither a commit nor another ref, which may be gone, as with git. */
static bool is_broken(const char *path)
{
	struct buf text = { 0 };
	bool open = slurp(path, &text), gone = !open && errno == ENOENT;

	buf_text(&text);
	bool says = open && (is_id(text.at) || strncmp(text.at, "ref:", 4) == 0);
	buf_release(&text);
	return !says && !gone;
}

/* What lies among refs and is none: git passes over it, too. */
static bool is_no_ref(const FTSENT *f)
{
	return f->fts_name[0] == '.' || str_ends(str_of(f->fts_name), STR(".lock"));
}

bool repo_refs_are_whole(const struct repo *r, struct fault *why)
{
	char *heads = xasprintf("%s/refs/heads", r->common);
	char *remotes = xasprintf("%s/refs/remotes", r->common);
	char *tags = xasprintf("%s/refs/tags", r->common);
	char *const folders[] = { heads, remotes, tags, NULL };
	FTS *all = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	bool ok = true;
	FTSENT *f;

	/* Where refs are kept in tables, refs/heads itself is a file. */
	while (ok && all && (f = fts_read(all))) {
		if (f->fts_level == FTS_ROOTLEVEL)
			continue;
		if (is_no_ref(f))
			fts_set(all, f, FTS_SKIP);
		else
			ok = f->fts_info != FTS_F || !is_broken(f->fts_path) ||
			     fault(why, FAULT_GIT,
				   "git's ref %.300s is broken: delete it, or set it "
				   "anew with git update-ref",
				   f->fts_path + strlen(r->common) + 1);
	}
	if (all)
		fts_close(all);
	free(heads);
	free(remotes);
	free(tags);
	return ok;
}

struct tips {
	struct repo_id *at;
	size_t count;
};

static void take_tip(void *ctx, const char *id)
{
	struct tips *tips = ctx;

	tips->at = xrealloc(tips->at, (tips->count + 1) * sizeof(*tips->at));
	snprintf(tips->at[tips->count++].text, sizeof(tips->at->text), "%s", id);
}

/* A checkout's HEAD, where it names a commit and no branch. */
static void take_head(struct repo *r, const char *file, const char *name, struct tips *tips)
{
	struct buf text = { 0 };
	struct repo_id id = { "" };
	struct fault never;

	slurp(file, &text);
	buf_text(&text);
	text.at[strcspn(text.at, "\n")] = '\0';
	/* `git worktree add` writes zeros until it knows better. */
	if (is_id(text.at) && text.at[strspn(text.at, "0")])
		take_tip(tips, text.at);
	else if (str_is(str_of(text.at), "ref: refs/heads/.invalid") &&
		 repo_resolve(r, str_of(name), &id, &never))
		/* Where refs are kept in tables, the file says nothing. */
		take_tip(tips, id.text);
	buf_release(&text);
}

static void take_heads(struct repo *r, struct tips *tips)
{
	char *folder = xasprintf("%s/worktrees", r->common);
	char *main_head = xasprintf("%s/HEAD", r->common);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	take_head(r, main_head, "main-worktree/HEAD", tips);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		char *file = xasprintf("%s/%s/HEAD", folder, entry->d_name);
		char *name = xasprintf("worktrees/%s/HEAD", entry->d_name);
		take_head(r, file, name, tips);
		free(file);
		free(name);
	}
	if (dir)
		closedir(dir);
	free(main_head);
	free(folder);
}

bool repo_tips(struct repo *r, struct repo_id **into, size_t *count, size_t *held,
	       struct fault *why)
{
	struct tips tips = { 0 };

	if (!r->by->refs(r->back, take_tip, &tips, why)) {
		free(tips.at);
		return false;
	}
	*held = tips.count;
	take_heads(r, &tips);
	*into = tips.at;
	*count = tips.count;
	return true;
}

/* -- What objects say --------------------------------------------------- */

static enum repo_kind kind_of(struct str mode)
{
	if (str_starts(mode, STR("4")) || str_starts(mode, STR("04")))
		return REPO_FOLDER;
	if (str_starts(mode, STR("12")))
		return REPO_LINK;
	return str_starts(mode, STR("16")) ? REPO_MODULE : REPO_FILE;
}

static void id_of_bytes(const unsigned char *bytes, size_t len, struct repo_id *id)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		id->text[2 * i] = digits[bytes[i] >> 4];
		id->text[2 * i + 1] = digits[bytes[i] & 15];
	}
	id->text[2 * len] = '\0';
}

/* An entry as it stands there: MODE NAME\0 and an id as bytes. */
struct raw {
	struct str mode, name;
	const unsigned char *id;
};

static bool raw_next(size_t id_bytes, struct str *rest, struct raw *raw)
{
	const char *space = rest->len ? memchr(rest->at, ' ', rest->len) : NULL;
	const char *end =
		space ? memchr(space, '\0', (size_t)(rest->at + rest->len - space)) : NULL;

	if (!end || (size_t)(rest->at + rest->len - end) < 1 + id_bytes)
		return false;
	raw->mode = (struct str){ rest->at, (size_t)(space - rest->at) };
	raw->name = (struct str){ space + 1, (size_t)(end - space - 1) };
	raw->id = (const unsigned char *)end + 1;
	size_t used = (size_t)(end + 1 - rest->at) + id_bytes;
	*rest = (struct str){ rest->at + used, rest->len - used };
	return true;
}

static void cook(const struct raw *raw, size_t id_bytes, struct repo_entry *entry)
{
	entry->kind = kind_of(raw->mode);
	entry->name = raw->name;
	id_of_bytes(raw->id, id_bytes, &entry->id);
}

bool repo_entry_next(const struct repo_id *tree, struct str *rest, struct repo_entry *entry)
{
	size_t id_bytes = strlen(tree->text) / 2;
	struct raw raw;

	if (!raw_next(id_bytes, rest, &raw))
		return false;
	cook(&raw, id_bytes, entry);
	return true;
}

/* The rest of a line that begins so; *rest goes on behind it. */
static bool header(struct str *rest, struct str key, struct str *value)
{
	const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;

	if (!end || !str_starts(*rest, key))
		return false;
	*value = (struct str){ rest->at + key.len, (size_t)(end - rest->at) - key.len };
	*rest = (struct str){ end + 1, rest->len - (size_t)(end + 1 - rest->at) };
	return true;
}

static bool take_id(struct str text, struct repo_id *id)
{
	if (text.len > REPO_ID_MAX)
		return false;
	memcpy(id->text, text.at, text.len);
	id->text[text.len] = '\0';
	return text.len > 0;
}

bool repo_parent_next(struct str *rest, struct repo_id *parent)
{
	struct str id;

	return header(rest, STR("parent "), &id) && take_id(id, parent);
}

/* NAME <MAIL> SECONDS ZONE */
static struct str name_in(struct str person)
{
	const char *mail = person.len ? memchr(person.at, '<', person.len) : NULL;
	size_t len = mail ? (size_t)(mail - person.at) : person.len;

	while (len && person.at[len - 1] == ' ')
		len--;
	return (struct str){ person.at, len };
}

/* More than that is no time, and would not fit as microseconds. */
#define SECONDS_DIGITS 12

static int64_t time_in(struct str person)
{
	const char *end = person.at + person.len;
	const char *at = person.len ? memrchr(person.at, '>', person.len) : NULL;
	int64_t seconds = 0;
	int digits = 0;

	if (!at)
		return 0;
	for (at++; at < end && *at == ' ';)
		at++;
	for (; at < end && *at >= '0' && *at <= '9' && digits <= SECONDS_DIGITS; at++, digits++)
		seconds = seconds * 10 + (*at - '0');
	return digits <= SECONDS_DIGITS ? seconds * 1000000 : 0;
}

bool repo_commit_parse(struct str rest, struct repo_commit *c)
{
	struct str id, line = STR("");
	struct repo_id parent;

	*c = (struct repo_commit){ .author = STR(""), .subject = STR("") };
	if (!header(&rest, STR("tree "), &id) || !take_id(id, &c->tree))
		return false;
	c->parents = rest;
	while (repo_parent_next(&rest, &parent))
		;
	c->parents.len -= rest.len;
	if (header(&rest, STR("author "), &line))
		c->author = name_in(line);
	if (header(&rest, STR("committer "), &line))
		c->at = time_in(line);
	/* More headers, signatures among them, up to an empty line. */
	while (rest.len && rest.at[0] != '\n')
		if (!header(&rest, STR(""), &line))
			return true;
	while (rest.len && rest.at[0] == '\n')
		rest = (struct str){ rest.at + 1, rest.len - 1 };
	const char *end = rest.len ? memchr(rest.at, '\n', rest.len) : NULL;
	c->subject = (struct str){ rest.at, end ? (size_t)(end - rest.at) : rest.len };
	return true;
}

bool repo_tag_parse(struct str rest, struct repo_id *target)
{
	struct str id;

	return header(&rest, STR("object "), &id) && take_id(id, target);
}

static bool read_level(struct repo *r, struct level *l, const struct repo_id *tree,
		       struct fault *why)
{
	if (strcmp(l->id.text, tree->text) == 0)
		return true;
	l->id.text[0] = '\0';
	if (!repo_read(r, tree, NODE_MAX, &l->type, &l->bytes, why))
		return false;
	l->id = *tree;
	return true;
}

/* The entry of that name in a tree, so many folders down. */
static bool enter(struct repo *r, size_t depth, struct repo_entry *at, struct str name, bool *there,
		  struct fault *why)
{
	struct level *l = &r->levels[depth < LEVELS ? depth : LEVELS - 1];
	size_t id_bytes = strlen(at->id.text) / 2;
	struct raw raw;

	if (!read_level(r, l, &at->id, why))
		return false;
	struct str rest = { l->bytes.at, l->bytes.len };
	*there = false;
	while (l->type == REPO_TREE && !*there && raw_next(id_bytes, &rest, &raw))
		*there = str_eq(raw.name, name);
	if (*there)
		cook(&raw, id_bytes, at);
	return true;
}

bool repo_below(struct repo *r, const struct repo_id *tree, struct str path, bool *there,
		struct repo_entry *entry, struct fault *why)
{
	size_t depth = 0;

	*entry = (struct repo_entry){ .kind = REPO_FOLDER, .id = *tree };
	*there = true;
	while (*there && path.len) {
		const char *slash = memchr(path.at, '/', path.len);
		struct str name = { path.at, slash ? (size_t)(slash - path.at) : path.len };
		size_t used = name.len + (slash != NULL);
		path = (struct str){ path.at + used, path.len - used };
		if (!name.len || str_is(name, "."))
			continue;
		*there = entry->kind == REPO_FOLDER;
		if (*there && !enter(r, depth++, entry, name, there, why))
			return false;
	}
	return true;
}
