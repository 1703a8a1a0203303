/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "model.h"

#define OTHER(id) ",\"related_ticket\":\"" id "\""
#define PLAN      ",\"accepted_plan\":{\"summary\":\"do it\"}"

static int make_index(void **state)
{
	*state = index_new();
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

static struct ticket *find(struct index *ix, const char *id)
{
	return index_find(ix, str_of(id));
}

static const struct decision *own(struct index *ix, const char *ticket, const char *record)
{
	const struct ticket *t = find(ix, ticket);

	for (uint32_t i = 0; t && i < t->own_count; i++)
		if (str_is(t->own[i].record->id, record))
			return &t->own[i];
	return NULL;
}

static const char *state_of(struct index *ix, const char *id)
{
	return word(&words_state, find(ix, id)->state);
}

/* -- Generation ----------------------------------------------------------- */

static void the_generation_rises_only_when_something_changed(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	assert_true(index_settle(ix));
	uint64_t before = index_generation(ix);
	assert_false(index_settle(ix));
	model_item(ix, "main", "T-1", "queued");
	model_drop(ix, "main", "T-9");
	model_drop(ix, "main", "T-1/artifacts");
	model_drop(ix, "main", "T-1/artifacts/records/R1.json");
	assert_false(index_settle(ix));
	assert_int_equal(index_generation(ix), before);
	model_item(ix, "main", "T-1", "ready");
	assert_true(index_settle(ix));
	assert_int_equal(index_generation(ix), before + 1);
}

static void a_scan_that_finds_everything_as_it_was_changes_nothing(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	index_stray_put(ix, 0, STR("bad name"), PROBLEM_BAD_NAME, "no id");
	index_settle(ix);
	index_scan_begin(ix, 0);
	model_item(ix, "main", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	index_stray_put(ix, 0, STR("bad name"), PROBLEM_BAD_NAME, "no id");
	index_scan_end(ix, 0);
	assert_false(index_settle(ix));
}

static void whoever_touches_it_raises_the_generation(void **state)
{
	struct index *ix = *state;
	uint64_t before = index_generation(ix);

	index_touch(ix);
	assert_true(index_settle(ix));
	assert_int_equal(index_generation(ix), before + 1);
}

/* -- Finding --------------------------------------------------------------- */

static void a_ticket_is_found_by_id_and_by_slug(void **state)
{
	struct index *ix = *state;
	struct ticket *t;
	struct fault why;

	model_put(ix, "main", "open/T-1/item.md", "---\nslug: first\n---\n");
	model_put(ix, "main", "open/T-2/item.md", "---\nslug: second\n---\n");
	index_settle(ix);
	assert_true(index_resolve(ix, STR("T-1"), &t, &why));
	assert_true(str_is(t->id, "T-1"));
	assert_true(index_resolve(ix, STR("second"), &t, &why));
	assert_true(str_is(t->id, "T-2"));
	assert_false(index_resolve(ix, STR("third"), &t, &why));
	assert_int_equal(why.code, FAULT_NOT_FOUND);
}

static void an_id_goes_before_a_slug(void **state)
{
	struct index *ix = *state;
	struct ticket *t;
	struct fault why;

	model_put(ix, "main", "open/T-1/item.md", "---\nslug: T-2\n---\n");
	model_put(ix, "main", "open/T-2/item.md", "---\nslug: x\n---\n");
	index_settle(ix);
	assert_true(index_resolve(ix, STR("T-2"), &t, &why));
	assert_true(str_is(t->id, "T-2"));
}

static void a_slug_of_two_tickets_is_ambiguous(void **state)
{
	struct index *ix = *state;
	struct ticket *t;
	struct fault why;

	/* In whatever order they came, the answer is the same. */
	model_put(ix, "main", "open/T-3/item.md", "---\nslug: same\n---\n");
	model_put(ix, "main", "open/T-1/item.md", "---\nslug: same\n---\n");
	model_put(ix, "main", "closed/T-2/item.md", "---\nslug: same\n---\n");
	index_settle(ix);
	assert_false(index_resolve(ix, STR("same"), &t, &why));
	assert_int_equal(why.code, FAULT_AMBIGUOUS);
	assert_non_null(strstr(why.text, "T-1 and of T-2"));
}

static void an_empty_name_is_nobodys_slug(void **state)
{
	struct index *ix = *state;
	struct ticket *t;
	struct fault why;

	model_item(ix, "main", "T-1", "ready");
	index_settle(ix);
	assert_false(index_resolve(ix, STR(""), &t, &why));
	assert_int_equal(why.code, FAULT_NOT_FOUND);
}

static void a_ticket_that_is_only_named_is_known_and_not_there(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "ready");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	index_settle(ix);
	assert_null(find(ix, "T-2"));
	assert_non_null(index_named(ix, STR("T-2")));
	assert_int_equal(index_count(ix), 1);
	model_drop(ix, "main", "T-1/artifacts/records/R1.json");
	index_settle(ix);
	assert_null(index_named(ix, STR("T-2")));
}

static void tickets_are_listed_by_id(void **state)
{
	struct index *ix = *state;
	size_t count;

	model_item(ix, "main", "b", "ready");
	model_item(ix, "main", "B", "ready");
	model_item(ix, "main", "a", "ready");
	index_settle(ix);
	struct ticket *const *all = index_tickets(ix, &count);
	assert_int_equal(count, 3);
	assert_true(str_is(all[0]->id, "B"));
	assert_true(str_is(all[1]->id, "a"));
	assert_true(str_is(all[2]->id, "b"));
	model_drop(ix, "main", "a");
	index_settle(ix);
	all = index_tickets(ix, &count);
	assert_int_equal(count, 2);
	assert_true(str_is(all[1]->id, "b"));
}

/* -- Dropping --------------------------------------------------------------- */

static void fill(struct index *ix)
{
	model_item(ix, "main", "T-1", "ready");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R2", "after", 2, OTHER("T-3"));
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", "");
	model_put(ix, "main", "open/T-2/item.md", "---\n---\n");
	model_put(ix, "main", "opener/item.md", "---\n---\n");
	index_stray_put(ix, 0, STR("bad name"), PROBLEM_BAD_NAME, "no id");
	index_stray_put(ix, 0, STR("open/bad name"), PROBLEM_BAD_NAME, "no id");
	index_settle(ix);
}

static void a_dropped_file_takes_its_records_along(void **state)
{
	struct index *ix = *state;

	fill(ix);
	assert_int_equal(index_record_count(ix), 2);
	model_drop(ix, "main", "T-1/artifacts/records/R1.json");
	index_settle(ix);
	assert_int_equal(index_record_count(ix), 1);
	assert_null(own(ix, "T-1", "R1"));
	assert_null(find(ix, "T-2")->incoming);
}

static void an_id_is_found_in_whichever_other_ticket_has_it(void **state)
{
	struct index *ix = *state;
	const struct decision *d;
	char id[16];

	model_item(ix, "main", "T-1", "ready");
	model_item(ix, "main", "T-2", "ready");
	index_settle(ix);
	assert_null(index_record_beside(ix, STR("R7"), NULL));
	/* More than the table that was made above has room for. */
	for (int i = 0; i < 3000; i++) {
		snprintf(id, sizeof(id), "R%d", i);
		model_record(ix, "main", i % 2 ? "T-1" : "T-2", id, "after", 1, OTHER("T-3"));
	}
	index_settle(ix);
	for (int i = 0; i < 3000; i++) {
		snprintf(id, sizeof(id), "R%d", i);
		d = index_record_beside(ix, str_of(id), find(ix, i % 2 ? "T-2" : "T-1"));
		assert_non_null(d);
		assert_string_equal(d->ticket->id.at, i % 2 ? "T-1" : "T-2");
		assert_null(index_record_beside(ix, str_of(id), d->ticket));
	}
	assert_null(index_record_beside(ix, STR("R3000"), NULL));
	model_drop(ix, "main", "T-1");
	index_settle(ix);
	assert_null(index_record_beside(ix, STR("R7"), NULL));
}

static void an_id_of_a_lost_record_is_found_and_one_of_a_plan_file_is_not(void **state)
{
	struct index *ix = *state;
	static const char lost[] = "T-1/artifacts/records/R1.json";
	char *line = model_line("T-1", "R2", "after", 1, OTHER("T-3"));

	model_item(ix, "main", "T-1", "ready");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", line);
	index_settle(ix);
	index_lost_put(ix, STR(lost), content_share(index_doc(ix, 0, STR(lost))->content));
	model_drop(ix, "main", lost);
	index_settle(ix);
	assert_non_null(index_record_beside(ix, STR("R1"), NULL));
	assert_null(index_record_beside(ix, STR("R2"), NULL));
	free(line);
}

static void dropped_folders_of_records_and_artifacts_take_all_below_along(void **state)
{
	struct index *ix = *state;

	fill(ix);
	model_drop(ix, "main", "T-1/artifacts/records");
	index_settle(ix);
	assert_int_equal(index_record_count(ix), 0);
	fill(ix);
	assert_int_equal(index_record_count(ix), 2);
	model_drop(ix, "main", "T-1/artifacts");
	index_settle(ix);
	assert_int_equal(index_record_count(ix), 0);
	assert_int_equal(find(ix, "T-1")->copies->doc_count, 0);
	assert_string_equal(state_of(ix, "T-1"), "ready");
}

static void a_ticket_without_item_is_there_while_it_has_artifacts(void **state)
{
	struct index *ix = *state;

	fill(ix);
	model_drop(ix, "main", "T-1/item.md");
	index_settle(ix);
	assert_string_equal(state_of(ix, "T-1"), "unknown");
	assert_true(find(ix, "T-1")->unreadable);
	model_drop(ix, "main", "T-1/artifacts");
	index_settle(ix);
	assert_null(find(ix, "T-1"));
}

static void a_dropped_folder_of_a_ticket_takes_the_ticket_along(void **state)
{
	struct index *ix = *state;

	fill(ix);
	model_drop(ix, "main", "T-1");
	index_settle(ix);
	assert_null(find(ix, "T-1"));
	assert_null(find(ix, "T-2")->incoming);
	assert_null(index_named(ix, STR("T-3")));
	assert_int_equal(index_count(ix), 2);
}

static void a_dropped_bucket_takes_only_its_own_along(void **state)
{
	struct index *ix = *state;

	fill(ix);
	model_drop(ix, "main", "open");
	index_settle(ix);
	assert_null(find(ix, "T-2"));
	assert_non_null(find(ix, "opener"));
	assert_non_null(find(ix, "T-1"));
	assert_int_equal(index_flaw_count(ix), 1);
}

static void a_dropped_tree_leaves_nothing(void **state)
{
	struct index *ix = *state;

	fill(ix);
	model_item(ix, "feature", "T-1", "done");
	model_drop(ix, "main", "");
	index_settle(ix);
	assert_int_equal(index_count(ix), 1);
	assert_int_equal(index_record_count(ix), 0);
	assert_int_equal(index_flaw_count(ix), 0);
	assert_null(index_strays(ix));
	assert_string_equal(state_of(ix, "T-1"), "done");
}

static void a_scan_forgets_what_was_not_told(void **state)
{
	struct index *ix = *state;

	fill(ix);
	model_item(ix, "feature", "T-9", "done");
	index_settle(ix);
	index_scan_begin(ix, 0);
	model_item(ix, "main", "T-1", "ready");
	model_record(ix, "main", "T-1", "R2", "after", 2, OTHER("T-3"));
	index_scan_end(ix, 0);
	index_settle(ix);
	assert_null(own(ix, "T-1", "R1"));
	assert_non_null(own(ix, "T-1", "R2"));
	assert_null(find(ix, "T-2"));
	assert_null(index_strays(ix));
	assert_int_equal(index_flaw_count(ix), 0);
	assert_non_null(find(ix, "T-9"));
}

static void a_stray_problem_is_one_a_place_and_the_last_word_counts(void **state)
{
	struct index *ix = *state;

	model_source(ix, "main");
	index_stray_put(ix, 0, STR("a b"), PROBLEM_BAD_NAME, "no id");
	index_stray_put(ix, 0, STR("a b/c d"), PROBLEM_BAD_NAME, "no id");
	index_stray_put(ix, 0, STR("a b"), PROBLEM_NOT_REGULAR, "a pipe");
	index_settle(ix);
	assert_int_equal(index_flaw_count(ix), 2);
	model_drop(ix, "main", "a b");
	index_settle(ix);
	assert_int_equal(index_flaw_count(ix), 0);
}

/* -- Records ----------------------------------------------------------------- */

static void a_retraction_takes_a_record_of_any_form_back(void **state)
{
	struct index *ix = *state;
	char *line = model_line("T-1", "P1", "after", 1, OTHER("T-2"));
	char *relations = model_relations("T-1", "depends_on", "T-2", 1);

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", line);
	model_put(ix, "main", "T-1/artifacts/relations.json", relations);
	model_record(ix, "main", "T-1", "X1", "retraction", 2, ",\"retracts\":\"R1\"");
	model_record(ix, "main", "T-1", "X2", "retraction", 2, ",\"retracts\":\"P1\"");
	model_record(ix, "main", "T-1", "X3", "retraction", 2, ",\"retracts\":\"depends_on:T-2\"");
	model_record(ix, "main", "T-1", "X4", "retraction", 2, ",\"retracts\":\"nothing seen\"");
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "R1"), "retracted");
	assert_string_equal(model_status(ix, "T-1", "P1"), "retracted");
	assert_string_equal(model_status(ix, "T-1", "depends_on:T-2"), "retracted");
	assert_string_equal(model_status(ix, "T-1", "X1"), "satisfied");
	assert_string_equal(model_gate(ix, "T-1"), "clear");
	free(line);
	free(relations);
}

