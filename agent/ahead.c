/* SPDX-License-Identifier: MIT */
#include "ahead.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base.h"
#include "watch_private.h"
#include "worker.h"

/* A thread costs as much as to look into a few folders. */
#define LEAST 64
/* Names of a part: so few that nobody waits long for the last one. */
#define PART 8
/* Parts that nobody took in yet: so few that they are still near the CPU when somebody does. */
#define AHEAD 8
/* What is longer is read when it is asked for. */
#define FILE_MAX ((size_t)16 * 1024)
#define NOTES_MAX ((size_t)256 * 1024)

size_t ahead_least = LEAST;

struct page {
	size_t from, to;
	struct notes notes;
};

struct ahead {
	struct ahead_where where;
	const struct ahead_name *names;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows, but pages between `taken` and `begun` */
	pthread_cond_t moved;
	size_t front, back; /* of the names between them nobody has begun with any */
	size_t taken, done, begun; /* pages so far; the thread's own are those from `done` */
	struct page pages[AHEAD];
	struct buf path, bytes; /* the thread's scratch */
};

/* -- Notes -------------------------------------------------------------- */

static size_t note_size(size_t path, size_t bytes)
{
	size_t size = offsetof(struct note, text) + path + 1 + bytes, align = _Alignof(struct note);

	return (size + align - 1) / align * align;
}

static const struct note *note_at(const struct notes *notes, size_t at)
{
	return at < notes->text.len ? (const void *)(notes->text.at + at) : NULL;
}

static size_t end_of(const struct notes *notes, const struct note *note)
{
	return (size_t)((const char *)note - notes->text.at) +
	       note_size(note->path_len, note->bytes_len);
}

const struct note *notes_behind(const struct notes *notes, const struct note *note)
{
	return note_at(notes, note ? end_of(notes, note) : 0);
}

static bool says(const struct note *note, enum note_kind kind, struct str path)
{
	return note && note->kind == kind &&
	       str_eq(path, (struct str){ note->text, note->path_len });
}

const struct note *notes_take(struct notes *notes, enum note_kind kind, struct str path)
{
	const struct note *note = notes ? note_at(notes, notes->at) : NULL;

	/* A folder's begin with its watch; who left the last folder's half read goes on there. */
	while (note && kind == NOTE_WATCH && !says(note, kind, path))
		note = notes_behind(notes, note);
	if (!says(note, kind, path))
		return NULL;
	notes->at = end_of(notes, note);
	notes->untaken -= kind == NOTE_WATCH && note->result >= 0;
	return note;
}

struct str note_bytes(const struct note *note)
{
	return (struct str){ note->text + note->path_len + 1, note->bytes_len };
}

static void bg_note(struct ahead *a, struct notes *notes, enum note_kind kind, int result,
		    const struct stat *st)
{
	struct note note = { .kind = kind, .result = result, .cause = errno,
			     .path_len = a->path.len };
	bool bytes = kind == NOTE_LIST || (kind == NOTE_READ && result == BENEATH_OK);

	if (st)
		note.st = *st;
	note.bytes_len = bytes ? a->bytes.len : 0;
	size_t size = note_size(note.path_len, note.bytes_len);
	buf_room(&notes->text, size);
	char *to = notes->text.at + notes->text.len;
	memset(to, 0, size);
	memcpy(to, &note, offsetof(struct note, text));
	to += offsetof(struct note, text);
	memcpy(to, buf_text(&a->path), note.path_len);
	if (note.bytes_len)
		memcpy(to + note.path_len + 1, a->bytes.at, note.bytes_len);
	notes->text.len += size;
	notes->untaken += kind == NOTE_WATCH && result >= 0;
}

/* -- Listings ----------------------------------------------------------- */

