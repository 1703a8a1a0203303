/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base.h"
#include "stamp.h"

#define S INT64_C(1000000)
/* The first and the last microsecond of the years 0001 to 9999. */
#define FIRST (INT64_C(-62135596800) * S)
#define LAST  (INT64_C(253402300800) * S - 1)

static void assert_time(const char *text, int64_t expected)
{
	int64_t us = -1;

	if (!stamp_parse(str_of(text), &us))
		fail_msg("%s is refused", text);
	if (us != expected)
		fail_msg("%s is read as %lld", text, (long long)us);
}

static void assert_no_time(struct str text)
{
	int64_t us;

	if (stamp_parse(text, &us))
		fail_msg("%.*s is accepted", STR_ARG(text));
}

static void assert_text(int64_t us, const char *expected)
{
	char text[STAMP_MAX];

	assert_ptr_equal(stamp_text(us, text), text);
	assert_string_equal(text, expected);
}

static void a_time_is_read_as_microseconds_since_1970(void **state)
{
	(void)state;

	assert_time("1970-01-01T00:00:00Z", 0);
	assert_time("1970-01-01T00:00:01Z", S);
	assert_time("2001-09-09T01:46:40Z", 1000000000 * S);
	assert_time("2026-01-31T12:00:00Z", 1769860800 * S);
	assert_time("1969-12-31T23:59:59Z", -S);
	assert_time("0001-01-01T00:00:00Z", FIRST);
	assert_time("9999-12-31T23:59:59.999999Z", LAST);
}

static void small_letters_and_a_blank_are_taken_too(void **state)
{
	(void)state;

	assert_time("1970-01-01t00:00:01z", S);
	assert_time("1970-01-01 00:00:01Z", S);
}

static void an_offset_is_taken_off(void **state)
{
	(void)state;

	assert_time("1970-01-01T02:00:00+02:00", 0);
	assert_time("1969-12-31T18:30:00-05:30", 0);
	assert_time("1970-01-01T00:00:00-00:00", 0);
	assert_time("1970-01-01T23:59:00+23:59", 0);
	assert_time("1970-01-01T00:00:00-00:01", 60 * S);
}

static void a_fraction_is_kept_to_the_microsecond(void **state)
{
	(void)state;

	assert_time("1970-01-01T00:00:00.5Z", 500000);
	assert_time("1970-01-01T00:00:00.000001Z", 1);
	assert_time("1970-01-01T00:00:00.1234567890123456789Z", 123456);
	assert_time("1969-12-31T23:59:59.75+00:00", -250000);
}

static void only_days_that_exist_are_read(void **state)
{
	(void)state;

	assert_time("2024-02-29T00:00:00Z", 1709164800 * S);
	assert_time("2000-02-29T00:00:00Z", 951782400 * S);
	assert_no_time(STR("2023-02-29T00:00:00Z"));
	assert_no_time(STR("1900-02-29T00:00:00Z"));
	assert_no_time(STR("2024-02-30T00:00:00Z"));
	assert_no_time(STR("2024-04-31T00:00:00Z"));
	assert_no_time(STR("2024-01-00T00:00:00Z"));
	assert_no_time(STR("2024-01-32T00:00:00Z"));
	assert_no_time(STR("2024-00-01T00:00:00Z"));
	assert_no_time(STR("2024-13-01T00:00:00Z"));
}

static void a_leap_second_is_the_second_after(void **state)
{
	(void)state;

	assert_time("2016-12-31T23:59:60Z", 1483228800 * S);
	assert_time("2016-12-31T18:59:60.5-05:00", 1483228800 * S + 500000);
	assert_no_time(STR("2016-12-31T23:59:61Z"));
}

static void what_lies_outside_the_years_0001_to_9999_is_refused(void **state)
{
	(void)state;

	assert_no_time(STR("0000-12-31T00:00:00Z"));
	assert_no_time(STR("0001-01-01T00:00:00+00:01"));
	assert_no_time(STR("9999-12-31T23:59:59-00:01"));
	assert_no_time(STR("10000-01-01T00:00:00Z"));
	assert_time("0001-01-01T00:01:00+00:01", FIRST);
}

