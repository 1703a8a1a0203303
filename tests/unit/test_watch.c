/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ahead.h"
#include "base.h"
#include "buf.h"
#include "hash.h"
#include "layout.h"
#include "model.h"
#include "seen.h"
#include "watch.h"

/*
 * After every system call the tree as it was told, kept in a mirror, must be
 * the tree as a walk finds it.
 */

/* -- The mirror ----------------------------------------------------------- */

struct place {
	UT_hash_handle hh;
	char *path;
	char *what; /* "= content", "not regular", "trouble: …" */
	bool stale;
};

/* The test's folder, entered: a tree in "root", and "out" beside it. */
struct folder {
	char base[64];
	struct watch *w;
	struct watch_tree *tree;
	struct place *mirror;
	unsigned scans, files;
	bool made; /* as the last file was told */
	void (*then)(struct folder *f, struct str path); /* once, after the next file was read */
	int nth;
};

static void forget(struct folder *f, struct place *p)
{
	HASH_DELETE(hh, f->mirror, p);
	free(p->path);
	free(p->what);
	free(p);
}

static void forget_path(struct folder *f, struct str path)
{
	struct place *p;

	HASH_FIND(hh, f->mirror, path.at, path.len, p);
	if (p)
		forget(f, p);
}

static void note(struct folder *f, struct str path, char *what)
{
	struct place *p = xcalloc(1, sizeof(*p));

	forget_path(f, path);
	p->path = xstrndup(path.at, path.len);
	p->what = what;
	HASH_ADD_KEYPTR(hh, f->mirror, p->path, path.len, p);
}

/* Called once, with the working folder at the root, as the folder of that path gets its watch. */
static struct {
	_Atomic(const char *) path;
	void (*before)(const char *path), (*after)(const char *path);
} watching;

/* For each folder that the other thread is about to have watched; and how many any thread had. */
static sem_t asked_ahead;
static _Atomic unsigned asked;
static void do_nothing(const char *path)
{
	(void)path;
}
static void (*_Atomic before_ahead)(const char *path) = do_nothing;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	const char *awaited = watching.path;
	bool ours = awaited && strcmp(path, awaited) == 0;

	asked++;
	if (gettid() != getpid()) {
		before_ahead(path);
		sem_post(&asked_ahead);
	}

	if (ours)
		watching.path = NULL;
	if (ours && watching.before)
		watching.before(path);
	int wd = (int)syscall(SYS_inotify_add_watch, fd, path, mask), cause = errno;
	if (ours && watching.after)
		watching.after(path);
	errno = cause;
	return wd;
}

/* How often a folder was read with such a file in it, which is nobody's. */
static _Atomic unsigned threads_met;

static int on_watch_role(int parent, struct str name)
{
	threads_met += str_is(name, "thread.md");
	return (int)layout_role((enum role)parent, name);
}

static enum watch_kind on_watch_kind(int role)
{
	if (role == ROLE_BAD)
		return WATCH_REPORT;
	return role_is_file((enum role)role) ? WATCH_FILE : WATCH_DIR;
}

static const char *const *on_watch_names(int role)
{
	return layout_names((enum role)role);
}

static void on_watch_file(void *ctx, struct str path, int role, bool made, struct stat *st)
{
	struct folder *f = ctx;
	struct buf bytes = { 0 };
	(void)role;

	f->files++;
	f->made = made;

	switch (watch_read(f->tree, path, 4096, &bytes, st)) {
	case BENEATH_OK:
		note(f, path, xasprintf("= %.*s", (int)bytes.len, buf_text(&bytes)));
		break;
	case BENEATH_GONE:
		forget_path(f, path);
		break;
	case BENEATH_NOT_REGULAR:
		note(f, path, xstrdup("not regular"));
		break;
	case BENEATH_REFUSED:
		note(f, path, xstrdup("refused"));
		break;
	}
	buf_release(&bytes);
	void (*then)(struct folder *, struct str) = f->then;
	if (!then || !st->st_nlink)
		return;
	f->then = NULL;
	then(f, path);
}

static void on_watch_gone(void *ctx, struct str path)
{
	struct folder *f = ctx;
	struct place *p, *next;

	HASH_ITER(hh, f->mirror, p, next)
	if (strncmp(p->path, path.at, path.len) == 0 &&
	    (p->path[path.len] == '/' || p->path[path.len] == '\0'))
		forget(f, p);
}

static void on_watch_trouble(void *ctx, struct str path, int role, enum beneath_result result,
			     int cause)
{
	(void)cause;

	note(ctx, path,
	     xasprintf("trouble: %s", role == ROLE_BAD       ? "bad name"
				      : result == BENEATH_OK ? "a file"
							     : "neither"));
}

static void on_watch_scan(void *ctx, bool begin)
{
	struct folder *f = ctx;
	struct place *p, *next;

	f->scans += begin;
	HASH_ITER(hh, f->mirror, p, next)
	{
		if (!begin && p->stale)
			forget(f, p);
		else
			p->stale = begin;
	}
}

static const struct watch_ops ops = {
	.role = on_watch_role,
	.kind = on_watch_kind,
	.names = on_watch_names,
	.file = on_watch_file,
	.gone = on_watch_gone,
	.trouble = on_watch_trouble,
	.scan = on_watch_scan,
};

/* -- The walk --------------------------------------------------------------- */

struct lines {
	char **at;
	size_t count, cap;
};

static void add_line(struct lines *lines, const char *path, const char *what)
{
	if (lines->count == lines->cap) {
		lines->cap = lines->cap ? lines->cap * 2 : 64;
		lines->at = xrealloc(lines->at, lines->cap * sizeof(*lines->at));
	}
	lines->at[lines->count++] = xasprintf("%s %s", path, what);
}

static void walk(const char *full, const char *path, enum role role, struct lines *lines);

static void walk_file(const char *full, const char *path, const struct stat *st,
		      struct lines *lines)
{
	char bytes[4096], *what;
	FILE *in = S_ISREG(st->st_mode) ? fopen(full, "re") : NULL;
	size_t got = in ? fread(bytes, 1, sizeof(bytes), in) : 0;

	what = in ? xasprintf("= %.*s", (int)got, bytes) : xstrdup("not regular");
	if (in)
		fclose(in);
	add_line(lines, path, what);
	free(what);
}

static void walk_name(const char *full, const char *path, enum role role, struct lines *lines)
{
	struct stat st;

	assert_int_equal(lstat(full, &st), 0);
	if (role_is_file(role))
		walk_file(full, path, &st, lines);
	else if (role == ROLE_BAD && S_ISDIR(st.st_mode))
		add_line(lines, path, "trouble: bad name");
	else if (role != ROLE_BAD && S_ISDIR(st.st_mode))
		walk(full, path, role, lines);
	else if (role != ROLE_BAD)
		add_line(lines, path, S_ISREG(st.st_mode) ? "trouble: a file" : "trouble: neither");
}

static void walk(const char *full, const char *path, enum role role, struct lines *lines)
{
	struct dirent *entry;
	DIR *dir = opendir(full);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		enum role inner = layout_role(role, str_of(entry->d_name));
		if (inner == ROLE_NONE)
			continue;
		char *below = xasprintf("%s/%s", full, entry->d_name);
		char *name = xasprintf("%s%s%s", path, *path ? "/" : "", entry->d_name);
		walk_name(below, name, inner, lines);
		free(below);
		free(name);
	}
	closedir(dir);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, as one text; the lines are freed. */
static char *text_of(struct lines *lines)
{
	struct buf text = { 0 };

	if (lines->count)
		qsort(lines->at, lines->count, sizeof(*lines->at), by_text);
	for (size_t i = 0; i < lines->count; i++) {
		buf_addf(&text, "%s\n", lines->at[i]);
		free(lines->at[i]);
	}
	free(lines->at);
	buf_text(&text);
	return text.at;
}

