/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "plain.h"
#include "utf8.h"

static void assert_plain(struct str text, const char *expected)
{
	struct buf out = { 0 };

	plain_add(&out, text);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

static void ordinary_text_comes_out_as_it_is(void **state)
{
	(void)state;

	assert_plain(STR(""), "");
	assert_plain(STR_NONE, "");
	assert_plain(STR("Fix the \"gate\" (100%) \\ ~/x"), "Fix the \"gate\" (100%) \\ ~/x");
	assert_plain(STR("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\xab"),
		     "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\xab");
}

static void it_is_added_behind_what_is_there(void **state)
{
	(void)state;
	struct buf out = { 0 };

	buf_add(&out, "a\n", 2);
	plain_add(&out, STR("b\n"));
	assert_string_equal(buf_text(&out), "a\nb\\n");
	buf_release(&out);
}

static void an_escape_sequence_cannot_reach_a_terminal(void **state)
{
	(void)state;

	assert_plain(STR("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
	assert_plain(STR("\xc2\x9b"
			 "31m"),
		     "\\x9b31m"); /* the one-character form of ESC [ */
	assert_plain(STR("\x9b"
			 "31m"),
		     "\\x9b31m");
}

static void every_control_character_is_shown(void **state)
{
	(void)state;
	struct buf out = { 0 };

	for (int c = 0; c < 0x20; c++) {
		const char byte = (char)c;
		out.len = 0;
		plain_add(&out, (struct str){ &byte, 1 });
		assert_true(out.len >= 2 && out.at[0] == '\\');
	}
	buf_release(&out);
	assert_plain(STR("a\0b\nc\td\re\x7f"), "a\\x00b\\nc\\td\\x0de\\x7f");
}

static void characters_that_turn_the_direction_are_shown(void **state)
{
	(void)state;

	assert_plain(STR("\xe2\x80\xae"), "\\u{202e}");
	assert_plain(STR("\xe2\x81\xa6x\xe2\x81\xa9"), "\\u{2066}x\\u{2069}");
	assert_plain(STR("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"), "\\u{200e}\\u{200f}\\u{61c}");
}

static void invisible_characters_are_shown(void **state)
{
	(void)state;

	assert_plain(STR("\xe2\x80\x8b"), "\\u{200b}");
	assert_plain(STR("\xe2\x80\xa8\xe2\x80\xa9"), "\\u{2028}\\u{2029}");
	assert_plain(STR("\xef\xbb\xbf"), "\\u{feff}");
	assert_plain(STR("\xf3\xa0\x81\x81"), "\\u{e0041}");
	assert_plain(STR("\xc2\xad"), "\\xad");
}

static void bytes_that_are_no_text_are_shown_one_by_one(void **state)
{
	(void)state;

	assert_plain(STR("a\xff\xfe"), "a\\xff\\xfe");
	assert_plain(STR("\xe2\x82"), "\\xe2\\x82");
	assert_plain(STR("\xed\xa0\x80"), "\\xed\\xa0\\x80");
	assert_plain(STR("\xc3("), "\\xc3(");
}

static void lines_stay_where_lines_are_wanted(void **state)
{
	(void)state;
	struct buf out = { 0 };

	plain_add_lines(&out, STR("one\ntwo\r\n\x1b[0m\tthree"));
	assert_string_equal(buf_text(&out), "one\ntwo\\x0d\n\\x1b[0m\\tthree");
	buf_release(&out);
}

/* Of random bytes, too: only what may reach a terminal does. */
static void whatever_goes_in_nothing_harmful_comes_out(void **state)
{
	(void)state;
	struct buf out = { 0 };
	unsigned char bytes[64];
	uint32_t seed = 1, c;

	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
		out.len = 0;
		plain_add(&out, (struct str){ (char *)bytes, sizeof(bytes) });
		struct str left = { out.at, out.len };
		assert_true(utf8_ok(left));
		for (size_t n; left.len; left.at += n, left.len -= n) {
			n = utf8_next(left, &c);
			assert_true(c >= 0x20 && !(c >= 0x7f && c <= 0x9f));
		}
	}
	buf_release(&out);
}

static void width_is_counted_in_columns(void **state)
{
	(void)state;

	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_int_equal(plain_width(STR("")), 0);
	assert_int_equal(plain_width(STR("abc")), 3);
	assert_int_equal(plain_width(STR("\xc3\xa4\xc3\xb6")), 2);
	assert_int_equal(plain_width(STR("\xe6\x97\xa5\xe6\x9c\xac")), 4);
	assert_int_equal(plain_width(STR("e\xcc\x81")), 1);
	assert_int_equal(plain_width(STR("\x1b[m")), 6);
	assert_int_equal(plain_width(STR("a\xff")), 5);
	assert_int_equal(plain_width(STR("\xe2\x80\xae")), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_text_comes_out_as_it_is),
		cmocka_unit_test(it_is_added_behind_what_is_there),
		cmocka_unit_test(an_escape_sequence_cannot_reach_a_terminal),
		cmocka_unit_test(every_control_character_is_shown),
		cmocka_unit_test(characters_that_turn_the_direction_are_shown),
		cmocka_unit_test(invisible_characters_are_shown),
		cmocka_unit_test(bytes_that_are_no_text_are_shown_one_by_one),
		cmocka_unit_test(lines_stay_where_lines_are_wanted),
		cmocka_unit_test(whatever_goes_in_nothing_harmful_comes_out),
		cmocka_unit_test(width_is_counted_in_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
