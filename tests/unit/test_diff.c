/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "diff.h"
#include "model.h"

static const char *said(struct index *from, struct index *to, const char *only)
{
	static struct buf out;
	struct arena arena = { 0 };
	struct page page = { 0 };
	struct diff_row *rows;
	struct fault why;

	index_settle(from);
	index_settle(to);
	assert_true(diff_of(from, to, str_of(only), MODEL_NOW, &arena, &page, &rows, &why));
	out.len = 0;
	for (size_t i = 0; i < page.count; i++)
		buf_addf(&out, "%s %.*s %.*s %s>%s; ", word(&words_change, (int)rows[i].what),
			 STR_ARG(rows[i].ticket),
			 STR_ARG(rows[i].d ? rows[i].d->record->id : STR("-")),
			 rows[i].before ? rows[i].before : "", rows[i].after ? rows[i].after : "");
	arena_release(&arena);
	return buf_text(&out);
}

static void an_index_and_itself_are_the_same(void **state)
{
	struct index *ix = index_new();

	(void)state;
	model_item(ix, "main", "T-1", "queued");
	model_record(ix, "main", "T-1", "01A", "after", 1, ",\"related_ticket\":\"T-9\"");
	assert_string_equal(said(ix, ix, NULL), "");
	index_free(ix);
}

static void each_kind_of_change_is_told_once(void **state)
{
	struct index *from = index_new(), *to = index_new();

	(void)state;
	model_item(from, "main", "T-1", "queued");
	model_item(to, "main", "T-1", "queued");
	model_item(from, "main", "T-2", "queued");
	model_item(to, "main", "T-2", "done");
	model_item(from, "main", "T-3", "ready");
	model_item(to, "main", "T-4", "ready");
	model_record(from, "main", "T-1", "01A", "after", 1, ",\"related_ticket\":\"T-2\"");
	model_record(to, "main", "T-1", "01A", "after", 1, ",\"related_ticket\":\"T-2\"");
	model_record(from, "main", "T-1", "01B", "related", 1, ",\"related_ticket\":\"T-2\"");
	model_record(to, "main", "T-1", "01B", "related", 1, ",\"related_ticket\":\"T-4\"");
	model_record(from, "main", "T-1", "01C", "related", 2, ",\"related_ticket\":\"T-2\"");
	model_record(to, "main", "T-1", "01D", "related", 3, ",\"related_ticket\":\"T-2\"");
	assert_string_equal(said(from, to, NULL),
			    "verdict T-1 - held>clear; record_added T-1 01D >live; "
			    "record_removed T-1 01C live>; record_changed T-1 01B live>live; "
			    "record_status T-1 01A live>satisfied; state T-2 - queued>done; "
			    "verdict T-2 - clear>not_queued; ticket_removed T-3 - ready>; "
			    "ticket_added T-4 - >ready; ");
	assert_string_equal(said(from, to, "T-3"), "ticket_removed T-3 - ready>; ");
	index_free(from);
	index_free(to);
}

static void records_of_a_ticket_that_came_or_went_are_told_too(void **state)
{
	struct index *none = index_new(), *one = index_new();

	(void)state;
	model_item(one, "main", "T-1", "ready");
	model_record(one, "main", "T-1", "01A", "related", 1, ",\"related_ticket\":\"T-2\"");
	assert_string_equal(said(none, one, NULL),
			    "ticket_added T-1 - >ready; record_added T-1 01A >dangling; ");
	assert_string_equal(said(one, none, NULL),
			    "ticket_removed T-1 - ready>; record_removed T-1 01A dangling>; ");
	index_free(none);
	index_free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_and_itself_are_the_same),
		cmocka_unit_test(each_kind_of_change_is_told_once),
		cmocka_unit_test(records_of_a_ticket_that_came_or_went_are_told_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
