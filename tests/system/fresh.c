/* SPDX-License-Identifier: MIT */
/*
 * fresh: change something, ask at once, thousands of times.
 *
 *	fresh SOCKET TREE OUTSIDE CYCLES	every answer must know of the change
 *	fresh SOCKET TREE OUTSIDE CYCLES blind	some must not: the agent has a fault
 *
 * Each way in which a system call can change what a Ticket is, one after the
 * other; the question is sent when the call has returned.  OUTSIDE is a folder
 * that nobody watches, on the tree's file system.
 *
 * Says "ok …" or "not ok …" a line, for the story that runs it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base.h"
#include "talk.h"

#define ITEM "---\ntitle: '%08d'\nstate: queued\n---\n"
#define ITEM_LEN 40

static struct {
	struct talk talk;
	msgpack_zone *zone;
	const char *outside;
	int n;              /* of the cycle; what files say */
	char text[64];      /* an item.md that says it */
	const char *ticket; /* that is to be asked for */
	uint32_t msgid;
} fresh;

/* What the answer must say. */
enum want {
	SAYS_IT, /* the Ticket has the cycle's title */
	BROKEN,  /* it is there and cannot be read */
	GONE,    /* it is not there */
	RECORD,  /* it has the cycle's record */
};

/* -- Doing -------------------------------------------------------------- */

static int open_item(const char *path, int flags)
{
	int fd = open(path, flags | O_CREAT | O_CLOEXEC, 0666);

	BUG_IF(fd < 0);
	return fd;
}

static void put(int fd, const char *text, size_t len)
{
	BUG_IF(write(fd, text, len) != (ssize_t)len);
}

static void put_item(const char *path, const char *text)
{
	int fd = open_item(path, O_WRONLY | O_TRUNC);

	put(fd, text, strlen(text));
	close(fd);
}

static void make_dir(const char *path)
{
	BUG_IF(mkdir(path, 0777) < 0);
}

static void move(const char *from, const char *to)
{
	BUG_IF(rename(from, to) < 0);
}

static const char *out(const char *name)
{
	static char path[2][4096];
	static int at;

	at = !at;
	snprintf(path[at], sizeof(path[at]), "%s/%s", fresh.outside, name);
	return path[at];
}

static enum want create(void)
{
	unlink("a/item.md");
	close(open_item("a/item.md", O_WRONLY | O_EXCL));
	return BROKEN;
}

/* The descriptor that was written to stays open until the next cycle. */
static int held = -1;

static int hold(int fd)
{
	if (held >= 0)
		close(held);
	return held = fd;
}

static enum want write_unclosed(void)
{
	put(hold(open_item("a/item.md", O_WRONLY | O_TRUNC)), fresh.text, ITEM_LEN);
	return SAYS_IT;
}

static enum want append(void)
{
	int fd = open_item("a/item.md", O_WRONLY | O_TRUNC | O_APPEND);

	put(fd, fresh.text, 10);
	put(hold(fd), fresh.text + 10, ITEM_LEN - 10);
	return SAYS_IT;
}

static enum want write_vector(void)
{
	struct iovec parts[] = { { fresh.text, 5 }, { fresh.text + 5, ITEM_LEN - 5 } };
	int fd = hold(open_item("a/item.md", O_WRONLY));

	BUG_IF(writev(fd, parts, 2) != ITEM_LEN);
	return SAYS_IT;
}

static enum want truncate_open(void)
{
	int fd = hold(open_item("a/item.md", O_WRONLY));

	put(fd, fresh.text, ITEM_LEN);
	BUG_IF(ftruncate(fd, 7) < 0);
	return BROKEN;
}

static enum want truncate_path(void)
{
	put_item("a/item.md", fresh.text);
	BUG_IF(truncate("a/item.md", 7) < 0);
	return BROKEN;
}

static enum want open_truncate(void)
{
	put_item("a/item.md", fresh.text);
	hold(open_item("a/item.md", O_WRONLY | O_TRUNC));
	return BROKEN;
}

static enum want punch(void)
{
	int fd = hold(open_item("a/item.md", O_WRONLY));

	put(fd, fresh.text, ITEM_LEN);
	/* Not every file system can. */
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 20) < 0)
		BUG_IF(ftruncate(fd, 7) < 0);
	return BROKEN;
}

static enum want copy_range(void)
{
	put_item(out("from"), fresh.text);
	int from = open(out("from"), O_RDONLY | O_CLOEXEC);
	int fd = hold(open_item("a/item.md", O_WRONLY));
	if (copy_file_range(from, NULL, fd, NULL, ITEM_LEN, 0) != ITEM_LEN)
		put(fd, fresh.text, ITEM_LEN);
	close(from);
	return SAYS_IT;
}

