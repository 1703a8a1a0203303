/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "beneath.h"

/* The test's folder, entered; `fd` is the folder "in", beside which there is "out". */
struct folder {
	char base[64];
	int fd;
	struct buf bytes;
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int make_folder(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/tp-beneath-XXXXXX");
	if (!mkdtemp(f->base) || chdir(f->base) < 0 || mkdir("in", 0777) < 0 ||
	    mkdir("in/sub", 0777) < 0 || mkdir("out", 0777) < 0)
		return -1;
	put("in/file", "content");
	put("in/sub/file", "below");
	put("out/file", "outside");
	f->fd = open("in", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->fd < 0;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	char *command = xasprintf("rm -rf %s", f->base);
	int failed = chdir("/") < 0 || system(command) != 0;

	close(f->fd);
	buf_release(&f->bytes);
	free(command);
	free(f);
	return failed;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

static void assert_read(struct folder *f, const char *path, const char *text)
{
	assert_int_equal(beneath_read(f->fd, path, 1024 * 1024, &f->bytes), BENEATH_OK);
	assert_int_equal(f->bytes.len, strlen(text));
	assert_string_equal(buf_text(&f->bytes), text);
}

static void assert_not_read(struct folder *f, const char *path, enum beneath_result result)
{
	int fd;

	assert_int_equal(beneath_read(f->fd, path, 1024, &f->bytes), result);
	if (result == BENEATH_GONE)
		assert_int_equal(beneath_open_dir(f->fd, path, &fd), result);
}

static void a_file_is_read_whole_whatever_the_buffer_held(void **state)
{
	struct folder *f = *state;

	buf_addf(&f->bytes, "something longer than the content before");
	assert_read(f, "file", "content");
	assert_read(f, "sub/file", "below");
	assert_read(f, "sub/../file", "content");
	put("in/file", "");
	assert_read(f, "file", "");
}

static void no_more_than_asked_is_read(void **state)
{
	struct folder *f = *state;

	assert_int_equal(beneath_read(f->fd, "file", 3, &f->bytes), BENEATH_OK);
	assert_int_equal(f->bytes.len, 3);
	assert_int_equal(beneath_read(f->fd, "file", 0, &f->bytes), BENEATH_OK);
	assert_int_equal(f->bytes.len, 0);
	assert_int_equal(beneath_read(f->fd, "file", 7, &f->bytes), BENEATH_OK);
	assert_int_equal(f->bytes.len, 7);
}

static void what_is_not_there_is_gone(void **state)
{
	struct folder *f = *state;

	assert_not_read(f, "none", BENEATH_GONE);
	assert_not_read(f, "none/file", BENEATH_GONE);
}

static void no_path_leads_out(void **state)
{
	struct folder *f = *state;
	char *absolute = xasprintf("%s/out/file", f->base);
	int fd;

	assert_not_read(f, "../out/file", BENEATH_NOT_REGULAR);
	assert_not_read(f, "sub/../../out/file", BENEATH_NOT_REGULAR);
	assert_not_read(f, absolute, BENEATH_NOT_REGULAR);
	assert_int_equal(beneath_open_dir(f->fd, "..", &fd), BENEATH_NOT_REGULAR);
	assert_int_equal(beneath_open_dir(f->fd, "../in", &fd), BENEATH_NOT_REGULAR);
	free(absolute);
}

static void no_link_is_followed_in_any_component(void **state)
{
	struct folder *f = *state;
	int fd;

	assert_int_equal(symlink("file", "in/link"), 0);
	assert_int_equal(symlink("sub", "in/sublink"), 0);
	assert_int_equal(symlink("../out", "in/outlink"), 0);
	assert_int_equal(symlink("nowhere", "in/broken"), 0);
	assert_int_equal(symlink("loop", "in/loop"), 0);
	assert_int_equal(symlink("/proc/self/fd/0", "in/magic"), 0);
	assert_not_read(f, "link", BENEATH_NOT_REGULAR);
	assert_not_read(f, "sublink/file", BENEATH_NOT_REGULAR);
	assert_not_read(f, "outlink/file", BENEATH_NOT_REGULAR);
	assert_not_read(f, "broken", BENEATH_NOT_REGULAR);
	assert_not_read(f, "loop", BENEATH_NOT_REGULAR);
	assert_not_read(f, "magic", BENEATH_NOT_REGULAR);
	assert_int_equal(beneath_open_dir(f->fd, "sublink", &fd), BENEATH_NOT_REGULAR);
	assert_int_equal(beneath_open_dir(f->fd, "outlink", &fd), BENEATH_NOT_REGULAR);
	assert_int_equal(beneath_open_dir(f->fd, "sublink/.", &fd), BENEATH_NOT_REGULAR);
}

static void a_pipe_a_socket_or_a_folder_is_no_file_and_nobody_waits(void **state)
{
	struct folder *f = *state;
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "in/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkfifo("in/pipe", 0666), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_not_read(f, "pipe", BENEATH_NOT_REGULAR);
	assert_not_read(f, "socket", BENEATH_NOT_REGULAR);
	assert_not_read(f, "sub", BENEATH_NOT_REGULAR);
	close(fd);
}

static void a_file_is_no_folder(void **state)
{
	struct folder *f = *state;
	int fd;

	assert_not_read(f, "file/below", BENEATH_NOT_REGULAR);
	assert_int_equal(mkfifo("in/pipe", 0666), 0);
	assert_int_equal(beneath_open_dir(f->fd, "file", &fd), BENEATH_NOT_REGULAR);
	assert_int_equal(beneath_open_dir(f->fd, "pipe", &fd), BENEATH_NOT_REGULAR);
}

static void a_folder_is_opened_for_listing(void **state)
{
	struct folder *f = *state;
	struct stat opened, there;
	int fd;

	assert_int_equal(beneath_open_dir(f->fd, "sub", &fd), BENEATH_OK);
	assert_int_equal(fstat(fd, &opened), 0);
	assert_int_equal(stat("in/sub", &there), 0);
	assert_int_equal(opened.st_ino, there.st_ino);
	close(fd);
	assert_int_equal(beneath_open_dir(f->fd, ".", &fd), BENEATH_OK);
	close(fd);
}

static void a_way_is_straight_that_leads_over_no_link(void **state)
{
	struct folder *f = *state;
	char *straight = xasprintf("%s/in/sub", f->base), *over = xasprintf("%s/link/sub", f->base);
	int fd;

	assert_int_equal(symlink("in", "link"), 0);
	assert_int_equal(beneath_open_straight(straight, &fd), BENEATH_OK);
	close(fd);
	assert_int_equal(beneath_open_straight(over, &fd), BENEATH_NOT_REGULAR);
	assert_int_equal(symlink("sub", "in/end"), 0);
	free(over);
	over = xasprintf("%s/in/end", f->base);
	assert_int_equal(beneath_open_straight(over, &fd), BENEATH_NOT_REGULAR);
	free(straight);
	straight = xasprintf("%s/in/none", f->base);
	assert_int_equal(beneath_open_straight(straight, &fd), BENEATH_GONE);
	free(straight);
	free(over);
}

static void a_name_too_long_is_refused_with_its_cause(void **state)
{
	struct folder *f = *state;
	char name[300];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_not_read(f, name, BENEATH_REFUSED);
	assert_int_equal(errno, ENAMETOOLONG);
}

/* Appends and starts anew, as fast as it can, until told to stop. */
struct writer {
	int fd;
	bool stop;
};

static void *grow(void *data)
{
	struct writer *w = data;
	char block[512];

	memset(block, 'x', sizeof(block));
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED))
		for (int i = 0; i < 64; i++)
			if (pwrite(w->fd, block, sizeof(block), (off_t)i * 512) < 0 ||
			    (i == 63 && ftruncate(w->fd, 0) < 0))
				return NULL;
	return NULL;
}

static void a_file_that_grows_while_it_is_read_is_read_as_far_as_it_is(void **state)
{
	struct folder *f = *state;
	struct writer w = { .fd = open("in/file", O_WRONLY | O_CLOEXEC) };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, grow, &w), 0);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(beneath_read(f->fd, "file", 16 * 1024, &f->bytes), BENEATH_OK);
		assert_true(f->bytes.len <= 16 * 1024);
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(ftruncate(w.fd, 0), 0);
	assert_int_equal(pwrite(w.fd, "still", 5, 0), 5);
	assert_read(f, "file", "still");
	close(w.fd);
}