static void a_relation_written_again_after_its_retraction_is_live(void **state)
{
	struct index *ix = *state;
	char *again = model_relations("T-1", "depends_on", "T-2", 3);
	char *same_time = model_relations("T-1", "depends_on", "T-2", 2);

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	model_record(ix, "main", "T-1", "X1", "retraction", 2, ",\"retracts\":\"depends_on:T-2\"");
	model_put(ix, "main", "T-1/artifacts/relations.json", same_time);
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "depends_on:T-2"), "retracted");
	model_put(ix, "main", "T-1/artifacts/relations.json", again);
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "depends_on:T-2"), "live");
	free(again);
	free(same_time);
}

static void a_retraction_of_a_record_outlives_a_later_time_of_it(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "after", 5, OTHER("T-2"));
	model_record(ix, "main", "T-1", "X1", "retraction", 2, ",\"retracts\":\"R1\"");
	model_record(ix, "main", "T-1", "X2", "retraction", 3, ",\"retracts\":\"X1\"");
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "R1"), "retracted");
}

static void a_later_plan_supersedes_plans_and_notes_and_nothing_else(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	model_record(ix, "main", "T-1", "R1", "accepted_plan", 1, PLAN);
	model_record(ix, "main", "T-1", "R2", "waiting_capacity_note", 2, ",\"note\":\"n\"");
	model_record(ix, "main", "T-1", "R3", "after", 2, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R4", "accepted_plan", 3, PLAN);
	model_record(ix, "main", "T-1", "R5", "waiting_capacity_note", 4, ",\"note\":\"n\"");
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "R1"), "superseded");
	assert_string_equal(model_status(ix, "T-1", "R2"), "superseded");
	assert_string_equal(model_status(ix, "T-1", "R3"), "live");
	assert_string_equal(model_status(ix, "T-1", "R4"), "live");
	assert_string_equal(model_status(ix, "T-1", "R5"), "live");
}

