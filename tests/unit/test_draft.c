/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base.h"
#include "draft.h"
#include "model.h"

#define ULID "01JAAAAAAAAAAAAAAAAAAAAAAA"

static int make_index(void **state)
{
	struct index *ix = index_new();

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "queued");
	index_settle(ix);
	*state = ix;
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

static struct draft make(struct index *ix, enum kind kind)
{
	struct draft d = { .id = STR(ULID),
			   .kind = kind,
			   .ticket = index_find(ix, STR("T-1")),
			   .author = STR("ann"),
			   .at = MODEL_NOW + 1234567 };

	if (kind_row(kind)->takes == TAKES_TICKET)
		d.other = STR("T-2");
	if (kind_row(kind)->takes == TAKES_NOTE)
		d.note = STR("no hands");
	if (kind_row(kind)->takes == TAKES_PLAN)
		d.plan.summary = STR("do it");
	if (kind_row(kind)->takes == TAKES_RECORD) {
		d.retracts = STR("R1");
		d.note = STR("an error");
	}
	return d;
}

/* -- Conditions -------------------------------------------------------------- */

static void each_form_of_a_condition_is_read(void **state)
{
	struct until u;
	struct fault why;

	assert_true(draft_until(*state, STR("human"), &u, &why));
	assert_int_equal(u.form, UNTIL_HUMAN);
	assert_true(draft_until(*state, STR("free:12"), &u, &why));
	assert_true(u.form == UNTIL_FREE && u.free == 12);
	assert_true(draft_until(*state, STR("after:2026-06-01T02:00:00+02:00"), &u, &why));
	assert_true(u.form == UNTIL_AFTER && u.after == MODEL_NOW);
	assert_true(draft_until(*state, STR("ticket:T-2=done"), &u, &why));
	assert_true(u.form == UNTIL_TICKET && u.state == STATE_DONE && str_is(u.ticket, "T-2"));
}

static void what_is_no_condition_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"soon",
		"Human",
		"free",
		"free:",
		"free:0",
		"free:-1",
		"free:1x",
		"free:9999999999",
		"after:",
		"after:tomorrow",
		"ticket:",
		"ticket:T-2",
		"ticket:T-2=",
		"ticket:T-2=unknown",
		"ticket:T-2=over",
	};
	struct until u;
	struct fault why;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_false(draft_until(*state, str_of(rows[i]), &u, &why));
		assert_int_equal(why.code, FAULT_INVALID);
	}
	assert_false(draft_until(*state, STR("ticket:T-9=done"), &u, &why));
	assert_int_equal(why.code, FAULT_NOT_FOUND);
}

/* -- Checks ------------------------------------------------------------------ */

static bool passes(struct index *ix, struct draft d, struct fault *why)
{
	struct arena arena = { 0 };
	bool ok = draft_check(ix, &d, &arena, why);

	arena_release(&arena);
	return ok;
}

static void each_kind_passes_with_what_it_takes(void **state)
{
	struct fault why;

	for (enum kind kind = 0; kind < KIND_STORED_COUNT; kind++)
		assert_true(passes(*state, make(*state, kind), &why));
}

static void each_kind_lacks_what_it_takes_without(void **state)
{
	struct fault why;

	for (enum kind kind = 0; kind < KIND_STORED_COUNT; kind++) {
		struct draft d = make(*state, kind);
		d.other = d.note = d.plan.summary = d.retracts = STR_NONE;
		assert_false(passes(*state, d, &why));
		assert_int_equal(why.code, FAULT_INVALID);
	}
}

static void what_a_kind_does_not_take_is_refused(void **state)
{
	struct fault why;

	for (enum kind kind = 0; kind < KIND_STORED_COUNT; kind++) {
		enum kind_takes takes = kind_row(kind)->takes;
		struct draft d = make(*state, kind);
		d.other = STR("T-2");
		assert_int_equal(passes(*state, d, &why), takes == TAKES_TICKET);
		d = make(*state, kind);
		d.until.form = UNTIL_HUMAN;
		assert_int_equal(passes(*state, d, &why), takes == TAKES_NOTE);
		struct str *fields[] = { &d.plan.branch, &d.plan.worktree, &d.plan.role_plan };
		for (size_t i = 0; i < COUNT_OF(fields); i++) {
			d = make(*state, kind);
			*fields[i] = STR("x");
			assert_int_equal(passes(*state, d, &why), takes == TAKES_PLAN);
		}
	}
}

