/* SPDX-License-Identifier: MIT */
/*
 * chaos: change a tree at random, ask after each change, compare with the files.
 *
 *	chaos SOCKET TOP AGENT STEPS SEED
 *
 * TOP is a checkout whose tree is "tickets"; AGENT the agent's process, which is
 * stopped during some bursts of changes.  One to three processes change things
 * at once; when they have, one question is asked, and the answer held against
 * what a walk finds.  Now and then the agent compares all that it holds with the
 * files (doctor.run audit), and git moves the whole tree.
 *
 * Says "ok …" or "not ok …" a line, for the story that runs it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "talk.h"
#include "words.h"

#define HANDS_MAX 3
/* Of the steps one in so many is followed by an audit, done by git, a burst, a link. */
#define AUDIT_EACH 20
#define GIT_EACH 250
#define BURST_EACH 50
#define LINK_EACH 33
#define BURST_MAX 60

static struct {
	struct talk talk;
	msgpack_zone *zone;
	pid_t agent;
	uint64_t seed;
	uint32_t msgid;
	/* Processes that change things: a byte goes down, another comes up. */
	struct hand {
		pid_t pid;
		int down, up;
	} hands[HANDS_MAX];
	int64_t audits, bursts, gits, deaths;
	char last[128]; /* what was done last, for the one who has to find out */
} chaos;

/* -- Changing ----------------------------------------------------------- */

/* Each hand has a seed of its own, and its own numbers. */
static uint64_t seed;
static unsigned number;

/* xorshift64* */
static unsigned dice(unsigned sides)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % sides;
}

static const char *ticket_path(void)
{
	static char path[4][64];
	static unsigned at;

	at = (at + 1) % 4;
	/* Few names, so that things meet; some of them outside, or of no Ticket. */
	switch (dice(14)) {
	case 0:
		snprintf(path[at], sizeof(path[at]), "aside/%c", 'a' + dice(3));
		break;
	case 1:
		snprintf(path[at], sizeof(path[at]), "tickets/open/%c", 'm' + dice(3));
		break;
	case 2:
		snprintf(path[at], sizeof(path[at]), "tickets/%c bad", 'a' + dice(2));
		break;
	default:
		snprintf(path[at], sizeof(path[at]), "tickets/%c", 'a' + dice(8));
	}
	return path[at];
}

/* What may lie in a Ticket's folder. */
static const char *inner_path(void)
{
	static const char *const parts[] = { "item.md",
					     "item.md",
					     "item.md",
					     "artifacts/orchestration-plan.jsonl",
					     "artifacts/relations.json",
					     "artifacts/records/R1.json",
					     "artifacts/records/R2.json",
					     "thread.md",
					     ".item.md.swp",
					     "item.md~" };
	static char path[4][128];
	static unsigned at;

	at = (at + 1) % 4;
	snprintf(path[at], sizeof(path[at]), "%s/%s", ticket_path(), parts[dice(COUNT_OF(parts))]);
	return path[at];
}

static const char *any_path(void)
{
	static const char *const folders[] = { "artifacts", "artifacts/records" };
	static char path[4][128];
	static unsigned at;

	if (dice(3))
		return dice(2) ? inner_path() : ticket_path();
	at = (at + 1) % 4;
	snprintf(path[at], sizeof(path[at]), "%s/%s", ticket_path(), folders[dice(2)]);
	return path[at];
}

static void make_way(const char *path)
{
	char part[256];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdir(part, 0777);
	}
}

static void write_item(int fd)
{
	static const char *const states[] = { "planning",   "ready", "queued",
					      "inprogress", "done",  "closed" };
	char text[128];

	if (!dice(12))
		snprintf(text, sizeof(text), "nothing %u\n", ++number);
	else
		snprintf(text, sizeof(text), "---\ntitle: 'n%u'\nstate: %s\n---\n", ++number,
			 states[dice(6)]);
	BUG_IF(write(fd, text, strlen(text)) < 0);
}

