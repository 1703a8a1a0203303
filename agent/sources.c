/* SPDX-License-Identifier: MIT */
#include "sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "fresh.h"
#include "log.h"
#include "owner.h"
#include "place.h"
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

/* What the bytes say; checkouts are mostly alike, and what is in one already is parsed once. */
static struct content *content_of(const struct sources *s, struct str path, enum role role,
				  bool fresh)
{
	struct str bytes = { s->bytes.at, s->bytes.len };
	struct content *known = fresh ? NULL : index_known(s->ix, path, role, bytes);

	return known ? known : reading_of(path, role, bytes);
}

static const char *const *on_watch_names(int role)
{
	return layout_names((enum role)role);
}

/* Whether there was too little of something for it to be opened; nobody tells when there is more. */
static bool is_want(int cause)
{
	return cause == EMFILE || cause == ENFILE || cause == ENOMEM;
}

static void note_want(struct site *site, enum beneath_result result, int cause)
{
	site->wanting |= result == BENEATH_REFUSED && is_want(cause);
}

/* Without it no tree can be found, which does not mean that there is none. */
static bool may_open(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	if (fd < 0)
		return !is_want(errno);
	close(fd);
	return true;
}

/* Read again what could not be opened, as soon as anything can. */
static void try_again(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct site *site = s->sites[i];
		if (!site->wanting || !site->tree || !may_open())
			continue;
		site->wanting = false;
		watch_tree_soil(site->tree, "something could not be opened for want of descriptors or memory");
	}
}

/* What we wrote ourselves and nobody touched since need not be read. */
static enum beneath_result read_file(const struct site *site, struct str path, enum role role,
				     bool made, bool *fresh, struct stat *st)
{
	int root = watch_tree_fd(site->tree);
	struct buf *into = &site->all->bytes;

	*fresh = role == ROLE_RECORD && fresh_take(root, path, made, into, st);
	return *fresh ? BENEATH_OK : watch_read(site->tree, path, reading_max(role), into, st);
}

