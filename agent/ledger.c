/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "beneath.h"

/* A sync failed and none has succeeded since. */
static atomic_bool doubted;

void ledger_trust(void)
{
	atomic_store(&doubted, false);
}

struct ledger_entry *ledger_entry_new(const char *root, const char *dir, const char *name)
{
	struct ledger_entry *e = xcalloc(1, sizeof(*e));

	e->root = xstrdup(root);
	e->dir = xstrdup(dir);
	e->name = xstrdup(name);
	e->folder = -1;
	return e;
}

void ledger_entry_free(struct ledger_entry *e)
{
	if (!e)
		return;
	free(e->root);
	free(e->dir);
	free(e->name);
	buf_release(&e->bytes);
	free(e);
}

/* A folder of ours in another, made if it is not there; the new name is synced before it is used. */
static bool bg_enter(int parent, const char *name, bool make, int *fd, struct fault *why)
{
	if (make && mkdirat(parent, name, 0777) == 0) {
		if (fsync(parent) < 0) {
			atomic_store(&doubted, true);
			return fault_errno(why, FAULT_IO, "the folder %s was not synced", name);
		}
	} else if (make && errno != EEXIST) {
		return fault_errno(why, FAULT_IO, "cannot make the folder %s", name);
	}
	switch (beneath_open_dir(parent, name, fd)) {
	case BENEATH_OK:
		return true;
	case BENEATH_GONE:
		return fault(why, FAULT_NOT_FOUND, "the folder %s is gone", name);
	case BENEATH_NOT_REGULAR:
		return fault(why, FAULT_INVALID, "%s is not a folder; links are never followed", name);
	case BENEATH_REFUSED:
		break;
	}
	return fault_errno(why, FAULT_IO, "cannot open the folder %s", name);
}

static void bg_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Open the entry's records folder. */
static bool bg_open_folder(struct ledger_entry *e)
{
	int root = open(e->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ticket = -1, artifacts = -1;

	if (root < 0)
		return fault_errno(&e->why, FAULT_IO, "cannot open %s", e->root);
	bool ok = bg_enter(root, e->dir, false, &ticket, &e->why) &&
		  bg_enter(ticket, "artifacts", true, &artifacts, &e->why) &&
		  bg_enter(artifacts, "records", true, &e->folder, &e->why);
	bg_close(root);
	bg_close(ticket);
	bg_close(artifacts);
	return ok;
}

static bool bg_write_all(int fd, const struct buf *bytes)
{
	for (size_t at = 0; at < bytes->len;) {
		ssize_t put = write(fd, bytes->at + at, bytes->len - at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += (size_t)put;
	}
	return true;
}

/* A failed sync may have thrown the pages away: it is never tried again on the same file. */
static bool bg_doubt(struct ledger_entry *e, const char *what)
{
	atomic_store(&doubted, true);
	e->result = LEDGER_UNKNOWN;
	return fault_errno(&e->why, FAULT_OUTCOME_UNKNOWN, "%s", what);
}

/* Write and sync; the name comes after. */
static bool bg_fill(int fd, struct ledger_entry *e)
{
	if (!bg_write_all(fd, &e->bytes))
		return fault_errno(&e->why, FAULT_IO, "cannot write the record");
	return fsync(fd) == 0 ? true : bg_doubt(e, "the record was not synced");
}

/* Give the file its name, unless one of that name is there. */
static bool bg_name(int olddir, const char *old, int flags, struct ledger_entry *e)
{
	if (linkat(olddir, old, e->folder, e->name, flags) == 0) {
		e->result = LEDGER_WRITTEN;
		return true;
	}
	if (errno != EEXIST)
		return fault_errno(&e->why, FAULT_IO, "cannot name the record");
	e->result = LEDGER_THERE;
	return true;
}

/* Where the file system knows no unnamed files: a name that begins with a dot is nobody's. */
static bool bg_put_named(struct ledger_entry *e)
{
	char *temporary = xasprintf(".%s.tmp", e->name);
	int fd = openat(e->folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0666);
	bool ok = fd >= 0 ? bg_fill(fd, e) && bg_name(e->folder, temporary, 0, e)
			  : fault_errno(&e->why, FAULT_IO, "cannot make the record's file");

	bg_close(fd);
	unlinkat(e->folder, temporary, 0);
	free(temporary);
	return ok;
}

static bool bg_put(struct ledger_entry *e)
{
	char unnamed[64];
	int fd = openat(e->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		return bg_put_named(e);
	if (fd < 0)
		return fault_errno(&e->why, FAULT_IO, "cannot make the record's file");
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	bool ok = bg_fill(fd, e) && bg_name(AT_FDCWD, unnamed, AT_SYMLINK_FOLLOW, e);
	bg_close(fd);
	return ok;
}

static bool same_folder(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Sync each folder once for all entries of the batch that lie in it. */
static void bg_sync_folder(struct ledger_entry *e)
{
	int folder = e->folder, cause = fsync(folder) < 0 ? errno : 0;

	for (struct job *job = &e->job; job; job = job->next) {
		struct ledger_entry *other = (struct ledger_entry *)job;
		if (other->folder < 0 || (other != e && !same_folder(folder, other->folder)))
			continue;
		if (other != e)
			bg_close(other->folder);
		other->folder = -1;
		if (cause) {
			errno = cause;
			bg_doubt(other, "the record's folder was not synced");
		}
	}
	bg_close(folder);
}

/* Whether the disk takes and keeps bytes again. */
static bool bg_probe(struct ledger_entry *e)
{
	int fd = openat(e->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && bg_write_all(fd, &e->bytes) && fsync(fd) == 0 && fsync(e->folder) == 0;
	int cause = errno;

	bg_close(fd);
	if (fd < 0 && (cause == EOPNOTSUPP || cause == EISDIR))
		return true;
	errno = cause;
	return ok ? true
		  : fault_errno(&e->why, FAULT_STORE_READ_ONLY,
				"records cannot be written: the disk failed to keep one");
}

static bool bg_write(struct ledger_entry *e)
{
	e->result = LEDGER_FAILED;
	if (!bg_open_folder(e))
		return false;
	if (atomic_load(&doubted)) {
		if (!bg_probe(e))
			return false;
		ledger_trust();
	}
	return bg_put(e);
}

void ledger_write(struct job *batch)
{
	for (struct job *job = batch; job; job = job->next) {
		struct ledger_entry *e = (struct ledger_entry *)job;
		if (bg_write(e))
			continue;
		bg_close(e->folder);
		e->folder = -1;
	}
	for (struct job *job = batch; job; job = job->next)
		if (((struct ledger_entry *)job)->folder >= 0)
			bg_sync_folder((struct ledger_entry *)job);
}