/* How many watches the kernel keeps for us. */
static uint64_t count_watches(const struct folder *f)
{
	char line[256], *path = xasprintf("/proc/self/fdinfo/%d", watch_fd(f->w));
	FILE *in = fopen(path, "re");
	uint64_t count = 0;

	if (!in)
		assert_true(watch_fd(f->w) < 0);
	while (in && fgets(line, sizeof(line), in))
		count += strncmp(line, "inotify wd:", 11) == 0;
	if (in)
		fclose(in);
	free(path);
	return count;
}

static void check(struct folder *f)
{
	struct lines told = { 0 }, there = { 0 };

	watch_drain(f->w);
	watch_walk(f->w);
	watch_settle(f->w);
	assert_int_equal(watch_counts(f->w)->watches, count_watches(f));
	for (struct place *p = f->mirror; p; p = p->hh.next)
		add_line(&told, p->path, p->what);
	walk("root", "", ROLE_ROOT, &there);
	char *a = text_of(&told), *b = text_of(&there);
	assert_string_equal(a, b);
	free(a);
	free(b);
}

/* -- The folder ---------------------------------------------------------------- */

static void make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0777), 0);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* A Ticket's folder with everything in it. */
static void put_ticket(const char *folder)
{
	static const char *const dirs[] = { "", "/artifacts", "/artifacts/records" };
	static const char *const files[] = { "/item.md", "/artifacts/relations.json",
					     "/artifacts/records/R1.json", "/thread.md" };

	for (size_t i = 0; i < COUNT_OF(dirs); i++) {
		char *path = xasprintf("%s%s", folder, dirs[i]);
		make_dir(path);
		free(path);
	}
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char *path = xasprintf("%s%s", folder, files[i]);
		put(path, path);
		free(path);
	}
}