static void write_record(int fd, const char *path)
{
	char text[256], ticket[64] = "";

	sscanf(path, "tickets/%63[^/]", ticket);
	snprintf(text, sizeof(text),
		 "{\"id\":\"R%u\",\"ticket_id\":\"%s\",\"kind\":\"related\","
		 "\"related_ticket\":\"%c\",\"author\":\"c\",\"at\":\"2026-01-01T00:00:0%uZ\"}%s",
		 1 + dice(2), ticket, 'a' + dice(8), dice(10), dice(6) ? "\n" : "");
	BUG_IF(write(fd, text, strlen(text)) < 0);
}

static void put(const char *path, int flags)
{
	char *to = xstrdup(path);

	make_way(to);
	int fd = open(to, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0666);
	if (fd >= 0 && strstr(to, "item.md"))
		write_item(fd);
	else if (fd >= 0)
		write_record(fd, to);
	if (fd >= 0)
		close(fd);
	free(to);
}

static void put_over(void)
{
	char *path = xstrdup(inner_path()), *temporary = xasprintf("%s.tmp", path);

	put(temporary, O_TRUNC);
	if (rename(temporary, path) < 0)
		unlink(temporary);
	free(path);
	free(temporary);
}

static void remove_all(const char *path)
{
	char *command = xasprintf("rm -rf '%s'", path);

	BUG_IF(system(command) < 0);
	free(command);
}

/* The tree itself goes and comes back, as itself or as a copy. */
static void move_root(void)
{
	if (rename("tickets", "tickets.off") < 0)
		return;
	if (dice(2)) {
		BUG_IF(system("cp -r tickets.off tickets 2>/dev/null && rm -rf tickets.off") < 0);
	} else if (rename("tickets.off", "tickets") < 0) {
		remove_all("tickets.off");
	}
}

static void swap(const char *a, const char *b)
{
	char *x = xstrdup(a), *y = xstrdup(b);

	make_way(y);
	int failed = renameat2(AT_FDCWD, x, AT_FDCWD, y, dice(2) ? RENAME_EXCHANGE : 0);
	(void)failed;
	free(x);
	free(y);
}

static void soft_link(const char *path)
{
	char *at = xstrdup(path);

	make_way(at);
	unlink(at);
	int failed = symlink(dice(2) ? "../a" : "../../aside/a/item.md", at);
	(void)failed;
	free(at);
}

static void change(void)
{
	unsigned what = dice(1000);
	int failed = 0;

	if (what < 300)
		put(inner_path(), O_TRUNC);
	else if (what < 400)
		put(inner_path(), O_APPEND);
	else if (what < 500)
		put_over();
	else if (what < 700)
		swap(any_path(), any_path());
	else if (what < 780)
		failed = unlink(inner_path());
	else if (what < 820)
		failed = rmdir(any_path());
	else if (what < 880)
		failed = truncate(inner_path(), (off_t)dice(40));
	else if (what < 920)
		soft_link(any_path());
	else if (what < 970)
		failed = chmod(any_path(), dice(2) ? 0700 : 0755);
	else if (what < 995)
		remove_all(ticket_path());
	else
		move_root();
	(void)failed;
}

/* -- Hands -------------------------------------------------------------- */

_Noreturn static void be_a_hand(int down, int up)
{
	unsigned char count;

	while (read(down, &count, 1) == 1) {
		while (count--)
			change();
		BUG_IF(write(up, &count, 1) != 1);
	}
	_exit(0);
}

static void make_hand(struct hand *h, uint64_t its_seed)
{
	int down[2], up[2];

	BUG_IF(pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0);
	fflush(stdout);
	h->pid = fork();
	BUG_IF(h->pid < 0);
	if (!h->pid) {
		close(down[1]);
		seed = its_seed;
		be_a_hand(down[0], up[1]);
	}
	close(down[0]);
	close(up[1]);
	h->down = down[1];
	h->up = up[0];
}

/* So many hands make so many changes each, at once. */
static void let_change(unsigned hands, unsigned char count)
{
	char end;

	for (unsigned i = 0; i < hands; i++)
		BUG_IF(write(chaos.hands[i].down, &count, 1) != 1);
	for (unsigned i = 0; i < hands; i++)
		BUG_IF(read(chaos.hands[i].up, &end, 1) != 1);
	snprintf(chaos.last, sizeof(chaos.last), "%u processes, %u changes each", hands, count);
}

