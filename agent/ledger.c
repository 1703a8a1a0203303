/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base.h"
#include "beneath.h"
#include "flush.h"

/*
 * Entries that go the way together, and of which two lots are on it at once; each entry holds up
 * to two descriptors.  Of many clients that wait for their answers some then always have them,
 * and their next records are made ready while the disk is at the others'.
 */
#ifndef TOGETHER
#define TOGETHER 32
#endif

/* A sync failed and none has succeeded since. */
static atomic_bool doubted;

/*
 * Records folders in which this agent wrote before; of two with one place the
 * later.  The number alone does not name a folder: one that was removed gives
 * its number to the next that is made.
 */
static struct folder_id {
	uint32_t dev_major, dev_minor;
	uint64_t ino;
	int64_t born_s;
	uint32_t born_ns;
} known[1024];

void ledger_trust(void)
{
	atomic_store(&doubted, false);
}

struct ledger_entry *ledger_entry_new(const char *root, const char *dir, const char *name)
{
	struct ledger_entry *e = xcalloc(1, sizeof(*e));

	e->job.flow = ledger_write;
	e->root = xstrdup(root);
	e->dir = xstrdup(dir);
	e->name = xstrdup(name);
	e->path = xconcat(dir, "/artifacts/records/", name, NULL);
	e->folder = e->file = -1;
	return e;
}

void ledger_entry_free(struct ledger_entry *e)
{
	if (!e)
		return;
	fresh_drop(e->fresh);
	free(e->root);
	free(e->dir);
	free(e->name);
	free(e->path);
	buf_release(&e->bytes);
	json_decref(e->said);
	free(e);
}

/* A failed sync may have thrown the pages away: it is never tried again on the same file. */
static bool bg_doubt(struct ledger_entry *e, const char *what)
{
	atomic_store(&doubted, true);
	e->result = LEDGER_UNKNOWN;
	return fault_errno(&e->why, FAULT_OUTCOME_UNKNOWN, "%s", what);
}

/*
 * A folder in another; where `made` is given it is made if it is not there.  `below` is where
 * it lies in the Ticket's, for people.
 */
static bool bg_enter(struct ledger_entry *e, int parent, const char *name, const char *below,
		     bool *made, int *fd)
{
	struct fault *why = &e->why;

	if (made && mkdirat(parent, name, 0777) == 0)
		*made = true;
	else if (made && errno != EEXIST)
		return fault_errno(why, FAULT_IO, "cannot make the folder %s/%s%s", e->root, e->dir,
				   below);
	switch (beneath_open_dir(parent, name, fd)) {
	case BENEATH_OK:
		return true;
	case BENEATH_GONE:
		return fault(why, FAULT_NOT_FOUND, "the folder %s/%s%s is gone", e->root, e->dir,
			     below);
	case BENEATH_NOT_REGULAR:
		return fault(why, FAULT_INVALID,
			     "%s/%s%s is not a folder; links are never followed", e->root, e->dir,
			     below);
	case BENEATH_REFUSED:
		break;
	}
	return fault_errno(why, FAULT_IO, "cannot open the folder %s/%s%s", e->root, e->dir, below);
}

static void bg_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Whether the disk takes and keeps bytes again. */
static bool bg_probe(int folder, struct ledger_entry *e)
{
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	bool unnamed = fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR);
	bool ok = (!unnamed || (fd >= 0 && beneath_write_all(fd, &e->bytes) && fsync(fd) == 0)) &&
		  fsync(folder) == 0;
	int cause = errno;

	bg_close(fd);
	errno = cause;
	return ok ? true
		  : fault_errno(&e->why, FAULT_STORE_READ_ONLY,
				"records cannot be written: the disk failed to keep one");
}

