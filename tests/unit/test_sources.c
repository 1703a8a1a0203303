/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "ledger.h"
#include "model.h"
#include "service.h"
#include "sources.h"

/* The test's folder, entered: a repository's "top", whose .git is made by hand. */
struct folder {
	char base[64];
	struct index *ix;
	struct watch *watch;
	struct git *git;
	struct sources *sources;
};

/* A file with the folders it needs. */
static void put(const char *path, const char *text)
{
	char *copy = xstrdup(path);

	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0777);
		*slash = '/';
	}
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	free(copy);
}

static void put_item(const char *folder, const char *state)
{
	char *path = xasprintf("%s/item.md", folder);
	char *text = xasprintf("---\ntitle: x\nstate: %s\n---\n", state);

	put(path, text);
	free(path);
	free(text);
}

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

/* Begin to serve what is there. */
static void begin(struct folder *f)
{
	char *common = xasprintf("%s/top/.git", f->base), *top = xasprintf("%s/top", f->base);
	struct fault why;

	assert_true(git_new(common, &f->git, &why));
	assert_true(watch_new(&f->watch, &why));
	f->ix = index_new();
	f->sources = sources_new(f->ix, f->watch, f->git, common, top);
	free(common);
	free(top);
}

static int make_folder(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/tp-sources-XXXXXX");
	if (!mkdtemp(f->base) || chdir(f->base) < 0)
		return -1;
	put("home/.gitconfig", "");
	put("top/.git/config", "[core]\n\tbare = false\n");
	char *home = xasprintf("%s/home", f->base);
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	free(home);
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	char *command = xasprintf("rm -rf %s", f->base);
	int failed = chdir("/") < 0 || system(command) != 0;

	sources_free(f->sources);
	watch_free(f->watch);
	index_free(f->ix);
	git_free(f->git);
	free(command);
	free(f);
	return failed;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

/* "ID state" of each Ticket, after a turn. */
static void assert_tickets(struct folder *f, const char *text)
{
	struct buf said = { 0 };
	size_t count;

	sources_turn(f->sources, true, true);
	struct ticket *const *all = index_tickets(f->ix, &count);
	for (size_t i = 0; i < count; i++)
		buf_addf(&said, "%s%.*s %s", i ? ", " : "", STR_ARG(all[i]->id),
			 word(&words_state, all[i]->state));
	assert_string_equal(buf_text(&said), text);
	buf_release(&said);
}

/* "name:root name:root" of each source, * for the authority. */
static void assert_sources(struct folder *f, const char *text)
{
	struct buf said = { 0 };

	for (int i = 0; i < SOURCES_MAX; i++) {
		const struct source *s = index_source(f->ix, i);
		if (s)
			buf_addf(&said, "%s%s%s:%s", said.len ? " " : "", s->authority ? "*" : "",
				 s->name, s->root);
	}
	assert_string_equal(buf_text(&said), text);
	buf_release(&said);
}

/* -- Where the tree is -------------------------------------------------------- */

static void the_first_usual_root_that_holds_tickets_is_the_tree(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-3", "ready");
	put_item("top/.tickets/T-2", "ready");
	put("top/.yoi/tickets/notes", "no Ticket");
	begin(f);
	assert_sources(f, "*main:.tickets");
	assert_tickets(f, "T-2 ready");
}

static void a_tree_may_hold_its_tickets_in_buckets_only(void **state)
{
	struct folder *f = *state;

	put("top/tickets/open/T-1/item.md", "---\nworkflow_state: ready\n---\n");
	put("top/tickets/closed/T-2/item.md", "---\nstatus: closed\n---\n");
	begin(f);
	assert_tickets(f, "T-1 ready, T-2 done");
}

static void the_configured_root_counts_even_if_it_is_empty(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	run("mkdir -p top/work/items");
	put("top/.git/config", "[ticketplan]\n\troot = work/items\n");
	begin(f);
	assert_sources(f, "*main:work/items");
	assert_tickets(f, "");
	put_item("top/work/items/T-2", "queued");
	assert_tickets(f, "T-2 queued");
}

static void a_configured_root_is_a_folder_of_the_checkout_however_it_is_written(void **state)
{
	struct folder *f = *state;
	struct fault why;

	put_item("top/a b/c/T-1", "ready");
	put_item("beside/T-2", "ready");
	put("top/.git/config", "[ticketplan]\n\troot = ./a b//c/\n");
	begin(f);
	assert_sources(f, "*main:a b/c");
	assert_tickets(f, "T-1 ready");
	put("top/.git/config", "[ticketplan]\n\troot = ../beside\n");
	assert_tickets(f, "");
	assert_false(sources_any_tree(f->sources, &why));
	put("top/.git/config", "[ticketplan]\n\troot = link\n");
	assert_int_equal(symlink("a b/c", "top/link"), 0);
	assert_tickets(f, "");
	assert_false(sources_any_tree(f->sources, &why));
	assert_non_null(strstr(why.text, "links are not followed"));
	put("top/.git/config", "[ticketplan]\n\troot =\n");
	put_item("top/tickets/T-3", "ready");
	assert_tickets(f, "T-3 ready");
}

static void the_tree_may_be_the_whole_checkout(void **state)
{
	struct folder *f = *state;

	put_item("top/T-1", "ready");
	put("top/.git/config", "[ticketplan]\n\troot = .\n");
	begin(f);
	assert_tickets(f, "T-1 ready");
	put_item("top/T-2", "queued");
	assert_tickets(f, "T-1 ready, T-2 queued");
}

static void a_usual_root_that_is_a_link_is_none(void **state)
{
	struct folder *f = *state;

	put_item("top/docs/T-1", "ready");
	assert_int_equal(symlink("docs", "top/.tickets"), 0);
	put_item("top/tickets/T-2", "ready");
	begin(f);
	assert_sources(f, "*main:tickets");
	assert_tickets(f, "T-2 ready");
}

static void a_root_configured_later_is_taken_in_the_next_turn(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	put_item("top/other/T-2", "queued");
	begin(f);
	assert_tickets(f, "T-1 ready");
	put("top/.git/config", "[ticketplan]\n\troot = other\n");
	assert_tickets(f, "T-2 queued");
	put("top/.git/config.lock", "");
	assert_int_equal(rename("top/.git/config.lock", "top/.git/config"), 0);
	assert_tickets(f, "T-1 ready");
}

static void without_a_tree_it_says_where_it_looked(void **state)
{
	struct folder *f = *state;
	struct fault why;

	begin(f);
	assert_false(sources_any_tree(f->sources, &why));
	assert_int_equal(why.code, FAULT_NO_TREE);
	assert_non_null(strstr(why.text, ".yoi/tickets, .tickets and tickets"));
	put("top/.git/config", "[ticketplan]\n\troot = nowhere\n");
	assert_tickets(f, "");
	assert_false(sources_any_tree(f->sources, &why));
	assert_non_null(strstr(why.text, "nowhere"));
}

static void a_tree_that_appears_later_is_found(void **state)
{
	struct folder *f = *state;
	struct fault why;

	begin(f);
	assert_tickets(f, "");
	run("mkdir -p top/.tickets");
	assert_tickets(f, "");
	put_item("top/.tickets/T-1", "ready");
	assert_tickets(f, "T-1 ready");
	assert_true(sources_any_tree(f->sources, &why));
}

static void a_tree_that_was_removed_and_made_anew_is_read_anew(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	put_item("top/tickets/T-2", "ready");
	begin(f);
	assert_tickets(f, "T-1 ready, T-2 ready");
	assert_int_equal(rename("top/tickets", "top/moved"), 0);
	assert_tickets(f, "");
	put_item("top/moved/T-1", "done");
	assert_tickets(f, "");
	assert_int_equal(rename("top/moved", "top/tickets"), 0);
	assert_tickets(f, "T-1 done, T-2 ready");
	run("rm -r top/tickets");
	put_item("top/tickets/T-3", "queued");
	assert_tickets(f, "T-3 queued");
	put_item("top/tickets/T-3", "done");
	assert_tickets(f, "T-3 done");
}

static void a_checkout_whose_top_moved_is_gone_until_it_is_back(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	begin(f);
	assert_tickets(f, "T-1 ready");
	run("mv top away");
	assert_tickets(f, "");
	put_item("away/tickets/T-1", "done");
	run("mv away top");
	assert_tickets(f, "T-1 done");
}

static void a_folder_above_that_moved_is_seen_where_somebody_asks(void **state)
{
	struct folder *f = *state;
	char *away = xasprintf("%s-away", f->base);
	size_t count;

	put_item("top/tickets/T-1", "ready");
	begin(f);
	assert_int_equal(rename(f->base, away), 0);
	/* Whoever is told of changes has asked nothing, and in the tree nothing has changed. */
	sources_turn(f->sources, false, false);
	index_tickets(f->ix, &count);
	assert_int_equal(count, 1);
	assert_tickets(f, "");
	assert_int_equal(rename(away, f->base), 0);
	assert_tickets(f, "T-1 ready");
	free(away);
}

/* -- Git at work ---------------------------------------------------------------- */

static size_t git_at_work(struct folder *f)
{
	struct keeping k;

	sources_keeping(f->sources, &k);
	return k.git_count;
}

static size_t git_after_a_turn(struct folder *f)
{
	sources_turn(f->sources, true, true);
	return git_at_work(f);
}

static void put_record(const char *state)
{
	put_item("top/tickets/T-1", state);
	put("top/tickets/T-1/artifacts/records/R1.json", "{}");
}

/* What git does between the drain and the reading of a file. */
static void lock_index(void *ctx, int source, struct str path)
{
	(void)ctx;
	(void)source;
	(void)path;
	put("top/.git/index.lock", "");
}

static void write_index(void *ctx, int source, struct str path)
{
	lock_index(ctx, source, path);
	assert_int_equal(rename("top/.git/index.lock", "top/.git/index"), 0);
}

static void a_lock_is_seen_by_the_next_turn_whether_or_not_it_reads_files(void **state)
{
	struct folder *f = *state;

	put("top/.git/index", "");
	put_record("ready");
	begin(f);
	assert_int_equal(git_at_work(f), 0);
	assert_int_equal(git_after_a_turn(f), 0);
	put("top/.git/index.lock", "");
	assert_int_equal(git_after_a_turn(f), 1);
	put_record("queued");
	assert_int_equal(git_after_a_turn(f), 1);
	assert_int_equal(rename("top/.git/index.lock", "top/.git/index"), 0);
	assert_int_equal(git_after_a_turn(f), 0);
}

static void a_lock_that_comes_while_files_are_read_is_seen_at_once(void **state)
{
	struct folder *f = *state;

	put("top/.git/index", "");
	put_record("ready");
	begin(f);
	sources_on_record(f->sources, lock_index, NULL);
	put_record("queued");
	assert_int_equal(git_after_a_turn(f), 1);
	sources_on_record(f->sources, NULL, NULL);
	assert_int_equal(unlink("top/.git/index.lock"), 0);
	assert_int_equal(git_after_a_turn(f), 0);
}

static void git_that_goes_through_while_files_are_read_is_seen_at_once(void **state)
{
	struct folder *f = *state;

	put("top/.git/index", "");
	put_record("ready");
	begin(f);
	/* Each time, also where git wrote the index since, or another file was read. */
	for (int i = 0; i < 3; i++) {
		sources_on_record(f->sources, write_index, NULL);
		put_record(i % 2 ? "ready" : "queued");
		assert_int_equal(git_after_a_turn(f), 1);
		sources_on_record(f->sources, NULL, NULL);
		assert_int_equal(git_after_a_turn(f), 0);
		write_index(NULL, 0, STR_NONE);
		put_record(i % 2 ? "done" : "planning");
		assert_int_equal(git_after_a_turn(f), 0);
	}
}

/* -- Changes --------------------------------------------------------------------- */

static void a_turn_sees_whatever_was_written_before_it(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	begin(f);
	for (int i = 0; i < STATE_UNKNOWN; i++) {
		char *text = xasprintf("T-1 %s", word(&words_state, i));
		put_item("top/tickets/T-1", word(&words_state, i));
		assert_tickets(f, text);
		free(text);
	}
	put("top/tickets/T-1/artifacts/records/R1.json",
	    "{\"id\":\"R1\",\"ticket_id\":\"T-1\",\"kind\":\"after\",\"related_ticket\":\"T-2\","
	    "\"author\":\"a\",\"at\":\"2026-05-01T00:00:00Z\"}");
	assert_tickets(f, "T-1 closed");
	assert_int_equal(index_record_count(f->ix), 1);
	run("rm -r top/tickets/T-1/artifacts");
	assert_tickets(f, "T-1 closed");
	assert_int_equal(index_record_count(f->ix), 0);
}

#define RECORDS "top/tickets/T-1/artifacts/records"
#define RECORD RECORD_OF("after")
#define RECORD_OF(kind) \
	"{\"id\":\"R1\",\"ticket_id\":\"T-1\",\"kind\":\"" kind "\",\"related_ticket\":\"T-2\"," \
	"\"author\":\"a\",\"at\":\"2026-05-01T00:00:00Z\"}"

/* As the agent writes it; the turn comes later.  The caller's to free. */
static struct ledger_entry *write_record(struct folder *f)
{
	char *root = xasprintf("%s/top/tickets", f->base);
	struct ledger_entry *e = ledger_entry_new(root, "T-1", "R1.json");

	buf_add_str(&e->bytes, STR(RECORD));
	ledger_write(NULL, &e->job);
	assert_int_equal(e->result, LEDGER_WRITTEN);
	free(root);
	return e;
}

static void assert_record(struct folder *f, enum kind kind, const char *other)
{
	sources_turn(f->sources, true, true);
	const struct ticket *t = index_named(f->ix, STR("T-1"));
	assert_int_equal(t->own_count, 1);
	assert_int_equal(t->own[0].record->kind, kind);
	assert_true(str_is(t->own[0].record->other, other));
}

static void begin_with_records(struct folder *f)
{
	put_item("top/tickets/T-1", "ready");
	assert_int_equal(mkdir("top/tickets/T-1/artifacts", 0777), 0);
	assert_int_equal(mkdir(RECORDS, 0777), 0);
	begin(f);
	sources_turn(f->sources, true, true);
}

static void what_was_written_here_is_not_read_again(void **state)
{
	struct folder *f = *state;
	char events[4096];
	int opened = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	begin_with_records(f);
	struct ledger_entry *e = write_record(f);
	assert_true(inotify_add_watch(opened, RECORDS "/R1.json", IN_OPEN) >= 0);
	assert_record(f, KIND_AFTER, "T-2");
	assert_true(read(opened, events, sizeof(events)) < 0);
	put(RECORDS "/R1.json", RECORD_OF("blocks"));
	assert_true(read(opened, events, sizeof(events)) > 0);
	assert_record(f, KIND_BLOCKS, "T-2");
	assert_true(read(opened, events, sizeof(events)) > 0);
	close(opened);
	ledger_entry_free(e);
}

/* As many bytes, and the times as they were. */
static void change_unseen(const char *path, const char *other)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, other, 3, strstr(RECORD, "T-2") - RECORD), 3);
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void what_was_written_here_and_changed_before_anybody_looked_is_read(void **state)
{
	struct folder *f = *state;

	begin_with_records(f);
	struct ledger_entry *e = write_record(f);
	change_unseen(RECORDS "/R1.json", "T-3");
	assert_record(f, KIND_AFTER, "T-3");
	ledger_entry_free(e);
}

