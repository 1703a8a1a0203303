/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "beneath.h"
#include "siphash.h"
#include "ulid.h"

#define FORMAT         1
#define SIZE_MAX_BYTES (16 * 1024 * 1024)
#define TEMPORARY      REGISTRY_NAME ".tmp"

/* Of one length, so that it is known where the rest begins. */
#define HEAD     "{\"format\":%u,\"checksum\":\"%016" PRIx64 "\",\n"
#define HEAD_LEN 43

/* Of all the rest. */
static void put_head(char into[HEAD_LEN + 1], struct str rest)
{
	static const uint8_t key[16] = "ticketplan claim";
	int len = snprintf(into, HEAD_LEN + 1, HEAD, FORMAT, siphash(rest.at, rest.len, key));

	BUG_IF(len != HEAD_LEN);
}

/* -- Reading ------------------------------------------------------------ */

static bool refuse(struct fault *why, const char *dir, const char *what)
{
	return fault(why, FAULT_IO, "%s/%s %s", dir, REGISTRY_NAME, what);
}

/* Ours alone, and a file. */
static bool is_fit(int fd, const char *dir, struct fault *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_errno(why, FAULT_IO, "%s/%s", dir, REGISTRY_NAME);
	if (S_ISDIR(st.st_mode))
		return refuse(why, dir, "is a folder; remove it");
	if (!S_ISREG(st.st_mode))
		return refuse(why, dir, "is no regular file; remove it");
	if (st.st_uid != geteuid())
		return refuse(why, dir, "belongs to another user; remove it");
	if (st.st_mode & 077)
		return refuse(why, dir, "is open to others; see who wrote it, then run chmod 600");
	return st.st_size <= SIZE_MAX_BYTES ? true : refuse(why, dir, "is too large; remove it");
}

static bool read_all(int fd, struct buf *text)
{
	ssize_t got = 1;

	while (got > 0 && text->len <= SIZE_MAX_BYTES) {
		buf_room(text, 64 * 1024);
		got = read(fd, text->at + text->len, 64 * 1024);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			text->len += (size_t)got;
	}
	return got == 0;
}

static enum registry_state damaged(struct fault *why, const char *what)
{
	fault(why, FAULT_INVALID, "%s", what);
	return REGISTRY_DAMAGED;
}

/* Whether it is what was once written. */
static enum registry_state judge(struct buf *text, const char *dir, uint64_t *generation,
				 struct fault *why)
{
	struct str all = { buf_text(text), text->len };
	char head[HEAD_LEN + 1];
	unsigned format;

	if (sscanf(all.at, "{\"format\":%u,", &format) != 1)
		return damaged(why, all.len ? "it does not begin as it should" : "it is empty");
	if (format > FORMAT) {
		fault(why, FAULT_INVALID,
		      "%s/%s was written by a newer ticketplan (format %u); use that, or remove "
		      "the file and with it every claim",
		      dir, REGISTRY_NAME, format);
		return REGISTRY_REFUSED;
	}
	if (all.len <= HEAD_LEN)
		return damaged(why, "it ends too early");
	put_head(head, (struct str){ all.at + HEAD_LEN, all.len - HEAD_LEN });
	if (memcmp(head, all.at, HEAD_LEN) != 0)
		return damaged(why, "its checksum does not fit");
	if (sscanf(all.at + HEAD_LEN, "\"generation\":%" SCNu64, generation) != 1)
		return damaged(why, "it has no generation");
	return REGISTRY_READ;
}

