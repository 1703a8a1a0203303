/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base.h"
#include "buf.h"
#include "hash.h"

struct mounts {
	int fd;
	struct buf table; /* scratch */
};

#define SAYS(name) name " does not tell what others change"

/* By statfs(2); linux/magic.h has not all of them. */
static const struct {
	unsigned long magic;
	const char *says;
} blind[] = {
	{ 0x6969, SAYS("NFS") },
	{ 0xff534d42, SAYS("CIFS") },
	{ 0xfe534d42, SAYS("SMB") },
	{ 0x517b, SAYS("SMB") },
	{ 0x65735546, SAYS("FUSE") },
	{ 0x01021997, SAYS("9p") },
	{ 0x5346414f, SAYS("AFS") },
	{ 0x6b414653, SAYS("AFS") },
	{ 0x00c36400, SAYS("Ceph") },
	{ 0x73757245, SAYS("Coda") },
	{ 0x564c, SAYS("NCP") },
	{ 0x786f4256, SAYS("vboxsf") },
	{ 0xbacbacbc, SAYS("vmhgfs") },
	{ 0x7461636f, SAYS("OCFS2") },
	{ 0x01161970, SAYS("GFS2") },
	{ 0x0bd00bd0, SAYS("Lustre") },
	{ 0x19830326, SAYS("BeeGFS") },
};

const char *mounts_blind_type(unsigned long magic)
{
	for (size_t i = 0; i < COUNT_OF(blind); i++)
		if (blind[i].magic == (magic & 0xffffffff))
			return blind[i].says;
	return NULL;
}

const char *mounts_blind(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 ? mounts_blind_type((unsigned long)fs.f_type) : NULL;
}

struct mounts *mounts_new(void)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	struct mounts *m = xcalloc(1, sizeof(*m));
	m->fd = fd;
	return m;
}

void mounts_free(struct mounts *m)
{
	if (!m)
		return;
	close(m->fd);
	buf_release(&m->table);
	free(m);
}

int mounts_fd(const struct mounts *m)
{
	return m ? m->fd : -1;
}

static void read_table(struct mounts *m)
{
	ssize_t got;

	m->table.len = 0;
	if (lseek(m->fd, 0, SEEK_SET) < 0)
		return;
	do {
		buf_room(&m->table, 16 * 1024);
		got = read(m->fd, m->table.at + m->table.len, 16 * 1024);
		if (got > 0)
			m->table.len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
}

/* Blanks and such stand in the table as \ooo. */
static size_t unescape(const char *at, size_t len, char *into)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (at[i] == '\\' && i + 3 < len) {
			into[n++] = (char)((at[i + 1] - '0') * 64 + (at[i + 2] - '0') * 8 +
					   (at[i + 3] - '0'));
			i += 3;
		} else {
			into[n++] = at[i];
		}
	}
	return n;
}

static bool is_prefix(const char *folder, size_t len, const char *path, size_t path_len)
{
	if (len == 1 && folder[0] == '/')
		return true;
	return path_len >= len && memcmp(folder, path, len) == 0 &&
	       (path_len == len || path[len] == '/');
}

/* The fifth field of a line: where it is mounted. */
static const char *mount_point(const char *line, const char *end, size_t *len)
{
	for (int field = 0; field < 4; field++) {
		line = memchr(line, ' ', (size_t)(end - line));
		if (!line)
			return NULL;
		line++;
	}
	const char *after = memchr(line, ' ', (size_t)(end - line));
	*len = (size_t)((after ? after : end) - line);
	return line;
}

/* Of a line that concerns the path a number, else 0. */
static uint64_t weigh(const char *line, const char *end, const char *path, char *scratch)
{
	size_t raw, path_len = strlen(path);
	const char *at = mount_point(line, end, &raw);

	if (!at)
		return 0;
	size_t len = unescape(at, raw, scratch);
	if (!is_prefix(path, path_len, scratch, len) && !is_prefix(scratch, len, path, path_len))
		return 0;
	/* Behind the mount point stand options, which say nothing of what is there. */
	return hash_of((struct str){ line, (size_t)(at - line) + raw });
}

uint64_t mounts_at(struct mounts *m, const char *path)
{
	uint64_t sum = 0;

	read_table(m);
	if (!m->table.len)
		return 0;
	char *scratch = xmalloc(m->table.len);
	const char *end = m->table.at + m->table.len;
	for (const char *line = m->table.at, *next; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		sum += weigh(line, next, path, scratch);
	}
	free(scratch);
	return sum;
}