static void move(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

static int make_with(void **state, bool blind)
{
	struct folder *f = xcalloc(1, sizeof(*f));
	struct fault why;

	snprintf(f->base, sizeof(f->base), "/tmp/tp-watch-XXXXXX");
	if (!mkdtemp(f->base) || chdir(f->base) < 0)
		return -1;
	make_dir("root");
	make_dir("out");
	put_ticket("root/T-1");
	make_dir("root/open");
	put_ticket("root/open/T-2");
	char *root = xasprintf("%s/root", f->base);
	if (blind)
		f->w = watch_new_blind();
	else if (!watch_new(&f->w, &why))
		return -1;
	if (!watch_tree_new(f->w, root, ROLE_ROOT, &ops, f, &f->tree, &why))
		return -1;
	free(root);
	check(f);
	*state = f;
	return 0;
}

static int make_folder(void **state)
{
	return make_with(state, false);
}

/* Seen by one that watches nothing and looks through it each time. */
static int make_blind(void **state)
{
	return make_with(state, true);
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	struct place *p, *next;
	char *command = xasprintf("rm -rf %s", f->base);

	watch_free(f->w);
	watch_faults = (struct watch_faults){ 0 };
	memset(&watching, 0, sizeof(watching));
	HASH_ITER(hh, f->mirror, p, next)
	forget(f, p);
	int failed = chdir("/") < 0 || system(command) != 0;
	free(command);
	free(f);
	return failed;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

/* -- Files ------------------------------------------------------------------------ */

static void a_write_to_a_file_that_is_still_open_is_seen(void **state)
{
	struct folder *f = *state;

	int fd = open("root/T-1/artifacts/orchestration-plan.jsonl", O_WRONLY | O_CREAT | O_CLOEXEC,
		      0666);
	check(f);
	assert_int_equal(write(fd, "one\n", 4), 4);
	check(f);
	assert_int_equal(pwrite(fd, "two\n", 4, 0), 4);
	check(f);
	assert_int_equal(ftruncate(fd, 2), 0);
	check(f);
	close(fd);
	check(f);
}

static void appending_and_truncating_are_seen(void **state)
{
	struct folder *f = *state;

	int fd = open("root/T-1/item.md", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "more", 4), 4);
	check(f);
	close(fd);
	assert_int_equal(truncate("root/T-1/item.md", 3), 0);
	check(f);
	fd = open("root/T-1/item.md", O_WRONLY | O_TRUNC | O_CLOEXEC);
	check(f);
	close(fd);
}

static void a_file_renamed_within_its_folder_is_seen(void **state)
{
	struct folder *f = *state;

	move("root/T-1/item.md", "root/T-1/item.md~");
	check(f);
	move("root/T-1/item.md~", "root/T-1/item.md");
	check(f);
	move("root/T-1/artifacts/records/R1.json", "root/T-1/artifacts/records/R2.json");
	check(f);
}

static void a_file_renamed_across_folders_is_seen_in_both(void **state)
{
	struct folder *f = *state;

	move("root/T-1/artifacts/records/R1.json", "root/open/T-2/artifacts/records/R9.json");
	check(f);
	move("root/T-1/artifacts/relations.json", "out/relations.json");
	check(f);
	move("out/relations.json", "root/open/T-2/artifacts/relations.json");
	check(f);
}

static void a_save_by_a_rename_over_the_file_is_seen(void **state)
{
	struct folder *f = *state;

	put("root/T-1/.item.md.tmp", "new");
	check(f);
	move("root/T-1/.item.md.tmp", "root/T-1/item.md");
	check(f);
	put("out/item.md", "newer");
	move("out/item.md", "root/T-1/item.md");
	check(f);
}

static void an_unlinked_file_is_gone_though_it_is_open(void **state)
{
	struct folder *f = *state;

	int fd = open("root/T-1/item.md", O_WRONLY | O_CLOEXEC);
	assert_int_equal(unlink("root/T-1/item.md"), 0);
	check(f);
	assert_int_equal(write(fd, "ghost", 5), 5);
	check(f);
	close(fd);
	check(f);
}

static void a_hard_link_and_a_symbolic_link_are_seen(void **state)
{
	struct folder *f = *state;

	put("out/x", "x");
	assert_int_equal(link("out/x", "root/T-1/artifacts/records/R5.json"), 0);
	check(f);
	assert_int_equal(symlink("../../out/x", "root/T-1/artifacts/records/R6.json"), 0);
	check(f);
	assert_int_equal(unlink("root/T-1/item.md"), 0);
	assert_int_equal(symlink("../../out/x", "root/T-1/item.md"), 0);
	check(f);
}

static void two_files_that_change_places_are_seen(void **state)
{
	struct folder *f = *state;

	assert_int_equal(renameat2(AT_FDCWD, "root/T-1/item.md", AT_FDCWD, "root/open/T-2/item.md",
				   RENAME_EXCHANGE),
			 0);
	check(f);
	put("root/T-1/notes", "notes");
	assert_int_equal(renameat2(AT_FDCWD, "root/T-1/item.md", AT_FDCWD, "root/T-1/notes",
				   RENAME_EXCHANGE),
			 0);
	check(f);
}

static void a_pipe_or_a_socket_in_a_files_place_is_seen(void **state)
{
	struct folder *f = *state;
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "root/T-1/item.md" };

	assert_int_equal(unlink("root/T-1/item.md"), 0);
	assert_int_equal(mkfifo("root/T-1/item.md", 0666), 0);
	check(f);
	assert_int_equal(unlink("root/T-1/item.md"), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	check(f);
	close(fd);
	assert_int_equal(unlink("root/T-1/item.md"), 0);
	make_dir("root/T-1/item.md");
	check(f);
}

/* -- Folders ------------------------------------------------------------------------ */

static void folders_made_in_one_go_and_a_file_in_them_are_seen(void **state)
{
	struct folder *f = *state;

	put_ticket("root/T-3");
	check(f);
	make_dir("root/T-4");
	check(f);
	put("root/T-4/item.md", "4");
	check(f);
	make_dir("root/T-4/artifacts");
	make_dir("root/T-4/artifacts/records");
	put("root/T-4/artifacts/records/R1.json", "r");
	check(f);
	put("root/T-4/artifacts/records/R2.json", "r");
	check(f);
}

static void a_populated_folder_renamed_into_the_tree_is_seen(void **state)
{
	struct folder *f = *state;

	put_ticket("out/T-5");
	move("out/T-5", "root/T-5");
	check(f);
	put("root/T-5/artifacts/records/R2.json", "later");
	check(f);
	make_dir("out/closed");
	put_ticket("out/closed/T-6");
	move("out/closed", "root/closed");
	check(f);
	put("root/closed/T-6/artifacts/records/R2.json", "later");
	check(f);
}

static void what_is_below_a_renamed_folder_goes_by_its_new_name(void **state)
{
	struct folder *f = *state;

	move("root/T-1", "root/T-7");
	check(f);
	put("root/T-7/artifacts/records/R2.json", "below");
	check(f);
	put("root/T-7/artifacts/records/R1.json", "changed");
	check(f);
	move("root/open", "root/closed");
	check(f);
	put("root/closed/T-2/artifacts/records/R3.json", "deep below");
	check(f);
}

static void a_folder_renamed_and_written_to_before_anybody_looked_is_seen(void **state)
{
	struct folder *f = *state;

	move("root/T-1", "root/T-7");
	put("root/T-7/artifacts/records/R2.json", "below");
	move("root/T-7/artifacts", "root/open/T-2/artifacts2");
	put("root/open/T-2/artifacts2/records/R3.json", "no part of it");
	check(f);
	move("root/open/T-2/artifacts2", "root/T-7/artifacts");
	check(f);
	put("root/T-7/artifacts/records/R4.json", "part of it again");
	check(f);
}

static void a_folder_renamed_twice_is_seen(void **state)
{
	struct folder *f = *state;

	move("root/T-1", "root/T-8");
	move("root/T-8", "root/T-9");
	check(f);
	put("root/T-9/artifacts/records/R2.json", "below");
	check(f);
	move("root/T-9", "root/T-8");
	move("root/T-8", "root/T-9");
	put("root/T-9/artifacts/records/R3.json", "below");
	check(f);
}

static void two_folders_that_swap_their_names_are_seen(void **state)
{
	struct folder *f = *state;

	put_ticket("root/T-3");
	check(f);
	assert_int_equal(renameat2(AT_FDCWD, "root/T-1", AT_FDCWD, "root/T-3", RENAME_EXCHANGE), 0);
	check(f);
	put("root/T-1/artifacts/records/R2.json", "of one");
	put("root/T-3/artifacts/records/R3.json", "of the other");
	check(f);
	move("root/T-1", "root/T-x");
	move("root/T-3", "root/T-1");
	move("root/T-x", "root/T-3");
	check(f);
	put("root/T-1/artifacts/records/R4.json", "again");
	put("root/T-3/artifacts/records/R5.json", "again");
	check(f);
}

static void a_folder_and_its_own_folder_that_swap_are_seen(void **state)
{
	struct folder *f = *state;

	move("root/T-1/artifacts", "root/T-3");
	move("root/T-1", "root/T-3/artifacts");
	check(f);
	put("root/T-3/artifacts/relations.json", "new");
	check(f);
	put("root/T-3/item.md", "new");
	check(f);
}

static void what_happens_in_a_folder_that_moved_out_is_nobodys(void **state)
{
	struct folder *f = *state;

	move("root/T-1", "out/T-1");
	check(f);
	uint64_t watches = watch_counts(f->w)->watches;
	put("out/T-1/item.md", "ghost");
	put("out/T-1/artifacts/records/R7.json", "ghost");
	check(f);
	assert_int_equal(watches, watch_counts(f->w)->watches);
	put_ticket("root/T-1");
	check(f);
	put("out/T-1/item.md", "ghost again");
	check(f);
}

static void a_folder_that_moved_out_and_wrote_before_anybody_looked_is_nobodys(void **state)
{
	struct folder *f = *state;

	move("root/T-1", "out/T-1");
	put("out/T-1/artifacts/records/R7.json", "ghost");
	check(f);
	put("out/T-1/artifacts/records/R8.json", "ghost");
	check(f);
}

static void a_folder_that_moved_out_and_back_is_seen_as_it_came_back(void **state)
{
	struct folder *f = *state;

	move("root/T-1", "out/T-1");
	put("out/T-1/artifacts/records/R2.json", "written outside");
	move("out/T-1", "root/T-1");
	check(f);
	put("root/T-1/artifacts/records/R3.json", "written inside");
	check(f);
	move("root/T-1", "out/T-1");
	check(f);
	put("out/T-1/artifacts/records/R4.json", "written outside");
	move("out/T-1", "root/open/T-1");
	check(f);
	put("root/open/T-1/artifacts/records/R5.json", "written inside");
	check(f);
}

static void removed_folders_are_gone_and_may_come_back(void **state)
{
	struct folder *f = *state;

	assert_int_equal(unlink("root/T-1/artifacts/records/R1.json"), 0);
	check(f);
	assert_int_equal(rmdir("root/T-1/artifacts/records"), 0);
	check(f);
	make_dir("root/T-1/artifacts/records");
	put("root/T-1/artifacts/records/R2.json", "again");
	check(f);
	assert_int_equal(system("rm -r root/T-1"), 0);
	check(f);
	assert_int_equal(system("rm -r root/open"), 0);
	put_ticket("root/T-1");
	check(f);
	put("root/T-1/artifacts/records/R2.json", "again");
	check(f);
}

static void a_folder_swapped_for_a_link_is_seen(void **state)
{
	struct folder *f = *state;

	move("root/T-1", "out/T-1");
	assert_int_equal(symlink("../out/T-1", "root/T-1"), 0);
	check(f);
	put("out/T-1/item.md", "through a link");
	check(f);
	assert_int_equal(symlink("../out/T-1", "out/link"), 0);
	move("out/link", "root/T-1");
	check(f);
	assert_int_equal(unlink("root/T-1"), 0);
	move("out/T-1", "root/T-1");
	check(f);
	put("root/T-1/item.md", "itself again");
	check(f);
}

static void a_folder_swapped_for_a_file_is_seen(void **state)
{
	struct folder *f = *state;

	move("root/T-1/artifacts", "out/artifacts");
	put("root/T-1/artifacts", "a file");
	check(f);
	put("root/T-1/artifacts", "changed");
	check(f);
	assert_int_equal(unlink("root/T-1/artifacts"), 0);
	move("out/artifacts", "root/T-1/artifacts");
	check(f);
	put("root/README.md", "no Ticket");
	check(f);
	assert_int_equal(unlink("root/README.md"), 0);
	check(f);
	assert_int_equal(mkfifo("root/pipe", 0666), 0);
	check(f);
}

static void a_folder_whose_name_no_ticket_may_have_is_trouble_until_it_goes(void **state)
{
	struct folder *f = *state;

	make_dir("root/bad name");
	check(f);
	move("root/bad name", "root/good-name");
	put("root/good-name/item.md", "x");
	check(f);
	move("root/good-name", "root/-bad");
	check(f);
	put("root/-bad/item.md", "unseen");
	check(f);
	assert_int_equal(system("rm -r root/-bad"), 0);
	check(f);
}

/* -- The root ------------------------------------------------------------------------ */

static void a_root_that_moved_is_not_there(void **state)
{
	struct folder *f = *state;

	assert_true(watch_tree_there(f->tree));
	move("root", "moved");
	assert_false(watch_tree_there(f->tree));
	make_dir("root");
	assert_false(watch_tree_there(f->tree));
	assert_int_equal(rmdir("root"), 0);
	move("moved", "root");
	assert_true(watch_tree_there(f->tree));
	check(f);
}

static void what_came_while_the_root_was_away_is_there_when_it_is_back(void **state)
{
	struct folder *f = *state;

	put_ticket("root/T-3");
	move("root", "off");
	watch_drain(f->w);
	watch_settle(f->w);
	move("off", "root");
	check(f);
	put("root/T-3/item.md", "and it is watched");
	check(f);
	/* Another one in its place, for a moment. */
	make_dir("other");
	put_ticket("other/T-4");
	put_ticket("root/T-4");
	move("root", "off");
	move("other", "root");
	watch_drain(f->w);
	watch_settle(f->w);
	move("root", "other");
	move("off", "root");
	check(f);
	put("root/T-4/item.md", "not that of the other");
	check(f);
	/* The same as everything is read. */
	move("root", "off");
	watch_tree_rescan(f->tree, "for a test");
	move("off", "root");
	check(f);
	put("root/T-4/item.md", "and again");
	check(f);
}

static void the_working_folder_is_what_it_was(void **state)
{
	struct folder *f = *state;
	char *before = getcwd(NULL, 0);

	put_ticket("root/T-3");
	check(f);
	watch_tree_rescan(f->tree, "for a test");
	char *after = getcwd(NULL, 0);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void a_root_that_was_removed_and_made_anew_is_another(void **state)
{
	struct folder *f = *state;
	char *root = xasprintf("%s/root", f->base);
	struct fault why;

	assert_int_equal(system("rm -r root"), 0);
	assert_false(watch_tree_there(f->tree));
	put_ticket("root2");
	move("root2", "root");
	assert_false(watch_tree_there(f->tree));
	watch_drain(f->w);
	watch_settle(f->w);
	assert_int_equal(HASH_COUNT(f->mirror), 0);
	watch_tree_free(f->tree);
	assert_true(watch_tree_new(f->w, root, ROLE_ROOT, &ops, f, &f->tree, &why));
	assert_true(watch_tree_there(f->tree));
	check(f);
	put_ticket("root/T-9");
	check(f);
	free(root);
}

static void a_root_that_is_not_there_cannot_be_watched(void **state)
{
	struct folder *f = *state;
	struct watch_tree *tree;
	struct fault why;

	assert_false(watch_tree_new(f->w, "/tmp/tp-watch-none", ROLE_ROOT, &ops, f, &tree, &why));
	assert_int_equal(why.code, FAULT_IO);
	assert_false(watch_tree_new(f->w, "root/T-1/item.md", ROLE_ROOT, &ops, f, &tree, &why));
}

static void a_rescan_tells_everything_and_keeps_watching(void **state)
{
	struct folder *f = *state;
	uint64_t watches = watch_counts(f->w)->watches;

	move("root/T-1", "root/T-3");
	watch_tree_rescan(f->tree, "asked for");
	assert_int_equal(f->scans, 1);
	check(f);
	put("root/T-3/artifacts/records/R2.json", "seen");
	check(f);
	assert_int_equal(watches, watch_counts(f->w)->watches);
}

/* -- Losing count ------------------------------------------------------------------------ */

static long queue_limit(void)
{
	char text[32] = "";
	FILE *in = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	assert_non_null(in);
	assert_non_null(fgets(text, sizeof(text), in));
	fclose(in);
	return strtol(text, NULL, 10);
}

static void when_the_kernel_loses_count_everything_is_read_again(void **state)
{
	struct folder *f = *state;
	int one = open("root/T-1/item.md", O_WRONLY | O_CLOEXEC);
	int two = open("root/open/T-2/item.md", O_WRONLY | O_CLOEXEC);

	/* Two that take turns: the kernel merges only what is the same as the last. */
	for (long n = queue_limit() / 2 + 10; n > 0; n--) {
		assert_int_equal(pwrite(one, "1", 1, 0), 1);
		assert_int_equal(pwrite(two, "2", 1, 0), 1);
	}
	close(one);
	close(two);
	move("root/T-1", "root/T-3");
	put_ticket("root/T-4");
	check(f);
	assert_int_equal(watch_counts(f->w)->overflows, 1);
	assert_int_equal(f->scans, 1);
	put("root/T-3/artifacts/records/R2.json", "seen");
	put("root/T-4/artifacts/records/R2.json", "seen");
	check(f);
}

/* A file of no name gets this one, as records do. */
static void name_a_file(const char *path)
{
	char unnamed[64];
	int fd = open("root", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "new", 3), 3);
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	assert_int_equal(linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW), 0);
	close(fd);
}