static void what_was_written_here_and_changed_after_a_look_is_read(void **state)
{
	struct folder *f = *state;

	begin_with_records(f);
	struct ledger_entry *e = write_record(f);
	assert_record(f, KIND_AFTER, "T-2");
	change_unseen(RECORDS "/R1.json", "T-3");
	assert_record(f, KIND_AFTER, "T-3");
	/* All that happened to its name is that it was made, but not for the first time. */
	assert_int_equal(rename(RECORDS "/R1.json", "R1"), 0);
	sources_turn(f->sources, true, true);
	change_unseen("R1", "T-4");
	assert_int_equal(link("R1", RECORDS "/R1.json"), 0);
	assert_int_equal(unlink("R1"), 0);
	assert_record(f, KIND_AFTER, "T-4");
	ledger_entry_free(e);
}

static void a_turn_without_changes_keeps_the_generation(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	put_item("top/tickets/bad name", "ready");
	begin(f);
	assert_tickets(f, "T-1 ready");
	uint64_t before = index_generation(f->ix);
	put_item("top/tickets/T-1", "ready");
	put("top/tickets/T-1/thread.md", "talk");
	put("top/.git/HEAD", "ref: refs/heads/main\n");
	sources_turn(f->sources, true, true);
	sources_rescan(f->sources);
	assert_int_equal(index_generation(f->ix), before);
}

