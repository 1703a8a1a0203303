/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base.h"
#include "stamp.h"
#include "ulid.h"

/* The milliseconds an id begins with. */
static int64_t time_of(const char *id)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	int64_t ms = 0;

	for (int i = 0; i < 10; i++)
		ms = ms * 32 + (strchr(alphabet, id[i]) - alphabet);
	return ms;
}

static void a_new_one_is_one(void **state)
{
	(void)state;
	char id[ULID_LEN + 1];

	memset(id, 'x', sizeof(id));
	ulid_make(id);
	assert_int_equal(strlen(id), ULID_LEN);
	assert_true(ulid_is(str_of(id)));
}

static void each_is_greater_than_the_one_before(void **state)
{
	(void)state;
	char last[ULID_LEN + 1] = "", id[ULID_LEN + 1];

	for (int i = 0; i < 20000; i++) {
		ulid_make(id);
		assert_true(strcmp(id, last) > 0);
		memcpy(last, id, sizeof(id));
	}
}

static void it_begins_with_the_time_it_was_made(void **state)
{
	(void)state;
	char id[ULID_LEN + 1];
	int64_t before = stamp_now() / 1000;

	ulid_make(id);
	int64_t after = stamp_now() / 1000;
	assert_true(time_of(id) >= before && time_of(id) <= after);
}

/* Over some milliseconds every random character takes many values. */
static void the_rest_is_random(void **state)
{
	(void)state;
	char id[ULID_LEN + 1], last[ULID_LEN + 1] = "";
	uint32_t seen[ULID_LEN] = { 0 };

	for (int times = 0; times < 8;) {
		ulid_make(id);
		if (memcmp(id, last, 10) != 0) {
			for (int i = 10; i < ULID_LEN; i++)
				seen[i] |= UINT32_C(1) << (id[i] & 31);
			times++;
		}
		memcpy(last, id, sizeof(id));
	}
	for (int i = 10; i < ULID_LEN; i++)
		assert_true(__builtin_popcount(seen[i]) > 1);
}

static void other_texts_are_none(void **state)
{
	(void)state;
	const struct str none[] = {
		STR_NONE,
		STR(""),
		STR("01ARZ3NDEKTSV4RRFFQ69G5FA"),   /* 25 */
		STR("01ARZ3NDEKTSV4RRFFQ69G5FAVX"), /* 27 */
		STR("81ARZ3NDEKTSV4RRFFQ69G5FAV"),  /* beyond 48 bits */
		STR("Z1ARZ3NDEKTSV4RRFFQ69G5FAV"),
		STR("01arz3ndektsv4rrffq69g5fav"), /* we write capitals */
		STR("01ARZ3NDEKTSV4RRFFQ69G5FAI"), /* I, L, O, U are not in the alphabet */
		STR("01ARZ3NDEKTSV4RRFFQ69G5FAL"),
		STR("01ARZ3NDEKTSV4RRFFQ69G5FAO"),
		STR("01ARZ3NDEKTSV4RRFFQ69G5FAU"),
		STR("01ARZ3NDEKTSV4RRFFQ69G5FA\0"),
		STR("../../../../../etc/passwd."),
		STR("/1ARZ3NDEKTSV4RRFFQ69G5FAV"),
	};

	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_false(ulid_is(none[i]));
	assert_true(ulid_is(STR("01ARZ3NDEKTSV4RRFFQ69G5FAV")));
	assert_true(ulid_is(STR("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")));
	assert_true(ulid_is(STR("00000000000000000000000000")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_one_is_one),
		cmocka_unit_test(each_is_greater_than_the_one_before),
		cmocka_unit_test(it_begins_with_the_time_it_was_made),
		cmocka_unit_test(the_rest_is_random),
		cmocka_unit_test(other_texts_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
