/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mounts.h"
#include "seen.h"
#include "stamp.h"
#include "watch_private.h"

/* -- Nodes -------------------------------------------------------------- */

/* Put a node and all below it aside; whoever finds its folders again takes their watches. */
void watch_into_limbo(struct watch *w, struct node *n)
{
	for (uint32_t i = 0; i < n->kid_count; i++)
		watch_into_limbo(w, node_kids(n)[i]);
	n->gone = true;
	w->loose_gone |= n->unwatched;
	w->linked_gone |= n->linked;
	w->counts.linked -= n->linked;
	n->linked = false;
	w->counts.unwatched -= n->unwatched;
	w->counts.refused -= n->refused;
	n->unwatched = n->refused = false;
	nodes_add(&w->limbo, n);
}

/* Names in folders that are gone need no look. */
static void forget_dirty(struct watch *w)
{
	struct dirty *d, *next;

	HASH_ITER(hh, w->dirty, d, next) {
		if (!d->node->gone)
			continue;
		HASH_DELETE(hh, w->dirty, d);
		free(d);
	}
}

/* Leave those out that were found to be watched, or are gone. */
void watch_pack_loose(struct watch *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->loose.count; i++)
		if (w->loose.at[i]->unwatched)
			w->loose.at[kept++] = w->loose.at[i];
	w->loose.count = kept;
	w->loose_gone = false;
}

static void pack_linked(struct watch *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->linked.count; i++)
		if (w->linked.at[i]->linked)
			w->linked.at[kept++] = w->linked.at[i];
	w->linked.count = kept;
	w->linked_gone = false;
}

void watch_keep_linked(struct watch *w, struct node *parent, struct str name,
		       const struct stat *st)
{
	if (!parent->linked) {
		parent->linked = true;
		parent->seen = seen_new();
		nodes_add(&w->linked, parent);
		w->counts.linked++;
	}
	/* As it was before it was read; the times may be such that it is read once more. */
	seen_entry(parent->seen, name, st, stamp_now());
}

void watch_drop_linked(struct watch *w, struct node *parent, struct str name)
{
	if (!parent->linked)
		return;
	seen_entry(parent->seen, name, NULL, 0);
	if (seen_name(parent->seen, 0).at)
		return;
	parent->linked = false;
	w->linked_gone = true;
	w->counts.linked--;
	seen_free(parent->seen);
	parent->seen = NULL;
}

/* What nobody found again is watched no more. */
void watch_sweep(struct watch *w)
{
	if (w->limbo.count)
		forget_dirty(w);
	if (w->loose_gone)
		watch_pack_loose(w);
	if (w->linked_gone)
		pack_linked(w);
	for (size_t i = 0; i < w->limbo.count; i++) {
		struct node *n = w->limbo.at[i];
		int wd = n->wd;
		if (wds_unset(&w->wds, n)) {
			w->counts.watches--;
			if (w->fd >= 0)
				inotify_rm_watch(w->fd, wd);
		}
		seen_free(n->seen);
		node_free(n);
	}
	w->limbo.count = 0;
}

/* -- Trees -------------------------------------------------------------- */

static void note_rescan(struct watch_tree *t, const char *why)
{
	struct watch *w = t->w;
	struct watch_rescan *r = &w->rescans[w->counts.rescans++ % WATCH_RESCANS_KEPT];

	log_info("watch: %s is read again: %s", t->path, why);
	free(r->path);
	*r = (struct watch_rescan){ stamp_now(), why, xstrdup(t->path) };
}

void watch_tree_rescan(struct watch_tree *t, const char *why)
{
	struct node *old = t->root;

	t->rescan = NULL;
	t->partly = NULL;
	note_rescan(t, why);
	t->ops->scan(t->ctx, true);
	t->root = node_new(t, NULL, STR(""), old->role);
	watch_into_limbo(t->w, old);
	t->whole = true;
	t->before = old;
	watch_crawl(t, t->root);
	t->before = NULL;
	t->whole = false;
	t->ops->scan(t->ctx, false);
	watch_share(t->w);
	watch_come_back(t->w);
	watch_sweep(t->w);
}

void watch_tree_soil(struct watch_tree *t, const char *why)
{
	t->rescan = why;
}

const char *watch_tree_blind(const struct watch_tree *t)
{
	return t->blind ? t->blind : t->partly;
}

void watch_tree_distrust(struct watch_tree *t, const char *why)
{
	if (t->blind)
		return;
	t->blind = why;
	t->rescan = why;
}