static enum want send_file(void)
{
	put_item(out("from"), fresh.text);
	int from = open(out("from"), O_RDONLY | O_CLOEXEC);
	int fd = hold(open_item("a/item.md", O_WRONLY));
	BUG_IF(sendfile(fd, from, NULL, ITEM_LEN) != ITEM_LEN);
	close(from);
	return SAYS_IT;
}

/* Stores through a mapping are told of by nobody; their end is. */
static enum want map_and_close(void)
{
	int fd = open_item("a/item.md", O_RDWR);

	BUG_IF(ftruncate(fd, ITEM_LEN) < 0);
	char *at = mmap(NULL, ITEM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	BUG_IF(at == MAP_FAILED);
	memcpy(at, fresh.text, ITEM_LEN);
	munmap(at, ITEM_LEN);
	close(fd);
	return SAYS_IT;
}

static enum want write_and_close(void)
{
	put_item("a/item.md", fresh.text);
	return SAYS_IT;
}

static enum want change_mode(void)
{
	int fd = hold(open_item("a/item.md", O_WRONLY));

	put(fd, fresh.text, ITEM_LEN);
	BUG_IF(fchmod(fd, fresh.n % 2 ? 0600 : 0644) < 0);
	return SAYS_IT;
}

/* The time of writing says nothing. */
static enum want set_time(void)
{
	struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

	put_item("a/item.md", fresh.text);
	BUG_IF(utimensat(AT_FDCWD, "a/item.md", old, 0) < 0);
	return SAYS_IT;
}

static enum want rename_within(void)
{
	put_item("a/new", fresh.text);
	unlink("a/item.md");
	move("a/new", "a/item.md");
	return SAYS_IT;
}

static enum want rename_across(void)
{
	put_item("b/item.md", fresh.text);
	unlink("a/item.md");
	move("b/item.md", "a/item.md");
	return SAYS_IT;
}

static enum want rename_over(void)
{
	put_item("a/item.md.new", fresh.text);
	move("a/item.md.new", "a/item.md");
	return SAYS_IT;
}

static enum want rename_in(void)
{
	put_item(out("new"), fresh.text);
	move(out("new"), "a/item.md");
	return SAYS_IT;
}

static enum want rename_out(void)
{
	put_item("a/item.md", fresh.text);
	move("a/item.md", out("old"));
	return GONE;
}

static enum want exchange(void)
{
	put_item("a/item.md", "");
	put_item("b/item.md", fresh.text);
	BUG_IF(renameat2(AT_FDCWD, "a/item.md", AT_FDCWD, "b/item.md", RENAME_EXCHANGE) < 0);
	return SAYS_IT;
}

static enum want move_tree_in(void)
{
	make_dir(out("tree"));
	put_item(out("tree/item.md"), fresh.text);
	move(out("tree"), "c");
	fresh.ticket = "c";
	return SAYS_IT;
}

static enum want make_and_create(void)
{
	make_dir("c");
	put_item("c/item.md", fresh.text);
	fresh.ticket = "c";
	return SAYS_IT;
}

static enum want make_deep_and_create(void)
{
	char record[256], path[64];