static void assert_told_as_made(struct folder *f, bool made)
{
	f->made = !made;
	check(f);
	assert_int_equal(f->made, made);
}

#define RECORD "root/T-1/artifacts/records/R2.json"

static void a_name_is_made_where_that_is_all_that_happened_to_it(void **state)
{
	struct folder *f = *state;

	name_a_file(RECORD);
	assert_told_as_made(f, true);
	put(RECORD, "newer");
	assert_told_as_made(f, false);
	unlink(RECORD);
	check(f);
	name_a_file(RECORD);
	assert_told_as_made(f, true);
}

static void a_name_that_was_made_and_more_is_not_just_made(void **state)
{
	struct folder *f = *state;

	name_a_file(RECORD);
	put(RECORD, "wen");
	assert_told_as_made(f, false);
	unlink(RECORD);
	name_a_file(RECORD);
	assert_told_as_made(f, false);
	unlink(RECORD);
	check(f);
	name_a_file(RECORD);
	assert_int_equal(chmod(RECORD, 0600), 0);
	assert_told_as_made(f, false);
	assert_int_equal(rename(RECORD, "out/R2.json"), 0);
	check(f);
	assert_int_equal(rename("out/R2.json", RECORD), 0);
	assert_told_as_made(f, false);
	/* Nobody knows what happened before it was found. */
	f->made = true;
	watch_tree_rescan(f->tree, "for a test");
	assert_false(f->made);
	unlink(RECORD);
	check(f);
	name_a_file(RECORD);
	watch_tree_soil(f->tree, "for a test");
	assert_told_as_made(f, false);
}

static void where_nothing_is_watched_no_name_is_known_to_be_made(void **state)
{
	struct folder *f = *state;

	watch_tree_distrust(f->tree, "for a test");
	check(f);
	name_a_file(RECORD);
	assert_told_as_made(f, false);
}

static void without_changes_there_is_nothing_to_drain(void **state)
{
	struct folder *f = *state;
	uint64_t drains = watch_counts(f->w)->drains;

	check(f);
	check(f);
	assert_int_equal(watch_counts(f->w)->drains, drains);
	put("root/T-1/thread.md", "not ours");
	check(f);
	assert_int_equal(watch_counts(f->w)->drains, drains + 1);
	assert_int_equal(watch_counts(f->w)->rescans, 0);
}

static void a_tree_that_is_freed_before_its_events_are_looked_at_is_forgotten(void **state)
{
	struct folder *f = *state;
	char *root = xasprintf("%s/root", f->base);
	struct fault why;

	put("root/T-1/item.md", "late");
	move("root/T-1", "root/T-3");
	watch_drain(f->w);
	watch_tree_free(f->tree);
	watch_settle(f->w);
	assert_int_equal(watch_counts(f->w)->watches, 0);
	on_watch_gone(f, STR("open"));
	on_watch_gone(f, STR("T-1"));
	assert_true(watch_tree_new(f->w, root, ROLE_ROOT, &ops, f, &f->tree, &why));
	check(f);
	free(root);
}

/* -- Two trees, and folders beside --------------------------------------------------------- */