static void a_record_is_satisfied_when_its_ticket_or_what_it_waits_for_is(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "done");
	model_item(ix, "main", "T-3", "closed");
	model_record(ix, "main", "T-1", "R1", "blocked_by", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R2", "conflicts_with", 1, OTHER("T-3"));
	model_record(ix, "main", "T-1", "R3", "related", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R4", "supersedes", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R5", "duplicate_of", 1, OTHER("T-2"));
	model_record(ix, "main", "T-1", "R6", "before", 1, OTHER("T-9"));
	model_record(ix, "main", "T-1", "R7", "accepted_plan", 1, PLAN);
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "R1"), "satisfied");
	assert_string_equal(model_status(ix, "T-1", "R2"), "satisfied");
	assert_string_equal(model_status(ix, "T-1", "R3"), "live");
	assert_string_equal(model_status(ix, "T-1", "R4"), "live");
	assert_string_equal(model_status(ix, "T-1", "R5"), "live");
	assert_string_equal(model_status(ix, "T-1", "R6"), "dangling");
	assert_string_equal(model_status(ix, "T-1", "R7"), "live");
	model_item(ix, "main", "T-1", "done");
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "R6"), "satisfied");
	assert_string_equal(model_status(ix, "T-1", "R7"), "satisfied");
	assert_string_equal(model_status(ix, "T-1", "R3"), "live");
}

/* -- Several checkouts --------------------------------------------------------- */