enum registry_state registry_read(const char *dir, struct buf *text, uint64_t *generation,
				  struct fault *why)
{
	char *path = xasprintf("%s/%s", dir, REGISTRY_NAME);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), cause = errno;
	enum registry_state state = REGISTRY_REFUSED;

	free(path);
	if (fd < 0 && cause == ENOENT)
		return REGISTRY_NONE;
	if (fd < 0 && cause == ELOOP) {
		refuse(why, dir, "is a link; remove it");
		return REGISTRY_REFUSED;
	}
	errno = cause;
	if (fd < 0) {
		fault_errno(why, FAULT_IO, "%s/%s", dir, REGISTRY_NAME);
		return REGISTRY_REFUSED;
	}
	if (is_fit(fd, dir, why)) {
		if (read_all(fd, text))
			state = judge(text, dir, generation, why);
		else
			fault_errno(why, FAULT_IO, "cannot read %s/%s", dir, REGISTRY_NAME);
	}
	close(fd);
	return state;
}

bool registry_set_aside(const char *dir, char **name, struct fault *why)
{
	char id[ULID_LEN + 1];

	ulid_make(id);
	char *from = xasprintf("%s/%s", dir, REGISTRY_NAME);
	*name = xasprintf("%s/%s.bad-%s", dir, REGISTRY_NAME, id);
	bool ok = rename(from, *name) == 0 ? true
					   : fault_errno(why, FAULT_IO, "cannot rename %s", from);
	free(from);
	if (!ok)
		free(*name);
	return ok;
}

/* -- Writing ------------------------------------------------------------ */

static bool bg_no(struct registry_write *w, const char *what)
{
	return fault_errno(&w->why, FAULT_IO, "claims cannot be kept: %s in %s", what, w->dir);
}

/* The new file, safe under a name that nobody reads. */
static bool bg_prepare(struct registry_write *w, int dir)
{
	unlinkat(dir, TEMPORARY, 0);
	int fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return bg_no(w, "cannot make " TEMPORARY);
	bool ok = beneath_write_all(fd, &w->bytes) ? true : bg_no(w, "cannot write " TEMPORARY);
	ok = ok && (fsync(fd) == 0 ? true : bg_no(w, "cannot sync " TEMPORARY));
	close(fd);
	return ok;
}

static void bg_replace(struct registry_write *w)
{
	int dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	w->result = REGISTRY_FAILED;
	if (dir < 0) {
		bg_no(w, "cannot open it");
		return;
	}
	if (bg_prepare(w, dir)) {
		if (renameat(dir, TEMPORARY, dir, REGISTRY_NAME) < 0) {
			bg_no(w, "cannot replace " REGISTRY_NAME);
		} else if (fsync(dir) < 0) {
			w->result = REGISTRY_UNKNOWN;
			bg_no(w, "cannot sync the folder");
			w->why.code = FAULT_OUTCOME_UNKNOWN;
		} else {
			w->result = REGISTRY_WRITTEN;
		}
	}
	if (w->result == REGISTRY_FAILED)
		unlinkat(dir, TEMPORARY, 0);
	close(dir);
}

/* There is one at a time as a rule; each is whole, so all are written in turn. */
static void bg_run(struct job *batch)
{
	for (struct job *job = batch; job; job = job->next)
		bg_replace((struct registry_write *)job);
}

struct registry_write *registry_write_new(const char *dir, uint64_t generation)
{
	struct registry_write *w = xcalloc(1, sizeof(*w));

	w->job.run = bg_run;
	w->dir = xstrdup(dir);
	/* Filled in by the seal. */
	buf_room(&w->bytes, HEAD_LEN + 1);
	w->bytes.len = HEAD_LEN;
	buf_addf(&w->bytes, "\"generation\":%" PRIu64 ",", generation);
	return w;
}

void registry_write_seal(struct registry_write *w)
{
	char head[HEAD_LEN + 1];

	buf_add_str(&w->bytes, STR("}\n"));
	put_head(head, (struct str){ w->bytes.at + HEAD_LEN, w->bytes.len - HEAD_LEN });
	memcpy(w->bytes.at, head, HEAD_LEN);
}

void registry_write_free(struct registry_write *w)
{
	if (!w)
		return;
	free(w->dir);
	buf_release(&w->bytes);
	free(w);
}
