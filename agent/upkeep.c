/* SPDX-License-Identifier: MIT */
#include "sources_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit.h"
#include "log.h"
#include "service.h"

/* -- git ---------------------------------------------------------------- */

void upkeep_after(struct sources *s)
{
	/* Whatever git does to files, it locks its index before, and of that we would be told. */
	if (!sources_blind(s) && !watch_has_news(s->watch))
		return;
	for (size_t i = 0; i < s->count; i++)
		gitwork_after(&s->sites[i]->git);
}

int64_t sources_git_left(const struct sources *s)
{
	int64_t left = 0;

	for (size_t i = 0; i < s->count; i++) {
		int64_t of_this = gitwork_left(&s->sites[i]->git);
		left = of_this > left ? of_this : left;
	}
	return left;
}

/* -- Mounts ------------------------------------------------------------- */

int sources_mounts_fd(const struct sources *s)
{
	return mounts_fd(s->mounts);
}

void sources_remounted(struct sources *s)
{
	s->remounted = true;
}

uint64_t upkeep_mounted(const struct site *site)
{
	struct sources *s = site->all;

	if (!site->tree || !s->mounts)
		return 0;
	char *path = xasprintf("%s/%s", site->top, site->root);
	char *real = realpath(path, NULL);
	uint64_t mounted = real ? mounts_at(s->mounts, real) : 0;
	free(real);
	free(path);
	return mounted;
}

static void look_at_mounts(struct sources *s)
{
	s->remounted = false;
	for (size_t i = 0; i < s->count; i++) {
		struct site *site = s->sites[i];
		uint64_t mounted = upkeep_mounted(site);
		if (mounted == site->mounted)
			continue;
		site->mounted = mounted;
		if (site->tree)
			watch_tree_soil(site->tree, "something was mounted on it or taken off");
	}
}

void upkeep_before(struct sources *s, bool changed, bool look)
{
	bool each_time = look && sources_blind(s);

	s->stale |= look && s->refused;
	if (s->remounted)
		look_at_mounts(s);
	for (size_t i = 0; i < s->count; i++) {
		struct gitwork *git = &s->sites[i]->git;
		if (s->stirred || each_time)
			gitwork_look(git);
		if (changed || each_time || git->passed)
			gitwork_before(git);
	}
	s->stirred = false;
}

/* -- Own writes --------------------------------------------------------- */

static struct site *site_at(const struct sources *s, const char *root)
{
	for (size_t i = 0; i < s->count; i++) {
		struct site *site = s->sites[i];
		char *path = site->tree ? xconcat(site->top, "/", site->root, NULL) : NULL;
		bool found = path && strcmp(path, root) == 0;
		free(path);
		if (found)
			return site;
	}
	return NULL;
}

void sources_wrote(struct sources *s, const char *root, const char *path)
{
	struct site *site = site_at(s, root);

	if (!site || index_doc(s->ix, site->id, str_of(path)) ||
	    faccessat(watch_tree_fd(site->tree), path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	log_error("sources: %s/%s was written here and nobody told of it; the tree is looked "
		  "through from now on",
		  root, path);
	watch_tree_distrust(site->tree, "the system did not tell of a file that was written here");
	watch_settle(s->watch);
	index_settle(s->ix);
}

/* -- Audit -------------------------------------------------------------- */

#define AUDIT_ROUNDS 8

static void compare(struct sources *s, struct findings *into)
{
	struct watch *watch = watch_new_blind();
	struct index *ix = index_new();
	struct sources *fresh = sources_new(ix, watch, s->git, s->common, s->main_top);

	audit_compare(s->ix, ix, into);
	sources_free(fresh);
	watch_free(watch);
	index_free(ix);
}

/* What moves while files change. */
struct moves {
	uint64_t generation, events, looks;
};

static struct moves moves(const struct sources *s)
{
	const struct watch_counts *n = watch_counts(s->watch);

	return (struct moves){ index_generation(s->ix), n->events, n->looks };
}

/* Events that concern nobody, and looks that found nothing, do not count. */
static bool has_moved(const struct moves *a, const struct moves *b)
{
	return a->generation != b->generation || (a->events != b->events && a->looks != b->looks);
}

bool sources_audit(struct sources *s, struct findings *into, struct fault *why)
{
	size_t first = into->count;

	for (int round = 0; round < AUDIT_ROUNDS; round++) {
		sources_turn(s, true, true);
		struct moves before = moves(s);
		into->count = first;
		compare(s, into);
		if (into->count == first)
			return true;
		sources_turn(s, true, true);
		struct moves after = moves(s);
		if (!has_moved(&before, &after))
			return true;
	}
	const struct finding *last = &into->at[first];
	return fault(why, FAULT_BUSY,
		     "the files change faster than they can be compared (%.*s: %.*s); try again",
		     STR_ARG(last->path), STR_ARG(last->text));
}

/* -- How we keep up ----------------------------------------------------- */

static void add_reason(struct keeping *k, struct str text)
{
	if (k->reason_count < COUNT_OF(k->reasons))
		k->reasons[k->reason_count++] = text;
}

static void add_git(struct sources *s, struct keeping *k)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct site *site = s->sites[i];
		if (!gitwork_busy(&site->git))
			continue;
		k->git_busy[k->git_count++] = str_of(site->name);
		add_reason(k, arena_printf(&s->texts,
					   "git is at work in checkout %s: %s is there", site->name,
					   site->git.since ? site->git.lock : "a new index"));
	}
}

static void add_blind(struct sources *s, struct keeping *k)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct site *site = s->sites[i];
		const char *why = site->tree ? watch_tree_blind(site->tree) : NULL;
		if (why)
			add_reason(k, arena_printf(&s->texts,
						   "the tree of checkout %s is looked through at "
						   "each question: %s",
						   site->name, why));
	}
}

bool sources_blind(const struct sources *s)
{
	const struct watch_counts *n = watch_counts(s->watch);

	return n->unwatched || n->linked || s->refused;
}

void sources_keeping(struct sources *s, struct keeping *into)
{
	const struct watch_counts *n = watch_counts(s->watch);

	*into = (struct keeping){ .mode = MODE_WATCH, .watches = n->watches,
				  .unwatched = n->unwatched, .drains = n->drains,
				  .walks = n->walks, .events = n->events,
				  .overflows = n->overflows, .rescans = n->rescans };
	arena_release(&s->texts);
	if (n->linked)
		into->mode = MODE_PARTIAL;
	if (n->unwatched || s->refused)
		into->mode = n->watches > n->sides ? MODE_PARTIAL : MODE_SCAN;
	if (n->unwatched)
		add_blind(s, into);
	if (n->refused || s->refused)
		add_reason(into, arena_printf(&s->texts,
					      "the kernel allows no more watches, and %llu folders "
					      "have none: raise fs.inotify.max_user_watches",
					      (unsigned long long)(n->refused + s->refused)));
	if (n->linked)
		add_reason(into, STR("files that have several names (hard links) are looked at at "
				     "each question"));
	add_git(s, into);
}