static void on_watch_file(void *ctx, struct str path, int role, bool made, struct stat *st)
{
	struct site *site = ctx;
	struct sources *s = site->all;
	bool fresh;

	enum beneath_result result = read_file(site, path, (enum role)role, made, &fresh, st);
	int cause = errno;
	note_want(site, result, cause);
	if (result == BENEATH_GONE)
		index_drop(s->ix, site->id, path);
	else if (result == BENEATH_OK)
		index_put(s->ix, site->id, path, content_of(s, path, (enum role)role, fresh));
	else
		index_put(s->ix, site->id, path, reading_broken((enum role)role, result, cause));
	if (result == BENEATH_OK && role == ROLE_RECORD && s->on_record)
		s->on_record(s->record_ctx, site->id, path);
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

	if (begin)
		index_scan_begin(site->all->ix, site->id);
	/* What was not told for want of descriptors is not gone: the next scan will tell. */
	else if (!site->wanting)
		index_scan_end(site->all->ix, site->id);
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
static bool has_folder(const char *top, const char *name)
{
	int at = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
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
static bool is_of_git(const char *root)
{
	for (const char *at = root; *at;) {
		size_t len = strcspn(at, "/");
		if (len == 4 && strncasecmp(at, ".git", 4) == 0)
			return true;
		at += len + (at[len] == '/');
	}
	return false;
}

/* The tree's root from the top, the caller's to free; NULL where there is none. */
static char *find_root(const struct site *site)
{
	const struct sources *s = site->all;
	const char *top = site->top;

	for (size_t i = 0; !site->foreign && i < READING_ROOTS; i++) {
		const char *name = s->configured ? s->configured : reading_roots[i];
		char *path = xasprintf("%s/%s", top, name);
		bool found = !is_of_git(name) && has_folder(top, name) &&
			     (s->configured || holds_tickets(path, ROLE_ROOT));
		free(path);
		if (found)
			return xstrdup(name);
		if (s->configured)
			break;
	}
	return NULL;
}

static void close_tree(struct site *site)
{
	if (site->tree)
		watch_tree_free(site->tree);
	site->tree = NULL;
	free(site->root);
	site->root = NULL;
}

static void open_tree(struct site *site)
{
	struct sources *s = site->all;
	struct fault why;

	site->root = find_root(site);
	if (site->foreign)
		index_stray_put(s->ix, site->id, STR(""), PROBLEM_FOREIGN, site->why.text);
	if (!site->root)
		return;
	char *path = xasprintf("%s/%s", site->top, site->root);
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

/* -- What is watched beside the trees ----------------------------------- */

/* False: it is not there.  One that is, and cannot be watched, makes us look each time. */
static bool watch_beside(struct sources *s, const char *path, watch_side_fn *fn)
{
	if (watch_side(s->watch, path, fn, s))
		return true;
	if (errno == ENOENT || errno == ENOTDIR)
		return false;
	s->refused = true;
	return true;
}

/* Any name matters. */
static void on_any(void *ctx, struct str name)
{
	struct sources *s = ctx;

	(void)name;
	s->stale = true;
}

/* Of worktrees/ all but what git writes on the way; "" is anything. */
static void on_worktrees(void *ctx, struct str name)
{
	if (!str_ends(name, STR(".lock")))
		on_any(ctx, name);
}

/* A branch moved, and nothing else of git need have changed. */
static void on_branches(void *ctx, struct str name)
{
	struct sources *s = ctx;

	s->git_changes += !str_ends(name, STR(".lock"));
}

/* Of a checkout's git folder: an index gets its name by the lock's losing it. */
static void on_git(struct sources *s, struct str name)
{
	on_branches(s, name);
	s->stirred |= !name.len || str_is(name, "index.lock");
}

static void on_common(void *ctx, struct str name)
{
	struct sources *s = ctx;

	on_git(s, name);
	if (!name.len || str_is(name, "config") || str_is(name, "config.worktree") ||
	    str_is(name, "worktrees"))
		on_any(ctx, name);
}

/* Where a linked checkout is: git writes that after it has made the folder. */
static void on_linked(void *ctx, struct str name)
{
	struct sources *s = ctx;

	on_git(s, name);
	if (!name.len || str_is(name, "gitdir") || str_is(name, "config.worktree"))
		on_any(ctx, name);
}

static void watch_linked(struct sources *s, const char *worktrees)
{
	DIR *dir = opendir(worktrees);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		char *path = xasprintf("%s/%s", worktrees, entry->d_name);
		watch_beside(s, path, on_linked);
		free(path);
	}
	if (dir)
		closedir(dir);
}

static void watch_git(struct sources *s)
{
	char *worktrees = xasprintf("%s/worktrees", s->common);
	char *branches = xasprintf("%s/refs/heads", s->common);

	watch_beside(s, s->common, on_common);
	watch_beside(s, branches, on_branches);
	watch_beside(s, worktrees, on_worktrees);
	watch_linked(s, worktrees);
	free(worktrees);
	free(branches);
}

uint64_t sources_git_changes(const struct sources *s)
{
	return s->git_changes;
}

void sources_on_record(struct sources *s, sources_record_fn *fn, void *ctx)
{
	s->on_record = fn;
	s->record_ctx = ctx;
}

/* Whether it is the name of a folder on the way to this root, or of the root. */
static bool is_on_the_way(const char *root, struct str name)
{
	while (*root) {
		size_t len = strcspn(root, "/");
		if (str_eq(name, (struct str){ root, len }))
			return true;
		root += len + (root[len] == '/');
	}
	return false;
}

static const char *root_at(const struct sources *s, size_t i)
{
	if (s->configured)
		return i ? NULL : s->configured;
	return i < READING_ROOTS ? reading_roots[i] : NULL;
}

/* Of a checkout's top, and of the folders above roots, only the roots' names matter. */
static void on_top(void *ctx, struct str name)
{
	struct sources *s = ctx;
	const char *root;

	s->stale |= !name.len;
	for (size_t i = 0; (root = root_at(s, i)); i++)
		s->stale |= is_on_the_way(root, name);
}

/* A folder that would be a tree if a Ticket were in it. */
static void watch_candidate(struct sources *s, const char *path, enum role role)
{
	DIR *dir = watch_beside(s, path, on_any) ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		enum role inner = layout_role(role, str_of(entry->d_name));
		if (inner != ROLE_BUCKET && inner != ROLE_TICKET)
			continue;
		char *below = xasprintf("%s/%s", path, entry->d_name);
		if (inner == ROLE_BUCKET)
			watch_candidate(s, below, inner);
		else
			watch_beside(s, below, on_any);
		free(below);
	}
	if (dir)
		closedir(dir);
}

/* The folders from the checkout's top down to where the root is, or would be. */
static void watch_above(struct site *site, const char *root)
{
	struct sources *s = site->all;
	char *path = xasprintf("%s/%s", site->top, root);

	for (char *slash = path + strlen(site->top); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		bool there = watch_beside(s, path, on_top);
		*slash = '/';
		if (!there)
			break;
	}
	free(path);
}

static void watch_way(struct site *site, const char *root)
{
	char *path = xasprintf("%s/%s", site->top, root);

	watch_above(site, root);
	if (!site->root || strcmp(site->root, root) != 0)
		watch_candidate(site->all, path, ROLE_ROOT);
	free(path);
}

/* Be told when a root appears or goes; one that comes before ours has to be looked into. */
static void watch_top(struct site *site)
{
	struct sources *s = site->all;
	const char *root;

	site->contested = false;
	for (size_t i = 0; (root = root_at(s, i)); i++) {
		watch_way(site, root);
		if (site->root && strcmp(site->root, root) == 0)
			break;
		site->contested |= site->root && has_folder(site->top, root);
	}
	site->contested |= site->root && s->refused;
}

/* -- Open and closed ---------------------------------------------------- */

/* Close and open again; what is the same in both stays as it is. */
static void reopen(struct site *site)
{
	struct sources *s = site->all;

	index_scan_begin(s->ix, site->id);
	close_tree(site);
	/* First: a large tree may leave no watches for others. */
	for (size_t i = 0; root_at(s, i); i++)
		watch_above(site, root_at(s, i));
	open_tree(site);
	index_scan_end(s->ix, site->id);
	index_source_set(s->ix, site->id, site->top, site->root ? site->root : "",
			 strcmp(site->name, s->authority) == 0);
}

/* -- Which checkouts there are ------------------------------------------ */

static void drop_site(struct sources *s, size_t at)
{
	struct site *site = s->sites[at];

	close_tree(site);
	index_source_drop(s->ix, site->id);
	gitwork_release(&site->git);
	free(site->name);
	free(site->top);
	free(site);
	s->sites[at] = s->sites[--s->count];
}

static struct site *find_site(const struct sources *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->sites[i]->name, name) == 0)
			return s->sites[i];
	return NULL;
}

