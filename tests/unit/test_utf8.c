/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "utf8.h"

/* The code point as `n` bytes, whether or not it should have so many. */
static struct str form(unsigned char into[4], uint32_t code, size_t n)
{
	static const unsigned char heads[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; code >>= 6)
		into[i] = (unsigned char)(0x80 | (code & 0x3f));
	into[0] = (unsigned char)(heads[n] | code);
	return (struct str){ (const char *)into, n };
}

static size_t bytes_of(uint32_t code)
{
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static void every_code_point_is_read_as_itself(void **state)
{
	(void)state;
	unsigned char bytes[4];

	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		uint32_t got = ~code;
		size_t n = bytes_of(code);
		bool surrogate = code >= 0xd800 && code <= 0xdfff;
		if (utf8_next(form(bytes, code, n), &got) != (surrogate ? 0 : n) ||
		    (!surrogate && got != code))
			fail_msg("U+%04X", code);
	}
}

static void a_form_longer_than_needed_is_refused(void **state)
{
	(void)state;
	unsigned char bytes[4];
	uint32_t code;

	for (size_t n = 2; n <= 4; n++)
		for (uint32_t c = 0; bytes_of(c) < n; c++)
			if (utf8_next(form(bytes, c, n), &code) != 0)
				fail_msg("U+%04X as %zu bytes", c, n);
}

static void what_is_beyond_the_last_code_point_is_refused(void **state)
{
	(void)state;
	unsigned char bytes[4];
	uint32_t code;

	for (uint32_t c = 0x110000; c < 0x200000; c++)
		if (utf8_next(form(bytes, c, 4), &code) != 0)
			fail_msg("U+%04X", c);
	assert_int_equal(utf8_next(STR("\xf8\x88\x80\x80\x80"), &code), 0);
	assert_int_equal(utf8_next(STR("\xfc\x84\x80\x80\x80\x80"), &code), 0);
	assert_int_equal(utf8_next(STR("\xfe"), &code), 0);
	assert_int_equal(utf8_next(STR("\xff"), &code), 0);
}

/* Of all three-byte strings with such a head, as many as there are such characters. */
static void nothing_else_of_three_bytes_is_well_formed(void **state)
{
	(void)state;
	size_t good = 0;
	uint32_t code;

	for (uint32_t bits = 0xe00000; bits <= 0xefffff; bits++) {
		const char bytes[] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };
		size_t n = utf8_next((struct str){ bytes, 3 }, &code);
		assert_true(n == 0 || n == 3);
		good += n == 3;
	}
	assert_int_equal(good, 0x10000 - 0x800 - 0x800);
}

static void a_character_cut_short_is_refused(void **state)
{
	(void)state;
	const struct str whole[] = { STR("\xc3\xa4"), STR("\xe2\x82\xac"),
				     STR("\xf0\x9f\x8e\xab") };
	uint32_t code;

	for (size_t i = 0; i < COUNT_OF(whole); i++) {
		for (size_t n = 1; n < whole[i].len; n++) {
			char *cut = xstrndup(whole[i].at, n);
			assert_int_equal(utf8_next((struct str){ cut, n }, &code), 0);
			free(cut);
		}
		assert_int_equal(utf8_next(whole[i], &code), whole[i].len);
	}
}

static void an_empty_text_has_no_character_and_is_well_formed(void **state)
{
	(void)state;
	uint32_t code;

	assert_int_equal(utf8_next(STR_NONE, &code), 0);
	assert_int_equal(utf8_next(STR(""), &code), 0);
	assert_true(utf8_ok(STR_NONE));
	assert_true(utf8_ok(STR("")));
}

static void a_lone_trailing_byte_is_refused(void **state)
{
	(void)state;
	uint32_t code;

	for (int c = 0x80; c <= 0xbf; c++) {
		const char byte = (char)c;
		assert_int_equal(utf8_next((struct str){ &byte, 1 }, &code), 0);
		assert_false(utf8_ok((struct str){ &byte, 1 }));
	}
}

static void the_first_bad_byte_is_named(void **state)
{
	(void)state;
	const struct {
		struct str text;
		size_t at;
	} rows[] = {
		{ STR("\xff"), 0 },
		{ STR("abc\xff"), 3 },
		{ STR("\xc3\xa4\xc3"), 2 },
		{ STR("a\xe2\x82"), 1 },
		{ STR("\xf0\x9f\x8e\xab\xed\xa0\x80z\xff"), 4 },
		{ STR("\xc0\x80"), 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t bad = 99;
		assert_false(utf8_check(rows[i].text, &bad));
		assert_int_equal(bad, rows[i].at);
		assert_false(utf8_ok(rows[i].text));
	}
}

static void text_of_many_scripts_and_a_nul_is_well_formed(void **state)
{
	(void)state;
	size_t bad = 99;

	assert_true(utf8_check(STR("a\0b \xc3\xa4 \xe6\x97\xa5 \xf0\x9f\x8e\xab"), &bad));
	assert_int_equal(bad, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_is_read_as_itself),
		cmocka_unit_test(a_form_longer_than_needed_is_refused),
		cmocka_unit_test(what_is_beyond_the_last_code_point_is_refused),
		cmocka_unit_test(nothing_else_of_three_bytes_is_well_formed),
		cmocka_unit_test(a_character_cut_short_is_refused),
		cmocka_unit_test(an_empty_text_has_no_character_and_is_well_formed),
		cmocka_unit_test(a_lone_trailing_byte_is_refused),
		cmocka_unit_test(the_first_bad_byte_is_named),
		cmocka_unit_test(text_of_many_scripts_and_a_nul_is_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