static void a_file_whose_size_is_not_told_is_read_to_its_end(void **state)
{
	(void)state;
	struct buf bytes = { 0 };
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[64];

	/* Of these stat says 0. */
	snprintf(path, sizeof(path), "%d/smaps", (int)getpid());
	assert_int_equal(beneath_read(fd, path, 1024 * 1024, &bytes), BENEATH_OK);
	assert_true(bytes.len > 4096);
	assert_int_equal(beneath_read(fd, path, 4097, &bytes), BENEATH_OK);
	assert_int_equal(bytes.len, 4097);
	buf_release(&bytes);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(a_file_is_read_whole_whatever_the_buffer_held),
		with_folder(no_more_than_asked_is_read),
		with_folder(what_is_not_there_is_gone),
		with_folder(no_path_leads_out),
		with_folder(no_link_is_followed_in_any_component),
		with_folder(a_pipe_a_socket_or_a_folder_is_no_file_and_nobody_waits),
		with_folder(a_file_is_no_folder),
		with_folder(a_folder_is_opened_for_listing),
		with_folder(a_way_is_straight_that_leads_over_no_link),
		with_folder(a_name_too_long_is_refused_with_its_cause),
		with_folder(a_file_that_grows_while_it_is_read_is_read_as_far_as_it_is),
		cmocka_unit_test(a_file_whose_size_is_not_told_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