/* Whether the tree that is watched is still the one that would be chosen. */
static bool is_as_it_was(const struct site *site)
{
	char *root = find_root(site);
	bool same = site->tree && watch_tree_there(site->tree) && root &&
		    strcmp(root, site->root) == 0;

	free(root);
	return same;
}

/* NULL where there are too many. */
static struct site *add_site(struct sources *s, const struct checkout *found)
{
	int id = index_source_add(s->ix, found->name);

	if (id < 0)
		return NULL;
	struct site *site = xcalloc(1, sizeof(*site));
	*site = (struct site){ .all = s, .id = id, .name = xstrdup(found->name),
			       .top = xstrdup(found->top) };
	char *folder = place_gitdir(s->common, site->name);
	gitwork_init(&site->git, folder);
	free(folder);
	s->sites[s->count++] = site;
	return site;
}

/* Whether it is somebody else's; true where that is not as it was. */
static bool see_site_owner(struct site *site, const char *top)
{
	char *gitdir = place_gitdir(site->all->common, site->name);
	bool before = site->foreign;

	site->foreign = !owner_trusts(gitdir, top, &site->why);
	free(gitdir);
	return site->foreign != before;
}

static void see_checkout(struct sources *s, const struct checkout *found)
{
	struct site *site = find_site(s, found->name);

	if (!site) {
		site = add_site(s, found);
		if (!site)
			return;
		see_site_owner(site, found->top);
	} else if (see_site_owner(site, found->top) | (strcmp(site->top, found->top) != 0)) {
		free(site->top);
		site->top = xstrdup(found->top);
	} else if (is_as_it_was(site)) {
		index_source_set(s->ix, site->id, site->top, site->root,
				 strcmp(site->name, s->authority) == 0);
		return;
	}
	reopen(site);
}

