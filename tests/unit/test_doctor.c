/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "doctor.h"
#include "model.h"

#define OTHER(id) ",\"related_ticket\":\"" id "\""
#define PLAN      ",\"accepted_plan\":{\"summary\":\"do it\"}"

static int make_index(void **state)
{
	struct index *ix = index_new();

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	*state = ix;
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

static bool run(struct index *ix, const char *only, struct arena *arena, struct page *page,
		struct finding **rows, size_t *errors, struct fault *why)
{
	index_settle(ix);
	return doctor_run(ix, only ? index_find(ix, str_of(only)) : NULL, NULL, MODEL_NOW, arena, page,
			  rows, errors, why);
}

/* "code path:line:offset" of each, "; " between. */
static void assert_findings(struct index *ix, const char *only, const char *text, size_t errors)
{
	struct arena arena = { 0 };
	struct page page = { .limit = 1000 };
	struct finding *rows;
	struct fault why;
	struct buf said = { 0 };
	size_t counted;

	assert_true(run(ix, only, &arena, &page, &rows, &counted, &why));
	for (size_t i = 0; i < page.returned; i++)
		buf_addf(&said, "%s%s %.*s:%u:%lld", i ? "; " : "",
			 word(&words_problem, (int)rows[i].code), STR_ARG(rows[i].path),
			 rows[i].line, (long long)rows[i].offset);
	assert_string_equal(buf_text(&said), text);
	assert_int_equal(counted, errors);
	buf_release(&said);
	arena_release(&arena);
}

static void a_tree_in_order_has_no_findings(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	assert_findings(ix, NULL, "", 0);
	assert_findings(ix, "T-1", "", 0);
}

static void flaws_of_files_come_with_line_and_offset(void **state)
{
	struct index *ix = *state;

	model_put(ix, "main", "T-1/item.md", "---\ntitle: x\nslug: &a y\n---\n");
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", "\n[]\n{");
	model_put(ix, "main", "T-1/artifacts/records/R1.json", "{}");
	assert_findings(ix, NULL,
			"bad_record T-1/artifacts/orchestration-plan.jsonl:2:1; "
			"torn_tail T-1/artifacts/orchestration-plan.jsonl:3:4; "
			"wrong_ticket T-1/artifacts/records/R1.json:0:-1; "
			"bad_front_matter T-1/item.md:3:19",
			3);
	assert_findings(ix, "T-2", "", 0);
}

static void flaws_that_were_only_counted_are_summed_up(void **state)
{
	struct index *ix = *state;
	struct buf text = { 0 };
	struct arena arena = { 0 };
	struct page page = { .limit = 1000 };
	struct finding *rows;
	struct fault why;
	size_t errors;

	for (int i = 0; i < CONTENT_FLAWS_MAX + 36; i++)
		buf_addf(&text, "[]\n");
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", buf_text(&text));
	assert_true(run(ix, NULL, &arena, &page, &rows, &errors, &why));
	assert_int_equal(page.count, CONTENT_FLAWS_MAX + 1);
	assert_string_equal(rows[0].text.at, "and 36 more in this file");
	arena_release(&arena);
	buf_release(&text);
}

static void a_folder_without_item_and_one_that_is_there_twice_are_errors(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-3", "R1", "after", 1, OTHER("T-2"));
	model_put(ix, "main", "closed/T-2/item.md", "---\n---\n");
	assert_findings(ix, NULL, "found_twice T-2:0:-1; no_item T-3/item.md:0:-1", 2);
}

static void a_folder_of_a_bad_name_belongs_to_no_ticket(void **state)
{
	struct index *ix = *state;

	index_stray_put(ix, 0, STR("bad name"), PROBLEM_BAD_NAME, "no id");
	assert_findings(ix, NULL, "bad_name bad name:0:-1", 0);
	assert_findings(ix, "T-1", "", 0);
}

static void a_record_about_a_ticket_that_is_not_there_dangles(void **state)
{
	struct index *ix = *state;
	char *line = model_line("T-1", "P1", "related", 1, OTHER("T-9"));

	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-9"));
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", line);
	assert_findings(ix, NULL,
			"dangling T-1/artifacts/orchestration-plan.jsonl:1:-1; "
			"dangling T-1/artifacts/records/R1.json:0:-1",
			2);
	model_record(ix, "main", "T-1", "X1", "retraction", 2, ",\"retracts\":\"R1\"");
	model_record(ix, "main", "T-1", "X2", "retraction", 2, ",\"retracts\":\"P1\"");
	assert_findings(ix, NULL, "", 0);
	free(line);
}

/* -- Records that say the same ------------------------------------------------- */

static void assert_duplicate(struct index *ix, bool same, const char *kind, const char *ticket,
			     const char *other)
{
	char *fields = xasprintf(",\"related_ticket\":\"%s\"", other);
	char *path = xasprintf("%s/artifacts/records/R2.json", ticket);
	char *text = xasprintf("duplicate %s:0:-1", path);

	model_record(ix, "main", ticket, "R2", kind, 2, fields);
	assert_findings(ix, NULL, same ? text : "", 0);
	model_drop(ix, "main", path);
	free(fields);
	free(path);
	free(text);
}

static void two_records_that_say_the_same_are_duplicates_whoever_holds_them(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	assert_duplicate(ix, true, "blocked_by", "T-1", "T-2");
	assert_duplicate(ix, true, "blocks", "T-2", "T-1");
	assert_duplicate(ix, true, "depends_on", "T-1", "T-2");
	assert_duplicate(ix, false, "after", "T-1", "T-2");
	assert_duplicate(ix, false, "related", "T-1", "T-2");
	model_item(ix, "main", "T-3", "ready");
	assert_duplicate(ix, false, "blocked_by", "T-1", "T-3");
	assert_duplicate(ix, false, "blocked_by", "T-3", "T-2");
}

static void order_and_conflict_have_their_own_other_sides(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	assert_duplicate(ix, true, "before", "T-2", "T-1");
	model_record(ix, "main", "T-1", "R1", "conflicts_with", 1, OTHER("T-2"));
	assert_duplicate(ix, true, "conflicts_with", "T-2", "T-1");
	assert_duplicate(ix, true, "do_not_parallelize", "T-2", "T-1");
	assert_duplicate(ix, true, "do_not_parallelize", "T-1", "T-2");
}

static void of_kinds_that_hold_nothing_each_is_its_own(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "supersedes", 1, OTHER("T-2"));
	assert_duplicate(ix, true, "supersedes", "T-1", "T-2");
	assert_duplicate(ix, false, "duplicate_of", "T-1", "T-2");
	assert_duplicate(ix, false, "supersedes", "T-2", "T-1");
}

static void a_relation_and_a_record_that_say_the_same_are_duplicates(void **state)
{
	struct index *ix = *state;
	char *relations = model_relations("T-1", "depends_on", "T-2", 1);

	model_put(ix, "main", "T-1/artifacts/relations.json", relations);
	assert_duplicate(ix, true, "blocked_by", "T-1", "T-2");
	model_item(ix, "main", "T-2", "done");
	assert_duplicate(ix, false, "blocked_by", "T-1", "T-2");
	free(relations);
}

static void a_retracted_record_duplicates_nothing(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "X1", "retraction", 3, ",\"retracts\":\"R1\"");
	assert_duplicate(ix, false, "blocked_by", "T-1", "T-2");
}