static void records_are_the_union_over_checkouts(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_record(ix, "feature", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_record(ix, "feature", "T-1", "R2", "after", 2, OTHER("T-3"));
	index_settle(ix);
	assert_int_equal(index_record_count(ix), 2);
	int main_bit = model_source(ix, "main"), feature_bit = model_source(ix, "feature");
	assert_int_equal(own(ix, "T-1", "R1")->sources,
			 UINT64_C(1) << main_bit | UINT64_C(1) << feature_bit);
	assert_int_equal(own(ix, "T-1", "R2")->sources, UINT64_C(1) << feature_bit);
	assert_false(own(ix, "T-1", "R1")->diverged);
}

static void the_same_content_in_two_checkouts_is_held_once(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_record(ix, "feature", "T-1", "R1", "after", 1, OTHER("T-2"));
	index_settle(ix);
	const struct copy *a = find(ix, "T-1")->copies, *b = a->next;
	assert_ptr_equal(a->item, b->item);
	assert_ptr_equal(a->docs[0]->content, b->docs[0]->content);
	assert_ptr_equal(a->docs[0]->path, b->docs[0]->path);
	model_drop(ix, "main", "T-1");
	index_settle(ix);
	assert_string_equal(find(ix, "T-1")->copies->docs[0]->path, "T-1/artifacts/records/R1.json");
	assert_string_equal(state_of(ix, "T-1"), "queued");
	assert_non_null(own(ix, "T-1", "R1"));
}

static void folders_of_buckets_are_the_same_in_two_checkouts(void **state)
{
	struct index *ix = *state;
	const char *item = "---\ntitle: \"a\"\nstate: queued\n---\n";

	model_put(ix, "main", "open/T-1/item.md", item);
	model_put(ix, "feature", "open/T-1/item.md", item);
	model_put(ix, "other", "closed/T-1/item.md", item);
	index_settle(ix);
	const struct copy *a = find(ix, "T-1")->copies, *b = a->next;
	assert_ptr_equal(a->dir, b->dir);
	assert_string_equal(b->next->dir, "closed/T-1");
	model_drop(ix, "feature", "open/T-1");
	index_settle(ix);
	assert_string_equal(find(ix, "T-1")->copies->dir, "open/T-1");
}

static void add_files(struct index *ix, int count)
{
	for (int i = 0; i < count; i++) {
		char id[16];
		snprintf(id, sizeof(id), "R%02d", i * 7 % count);
		model_record(ix, "main", "T-1", id, "after", 1, OTHER("T-2"));
	}
	index_settle(ix);
}

static void files_of_a_ticket_are_found_by_path_whatever_came_and_went(void **state)
{
	struct index *ix = *state;
	uint32_t kept = 0;

	model_item(ix, "main", "T-1", "queued");
	add_files(ix, 40);
	const struct copy *copy = find(ix, "T-1")->copies;
	for (int i = 0; i < 40; i++) {
		char path[64];
		snprintf(path, sizeof(path), "T-1/artifacts/records/R%02d.json", i);
		assert_string_equal(copy_doc(copy, str_of(path))->path, path);
		assert_ptr_equal(index_doc(ix, copy->source, str_of(path)), copy->docs[kept]);
		if (i % 3 == 0)
			model_drop(ix, "main", path);
		else
			kept++;
		assert_int_equal(!copy_doc(copy, str_of(path)), i % 3 == 0);
	}
	assert_int_equal(copy->doc_count, kept);
	const struct doc *doc = copy->docs[0];
	while (kept-- > 1)
		doc = doc_behind(doc);
	assert_string_equal(doc->path, "T-1/artifacts/records/R38.json");
	assert_null(doc_behind(doc));
	model_drop(ix, "main", "T-1/artifacts");
	assert_int_equal(copy->doc_count, 0);
}

static void the_authoritys_record_counts_else_that_of_the_first_by_name(void **state)
{
	struct index *ix = *state;

	model_item(ix, "zebra", "T-1", "queued");
	model_item(ix, "alpha", "T-1", "queued");
	model_item(ix, "main", "T-1", "queued");
	model_record(ix, "zebra", "T-1", "R1", "after", 1, OTHER("T-2") ",\"note\":\"zebra\"");
	model_record(ix, "alpha", "T-1", "R1", "after", 1, OTHER("T-2") ",\"note\":\"alpha\"");
	index_settle(ix);
	assert_true(str_is(own(ix, "T-1", "R1")->record->note, "alpha"));
	assert_true(own(ix, "T-1", "R1")->diverged);
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2") ",\"note\":\"main\"");
	index_settle(ix);
	assert_true(str_is(own(ix, "T-1", "R1")->record->note, "main"));
	assert_int_equal(index_record_count(ix), 1);
}

static void a_record_is_the_same_though_its_file_has_others_in_one_checkout(void **state)
{
	struct index *ix = *state;
	char *first = model_line("T-1", "P1", "after", 1, OTHER("T-2"));
	char *second = model_line("T-1", "P2", "after", 2, OTHER("T-3"));
	char *both = xasprintf("%s%s", second, first);

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "queued");
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", first);
	model_put(ix, "feature", "T-1/artifacts/orchestration-plan.jsonl", both);
	index_settle(ix);
	assert_int_equal(index_record_count(ix), 2);
	assert_false(own(ix, "T-1", "P1")->diverged);
	assert_false(own(ix, "T-1", "P2")->diverged);
	free(first);
	free(second);
	free(both);
}

static void an_id_that_stands_twice_in_every_checkout_alike_is_no_difference(void **state)
{
	struct index *ix = *state;
	char *first = model_line("T-1", "P1", "after", 1, OTHER("T-2"));
	char *second = model_line("T-1", "P1", "after", 2, OTHER("T-3"));
	char *both = xasprintf("%s%s", first, second);

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "queued");
	model_put(ix, "main", "T-1/artifacts/orchestration-plan.jsonl", both);
	model_put(ix, "feature", "T-1/artifacts/orchestration-plan.jsonl", both);
	index_settle(ix);
	struct ticket *t = find(ix, "T-1");
	assert_int_equal(t->own_count, 2);
	assert_false(t->own[0].diverged);
	assert_false(t->own[1].diverged);
	free(first);
	free(second);
	free(both);
}

static void a_record_that_differs_in_any_field_diverges(void **state)
{
	struct index *ix = *state;
	static const char *const others[] = {
		",\"kind\":\"after\",\"related_ticket\":\"T-2\",\"note\":\"n\"",
		",\"kind\":\"before\",\"related_ticket\":\"T-2\"",
		",\"kind\":\"after\",\"related_ticket\":\"T-3\"",
		",\"kind\":\"accepted_plan\",\"accepted_plan\":{\"summary\":\"s\"}",
	};

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		char *text = xasprintf("{\"id\":\"R1\",\"ticket_id\":\"T-1\"%s,\"author\":\"ann\","
				       "\"at\":\"2026-05-01T01:00:00Z\"}",
				       others[i]);
		model_put(ix, "feature", "T-1/artifacts/records/R1.json", text);
		index_settle(ix);
		assert_true(own(ix, "T-1", "R1")->diverged);
		free(text);
	}
	model_record(ix, "feature", "T-1", "R1", "after", 2, OTHER("T-2"));
	index_settle(ix);
	assert_true(own(ix, "T-1", "R1")->diverged);
	model_record(ix, "feature", "T-1", "R1", "after", 1, OTHER("T-2"));
	index_settle(ix);
	assert_false(own(ix, "T-1", "R1")->diverged);
}

static void plans_and_waits_that_differ_diverge(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "accepted_plan", 1, PLAN);
	model_record(ix, "feature", "T-1", "R1", "accepted_plan", 1,
		     ",\"accepted_plan\":{\"summary\":\"do it\",\"branch\":\"b\"}");
	model_record(ix, "main", "T-1", "R2", "waiting_capacity_note", 1,
		     ",\"note\":\"n\",\"until\":{\"free\":1}");
	model_record(ix, "feature", "T-1", "R2", "waiting_capacity_note", 1,
		     ",\"note\":\"n\",\"until\":{\"free\":2}");
	model_record(ix, "main", "T-1", "R3", "waiting_capacity_note", 1, ",\"note\":\"n\"");
	model_record(ix, "feature", "T-1", "R3", "waiting_capacity_note", 1,
		     ",\"until\":null,\"note\":\"n\"");
	index_settle(ix);
	assert_true(own(ix, "T-1", "R1")->diverged);
	assert_true(own(ix, "T-1", "R2")->diverged);
	assert_false(own(ix, "T-1", "R3")->diverged);
}

