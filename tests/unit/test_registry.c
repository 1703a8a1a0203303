/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "registry.h"

static char dir[64];
static char path[128];
static struct fault why;

static int make(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ticketplan-registry-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, REGISTRY_NAME);
	return 0;
}

static int drop(void **state)
{
	char *command = xasprintf("rm -rf '%s'", dir);

	(void)state;
	assert_int_equal(system(command), 0);
	free(command);
	return 0;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make, drop)

static enum registry_result put_in(const char *where, const char *body, uint64_t generation)
{
	struct registry_write *w = registry_write_new(where, generation);

	buf_add_str(&w->bytes, str_of(body));
	registry_write_seal(w);
	w->job.next = NULL;
	w->job.run(&w->job);
	enum registry_result result = w->result;
	why = w->why;
	registry_write_free(w);
	return result;
}

static enum registry_result put(const char *body, uint64_t generation)
{
	return put_in(dir, body, generation);
}

static enum registry_state get(struct buf *text, uint64_t *generation)
{
	text->len = 0;
	return registry_read(dir, text, generation, &why);
}

static enum registry_state look(void)
{
	struct buf text = { 0 };
	uint64_t generation;
	enum registry_state state = get(&text, &generation);

	buf_release(&text);
	return state;
}

static void overwrite(const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static size_t files(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void where_there_is_none_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(look(), REGISTRY_NONE);
}

static void what_is_written_is_read_with_its_generation(void **state)
{
	struct buf text = { 0 };
	struct stat st;
	uint64_t generation;

	(void)state;
	for (uint64_t i = 1; i < 5; i++) {
		char body[32];
		snprintf(body, sizeof(body), "\"x\":%llu", (unsigned long long)i);
		assert_int_equal(put(body, i), REGISTRY_WRITTEN);
		assert_int_equal(get(&text, &generation), REGISTRY_READ);
		assert_int_equal(generation, i);
		assert_non_null(strstr(buf_text(&text), body));
		assert_int_equal(files(), 1);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	buf_release(&text);
}

/* Every bit of it, and every length. */
static void no_damage_goes_unseen(void **state)
{
	struct buf text = { 0 };
	uint64_t generation;

	(void)state;
	assert_int_equal(put("\"claims\":[1,2]", 7), REGISTRY_WRITTEN);
	assert_int_equal(get(&text, &generation), REGISTRY_READ);
	char *whole = xstrndup(text.at, text.len);
	for (size_t i = 0; i < text.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			whole[i] = (char)(text.at[i] ^ (1 << bit));
			overwrite(whole, text.len);
			enum registry_state seen = look();
			if (seen != REGISTRY_DAMAGED && seen != REGISTRY_REFUSED)
				fail_msg("bit %d of byte %zu", bit, i);
		}
		whole[i] = text.at[i];
		overwrite(whole, i);
		assert_int_equal(look(), REGISTRY_DAMAGED);
	}
	overwrite(whole, text.len);
	assert_int_equal(look(), REGISTRY_READ);
	free(whole);
	buf_release(&text);
}

static void one_of_a_newer_format_is_left_alone(void **state)
{
	static const char newer[] = "{\"format\":2,\"anything\":true}\n";

	(void)state;
	overwrite(newer, sizeof(newer) - 1);
	assert_int_equal(look(), REGISTRY_REFUSED);
	assert_non_null(strstr(why.text, "newer ticketplan (format 2)"));
}

static void a_damaged_one_is_set_aside(void **state)
{
	char *name;

	(void)state;
	overwrite("{", 1);
	assert_int_equal(look(), REGISTRY_DAMAGED);
	assert_true(registry_set_aside(dir, &name, &why));
	assert_non_null(strstr(name, "/sessions.json.bad-0"));
	assert_int_equal(access(name, F_OK), 0);
	assert_int_equal(look(), REGISTRY_NONE);
	free(name);
}

static void what_is_no_file_of_ours_alone_is_refused(void **state)
{
	(void)state;
	assert_int_equal(put("\"x\":1", 1), REGISTRY_WRITTEN);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(look(), REGISTRY_REFUSED);
	assert_non_null(strstr(why.text, "open to others"));
	assert_int_equal(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(look(), REGISTRY_REFUSED);
		assert_non_null(strstr(why.text, "another user"));
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(look(), REGISTRY_REFUSED);
	assert_non_null(strstr(why.text, "is a folder"));
	assert_int_equal(put("\"x\":1", 1), REGISTRY_FAILED);
	assert_int_equal(files(), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(look(), REGISTRY_REFUSED);
	assert_non_null(strstr(why.text, "is a link"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(look(), REGISTRY_REFUSED);
	assert_non_null(strstr(why.text, "no regular file"));
}

static void where_there_is_no_folder_nothing_is_written(void **state)
{
	(void)state;
	assert_int_equal(put_in("/nonexistent/ticketplan", "\"x\":1", 1), REGISTRY_FAILED);
	assert_int_equal(why.code, FAULT_IO);
}

static void what_an_earlier_write_left_is_no_hindrance(void **state)
{
	char *left = xasprintf("%s.tmp", path);

	(void)state;
	int fd = open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(put("\"x\":1", 1), REGISTRY_WRITTEN);
	assert_int_equal(files(), 1);
	free(left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(where_there_is_none_there_is_none),
		with_folder(what_is_written_is_read_with_its_generation),
		with_folder(no_damage_goes_unseen),
		with_folder(one_of_a_newer_format_is_left_alone),
		with_folder(a_damaged_one_is_set_aside),
		with_folder(what_is_no_file_of_ours_alone_is_refused),
		with_folder(where_there_is_no_folder_nothing_is_written),
		with_folder(what_an_earlier_write_left_is_no_hindrance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