static void duplicates_are_told_of_either_ticket_and_of_no_other(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-3", "ready");
	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_record(ix, "main", "T-2", "R2", "blocks", 2, OTHER("T-1"));
	assert_findings(ix, "T-1", "duplicate T-2/artifacts/records/R2.json:0:-1", 0);
	assert_findings(ix, "T-2", "duplicate T-2/artifacts/records/R2.json:0:-1", 0);
	assert_findings(ix, "T-3", "", 0);
}

/* -- What the records together come to ------------------------------------------- */

static void tickets_that_wait_for_each_other_are_a_cycle(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-3", "ready");
	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_record(ix, "main", "T-3", "R2", "before", 1, OTHER("T-2"));
	assert_findings(ix, NULL, "", 0);
	model_record(ix, "main", "T-3", "R3", "depends_on", 1, OTHER("T-1"));
	assert_findings(ix, NULL, "cycle T-1/item.md:0:-1", 1);
	assert_findings(ix, "T-2", "cycle T-1/item.md:0:-1", 1);
	model_item(ix, "main", "T-3", "done");
	assert_findings(ix, NULL, "", 0);
}

static void a_wait_that_is_over_or_has_no_end_is_said(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "waiting_capacity_note", 1, ",\"note\":\"n\"");
	model_record(ix, "main", "T-1", "R2", "waiting_capacity_note", 1,
		     ",\"note\":\"n\",\"until\":{\"free\":1}");
	assert_findings(ix, NULL,
			"wait_unbounded T-1/artifacts/records/R1.json:0:-1; "
			"wait_over T-1/artifacts/records/R2.json:0:-1",
			0);
	model_item(ix, "main", "T-1", "done");
	assert_findings(ix, NULL, "", 0);
}

static void work_without_an_accepted_plan_or_past_a_hold_is_said(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "inprogress");
	assert_findings(ix, NULL, "unrecorded T-1/item.md:0:-1", 0);
	model_record(ix, "main", "T-1", "R1", "accepted_plan", 1, PLAN);
	assert_findings(ix, NULL, "", 0);
	model_record(ix, "main", "T-1", "R2", "blocked_by", 1, OTHER("T-2"));
	assert_findings(ix, NULL, "past_hold T-1/item.md:0:-1", 0);
	model_item(ix, "main", "T-1", "queued");
	assert_findings(ix, NULL, "accepted_not_started T-1/item.md:0:-1", 0);
}