static void a_rescan_finds_the_same(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	put_item("top/tickets/open/T-2", "ready");
	begin(f);
	put_item("top/tickets/T-1", "done");
	run("rm -r top/tickets/open");
	sources_rescan(f->sources);
	assert_tickets(f, "T-1 done");
}

/* -- What cannot be read ------------------------------------------------------------ */

static void assert_problem(struct folder *f, const char *id, const char *text)
{
	sources_turn(f->sources, true, true);
	assert_non_null(strstr(model_reasons(f->ix, id), text));
}

static void a_link_or_a_pipe_in_a_files_place_makes_the_ticket_unreadable(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "queued");
	put_item("top/tickets/T-2", "queued");
	put_item("outside", "queued");
	begin(f);
	run("rm top/tickets/T-1/item.md && ln -s ../../../outside/item.md top/tickets/T-1/item.md");
	assert_problem(f, "T-1", "not a regular file");
	run("mkfifo top/tickets/T-2/artifacts");
	assert_problem(f, "T-2", "not a folder");
	run("rm top/tickets/T-2/artifacts && mkdir top/tickets/T-2/artifacts && "
	    "ln -s ../../../../outside top/tickets/T-2/artifacts/records");
	assert_problem(f, "T-2", "not a folder");
	run("rm -r top/tickets/T-2/artifacts && echo x >top/tickets/T-2/artifacts");
	assert_problem(f, "T-2", "not a folder");
	run("rm top/tickets/T-2/artifacts");
	assert_tickets(f, "T-1 unknown, T-2 queued");
	assert_string_equal(model_gate(f->ix, "T-2"), "clear");
}