static void a_folder_that_moves_from_tree_to_tree_is_seen_in_both(void **state)
{
	struct folder *f = *state, other = { .w = f->w };
	char *path = xasprintf("%s/out", f->base);
	struct fault why;
	struct place *p, *next;

	assert_true(watch_tree_new(f->w, path, ROLE_ROOT, &ops, &other, &other.tree, &why));
	move("root/T-1", "out/T-1");
	check(f);
	assert_int_equal(HASH_COUNT(other.mirror), 3);
	put("out/T-1/artifacts/records/R2.json", "there");
	put("out/T-1/artifacts/records/R3.json", "there");
	check(f);
	assert_int_equal(HASH_COUNT(other.mirror), 5);
	move("out/T-1", "root/T-1");
	check(f);
	assert_int_equal(HASH_COUNT(other.mirror), 0);
	watch_tree_free(other.tree);
	put("root/T-1/artifacts/records/R4.json", "here");
	check(f);
	HASH_ITER(hh, other.mirror, p, next)
	forget(&other, p);
	free(path);
}

static void on_side(void *ctx, struct str name)
{
	struct buf *heard = ctx;

	buf_addf(heard, "[%.*s]", STR_ARG(name));
}

static void a_folder_beside_the_tree_tells_its_names(void **state)
{
	struct folder *f = *state;
	struct buf heard = { 0 };

	assert_false(watch_side(f->w, "none", on_side, &heard));
	assert_true(watch_side(f->w, "out", on_side, &heard));
	assert_true(watch_side(f->w, "out", on_side, &heard));
	make_dir("out/config");
	check(f);
	assert_string_equal(buf_text(&heard), "[config]");
	assert_int_equal(rmdir("out/config"), 0);
	check(f);
	heard.len = 0;
	assert_int_equal(rmdir("out"), 0);
	check(f);
	/* Of its own end it says that something is different, without a name. */
	assert_true(str_ends((struct str){ buf_text(&heard), heard.len }, STR("[]")));
	make_dir("out");
	assert_true(watch_side(f->w, "out", on_side, &heard));
	heard.len = 0;
	make_dir("out/x");
	check(f);
	assert_string_equal(buf_text(&heard), "[x]");
	buf_release(&heard);
}

/* -- Whatever happens ------------------------------------------------------------------------ */

static int steps(int usual)
{
	const char *scale = getenv("TP_SCALE");

	return scale && strcmp(scale, "100") == 0 ? usual * 150 : usual;
}

/* A path that is ours, or nearly, or outside. */
static const char *random_path(uint64_t *seed)
{
	static const char *const paths[] = {
		"root/T-1",
		"root/T-2",
		"root/T-3",
		"root/open",
		"root/closed",
		"root/bad name",
		"root/open/T-1",
		"root/open/T-2",
		"root/closed/T-1",
		"root/.hidden",
		"out/a",
		"out/b",
		"root/T-1/item.md",
		"root/T-2/item.md",
		"root/open/T-1/item.md",
		"out/a/item.md",
		"root/T-1/artifacts",
		"root/T-2/artifacts",
		"root/open/T-1/artifacts",
		"out/a/artifacts",
		"root/T-1/artifacts/records",
		"root/T-2/artifacts/records",
		"root/open/T-1/artifacts/records",
		"root/T-1/artifacts/relations.json",
		"root/T-2/artifacts/relations.json",
		"root/T-1/artifacts/orchestration-plan.jsonl",
		"root/T-2/artifacts/orchestration-plan.jsonl",
		"root/T-1/artifacts/records/R1.json",
		"root/T-2/artifacts/records/R1.json",
		"root/T-2/artifacts/records/R2.json",
		"root/open/T-1/artifacts/records/R1.json",
		"out/a/artifacts/records",
		"out/a/artifacts/records/R1.json",
		"root/T-1/thread.md",
		"out/records",
	};

	return paths[model_random(seed, COUNT_OF(paths))];
}

static void random_write(const char *path, int flags, uint64_t *seed)
{
	char text[16];
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | flags, 0666);

	snprintf(text, sizeof(text), "%u", model_random(seed, 100));
	if (fd < 0)
		return;
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* A folder, or the folders that a file needs and the file. */
static void random_make(const char *path, uint64_t *seed)
{
	char *copy = xstrdup(path);

	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0777);
		*slash = '/';
	}
	if (strchr(path, '.'))
		random_write(path, O_CREAT | O_TRUNC, seed);
	else
		mkdir(path, 0777);
	free(copy);
}

/* A second name of a file outside the tree would change it unseen: it is given away. */
static int relink(const char *from, const char *to)
{
	return link(from, to) < 0 ? -1 : unlink(from);
}

static int remove_all(const char *path)
{
	char *command = xasprintf("rm -rf '%s' 2>/dev/null", path);
	int status = system(command);

	free(command);
	return status;
}

/* Whether it works does not matter: it is one system call, or a few. */
static void random_step(uint64_t *seed)
{
	const char *a = random_path(seed), *b = random_path(seed);
	unsigned what = model_random(seed, 100);
	int failed = 0;

	if (what < 50)
		random_make(a, seed);
	else if (what < 58)
		random_write(a, O_APPEND, seed);
	else if (what < 60)
		random_write(a, O_CREAT, seed);
	else if (what < 76)
		failed = rename(a, b);
	else if (what < 84)
		failed = renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
	else if (what < 88)
		failed = unlink(a);
	else if (what < 90)
		failed = rmdir(a);
	else if (what < 92)
		failed = remove_all(a);
	else if (what < 94)
		failed = symlink("../out/a", a);
	else if (what < 97)
		failed = relink(a, b);
	else if (what < 98)
		failed = mkfifo(a, 0666);
	else
		failed = truncate(a, 1);
	(void)failed;
}

static void whatever_happens_the_mirror_is_the_tree(void **state)
{
	struct folder *f = *state;
	uint64_t seed = 7;

	for (int left = steps(2000); left; left--) {
		random_step(&seed);
		if (model_random(&seed, 3))
			check(f);
	}
	check(f);
	assert_int_equal(watch_counts(f->w)->rescans, 0);
	assert_int_equal(watch_counts(f->w)->unwatched, 0);
}

static void whatever_happens_where_nothing_is_watched_the_mirror_is_the_tree(void **state)
{
	struct folder *f = *state;
	uint64_t seed = 11;

	for (int left = steps(1000); left; left--) {
		random_step(&seed);
		if (model_random(&seed, 3))
			check(f);
	}
	check(f);
	assert_int_equal(watch_counts(f->w)->watches, 0);
	assert_true(watch_counts(f->w)->unwatched > 0);
}

/* Others take watches and give them back. */
static void whatever_happens_while_watches_run_out_the_mirror_is_the_tree(void **state)
{
	struct folder *f = *state;
	uint64_t seed = 13, refused = 0;

	for (int left = steps(2000); left; left--) {
		random_step(&seed);
		if (!model_random(&seed, 20))
			watch_faults.limit = 1 + model_random(&seed, 12);
		if (model_random(&seed, 3))
			check(f);
		refused += watch_counts(f->w)->refused > 0;
	}
	check(f);
	assert_true(refused > 0);
	watch_faults.limit = 0;
	check(f);
	assert_int_equal(watch_counts(f->w)->unwatched, 0);
}

static void a_tree_that_is_distrusted_is_looked_through(void **state)
{
	struct folder *f = *state;

	watch_tree_distrust(f->tree, "for a test");
	check(f);
	assert_string_equal(watch_tree_blind(f->tree), "for a test");
	assert_int_equal(watch_counts(f->w)->watches, 0);
	put("root/T-1/item.md", "new");
	make_dir("root/T-3");
	put("root/T-3/item.md", "three");
	check(f);
	watch_tree_rescan(f->tree, "asked for");
	check(f);
	assert_int_equal(watch_counts(f->w)->watches, 0);
}

