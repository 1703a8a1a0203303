/* SPDX-License-Identifier: MIT */
#include "watch_private.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahead.h"
#include "mounts.h"
#include "seen.h"
#include "stamp.h"

/* What the kernel says, or said a moment ago to who asks ahead. */
static int ask_kernel(struct watch *w, const char *path)
{
	const struct note *note = notes_take(w->notes, NOTE_WATCH, str_of(path));

	if (!note)
		return inotify_add_watch(w->fd, path, WATCH_MASK);
	errno = note->cause;
	return note->result;
}

int watch_ask(struct watch *w, const char *path)
{
	int wd = ask_kernel(w, path);

	/* One that is there already costs nothing. */
	if (FAULTY(limit && w->counts.watches >= watch_faults.limit) && wd >= 0 &&
	    !wds_find(&w->wds, wd)) {
		inotify_rm_watch(w->fd, wd);
		/* They hold where what was asked is watched. */
		w->notes = NULL;
		errno = ENOSPC;
		return -1;
	}
	return wd;
}

/*
 * inotify takes no descriptor to start from.  A path from the file system's root may lead
 * elsewhere, or nowhere, for a moment: the tree itself may be moved away and back.
 */
static bool go_to(struct watch_tree *t)
{
	if (t->w->at == t)
		return true;
	if (fchdir(t->fd) < 0)
		return false;
	t->w->at = t;
	return true;
}

void watch_come_back(struct watch *w)
{
	if (!w->at)
		return;
	w->at = NULL;
	BUG_IF(fchdir(w->home) < 0);
}

bool watch_add(struct watch_tree *t, struct node *n)
{
	struct watch *w = t->w;
	int wd = -1;

	if (go_to(t))
		wd = watch_ask(w, n->parent ? path_of(w, n, STR_NONE).at : ".");
	else if (!n->parent)
		wd = watch_ask(w, t->path);
	if (wd < 0)
		return false;
	struct node *old = wds_set(&w->wds, n, wd);
	w->counts.watches += !old;
	/* It was watched by itself, and is in a tree now. */
	if (old && !node_tree(old))
		watch_drop_side(w, old);
	else if (old && !old->gone && old != n)
		nodes_add(&w->robbed, old);
	return true;
}

static bool is_refused(int cause)
{
	return cause == ENOSPC || cause == ENOMEM || cause == ENAMETOOLONG;
}

/* Not watched, but there: held against how it looked instead. */
static void leave_loose(struct watch *w, struct node *n, bool refused)
{
	n->unwatched = true;
	n->refused = refused;
	if (!n->seen)
		n->seen = seen_new();
	nodes_add(&w->loose, n);
	w->counts.unwatched++;
	w->counts.refused += refused;
}

/* Watch a folder if that can be; false where it is not there. */
static bool mind(struct watch_tree *t, struct node *n)
{
	if (t->blind || n->blind || t->w->fd < 0)
		leave_loose(t->w, n, false);
	else if (!watch_add(t, n) && !is_refused(errno))
		return false;
	else if (n->wd < 0)
		leave_loose(t->w, n, true);
	return true;
}