	make_dir("c");
	put_item("c/item.md", fresh.text);
	make_dir("c/artifacts");
	make_dir("c/artifacts/records");
	snprintf(path, sizeof(path), "c/artifacts/records/%08d.json", fresh.n);
	snprintf(record, sizeof(record),
		 "{\"id\":\"%08d\",\"ticket_id\":\"c\",\"kind\":\"related\",\"related_ticket\":\"b\","
		 "\"author\":\"x\",\"at\":\"2026-01-01T00:00:00Z\"}\n",
		 fresh.n);
	put_item(path, record);
	fresh.ticket = "c";
	return RECORD;
}

static enum want remove_file(void)
{
	put_item("a/item.md", fresh.text);
	unlink("a/item.md");
	return GONE;
}

static enum want remove_open_file(void)
{
	put(hold(open_item("a/item.md", O_WRONLY)), fresh.text, ITEM_LEN);
	unlink("a/item.md");
	return GONE;
}

static enum want remove_folder(void)
{
	make_dir("c");
	put_item("c/item.md", fresh.text);
	unlink("c/item.md");
	BUG_IF(rmdir("c") < 0);
	fresh.ticket = "c";
	return GONE;
}

static enum want hard_link(void)
{
	unlink("a/item.md");
	put_item(out("linked"), fresh.text);
	BUG_IF(link(out("linked"), "a/item.md") < 0);
	unlink(out("linked"));
	return SAYS_IT;
}

static enum want soft_link(void)
{
	unlink("a/item.md");
	BUG_IF(symlink("../b/item.md", "a/item.md") < 0);
	return BROKEN;
}

static const struct {
	const char *name;
	enum want (*act)(void);
} acts[] = {
	{ "open(O_CREAT)", create },
	{ "write, not closed", write_unclosed },
	{ "write(O_APPEND), not closed", append },
	{ "writev", write_vector },
	{ "ftruncate", truncate_open },
	{ "truncate", truncate_path },
	{ "open(O_TRUNC)", open_truncate },
	{ "fallocate", punch },
	{ "copy_file_range", copy_range },
	{ "sendfile", send_file },
	{ "write and close", write_and_close },
	{ "mmap, munmap and close", map_and_close },
	{ "fchmod", change_mode },
	{ "utimensat", set_time },
	{ "rename in the folder", rename_within },
	{ "rename from another folder", rename_across },
	{ "rename over", rename_over },
	{ "rename in from outside", rename_in },
	{ "rename out", rename_out },
	{ "renameat2(RENAME_EXCHANGE)", exchange },
	{ "rename of a whole folder into the tree", move_tree_in },
	{ "mkdir, and a file in it", make_and_create },
	{ "mkdir three deep, and a file in it", make_deep_and_create },
	{ "unlink", remove_file },
	{ "unlink of an open file", remove_open_file },
	{ "rmdir", remove_folder },
	{ "link", hard_link },
	{ "symlink", soft_link },
};

/* -- Asking ------------------------------------------------------------- */

static bool is_as_wanted(const struct envelope *e, enum want want)
{
	const msgpack_object *ticket = e->failed ? NULL : talk_member(&e->result, "ticket");
	const msgpack_object *records = talk_member(ticket, "outgoing");
	char number[16];

	snprintf(number, sizeof(number), "%08d", fresh.n);
	switch (want) {
	case GONE:
		return e->failed;
	case BROKEN:
		return ticket && str_is(talk_text(ticket, "state"), "unknown");
	case SAYS_IT:
		return str_is(talk_text(ticket, "title"), number);
	case RECORD:
		return records && records->via.array.size == 1 &&
		       str_is(talk_text(&records->via.array.ptr[0], "id"), number);
	}
	return false;
}

static bool ask(enum want want)
{
	struct buf request = { 0 };
	struct envelope e;
	struct wire w;

	wire_init(&w, &request);
	wire_request(&w, ++fresh.msgid, "ticket.get");
	wire_map(&w);
	wire_put_str(&w, "ticket", str_of(fresh.ticket));
	wire_put_str(&w, "status", STR("all"));
	wire_end(&w);
	talk_send(&fresh.talk, &request);
	BUG_IF(!talk_receive(&fresh.talk, fresh.zone, &e));
	bool good = is_as_wanted(&e, want);
	msgpack_zone_clear(fresh.zone);
	return good;
}

/* Of a folder that the act made. */
static void clean_up(void)
{
	char path[64];

	if (strcmp(fresh.ticket, "c") != 0)
		return;
	snprintf(path, sizeof(path), "c/artifacts/records/%08d.json", fresh.n);
	unlink(path);
	rmdir("c/artifacts/records");
	rmdir("c/artifacts");
	unlink("c/item.md");
	rmdir("c");
}

static int try_act(size_t at, int cycles)
{
	int missed = 0;

	for (int i = 0; i < cycles; i++) {
		fresh.n++;
		snprintf(fresh.text, sizeof(fresh.text), ITEM, fresh.n);
		fresh.ticket = "a";
		missed += !ask(acts[at].act());
		clean_up();
	}
	return missed;
}

int main(int argc, char **argv)
{
	int cycles = argc >= 5 ? atoi(argv[4]) : 0, missed = 0;
	bool blind = argc == 6 && strcmp(argv[5], "blind") == 0;

	if (cycles < 1 || (argc == 6 && !blind) || argc > 6) {
		fprintf(stderr, "usage: fresh SOCKET TREE OUTSIDE CYCLES [blind]\n");
		return 2;
	}
	talk_open(&fresh.talk, argv[1]);
	BUG_IF(chdir(argv[2]) < 0);
	fresh.outside = argv[3];
	fresh.zone = msgpack_zone_new(64 * 1024);
	snprintf(fresh.text, sizeof(fresh.text), ITEM, 0);
	BUG_IF(strlen(fresh.text) != ITEM_LEN);
	make_dir("a");
	make_dir("b");
	put_item("b/item.md", fresh.text);
	for (size_t i = 0; i < COUNT_OF(acts); i++) {
		int of_this = try_act(i, cycles);
		missed += of_this;
		if (!blind)
			printf("%sok %s: %d of %d not seen\n", of_this ? "not " : "", acts[i].name,
			       of_this, cycles);
	}
	if (blind)
		printf("%sok an agent with that fault is found out: %d of %zu changes not seen\n",
		       missed ? "" : "not ", missed, COUNT_OF(acts) * (size_t)cycles);
	hold(-1);
	msgpack_zone_free(fresh.zone);
	talk_close(&fresh.talk);
	return 0;
}