/* Written through one name, nobody is told of the other. */
static void a_file_with_two_names_is_seen_at_both(void **state)
{
	struct folder *f = *state;

	make_dir("root/T-5");
	assert_int_equal(link("root/T-1/item.md", "root/T-5/item.md"), 0);
	check(f);
	put("root/T-5/item.md", "by the new name");
	check(f);
	put("root/T-1/item.md", "by the old one");
	check(f);
	assert_int_equal(watch_counts(f->w)->linked, 2);
	/* One of them goes where nobody looks. */
	move("root/T-5/item.md", "out/item.md");
	check(f);
	put("out/item.md", "from outside");
	check(f);
	assert_int_equal(unlink("out/item.md"), 0);
	check(f);
	watch_faults.later = SEEN_RACY_US;
	check(f);
	assert_int_equal(watch_counts(f->w)->linked, 0);
	watch_faults.later = 0;
	/* And the same once more, as nothing may be remembered wrongly. */
	assert_int_equal(link("root/T-1/item.md", "root/T-5/item.md"), 0);
	check(f);
	put("root/T-5/item.md", "by the new name again");
	check(f);
}

/* Written by one who has it open by a name that is gone, nobody is told at all. */
static void a_file_that_lost_a_name_is_seen_to_the_last_write_through_that(void **state)
{
	struct folder *f = *state;

	make_dir("root/T-5");
	assert_int_equal(link("root/T-1/item.md", "root/T-5/item.md"), 0);
	check(f);
	int fd = open("root/T-5/item.md", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(unlink("root/T-5/item.md"), 0);
	check(f);
	assert_int_equal(write(fd, "late", 4), 4);
	check(f);
	assert_int_equal(ftruncate(fd, 2), 0);
	check(f);
	close(fd);
}

static void link_to_the_nth(struct folder *f, struct str told)
{
	int root = watch_tree_fd(f->tree);
	char path[64], *from = xstrndup(told.at, told.len);

	snprintf(path, sizeof(path), "T-%d/item.md", 10 + f->nth);
	assert_int_equal(linkat(root, from, root, path, 0), 0);
	free(from);
}

/* Of many folders some are read after the file that gets its name there. */
static void link_while_all_is_read(struct folder *f)
{
	char path[64];

	for (f->nth = 0; f->nth < 20; f->nth++) {
		check(f);
		f->then = link_to_the_nth;
		watch_tree_rescan(f->tree, "for a test");
		check(f);
		snprintf(path, sizeof(path), "root/T-%d/item.md", 10 + f->nth);
		put(path, path);
		check(f);
		assert_int_equal(unlink(path), 0);
	}
}

static void make_many_folders(void)
{
	char path[64];

	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "root/T-%d", 10 + i);
		make_dir(path);
	}
}

static void a_file_that_got_a_name_while_all_was_read_is_seen_at_both(void **state)
{
	make_many_folders();
	link_while_all_is_read(*state);
}

static void a_file_with_a_name_where_nothing_is_watched_is_seen_at_both(void **state)
{
	struct folder *f = *state;

	watch_faults.limit = watch_counts(f->w)->watches;
	make_many_folders();
	check(f);
	assert_int_equal(watch_counts(f->w)->unwatched, 20);
	assert_int_equal(link("root/T-1/item.md", "root/T-10/item.md"), 0);
	check(f);
	put("root/T-10/item.md", "by the name that nobody watches");
	check(f);
	put("root/T-1/item.md", "by the one that is watched");
	check(f);
	assert_int_equal(unlink("root/T-10/item.md"), 0);
	link_while_all_is_read(f);
}

/* A Ticket for whose folders there are no watches, with every name that can be in them. */
static void put_unwatched(struct folder *f)
{
	watch_faults.limit = watch_counts(f->w)->watches;
	put_ticket("root/T-3");
	put("root/T-3/artifacts/orchestration-plan.jsonl", "plan");
	check(f);
	assert_int_equal(watch_counts(f->w)->refused, 3);
}

/* By a path through the link all in it is as it was, and as complete. */
static void a_folder_swapped_for_a_link_where_nothing_is_watched_is_seen(void **state)
{
	struct folder *f = *state;

	put_unwatched(f);
	move("root/T-3/artifacts", "out/a");
	assert_int_equal(symlink("../../out/a", "root/T-3/artifacts"), 0);
	check(f);
	assert_int_equal(unlink("root/T-3/artifacts"), 0);
	move("out/a", "root/T-3/artifacts");
	check(f);
	move("root/T-3", "out/T-3");
	assert_int_equal(symlink("../out/T-3", "root/T-3"), 0);
	check(f);
}

/* It has one of the watches that others gave back; that it goes is told where there is none. */
static void a_watched_folder_that_leaves_one_that_is_not_is_seen_to_go(void **state)
{
	struct folder *f = *state;

	put_unwatched(f);
	move("root/T-3/artifacts", "out/a");
	check(f);
	move("out/a", "root/T-3/artifacts");
	watch_drain(f->w);
	watch_walk(f->w);
	watch_faults.limit++;
	watch_settle(f->w);
	check(f);
	assert_int_equal(watch_counts(f->w)->refused, 2);
	move("root/T-3/artifacts", "out/a");
	check(f);
	move("out/a", "root/T-3/artifacts");
	check(f);
}

static void swap_with_a(const char *path)
{
	assert_int_equal(renameat2(AT_FDCWD, path, AT_FDCWD, "../out/a", RENAME_EXCHANGE), 0);
}

/* What has the watch is another folder than what was listed. */
static void a_folder_swapped_as_it_was_watched_in_one_that_is_not_is_seen(void **state)
{
	struct folder *f = *state;

	put_unwatched(f);
	move("root/T-3/artifacts", "out/b");
	make_dir("out/a");
	check(f);
	move("out/b", "root/T-3/artifacts");
	watch_drain(f->w);
	watch_walk(f->w);
	watch_faults.limit++;
	watching.path = "T-3/artifacts";
	watching.after = swap_with_a;
	watch_settle(f->w);
	assert_null(watching.path);
	check(f);
	put("root/T-3/artifacts/relations.json", "new");
	check(f);
}

static void take_away(const char *path)
{
	assert_int_equal(rmdir(path), 0);
}

/* A name is known then that nothing is known about. */
static void a_folder_that_goes_as_it_is_to_be_watched_is_seen_when_it_is_back(void **state)
{
	struct folder *f = *state;

	watch_faults.limit = watch_counts(f->w)->watches;
	make_dir("out/T-3");
	put("out/T-3/item.md", "three");
	make_dir("out/T-3/artifacts");
	move("out/T-3", "root/T-3");
	watching.path = "T-3/artifacts";
	watching.before = take_away;
	check(f);
	assert_null(watching.path);
	assert_int_equal(watch_counts(f->w)->refused, 1);
	make_dir("root/T-3/artifacts");
	put("root/T-3/artifacts/relations.json", "new");
	check(f);
}

static void a_rescan_keeps_its_reason(void **state)
{
	struct folder *f = *state;
	struct watch_rescan list[WATCH_RESCANS_KEPT];
	size_t count;

	assert_int_equal(watch_rescans(f->w, list), 0);
	for (int i = 0; i < 2 * WATCH_RESCANS_KEPT; i++)
		watch_tree_rescan(f->tree, i % 2 ? "odd" : "even");
	count = watch_rescans(f->w, list);
	assert_int_equal(count, WATCH_RESCANS_KEPT);
	assert_string_equal(list[0].why, "even");
	assert_string_equal(list[count - 1].why, "odd");
	assert_non_null(strstr(list[0].path, "/root"));
}

