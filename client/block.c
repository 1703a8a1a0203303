/* SPDX-License-Identifier: MIT */
#include "block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "buf.h"
#include "input.h"
#include "ulid.h"

#define FILE_MAX ((size_t)16 * 1024 * 1024)
#define BEGIN "<!-- ticketplan:begin -->"
#define END   "<!-- ticketplan:end -->"

const char block_text[] =
	"<!-- ticketplan:begin -->\n"
	"## Tickets: ask before you start one, record what you decide\n"
	"\n"
	"`tpctl`, or the MCP tools of the same names, say which queued Ticket may start, and keep "
	"decisions.\n"
	"\n"
	"- Before accepting one: `tpctl queue`, then `tpctl check ID` (exit 0 clear, 3 held);\n"
	"  `tpctl why ID` says what would have to happen first.\n"
	"- Accept in one step: `tpctl accept ID -m PLAN`. Exit 3: held, or somebody was first.\n"
	"- An order, blocker, conflict or wait is a record, never an entry of your own task list:\n"
	"  `tpctl record ID after|blocked-by|conflicts-with OTHER -m WHY`,\n"
	"  `tpctl record ID waiting -m WHY --until ticket:OTHER=done`.\n"
	"- Wrong or over: `tpctl retract ID RECORD -m WHY`. No absolute paths in any text.\n"
	"- After your context was compacted: `tpctl brief`. Now and then: `tpctl commit`.\n"
	"<!-- ticketplan:end -->\n";

/* The markers that a file holds, each alone on its line. */
struct markers {
	size_t begin, end;           /* where the block begins, and where it has ended */
	unsigned begun, ended, line; /* how many there are; the line of the last */
};

static struct str line_at(struct str text, size_t at)
{
	const char *end = memchr(text.at + at, '\n', text.len - at);
	struct str line = { text.at + at, end ? (size_t)(end - text.at) - at : text.len - at };

	return line;
}

static bool is_marker(struct str line, struct str marker)
{
	while (line.len && strchr(" \t\r", line.at[line.len - 1]))
		line.len--;
	return str_eq(line, marker);
}

static struct markers find_markers(struct str text)
{
	struct markers m = { 0 };
	unsigned number = 1;

	for (size_t at = 0; at < text.len; number++) {
		struct str line = line_at(text, at);
		if (is_marker(line, STR(BEGIN))) {
			m.begun++;
			m.begin = at;
			m.line = number;
		} else if (is_marker(line, STR(END))) {
			m.ended++;
			m.end = at + strlen(END);
			m.line = number;
		}
		at += line.len + 1;
	}
	return m;
}

/* The block without its last line feed, which is the file's. */
static struct str block(void)
{
	return (struct str){ block_text, strlen(block_text) - 1 };
}

static bool put_block(struct str old, const char *path, struct buf *into, struct fault *why)
{
	struct markers m = find_markers(old);
	bool none = !m.begun && !m.ended;

	if (!none && (m.begun != 1 || m.ended != 1 || m.end < m.begin))
		return fault(why, FAULT_INVALID,
			     "%s:%u: one marker " BEGIN " and behind it one " END
			     " is needed, or none of them", path, m.line);
	buf_add(into, old.at, none ? old.len : m.begin);
	if (none && old.len)
		buf_add_str(into, old.at[old.len - 1] == '\n' ? STR("\n") : STR("\n\n"));
	buf_add_str(into, block());
	if (none)
		buf_add_str(into, STR("\n"));
	else
		buf_add(into, old.at + m.end, old.len - m.end);
	return true;
}

static bool fill(int fd, struct str bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.at, bytes.len);
		if (n < 0 && errno != EINTR)
			return false;
		bytes.at += n > 0 ? n : 0;
		bytes.len -= n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) == 0;
}

/* By a new file in its place: nobody ever reads half of it. */
static bool replace(const char *path, struct str bytes, struct fault *why)
{
	char id[ULID_LEN + 1];
	struct stat st;

	ulid_make(id);
	char *temporary = xasprintf("%s.%s.tmp", path, id);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool ok = fd >= 0 && fill(fd, bytes) &&
		  (stat(path, &st) < 0 || fchmod(fd, st.st_mode & 07777) == 0) &&
		  rename(temporary, path) == 0;
	if (!ok)
		fault_errno(why, FAULT_IO, "cannot write %s", path);
	if (fd >= 0) {
		close(fd);
		if (!ok)
			unlink(temporary);
	}
	free(temporary);
	return ok;
}

static bool is_within(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && path[len] == '/';
}

/* A link may have come with the repository; a pipe would be waited for. */
static bool may_write(const char *path, const char *real, const char *top, struct fault *why)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && !is_within(real, top))
		return fault(
			why, FAULT_INVALID,
			"%s is a link that leads out of the checkout; name the file itself: %s",
			path, real);
	if (stat(real, &st) == 0 && !S_ISREG(st.st_mode))
		return fault(why, FAULT_INVALID, "%s is no regular file", path);
	return true;
}

bool block_write(const char *path, const char *top, enum block_done *done, struct fault *why)
{
	char *real = realpath(path, NULL), *target = real ? real : xstrdup(path);
	struct buf old = { 0 }, new = { 0 };
	bool ok = real ? may_write(path, real, top, why) &&
				 input_read_file(NULL, target, FILE_MAX, &old, why)
		       : errno == ENOENT || fault_errno(why, FAULT_IO, "cannot open %s", path);

	ok = ok && put_block((struct str){ old.at, old.len }, path, &new, why);
	if (ok) {
		struct str before = { old.at, old.len }, after = { new.at, new.len };
		*done = str_eq(before, after) ? BLOCK_SAME : BLOCK_WRITTEN;
		ok = *done == BLOCK_SAME || replace(target, after, why);
	}
	buf_release(&old);
	buf_release(&new);
	free(target);
	return ok;
}
