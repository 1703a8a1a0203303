/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "arena.h"

static void an_empty_arena_has_no_size_and_may_be_released(void **state)
{
	(void)state;
	struct arena arena = { 0 };

	assert_int_equal(arena_size(&arena), 0);
	arena_release(&arena);
	arena_release(&arena);
}

static void what_is_allocated_is_zero_and_aligned_for_anything(void **state)
{
	(void)state;
	struct arena arena = { 0 };

	for (size_t size = 0; size < 600; size++) {
		char *at = arena_alloc(&arena, size);
		assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(at[i], 0);
		memset(at, 0xff, size);
		arena_str(&arena, STR("odd"));
	}
	arena_release(&arena);
}

static void nothing_moves_or_overlaps_when_more_is_taken(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	unsigned char *at[300];

	for (size_t i = 0; i < 300; i++) {
		at[i] = arena_alloc(&arena, i);
		memset(at[i], (int)i, i);
	}
	for (size_t i = 0; i < 300; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(at[i][k], (unsigned char)i);
	arena_release(&arena);
}

static void a_block_larger_than_any_chunk_is_whole(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const size_t large = 1024 * 1024;

	arena_alloc(&arena, 1);
	char *at = arena_alloc(&arena, large);
	memset(at, 1, large);
	char *behind = arena_alloc(&arena, 8);
	memset(behind, 2, 8);
	assert_int_equal(at[large - 1], 1);
	assert_true(arena_size(&arena) >= large + 9);
	arena_release(&arena);
}

static void a_copy_of_text_is_ended_and_its_own(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	char text[] = "a\0b";

	struct str copy = arena_str(&arena, (struct str){ text, 3 });
	text[0] = 'x';
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.at, "a\0b", 4);
	arena_release(&arena);
}

static void absent_text_stays_absent_and_empty_text_empty(void **state)
{
	(void)state;
	struct arena arena = { 0 };

	assert_null(arena_str(&arena, STR_NONE).at);
	assert_string_equal(arena_str(&arena, STR("")).at, "");
	assert_int_equal(arena_str(&arena, STR("")).len, 0);
	arena_release(&arena);
}

static void printed_text_may_be_of_any_length(void **state)
{
	(void)state;
	struct arena arena = { 0 };

	struct str text = arena_printf(&arena, "%0*d|%s", 5000, 7, "end");
	assert_int_equal(text.len, 5004);
	assert_string_equal(text.at + 4999, "7|end");
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_arena_has_no_size_and_may_be_released),
		cmocka_unit_test(what_is_allocated_is_zero_and_aligned_for_anything),
		cmocka_unit_test(nothing_moves_or_overlaps_when_more_is_taken),
		cmocka_unit_test(a_block_larger_than_any_chunk_is_whole),
		cmocka_unit_test(a_copy_of_text_is_ended_and_its_own),
		cmocka_unit_test(absent_text_stays_absent_and_empty_text_empty),
		cmocka_unit_test(printed_text_may_be_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