static bool is_itself(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

void listing_read(struct buf *listing, DIR *dir, const struct watch_ops *ops, int role)
{
	struct dirent *entry;
	struct stat st;

	while ((entry = readdir(dir))) {
		unsigned char type = entry->d_type;
		int inner = is_itself(entry->d_name) ? 0 : ops->role(role, str_of(entry->d_name));
		if (!inner)
			continue;
		/* Of a file reading it tells. */
		if (type == DT_UNKNOWN && ops->kind(inner) != WATCH_FILE &&
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			type = IFTODT(st.st_mode);
		buf_add(listing, &type, 1);
		buf_add(listing, entry->d_name, strlen(entry->d_name) + 1);
	}
}

struct str listing_next(struct str listing, struct str at)
{
	const char *next = at.at ? at.at + at.len + 1 : listing.at;

	if (next == listing.at + listing.len)
		return STR_NONE;
	return str_of(next + 1);
}

unsigned char listing_type(struct str name)
{
	return (unsigned char)name.at[-1];
}

/* -- The other thread ---------------------------------------------------- */

static size_t bg_enter(struct ahead *a, struct str name)
{
	size_t before = a->path.len;

	if (before)
		buf_add(&a->path, "/", 1);
	buf_add_str(&a->path, name);
	return before;
}

/* The present path's; -1 with errno where nothing can be said of it. */
static int bg_stat(struct ahead *a, struct notes *notes, struct stat *st)
{
	int result = fstatat(a->where.root, buf_text(&a->path), st,
			     AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
	int cause = errno;

	bg_note(a, notes, NOTE_STAT, result, result < 0 ? NULL : st);
	errno = cause;
	return result;
}

/*
 * Nothing is said of what may be longer than was read; nor of a file with more names, of which
 * it counts how long ago it was looked at: folders that hold those are looked at for ever.
 */
static void bg_read(struct ahead *a, struct notes *notes)
{
	struct stat st = { 0 };
	enum beneath_result result = beneath_read_stat(a->where.root, buf_text(&a->path), FILE_MAX,
						       &a->bytes, &st);

	if (st.st_nlink <= 1 && (result != BENEATH_OK || a->bytes.len < FILE_MAX))
		bg_note(a, notes, NOTE_READ, (int)result, &st);
}

static bool bg_look(struct ahead *a, struct notes *notes, int role);

/* What is there of that name; false where no more can be said ahead. */
static bool bg_found(struct ahead *a, struct notes *notes, struct str name, int role,
		     unsigned char type)
{
	enum watch_kind kind = a->where.ops->kind(role);
	size_t before = bg_enter(a, name);
	bool more = notes->text.len < NOTES_MAX;

	if (more && kind == WATCH_FILE)
		bg_read(a, notes);
	else if (more && kind == WATCH_DIR && type == DT_DIR)
		more = bg_look(a, notes, role);
	a->path.len = before;
	return more;
}

/* Names that are known: folders are asked for, then all are gone into. */
static bool bg_look_for(struct ahead *a, struct notes *notes, int role, const char *const *names)
{
	unsigned char type[WATCH_NAMES_MAX];
	const struct watch_ops *ops = a->where.ops;
	struct stat st;

	if (bg_stat(a, notes, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_dev != a->where.dev)
		return false;
	for (size_t i = 0; names[i]; i++) {
		type[i] = DT_REG;
		if (ops->kind(ops->role(role, str_of(names[i]))) == WATCH_FILE)
			continue;
		size_t before = bg_enter(a, str_of(names[i]));
		bool there = bg_stat(a, notes, &st) == 0;
		a->path.len = before;
		if (!there && errno != ENOENT)
			return false;
		type[i] = there ? IFTODT(st.st_mode) : DT_UNKNOWN;
	}
	for (size_t i = 0; names[i]; i++) {
		struct str name = str_of(names[i]);
		if (type[i] != DT_UNKNOWN &&
		    !bg_found(a, notes, name, ops->role(role, name), type[i]))
			return false;
	}
	return true;
}

static bool bg_look_through(struct ahead *a, struct notes *notes, int role)
{
	struct stat st;
	int fd;
	DIR *dir = NULL;

	if (beneath_open_dir(a->where.root, buf_text(&a->path), &fd) != BENEATH_OK)
		return false;
	if (fstat(fd, &st) == 0 && st.st_dev == a->where.dev)
		dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	a->bytes.len = 0;
	listing_read(&a->bytes, dir, a->where.ops, role);
	closedir(dir);
	bg_note(a, notes, NOTE_LIST, 0, &st);
	/* What is in it takes the place that its names have now. */
	struct buf names = a->bytes;
	struct str all = { names.at, names.len }, name = STR_NONE;
	bool more = true;
	a->bytes = (struct buf){ 0 };
	while (more && (name = listing_next(all, name)).at)
		more = bg_found(a, notes, name, a->where.ops->role(role, name), listing_type(name));
	buf_release(&names);
	return more;
}

/* As who looks will do it: watch the folder at the present path, then look what is in it. */
static bool bg_look(struct ahead *a, struct notes *notes, int role)
{
	const char *const *names = a->where.ops->names(role);
	int wd = inotify_add_watch(a->where.notify, buf_text(&a->path), WATCH_MASK);
	bool gone = wd < 0 && errno == ENOENT;

	bg_note(a, notes, NOTE_WATCH, wd, NULL);
	if (wd < 0)
		return gone;
	return names ? bg_look_for(a, notes, role, names) : bg_look_through(a, notes, role);
}

static void bg_fill(struct ahead *a, struct page *page)
{
	page->notes.at = page->notes.text.len = page->notes.untaken = 0;
	for (size_t i = page->from; i < page->to; i++) {
		size_t before = bg_enter(a, a->names[i].name);
		bg_look(a, &page->notes, a->names[i].role);
		a->path.len = before;
	}
}

/* The mutex is held, and is not while the page is filled. */
static void bg_take_part(struct ahead *a)
{
	struct page *page = &a->pages[a->begun++ % AHEAD];

	page->from = a->front;
	page->to = a->back - a->front < PART ? a->back : a->front + PART;
	a->front = page->to;
	pthread_mutex_unlock(&a->mutex);
	bg_fill(a, page);
	pthread_mutex_lock(&a->mutex);
	a->done++;
	pthread_cond_signal(&a->moved);
}

static void *bg_main(void *data)
{
	struct ahead *a = data;

	pthread_mutex_lock(&a->mutex);
	while (a->front < a->back)
		if (a->begun - a->taken == AHEAD)
			pthread_cond_wait(&a->moved, &a->mutex);
		else
			bg_take_part(a);
	pthread_mutex_unlock(&a->mutex);
	return NULL;
}

/* -- Who asks ----------------------------------------------------------- */

/* One that has a CPU of its own: else it only takes the time that it saves. */
static bool has_cpu(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) > 1;
}

static void release(struct ahead *a)
{
	pthread_cond_destroy(&a->moved);
	pthread_mutex_destroy(&a->mutex);
	for (size_t i = 0; i < AHEAD; i++)
		buf_release(&a->pages[i].notes.text);
	buf_release(&a->path);
	buf_release(&a->bytes);
	free(a);
}

struct ahead *ahead_new(const struct ahead_where *where, const struct ahead_name *names,
			size_t count)
{
	if (count < ahead_least || !has_cpu())
		return NULL;
	struct ahead *a = xcalloc(1, sizeof(*a));
	a->where = *where;
	a->names = names;
	a->back = count;
	buf_add_str(&a->path, where->folder);
	pthread_mutex_init(&a->mutex, NULL);
	pthread_cond_init(&a->moved, NULL);
	if (worker_thread(&a->thread, "tpd-ahead", bg_main, a))
		return a;
	release(a);
	return NULL;
}

/* What was filled, or else what nobody has begun with; from the other end. */
static bool next_part(struct ahead *a, struct ahead_part *part)
{
	struct page *page = &a->pages[a->taken % AHEAD];

	*part = (struct ahead_part){ 0 };
	if (a->taken < a->done) {
		*part = (struct ahead_part){ page->from, page->to, &page->notes };
	} else if (a->front < a->back) {
		part->to = a->back;
		a->back -= a->back - a->front < PART ? a->back - a->front : PART;
		part->from = a->back;
	}
	return part->to > 0;
}

bool ahead_next(struct ahead *a, struct ahead_part *part)
{
	bool any;

	pthread_mutex_lock(&a->mutex);
	if (part->notes) {
		a->taken++;
		pthread_cond_signal(&a->moved);
	}
	while (!(any = next_part(a, part)) && a->done < a->begun)
		pthread_cond_wait(&a->moved, &a->mutex);
	pthread_mutex_unlock(&a->mutex);
	return any;
}

void ahead_free(struct ahead *a)
{
	pthread_join(a->thread, NULL);
	release(a);
}