/* Let nothing be opened any more; says what it was before. */
static struct rlimit use_up_descriptors(void)
{
	struct rlimit before, none;
	int fd = open("/", O_PATH | O_CLOEXEC);

	assert_true(fd >= 0 && close(fd) == 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ (rlim_t)fd, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

static void what_cannot_be_opened_for_want_of_descriptors_is_read_later(void **state)
{
	struct folder *f = *state;

	put_item("top/.tickets/a", "queued");
	begin(f);
	assert_tickets(f, "a queued");
	put_item("top/.tickets/a", "ready");
	put_item("top/.tickets/b", "queued");
	put("top/.git/config", "[core]\n\tbare = false\n[ticketplan]\n\troot = .tickets\n");
	struct rlimit before = use_up_descriptors();
	sources_turn(f->sources, true, true);
	size_t there = index_count(f->ix);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_true(there > 0);
	assert_tickets(f, "a ready, b queued");
	assert_sources(f, "*main:.tickets");
}

static void a_tree_is_not_gone_that_cannot_be_listed_for_want_of_descriptors(void **state)
{
	struct folder *f = *state;

	put_item("top/.tickets/a", "queued");
	put_item("top/.tickets/b", "queued");
	begin(f);
	assert_tickets(f, "a queued, b queued");
	struct rlimit before = use_up_descriptors();
	sources_rescan(f->sources);
	sources_turn(f->sources, true, true);
	size_t there = index_count(f->ix);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(there, 2);
	run("rm -r top/.tickets/b");
	assert_tickets(f, "a queued");
}

static void a_ticket_whose_folder_is_a_link_is_none(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "queued");
	put_item("outside", "queued");
	begin(f);
	run("ln -s ../../outside top/tickets/T-2");
	assert_tickets(f, "T-1 queued");
	assert_int_equal(index_flaw_count(f->ix), 1);
	assert_int_equal(index_strays(f->ix)->code, PROBLEM_NOT_REGULAR);
	run("rm top/tickets/T-2");
	assert_tickets(f, "T-1 queued");
	assert_int_equal(index_flaw_count(f->ix), 0);
}

static void files_beside_tickets_are_nobodys(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "queued");
	put("top/tickets/README.md", "x");
	put("top/tickets/T-1/artifacts/report.md", "x");
	put("top/tickets/T-1/artifacts/records/.R.json.tmp", "x");
	begin(f);
	assert_tickets(f, "T-1 queued");
	assert_int_equal(index_flaw_count(f->ix), 0);
}