static void a_retraction_in_one_checkout_counts_in_all(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "queued");
	model_record(ix, "main", "T-1", "R1", "after", 1, OTHER("T-2"));
	model_record(ix, "feature", "T-1", "X1", "retraction", 2, ",\"retracts\":\"R1\"");
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "R1"), "retracted");
}

static void the_authoritys_state_counts(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "done");
	index_settle(ix);
	struct ticket *t = find(ix, "T-1");
	assert_string_equal(state_of(ix, "T-1"), "queued");
	assert_true(t->diverged);
	assert_false(t->elsewhere);
	assert_int_equal(t->resolved_elsewhere, model_source(ix, "feature"));
	index_source_set(ix, model_source(ix, "main"), "/top", ".tickets", false);
	index_source_set(ix, model_source(ix, "feature"), "/top", ".tickets", true);
	index_settle(ix);
	assert_string_equal(state_of(ix, "T-1"), "done");
}

static void where_the_authority_has_none_the_furthest_state_counts(void **state)
{
	struct index *ix = *state;

	model_source(ix, "main");
	model_item(ix, "a", "T-1", "queued");
	model_item(ix, "b", "T-1", "inprogress");
	model_item(ix, "c", "T-1", "bad");
	index_settle(ix);
	struct ticket *t = find(ix, "T-1");
	assert_string_equal(state_of(ix, "T-1"), "inprogress");
	assert_true(t->elsewhere);
	assert_true(t->occupied);
}

static void of_two_copies_alike_the_first_by_name_is_shown(void **state)
{
	struct index *ix = *state;

	model_source(ix, "main");
	model_put(ix, "zebra", "T-1/item.md", "---\ntitle: of zebra\nstate: ready\n---\n");
	model_put(ix, "alpha", "T-1/item.md", "---\ntitle: of alpha\nstate: ready\n---\n");
	index_settle(ix);
	assert_true(str_is(ticket_item(find(ix, "T-1"))->title, "of alpha"));
}

static void in_progress_in_any_checkout_is_occupied(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "ready");
	model_item(ix, "feature", "T-1", "inprogress");
	index_settle(ix);
	assert_true(find(ix, "T-1")->occupied);
	assert_int_equal(index_occupied(ix), 1);
	model_item(ix, "feature", "T-1", "ready");
	index_settle(ix);
	assert_int_equal(index_occupied(ix), 0);
}

static void a_ticket_in_two_folders_of_a_checkout_is_unknown(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_put(ix, "main", "closed/T-1/item.md", "---\nstatus: closed\n---\n");
	index_settle(ix);
	assert_string_equal(state_of(ix, "T-1"), "unknown");
	assert_true(find(ix, "T-1")->twice);
	assert_true(find(ix, "T-1")->unreadable);
}

static void a_ticket_that_moved_its_folder_between_checkouts_is_one(void **state)
{
	struct index *ix = *state;

	model_put(ix, "main", "open/T-1/item.md", "---\nworkflow_state: ready\n---\n");
	model_put(ix, "feature", "closed/T-1/item.md", "---\nstatus: closed\n---\n");
	index_settle(ix);
	assert_string_equal(state_of(ix, "T-1"), "ready");
	assert_false(find(ix, "T-1")->twice);
	assert_int_equal(index_count(ix), 1);
}

static void a_dropped_source_leaves_what_others_have(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "feature", "T-1", "inprogress");
	model_item(ix, "feature", "T-2", "ready");
	index_stray_put(ix, model_source(ix, "feature"), STR("a b"), PROBLEM_BAD_NAME, "no id");
	index_settle(ix);
	index_source_drop(ix, model_source(ix, "feature"));
	index_settle(ix);
	assert_int_equal(index_count(ix), 1);
	assert_false(find(ix, "T-1")->diverged);
	assert_int_equal(index_occupied(ix), 0);
	assert_int_equal(index_flaw_count(ix), 0);
}

static void without_the_authoritys_tree_nothing_is_elsewhere(void **state)
{
	struct index *ix = *state;

	model_source(ix, "main");
	model_item(ix, "feature", "T-1", "queued");
	index_settle(ix);
	assert_true(find(ix, "T-1")->elsewhere);
	index_source_drop(ix, model_source(ix, "main"));
	index_settle(ix);
	assert_false(find(ix, "T-1")->elsewhere);
}

static void there_is_room_for_63_sources_and_no_more(void **state)
{
	struct index *ix = *state;
	char name[16];

	for (int i = 0; i < SOURCE_LOST; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		model_item(ix, name, "T-1", "ready");
	}
	assert_int_equal(index_source_add(ix, "one more"), -1);
	index_settle(ix);
	assert_int_equal(index_count(ix), 1);
	index_source_drop(ix, 7);
	assert_int_equal(index_source_add(ix, "one more"), 7);
}

/* -- Lost records ------------------------------------------------------- */

#define LOST_PATH "T-1/artifacts/records/01A.json"

static void put_lost_of(struct index *ix, const char *ticket)
{
	char *path = xasprintf("%s/artifacts/records/01A.json", ticket);
	char *line = model_line(ticket, "01A", "after", 1, OTHER("T-9"));

	index_lost_put(ix, str_of(path),
		       artifact_parse(ROLE_RECORD, str_of(ticket), STR("01A.json"), str_of(line)));
	free(line);
	free(path);
}

static void tickets_that_lost_records_are_each_met_once(void **state)
{
	struct index *ix = *state;
	const char *const ids[] = { "T-1", "T-2", "T-3" };

	for (size_t i = 0; i < COUNT_OF(ids); i++)
		put_lost_of(ix, ids[i]);
	index_lost_drop(ix, STR("T-2/artifacts/records/01A.json"));
	index_settle(ix);
	const struct ticket *a = index_lost_next(ix, NULL), *b = index_lost_next(ix, a);
	assert_ptr_not_equal(a, b);
	assert_true(a->lost && b->lost);
	assert_null(index_lost_next(ix, b));
}