static void the_last_events_are_kept(void **state)
{
	struct folder *f = *state;
	static struct watch_event list[WATCH_EVENTS_KEPT];
	size_t count;

	for (int i = 0; i < WATCH_EVENTS_KEPT; i++)
		put("root/T-1/item.md", "x");
	make_dir("root/T-1/a-new-one");
	watch_drain(f->w);
	count = watch_events(f->w, list);
	assert_int_equal(count, WATCH_EVENTS_KEPT);
	assert_string_equal(list[count - 1].folder, "T-1");
	assert_string_equal(list[count - 1].name, "a-new-one");
	char *text = watch_event_text(&list[count - 1]);
	assert_string_equal(text, "CREATE ISDIR");
	free(text);
	check(f);
}

/* Names that editors and git use while they save: nothing is read for them. */
static void what_editors_write_beside_a_file_is_nobodys(void **state)
{
	struct folder *f = *state;
	static const char *const names[] = {
		"root/T-1/4913", "root/T-1/.item.md.swp", "root/T-1/.item.md.swx",
		"root/T-1/item.md~", "root/T-1/.#item.md", "root/T-1/#item.md#",
		"root/T-1/sedAbCdEf", "root/T-1/artifacts/.relations.json.swp",
		"root/T-1/artifacts/relations.json~", "root/T-1/artifacts/records/.R1.json.swp",
		"root/T-1/artifacts/records/R1.json~", "root/T-1/artifacts/records/4913",
	};

	f->files = 0;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		put(names[i], "not ours");
	check(f);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(unlink(names[i]), 0);
	check(f);
	assert_int_equal(f->files, 0);
}

static void read_anew(struct folder *f)
{
	char *root = xasprintf("%s/root", f->base);
	struct fault why;

	threads_met = 0;
	on_watch_scan(f, true);
	watch_tree_free(f->tree);
	assert_true(watch_tree_new(f->w, root, ROLE_ROOT, &ops, f, &f->tree, &why));
	on_watch_scan(f, false);
	free(root);
}

static void look_anew(struct folder *f)
{
	read_anew(f);
	check(f);
}

static void where_all_names_are_known_a_folder_is_not_listed(void **state)
{
	struct folder *f = *state;

	look_anew(f);
	assert_int_equal(threads_met, 0);
	assert_int_equal(unlink("root/T-1/item.md"), 0);
	assert_int_equal(unlink("root/open/T-2/item.md"), 0);
	check(f);
	look_anew(f);
	assert_int_equal(threads_met, 0);
}

static void swap_for_a_link(const char *path)
{
	(void)path;
	assert_int_equal(rename("T-1", "../out/a"), 0);
	assert_int_equal(symlink("../out/b", "T-1"), 0);
}

/* The names are looked for by paths through it, which a link would lead elsewhere. */
static void a_folder_swapped_for_a_link_as_it_was_watched_tells_nothing_of_there(void **state)
{
	struct folder *f = *state;

	make_dir("out/b");
	put("out/b/item.md", "elsewhere");
	make_dir("out/b/artifacts");
	put("out/b/artifacts/relations.json", "elsewhere");
	watching.after = swap_for_a_link;
	for (int i = 0; i < 2; i++) {
		watching.path = i ? "T-1/artifacts" : "T-1";
		look_anew(f);
		assert_null(watching.path);
		put("out/b/item.md", "changed");
		check(f);
		assert_int_equal(unlink("root/T-1"), 0);
		move("out/a", "root/T-1");
		check(f);
	}
}

static void fill(const char *path)
{
	char *item = xasprintf("%s/item.md", path), *artifacts = xasprintf("%s/artifacts", path);

	put(item, "new");
	make_dir(artifacts);
	free(item);
	free(artifacts);
}

/* Whatever is looked for only then was watched for before. */
static void what_comes_into_a_folder_as_it_is_watched_is_seen(void **state)
{
	struct folder *f = *state;

	for (int after = 0; after < 2; after++) {
		make_dir("root/T-5");
		watching.path = "T-5";
		watching.before = after ? NULL : fill;
		watching.after = after ? fill : NULL;
		check(f);
		assert_null(watching.path);
		check(f);
		put("root/T-5/artifacts/relations.json", "new");
		check(f);
		move("root/T-5", "out/T-5");
		check(f);
		move("out/T-5", after ? "out/T-6" : "out/T-7");
	}
}

/* Else Item.md would be taken for item.md, and its changes for those of another file. */
static void where_case_does_not_matter_each_folder_is_listed(void **state)
{
	struct folder *f = *state;

	/* What such a file system would say. */
	assert_int_equal(link("root/T-1/item.md", "root/T-1/ITEM.MD"), 0);
	assert_int_equal(link("root/open/T-2/item.md", "root/open/T-2/ITEM.MD"), 0);
	look_anew(f);
	assert_int_equal(threads_met, 2);
}

/* -- Asked ahead ----------------------------------------------------------------- */

/* Fewer than are worth a thread. */
#define MANY 60

static void put_numbered(const char *folder, int i, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/M-%d/item.md", folder, i);
	put(path, text);
}

static void put_many(struct folder *f)
{
	char path[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "root/M-%d", i);
		put_ticket(path);
		put_numbered("root", i, path);
	}
	check(f);
}

/* The other thread has begun with that many folders, and looked into those before. */
static void await_ahead(int folders)
{
	while (folders-- > 0)
		while (sem_wait(&asked_ahead) != 0)
			continue;
}

static void move_numbered(int i, const char *to)
{
	char path[64];

	snprintf(path, sizeof(path), "M-%d", i);
	move(path, to);
}

/*
 * Between what was written down of them and its being taken in folders change, each in its way.
 * The working folder is the root.
 */
static void change_many(struct folder *f, struct str told)
{
	char path[64];

	if (!str_starts(told, STR("M-"))) {
		f->then = change_many;
		return;
	}
	await_ahead(30);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "../out/M-%d", i);
		put_numbered(".", i, "changed meanwhile");
		if (i % 6 == 1)
			move_numbered(i, path);
		if (i % 6 == 2) {
			move_numbered(i, path);
			snprintf(path, sizeof(path), "M-%d", i);
			put_ticket(path);
			put_numbered(".", i, "another one meanwhile");
		}
		if (i % 6 == 3) {
			snprintf(path, sizeof(path), "N-%d", i);
			move_numbered(i, path);
		}
		if (i % 6 == 4) {
			snprintf(path, sizeof(path), "M-%d/item.md", i);
			assert_int_equal(unlink(path), 0);
			snprintf(path, sizeof(path), "M-%d/artifacts/relations.json", i);
			put(path, "meanwhile");
		}
	}
}

static bool have_two_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

/* A tree that is asked for ahead, where there is a CPU for that. */
static void begin_many(struct folder *f)
{
	if (!have_two_cpus())
		skip();
	put_many(f);
	sem_init(&asked_ahead, 0, 0);
}

static void what_changes_after_it_was_asked_ahead_is_seen(void **state)
{
	struct folder *f = *state;

	begin_many(f);
	f->then = change_many;
	look_anew(f);
	assert_null(f->then);
	assert_int_equal(watch_counts(f->w)->rescans, 0);
}

static void write_first(const char *path)
{
	char *item = xasprintf("%s/item.md", path);

	if (!strchr(path, '/'))
		put(item, "as it was to be watched");
	free(item);
}

static void let_it_ask(struct folder *f, struct str told)
{
	if (str_starts(told, STR("M-")))
		await_ahead(30);
	else
		f->then = let_it_ask;
}

/* What is asked ahead is watched before it is read. */
static void what_changes_as_it_is_watched_ahead_is_seen(void **state)
{
	struct folder *f = *state;

	begin_many(f);
	before_ahead = write_first;
	f->then = let_it_ask;
	look_anew(f);
	before_ahead = do_nothing;
}

