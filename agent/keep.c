/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"

/* What is gone is left in the file as long as it is not more than this, and than what is there. */
#define GONE_BYTES (64 * 1024)
#define HEAD_MAX   1024

struct piece {
	UT_hash_handle hh; /* by key */
	off_t at;          /* where its head begins */
	size_t head, len;  /* of its bytes, without the newline behind them */
	int64_t committed; /* as keep_commit said */
	size_t said;       /* how long the line is that says so */
	char *source;
	const char *name; /* in key */
	char key[];       /* TICKET NAME */
};

struct keep {
	pthread_mutex_t mutex; /* guards what follows */
	char *path;
	bool writes;
	int fd;
	off_t end;  /* of what is whole */
	off_t live; /* of that, in pieces */
	struct piece *pieces;
};

static off_t size_of(const struct piece *p)
{
	return (off_t)(p->head + p->len + 1 + p->said);
}

/* -- What there is ------------------------------------------------------ */

static struct piece *find(const struct keep *k, const char *key)
{
	struct piece *p;

	HASH_FIND(hh, k->pieces, key, strlen(key), p);
	return p;
}

static void forget(struct keep *k, struct piece *p)
{
	HASH_DELETE(hh, k->pieces, p);
	k->live -= size_of(p);
	free(p->source);
	free(p);
}

static void note(struct keep *k, const char *key, const char *source, off_t at, size_t head,
		 size_t len)
{
	struct piece *p = find(k, key);

	if (p)
		forget(k, p);
	p = xcalloc(1, sizeof(*p) + strlen(key) + 1);
	strcpy(p->key, key);
	p->name = strchr(p->key, ' ') + 1;
	p->source = source && source[0] ? xstrdup(source) : NULL;
	p->at = at;
	p->head = head;
	p->len = len;
	HASH_ADD_KEYPTR(hh, k->pieces, p->key, strlen(p->key), p);
	k->live += size_of(p);
}

static void note_commit(struct keep *k, struct piece *p, int64_t since, size_t said)
{
	k->live -= size_of(p);
	p->committed = since;
	p->said = since ? said : 0;
	k->live += size_of(p);
}

/* -- Reading ------------------------------------------------------------ */