static void texts_have_their_limits(void **state)
{
	static char big[16 * 1024 + 1];
	struct fault why;
	struct draft d = make(*state, KIND_ACCEPTED_PLAN);
	const struct {
		struct str *at;
		const char *name;
		size_t max;
	} rows[] = { { &d.note, "note", 16384 },
		     { &d.plan.summary, "message", 16384 },
		     { &d.plan.role_plan, "role_plan", 16384 },
		     { &d.plan.branch, "branch", 1024 },
		     { &d.plan.worktree, "worktree", 1024 },
		     { &d.author, "author", 1024 } };

	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str before = *rows[i].at;
		*rows[i].at = (struct str){ big, rows[i].max };
		assert_true(passes(*state, d, &why));
		rows[i].at->len++;
		assert_false(passes(*state, d, &why));
		assert_memory_equal(why.text, rows[i].name, strlen(rows[i].name));
		*rows[i].at = STR("two\nlines");
		assert_int_equal(passes(*state, d, &why), rows[i].max > 1024);
		*rows[i].at = STR("in /home");
		assert_true(passes(*state, d, &why));
		*rows[i].at = STR("in /home/ann/x");
		assert_false(passes(*state, d, &why));
		assert_memory_equal(why.text, rows[i].name, strlen(rows[i].name));
		*rows[i].at = before;
	}
}

static void a_blank_text_is_none(void **state)
{
	struct index *ix = *state;
	struct arena arena = { 0 };
	struct fault why;

	for (enum kind kind = 0; kind < KIND_STORED_COUNT; kind++) {
		struct draft d = make(ix, kind);
		struct str *fields[] = { &d.note,          &d.plan.summary,   &d.plan.branch,
					 &d.plan.worktree, &d.plan.role_plan, &d.author };
		for (size_t i = 0; i < COUNT_OF(fields); i++)
			if (!fields[i]->len)
				*fields[i] = i % 2 ? STR("") : STR(" \n");
		assert_true(draft_check(ix, &d, &arena, &why));
		for (size_t i = 0; i < COUNT_OF(fields); i++)
			assert_true(!fields[i]->at == !fields[i]->len);
	}
	arena_release(&arena);
}

static void a_text_that_is_needed_is_not_blank(void **state)
{
	struct fault why;

	for (enum kind kind = 0; kind < KIND_STORED_COUNT; kind++) {
		struct draft d = make(*state, kind);
		d.note = d.plan.summary = STR(" \n");
		bool needed = kind_row(kind)->takes != TAKES_TICKET;
		assert_int_equal(passes(*state, d, &why), !needed);
		if (needed)
			assert_non_null(strstr(why.text, " needs a message "));
	}
}

static void an_id_is_a_ulid_or_absent(void **state)
{
	struct draft d = make(*state, KIND_AFTER);
	struct fault why;

	d.id = STR_NONE;
	assert_true(passes(*state, d, &why));
	d.id = STR("01jaaaaaaaaaaaaaaaaaaaaaaa");
	assert_false(passes(*state, d, &why));
	d.id = STR("");
	assert_false(passes(*state, d, &why));
}

static void a_ticket_is_not_related_to_itself(void **state)
{
	struct draft d = make(*state, KIND_AFTER);
	struct fault why;

	d.other = STR("T-1");
	assert_false(passes(*state, d, &why));
	assert_string_equal(why.text, "a Ticket cannot be related to itself");
}

/* -- The file ---------------------------------------------------------------- */

