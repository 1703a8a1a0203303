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
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "ledger.h"

/* The test's folder, entered; "root" is a Ticket tree in which T-1 and T-2 are folders. */
struct folder {
	char base[64];
	char *root;
};

static int make_folder(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/tp-ledger-XXXXXX");
	if (!mkdtemp(f->base) || chmod(f->base, 0755) < 0 || chdir(f->base) < 0 ||
	    mkdir("root", 0777) < 0 || mkdir("root/T-1", 0777) < 0 || mkdir("root/T-2", 0777) < 0 ||
	    mkdir("out", 0777) < 0)
		return -1;
	f->root = xasprintf("%s/root", f->base);
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	char *command = xasprintf("rm -rf %s", f->base);
	int failed = chdir("/") < 0 || system(command) != 0;

	free(command);
	free(f->root);
	free(f);
	return failed;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

static struct ledger_entry *entry(struct folder *f, const char *dir, const char *name,
				  struct str bytes)
{
	struct ledger_entry *e = ledger_entry_new(f->root, dir, name);

	buf_add_str(&e->bytes, bytes);
	return e;
}

/* Write one by itself; what came of it. */
static enum ledger_result write_one(struct folder *f, const char *dir, const char *name,
				    struct str bytes, struct fault *why)
{
	struct ledger_entry *e = entry(f, dir, name, bytes);

	ledger_write(NULL, &e->job);
	enum ledger_result result = e->result;
	*why = e->why;
	assert_int_equal(e->folder, -1);
	ledger_entry_free(e);
	return result;
}

static void assert_failed(struct folder *f, const char *dir, enum fault_code code)
{
	struct fault why;

	assert_int_equal(write_one(f, dir, "R.json", STR("x"), &why), LEDGER_FAILED);
	assert_int_equal(why.code, code);
	assert_true(why.text[0]);
}

static void assert_file(const char *path, struct str bytes)
{
	char *there = xmalloc(bytes.len + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, there, bytes.len + 1), (ssize_t)bytes.len);
	if (bytes.len)
		assert_memory_equal(there, bytes.at, bytes.len);
	close(fd);
	free(there);
}