bool watch_stat(const struct watch_tree *t, struct str path, struct stat *st)
{
	const struct note *note = notes_take(t->w->notes, NOTE_STAT, path);

	if (!note)
		return fstatat(t->fd, path.at, st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0;
	*st = note->st;
	errno = note->cause;
	return note->result == 0;
}

enum beneath_result watch_read(const struct watch_tree *t, struct str path, size_t max,
			       struct buf *into, struct stat *st)
{
	const struct note *note = notes_take(t->w->notes, NOTE_READ, path);

	if (!note || note->bytes_len > max)
		return beneath_read_stat(t->fd, path.at, max, into, st);
	*st = note->st;
	into->len = 0;
	buf_room(into, 1);
	buf_add_str(into, note_bytes(note));
	errno = note->cause;
	return (enum beneath_result)note->result;
}

/* A name is about to be told of: where nobody will say that it changed, keep how it looked. */
static void note_look(struct watch_tree *t, struct node *parent, struct str name, struct str path)
{
	struct stat st;

	if (!parent->unwatched)
		return;
	int64_t now = stamp_now();
	bool there = watch_stat(t, path, &st);
	seen_entry(parent->seen, name, there ? &st : NULL, now);
}

/* By a name that it has no more somebody may have it open, and write: nobody tells of that. */
static bool lost_a_name(struct node *parent, struct str name, const struct stat *st)
{
	int64_t now = stamp_now() + FAULTY(later);

	if (!parent->linked || !S_ISREG(st->st_mode) || seen_sure(st, now) ||
	    !seen_entry_is(parent->seen, name, st))
		return false;
	seen_entry(parent->seen, name, st, now);
	return true;
}

/*
 * While everything is read, a name may be made of a file that was read before it had that.
 * Where the name is watched we are told of it afterwards; else it is one that was not there
 * when all was read before, and is young.
 */
static bool is_made_meanwhile(const struct watch_tree *t, const struct node *parent,
			      struct str name, const struct stat *st)
{
	if (!parent->unwatched || seen_sure(st, stamp_now() + FAULTY(later)))
		return false;
	const struct node *before = t->before ? node_like(t->before, parent) : NULL;
	return !before || !before->seen || seen_several(before->seen, name) != st->st_ino;
}

/* Of another name's folder nobody tells that the file has one more: look at all of them. */
static void note_several(struct watch_tree *t, const struct node *parent, struct str name,
			 const struct stat *st, bool news)
{
	if (t->whole)
		news = is_made_meanwhile(t, parent, name, st);
	if (news && !t->blind && !t->rescan)
		t->rescan = "a file got a second name";
}

/* `how`: of enum soil. */
static void tell_file(struct watch_tree *t, struct node *parent, struct str name, int role,
		      unsigned how)
{
	struct str path = path_of(t->w, parent, name);
	struct stat st = { 0 };
	ino_t known = parent->seen ? seen_several(parent->seen, name) : 0;

	note_look(t, parent, name, path);
	t->ops->file(t->ctx, path, role, how & SOIL_MADE && !parent->unwatched, &st);
	bool several = st.st_nlink > 1 && S_ISREG(st.st_mode);
	if (several)
		note_several(t, parent, name, &st, how & SOIL_REPLACED || known != st.st_ino);
	if (parent->unwatched)
		return;
	if (several)
		watch_keep_linked(t->w, parent, name, &st);
	else if (!lost_a_name(parent, name, &st))
		watch_drop_linked(t->w, parent, name);
}

/* Something, as readdir types it, at a place where a folder of ours belongs. */
static void found_at_dir(struct watch_tree *t, struct node *parent, struct str name, int role,
			 unsigned char type)
{
	bool report = t->ops->kind(role) == WATCH_REPORT;

	if (type == DT_DIR && !report) {
		watch_crawl(t, node_new(t, parent, name, role));
		return;
	}
	if ((type == DT_DIR) != report)
		return;
	struct str path = path_of(t->w, parent, name);
	note_look(t, parent, name, path);
	t->ops->trouble(t->ctx, path, role,
			type == DT_DIR || type == DT_REG ? BENEATH_OK : BENEATH_NOT_REGULAR, 0);
}

static void found(struct watch_tree *t, struct node *parent, struct str name, unsigned char type)
{
	int role = t->ops->role(parent->role, name);

	if (!role)
		return;
	if (t->ops->kind(role) == WATCH_FILE)
		tell_file(t, parent, name, role, 0);
	else
		found_at_dir(t, parent, name, role, type);
}

/*
 * Where names that differ in case are one, a name that is asked for may be there as another,
 * and events would tell of that one.  It is the same in a whole tree.
 */
static void probe(struct watch_tree *t, const struct node *n, const char *name,
		  const struct stat *st)
{
	char other[64];
	struct stat twin;
	size_t len = 0;

	for (; name[len] && len < sizeof(other); len++)
		other[len] = (char)toupper((unsigned char)name[len]);
	t->probed = true;
	t->folds = watch_stat(t, path_of(t->w, n, (struct str){ other, len }), &twin) &&
		   twin.st_dev == st->st_dev && twin.st_ino == st->st_ino;
}

/*
 * Whether it has to be asked first if something of that name is there.  Of a file reading it
 * tells; but for the first one, of which something else is to be asked, too.
 */
static bool is_asked_for(const struct watch_tree *t, const struct node *n, struct str name)
{
	return !t->probed || t->ops->kind(t->ops->role(n->role, name)) != WATCH_FILE;
}

/*
 * Where all names that matter are known they are looked for one by one, which costs half of
 * what listing the folder does.  False, and nothing is told, where it has to be listed.
 */
static bool find_names(struct watch_tree *t, struct node *n)
{
	const char *const *names = t->ops->names(n->role);
	unsigned char type[WATCH_NAMES_MAX];
	struct stat st;

	if (!names || n->wd < 0 || t->folds ||
	    !watch_stat(t, path_of(t->w, n, STR_NONE), &st) || !S_ISDIR(st.st_mode) ||
	    st.st_dev != t->dev)
		return false;
	ino_t ino = st.st_ino;
	for (size_t i = 0; names[i]; i++) {
		type[i] = DT_REG;
		if (!is_asked_for(t, n, str_of(names[i])))
			continue;
		bool there = watch_stat(t, path_of(t->w, n, str_of(names[i])), &st);
		if (!there && errno != ENOENT)
			return false;
		type[i] = there ? IFTODT(st.st_mode) : DT_UNKNOWN;
		if (there && !t->probed)
			probe(t, n, names[i], &st);
	}
	if (t->folds)
		return false;
	n->ino = ino;
	for (size_t i = 0; names[i]; i++)
		if (type[i] != DT_UNKNOWN && !FAULTY(no_scan))
			found(t, n, str_of(names[i]), type[i]);
	return true;
}

/* Whether there are many folders of that role, each of which takes many calls. */
static bool is_of_many(const struct watch_tree *t, int role)
{
	return t->ops->kind(role) == WATCH_DIR && t->ops->names(role);
}

/* What was watched for us, and is not there for us any more, nobody else would find. */
static void drop_untaken(struct watch *w, const struct notes *notes)
{
	const struct note *note = NULL;

	while (notes->untaken && (note = notes_behind(notes, note)))
		if (note->kind == NOTE_WATCH && note->result >= 0 &&
		    !wds_find(&w->wds, note->result))
			inotify_rm_watch(w->fd, note->result);
}

static void crawl_part(struct watch_tree *t, struct node *n, const struct ahead_name *names,
		       const struct ahead_part *part)
{
	struct watch *w = t->w;

	w->notes = part->notes;
	for (size_t i = part->from; i < part->to; i++)
		watch_crawl(t, node_new(t, n, names[i].name, names[i].role));
	w->notes = NULL;
	if (part->notes)
		drop_untaken(w, part->notes);
}

/* NULL where it is not worth it, or would be told something else than we. */
static struct ahead *start_ahead(struct watch_tree *t, const struct node *n, struct buf *folder,
				 const struct ahead_name *names, size_t count)
{
	struct ahead_where where = { t->w->fd, t->fd, t->dev, t->ops, STR_NONE };
	bool same = t->whole && t->w->at == t && n->wd >= 0 && !t->folds && !FAULTY(no_scan);

	where.folder = node_path(folder, n, STR_NONE);
	return same ? ahead_new(&where, names, count) : NULL;
}

static void crawl_many(struct watch_tree *t, struct node *n, const struct ahead_name *names,
		       size_t count)
{
	struct buf folder = { 0 };
	struct ahead *ahead = start_ahead(t, n, &folder, names, count);
	struct ahead_part part = { .to = ahead ? 0 : count };

	if (!ahead)
		crawl_part(t, n, names, &part);
	while (ahead && ahead_next(ahead, &part))
		crawl_part(t, n, names, &part);
	if (ahead)
		ahead_free(ahead);
	buf_release(&folder);
}

/* Tell of all that is listed.  Of folders that are many, and alike, last. */
static void found_all(struct watch_tree *t, struct node *n, struct str listing)
{
	struct str name = STR_NONE;
	struct buf many = { 0 };

	while ((name = listing_next(listing, name)).at) {
		struct ahead_name one = { name, t->ops->role(n->role, name) };
		if (listing_type(name) == DT_DIR && is_of_many(t, one.role))
			buf_add(&many, &one, sizeof(one));
		else
			found(t, n, name, listing_type(name));
	}
	if (many.len)
		crawl_many(t, n, (const void *)many.at, many.len / sizeof(struct ahead_name));
	buf_release(&many);
}

static void list(struct watch_tree *t, struct node *n, int fd)
{
	struct buf listing = { 0 };
	DIR *dir = fdopendir(fd);

	if (!dir) {
		close(fd);
		return;
	}
	listing_read(&listing, dir, t->ops, n->role);
	closedir(dir);
	found_all(t, n, (struct str){ listing.at, listing.len });
	buf_release(&listing);
}

/* The same of what was listed ahead; false if it was not. */
static bool list_noted(struct watch_tree *t, struct node *n)
{
	const struct note *note = notes_take(t->w->notes, NOTE_LIST, path_of(t->w, n, STR_NONE));

	if (!note)
		return false;
	n->ino = note->st.st_ino;
	found_all(t, n, note_bytes(note));
	return true;
}

/* On another file system than the tree: one that tells, too? */
static void check_mount(struct watch_tree *t, struct node *n, int fd)
{
	const char *type = n->blind ? NULL : mounts_blind(fd);

	if (!type)
		return;
	n->blind = true;
	t->partly = type;
	t->w->notes = NULL;
	if (n->wd >= 0) {
		inotify_rm_watch(t->w->fd, n->wd);
		wds_unset(&t->w->wds, n);
		t->w->counts.watches--;
		leave_loose(t->w, n, false);
	}
}

int watch_open_node(struct watch_tree *t, struct node *n, enum beneath_result *result)
{
	struct stat st;
	int fd;

	struct str path = path_of(t->w, n, STR_NONE);
	*result = beneath_open_dir(t->fd, path.len ? path.at : ".", &fd);
	if (*result != BENEATH_OK)
		return -1;
	int64_t now = stamp_now();
	if (fstat(fd, &st) < 0)
		return fd;
	n->ino = st.st_ino;
	if (st.st_dev != t->dev)
		check_mount(t, n, fd);
	if (n->unwatched)
		seen_folder(n->seen, &st, now);
	return fd;
}

/* Watch a folder, then tell what is in it. */
void watch_crawl(struct watch_tree *t, struct node *n)
{
	enum beneath_result result = BENEATH_GONE;
	int cause, fd = -1;

	if (mind(t, n)) {
		if (find_names(t, n) || list_noted(t, n))
			return;
		fd = watch_open_node(t, n, &result);
	} else if (errno == ENOTDIR) {
		result = BENEATH_NOT_REGULAR;
	} else if (errno != ENOENT) {
		result = BENEATH_REFUSED;
	}
	cause = errno;
	if (fd >= 0 && FAULTY(no_scan && t->w->fd >= 0) && n->parent)
		close(fd);
	else if (fd >= 0)
		list(t, n, fd);
	else if (result != BENEATH_GONE)
		t->ops->trouble(t->ctx, path_of(t->w, n, STR_NONE), n->role, result, cause);
}

static bool same_dir(const struct node *kid, const struct stat *st)
{
	return (kid->wd >= 0 || kid->unwatched) && kid->ino == st->st_ino;
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
	struct node *kid = node_find(parent, name);
	struct stat st;
	struct str path = path_of(t->w, parent, name);

	bool there = watch_stat(t, path, &st);
	if (kid && there && S_ISDIR(st.st_mode) && !replaced && same_dir(kid, &st) &&
	    is_open(t, path))
		return;
	if (kid)
		watch_into_limbo(t->w, node_cut(kid));
	if (parent->unwatched)
		seen_entry(parent->seen, name, NULL, 0);
	t->ops->gone(t->ctx, path);
	if (there)
		found_at_dir(t, parent, name, role, IFTODT(st.st_mode));
}

bool watch_share(struct watch *w)
{
	bool any = false;

	for (size_t i = 0; i < w->robbed.count; i++) {
		struct node *n = w->robbed.at[i];
		if (n->gone || n->wd >= 0 || n->unwatched)
			continue;
		leave_loose(w, n, false);
		node_tree(n)->partly = "a folder is in it twice";
		watch_list_again(node_tree(n), n);
		any = true;
	}
	w->robbed.count = 0;
	return any;
}

void watch_look_at(struct dirty *d)
{
	struct watch_tree *t = node_tree(d->node);
	struct str name = { d->key + sizeof(d->node), d->len };
	int role = t->ops->role(d->node->role, name);

	if (!role)
		return;
	t->w->counts.looks++;
	if (t->ops->kind(role) == WATCH_FILE)
		tell_file(t, d->node, name, role, d->how);
	else
		look_at_dir(t, d->node, name, role, d->how & SOIL_REPLACED);
}