static bool bg_trusted(int folder, struct ledger_entry *e)
{
	if (!atomic_load(&doubted))
		return true;
	if (!bg_probe(folder, e))
		return false;
	ledger_trust();
	return true;
}

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Temporary files of an agent that was killed: ours are all younger than our first write. */
static void bg_sweep(int folder)
{
	static int64_t first;
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct timespec now;
	struct stat st;

	/* The clock that dates files: the other one is ahead of it. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	first = first ? first : nanoseconds(now);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] == '.' && str_ends(str_of(entry->d_name), STR(".json.tmp")) &&
		    fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    nanoseconds(st.st_mtim) < first)
			unlinkat(folder, entry->d_name, 0);
	if (dir)
		closedir(dir);
	else
		bg_close(fd);
}

static bool same_id(const struct folder_id *a, const struct folder_id *b)
{
	return a->dev_major == b->dev_major && a->dev_minor == b->dev_minor && a->ino == b->ino &&
	       a->born_s == b->born_s && a->born_ns == b->born_ns;
}

/* Which folder it is that the entry's record goes to, and the place where it would be known. */
static bool bg_identify(struct ledger_entry *e, struct folder_id *id, struct folder_id **place)
{
	struct statx st;

	if (statx(e->folder, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) < 0)
		return fault_errno(&e->why, FAULT_IO, "cannot look at the records folder");
	e->folder_dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
	e->folder_ino = st.stx_ino;
	/* Folders of one tree have numbers that are alike in their low bits. */
	uint64_t spread = (st.stx_ino ^ st.stx_dev_minor) * UINT64_C(0x9e3779b97f4a7c15);
	*place = &known[spread >> 54];
	*id = (struct folder_id){ st.stx_dev_major, st.stx_dev_minor, st.stx_ino,
				  st.stx_btime.tv_sec, st.stx_btime.tv_nsec };
	/* Where the file system does not tell when it was made, it may be another each time. */
	if (!(st.stx_mask & STATX_BTIME))
		id->ino = 0;
	return true;
}

/*
 * Before the first write in a folder: its name and its parent's are synced, for
 * whoever made them, git or an agent that was killed, may not have done it.
 */
static bool bg_adopt(struct ledger_entry *e, int ticket, int artifacts, bool made)
{
	struct folder_id id, *place;

	if (!bg_identify(e, &id, &place))
		return false;
	if (!made && id.ino && same_id(place, &id))
		return true;
	if (fsync(artifacts) < 0 || fsync(ticket) < 0)
		return bg_doubt(e, "the folder for records was not synced");
	bg_sweep(e->folder);
	*place = id;
	return true;
}

/*
 * One step instead of four to a folder in which this agent wrote before; where a link is on the
 * way to the tree's root, there are the others.
 */
static bool bg_open_known(struct ledger_entry *e)
{
	struct folder_id id, *place;
	char *path;

	if (atomic_load(&doubted))
		return false;
	path = xconcat(e->root, "/", e->dir, "/artifacts/records", NULL);
	bool known_one = beneath_open_straight(path, &e->folder) == BENEATH_OK &&
			 bg_identify(e, &id, &place) && id.ino && same_id(place, &id);
	free(path);
	if (known_one)
		return true;
	bg_close(e->folder);
	e->folder = -1;
	return false;
}

/* Where the last entry of a lot went; those behind it go there, too, mostly. */
struct root {
	const char *path;
	int fd; /* -1: none is open */
};

static void bg_close_root(struct root *r)
{
	bg_close(r->fd);
	r->fd = -1;
}

static bool bg_open_root(struct root *r, struct ledger_entry *e)
{
	if (r->fd >= 0 && strcmp(r->path, e->root) == 0)
		return true;
	bg_close_root(r);
	r->path = e->root;
	r->fd = open(e->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r->fd >= 0 ? true : fault_errno(&e->why, FAULT_IO, "cannot open %s", e->root);
}

/* Open the entry's records folder, once the disk is trusted. */
static bool bg_open_folder(struct ledger_entry *e, int root)
{
	int ticket = -1, artifacts = -1;
	bool made = false;

	bool ok = bg_enter(e, root, e->dir, "", NULL, &ticket) && bg_trusted(ticket, e) &&
		  bg_enter(e, ticket, "artifacts", "/artifacts", &made, &artifacts) &&
		  bg_enter(e, artifacts, "records", "/artifacts/records", &made, &e->folder) &&
		  bg_adopt(e, ticket, artifacts, made);
	bg_close(ticket);
	bg_close(artifacts);
	return ok;
}

/*
 * A file of that name is there.  Nobody may have synced it: who asks again does
 * so because the first answer never came.
 */
static bool bg_confirm(struct ledger_entry *e)
{
	struct stat st;

	if (fstatat(e->folder, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return fault(&e->why, FAULT_INVALID, "%s is there and is no regular file", e->name);
	int fd = openat(e->folder, e->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(&e->why, FAULT_IO, "cannot open %s", e->name);
	bool ok = fsync(fd) == 0 ? true : bg_doubt(e, "the record was not synced");
	bg_close(fd);
	if (ok)
		e->result = LEDGER_THERE;
	return ok;
}

/* What linkat said. */
static bool bg_named(struct ledger_entry *e, int linked)
{
	if (linked == 0) {
		e->result = LEDGER_WRITTEN;
		return true;
	}
	if (errno == EEXIST)
		return bg_confirm(e);
	/* These may come after the deed. */
	if (errno == EIO || errno == EINTR)
		return bg_doubt(e, "the record may have its name or not");
	return fault_errno(&e->why, FAULT_IO, "cannot name the record");
}

/* Where the file system knows no unnamed files: a name that begins with a dot is nobody's. */
static bool bg_make_named(struct ledger_entry *e)
{
	e->temporary = xasprintf(".%s.tmp", e->name);
	unlinkat(e->folder, e->temporary, 0);
	e->file = openat(e->folder, e->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return e->file >= 0 ? true
			    : fault_errno(&e->why, FAULT_IO, "cannot make the record's file");
}

/* The bytes in a file of no name, unless one of its name is there. */
static bool bg_fill(struct ledger_entry *e)
{
	struct stat st;

	if (fstatat(e->folder, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return bg_confirm(e);
	e->file = openat(e->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (e->file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		if (!bg_make_named(e))
			return false;
	} else if (e->file < 0) {
		return fault_errno(&e->why, FAULT_IO, "cannot make the record's file");
	}
	return beneath_write_all(e->file, &e->bytes)
		       ? true
		       : fault_errno(&e->why, FAULT_IO, "cannot write the record");
}

/* Without a path to it, which older kernels allow root only. */
static bool bg_name_unnamed(struct ledger_entry *e)
{
	static bool by_path;
	char path[64];
	int linked = by_path ? -1 : linkat(e->file, "", e->folder, e->name, AT_EMPTY_PATH);

	if (by_path || (linked < 0 && errno == ENOENT)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", e->file);
		linked = linkat(AT_FDCWD, path, e->folder, e->name, AT_SYMLINK_FOLLOW);
		by_path |= linked == 0;
	}
	return bg_named(e, linked);
}

/* Who is told of the name, maybe before we are back from making it, has the bytes. */
static bool bg_name_fresh(struct ledger_entry *e)
{
	e->fresh = fresh_put(e->file, e->path, (struct str){ e->bytes.at, e->bytes.len }, e->said);
	bool named = bg_name_unnamed(e);
	if (e->result != LEDGER_WRITTEN) {
		fresh_drop(e->fresh);
		e->fresh = NULL;
	}
	return named;
}

/* Give the file its name, unless one of that name is there. */
static bool bg_link(struct ledger_entry *e)
{
	if (e->file < 0)
		return true;
	return e->temporary ? bg_named(e, linkat(e->folder, e->temporary, e->folder, e->name, 0))
			    : bg_name_fresh(e);
}

static void bg_close_file(struct ledger_entry *e)
{
	bg_close(e->file);
	e->file = -1;
	if (e->temporary && e->folder >= 0)
		unlinkat(e->folder, e->temporary, 0);
	free(e->temporary);
	e->temporary = NULL;
}

/* No longer on its way: nothing of it stays open. */
static void bg_leave(struct ledger_entry *e)
{
	bg_close_file(e);
	bg_close(e->folder);
	e->folder = -1;
}

static bool bg_begin(struct ledger_entry *e, struct root *root)
{
	e->result = LEDGER_FAILED;
	return (bg_open_known(e) || (bg_open_root(root, e) && bg_open_folder(e, root->fd))) &&
	       bg_fill(e);
}

/* -- Lots of entries ---------------------------------------------------- */

struct lot {
	struct ledger_entry *at[TOGETHER];
	size_t count;
};

/* What of two lots is to be synced at once, and where the outcome of each entry will stand. */
struct syncs {
	struct flush list[2 * TOGETHER];
	size_t count;
	struct ledger_entry *of[2 * TOGETHER];
	size_t folder[TOGETHER];
};

/* Each folder once for all entries that lie in it. */
static void add_folders(struct syncs *s, const struct lot *lot)
{
	for (size_t i = 0; i < lot->count; i++) {
		struct ledger_entry *e = lot->at[i];
		size_t at = 0;
		if (e->folder < 0)
			continue;
		while (at < s->count && (s->of[at]->folder_dev != e->folder_dev ||
					 s->of[at]->folder_ino != e->folder_ino))
			at++;
		s->folder[i] = at;
		if (at < s->count)
			continue;
		s->of[at] = e;
		s->list[s->count++].fd = e->folder;
	}
}

static void add_files(struct syncs *s, const struct lot *lot)
{
	for (size_t i = 0; i < lot->count; i++) {
		if (lot->at[i]->file < 0)
			continue;
		s->of[s->count] = lot->at[i];
		s->list[s->count++].fd = lot->at[i]->file;
	}
}

/* Whether the disk kept all their names. */
static bool bg_see_folders(const struct syncs *s, const struct lot *lot)
{
	bool ok = true;

	for (size_t i = 0; i < lot->count; i++) {
		struct ledger_entry *e = lot->at[i];
		if (e->folder < 0)
			continue;
		errno = s->list[s->folder[i]].error;
		ok &= !errno;
		if (errno)
			bg_doubt(e, "the record's folder was not synced");
		bg_leave(e);
	}
	return ok;
}

/* Whose file was not synced is out. */
static void bg_see_files(const struct syncs *s, size_t first)
{
	for (size_t i = first; i < s->count; i++) {
		if (!s->list[i].error)
			continue;
		errno = s->list[i].error;
		bg_doubt(s->of[i], "the record was not synced");
		bg_leave(s->of[i]);
	}
}

/* The folders of those that have their names, and the files of those that are to get them. */
static bool bg_sync(struct lot *named, struct lot *filled)
{
	struct syncs s = { .count = 0 };

	add_folders(&s, named);
	size_t folders = s.count;
	add_files(&s, filled);
	flush_all(s.list, s.count);
	bg_see_files(&s, folders);
	return bg_see_folders(&s, named);
}

/* Who only asks should not wait for all of a lot, on whose CPU we happen to be. */
static void bg_let_others(const struct lot *lot, const struct ledger_entry *e)
{
	if (lot->count > 1 && e->shares)
		sched_yield();
}

static void bg_begin_each(struct lot *lot)
{
	struct root root = { .fd = -1 };

	for (size_t i = 0; i < lot->count; i++) {
		bg_let_others(lot, lot->at[i]);
		if (!bg_begin(lot->at[i], &root))
			bg_leave(lot->at[i]);
	}
	bg_close_root(&root);
}

/*
 * A folder of others was not synced while these were on their way.  They may lie in it, even
 * under the names that it has lost: they begin once more, where the disk is doubted.
 */
static void bg_begin_again(struct lot *lot)
{
	struct lot nobody = { .count = 0 }, again = { .count = 0 };

	for (size_t i = 0; i < lot->count; i++) {
		if (lot->at[i]->folder < 0)
			continue;
		bg_leave(lot->at[i]);
		again.at[again.count++] = lot->at[i];
	}
	bg_begin_each(&again);
	bg_sync(&nobody, &again);
}

static void bg_name_each(struct lot *lot)
{
	for (size_t i = 0; i < lot->count; i++) {
		struct ledger_entry *e = lot->at[i];
		bg_let_others(lot, e);
		if (e->folder >= 0 && !bg_link(e))
			bg_leave(e);
		bg_close_file(e);
	}
}

static const char *ticket_of(const struct ledger_entry *e)
{
	const char *slash = strrchr(e->dir, '/');

	return slash ? slash + 1 : e->dir;
}

/* Not needed for the records to be safe, only for them to outlive their checkout. */
static void bg_keep(struct lot *lot)
{
	struct copied list[TOGETHER];
	struct keep *keep = NULL;
	struct fault why;
	size_t n = 0;

	for (size_t i = 0; i < lot->count; i++) {
		const struct ledger_entry *e = lot->at[i];
		if (!e->keep || e->result != LEDGER_WRITTEN)
			continue;
		keep = e->keep;
		list[n++] = (struct copied){ ticket_of(e), e->name, NULL,
					     { e->bytes.at, e->bytes.len } };
	}
	if (!n || keep_put(keep, list, n, &why))
		return;
	for (size_t i = 0; i < lot->count; i++) {
		struct ledger_entry *e = lot->at[i];
		if (!e->keep || e->result != LEDGER_WRITTEN)
			continue;
		e->uncopied = true;
		e->why = why;
	}
}

/* They are done. */
static void bg_give_back(struct worker *worker, struct lot *lot)
{
	if (!lot->count)
		return;
	bg_keep(lot);
	for (size_t i = 0; i < lot->count; i++)
		lot->at[i]->job.next = i + 1 < lot->count ? &lot->at[i + 1]->job : NULL;
	if (worker)
		worker_done(worker, &lot->at[0]->job);
}

/* The next ones; whether there are any. */
static bool bg_take(struct worker *worker, struct job **jobs, struct lot *lot)
{
	lot->count = 0;
	if (!*jobs && worker)
		*jobs = worker_more(worker);
	for (; *jobs && lot->count < TOGETHER; *jobs = (*jobs)->next)
		lot->at[lot->count++] = (struct ledger_entry *)*jobs;
	return lot->count;
}

/*
 * Step by step for a lot, not entry by entry: the files' syncs then share what
 * the file system commits, and so do the folders'; those of one lot with those
 * of the next, too.
 */
void ledger_write(struct worker *worker, struct job *jobs)
{
	struct lot named = { .count = 0 }, filled;

	while (bg_take(worker, &jobs, &filled) || named.count) {
		bg_begin_each(&filled);
		bool ok = bg_sync(&named, &filled);
		bg_give_back(worker, &named);
		if (!ok)
			bg_begin_again(&filled);
		bg_name_each(&filled);
		named = filled;
	}
}

void ledger_end(void)
{
	flush_end();
}