static void put_lost(struct index *ix)
{
	struct str bytes = STR("{\"id\":\"01A\",\"ticket_id\":\"T-1\",\"kind\":\"after\","
			       "\"related_ticket\":\"T-2\",\"author\":\"a\","
			       "\"at\":\"2026-05-01T01:00:00Z\"}");

	index_lost_put(ix, STR(LOST_PATH),
		       artifact_parse(ROLE_RECORD, STR("T-1"), STR("01A.json"), bytes));
	index_settle(ix);
}

static void a_lost_record_counts_and_is_of_no_source(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	put_lost(ix);
	assert_string_equal(model_status(ix, "T-1", "01A"), "lost");
	assert_non_null(strstr(model_gate(ix, "T-1"), "held ordered/hold/plan T-2"));
	assert_ptr_equal(index_lost_next(ix, NULL), find(ix, "T-1"));
	assert_null(index_lost_next(ix, find(ix, "T-1")));
	model_item(ix, "main", "T-2", "done");
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "01A"), "satisfied");
	index_lost_drop(ix, STR(LOST_PATH));
	index_lost_drop(ix, STR(LOST_PATH));
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "01A"), "none");
	assert_null(index_lost_next(ix, NULL));
}

static void a_record_that_a_source_has_is_not_lost(void **state)
{
	struct index *ix = *state;

	model_item(ix, "main", "T-1", "queued");
	model_item(ix, "main", "T-2", "ready");
	put_lost(ix);
	model_record(ix, "main", "T-1", "01A", "after", 1, ",\"related_ticket\":\"T-2\"");
	index_settle(ix);
	assert_string_equal(model_status(ix, "T-1", "01A"), "live");
	assert_int_equal(find(ix, "T-1")->own_count, 1);
}

static void a_lost_record_brings_no_ticket(void **state)
{
	struct index *ix = *state;

	put_lost(ix);
	assert_null(index_find(ix, STR("T-1")));
	assert_int_equal(index_count(ix), 0);
	assert_non_null(index_lost_next(ix, NULL));
	assert_int_equal(index_record_count(ix), 1);
}

/* -- Every history comes to the same index --------------------------------------- */

#define TICKETS 5
#define PLACES  10 /* of files a Ticket and source */
#define SOURCES 4
#define ROUNDS  120

static const char *const source_names[SOURCES] = { "zebra", "main", "alpha", "mid" };

/* What there is: text by source, Ticket and place; NULL for no file. */
struct world {
	char *text[SOURCES][TICKETS][PLACES];
	bool there[SOURCES];
	uint64_t seed;
};

static char *path_in(unsigned ticket, unsigned place)
{
	static const char *const ends[PLACES] = {
		"T-%u/item.md",
		"open/T-%u/item.md",
		"closed/T-%u/item.md",
		"T-%u/artifacts/orchestration-plan.jsonl",
		"T-%u/artifacts/relations.json",
		"T-%u/artifacts/records/R0.json",
		"T-%u/artifacts/records/R1.json",
		"T-%u/artifacts/records/R2.json",
		"open/T-%u/artifacts/records/R1.json",
		"open/T-%u/artifacts/orchestration-plan.jsonl",
	};
	const char *end = ends[place], *hole = strstr(end, "%u");

	return xasprintf("%.*s%u%s", (int)(hole - end), end, ticket, hole + 2);
}

static char *random_item(struct world *w)
{
	unsigned state = model_random(&w->seed, STATE_UNKNOWN + 1);
	const char *name = state == STATE_UNKNOWN ? "bad" : word(&words_state, (int)state);

	if (model_random(&w->seed, 12) == 0)
		return xstrdup("no front matter\n");
	return xasprintf("---\ntitle: t%u\nslug: s%u\nstate: %s\nworkflow_state: %s\n"
			 "queued_at: 2026-05-01T%02u:00:00Z\n---\n",
			 model_random(&w->seed, 3), model_random(&w->seed, 3), name, name,
			 model_random(&w->seed, 4));
}

static char *random_line(struct world *w, unsigned ticket, const char *id)
{
	unsigned kind = model_random(&w->seed, KIND_STORED_COUNT);
	unsigned other = model_random(&w->seed, TICKETS + 1), hour = model_random(&w->seed, 4);
	char *fields, *line, *name = xasprintf("T-%u", ticket);

	if (kind == KIND_RETRACTION)
		fields = xasprintf(model_random(&w->seed, 3) ? ",\"retracts\":\"R%u\""
							     : ",\"retracts\":\"after:T-%u\"",
				   model_random(&w->seed, 3));
	else if (kind == KIND_WAITING_CAPACITY_NOTE)
		fields = xasprintf(",\"note\":\"n\",\"until\":{\"free\":%u}",
				   1 + model_random(&w->seed, 3));
	else if (kind == KIND_ACCEPTED_PLAN)
		fields = xstrdup(PLAN);
	else
		fields = xasprintf(",\"related_ticket\":\"T-%u\"", other);
	line = model_line(name, id, word(&words_kind, (int)kind), (int)hour, fields);
	free(fields);
	free(name);
	return line;
}

static char *random_plan(struct world *w, unsigned ticket)
{
	static const char *const ids[] = { "R0", "R1", "P1" };
	char *text = xstrdup("");

	for (unsigned n = model_random(&w->seed, 4); n > 0; n--) {
		char *line = random_line(w, ticket, ids[model_random(&w->seed, 3)]);
		char *longer = xasprintf("%s%s", text, line);
		free(line);
		free(text);
		text = longer;
	}
	return text;
}

static char *random_relations(struct world *w, unsigned ticket)
{
	static const char *const kinds[] = { "after", "depends_on", "related", "conflicts_with" };
	char *name = xasprintf("T-%u", ticket);
	char *target = xasprintf("T-%u", model_random(&w->seed, TICKETS + 1));
	char *text = model_relations(name, kinds[model_random(&w->seed, 4)], target,
				     (int)model_random(&w->seed, 4));

	free(name);
	free(target);
	return text;
}

static char *random_text(struct world *w, unsigned ticket, unsigned place)
{
	static const char *const ids[] = { "R0", "R1", "R2", "R1" };

	if (place < 3)
		return random_item(w);
	if (place == 3 || place == 9)
		return random_plan(w, ticket);
	return place == 4 ? random_relations(w, ticket) : random_line(w, ticket, ids[place - 5]);
}