bool watch_tree_new(struct watch *w, const char *path, int role, const struct watch_ops *ops,
		    void *ctx, struct watch_tree **into, struct fault *why)
{
	struct stat st;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		fault_errno(why, FAULT_IO, "cannot open %s", path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	struct watch_tree *t = xcalloc(1, sizeof(*t));
	*t = (struct watch_tree){ .w = w, .ops = ops, .ctx = ctx, .next = w->trees, .fd = fd,
				  .path = xstrdup(path), .dev = st.st_dev, .ino = st.st_ino,
				  .blind = mounts_blind(fd) };
	w->trees = t;
	t->root = node_new(t, NULL, STR(""), role);
	*into = t;
	t->whole = true;
	watch_crawl(t, t->root);
	t->whole = false;
	watch_share(w);
	watch_come_back(w);
	return true;
}

void watch_tree_free(struct watch_tree *t)
{
	struct watch_tree **at = &t->w->trees;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	watch_into_limbo(t->w, t->root);
	watch_sweep(t->w);
	close(t->fd);
	free(t->path);
	free(t);
}

int watch_tree_fd(const struct watch_tree *tree)
{
	return tree->fd;
}

bool watch_tree_there(const struct watch_tree *tree)
{
	struct stat st;

	return stat(tree->path, &st) == 0 && st.st_dev == tree->dev && st.st_ino == tree->ino;
}

/* -- Side watches ------------------------------------------------------- */

bool watch_side(struct watch *w, const char *path, watch_side_fn *fn, void *ctx)
{
	errno = ENOENT;
	int wd = w->fd < 0 ? -1 : watch_ask(w, path);
	if (wd < 0)
		return false;
	if (wds_find(&w->wds, wd))
		return true;
	struct side *side = xcalloc(1, sizeof(*side));
	*side = (struct side){ node_new(NULL, NULL, str_of(path), 0), fn, ctx, w->sides };
	w->sides = side;
	wds_set(&w->wds, side->node, wd);
	w->counts.watches++;
	w->counts.sides++;
	return true;
}

void watch_tell_side(struct watch *w, const struct node *n, struct str name)
{
	struct side *side = w->sides;

	while (side->node != n)
		side = side->next;
	side->fn(side->ctx, name);
}

void watch_drop_side(struct watch *w, struct node *n)
{
	struct side **at = &w->sides, *side;

	while ((*at)->node != n)
		at = &(*at)->next;
	side = *at;
	*at = side->next;
	w->counts.sides--;
	free(side);
	node_free(n);
}

/* -- The whole ----------------------------------------------------------- */

static void look_at_dirty(struct watch *w)
{
	struct dirty *d, *next;

	HASH_ITER(hh, w->dirty, d, next) {
		HASH_DELETE(hh, w->dirty, d);
		if (!d->node->gone && !node_tree(d->node)->rescan)
			watch_look_at(d);
		free(d);
	}
}

bool watch_settle(struct watch *w)
{
	bool looked = w->dirty != NULL;

	do
		look_at_dirty(w);
	while (watch_share(w));
	for (struct watch_tree *t = w->trees; t; t = t->next) {
		looked |= t->rescan != NULL;
		if (t->rescan)
			watch_tree_rescan(t, t->rescan);
	}
	watch_come_back(w);
	watch_sweep(w);
	return looked;
}

static struct watch *watch_make(int fd)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->fd = fd;
	w->home = -1;
	return w;
}

bool watch_new(struct watch **into, struct fault *why)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return fault_errno(
			why, FAULT_IO,
			errno == EMFILE
				? "too many inotify instances; raise fs.inotify.max_user_instances"
				: "cannot watch files");
	struct watch *w = watch_make(fd);
	w->home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->home < 0) {
		fault_errno(why, FAULT_IO, "cannot open the working folder");
		watch_free(w);
		return false;
	}
	w->events = xmalloc(WATCH_READ_SIZE);
	w->trail = xcalloc(WATCH_EVENTS_KEPT, sizeof(struct watch_event));
	*into = w;
	return true;
}

struct watch *watch_new_blind(void)
{
	return watch_make(-1);
}

static void free_sides(struct watch *w)
{
	while (w->sides) {
		struct side *side = w->sides;
		w->sides = side->next;
		wds_unset(&w->wds, side->node);
		node_free(side->node);
		free(side);
	}
}

void watch_end(struct watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	watch_end(w);
	if (w->home >= 0)
		close(w->home);
	w->home = -1;
	while (w->trees)
		watch_tree_free(w->trees);
	free_sides(w);
	BUG_IF(w->dirty);
	for (size_t i = 0; i < WATCH_RESCANS_KEPT; i++)
		free(w->rescans[i].path);
	free(w->wds.at);
	free(w->limbo.at);
	free(w->loose.at);
	free(w->robbed.at);
	free(w->linked.at);
	free(w->events);
	free(w->trail);
	buf_release(&w->path);
	free(w);
}

int watch_fd(const struct watch *w)
{
	return w->fd;
}

const struct watch_counts *watch_counts(const struct watch *w)
{
	return &w->counts;
}

size_t watch_ring(const void *ring, uint64_t total, size_t kept, size_t size, void *into)
{
	size_t count = total < kept ? (size_t)total : kept;

	for (size_t i = 0; i < count; i++)
		memcpy((char *)into + i * size,
		       (const char *)ring + (total - count + i) % kept * size, size);
	return count;
}

size_t watch_rescans(const struct watch *w, struct watch_rescan into[WATCH_RESCANS_KEPT])
{
	return watch_ring(w->rescans, w->counts.rescans, WATCH_RESCANS_KEPT, sizeof(*into), into);
}
