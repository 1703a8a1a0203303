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
#include "ring.h"
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
	struct ring *ring, *polled; /* of io_uring, the other with a thread of the kernel's */
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

/* -- Doing by io_uring --------------------------------------------------- */

/* Asked once the completion is there, as others ask once the call returned. */
static int ring_path(uint8_t op, const char *path, uint32_t flags, uint32_t mode)
{
	struct io_uring_sqe sqe = { .opcode = op, .fd = AT_FDCWD, .addr = (uintptr_t)path,
				    .open_flags = flags, .len = mode };
	int result = ring_do(fresh.ring, &sqe);

	BUG_IF(result < 0);
	return result;
}

static void ring_paths(uint8_t op, const char *from, const char *to, uint32_t flags)
{
	struct io_uring_sqe sqe = { .opcode = op, .fd = AT_FDCWD, .addr = (uintptr_t)from,
				    .addr2 = (uintptr_t)to, .rename_flags = flags };

	/* Where the second folder's descriptor goes; a symbolic link's text has none. */
	if (op != IORING_OP_SYMLINKAT)
		sqe.len = (uint32_t)AT_FDCWD;
	BUG_IF(ring_do(fresh.ring, &sqe) < 0);
}

static int ring_open(int flags)
{
	return ring_path(IORING_OP_OPENAT, "a/item.md", (uint32_t)(flags | O_CLOEXEC), 0666);
}

static enum want ring_write_with(struct ring *ring, uint8_t flags)
{
	int fd = hold(open_item("a/item.md", O_WRONLY | O_TRUNC));
	struct io_uring_sqe sqe = { .opcode = IORING_OP_WRITE, .flags = flags, .fd = fd,
				    .addr = (uintptr_t)fresh.text, .len = ITEM_LEN };

	BUG_IF(ring_do(ring, &sqe) != ITEM_LEN);
	return SAYS_IT;
}

static enum want ring_write(void)
{
	return ring_write_with(fresh.ring, 0);
}

static enum want ring_write_by_worker(void)
{
	return ring_write_with(fresh.ring, IOSQE_ASYNC);
}

static enum want ring_write_polled(void)
{
	return ring_write_with(fresh.polled, 0);
}

static enum want ring_create(void)
{
	unlink("a/item.md");
	close(ring_open(O_WRONLY | O_CREAT | O_EXCL));
	return BROKEN;
}

static enum want ring_truncate(void)
{
	put_item("a/item.md", fresh.text);
	hold(ring_open(O_WRONLY | O_TRUNC));
	return BROKEN;
}

static enum want ring_rename(void)
{
	put_item("a/item.md.new", fresh.text);
	ring_paths(IORING_OP_RENAMEAT, "a/item.md.new", "a/item.md", 0);
	return SAYS_IT;
}

static enum want ring_exchange(void)
{
	put_item("a/item.md", "");
	put_item("b/item.md", fresh.text);
	ring_paths(IORING_OP_RENAMEAT, "a/item.md", "b/item.md", RENAME_EXCHANGE);
	return SAYS_IT;
}

static enum want ring_unlink(void)
{
	put_item("a/item.md", fresh.text);
	ring_path(IORING_OP_UNLINKAT, "a/item.md", 0, 0);
	return GONE;
}

static enum want ring_remove_folder(void)
{
	make_dir("c");
	put_item("c/item.md", fresh.text);
	unlink("c/item.md");
	ring_path(IORING_OP_UNLINKAT, "c", AT_REMOVEDIR, 0);
	fresh.ticket = "c";
	return GONE;
}

static enum want ring_make_and_create(void)
{
	ring_path(IORING_OP_MKDIRAT, "c", 0, 0777);
	put_item("c/item.md", fresh.text);
	fresh.ticket = "c";
	return SAYS_IT;
}

static enum want ring_hard_link(void)
{
	unlink("a/item.md");
	put_item(out("linked"), fresh.text);
	ring_paths(IORING_OP_LINKAT, out("linked"), "a/item.md", 0);
	unlink(out("linked"));
	return SAYS_IT;
}

static enum want ring_soft_link(void)
{
	unlink("a/item.md");
	ring_paths(IORING_OP_SYMLINKAT, "../b/item.md", "a/item.md", 0);
	return BROKEN;
}

/* -- All of it ----------------------------------------------------------- */