static void forget_file(struct world *w, unsigned source, unsigned ticket, unsigned place)
{
	free(w->text[source][ticket][place]);
	w->text[source][ticket][place] = NULL;
}

static void put_file(struct world *w, struct index *ix, unsigned source, unsigned ticket,
		     unsigned place)
{
	char *path = path_in(ticket, place);

	if (w->text[source][ticket][place])
		model_put(ix, source_names[source], path, w->text[source][ticket][place]);
	else
		model_drop(ix, source_names[source], path);
	free(path);
}

/* A file is written, or vanishes. */
static void change_file(struct world *w, struct index *ix, unsigned source)
{
	unsigned ticket = model_random(&w->seed, TICKETS), place = model_random(&w->seed, PLACES);

	forget_file(w, source, ticket, place);
	if (model_random(&w->seed, 3))
		w->text[source][ticket][place] = random_text(w, ticket, place);
	put_file(w, ix, source, ticket, place);
}

/* What is below a folder vanishes: a Ticket, the records of one, a bucket, or the tree. */
static void drop_folder(struct world *w, struct index *ix, unsigned source)
{
	static const char *const folders[] = { "T-%u",           "open/T-%u",
					       "T-%u/artifacts", "T-%u/artifacts/records",
					       "open",           "" };
	unsigned which = model_random(&w->seed, COUNT_OF(folders));
	unsigned ticket = model_random(&w->seed, TICKETS);
	const char *hole = strstr(folders[which], "%u");
	char *folder = hole ? xasprintf("%.*s%u%s", (int)(hole - folders[which]), folders[which],
					ticket, hole + 2)
			    : xstrdup(folders[which]);

	for (unsigned t = 0; t < TICKETS; t++)
		for (unsigned p = 0; p < PLACES; p++) {
			char *path = path_in(t, p);
			if (!*folder || (str_starts(str_of(path), str_of(folder)) &&
					 path[strlen(folder)] == '/'))
				forget_file(w, source, t, p);
			free(path);
		}
	model_drop(ix, source_names[source], folder);
	free(folder);
}

static void drop_source(struct world *w, struct index *ix, unsigned source)
{
	for (unsigned t = 0; t < TICKETS; t++)
		for (unsigned p = 0; p < PLACES; p++)
			forget_file(w, source, t, p);
	index_source_drop(ix, model_source(ix, source_names[source]));
	w->there[source] = false;
}

static void tell_all(struct world *w, struct index *ix, unsigned source)
{
	model_source(ix, source_names[source]);
	for (unsigned t = 0; t < TICKETS; t++)
		for (unsigned p = 0; p < PLACES; p++)
			if (w->text[source][t][p])
				put_file(w, ix, source, t, p);
}

/* Files change behind our back; then everything is told again. */
static void rescan(struct world *w, struct index *ix, unsigned source)
{
	int id = model_source(ix, source_names[source]);

	for (int n = 0; n < 4; n++) {
		unsigned t = model_random(&w->seed, TICKETS), p = model_random(&w->seed, PLACES);
		forget_file(w, source, t, p);
		if (n % 2)
			w->text[source][t][p] = random_text(w, t, p);
	}
	index_scan_begin(ix, id);
	tell_all(w, ix, source);
	index_scan_end(ix, id);
}

static void step(struct world *w, struct index *ix)
{
	unsigned source = model_random(&w->seed, SOURCES), what = model_random(&w->seed, 40);

	w->there[source] = true;
	model_source(ix, source_names[source]);
	if (what == 0)
		drop_source(w, ix, source);
	else if (what == 1)
		rescan(w, ix, source);
	else if (what < 5)
		drop_folder(w, ix, source);
	else
		change_file(w, ix, source);
	if (model_random(&w->seed, 3) == 0)
		index_settle(ix);
}

/* An index of the same files that has seen nothing else. */
static struct index *rebuild(struct world *w)
{
	struct index *ix = index_new();

	for (unsigned s = 0; s < SOURCES; s++)
		if (w->there[s])
			tell_all(w, ix, s);
	index_settle(ix);
	return ix;
}

/* Line by line: the first that differs says more than two dumps. */
static void assert_same_lines(const char *a, const char *b)
{
	while (*a || *b) {
		int x = (int)strcspn(a, "\n"), y = (int)strcspn(b, "\n");
		char *one = xasprintf("%.*s", x, a), *two = xasprintf("%.*s", y, b);
		assert_string_equal(one, two);
		free(one);
		free(two);
		a += x + (a[x] == '\n');
		b += y + (b[y] == '\n');
	}
}

static void assert_same_as_new(struct world *w, struct index *ix)
{
	struct index *fresh = rebuild(w);
	struct buf now = { 0 }, then = { 0 };

	index_settle(ix);
	model_dump(ix, &now);
	model_dump(fresh, &then);
	assert_same_lines(buf_text(&now), buf_text(&then));
	buf_release(&now);
	buf_release(&then);
	index_free(fresh);
}

static void an_index_that_followed_every_change_is_as_one_made_anew(void **state)
{
	(void)state;

	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct world *w = xcalloc(1, sizeof(*w));
		struct index *ix = index_new();
		w->seed = seed;
		for (int round = 0; round < ROUNDS; round++) {
			for (unsigned n = 1 + model_random(&w->seed, 6); n > 0; n--)
				step(w, ix);
			assert_same_as_new(w, ix);
		}
		for (unsigned s = 0; s < SOURCES; s++)
			drop_source(w, ix, s);
		index_free(ix);
		free(w);
	}
}

/* The nth of the records that come to T-1 one after the other: mostly later than those before. */
static void put_nth(struct index *ix, unsigned n)
{
	static const struct {
		const char *kind, *fields;
	} kinds[] = {
		{ "related", ",\"related_ticket\":\"T-2\"" },
		{ "waiting_capacity_note", ",\"note\":\"x\"" },
		{ "blocked_by", ",\"related_ticket\":\"T-9\"" },
		{ "waiting_capacity_note", ",\"note\":\"x\",\"until\":{\"ticket\":\"T-2\",\"state\":\"done\"}" },
		{ "accepted_plan", ",\"accepted_plan\":{\"summary\":\"x\"}" },
		{ "waiting_capacity_note", ",\"note\":\"x\",\"until\":{\"after\":\"2030-01-01T00:00:00Z\"}" },
	};
	uint64_t seed = n + 1;
	unsigned which = model_random(&seed, COUNT_OF(kinds));
	char id[27], *fields = NULL;

	model_random(&seed, 2);
	snprintf(id, sizeof(id), "01J%023u", n);
	/* Retractions of one that is to come, and of one that was there. */
	if (n == 60 || n == 80)
		fields = xasprintf(",\"retracts\":\"01J%023u\",\"note\":\"x\"", n == 60 ? 63 : 77);
	model_record(ix, "main", "T-1", id, fields ? "retraction" : kinds[which].kind,
		     n % 17 == 16 ? 0 : (int)(n / 5), fields ? fields : kinds[which].fields);
	free(fields);
}