/* How many names a folder holds, those that begin with a dot too. */
static int names_in(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void a_record_is_written_with_the_folders_it_needs(void **state)
{
	struct folder *f = *state;
	struct fault why;

	assert_int_equal(write_one(f, "T-1", "R1.json", STR("{}\n"), &why), LEDGER_WRITTEN);
	assert_file("root/T-1/artifacts/records/R1.json", STR("{}\n"));
	assert_int_equal(names_in("root/T-1"), 1);
	assert_int_equal(names_in("root/T-1/artifacts"), 1);
	assert_int_equal(names_in("root/T-1/artifacts/records"), 1);
}

static void the_bytes_are_those_given(void **state)
{
	struct folder *f = *state;
	struct fault why;
	struct buf large = { 0 };

	for (int i = 0; i < 300000; i++)
		buf_addf(&large, "%c", i % 256);
	assert_int_equal(write_one(f, "T-1", "A.json", (struct str){ large.at, large.len }, &why),
			 LEDGER_WRITTEN);
	assert_int_equal(write_one(f, "T-1", "B.json", STR("a\0b\r\n\xff"), &why), LEDGER_WRITTEN);
	assert_int_equal(write_one(f, "T-1", "C.json", STR(""), &why), LEDGER_WRITTEN);
	assert_file("root/T-1/artifacts/records/A.json", (struct str){ large.at, large.len });
	assert_file("root/T-1/artifacts/records/B.json", STR("a\0b\r\n\xff"));
	assert_file("root/T-1/artifacts/records/C.json", STR(""));
	buf_release(&large);
}

static void a_new_file_has_the_mode_of_any_new_file(void **state)
{
	struct folder *f = *state;
	struct fault why;
	struct stat st;
	mode_t before = umask(027);

	assert_int_equal(write_one(f, "T-1", "R1.json", STR("x"), &why), LEDGER_WRITTEN);
	umask(before);
	assert_int_equal(stat("root/T-1/artifacts/records/R1.json", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_nlink, 1);
}

static void a_ticket_may_lie_in_a_bucket(void **state)
{
	struct folder *f = *state;
	struct fault why;

	assert_int_equal(mkdir("root/open", 0777), 0);
	assert_int_equal(mkdir("root/open/T-3", 0777), 0);
	assert_int_equal(write_one(f, "open/T-3", "R1.json", STR("x"), &why), LEDGER_WRITTEN);
	assert_file("root/open/T-3/artifacts/records/R1.json", STR("x"));
}

static void a_name_that_is_taken_stays_as_it_is(void **state)
{
	struct folder *f = *state;
	struct fault why;

	assert_int_equal(write_one(f, "T-1", "R1.json", STR("first"), &why), LEDGER_WRITTEN);
	assert_int_equal(write_one(f, "T-1", "R1.json", STR("second"), &why), LEDGER_THERE);
	assert_file("root/T-1/artifacts/records/R1.json", STR("first"));
	assert_int_equal(names_in("root/T-1/artifacts/records"), 1);
}

static void a_name_taken_by_what_is_no_file_is_refused(void **state)
{
	struct folder *f = *state;
	struct fault why;

	assert_int_equal(write_one(f, "T-1", "R1.json", STR("first"), &why), LEDGER_WRITTEN);
	assert_int_equal(symlink("../../../../out/x", "root/T-1/artifacts/records/R.json"), 0);
	assert_failed(f, "T-1", FAULT_INVALID);
	assert_int_equal(unlink("root/T-1/artifacts/records/R.json"), 0);
	assert_int_equal(mkfifo("root/T-1/artifacts/records/R.json", 0666), 0);
	assert_failed(f, "T-1", FAULT_INVALID);
	assert_int_equal(names_in("out"), 0);
	assert_int_equal(names_in("root/T-1/artifacts/records"), 2);
}

static void what_an_agent_that_was_killed_left_is_removed(void **state)
{
	struct folder *f = *state;
	static const char *const names[] = { ".R1.json.tmp", ".mine", "R0.json.tmp" };
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct fault why;

	assert_int_equal(mkdir("root/T-2/artifacts", 0777), 0);
	assert_int_equal(mkdir("root/T-2/artifacts/records", 0777), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char *path = xasprintf("root/T-2/artifacts/records/%s", names[i]);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
		assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
		free(path);
	}
	assert_int_equal(write_one(f, "T-2", "R1.json", STR("x"), &why), LEDGER_WRITTEN);
	assert_int_equal(access("root/T-2/artifacts/records/.R1.json.tmp", F_OK), -1);
	assert_int_equal(names_in("root/T-2/artifacts/records"), 3);
}

static void without_the_tickets_folder_nothing_is_made(void **state)
{
	struct folder *f = *state;

	assert_failed(f, "T-9", FAULT_NOT_FOUND);
	assert_int_equal(names_in("root"), 2);
	assert_int_equal(system("rm -r root"), 0);
	assert_failed(f, "T-1", FAULT_IO);
	assert_int_equal(names_in("."), 1);
}

static void a_file_or_a_link_in_the_place_of_a_folder_is_refused(void **state)
{
	struct folder *f = *state;

	assert_int_equal(symlink("../../out", "root/T-1/artifacts"), 0);
	assert_failed(f, "T-1", FAULT_INVALID);
	assert_int_equal(unlink("root/T-1/artifacts"), 0);
	close(open("root/T-1/artifacts", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	assert_failed(f, "T-1", FAULT_INVALID);
	assert_int_equal(unlink("root/T-1/artifacts"), 0);
	assert_int_equal(mkdir("root/T-1/artifacts", 0777), 0);
	assert_int_equal(symlink("../../../out", "root/T-1/artifacts/records"), 0);
	assert_failed(f, "T-1", FAULT_INVALID);
	assert_int_equal(unlink("root/T-1/artifacts/records"), 0);
	assert_int_equal(mkfifo("root/T-1/artifacts/records", 0666), 0);
	assert_failed(f, "T-1", FAULT_INVALID);
	assert_int_equal(symlink("../out", "root/T-3"), 0);
	assert_failed(f, "T-3", FAULT_INVALID);
	assert_failed(f, "../out", FAULT_INVALID);
	assert_int_equal(names_in("out"), 0);
}

static void the_way_to_the_root_may_lead_over_a_link(void **state)
{
	struct folder *f = *state;
	struct folder over = { .root = xasprintf("%s/link/root", f->base) };
	struct fault why;

	assert_int_equal(symlink(".", "link"), 0);
	/* Into a folder that is not known, and into one that is. */
	assert_int_equal(write_one(&over, "T-1", "A.json", STR("a"), &why), LEDGER_WRITTEN);
	assert_int_equal(write_one(&over, "T-1", "B.json", STR("b"), &why), LEDGER_WRITTEN);
	assert_file("root/T-1/artifacts/records/A.json", STR("a"));
	assert_file("root/T-1/artifacts/records/B.json", STR("b"));
	/* But not the way on from there. */
	assert_int_equal(rename("root/T-1/artifacts", "out/artifacts"), 0);
	assert_int_equal(symlink("../../out/artifacts", "root/T-1/artifacts"), 0);
	assert_failed(&over, "T-1", FAULT_INVALID);
	assert_failed(f, "T-1", FAULT_INVALID);
	free(over.root);
}

static void a_batch_is_written_entry_by_entry(void **state)
{
	struct folder *f = *state;
	static const struct {
		const char *dir, *name, *text;
		enum ledger_result result;
	} rows[] = {
		{ "T-1", "R1.json", "one", LEDGER_WRITTEN },
		{ "T-2", "R1.json", "two", LEDGER_WRITTEN },
		{ "T-9", "R1.json", "none", LEDGER_FAILED },
		{ "T-1", "R2.json", "three", LEDGER_WRITTEN },
		{ "T-1", "R1.json", "four", LEDGER_THERE },
		{ "T-2", "R2.json", "five", LEDGER_WRITTEN },
		{ "T-1", "R3.json", "six", LEDGER_WRITTEN },
	};
	struct ledger_entry *entries[COUNT_OF(rows)];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		entries[i] = entry(f, rows[i].dir, rows[i].name, str_of(rows[i].text));
		if (i)
			entries[i - 1]->job.next = &entries[i]->job;
	}
	ledger_write(NULL, &entries[0]->job);
	ledger_end();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(entries[i]->result, rows[i].result);
		assert_int_equal(entries[i]->folder, -1);
		ledger_entry_free(entries[i]);
	}
	assert_file("root/T-1/artifacts/records/R1.json", STR("one"));
	assert_file("root/T-1/artifacts/records/R3.json", STR("six"));
	assert_int_equal(names_in("root/T-1/artifacts/records"), 3);
	assert_int_equal(names_in("root/T-2/artifacts/records"), 2);
}

static void a_batch_of_hundreds_needs_few_descriptors(void **state)
{
	struct folder *f = *state;
	struct ledger_entry *entries[300];
	struct rlimit before, few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ (rlim_t)names_in("/proc/self/fd") + 160, before.rlim_max };
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		char *name = xasprintf("R%zu.json", i);
		entries[i] = entry(f, i % 2 ? "T-1" : "T-2", name, STR("x"));
		if (i)
			entries[i - 1]->job.next = &entries[i]->job;
		free(name);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	ledger_write(NULL, &entries[0]->job);
	ledger_end();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		assert_int_equal(entries[i]->result, LEDGER_WRITTEN);
		ledger_entry_free(entries[i]);
	}
	assert_int_equal(names_in("root/T-1/artifacts/records"), 150);
	assert_int_equal(names_in("root/T-2/artifacts/records"), 150);
}