static const struct act {
	const char *name;
	enum want (*act)(void);
	unsigned op; /* of io_uring; 0: without that */
} acts[] = {
	{ "open(O_CREAT)", create, 0 },
	{ "write, not closed", write_unclosed, 0 },
	{ "write(O_APPEND), not closed", append, 0 },
	{ "writev", write_vector, 0 },
	{ "ftruncate", truncate_open, 0 },
	{ "truncate", truncate_path, 0 },
	{ "open(O_TRUNC)", open_truncate, 0 },
	{ "fallocate", punch, 0 },
	{ "copy_file_range", copy_range, 0 },
	{ "sendfile", send_file, 0 },
	{ "write and close", write_and_close, 0 },
	{ "mmap, munmap and close", map_and_close, 0 },
	{ "fchmod", change_mode, 0 },
	{ "utimensat", set_time, 0 },
	{ "rename in the folder", rename_within, 0 },
	{ "rename from another folder", rename_across, 0 },
	{ "rename over", rename_over, 0 },
	{ "rename in from outside", rename_in, 0 },
	{ "rename out", rename_out, 0 },
	{ "renameat2(RENAME_EXCHANGE)", exchange, 0 },
	{ "rename of a whole folder into the tree", move_tree_in, 0 },
	{ "mkdir, and a file in it", make_and_create, 0 },
	{ "mkdir three deep, and a file in it", make_deep_and_create, 0 },
	{ "unlink", remove_file, 0 },
	{ "unlink of an open file", remove_open_file, 0 },
	{ "rmdir", remove_folder, 0 },
	{ "link", hard_link, 0 },
	{ "symlink", soft_link, 0 },
	{ "io_uring: write, not closed", ring_write, IORING_OP_WRITE },
	{ "io_uring: write by a worker", ring_write_by_worker, IORING_OP_WRITE },
	{ "io_uring: write, polled", ring_write_polled, IORING_OP_WRITE },
	{ "io_uring: openat(O_CREAT)", ring_create, IORING_OP_OPENAT },
	{ "io_uring: openat(O_TRUNC)", ring_truncate, IORING_OP_OPENAT },
	{ "io_uring: renameat", ring_rename, IORING_OP_RENAMEAT },
	{ "io_uring: renameat(RENAME_EXCHANGE)", ring_exchange, IORING_OP_RENAMEAT },
	{ "io_uring: unlinkat", ring_unlink, IORING_OP_UNLINKAT },
	{ "io_uring: unlinkat(AT_REMOVEDIR)", ring_remove_folder, IORING_OP_UNLINKAT },
	{ "io_uring: mkdirat, and a file in it", ring_make_and_create, IORING_OP_MKDIRAT },
	{ "io_uring: linkat", ring_hard_link, IORING_OP_LINKAT },
	{ "io_uring: symlinkat", ring_soft_link, IORING_OP_SYMLINKAT },
};

/* Whether this system can. */
static bool is_possible(const struct act *act)
{
	if (act->act == ring_write_polled && !fresh.polled)
		return false;
	return !act->op || (fresh.ring && ring_can(fresh.ring, act->op));
}

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

static int try_act(const struct act *act, int cycles)
{
	int missed = 0;

	/* What another act left may be a link. */
	unlink("a/item.md");
	for (int i = 0; i < cycles; i++) {
		fresh.n++;
		snprintf(fresh.text, sizeof(fresh.text), ITEM, fresh.n);
		fresh.ticket = "a";
		missed += !ask(act->act());
		clean_up();
	}
	return missed;
}

static void set_up(char **argv)
{
	talk_open(&fresh.talk, argv[1]);
	BUG_IF(chdir(argv[2]) < 0);
	fresh.outside = argv[3];
	fresh.zone = msgpack_zone_new(64 * 1024);
	fresh.ring = ring_new(0);
	fresh.polled = ring_new(IORING_SETUP_SQPOLL);
	snprintf(fresh.text, sizeof(fresh.text), ITEM, 0);
	BUG_IF(strlen(fresh.text) != ITEM_LEN);
	make_dir("a");
	make_dir("b");
	put_item("b/item.md", fresh.text);
}

static void tear_down(void)
{
	hold(-1);
	ring_free(fresh.ring);
	ring_free(fresh.polled);
	msgpack_zone_free(fresh.zone);
	talk_close(&fresh.talk);
}

int main(int argc, char **argv)
{
	int cycles = argc >= 5 ? atoi(argv[4]) : 0, missed = 0, tried = 0;
	bool blind = argc == 6 && strcmp(argv[5], "blind") == 0;

	if (cycles < 1 || (argc == 6 && !blind) || argc > 6) {
		fprintf(stderr, "usage: fresh SOCKET TREE OUTSIDE CYCLES [blind]\n");
		return 2;
	}
	set_up(argv);
	for (const struct act *act = acts; act < acts + COUNT_OF(acts); act++) {
		if (!is_possible(act)) {
			printf("# left out, as this system has no such thing: %s\n", act->name);
			continue;
		}
		int of_this = try_act(act, cycles);
		missed += of_this;
		tried += cycles;
		if (!blind)
			printf("%sok %s: %d of %d not seen\n", of_this ? "not " : "", act->name,
			       of_this, cycles);
	}
	if (blind)
		printf("%sok an agent with that fault is found out: %d of %d changes not seen\n",
		       missed ? "" : "not ", missed, tried);
	tear_down();
	return 0;
}