static bool is_listed(const struct checkout *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

/* -- The whole ---------------------------------------------------------- */

static void read_config(struct sources *s)
{
	char *authority;

	git_reload(s->git);
	free(s->configured);
	free(s->authority);
	s->configured = git_config_root(s->git);
	authority = git_config_text(s->git, "ticketplan.authority");
	s->authority = authority ? authority : xstrdup("main");
	char *where = git_config_text(s->git, "ticketplan.record-to");
	s->to_asking = where && strcmp(where, "asking") == 0;
	free(where);
}

bool sources_to_asking(const struct sources *s)
{
	return s->to_asking;
}

/*
 * Without an authority the furthest state counts, which may clear what was to be
 * held.  So may what is said in a checkout that there is no room for.
 */
/* The first checkout whose tree lies in another repository, for people; or NULL. */
static char *find_within(const struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct site *site = s->sites[i];
		char *within = site->root ? place_within(site->top, site->root) : NULL, *text;
		if (!within)
			continue;
		text = xasprintf("the Ticket tree %s lies in a repository of its own, %s: what commits "
				 "have of its records is not seen from here; ask there, with tpctl -C, "
				 "and take ticketplan.root out of this one's configuration",
				 site->root, within + strlen(site->top) + 1);
		free(within);
		return text;
	}
	return NULL;
}

static void check_settings(struct sources *s, size_t found)
{
	char *set = git_config_text(s->git, "ticketplan.authority"), *flaw = NULL;

	if (set && !find_site(s, set))
		flaw = xasprintf("ticketplan.authority is %s, which is no checkout: until it is one, "
				 "the furthest state counts where checkouts disagree", set);
	else if (found > s->count)
		flaw = xasprintf("there are %zu checkouts, of which %zu are read: name those that are "
				 "to count in ticketplan.sources", found, s->count);
	else
		flaw = find_within(s);
	index_misset(s->ix, flaw);
	free(flaw);
	free(set);
}

/* Find out anew which checkouts there are and where their trees lie. */
static void survey(struct sources *s)
{
	size_t count;

	s->stale = !may_open();
	if (s->stale)
		return;
	s->refused = false;
	s->foreign = !owner_trusts(s->common, s->main_top, &s->why);
	if (s->foreign)
		return;
	watch_git(s);
	read_config(s);
	struct checkout *list = git_checkouts(s->git, s->main_top, &count);
	for (size_t i = s->count; i-- > 0;)
		if (!is_listed(list, count, s->sites[i]->name))
			drop_site(s, i);
	for (size_t i = 0; i < count; i++)
		see_checkout(s, &list[i]);
	check_settings(s, count);
	for (size_t i = 0; i < s->count; i++)
		watch_top(s->sites[i]);
	git_checkouts_free(list, count);
}

struct sources *sources_new(struct index *ix, struct watch *watch, struct git *git,
			    const char *common, const char *main_top)
{
	struct sources *s = xcalloc(1, sizeof(*s));

	*s = (struct sources){ .ix = ix, .watch = watch, .git = git, .common = xstrdup(common),
			       .main_top = main_top ? xstrdup(main_top) : NULL,
			       .mounts = mounts_new() };
	survey(s);
	upkeep_after(s);
	index_settle(ix);
	return s;
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	while (s->count)
		drop_site(s, s->count - 1);
	free(s->common);
	free(s->main_top);
	free(s->authority);
	free(s->configured);
	buf_release(&s->bytes);
	arena_release(&s->texts);
	mounts_free(s->mounts);
	free(s);
}