static void put_others(struct index *ix)
{
	model_item(ix, "main", "T-1", "ready");
	model_item(ix, "main", "T-2", "ready");
	model_record(ix, "main", "T-2", "01K00000000000000000000000", "after", 1,
		     ",\"related_ticket\":\"T-1\"");
}

/* One to which records 0 to `last` came is as one that had all of them at once. */
static void assert_grown(struct index *grown, unsigned last, void (*begin)(struct index *))
{
	struct index *anew = index_new();
	struct buf now = { 0 }, then = { 0 };

	begin(anew);
	for (unsigned n = 0; n <= last; n++)
		put_nth(anew, n);
	index_settle(anew);
	model_dump(grown, &now);
	model_dump(anew, &then);
	assert_same_lines(buf_text(&now), buf_text(&then));
	assert_int_equal(index_record_count(grown), index_record_count(anew));
	assert_int_equal(index_next_time(grown), index_next_time(anew));
	assert_int_equal(index_occupied(grown), index_occupied(anew));
	buf_release(&now);
	buf_release(&then);
	index_free(anew);
}

static void records_that_come_one_by_one_count_as_if_all_had_been_there(void **state)
{
	struct index *ix = *state;

	put_others(ix);
	for (unsigned n = 0; n < 100; n++) {
		put_nth(ix, n);
		/* Sometimes two at once. */
		if (n % 7 == 3)
			put_nth(ix, ++n);
		index_settle(ix);
		assert_grown(ix, n, put_others);
	}
	assert_string_equal(model_status(ix, "T-1", "01J00000000000000000000063"), "retracted");
	assert_string_equal(model_status(ix, "T-1", "01J00000000000000000000077"), "retracted");
}

static void put_relations(struct index *ix)
{
	char *relations = model_relations("T-1", "related", "T-3", 23);

	put_others(ix);
	model_put(ix, "main", "T-1/artifacts/relations.json", relations);
	free(relations);
}

static void records_that_come_before_what_was_there_count_too(void **state)
{
	struct index *ix = *state;

	put_relations(ix);
	for (unsigned n = 0; n < 20; n++) {
		put_nth(ix, n);
		index_settle(ix);
		assert_grown(ix, n, put_relations);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(records_that_come_one_by_one_count_as_if_all_had_been_there),
		with_index(records_that_come_before_what_was_there_count_too),
		with_index(the_generation_rises_only_when_something_changed),
		with_index(a_scan_that_finds_everything_as_it_was_changes_nothing),
		with_index(whoever_touches_it_raises_the_generation),
		with_index(a_ticket_is_found_by_id_and_by_slug),
		with_index(an_id_goes_before_a_slug),
		with_index(a_slug_of_two_tickets_is_ambiguous),
		with_index(an_empty_name_is_nobodys_slug),
		with_index(a_ticket_that_is_only_named_is_known_and_not_there),
		with_index(tickets_are_listed_by_id),
		with_index(a_dropped_file_takes_its_records_along),
		with_index(an_id_is_found_in_whichever_other_ticket_has_it),
		with_index(an_id_of_a_lost_record_is_found_and_one_of_a_plan_file_is_not),
		with_index(dropped_folders_of_records_and_artifacts_take_all_below_along),
		with_index(a_ticket_without_item_is_there_while_it_has_artifacts),
		with_index(a_dropped_folder_of_a_ticket_takes_the_ticket_along),
		with_index(a_dropped_bucket_takes_only_its_own_along),
		with_index(a_dropped_tree_leaves_nothing),
		with_index(a_scan_forgets_what_was_not_told),
		with_index(a_stray_problem_is_one_a_place_and_the_last_word_counts),
		with_index(a_retraction_takes_a_record_of_any_form_back),
		with_index(a_relation_written_again_after_its_retraction_is_live),
		with_index(a_retraction_of_a_record_outlives_a_later_time_of_it),
		with_index(a_later_plan_supersedes_plans_and_notes_and_nothing_else),
		with_index(a_record_is_satisfied_when_its_ticket_or_what_it_waits_for_is),
		with_index(records_are_the_union_over_checkouts),
		with_index(the_same_content_in_two_checkouts_is_held_once),
		with_index(the_authoritys_record_counts_else_that_of_the_first_by_name),
		with_index(a_record_is_the_same_though_its_file_has_others_in_one_checkout),
		with_index(an_id_that_stands_twice_in_every_checkout_alike_is_no_difference),
		with_index(a_record_that_differs_in_any_field_diverges),
		with_index(plans_and_waits_that_differ_diverge),
		with_index(a_retraction_in_one_checkout_counts_in_all),
		with_index(the_authoritys_state_counts),
		with_index(where_the_authority_has_none_the_furthest_state_counts),
		with_index(of_two_copies_alike_the_first_by_name_is_shown),
		with_index(in_progress_in_any_checkout_is_occupied),
		with_index(a_ticket_in_two_folders_of_a_checkout_is_unknown),
		with_index(a_ticket_that_moved_its_folder_between_checkouts_is_one),
		with_index(a_dropped_source_leaves_what_others_have),
		with_index(without_the_authoritys_tree_nothing_is_elsewhere),
		with_index(a_lost_record_counts_and_is_of_no_source),
		with_index(a_record_that_a_source_has_is_not_lost),
		with_index(a_lost_record_brings_no_ticket),
		with_index(tickets_that_lost_records_are_each_met_once),
		with_index(folders_of_buckets_are_the_same_in_two_checkouts),
		with_index(files_of_a_ticket_are_found_by_path_whatever_came_and_went),
		with_index(there_is_room_for_63_sources_and_no_more),
		cmocka_unit_test(an_index_that_followed_every_change_is_as_one_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