static void no_descriptor_is_left_open(void **state)
{
	struct folder *f = *state;
	struct fault why;

	int before = names_in("/proc/self/fd");
	assert_int_equal(write_one(f, "T-1", "R1.json", STR("x"), &why), LEDGER_WRITTEN);
	assert_int_equal(write_one(f, "T-1", "R1.json", STR("x"), &why), LEDGER_THERE);
	assert_failed(f, "T-9", FAULT_NOT_FOUND);
	assert_int_equal(symlink("../../out", "root/T-2/artifacts"), 0);
	assert_failed(f, "T-2", FAULT_INVALID);
	assert_int_equal(names_in("/proc/self/fd"), before);
}

/* Whether a write fails as it must, asked in a process that is not root. */
static int fails_as_nobody(struct folder *f, const char *dir)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct fault why;
		bool failed = (getuid() || (setgid(65534) == 0 && setuid(65534) == 0)) &&
			      write_one(f, dir, "R.json", STR("x"), &why) == LEDGER_FAILED &&
			      why.code == FAULT_IO && strstr(why.text, "Permission denied");
		_exit(failed ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void a_folder_that_may_not_be_written_is_said(void **state)
{
	struct folder *f = *state;

	assert_int_equal(chmod("root/T-1", 0555), 0);
	assert_int_equal(fails_as_nobody(f, "T-1"), 0);
	assert_int_equal(names_in("root/T-1"), 0);
	assert_int_equal(mkdir("root/T-2/artifacts", 0777), 0);
	assert_int_equal(mkdir("root/T-2/artifacts/records", 0555), 0);
	assert_int_equal(chmod("root/T-2/artifacts/records", 0555), 0);
	assert_int_equal(fails_as_nobody(f, "T-2"), 0);
	assert_int_equal(names_in("root/T-2/artifacts/records"), 0);
}

static void an_entry_that_was_never_written_may_be_freed(void **state)
{
	struct folder *f = *state;

	ledger_entry_free(entry(f, "T-1", "R1.json", STR("x")));
	ledger_entry_free(NULL);
	assert_int_equal(names_in("root/T-1"), 0);
}

/* -- Two lots ------------------------------------------------------------ */

/* Every sync, and what the test makes of it. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	char *log[64]; /* "T-1 file", "T-1 folder", "T-1 R1.json", "T-1 probe", "T-1 other" */
	size_t count;
	const char *hold; /* such a sync waits */
	const char *fail; /* the next such sync fails, */
	const char *then; /* and after that the next of these */
} syncs = { .mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };

