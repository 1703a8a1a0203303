/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "stance.h"

#define PLAN "orchestration-plan.jsonl"

/* Two records of one plan file, as written at that time with that note. */
static struct content *plan(const char *at, const char *note)
{
	char *text = xasprintf("{\"id\":\"R1\",\"ticket_id\":\"T-1\",\"kind\":\"after\","
			       "\"related_ticket\":\"T-2\",\"note\":\"%s\",\"author\":\"ann\","
			       "\"at\":\"%s\"}\n"
			       "{\"id\":\"R2\",\"ticket_id\":\"T-1\",\"kind\":\"before\","
			       "\"related_ticket\":\"T-3\",\"author\":\"ann\","
			       "\"at\":\"2026-05-02T00:00:00Z\"}\n",
			       note, at);
	struct content *c = artifact_parse(ROLE_PLAN, STR("T-1"), STR(PLAN), str_of(text));

	free(text);
	assert_int_equal(c->record_count, 2);
	return c;
}

static void add(struct stances *s, struct content *c, uint32_t n, const char *source)
{
	/* The text need not stay. */
	char path[] = ".tickets/T-1/artifacts/" PLAN "-and-more";

	stances_add(s, c, &c->records[n], source, "/top",
		    (struct str){ path, sizeof(path) - sizeof("-and-more") },
		    (struct str){ path + 9, sizeof(path) - sizeof("-and-more") - 9 });
	memset(path, 'x', sizeof(path) - 1);
}

static void a_record_is_found_by_itself_and_its_checkout(void **state)
{
	struct content *c = plan("2026-05-01T00:00:00Z", "n");
	struct stances *s = xcalloc(1, sizeof(*s));

	(void)state;
	assert_null(stances_find(s, &c->records[0], "main"));
	add(s, c, 0, "main");
	add(s, c, 0, "aside");
	add(s, c, 1, "aside");
	assert_int_equal(s->count, 3);
	assert_int_equal(s->unknown, 3);
	assert_ptr_equal(stances_find(s, &c->records[0], "main"), &s->at[0]);
	assert_ptr_equal(stances_find(s, &c->records[0], "aside"), &s->at[1]);
	assert_ptr_equal(stances_find(s, &c->records[1], "aside"), &s->at[2]);
	assert_null(stances_find(s, &c->records[1], "main"));
	stances_free(s);
	content_free(c);
}

static void what_is_asked_for_outlives_who_asked(void **state)
{
	struct content *c = plan("2026-05-01T00:00:00Z", "n");
	struct stances *s = xcalloc(1, sizeof(*s));

	(void)state;
	add(s, c, 0, "main");
	content_free(c);
	const struct stance *one = &s->at[0];
	assert_true(str_is(one->record->id, "R1"));
	assert_string_equal(one->top, "/top");
	assert_string_equal(one->path, ".tickets/T-1/artifacts/" PLAN);
	assert_string_equal(one->inner, "T-1/artifacts/" PLAN);
	assert_false(one->known);
	stances_free(s);
}

static void to_free_nothing_is_fine(void **state)
{
	(void)state;
	stances_free(NULL);
	stances_free(xcalloc(1, sizeof(struct stances)));
}

/* Who was asked when is part of what a record is: the same words at another time are another. */
static void a_file_holds_a_record_that_it_has_as_it_is(void **state)
{
	struct content *asked = plan("2026-05-01T00:00:00Z", "n");
	struct content *same = plan("2026-05-01T00:00:00Z", "n");
	struct content *later = plan("2026-05-01T00:00:01Z", "n");
	struct content *other = plan("2026-05-01T00:00:00Z", "m");

	(void)state;
	assert_true(stance_holds(asked, &asked->records[0]));
	assert_true(stance_holds(same, &asked->records[0]));
	assert_true(stance_holds(same, &asked->records[1]));
	assert_false(stance_holds(later, &asked->records[0]));
	assert_true(stance_holds(later, &asked->records[1]));
	assert_false(stance_holds(other, &asked->records[0]));
	assert_false(stance_holds(NULL, &asked->records[0]));
	content_free(asked);
	content_free(same);
	content_free(later);
	content_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_found_by_itself_and_its_checkout),
		cmocka_unit_test(what_is_asked_for_outlives_who_asked),
		cmocka_unit_test(to_free_nothing_is_fine),
		cmocka_unit_test(a_file_holds_a_record_that_it_has_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
