/* SPDX-License-Identifier: MIT */
#include "sources.h"

#include <stdlib.h>
#include <string.h>

#include "beneath.h"
#include "owner.h"
#include "place.h"
#include "sources_private.h"

/* -- Which checkouts there are ------------------------------------------ */

/* Close and open again; what is the same in both stays as it is. */
static void reopen(struct site *site)
{
	struct sources *s = site->all;

	site->wanting = false;
	index_scan_begin(s->ix, site->id);
	site_close(site);
	/* First: a large tree may leave no watches for others. */
	beside_ways(site);
	site_open(site);
	if (!site->wanting)
		index_scan_end(s->ix, site->id);
	index_source_set(s->ix, site->id, site->top, site->root ? site->root : "",
			 strcmp(site->name, s->authority) == 0);
}

static void drop_site(struct sources *s, size_t at)
{
	struct site *site = s->sites[at];

	site_close(site);
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
	char *root = site_find_root(site);
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

/* The first checkout whose tree lies in another repository, for people; or NULL. */
static char *find_within(const struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct site *site = s->sites[i];
		char *within = site->root ? place_within(site->top, site->root) : NULL, *text;
		if (!within)
			continue;
		text = xasprintf(
			"the Ticket tree %s lies in a repository of its own, %s: what commits "
			"have of its records is not seen from here; ask there, with tpctl -C, "
			"and take ticketplan.root out of this one's configuration",
			site->root, within + strlen(site->top) + 1);
		free(within);
		return text;
	}
	return NULL;
}

/*
 * Without an authority the furthest state counts, which may clear what was to be
 * held.  So may what is said in a checkout that there is no room for.
 */
static void check_settings(struct sources *s, size_t found)
{
	char *set = git_config_text(s->git, "ticketplan.authority"), *flaw = NULL;

	if (set && !find_site(s, set))
		flaw = xasprintf(
			"ticketplan.authority is %s, which is no checkout: until it is one, "
			"the furthest state counts where checkouts disagree",
			set);
	else if (found > s->count)
		flaw = xasprintf(
			"there are %zu checkouts, of which %zu are read: name those that are "
			"to count in ticketplan.sources",
			found, s->count);
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

	s->stale = !site_may_open();
	if (s->stale)
		return;
	s->refused = false;
	s->foreign = !owner_trusts(s->common, s->main_top, &s->why);
	if (s->foreign)
		return;
	beside_git(s);
	read_config(s);
	struct checkout *list = git_checkouts(s->git, s->main_top, &count);
	for (size_t i = s->count; i-- > 0;)
		if (!is_listed(list, count, s->sites[i]->name))
			drop_site(s, i);
	for (size_t i = 0; i < count; i++)
		see_checkout(s, &list[i]);
	check_settings(s, count);
	for (size_t i = 0; i < s->count; i++)
		beside_top(s->sites[i]);
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
	char *root = site->contested ? site_find_root(site) : NULL;
	bool found = root && strcmp(root, site->root) != 0;

	free(root);
	return found;
}

/* Whether a checkout lost its tree, or another one is to be read now. */
static bool is_different(const struct site *site, bool asked)
{
	if (site->tree)
		return (asked && !watch_tree_there(site->tree)) || is_preceded(site);
	char *root = site_find_root(site);
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

uint64_t sources_git_changes(const struct sources *s)
{
	return s->git_changes;
}

void sources_on_record(struct sources *s, sources_record_fn *fn, void *ctx)
{
	s->on_record = fn;
	s->record_ctx = ctx;
}

/* Read again what could not be opened, as soon as anything can. */
static void try_again(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct site *site = s->sites[i];
		if (!site->wanting || !site->tree || !site_may_open())
			continue;
		site->wanting = false;
		watch_tree_soil(site->tree,
				"something could not be opened for want of descriptors or memory");
	}
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
	if (s->branched)
		beside_refs(s);
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
		fault(why, FAULT_NO_TREE,
		      "ticketplan.sources is %s, of which no checkout is there; "
		      "`git worktree list` lists them",
		      wanted);
		free(wanted);
		return false;
	}
	if (!s->count)
		return fault(why, FAULT_NO_TREE,
			     "the repository is bare and has no worktree to look for Tickets in; "
			     "`git worktree add` makes one");
	if (s->configured && site_is_of_git(s->configured))
		return fault(
			why, FAULT_NO_TREE,
			"no Ticket tree: ticketplan.root is %s, and what lies in .git is git's own",
			s->configured);
	if (s->configured)
		return fault(why, FAULT_NO_TREE,
			     "no Ticket tree: ticketplan.root is %s, which is no folder below %s; "
			     "it is named from there, and links are not followed",
			     s->configured, s->sites[0]->top);
	return fault(
		why, FAULT_NO_TREE,
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