static void the_file_has_its_keys_in_order(void **state)
{
	struct draft d = make(*state, KIND_ACCEPTED_PLAN);

	d.note = STR("a \"note\"\n\xe6\x97\xa5");
	d.plan.branch = STR("b");
	struct ledger_entry *e = draft_entry(*state, &d, NULL);
	assert_string_equal(e->root, "/top/.tickets");
	assert_string_equal(e->dir, "T-1");
	assert_string_equal(e->name, ULID ".json");
	char *path = layout_record(e->dir, e->name);
	assert_string_equal(e->path, path);
	free(path);
	assert_string_equal(
		buf_text(&e->bytes),
		"{\n  \"id\": \"" ULID "\",\n  \"ticket_id\": \"T-1\",\n"
		"  \"kind\": \"accepted_plan\",\n  \"note\": \"a \\\"note\\\"\\n\xe6\x97\xa5\",\n"
		"  \"accepted_plan\": {\n    \"summary\": \"do it\",\n    \"branch\": \"b\"\n"
		"  },\n  \"author\": \"ann\",\n  \"at\": \"2026-06-01T00:00:01.234Z\"\n}\n");
	ledger_entry_free(e);
}

/* Else its time would sort, as text, behind what was decided after it. */
static void no_record_is_dated_a_whole_second(void **state)
{
	struct draft d = make(*state, KIND_BLOCKS);

	d.at = MODEL_NOW;
	struct ledger_entry *e = draft_entry(*state, &d, NULL);
	assert_non_null(strstr(buf_text(&e->bytes), "\"at\": \"2026-06-01T00:00:00.001Z\""));
	ledger_entry_free(e);
}

/* What a file was written from says what its bytes do, and is known by them. */
static void assert_as_read(const struct ledger_entry *e)
{
	struct str name = str_of(e->name), bytes = { e->bytes.at, e->bytes.len };
	struct content *read = artifact_parse(ROLE_RECORD, STR("T-1"), name, bytes);
	struct content *written = artifact_written(STR("T-1"), name, bytes, e->said);

	assert_true(content_same(read, written));
	assert_int_equal(read->record_count, 1);
	assert_int_equal(written->record_count, 1);
	const struct record *a = &read->records[0], *b = &written->records[0];
	assert_int_equal(written->flaw_count, read->flaw_count);
	assert_true(str_eq(a->id, b->id));
	assert_true(record_same(a, b));
	assert_int_equal(a->origin, b->origin);
	assert_int_equal(a->at, b->at);
	assert_int_equal(a->line, b->line);
	assert_int_equal(a->suspect, b->suspect);
	content_free(read);
	content_free(written);
}

/* What is written is read again as what was meant: every kind, every condition. */
static void a_file_says_what_its_draft_does(void **state)
{
	static const char *const untils[] = { NULL, "human", "free:3", "ticket:T-2=done",
					      "after:2026-06-01T00:00:00.000001Z" };
	struct index *ix = *state;
	struct fault why;

	for (enum kind kind = 0; kind < KIND_STORED_COUNT; kind++)
		for (size_t i = 0; i < (kind == KIND_WAITING_CAPACITY_NOTE ? COUNT_OF(untils) : 1);
		     i++) {
			struct draft d = make(ix, kind);
			if (untils[i])
				assert_true(draft_until(ix, str_of(untils[i]), &d.until, &why));
			struct ledger_entry *e = draft_entry(ix, &d, NULL);
			model_put(ix, "main", "T-1/artifacts/records/" ULID ".json",
				  buf_text(&e->bytes));
			index_settle(ix);
			const struct decision *stored =
				ticket_record(index_find(ix, STR("T-1")), STR(ULID));
			assert_non_null(stored);
			assert_int_equal(stored->record->at, MODEL_NOW + 1234000);
			assert_true(draft_is(stored, e));
			assert_as_read(e);
			ledger_entry_free(e);
		}
	assert_null(ticket_record(index_find(ix, STR("T-2")), STR(ULID)));
	assert_int_equal(index_flaw_count(ix), 0);
}