/* Where no more can be watched, too. */
static void what_was_watched_ahead_and_is_gone_is_watched_no_more(void **state)
{
	struct folder *f = *state;

	watch_faults.limit = watch_counts(f->w)->watches;
	what_changes_after_it_was_asked_ahead_is_seen(state);
}

static void change_records(struct folder *f, struct str told)
{
	char path[64];

	if (!str_starts(told, STR("M-"))) {
		f->then = change_records;
		return;
	}
	await_ahead(60);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "M-%d/artifacts/records/R1.json", i);
		put(path, "changed meanwhile");
	}
}

/* Of what changed before it is taken in no event tells then. */
static void what_was_asked_ahead_and_is_not_watched_is_asked_again(void **state)
{
	struct folder *f = *state;

	begin_many(f);
	/* The root, open/, T-2, the eight Tickets of a part, and two of the next one's folders. */
	watch_faults.limit = 2 + 3 + 8 * 3 + 2;
	f->then = change_records;
	read_anew(f);
	assert_null(f->then);
	watch_drain(f->w);
	watch_settle(f->w);
	for (struct place *p = f->mirror; p; p = p->hh.next)
		if (p->path[0] == 'M' && str_ends(str_of(p->path), STR("/R1.json")))
			assert_string_equal(p->what, "= changed meanwhile");
	check(f);
}

static void what_was_asked_ahead_is_not_asked_again(void **state)
{
	struct folder *f = *state;

	put_many(f);
	asked = 0;
	look_anew(f);
	assert_int_equal(asked, watch_counts(f->w)->watches);
}

/* It is not worth a thread. */
static void small_trees_are_read_by_one_thread(void **state)
{
	struct folder *f = *state;

	put_many(f);
	sem_init(&asked_ahead, 0, 0);
	look_anew(f);
	assert_int_not_equal(sem_trywait(&asked_ahead), 0);
}

static void from_here_on_all_trees_are_large(void **state)
{
	(void)state;
	ahead_least = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(a_write_to_a_file_that_is_still_open_is_seen),
		with_folder(appending_and_truncating_are_seen),
		with_folder(a_file_renamed_within_its_folder_is_seen),
		with_folder(a_file_renamed_across_folders_is_seen_in_both),
		with_folder(a_save_by_a_rename_over_the_file_is_seen),
		with_folder(an_unlinked_file_is_gone_though_it_is_open),
		with_folder(a_hard_link_and_a_symbolic_link_are_seen),
		with_folder(two_files_that_change_places_are_seen),
		with_folder(a_pipe_or_a_socket_in_a_files_place_is_seen),
		with_folder(folders_made_in_one_go_and_a_file_in_them_are_seen),
		with_folder(a_populated_folder_renamed_into_the_tree_is_seen),
		with_folder(what_is_below_a_renamed_folder_goes_by_its_new_name),
		with_folder(a_folder_renamed_and_written_to_before_anybody_looked_is_seen),
		with_folder(a_folder_renamed_twice_is_seen),
		with_folder(two_folders_that_swap_their_names_are_seen),
		with_folder(a_folder_and_its_own_folder_that_swap_are_seen),
		with_folder(what_happens_in_a_folder_that_moved_out_is_nobodys),
		with_folder(a_folder_that_moved_out_and_wrote_before_anybody_looked_is_nobodys),
		with_folder(a_folder_that_moved_out_and_back_is_seen_as_it_came_back),
		with_folder(removed_folders_are_gone_and_may_come_back),
		with_folder(a_folder_swapped_for_a_link_is_seen),
		with_folder(a_folder_swapped_for_a_file_is_seen),
		with_folder(a_folder_whose_name_no_ticket_may_have_is_trouble_until_it_goes),
		with_folder(a_root_that_moved_is_not_there),
		with_folder(what_came_while_the_root_was_away_is_there_when_it_is_back),
		with_folder(the_working_folder_is_what_it_was),
		with_folder(a_root_that_was_removed_and_made_anew_is_another),
		with_folder(a_root_that_is_not_there_cannot_be_watched),
		with_folder(a_rescan_tells_everything_and_keeps_watching),
		with_folder(when_the_kernel_loses_count_everything_is_read_again),
		with_folder(a_name_is_made_where_that_is_all_that_happened_to_it),
		with_folder(a_name_that_was_made_and_more_is_not_just_made),
		with_folder(where_nothing_is_watched_no_name_is_known_to_be_made),
		with_folder(without_changes_there_is_nothing_to_drain),
		with_folder(a_tree_that_is_freed_before_its_events_are_looked_at_is_forgotten),
		with_folder(a_folder_that_moves_from_tree_to_tree_is_seen_in_both),
		with_folder(a_folder_beside_the_tree_tells_its_names),
		with_folder(whatever_happens_the_mirror_is_the_tree),
		cmocka_unit_test_setup_teardown(
			whatever_happens_where_nothing_is_watched_the_mirror_is_the_tree, make_blind,
			drop_folder),
		with_folder(whatever_happens_while_watches_run_out_the_mirror_is_the_tree),
		with_folder(a_tree_that_is_distrusted_is_looked_through),
		with_folder(a_file_with_two_names_is_seen_at_both),
		with_folder(a_file_that_lost_a_name_is_seen_to_the_last_write_through_that),
		with_folder(a_file_that_got_a_name_while_all_was_read_is_seen_at_both),
		with_folder(a_file_with_a_name_where_nothing_is_watched_is_seen_at_both),
		with_folder(a_folder_swapped_for_a_link_where_nothing_is_watched_is_seen),
		with_folder(a_watched_folder_that_leaves_one_that_is_not_is_seen_to_go),
		with_folder(a_folder_swapped_as_it_was_watched_in_one_that_is_not_is_seen),
		with_folder(a_folder_that_goes_as_it_is_to_be_watched_is_seen_when_it_is_back),
		with_folder(a_rescan_keeps_its_reason),
		with_folder(the_last_events_are_kept),
		with_folder(what_editors_write_beside_a_file_is_nobodys),
		with_folder(where_all_names_are_known_a_folder_is_not_listed),
		with_folder(a_folder_swapped_for_a_link_as_it_was_watched_tells_nothing_of_there),
		with_folder(what_comes_into_a_folder_as_it_is_watched_is_seen),
		with_folder(where_case_does_not_matter_each_folder_is_listed),
	};
	const struct CMUnitTest ahead[] = {
		with_folder(small_trees_are_read_by_one_thread),
		with_folder(from_here_on_all_trees_are_large),
		with_folder(what_changes_after_it_was_asked_ahead_is_seen),
		with_folder(what_changes_as_it_is_watched_ahead_is_seen),
		with_folder(what_was_watched_ahead_and_is_gone_is_watched_no_more),
		with_folder(what_was_asked_ahead_and_is_not_watched_is_asked_again),
		with_folder(what_was_asked_ahead_is_not_asked_again),
	};

	/* All of it once more, with whatever can be asked ahead asked ahead. */
	struct CMUnitTest all[2 * COUNT_OF(tests) + COUNT_OF(ahead)];
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(tests); i++)
		all[count++] = tests[i];
	for (size_t i = 0; i < COUNT_OF(ahead); i++)
		all[count++] = ahead[i];
	for (size_t i = 0; i < COUNT_OF(tests); i++) {
		all[count] = tests[i];
		all[count++].name = xasprintf("%s_asked_ahead", tests[i].name);
	}
	int failed = cmocka_run_group_tests(all, NULL, NULL);
	while (count-- > COUNT_OF(tests) + COUNT_OF(ahead))
		free((char *)(uintptr_t)all[count].name);
	return failed;
}