static void a_file_past_its_limit_makes_the_ticket_unreadable(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "queued");
	begin(f);
	put("top/tickets/T-1/artifacts/orchestration-plan.jsonl", "");
	assert_int_equal(truncate("top/tickets/T-1/artifacts/orchestration-plan.jsonl",
				  ARTIFACT_FILE_MAX + 1),
			 0);
	assert_problem(f, "T-1", "more than 64 MiB");
	assert_int_equal(truncate("top/tickets/T-1/artifacts/orchestration-plan.jsonl", 0), 0);
	sources_turn(f->sources, true, true);
	assert_string_equal(model_gate(f->ix, "T-1"), "clear");
}

/* -- Several checkouts ------------------------------------------------------------- */

static void link_worktree(struct folder *f, const char *name, const char *folder)
{
	char *file = xasprintf("top/.git/worktrees/%s/gitdir", name);
	char *text = xasprintf("%s/%s/.git\n", f->base, folder);

	put(file, text);
	free(file);
	free(text);
}

static void checkouts_appear_and_vanish_by_themselves(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	begin(f);
	assert_tickets(f, "T-1 ready");
	put_item("w/tickets/T-1", "done");
	put_item("w/tickets/T-2", "queued");
	link_worktree(f, "w", "w");
	assert_tickets(f, "T-1 ready, T-2 queued");
	assert_sources(f, "*main:tickets w:tickets");
	put_item("w/tickets/T-2", "inprogress");
	assert_tickets(f, "T-1 ready, T-2 inprogress");
	run("rm -r top/.git/worktrees/w");
	assert_tickets(f, "T-1 ready");
	assert_sources(f, "*main:tickets");
}

