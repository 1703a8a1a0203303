/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "beneath.h"
#include "fresh.h"
#include "log.h"
#include "reading.h"
#include "sources_private.h"

/* -- Files into the index ----------------------------------------------- */

static int on_watch_role(int parent, struct str name)
{
	return (int)layout_role((enum role)parent, name);
}

static enum watch_kind on_watch_kind(int role)
{
	if (role == ROLE_BAD)
		return WATCH_REPORT;
	return role_is_file((enum role)role) ? WATCH_FILE : WATCH_DIR;
}

/* What the bytes that were read say; checkouts are mostly alike, and are read once. */
static struct content *content_of(const struct sources *s, struct str path, enum role role,
				  json_t *said)
{
	struct str bytes = { s->bytes.at, s->bytes.len };
	struct content *known = index_known(s->ix, path, role, bytes);

	if (known)
		return known;
	return said ? reading_written(path, bytes, said) : reading_of(path, role, bytes);
}

static const char *const *on_watch_names(int role)
{
	return layout_names((enum role)role);
}

/* Whether there was too little of something to open it; nobody tells when there is more. */
static bool is_want(int cause)
{
	return cause == EMFILE || cause == ENFILE || cause == ENOMEM;
}

static void note_want(struct site *site, enum beneath_result result, int cause)
{
	site->wanting |= result == BENEATH_REFUSED && is_want(cause);
}

/* Without it no tree can be found, which does not mean that there is none. */
bool site_may_open(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	if (fd < 0)
		return !is_want(errno);
	close(fd);
	return true;
}

/* What we wrote ourselves and nobody touched since need not be read, and is known as JSON. */
static enum beneath_result read_file(const struct site *site, struct str path, enum role role,
				     bool made, json_t **said, struct stat *st)
{
	int root = watch_tree_fd(site->tree);
	struct buf *into = &site->all->bytes;

	if (role == ROLE_RECORD && fresh_take(root, path, made, into, said, st))
		return BENEATH_OK;
	return watch_read(site->tree, path, reading_max(role), into, st);
}

static void on_watch_file(void *ctx, struct str path, int role, bool made, struct stat *st)
{
	struct site *site = ctx;
	struct sources *s = site->all;
	json_t *said = NULL;
	enum beneath_result result = read_file(site, path, (enum role)role, made, &said, st);
	int cause = errno;
	note_want(site, result, cause);
	if (result == BENEATH_GONE)
		index_drop(s->ix, site->id, path);
	else if (result == BENEATH_OK)
		index_put(s->ix, site->id, path, content_of(s, path, (enum role)role, said));
	else
		index_put(s->ix, site->id, path, reading_broken((enum role)role, result, cause));
	if (result == BENEATH_OK && role == ROLE_RECORD && s->on_record)
		s->on_record(s->record_ctx, site->id, path);
	json_decref(said);
	/* One huge file must not keep its memory for ever. */
	if (s->bytes.cap > 1024 * 1024)
		buf_release(&s->bytes);
}

static void on_watch_gone(void *ctx, struct str path)
{
	struct site *site = ctx;

	index_drop(site->all->ix, site->id, path);
}

static void on_watch_trouble(void *ctx, struct str path, int role, enum beneath_result result,
			     int cause)
{
	struct site *site = ctx;

	note_want(site, result, cause);
	reading_trouble(site->all->ix, site->id, path, (enum role)role, result, cause);
}

static void on_watch_scan(void *ctx, bool begin)
{
	struct site *site = ctx;

	if (begin) {
		site->wanting = false;
		index_scan_begin(site->all->ix, site->id);
	} else if (!site->wanting) {
		/* What was not told for want of descriptors is not gone: the next scan tells. */
		index_scan_end(site->all->ix, site->id);
	}
}

static const struct watch_ops ops = {
	.role = on_watch_role,
	.kind = on_watch_kind,
	.names = on_watch_names,
	.file = on_watch_file,
	.gone = on_watch_gone,
	.trouble = on_watch_trouble,
	.scan = on_watch_scan,
};

/* -- Where a checkout's tree is ----------------------------------------- */

/* Whether a folder of the checkout is there: one that a link leads to, or a way out, is none. */
bool site_has_folder(const struct site *site, const char *name)
{
	int at = open(site->top, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	bool there = at >= 0 && beneath_open_dir(at, name, &fd) == BENEATH_OK;

	if (fd >= 0)
		close(fd);
	if (at >= 0)
		close(at);
	return there;
}

static bool has_item(const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s/item.md", folder, name);
	bool yes = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	free(path);
	return yes;
}

/* Whether a folder holds at least one Ticket, in it or in its buckets. */
static bool holds_tickets(const char *folder, enum role role)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool yes = false;

	while (dir && !yes && (entry = readdir(dir))) {
		enum role inner = layout_role(role, str_of(entry->d_name));
		if (inner == ROLE_TICKET) {
			yes = has_item(folder, entry->d_name);
		} else if (inner == ROLE_BUCKET) {
			char *bucket = xasprintf("%s/%s", folder, entry->d_name);
			yes = holds_tickets(bucket, ROLE_BUCKET);
			free(bucket);
		}
	}
	if (dir)
		closedir(dir);
	return yes;
}

/* Whether a root has git's own files below it: they are no Tickets, and watched already. */
bool site_is_of_git(const char *root)
{
	for (const char *at = root; *at;) {
		size_t len = strcspn(at, "/");
		if (len == 4 && strncasecmp(at, ".git", 4) == 0)
			return true;
		at += len + (at[len] == '/');
	}
	return false;
}

const char *site_root_at(const struct sources *s, size_t i)
{
	if (s->configured)
		return i ? NULL : s->configured;
	return i < READING_ROOTS ? reading_roots[i] : NULL;
}

char *site_find_root(const struct site *site)
{
	const struct sources *s = site->all;
	const char *name;

	for (size_t i = 0; !site->foreign && (name = site_root_at(s, i)); i++) {
		char *path = xasprintf("%s/%s", site->top, name);
		bool found = !site_is_of_git(name) && site_has_folder(site, name) &&
			     (s->configured || holds_tickets(path, ROLE_ROOT));
		free(path);
		if (found)
			return xstrdup(name);
	}
	return NULL;
}

void site_close(struct site *site)
{
	if (site->tree)
		watch_tree_free(site->tree);
	site->tree = NULL;
	free(site->root);
	site->root = NULL;
}

void site_open(struct site *site)
{
	struct sources *s = site->all;
	struct fault why;

	site->root = site_find_root(site);
	if (site->foreign)
		index_stray_put(s->ix, site->id, STR(""), PROBLEM_FOREIGN, site->why.text);
	if (!site->root)
		return;
	char *path = xasprintf("%s/%s", site->top, site->root);
	/* Who hears of a file asks the index where it lies. */
	index_source_set(s->ix, site->id, site->top, site->root,
			 strcmp(site->name, s->authority) == 0);
	/* The callbacks read through site->tree, which this call sets before it tells anything. */
	if (!watch_tree_new(s->watch, path, ROLE_ROOT, &ops, site, &site->tree, &why)) {
		free(site->root);
		site->root = NULL;
	}
	free(path);
	site->mounted = upkeep_mounted(site);
	log_debug("sources: the tree of checkout %s is %s", site->name,
		  site->root ? site->root : "not there");
}