static void what_is_no_time_is_refused(void **state)
{
	(void)state;
	const struct str texts[] = {
		STR_NONE,
		STR(""),
		STR("now"),
		STR("2026-01-31"),
		STR("2026-01-31T12:00Z"),
		STR("2026-1-31T12:00:00Z"),
		STR("26-01-31T12:00:00Z"),
		STR("+026-01-31T12:00:00Z"),
		STR("2026/01/31T12:00:00Z"),
		STR(" 2026-01-31T12:00:00Z"),
		STR("2026-01-31T12:00:00Z "),
		STR("2026-01-31T12:00:00ZZ"),
		STR("2026-01-31\0"
		    "12:00:00Z"),
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_no_time(texts[i]);
}

static void a_time_of_day_that_is_none_is_refused(void **state)
{
	(void)state;
	const struct str texts[] = {
		STR("2026-01-31T24:00:00Z"),      STR("2026-01-31T12:60:00Z"),
		STR("2026-01-31T-1:00:00Z"),      STR("2026-01-31T12:00:00"),
		STR("2026-01-31T12:00:00 Z"),     STR("2026-01-31T12:00:00\0"),
		STR("2026-01-31T12:00:00.Z"),     STR("2026-01-31T12:00:00,5Z"),
		STR("2026-01-31T12:00:00+0100"),  STR("2026-01-31T12:00:00+01"),
		STR("2026-01-31T12:00:00+24:00"), STR("2026-01-31T12:00:00+01:60"),
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_no_time(texts[i]);
}

static void every_beginning_of_a_time_is_refused(void **state)
{
	(void)state;
	const struct str whole = STR("2026-01-31T12:00:00.123+01:00");

	for (size_t n = 0; n < whole.len; n++) {
		char *cut = xstrndup(whole.at, n);
		assert_no_time((struct str){ cut, n });
		free(cut);
	}
}

static void text_is_utc_and_has_a_fraction_only_where_there_is_one(void **state)
{
	(void)state;

	assert_text(0, "1970-01-01T00:00:00Z");
	assert_text(500000, "1970-01-01T00:00:00.500Z");
	assert_text(1, "1970-01-01T00:00:00.000001Z");
	assert_text(123456, "1970-01-01T00:00:00.123456Z");
	assert_text(-1, "1969-12-31T23:59:59.999999Z");
	assert_text(-S, "1969-12-31T23:59:59Z");
	assert_text(1769860800 * S + 7000, "2026-01-31T12:00:00.007Z");
	assert_text(FIRST, "0001-01-01T00:00:00Z");
	assert_text(LAST, "9999-12-31T23:59:59.999999Z");
	assert_text(LAST + 1, "9999-12-31T23:59:59Z");
	assert_text(INT64_MAX, "9999-12-31T23:59:59Z");
	assert_text(FIRST - 1, "0001-01-01T00:00:00Z");
	assert_text(INT64_MIN, "0001-01-01T00:00:00Z");
}

static void every_day_has_its_date(void **state)
{
	(void)state;
	char text[STAMP_MAX], expected[STAMP_MAX + 32];

	for (int64_t s = FIRST / S; s < LAST / S; s += 86400 - 3599) {
		time_t at = (time_t)s;
		struct tm tm;
		gmtime_r(&at, &tm);
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02dZ",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec);
		if (strcmp(stamp_text(s * S, text), expected) != 0)
			fail_msg("%s, and not %s", text, expected);
	}
}

static void every_time_reads_back_as_itself(void **state)
{
	(void)state;
	uint64_t seed = 1;
	char text[STAMP_MAX];

	for (int i = 0; i < 20000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		int64_t us = FIRST + (int64_t)((seed >> 1) % (uint64_t)(LAST - FIRST));
		us -= i % 3 == 0 ? us % S : i % 3 == 1 ? us % 1000 : 0;
		assert_time(stamp_text(us, text), us);
	}
}

static void the_zone_of_the_process_does_not_matter(void **state)
{
	(void)state;

	setenv("TZ", "America/New_York", 1);
	tzset();
	assert_time("2026-07-01T00:00:00Z", 1782864000 * S);
	assert_text(1782864000 * S, "2026-07-01T00:00:00Z");
	unsetenv("TZ");
	tzset();
}

static void what_is_written_down_sorts_as_text_as_it_did_in_time(void **state)
{
	(void)state;
	char last[STAMP_MAX] = "", text[STAMP_MAX];
	int64_t before = 0;

	/* Over the end of a second, more than once within each millisecond. */
	for (int64_t us = 1782864000 * S - 3000; us < 1782864000 * S + 5000; us += 300) {
		int64_t mark = stamp_mark(us);
		assert_true(mark >= before && mark >= us - 999 && mark <= us + 1000);
		stamp_text(mark, text);
		assert_true(mark == before || strcmp(text, last) > 0);
		assert_int_equal(strlen(text), strlen("2026-07-01T00:00:00.001Z"));
		strcpy(last, text);
		before = mark;
	}
	assert_text(stamp_mark(1782864000 * S + 999999), "2026-07-01T00:00:00.999Z");
	assert_text(stamp_mark(1782864001 * S), "2026-07-01T00:00:01.001Z");
	assert_text(stamp_mark(1782864001 * S + 1999), "2026-07-01T00:00:01.001Z");
}

static void now_is_the_wall_clock(void **state)
{
	(void)state;
	int64_t before = (int64_t)time(NULL) * S;
	int64_t now = stamp_now();

	/* time() may lag a tick behind clock_gettime(). */
	assert_true(now >= before && now <= ((int64_t)time(NULL) + 2) * S);
}

static void spans_have_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = { { "250ms", 250 },   { "30s", 30000 },
		     { "5m", 300000 },   { "2h", 7200000 },
		     { "1d", 86400000 }, { "30", 30000 },
		     { "0", 0 },         { "0ms", 0 },
		     { "007s", 7000 },   { "999999999d", INT64_C(999999999) * 86400000 } };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t ms = -1;
		assert_true(span_parse(str_of(rows[i].text), &ms));
		assert_int_equal(ms, rows[i].ms);
	}
}