/* Also what JSON escapes, or has to leave out: git's user.name may be of any bytes. */
static void every_character_is_taken_as_it_would_be_read(void **state)
{
	static const char wide[] = "\xc2\x80\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbf\xf0\x9f\x98\x80";
	struct draft d = make(*state, KIND_AFTER);
	char note[0x7f + sizeof(wide)];

	for (int c = 1; c <= 0x7f; c++)
		note[c - 1] = (char)c;
	memcpy(note + 0x7f, wide, sizeof(wide));
	d.note = str_of(note);
	for (int named = 0; named < 2; named++) {
		d.author = named ? STR("J\xc3\xb6rg") : STR("J\xf6rg");
		struct ledger_entry *e = draft_entry(*state, &d, NULL);
		struct str bytes = { e->bytes.at, e->bytes.len };
		struct content *c = artifact_written(STR("T-1"), STR(ULID ".json"), bytes, e->said);
		assert_as_read(e);
		assert_true(str_eq(c->records[0].note, d.note));
		assert_true(str_eq(c->records[0].author, named ? d.author : STR("")));
		content_free(c);
		ledger_entry_free(e);
	}
}

static void a_draft_that_differs_in_anything_but_time_is_another(void **state)
{
	struct index *ix = *state;
	struct draft d = make(ix, KIND_ACCEPTED_PLAN);
	struct str *fields[] = { &d.note,          &d.plan.summary,   &d.plan.branch,
				 &d.plan.worktree, &d.plan.role_plan, &d.author };

	struct ledger_entry *e = draft_entry(ix, &d, NULL);
	model_put(ix, "main", "T-1/artifacts/records/" ULID ".json", buf_text(&e->bytes));
	ledger_entry_free(e);
	index_settle(ix);
	const struct decision *stored = ticket_record(index_find(ix, STR("T-1")), STR(ULID));
	d.at += 86400000000;
	for (size_t i = 0; i <= COUNT_OF(fields); i++) {
		struct str before = STR_NONE;
		if (i < COUNT_OF(fields)) {
			before = *fields[i];
			*fields[i] = STR("other");
		}
		e = draft_entry(ix, &d, stored);
		assert_int_equal(draft_is(stored, e), i == COUNT_OF(fields));
		ledger_entry_free(e);
		if (i < COUNT_OF(fields))
			*fields[i] = before;
	}
}

static void a_record_goes_where_states_count_or_where_the_ticket_is(void **state)
{
	struct index *ix = *state;

	model_item(ix, "aside", "T-1", "queued");
	model_item(ix, "aside", "T-3", "queued");
	index_source_set(ix, model_source(ix, "aside"), "/aside", "tickets", false);
	index_settle(ix);
	struct draft d = make(ix, KIND_AFTER);
	struct ledger_entry *e = draft_entry(ix, &d, NULL);
	assert_string_equal(e->root, "/top/.tickets");
	ledger_entry_free(e);
	d.ticket = index_find(ix, STR("T-3"));
	e = draft_entry(ix, &d, NULL);
	assert_string_equal(e->root, "/aside/tickets");
	ledger_entry_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(each_form_of_a_condition_is_read),
		with_index(what_is_no_condition_is_refused),
		with_index(each_kind_passes_with_what_it_takes),
		with_index(each_kind_lacks_what_it_takes_without),
		with_index(what_a_kind_does_not_take_is_refused),
		with_index(texts_have_their_limits),
		with_index(a_blank_text_is_none),
		with_index(a_text_that_is_needed_is_not_blank),
		with_index(an_id_is_a_ulid_or_absent),
		with_index(a_ticket_is_not_related_to_itself),
		with_index(the_file_has_its_keys_in_order),
		with_index(no_record_is_dated_a_whole_second),
		with_index(a_file_says_what_its_draft_does),
		with_index(every_character_is_taken_as_it_would_be_read),
		with_index(a_draft_that_differs_in_anything_but_time_is_another),
		with_index(a_record_goes_where_states_count_or_where_the_ticket_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
