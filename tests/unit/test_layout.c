/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>

#include <cmocka.h>

#include "base.h"
#include "layout.h"

static void an_id_is_letters_digits_and_three_signs(void **state)
{
	(void)state;
	static const char *const good[] = { "T-1", "a", "0", "20260101-120000_x.y", "Z--", "a..b" };
	static const char *const bad[] = { "",         "-a",  ".a",  "_a", "a b", "a/b",
					   "\xc3\xa4", "a\n", "a:b", "..", "a\\b" };

	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(layout_id_ok(str_of(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(layout_id_ok(str_of(bad[i])));
	assert_false(layout_id_ok((struct str){ "a\0b", 3 }));
}

static void an_id_has_at_most_128_characters(void **state)
{
	(void)state;
	char name[130];

	memset(name, 'a', sizeof(name));
	assert_true(layout_id_ok((struct str){ name, 128 }));
	assert_false(layout_id_ok((struct str){ name, 129 }));
}

static bool is_among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static void each_place_has_its_roles(void **state)
{
	(void)state;
	static const struct {
		enum role parent;
		const char *name;
		enum role role;
	} rows[] = {
		{ ROLE_ROOT, "T-1", ROLE_TICKET },
		{ ROLE_ROOT, "open", ROLE_BUCKET },
		{ ROLE_ROOT, "pending", ROLE_BUCKET },
		{ ROLE_ROOT, "closed", ROLE_BUCKET },
		{ ROLE_ROOT, "Open", ROLE_TICKET },
		{ ROLE_ROOT, "bad name", ROLE_BAD },
		{ ROLE_ROOT, ".git", ROLE_NONE },
		{ ROLE_BUCKET, "T-1", ROLE_TICKET },
		{ ROLE_BUCKET, "open", ROLE_TICKET },
		{ ROLE_BUCKET, "-x", ROLE_BAD },
		{ ROLE_TICKET, "item.md", ROLE_ITEM },
		{ ROLE_TICKET, "Item.md", ROLE_NONE },
		{ ROLE_TICKET, "thread.md", ROLE_NONE },
		{ ROLE_TICKET, "artifacts", ROLE_ARTIFACTS },
		{ ROLE_ARTIFACTS, "records", ROLE_RECORDS },
		{ ROLE_ARTIFACTS, "orchestration-plan.jsonl", ROLE_PLAN },
		{ ROLE_ARTIFACTS, "relations.json", ROLE_RELATIONS },
		{ ROLE_ARTIFACTS, "relations.json~", ROLE_NONE },
		{ ROLE_ARTIFACTS, "item.md", ROLE_NONE },
		{ ROLE_RECORDS, "X.json", ROLE_RECORD },
		{ ROLE_RECORDS, ".X.json", ROLE_NONE },
		{ ROLE_RECORDS, ".json", ROLE_NONE },
		{ ROLE_RECORDS, "X.json.tmp", ROLE_NONE },
		{ ROLE_RECORDS, "X.JSON", ROLE_NONE },
		{ ROLE_RECORD, "X.json", ROLE_NONE },
		{ ROLE_NONE, "T-1", ROLE_NONE },
		{ ROLE_BAD, "T-1", ROLE_NONE },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *const *names = layout_names(rows[i].parent);
		assert_int_equal(layout_role(rows[i].parent, str_of(rows[i].name)), rows[i].role);
		assert_int_equal(names && is_among(names, rows[i].name),
				 (rows[i].parent == ROLE_TICKET || rows[i].parent == ROLE_ARTIFACTS) &&
					 rows[i].role);
	}
	assert_null(layout_names(ROLE_ROOT));
	assert_null(layout_names(ROLE_BUCKET));
	assert_null(layout_names(ROLE_RECORDS));
}

static void assert_spot(const char *path, const char *dir, const char *ticket, const char *file,
			bool slug)
{
	struct spot spot;

	assert_true(layout_split(str_of(path), &spot));
	assert_true(str_is(spot.dir, dir));
	assert_true(str_is(spot.ticket, ticket));
	assert_true(str_is(spot.file, file));
	assert_int_equal(spot.file.at != NULL, file != NULL);
	assert_int_equal(spot.slug, slug);
}

static void a_path_names_a_ticket_its_folder_and_the_rest(void **state)
{
	(void)state;

	assert_spot("T-1", "T-1", "T-1", NULL, false);
	assert_spot("T-1/item.md", "T-1", "T-1", "item.md", false);
	assert_spot("T-1/artifacts/records/X.json", "T-1", "T-1", "artifacts/records/X.json",
		    false);
	assert_spot("open/T-1", "open/T-1", "T-1", NULL, true);
	assert_spot("closed/T-1/item.md", "closed/T-1", "T-1", "item.md", true);
	assert_spot("opened/item.md", "opened", "opened", "item.md", false);
	assert_spot("open/open/item.md", "open/open", "open", "item.md", true);
}

static void a_record_lies_where_its_path_is_taken_apart(void **state)
{
	(void)state;
	char *flat = layout_record("T-1", "X.json"), *slug = layout_record("open/T-1", "X.json");

	assert_spot(flat, "T-1", "T-1", "artifacts/records/X.json", false);
	assert_spot(slug, "open/T-1", "T-1", "artifacts/records/X.json", true);
	free(flat);
	free(slug);
}

static void the_root_and_the_buckets_belong_to_no_ticket(void **state)
{
	(void)state;
	struct spot spot;

	assert_false(layout_split(STR(""), &spot));
	assert_false(layout_split(STR_NONE, &spot));
	assert_false(layout_split(STR("open"), &spot));
	assert_false(layout_split(STR("pending"), &spot));
	assert_false(layout_split(STR("closed/"), &spot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_letters_digits_and_three_signs),
		cmocka_unit_test(an_id_has_at_most_128_characters),
		cmocka_unit_test(each_place_has_its_roles),
		cmocka_unit_test(a_path_names_a_ticket_its_folder_and_the_rest),
		cmocka_unit_test(a_record_lies_where_its_path_is_taken_apart),
		cmocka_unit_test(the_root_and_the_buckets_belong_to_no_ticket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