static void each_checkout_finds_its_own_tree(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	put_item("w/.tickets/T-2", "ready");
	put("v/README", "no tree");
	link_worktree(f, "w", "w");
	link_worktree(f, "v", "v");
	begin(f);
	assert_tickets(f, "T-1 ready, T-2 ready");
	assert_sources(f, "*main:tickets v: w:.tickets");
	put_item("v/tickets/T-3", "ready");
	assert_tickets(f, "T-1 ready, T-2 ready, T-3 ready");
}

static void a_checkout_that_moved_is_followed(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	put_item("w/tickets/T-2", "ready");
	link_worktree(f, "w", "w");
	begin(f);
	assert_tickets(f, "T-1 ready, T-2 ready");
	run("mv w v");
	link_worktree(f, "w", "v");
	assert_tickets(f, "T-1 ready, T-2 ready");
	put_item("v/tickets/T-2", "done");
	assert_tickets(f, "T-1 ready, T-2 done");
}

static void the_authority_is_the_configured_one(void **state)
{
	struct folder *f = *state;

	put_item("top/tickets/T-1", "ready");
	put_item("w/tickets/T-1", "done");
	link_worktree(f, "w", "w");
	begin(f);
	assert_tickets(f, "T-1 ready");
	put("top/.git/config", "[ticketplan]\n\tauthority = w\n");
	assert_tickets(f, "T-1 done");
	assert_sources(f, "main:tickets *w:tickets");
	put("top/.git/config", "");
	assert_tickets(f, "T-1 ready");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(the_first_usual_root_that_holds_tickets_is_the_tree),
		with_folder(a_tree_may_hold_its_tickets_in_buckets_only),
		with_folder(the_configured_root_counts_even_if_it_is_empty),
		with_folder(a_configured_root_is_a_folder_of_the_checkout_however_it_is_written),
		with_folder(the_tree_may_be_the_whole_checkout),
		with_folder(a_usual_root_that_is_a_link_is_none),
		with_folder(a_root_configured_later_is_taken_in_the_next_turn),
		with_folder(without_a_tree_it_says_where_it_looked),
		with_folder(a_tree_that_appears_later_is_found),
		with_folder(a_tree_that_was_removed_and_made_anew_is_read_anew),
		with_folder(a_checkout_whose_top_moved_is_gone_until_it_is_back),
		with_folder(a_folder_above_that_moved_is_seen_where_somebody_asks),
		with_folder(a_lock_is_seen_by_the_next_turn_whether_or_not_it_reads_files),
		with_folder(a_lock_that_comes_while_files_are_read_is_seen_at_once),
		with_folder(git_that_goes_through_while_files_are_read_is_seen_at_once),
		with_folder(a_turn_sees_whatever_was_written_before_it),
		with_folder(what_was_written_here_is_not_read_again),
		with_folder(what_was_written_here_and_changed_before_anybody_looked_is_read),
		with_folder(what_was_written_here_and_changed_after_a_look_is_read),
		with_folder(a_turn_without_changes_keeps_the_generation),
		with_folder(a_rescan_finds_the_same),
		with_folder(a_link_or_a_pipe_in_a_files_place_makes_the_ticket_unreadable),
		with_folder(what_cannot_be_opened_for_want_of_descriptors_is_read_later),
		with_folder(a_tree_is_not_gone_that_cannot_be_listed_for_want_of_descriptors),
		with_folder(a_ticket_whose_folder_is_a_link_is_none),
		with_folder(files_beside_tickets_are_nobodys),
		with_folder(a_file_past_its_limit_makes_the_ticket_unreadable),
		with_folder(checkouts_appear_and_vanish_by_themselves),
		with_folder(each_checkout_finds_its_own_tree),
		with_folder(a_checkout_that_moved_is_followed),
		with_folder(the_authority_is_the_configured_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