/* Whether the way there is of folders alone, and the tree watches the last of them. */
static bool is_ours(const char *path)
{
	char part[256];
	struct stat st;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (lstat(part, &st) < 0 || !S_ISDIR(st.st_mode))
			return false;
	}
	return strncmp(path, "tickets/", 8) == 0 && !strchr(path, ' ') && !strchr(path, '~') &&
	       !strstr(path, ".swp") && !strstr(path, "thread.md");
}

/*
 * A second name for a file.  Of one that it gets where nobody watches, and of what is
 * written through that, nobody is told; so it gets it here, and goes there afterwards.
 */
static void let_link(void)
{
	char *from = xstrdup(inner_path()), *to = xstrdup(inner_path());

	make_way(to);
	if (is_ours(from) && is_ours(to) && strcmp(from, to) != 0) {
		unlink(to);
		int failed = link(from, to);
		(void)failed;
	}
	snprintf(chaos.last, sizeof(chaos.last), "link %s %s", from, to);
	free(from);
	free(to);
}

static void let_git(void)
{
	static const char *const commands[] = {
		"git checkout --quiet -f one",
		"git checkout --quiet -f two",
		"git stash --quiet --include-untracked",
		"git stash pop --quiet || git stash drop --quiet",
		"git reset --quiet --hard",
		"git clean -qfdx tickets",
		"git add -A . && git commit --quiet -m x",
		"git checkout --quiet -f one && git rebase --quiet two || git rebase --abort",
	};
	const char *command = commands[dice(COUNT_OF(commands))];
	char *quiet = xasprintf("{ %s; } >/dev/null 2>&1", command);

	BUG_IF(system(quiet) < 0);
	free(quiet);
	/* Where its merge gives up by an assertion it leaves its lock, and would do nothing any more. */
	chaos.deaths += unlink(".git/index.lock") == 0;
	snprintf(chaos.last, sizeof(chaos.last), "%s", command);
	chaos.gits++;
}

/* -- Asking ------------------------------------------------------------- */

static void begin_request(struct wire *w, struct buf *request, const char *method)
{
	wire_init(w, request);
	wire_request(w, ++chaos.msgid, method);
	wire_map(w);
}

static void ask(struct wire *w, struct buf *request, struct envelope *e)
{
	wire_end(w);
	talk_send(&chaos.talk, request);
	BUG_IF(!talk_receive(&chaos.talk, chaos.zone, e));
}

/* "ID STATE TITLE" a line, sorted by ids, as the agent says. */
static void ask_tickets(struct buf *into)
{
	struct buf request = { 0 };
	struct envelope e;
	struct wire w;

	begin_request(&w, &request, "ticket.list");
	wire_put_int(&w, "limit", 1000);
	ask(&w, &request, &e);
	const msgpack_object *list = e.failed ? NULL : talk_member(&e.result, "tickets");
	for (uint32_t i = 0; list && i < list->via.array.size; i++) {
		const msgpack_object *row = &list->via.array.ptr[i];
		buf_addf(into, "%.*s %.*s %.*s\n", STR_ARG(talk_text(row, "id")),
			 STR_ARG(talk_text(row, "state")), STR_ARG(talk_text(row, "title")));
	}
	msgpack_zone_clear(chaos.zone);
}

/* -- Walking ------------------------------------------------------------ */

struct row {
	char id[64], state[16], title[32];
	unsigned folders, titles, states;
	bool vague; /* what comes of half a line is the parser's business: the audit looks at it */
};

struct rows {
	struct row at[64];
	unsigned count;
};

static bool is_kind(const char *path, mode_t kind)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* One line of front matter as this program writes it; false where it is another, or there twice. */
static bool read_line(const char *line, struct row *row)
{
	int end = 0;

	if (sscanf(line, "title: '%31[^']'%n", row->title, &end) == 1)
		return end && !line[end] && !row->titles++;
	if (sscanf(line, "state: %15[a-z]%n", row->state, &end) != 1 || line[end])
		return false;
	return word_find(&words_state, str_of(row->state)) >= 0 && !row->states++;
}