static void what_is_no_span_is_refused(void **state)
{
	(void)state;
	const struct str texts[] = {
		STR_NONE,    STR(""),           STR("s"),
		STR("-1s"),  STR("+1s"),        STR("1.5s"),
		STR("1 s"),  STR(" 1s"),        STR("1s "),
		STR("1S"),   STR("1sec"),       STR("1w"),
		STR("1m5s"), STR("1s\0"),       STR("0x5"),
		STR("ms"),   STR("1000000000"), STR("99999999999999999999s"),
	};
	int64_t ms;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_false(span_parse(texts[i], &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_read_as_microseconds_since_1970),
		cmocka_unit_test(small_letters_and_a_blank_are_taken_too),
		cmocka_unit_test(an_offset_is_taken_off),
		cmocka_unit_test(a_fraction_is_kept_to_the_microsecond),
		cmocka_unit_test(only_days_that_exist_are_read),
		cmocka_unit_test(a_leap_second_is_the_second_after),
		cmocka_unit_test(what_lies_outside_the_years_0001_to_9999_is_refused),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(a_time_of_day_that_is_none_is_refused),
		cmocka_unit_test(every_beginning_of_a_time_is_refused),
		cmocka_unit_test(text_is_utc_and_has_a_fraction_only_where_there_is_one),
		cmocka_unit_test(every_day_has_its_date),
		cmocka_unit_test(every_time_reads_back_as_itself),
		cmocka_unit_test(the_zone_of_the_process_does_not_matter),
		cmocka_unit_test(what_is_written_down_sorts_as_text_as_it_did_in_time),
		cmocka_unit_test(now_is_the_wall_clock),
		cmocka_unit_test(spans_have_units),
		cmocka_unit_test(what_is_no_span_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
