/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "model.h"
#include "view.h"

static void a_source_by_itself_says_what_it_would_alone(void **state)
{
	struct index *both = index_new(), *alone = index_new();
	struct buf got = { 0 }, wanted = { 0 };

	(void)state;
	model_item(both, "main", "T-1", "queued");
	model_item(both, "side", "T-1", "done");
	model_item(both, "main", "T-2", "queued");
	model_record(both, "main", "T-1", "01A", "after", 1, ",\"related_ticket\":\"T-2\"");
	model_record(both, "side", "T-1", "01B", "after", 2, ",\"related_ticket\":\"T-9\"");
	model_item(alone, "side", "T-1", "done");
	model_record(alone, "side", "T-1", "01B", "after", 2, ",\"related_ticket\":\"T-9\"");
	index_settle(both);
	/* Who is alone is its own authority. */
	index_source_set(alone, model_source(alone, "side"), "/side", "tickets", true);
	index_settle(alone);
	index_source_set(both, model_source(both, "side"), "/side", "tickets", false);
	index_settle(both);
	struct index *view = view_of_source(both, model_source(both, "side"));
	model_dump(view, &got);
	model_dump(alone, &wanted);
	assert_string_equal(buf_text(&got), buf_text(&wanted));
	/* It lives on without the one it was made from. */
	index_free(both);
	assert_non_null(index_find(view, STR("T-1")));
	assert_null(index_find(view, STR("T-2")));
	index_free(view);
	index_free(alone);
	buf_release(&got);
	buf_release(&wanted);
}

static void a_view_lives_until_the_last_has_let_go(void **state)
{
	struct view *v = view_new(index_new(), "abc", "main", NULL);

	(void)state;
	assert_ptr_equal(view_share(v), v);
	view_free(v);
	assert_string_equal(v->commit, "abc");
	view_free(v);
	view_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_by_itself_says_what_it_would_alone),
		cmocka_unit_test(a_view_lives_until_the_last_has_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