/* What an item.md says that this program wrote, whole or cut off. */
static void read_item(const char *path, struct row *row)
{
	char text[512] = "", *rest = text, *line;
	FILE *in = is_kind(path, S_IFREG) ? fopen(path, "re") : NULL;
	size_t len = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
	struct row found = { .state = "planning" };

	if (in)
		fclose(in);
	text[len] = '\0';
	strcpy(row->state, "unknown");
	row->vague = strlen(text) < len;
	if (strncmp(text, "---\n", 4) != 0)
		return;
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) && strcmp(line, "---") != 0)
		row->vague |= !read_line(line, &found);
	if (!line || row->vague)
		return;
	strcpy(row->state, found.state);
	strcpy(row->title, found.title);
}

/* Whether it holds a name that a record's file may have. */
static bool has_record(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (dir && (entry = readdir(dir))) {
		struct str name = str_of(entry->d_name);
		found |= name.at[0] != '.' && name.len > 5 && str_ends(name, STR(".json"));
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Whether there is anything in the folder that makes it a Ticket although it has no item.md. */
static bool has_artifacts(const char *folder)
{
	static const char *const names[] = { "orchestration-plan.jsonl", "relations.json" };
	char path[1024];
	struct stat st;

	snprintf(path, sizeof(path), "%s/artifacts", folder);
	if (lstat(path, &st) < 0)
		return false;
	if (!S_ISDIR(st.st_mode))
		return true;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s/artifacts/%s", folder, names[i]);
		if (lstat(path, &st) == 0)
			return true;
	}
	snprintf(path, sizeof(path), "%s/artifacts/records", folder);
	return lstat(path, &st) == 0 && (!S_ISDIR(st.st_mode) || has_record(path));
}

static void add_folder(struct rows *rows, const char *folder, const char *id, bool bucket)
{
	char path[1024];
	struct row row = { .folders = 1 };
	struct stat st;

	snprintf(path, sizeof(path), "%s/item.md", folder);
	if (lstat(path, &st) < 0 && !has_artifacts(folder))
		return;
	read_item(path, &row);
	/* That layout has another name for it, which is never written here. */
	if (bucket && strcmp(row.state, "unknown") != 0)
		strcpy(row.state, "planning");
	snprintf(row.id, sizeof(row.id), "%.63s", id);
	for (unsigned i = 0; i < rows->count; i++) {
		if (strcmp(rows->at[i].id, id) != 0)
			continue;
		rows->at[i].folders++;
		return;
	}
	BUG_IF(rows->count == COUNT_OF(rows->at));
	rows->at[rows->count++] = row;
}

static void walk_tree(struct rows *rows, const char *folder, bool root)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[512];

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (name[0] == '.' || strchr(name, ' ') || !is_kind(path, S_IFDIR))
			continue;
		if (root && strcmp(name, "open") == 0)
			walk_tree(rows, path, false);
		else
			add_folder(rows, path, name, !root);
	}
	if (dir)
		closedir(dir);
}