static void work_in_any_checkout_is_looked_at(void **state)
{
	struct index *ix = *state;

	model_item(ix, "feature", "T-1", "inprogress");
	model_record(ix, "main", "T-1", "R2", "blocked_by", 1, OTHER("T-2"));
	assert_findings(ix, NULL, "unrecorded T-1/item.md:0:-1; past_hold T-1/item.md:0:-1", 0);
	model_record(ix, "main", "T-1", "R1", "accepted_plan", 1, PLAN);
	model_item(ix, "main", "T-2", "done");
	assert_findings(ix, NULL, "", 0);
	model_drop(ix, "main", "T-1/artifacts/records/R1.json");
	model_item(ix, "main", "T-1", "done");
	assert_findings(ix, NULL, "", 0);
}

static void one_file_in_two_checkouts_is_told_in_the_order_of_their_names(void **state)
{
	(void)state;
	struct index *ix = index_new();
	struct arena arena = { 0 };
	struct page page = { .limit = 1000 };
	struct finding *rows;
	struct fault why;
	size_t errors;

	model_item(ix, "zebra", "T-1", "bad");
	model_item(ix, "alpha", "T-1", "bad");
	assert_true(run(ix, NULL, &arena, &page, &rows, &errors, &why));
	assert_int_equal(page.returned, 2);
	assert_string_equal(index_source(ix, rows[0].source)->name, "alpha");
	arena_release(&arena);
	index_free(ix);
}

static void a_path_of_one_machine_in_a_record_is_a_leak(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "T-1", "R1", "after", 1,
		     OTHER("T-2") ",\"note\":\"see /home/ann/x\"");
	model_record(ix, "main", "T-2", "R2", "related", 1,
		     OTHER("T-1") ",\"note\":\"see /api/v2\"");
	assert_findings(ix, NULL, "leak T-1/artifacts/records/R1.json:0:-1", 0);
}

/* -- Pages -------------------------------------------------------------------------- */

static void pages_together_are_the_list(void **state)
{
	struct index *ix = *state;
	struct arena arena = { 0 };
	struct finding *rows;
	struct fault why;
	size_t errors;
	char id[16];

	for (int i = 0; i < 7; i++) {
		snprintf(id, sizeof(id), "R%d", i);
		model_record(ix, "main", "T-1", id, "after", i, OTHER("T-9"));
	}
	index_settle(ix);
	for (int64_t limit = 1; limit < 16; limit++) {
		struct page page = { .limit = limit };
		size_t told = 0;
		do {
			page.cursor = page.next;
			page.next = STR_NONE;
			assert_true(run(ix, NULL, &arena, &page, &rows, &errors, &why));
			assert_int_equal(page.first, told);
			told += page.returned;
		} while (page.next.at);
		/* Seven that dangle, six that say what the first does. */
		assert_int_equal(told, 13);
		assert_int_equal(errors, 7);
	}
	arena_release(&arena);
}

static void a_cursor_that_no_page_gave_out_is_refused(void **state)
{
	struct index *ix = *state;
	static const char *const bad[] = { "x", "-1", "1x", "99999999999", " 1" };
	struct arena arena = { 0 };
	struct finding *rows;
	struct fault why;
	size_t errors;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct page page = { .cursor = str_of(bad[i]) };
		assert_false(run(ix, NULL, &arena, &page, &rows, &errors, &why));
		assert_int_equal(why.code, FAULT_BAD_ARGUMENT);
	}
	struct page behind = { .cursor = STR("1000") };
	assert_true(run(ix, NULL, &arena, &behind, &rows, &errors, &why));
	assert_int_equal(behind.returned, 0);
	assert_null(behind.next.at);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(a_tree_in_order_has_no_findings),
		with_index(flaws_of_files_come_with_line_and_offset),
		with_index(flaws_that_were_only_counted_are_summed_up),
		with_index(a_folder_without_item_and_one_that_is_there_twice_are_errors),
		with_index(a_folder_of_a_bad_name_belongs_to_no_ticket),
		with_index(a_record_about_a_ticket_that_is_not_there_dangles),
		with_index(two_records_that_say_the_same_are_duplicates_whoever_holds_them),
		with_index(order_and_conflict_have_their_own_other_sides),
		with_index(of_kinds_that_hold_nothing_each_is_its_own),
		with_index(a_relation_and_a_record_that_say_the_same_are_duplicates),
		with_index(a_retracted_record_duplicates_nothing),
		with_index(duplicates_are_told_of_either_ticket_and_of_no_other),
		with_index(tickets_that_wait_for_each_other_are_a_cycle),
		with_index(a_wait_that_is_over_or_has_no_end_is_said),
		with_index(work_without_an_accepted_plan_or_past_a_hold_is_said),
		with_index(work_in_any_checkout_is_looked_at),
		cmocka_unit_test(one_file_in_two_checkouts_is_told_in_the_order_of_their_names),
		with_index(a_path_of_one_machine_in_a_record_is_a_leak),
		with_index(pages_together_are_the_list),
		with_index(a_cursor_that_no_page_gave_out_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
