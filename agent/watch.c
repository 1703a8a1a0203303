/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"

#define MASK \
	(IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

/* Events after which a folder of that name may be another one than before. */
#define MASK_REPLACED (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

#define READ_SIZE (64 * 1024)

/* A folder. */
struct node {
	struct watch_tree *tree; /* NULL for a side watch */
	struct node *parent;
	struct node **kids; /* by name where kids_sorted */
	uint32_t kid_count, kid_cap;
	ino_t ino;
	int wd; /* -1: not watched */
	uint8_t role;
	bool kids_sorted : 1;
	bool gone : 1; /* out of its tree; freed in the sweep */
	bool unwatched : 1;
	char name[];
};

/* One folder that is not a tree. */
struct side {
	struct node *node;
	watch_side_fn *fn;
	void *ctx;
	struct side *next;
};

/* A name to look at. */
struct dirty {
	UT_hash_handle hh;
	struct node *node;
	bool replaced;
	uint16_t len;
	char key[]; /* the node's address, then the name */
};

struct watch_tree {
	struct watch *w;
	const struct watch_ops *ops;
	void *ctx;
	struct node *root;
	struct watch_tree *next;
	char *path;
	int fd;
	dev_t dev;
	ino_t ino;
	bool rescan;
};

/* The kernel counts descriptors upwards, so a list in their order mostly grows at its end. */
struct watched {
	int wd;
	struct node *node; /* NULL: watched no more, until the list is packed */
};

struct watch {
	int fd;
	struct watched *by_wd;
	size_t wd_count, wd_cap, wd_gone;
	struct watch_tree *trees;
	struct side *sides;
	struct dirty *dirty;
	struct node **limbo; /* out of their trees, not yet freed */
	size_t limbo_count, limbo_cap;
	struct buf path; /* scratch */
	char *events;    /* READ_SIZE bytes of them */
	struct watch_counts counts;
};

/* -- Nodes -------------------------------------------------------------- */

/* The place of a descriptor in the list: of it, or of the first greater one. */
static size_t wd_place(const struct watch *w, int wd)
{
	size_t from = 0, count = w->wd_count;

	if (count && w->by_wd[count - 1].wd < wd)
		return count;
	while (count) {
		size_t half = count / 2;
		if (w->by_wd[from + half].wd < wd) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}

static struct node *find_wd(const struct watch *w, int wd)
{
	size_t at = wd_place(w, wd);

	return at < w->wd_count && w->by_wd[at].wd == wd ? w->by_wd[at].node : NULL;
}

/* Take out what is watched no more. */
static void pack_wds(struct watch *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->wd_count; i++)
		if (w->by_wd[i].node)
			w->by_wd[kept++] = w->by_wd[i];
	w->wd_count = kept;
	w->wd_gone = 0;
}

static void insert_wd(struct watch *w, int wd, struct node *n)
{
	size_t at = wd_place(w, wd);

	if (at < w->wd_count && w->by_wd[at].wd == wd) {
		w->wd_gone -= !w->by_wd[at].node;
		w->by_wd[at].node = n;
		return;
	}
	if (w->wd_count == w->wd_cap) {
		w->wd_cap = w->wd_cap ? w->wd_cap * 2 : 64;
		w->by_wd = xrealloc(w->by_wd, w->wd_cap * sizeof(*w->by_wd));
	}
	memmove(&w->by_wd[at + 1], &w->by_wd[at], (w->wd_count - at) * sizeof(*w->by_wd));
	w->by_wd[at] = (struct watched){ wd, n };
	w->wd_count++;
}

static void remove_wd(struct watch *w, int wd)
{
	w->by_wd[wd_place(w, wd)].node = NULL;
	if (++w->wd_gone > 64 && w->wd_gone > w->wd_count / 2)
		pack_wds(w);
}

static struct node *node_new(struct watch_tree *tree, struct node *parent, struct str name, int role)
{
	struct node *n = xcalloc(1, sizeof(*n) + name.len + 1);

	n->tree = tree;
	n->parent = parent;
	n->wd = -1;
	n->role = (uint8_t)role;
	n->kids_sorted = true;
	memcpy(n->name, name.at, name.len);
	if (!parent)
		return n;
	if (parent->kid_count == parent->kid_cap) {
		parent->kid_cap = parent->kid_cap ? parent->kid_cap * 2 : 1;
		parent->kids = xrealloc(parent->kids, parent->kid_cap * sizeof(struct node *));
	}
	parent->kids[parent->kid_count++] = n;
	parent->kids_sorted = parent->kid_count == 1;
	return n;
}

static int by_name(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The place of the child of that name, or NULL. */
static struct node **find_kid(struct node *parent, struct str name)
{
	uint32_t from = 0, count = parent->kid_count;

	if (!parent->kids_sorted)
		qsort(parent->kids, parent->kid_count, sizeof(struct node *), by_name);
	parent->kids_sorted = true;
	while (count) {
		uint32_t half = count / 2;
		int order = str_cmp(str_of(parent->kids[from + half]->name), name);
		if (!order)
			return &parent->kids[from + half];
		if (order < 0) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return NULL;
}

/* Which event descriptor leads to which node.  A folder found under a new name takes over. */
static void set_wd(struct watch *w, struct node *n, int wd)
{
	struct node *old = find_wd(w, wd);

	if (old) {
		old->wd = -1;
		w->counts.watches--;
	}
	n->wd = wd;
	insert_wd(w, wd, n);
	w->counts.watches++;
}

static void unset_wd(struct watch *w, struct node *n)
{
	if (n->wd < 0)
		return;
	remove_wd(w, n->wd);
	n->wd = -1;
	w->counts.watches--;
}

/* Put a node and all below it aside; whoever finds its folders again takes their watches. */
static void into_limbo(struct watch *w, struct node *n)
{
	for (uint32_t i = 0; i < n->kid_count; i++)
		into_limbo(w, n->kids[i]);
	n->gone = true;
	w->counts.unwatched -= n->unwatched;
	n->unwatched = false;
	if (w->limbo_count == w->limbo_cap) {
		w->limbo_cap = w->limbo_cap ? w->limbo_cap * 2 : 16;
		w->limbo = xrealloc(w->limbo, w->limbo_cap * sizeof(struct node *));
	}
	w->limbo[w->limbo_count++] = n;
}

static void detach(struct watch *w, struct node **kid)
{
	struct node *n = *kid, *parent = n->parent;
	size_t behind = (size_t)(parent->kids + parent->kid_count - (kid + 1));

	memmove(kid, kid + 1, behind * sizeof(struct node *));
	parent->kid_count--;
	into_limbo(w, n);
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

/* What nobody found again is watched no more. */
static void sweep(struct watch *w)
{
	if (w->limbo_count)
		forget_dirty(w);
	for (size_t i = 0; i < w->limbo_count; i++) {
		struct node *n = w->limbo[i];
		int wd = n->wd;
		unset_wd(w, n);
		if (wd >= 0 && w->fd >= 0)
			inotify_rm_watch(w->fd, wd);
		free(n->kids);
		free(n);
	}
	w->limbo_count = 0;
}

/* The node's path from its root into the scratch buffer, "" for the root. */
static void add_path(struct buf *into, const struct node *n)
{
	if (!n->parent)
		return;
	add_path(into, n->parent);
	if (into->len && into->at[into->len - 1] != '/')
		buf_add(into, "/", 1);
	buf_add(into, n->name, strlen(n->name));
}

static struct str path_of(struct watch *w, const struct node *n, struct str name)
{
	w->path.len = 0;
	add_path(&w->path, n);
	if (w->path.len && name.len)
		buf_add(&w->path, "/", 1);
	buf_add_str(&w->path, name);
	return (struct str){ buf_text(&w->path), w->path.len };
}

/* -- Looking ------------------------------------------------------------ */

static void crawl(struct watch_tree *t, struct node *n);

/* inotify takes a path from the file system's root. */
static bool add_watch(struct watch_tree *t, struct node *n)
{
	struct watch *w = t->w;

	w->path.len = 0;
	buf_add(&w->path, t->path, strlen(t->path));
	if (n->parent)
		buf_add(&w->path, "/", 1);
	add_path(&w->path, n);
	int wd = inotify_add_watch(w->fd, buf_text(&w->path), MASK);
	if (wd >= 0) {
		set_wd(w, n, wd);
		return true;
	}
	/* Not watched, but there: it is read again at each question instead. */
	if (errno != ENOSPC && errno != ENOMEM && errno != ENAMETOOLONG)
		return false;
	n->unwatched = true;
	w->counts.unwatched++;
	return true;
}

/* Something, as readdir types it, at a place where a folder of ours belongs. */
static void found_at_dir(struct watch_tree *t, struct node *parent, struct str name, int role,
			 unsigned char type)
{
	bool report = t->ops->kind(role) == WATCH_REPORT;

	if (type == DT_DIR && !report)
		crawl(t, node_new(t, parent, name, role));
	else if ((type == DT_DIR) == report)
		t->ops->trouble(t->ctx, path_of(t->w, parent, name), role,
				type == DT_DIR || type == DT_REG ? BENEATH_OK : BENEATH_NOT_REGULAR,
				0);
}

static void found(struct watch_tree *t, struct node *parent, struct str name, int dirfd,
		  unsigned char type)
{
	int role = t->ops->role(parent->role, name);
	struct stat st;

	if (!role)
		return;
	if (t->ops->kind(role) == WATCH_FILE) {
		t->ops->file(t->ctx, path_of(t->w, parent, name), role);
		return;
	}
	if (type == DT_UNKNOWN && fstatat(dirfd, name.at, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = IFTODT(st.st_mode);
	found_at_dir(t, parent, name, role, type);
}

static void list(struct watch_tree *t, struct node *n, int fd)
{
	struct dirent *entry;
	DIR *dir = fdopendir(fd);

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			found(t, n, str_of(entry->d_name), fd, entry->d_type);
	closedir(dir);
}

static int open_node(struct watch_tree *t, struct node *n, enum beneath_result *result)
{
	struct stat st;
	int fd;

	struct str path = path_of(t->w, n, STR_NONE);
	*result = beneath_open_dir(t->fd, path.len ? path.at : ".", &fd);
	if (*result != BENEATH_OK)
		return -1;
	if (fstat(fd, &st) == 0)
		n->ino = st.st_ino;
	return fd;
}

/* Watch a folder, then tell what is in it. */
static void crawl(struct watch_tree *t, struct node *n)
{
	enum beneath_result result = BENEATH_GONE;
	int cause, fd = -1;

	if (add_watch(t, n))
		fd = open_node(t, n, &result);
	else if (errno == ENOTDIR)
		result = BENEATH_NOT_REGULAR;
	else if (errno != ENOENT)
		result = BENEATH_REFUSED;
	cause = errno;
	if (fd >= 0)
		list(t, n, fd);
	else if (result != BENEATH_GONE)
		t->ops->trouble(t->ctx, path_of(t->w, n, STR_NONE), n->role, result, cause);
}

static bool same_dir(const struct node *kid, const struct stat *st)
{
	return kid->wd >= 0 && kid->ino == st->st_ino;
}

/* Whether the folder may be read; its mode may have changed under the watch. */
static bool is_open(const struct watch_tree *t, struct str path)
{
	return faccessat(t->fd, path.at, R_OK | X_OK, AT_EACCESS) == 0;
}

/* A name in a folder may be a folder of ours now, or have ceased to be one. */
static void look_at_dir(struct watch_tree *t, struct node *parent, struct str name, int role,
			bool replaced)
{
	struct node **kid = find_kid(parent, name);
	struct stat st;
	struct str path = path_of(t->w, parent, name);

	bool there = fstatat(t->fd, path.at, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (kid && there && S_ISDIR(st.st_mode) && !replaced && same_dir(*kid, &st) &&
	    is_open(t, path))
		return;
	if (kid)
		detach(t->w, kid);
	t->ops->gone(t->ctx, path);
	if (there)
		found_at_dir(t, parent, name, role, IFTODT(st.st_mode));
}

static void look_at(struct dirty *d)
{
	struct watch_tree *t = d->node->tree;
	struct str name = { d->key + sizeof(d->node), d->len };
	int role = t->ops->role(d->node->role, name);

	if (!role)
		return;
	if (t->ops->kind(role) == WATCH_FILE)
		t->ops->file(t->ctx, path_of(t->w, d->node, name), role);
	else
		look_at_dir(t, d->node, name, role, d->replaced);
}

/* -- Trees -------------------------------------------------------------- */

void watch_tree_rescan(struct watch_tree *t)
{
	struct node *old = t->root;

	t->rescan = false;
	t->w->counts.rescans++;
	t->ops->scan(t->ctx, true);
	t->root = node_new(t, NULL, STR(""), old->role);
	into_limbo(t->w, old);
	crawl(t, t->root);
	t->ops->scan(t->ctx, false);
	sweep(t->w);
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
				  .path = xstrdup(path), .dev = st.st_dev, .ino = st.st_ino };
	w->trees = t;
	t->root = node_new(t, NULL, STR(""), role);
	*into = t;
	crawl(t, t->root);
	return true;
}

void watch_tree_free(struct watch_tree *t)
{
	struct watch_tree **at = &t->w->trees;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	into_limbo(t->w, t->root);
	sweep(t->w);
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
	int wd = inotify_add_watch(w->fd, path, MASK);

	if (wd < 0)
		return false;
	if (find_wd(w, wd))
		return true;
	struct side *side = xcalloc(1, sizeof(*side));
	*side = (struct side){ node_new(NULL, NULL, str_of(path), 0), fn, ctx, w->sides };
	w->sides = side;
	set_wd(w, side->node, wd);
	return true;
}

static void tell_side(struct watch *w, const struct node *n, const struct inotify_event *event)
{
	struct side *side = w->sides;

	while (side->node != n)
		side = side->next;
	side->fn(side->ctx, str_of(event->len ? event->name : ""));
}

static void drop_side(struct watch *w, struct node *n)
{
	struct side **at = &w->sides, *side;

	while ((*at)->node != n)
		at = &(*at)->next;
	side = *at;
	*at = side->next;
	side->fn(side->ctx, STR(""));
	free(side);
	free(n);
}

/* -- Events ------------------------------------------------------------- */

static void soil(struct watch *w, struct node *n, struct str name, bool replaced)
{
	struct dirty *d = xcalloc(1, sizeof(*d) + sizeof(n) + name.len + 1), *known;
	size_t len = sizeof(n) + name.len;

	memcpy(d->key, &n, sizeof(n));
	memcpy(d->key + sizeof(n), name.at, name.len);
	HASH_FIND(hh, w->dirty, d->key, len, known);
	if (known) {
		known->replaced |= replaced;
		free(d);
		return;
	}
	d->node = n;
	d->replaced = replaced;
	d->len = (uint16_t)name.len;
	HASH_ADD_KEYPTR(hh, w->dirty, d->key, len, d);
}

/* The kernel watches the folder no more: look whether there is still one of that name. */
static void lost_watch(struct watch *w, struct node *n)
{
	unset_wd(w, n);
	if (!n->tree)
		drop_side(w, n);
	else if (n->parent && !n->gone)
		soil(w, n->parent, str_of(n->name), true);
	else if (!n->gone)
		n->tree->rescan = true;
}

/* The root's own mode: nothing above it tells. */
static bool is_of_root(const struct node *n, const struct inotify_event *event)
{
	return !n->parent && !event->len && event->mask & IN_ATTRIB;
}

static void take_event(struct watch *w, const struct inotify_event *event)
{
	struct node *n = find_wd(w, event->wd);

	w->counts.events++;
	if (event->mask & IN_Q_OVERFLOW) {
		w->counts.overflows++;
		for (struct watch_tree *t = w->trees; t; t = t->next)
			t->rescan = true;
		for (struct side *s = w->sides; s; s = s->next)
			s->fn(s->ctx, STR(""));
		return;
	}
	/* Events of a folder that we forgot ourselves are on their way until IN_IGNORED. */
	if (!n)
		return;
	if (event->mask & IN_IGNORED)
		lost_watch(w, n);
	else if (n->tree && (event->mask & IN_UNMOUNT || is_of_root(n, event)))
		n->tree->rescan = true;
	else if (!n->tree)
		tell_side(w, n, event);
	else if (event->len)
		soil(w, n, str_of(event->name), event->mask & MASK_REPLACED);
}

void watch_drain(struct watch *w)
{
	int waiting = 0;

	if (ioctl(w->fd, FIONREAD, &waiting) < 0 || !waiting)
		return;
	w->counts.drains++;
	/* As much as was there when we came: a writer that never stops must not keep us. */
	while (waiting > 0) {
		ssize_t got = read(w->fd, w->events, READ_SIZE);
		if (got <= 0)
			return;
		waiting -= (int)got;
		for (char *at = w->events; at < w->events + got;) {
			const struct inotify_event *event = (const void *)at;
			take_event(w, event);
			at += sizeof(*event) + event->len;
		}
	}
}

void watch_settle(struct watch *w)
{
	struct dirty *d, *next;

	HASH_ITER(hh, w->dirty, d, next) {
		HASH_DELETE(hh, w->dirty, d);
		if (!d->node->gone && !d->node->tree->rescan)
			look_at(d);
		free(d);
	}
	for (struct watch_tree *t = w->trees; t; t = t->next)
		if (t->rescan)
			watch_tree_rescan(t);
	sweep(w);
}

/* -- The whole ---------------------------------------------------------- */

bool watch_new(struct watch **into, struct fault *why)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return fault_errno(why, FAULT_IO,
				   errno == EMFILE
					   ? "too many inotify instances; raise fs.inotify.max_user_instances"
					   : "cannot watch files");
	*into = xcalloc(1, sizeof(**into));
	(*into)->fd = fd;
	(*into)->events = xmalloc(READ_SIZE);
	return true;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	/* First: the kernel drops all watches at once much quicker than one by one. */
	close(w->fd);
	w->fd = -1;
	while (w->trees)
		watch_tree_free(w->trees);
	while (w->sides) {
		struct side *side = w->sides;
		w->sides = side->next;
		unset_wd(w, side->node);
		free(side->node);
		free(side);
	}
	BUG_IF(w->dirty);
	free(w->by_wd);
	free(w->limbo);
	free(w->events);
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