static int by_id(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static void walk(struct buf *into)
{
	struct rows rows = { 0 };

	if (!is_kind("tickets", S_IFDIR))
		return;
	walk_tree(&rows, "tickets", true);
	qsort(rows.at, rows.count, sizeof(struct row), by_id);
	for (unsigned i = 0; i < rows.count; i++) {
		struct row *r = &rows.at[i];
		if (r->vague)
			buf_addf(into, "%s ?\n", r->id);
		else
			buf_addf(into, "%s %s %s\n", r->id, r->folders > 1 ? "unknown" : r->state,
				 r->title);
	}
}

/* -- Judging ------------------------------------------------------------ */

static void say(const char *what, const char *text)
{
	printf("# %s\n# ", what);
	for (; *text; text++)
		fputs(*text == '\n' ? "\n# " : (char[]){ *text, 0 }, stdout);
	putchar('\n');
}

/* Whether both hold the same lines; of one that ends with ? only the id counts. */
static bool same_lines(const char *said, const char *there)
{
	while (*said && *there) {
		size_t len = strcspn(there, "\n") + 1, id = strcspn(there, " ");
		bool vague = there[len - 2] == '?';
		if (strncmp(said, there, vague ? id + 1 : len) != 0)
			return false;
		said += strcspn(said, "\n") + 1;
		there += len;
	}
	return !*said && !*there;
}

static bool compare(void)
{
	struct buf said = { 0 }, there = { 0 };

	ask_tickets(&said);
	walk(&there);
	bool same = same_lines(buf_text(&said), buf_text(&there));
	if (!same) {
		say("the last change:", chaos.last);
		say("the answer:", buf_text(&said));
		say("the files:", buf_text(&there));
		fflush(stdout);
		BUG_IF(system("head -50 tickets/*/item.md tickets/open/*/item.md 2>&1 | sed 's/^/# /'") <
		       0);
	}
	buf_release(&said);
	buf_release(&there);
	return same;
}

static bool audit(void)
{
	struct buf request = { 0 };
	struct envelope e;
	struct wire w;

	begin_request(&w, &request, "doctor.run");
	wire_put_bool(&w, "audit", true);
	ask(&w, &request, &e);
	chaos.audits++;
	bool no_tree = e.failed && str_starts(e.error, STR("no_tree"));
	const msgpack_object *list = e.failed ? NULL : talk_member(&e.result, "problems");
	bool good = no_tree || (list && !list->via.array.size);
	if (!good)
		say("the last change:", chaos.last);
	if (e.failed && !no_tree)
		printf("# %.*s\n", STR_ARG(e.error));
	for (uint32_t i = 0; list && i < list->via.array.size; i++)
		printf("# audit: %.*s %.*s\n",
		       STR_ARG(talk_text(&list->via.array.ptr[i], "file")),
		       STR_ARG(talk_text(&list->via.array.ptr[i], "text")));
	msgpack_zone_clear(chaos.zone);
	return good;
}

static void burst(void)
{
	unsigned hands = 1 + dice(HANDS_MAX);

	kill(chaos.agent, SIGSTOP);
	let_change(hands, (unsigned char)(1 + dice(BURST_MAX)));
	kill(chaos.agent, SIGCONT);
	chaos.bursts++;
}

static bool step(int64_t n)
{
	if (n % GIT_EACH == GIT_EACH - 1)
		let_git();
	else if (n % LINK_EACH == LINK_EACH - 1)
		let_link();
	else if (n % BURST_EACH == BURST_EACH - 1)
		burst();
	else
		let_change(dice(4) ? 1 : 1 + dice(HANDS_MAX), 1);
	return compare() && (n % AUDIT_EACH || audit());
}

int main(int argc, char **argv)
{
	int64_t steps = argc == 6 ? atoll(argv[4]) : 0, done = 0;

	if (steps < 1) {
		fprintf(stderr, "usage: chaos SOCKET TOP AGENT STEPS SEED\n");
		return 2;
	}
	chaos.agent = (pid_t)atoi(argv[3]);
	uint64_t first = strtoull(argv[5], NULL, 10);
	BUG_IF(chdir(argv[2]) < 0);
	for (int i = 0; i < HANDS_MAX; i++)
		make_hand(&chaos.hands[i], first * 4 + (unsigned)i + 2);
	seed = first * 4 + 1;
	talk_open(&chaos.talk, argv[1]);
	chaos.zone = msgpack_zone_new(256 * 1024);
	while (done < steps && step(done))
		done++;
	bool good = done == steps && audit();
	printf("%sok seed %" PRIu64 ": %" PRId64 " steps (%" PRId64 " by git, which died in %" PRId64
	       ", %" PRId64 " bursts, %" PRId64 " audits), every answer as the files are\n",
	       good ? "" : "not ", first, done, chaos.gits, chaos.deaths, chaos.bursts,
	       chaos.audits);
	for (int i = 0; i < HANDS_MAX; i++) {
		/* The others hold its pipe too, so that it sees no end. */
		kill(chaos.hands[i].pid, SIGTERM);
		waitpid(chaos.hands[i].pid, NULL, 0);
	}
	msgpack_zone_free(chaos.zone);
	talk_close(&chaos.talk);
	return 0;
}