static bool read_at(int fd, char *into, size_t len, off_t at)
{
	while (len) {
		ssize_t got = pread(fd, into, len, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		into += got;
		at += got;
		len -= (size_t)got;
	}
	return true;
}

static bool is_newline_at(int fd, off_t at)
{
	char c;

	return read_at(fd, &c, 1, at) && c == '\n';
}

/* What became of a piece; false where the line says nothing of that. */
static bool load_news(struct keep *k, const char *line)
{
	char ticket[257], name[257];
	int64_t since = 0;
	int key = 0, used = 0;
	bool gone = sscanf(line, "gone %n%256s %256[^ ]%n", &key, ticket, name, &used) == 2;

	if (!gone && sscanf(line, "committed %" SCNd64 " %n%256s %256[^ ]%n", &since, &key, ticket,
			    name, &used) != 3)
		return false;
	if (line[used])
		return false;
	struct piece *p = find(k, line + key);
	if (p && gone)
		forget(k, p);
	else if (p)
		note_commit(k, p, since, strlen(line) + 1);
	return true;
}

/* A head, and the bytes that belong to it; false where there is none, or none that is whole. */
static bool load_one(struct keep *k)
{
	char line[HEAD_MAX + 1], ticket[257], name[257], source[513] = "";
	size_t len, want = HEAD_MAX;
	ssize_t got = pread(k->fd, line, want, k->end);
	char *newline = got > 0 ? memchr(line, '\n', (size_t)got) : NULL;

	if (!newline)
		return false;
	*newline = '\0';
	size_t head = (size_t)(newline - line) + 1;
	if (load_news(k, line)) {
		k->end += (off_t)head;
		return true;
	}
	if (sscanf(line, "record %zu %256s %256s %512[^\n]", &len, ticket, name, source) < 3 ||
	    !is_newline_at(k->fd, k->end + (off_t)(head + len)))
		return false;
	char *key = xconcat(ticket, " ", name, NULL);
	note(k, key, source, k->end, head, len);
	free(key);
	k->end += (off_t)(head + len) + 1;
	return true;
}

static void load(struct keep *k)
{
	k->fd = open(k->path,
		     (k->writes ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	while (k->fd >= 0 && load_one(k))
		;
}

struct keep *keep_open(const char *path, bool writes)
{
	struct keep *k = xcalloc(1, sizeof(*k));

	pthread_mutex_init(&k->mutex, NULL);
	k->path = xstrdup(path);
	k->writes = writes;
	load(k);
	return k;
}

void keep_close(struct keep *k)
{
	if (!k)
		return;
	while (k->pieces)
		forget(k, k->pieces);
	if (k->fd >= 0)
		close(k->fd);
	pthread_mutex_destroy(&k->mutex);
	free(k->path);
	free(k);
}

bool keep_get(struct keep *k, const char *ticket, const char *name, struct buf *into)
{
	char *key = xconcat(ticket, " ", name, NULL);

	pthread_mutex_lock(&k->mutex);
	const struct piece *p = find(k, key);
	bool ok = p != NULL;
	if (p) {
		into->len = 0;
		buf_room(into, p->len);
		ok = read_at(k->fd, into->at, p->len, p->at + (off_t)p->head);
		into->len = ok ? p->len : 0;
	}
	pthread_mutex_unlock(&k->mutex);
	free(key);
	return ok;
}

void keep_each(struct keep *k,
	       void (*fn)(void *ctx, const char *ticket, const char *name, const char *source,
			  int64_t committed),
	       void *ctx)
{
	pthread_mutex_lock(&k->mutex);
	for (struct piece *p = k->pieces; p; p = p->hh.next) {
		char *ticket = xstrndup(p->key, (size_t)(p->name - p->key) - 1);
		fn(ctx, ticket, p->name, p->source, p->committed);
		free(ticket);
	}
	pthread_mutex_unlock(&k->mutex);
}

/* -- Writing ------------------------------------------------------------ */

static bool write_at(int fd, struct str bytes, off_t at)
{
	while (bytes.len) {
		ssize_t put = pwrite(fd, bytes.at, bytes.len, at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes = (struct str){ bytes.at + put, bytes.len - (size_t)put };
		at += put;
	}
	return true;
}

/* Behind what is whole; where that fails, nothing of it stays. */
static bool append(struct keep *k, const struct buf *text)
{
	if (write_at(k->fd, (struct str){ text->at, text->len }, k->end)) {
		k->end += (off_t)text->len;
		return true;
	}
	int cause = errno;
	/* If that fails too the next one is written over it; who reads it before stops there. */
	int cut = ftruncate(k->fd, k->end);
	(void)cut;
	errno = cause;
	return false;
}

static int make(const char *path, int flags)
{
	char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	mkdir(folder, 0700);
	free(folder);
	return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

static void say_commit(struct buf *into, const char *key, int64_t since)
{
	buf_addf(into, "committed %" PRId64 " %s\n", since, key);
}

static bool copy_piece(struct keep *k, struct piece *p, int to, off_t *end, struct buf *bytes)
{
	size_t size = (size_t)size_of(p) - p->said;

	bytes->len = 0;
	buf_room(bytes, size);
	if (!read_at(k->fd, bytes->at, size, p->at))
		return false;
	bytes->len = size;
	if (p->committed)
		say_commit(bytes, p->key, p->committed);
	if (!write_at(to, (struct str){ bytes->at, bytes->len }, *end))
		return false;
	*end += size_of(p);
	return true;
}

/* What is there, in a file of its own that takes the place of the present one. */
static bool rewrite(struct keep *k)
{
	char *temporary = xasprintf("%s.tmp", k->path);
	int to = make(temporary, O_TRUNC);
	struct buf bytes = { 0 };
	off_t end = 0;
	bool ok = to >= 0;

	for (struct piece *p = k->pieces; ok && p; p = p->hh.next)
		ok = copy_piece(k, p, to, &end, &bytes);
	ok = ok && rename(temporary, k->path) == 0;
	if (ok) {
		close(k->fd);
		k->fd = to;
		k->end = 0;
		for (struct piece *p = k->pieces; p; p = p->hh.next) {
			p->at = k->end;
			k->end += size_of(p);
		}
	} else if (to >= 0) {
		close(to);
		unlink(temporary);
	}
	buf_release(&bytes);
	free(temporary);
	return ok;
}

/* Whoever reads it still has all that he knows of. */
static void end_file(struct keep *k)
{
	unlink(k->path);
	close(k->fd);
	k->fd = -1;
	k->end = 0;
}

/* The file as it is to be written to: made where there is none, anew where somebody removed it. */
static bool be_ready(struct keep *k)
{
	struct stat st;

	if (!k->writes) {
		errno = EROFS;
		return false;
	}
	if (k->fd < 0)
		load(k);
	if (k->fd < 0 && errno == ENOENT)
		k->fd = make(k->path, O_EXCL);
	return k->fd >= 0 && ((fstat(k->fd, &st) == 0 && st.st_nlink) || rewrite(k));
}

static bool is_fit(const struct copied *c)
{
	return c->ticket[0] && c->name[0] && !strpbrk(c->ticket, " \n") &&
	       !strpbrk(c->name, " \n") &&
	       (!c->source || (c->source[0] && !strchr(c->source, '\n'))) &&
	       strlen(c->ticket) + strlen(c->name) + (c->source ? strlen(c->source) : 0) < 512;
}

/* Where each piece begins in the text, and how long its head is. */
struct laid {
	char *key; /* NULL: it is not to be written */
	size_t at, head;
};

static bool lay_out(const struct keep *k, const struct copied *c, struct laid *laid,
		    struct buf *text)
{
	if (!is_fit(c)) {
		errno = EINVAL;
		return false;
	}
	char *key = xconcat(c->ticket, " ", c->name, NULL);
	const struct piece *known = find(k, key);
	/* What we wrote stays that, wherever it is seen. */
	if (known && !known->source && c->source) {
		free(key);
		return true;
	}
	laid->key = key;
	laid->at = text->len;
	buf_addf(text, "record %zu %s%s%s\n", c->bytes.len, key, c->source ? " " : "",
		 c->source ? c->source : "");
	laid->head = text->len - laid->at;
	buf_add_str(text, c->bytes);
	buf_add_str(text, STR("\n"));
	return true;
}

bool keep_put(struct keep *k, const struct copied *list, size_t count, struct fault *why)
{
	struct laid *laid = xcalloc(count, sizeof(*laid));
	struct buf text = { 0 };
	bool ok = true;

	pthread_mutex_lock(&k->mutex);
	for (size_t i = 0; ok && i < count; i++)
		ok = lay_out(k, &list[i], &laid[i], &text);
	ok = ok && (!text.len || (be_ready(k) && append(k, &text)));
	if (!ok)
		fault_errno(why, FAULT_IO, "no copy of %s was kept in %s", list[0].name, k->path);
	for (size_t i = 0; i < count; i++) {
		if (ok && laid[i].key)
			note(k, laid[i].key, list[i].source,
			     k->end - (off_t)text.len + (off_t)laid[i].at, laid[i].head,
			     list[i].bytes.len);
		free(laid[i].key);
	}
	pthread_mutex_unlock(&k->mutex);
	buf_release(&text);
	free(laid);
	return ok;
}

/* Also where that cannot be written: the next agent looks at it again, and finds it in a commit. */
static void add_news(struct keep *k, struct buf *text)
{
	append(k, text);
	if (k->end - k->live > GONE_BYTES && k->end - k->live > k->live)
		rewrite(k);
}

static void be_gone(struct keep *k, const char *key)
{
	struct buf text = { 0 };

	if (!k->pieces) {
		end_file(k);
		return;
	}
	buf_addf(&text, "gone %s\n", key);
	add_news(k, &text);
	buf_release(&text);
}

void keep_commit(struct keep *k, const char *ticket, const char *name, int64_t since)
{
	char *key = xconcat(ticket, " ", name, NULL);
	struct buf text = { 0 };

	pthread_mutex_lock(&k->mutex);
	struct piece *p = k->writes ? find(k, key) : NULL;
	if (p && p->committed != since) {
		say_commit(&text, key, since);
		note_commit(k, p, since, text.len);
		add_news(k, &text);
	}
	pthread_mutex_unlock(&k->mutex);
	buf_release(&text);
	free(key);
}

void keep_drop(struct keep *k, const char *ticket, const char *name, const char *source)
{
	char *key = xconcat(ticket, " ", name, NULL);

	pthread_mutex_lock(&k->mutex);
	struct piece *p = k->writes ? find(k, key) : NULL;
	if (p && same_text(p->source, source)) {
		forget(k, p);
		be_gone(k, key);
	}
	pthread_mutex_unlock(&k->mutex);
	free(key);
}