static char *label_of(int fd)
{
	char *link = xasprintf("/proc/self/fd/%d", fd), path[512] = "";
	ssize_t len = readlink(link, path, sizeof(path) - 1);

	free(link);
	const char *ticket = len > 0 ? strstr(path, "/T-") : NULL;
	const char *end = ticket ? strrchr(ticket, '/') : NULL;
	if (!end)
		return xstrdup("other");
	const char *what = strcmp(end, "/records") == 0 ? "folder"
			   : strstr(end, ".json")	? end + 1
			   : end[1] != '#'		? "other"
			   : end == ticket + 4		? "probe"
							: "file";
	return xasprintf("%.3s %s", ticket + 1, what);
}

int fsync(int fd)
{
	char *label = label_of(fd);

	pthread_mutex_lock(&syncs.mutex);
	/* Of tests that count nothing there are many. */
	if (syncs.count == COUNT_OF(syncs.log))
		free(syncs.log[--syncs.count]);
	syncs.log[syncs.count++] = label;
	pthread_cond_broadcast(&syncs.moved);
	while (syncs.hold && strcmp(syncs.hold, label) == 0)
		pthread_cond_wait(&syncs.moved, &syncs.mutex);
	bool fails = syncs.fail && strcmp(syncs.fail, label) == 0;
	if (fails) {
		syncs.fail = syncs.then;
		syncs.then = NULL;
	}
	pthread_mutex_unlock(&syncs.mutex);
	errno = EIO;
	return fails ? -1 : (int)syscall(SYS_fsync, fd);
}