/* Whether a folder has come to hold Tickets that would be chosen before the one that is watched. */
static bool is_preceded(const struct site *site)
{
	char *root = site->contested ? find_root(site) : NULL;
	bool found = root && strcmp(root, site->root) != 0;

	free(root);
	return found;
}

/* Whether a checkout lost its tree, or another one is to be read now. */
static bool is_different(const struct site *site, bool asked)
{
	if (site->tree)
		return (asked && !watch_tree_there(site->tree)) || is_preceded(site);
	char *root = find_root(site);
	bool found = root != NULL;
	free(root);
	return found;
}

/* A tree out of which the last Ticket went is a tree only where the configuration says so. */
static void close_emptied(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct site *site = s->sites[i];
		if (site->tree && !index_source(s->ix, site->id)->items && !is_as_it_was(site))
			reopen(site);
	}
	index_settle(s->ix);
}

void sources_turn(struct sources *s, bool asked, bool look)
{
	uint64_t events = watch_counts(s->watch)->events;

	try_again(s);
	watch_drain(s->watch);
	upkeep_before(s, watch_counts(s->watch)->events != events, look);
	for (size_t i = 0; i < s->count; i++)
		s->stale |= is_different(s->sites[i], asked);
	bool read = s->stale;
	if (s->stale)
		survey(s);
	if (look)
		watch_walk(s->watch);
	read |= watch_settle(s->watch);
	if (read)
		upkeep_after(s);
	index_settle(s->ix);
	close_emptied(s);
}

bool sources_serve(const struct sources *s, struct str checkout, struct fault *why)
{
	if (s->foreign)
		*why = s->why;
	for (size_t i = 0; !s->foreign && checkout.at && i < s->count; i++) {
		const struct site *site = s->sites[i];
		if (!site->foreign || !str_is(checkout, site->name))
			continue;
		*why = site->why;
		return false;
	}
	return !s->foreign;
}

void sources_rescan(struct sources *s)
{
	/* Who trusts a checkout now has said so where nobody looks. */
	for (size_t i = 0; i < s->count && !s->stale; i++)
		s->stale = s->sites[i]->foreign;
	if (s->stale)
		survey(s);
	for (size_t i = 0; i < s->count; i++)
		if (s->sites[i]->tree)
			watch_tree_rescan(s->sites[i]->tree, "asked for");
	upkeep_after(s);
	index_settle(s->ix);
}

bool sources_any_tree(const struct sources *s, struct fault *why)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sites[i]->tree)
			return true;
	if (!s->count && s->stale)
		return fault(why, FAULT_IO, "nothing can be opened: too many files are open");
	char *wanted = s->count ? NULL : git_config_text(s->git, "ticketplan.sources");
	if (wanted) {
		fault(why, FAULT_NO_TREE, "ticketplan.sources is %s, of which no checkout is there; "
		      "`git worktree list` lists them", wanted);
		free(wanted);
		return false;
	}
	if (!s->count)
		return fault(why, FAULT_NO_TREE,
			     "the repository is bare and has no worktree to look for Tickets in; "
			     "`git worktree add` makes one");
	if (s->configured && is_of_git(s->configured))
		return fault(why, FAULT_NO_TREE,
			     "no Ticket tree: ticketplan.root is %s, and what lies in .git is git's own",
			     s->configured);
	if (s->configured)
		return fault(why, FAULT_NO_TREE,
			     "no Ticket tree: ticketplan.root is %s, which is no folder below %s; it is named "
			     "from there, and links are not followed",
			     s->configured, s->sites[0]->top);
	return fault(why, FAULT_NO_TREE,
		     "no Ticket tree in %s: looked for Tickets in .yoi/tickets, .tickets and tickets",
		     s->sites[0]->top);
}

bool sources_thread(const struct sources *s, const struct copy *copy, struct buf *text)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct site *site = s->sites[i];
		if (site->id != copy->source || !site->tree)
			continue;
		char *path = xasprintf("%s/thread.md", copy->dir);
		enum beneath_result result =
			beneath_read(watch_tree_fd(site->tree), path, 1024 * 1024, text);
		free(path);
		return result == BENEATH_OK;
	}
	return false;
}