static void hold(const char *label)
{
	pthread_mutex_lock(&syncs.mutex);
	syncs.hold = label;
	pthread_cond_broadcast(&syncs.moved);
	pthread_mutex_unlock(&syncs.mutex);
}

static size_t times_synced(const char *label)
{
	size_t count = 0;

	for (size_t i = 0; i < syncs.count; i++)
		count += strcmp(syncs.log[i], label) == 0;
	return count;
}

static void await_sync(const char *label)
{
	pthread_mutex_lock(&syncs.mutex);
	while (!times_synced(label))
		pthread_cond_wait(&syncs.moved, &syncs.mutex);
	pthread_mutex_unlock(&syncs.mutex);
}

static void forget_syncs(void)
{
	while (syncs.count)
		free(syncs.log[--syncs.count]);
	syncs.hold = syncs.fail = syncs.then = NULL;
}

/* Two entries, the second given while the file of the first, in T-1, is synced. */
struct pair {
	struct worker *worker;
	sem_t woken;
	struct ledger_entry *first, *second;
};

static void bg_wake(void *ctx)
{
	struct pair *p = ctx;

	sem_post(&p->woken);
}

static struct pair *begin_pair(struct folder *f, const char *dir, const char *name)
{
	struct pair *p = xcalloc(1, sizeof(*p));
	struct fault why;

	assert_int_equal(write_one(f, "T-1", "R0.json", STR("x"), &why), LEDGER_WRITTEN);
	assert_int_equal(write_one(f, "T-2", "R0.json", STR("x"), &why), LEDGER_WRITTEN);
	forget_syncs();
	sem_init(&p->woken, 0, 0);
	p->worker = worker_new("test", bg_wake, p);
	p->first = entry(f, "T-1", "R1.json", STR("first"));
	p->second = entry(f, dir, name, STR("second"));
	hold("T-1 file");
	worker_give(p->worker, &p->first->job);
	await_sync("T-1 file");
	worker_give(p->worker, &p->second->job);
	return p;
}

static void end_pair(struct pair *p, enum ledger_result first, enum ledger_result second)
{
	struct job *done;

	hold(NULL);
	done = worker_end(p->worker);
	/* The first may have been taken already. */
	if (done == &p->first->job)
		done = done->next;
	assert_ptr_equal(done, &p->second->job);
	assert_null(done->next);
	assert_int_equal(p->first->result, first);
	assert_int_equal(p->second->result, second);
	assert_int_equal(p->first->folder, -1);
	assert_int_equal(p->second->folder, -1);
	ledger_entry_free(p->first);
	ledger_entry_free(p->second);
	sem_destroy(&p->woken);
	free(p);
	ledger_end();
	ledger_trust();
}

static void who_comes_while_others_are_written_goes_with_them(void **state)
{
	struct folder *f = *state;
	struct pair *p = begin_pair(f, "T-2", "R1.json");

	hold("T-2 folder");
	await_sync("T-2 folder");
	/* The first is back although the second is not yet safe. */
	while (sem_wait(&p->woken) < 0)
		;
	assert_ptr_equal(worker_take(p->worker), &p->first->job);
	assert_null(p->first->job.next);
	assert_int_equal(syncs.count, 4);
	assert_string_equal(syncs.log[0], "T-1 file");
	assert_string_equal(syncs.log[3], "T-2 folder");
	assert_int_equal(times_synced("T-1 folder"), 1);
	assert_int_equal(times_synced("T-2 file"), 1);
	end_pair(p, LEDGER_WRITTEN, LEDGER_WRITTEN);
	forget_syncs();
}

static void a_file_that_was_not_synced_leaves_the_others_folder_alone(void **state)
{
	struct folder *f = *state;
	struct pair *p = begin_pair(f, "T-2", "R1.json");

	syncs.fail = "T-2 file";
	end_pair(p, LEDGER_WRITTEN, LEDGER_UNKNOWN);
	assert_int_equal(names_in("root/T-2/artifacts/records"), 1);
	assert_file("root/T-1/artifacts/records/R1.json", STR("first"));
	forget_syncs();
}

static void behind_a_folder_that_was_not_synced_others_begin_with_a_probe(void **state)
{
	struct folder *f = *state;
	struct pair *p = begin_pair(f, "T-2", "R1.json");

	syncs.fail = "T-1 folder";
	end_pair(p, LEDGER_UNKNOWN, LEDGER_WRITTEN);
	assert_int_equal(times_synced("T-2 file"), 2);
	assert_int_equal(times_synced("T-2 probe"), 1);
	assert_int_equal(times_synced("T-2 folder"), 1);
	assert_file("root/T-2/artifacts/records/R1.json", STR("second"));
	assert_int_equal(names_in("root/T-2/artifacts/records"), 2);
	forget_syncs();
}

static void while_the_probe_fails_who_is_behind_is_refused(void **state)
{
	struct folder *f = *state;
	struct pair *p = begin_pair(f, "T-2", "R1.json");

	syncs.fail = "T-1 folder";
	syncs.then = "T-2 probe";
	end_pair(p, LEDGER_UNKNOWN, LEDGER_FAILED);
	assert_int_equal(names_in("root/T-2/artifacts/records"), 1);
	forget_syncs();
}

static void of_one_name_the_second_finds_the_first_and_is_synced_itself(void **state)
{
	struct folder *f = *state;
	struct pair *p = begin_pair(f, "T-1", "R1.json");

	end_pair(p, LEDGER_WRITTEN, LEDGER_THERE);
	assert_file("root/T-1/artifacts/records/R1.json", STR("first"));
	assert_int_equal(times_synced("T-1 R1.json"), 1);
	assert_int_equal(times_synced("T-1 folder"), 2);
	forget_syncs();
}

static void a_name_whose_sync_failed_is_not_taken_for_safe_by_the_next(void **state)
{
	struct folder *f = *state;
	struct pair *p = begin_pair(f, "T-1", "R1.json");

	syncs.fail = "T-1 folder";
	end_pair(p, LEDGER_UNKNOWN, LEDGER_THERE);
	/* Found before the sync failed, and once more behind the probe. */
	assert_int_equal(times_synced("T-1 R1.json"), 2);
	assert_int_equal(times_synced("T-1 probe"), 1);
	assert_int_equal(times_synced("T-1 folder"), 2);
	forget_syncs();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(a_record_is_written_with_the_folders_it_needs),
		with_folder(the_bytes_are_those_given),
		with_folder(a_new_file_has_the_mode_of_any_new_file),
		with_folder(a_ticket_may_lie_in_a_bucket),
		with_folder(a_name_that_is_taken_stays_as_it_is),
		with_folder(a_name_taken_by_what_is_no_file_is_refused),
		with_folder(what_an_agent_that_was_killed_left_is_removed),
		with_folder(without_the_tickets_folder_nothing_is_made),
		with_folder(a_file_or_a_link_in_the_place_of_a_folder_is_refused),
		with_folder(the_way_to_the_root_may_lead_over_a_link),
		with_folder(a_batch_is_written_entry_by_entry),
		with_folder(a_batch_of_hundreds_needs_few_descriptors),
		with_folder(no_descriptor_is_left_open),
		with_folder(a_folder_that_may_not_be_written_is_said),
		with_folder(an_entry_that_was_never_written_may_be_freed),
		with_folder(who_comes_while_others_are_written_goes_with_them),
		with_folder(a_file_that_was_not_synced_leaves_the_others_folder_alone),
		with_folder(behind_a_folder_that_was_not_synced_others_begin_with_a_probe),
		with_folder(while_the_probe_fails_who_is_behind_is_refused),
		with_folder(of_one_name_the_second_finds_the_first_and_is_synced_itself),
		with_folder(a_name_whose_sync_failed_is_not_taken_for_safe_by_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
