/* SPDX-License-Identifier: MIT */
#include "stamp.h"

#include <time.h>

/* Where the years 0001 and 10000 begin, in seconds. */
#define YEAR_1     INT64_C(-62135596800)
#define YEAR_10000 INT64_C(253402300800)

/*
 * The C library's own go by the zone of the process, under a lock.  Both count
 * years from March, so that a leap day is the last one, and days from the
 * first of March of the year 0.
 */
#define DAYS_400_YEARS 146097
#define DAYS_TO_1970   719468

static int64_t days_of_date(int year, int month, int day)
{
	int y = month > 2 ? year : year - 1;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + of_year - DAYS_TO_1970;
}

static void date_of_days(int64_t days, int *year, int *month, int *day)
{
	int64_t all = days + DAYS_TO_1970, era = all / DAYS_400_YEARS;
	int of_era = (int)(all % DAYS_400_YEARS);
	int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_400_YEARS - 1)) / 365;
	int of_year = of_era - (365 * y + y / 4 - y / 100);
	int m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + (int)era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* n digits at *at, or -1; *at moves behind them. */
static int digits(struct str *at, int n)
{
	int value = 0;

	if (at->len < (size_t)n)
		return -1;
	for (int i = 0; i < n; i++) {
		char c = at->at[i];
		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	at->at += n;
	at->len -= (size_t)n;
	return value;
}

static bool eat(struct str *at, const char *any)
{
	if (!at->len || !strchr(any, at->at[0]) || !at->at[0])
		return false;
	at->at++;
	at->len--;
	return true;
}

static bool parse_fraction(struct str *at, int64_t *us)
{
	int64_t unit = 100000;

	*us = 0;
	if (!eat(at, "."))
		return true;
	if (!at->len || at->at[0] < '0' || at->at[0] > '9')
		return false;
	for (int digit; at->len && (digit = digits(at, 1)) >= 0; unit /= 10)
		*us += digit * unit;
	return true;
}

static bool parse_offset(struct str *at, int *minutes)
{
	*minutes = 0;
	if (eat(at, "Zz"))
		return true;
	if (!at->len)
		return false;
	int sign = at->at[0] == '-' ? -1 : 1;
	if (!eat(at, "+-"))
		return false;
	int h = digits(at, 2);
	if (h < 0 || h > 23 || !eat(at, ":"))
		return false;
	int m = digits(at, 2);
	if (m < 0 || m > 59)
		return false;
	*minutes = sign * (h * 60 + m);
	return true;
}

bool stamp_parse(struct str text, int64_t *us)
{
	int64_t fraction;
	int offset;

	int year = digits(&text, 4);
	if (year < 1 || !eat(&text, "-"))
		return false;
	int month = digits(&text, 2);
	if (month < 1 || month > 12 || !eat(&text, "-"))
		return false;
	int day = digits(&text, 2);
	if (day < 1 || day > days_in_month(year, month) || !eat(&text, "Tt "))
		return false;
	int hour = digits(&text, 2);
	if (hour < 0 || hour > 23 || !eat(&text, ":"))
		return false;
	int minute = digits(&text, 2);
	if (minute < 0 || minute > 59 || !eat(&text, ":"))
		return false;
	/* 60 is a leap second: the first of the next minute. */
	int second = digits(&text, 2);
	if (second < 0 || second > 60 || !parse_fraction(&text, &fraction) ||
	    !parse_offset(&text, &offset) || text.len)
		return false;
	int64_t s = days_of_date(year, month, day) * 86400 +
		    ((hour * 60 + minute - offset) * 60 + second);
	if (s < YEAR_1 || s >= YEAR_10000)
		return false;
	*us = s * 1000000 + fraction;
	return true;
}

/* n digits and what follows them; returns where it goes on. */
static char *put(char *at, int value, int n, char then)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	at[n] = then;
	return at + n + 1;
}

const char *stamp_text(int64_t us, char into[STAMP_MAX])
{
	int64_t s = us / 1000000, fraction = us % 1000000;
	int year, month, day;
	char *at = into;

	if (fraction < 0) {
		fraction += 1000000;
		s--;
	}
	if (s < YEAR_1 || s >= YEAR_10000) {
		s = s < YEAR_1 ? YEAR_1 : YEAR_10000 - 1;
		fraction = 0;
	}
	/* From the year 1 on, so that nothing is negative. */
	int64_t of_1 = s - YEAR_1;
	int of_day = (int)(of_1 % 86400);
	date_of_days(of_1 / 86400 + YEAR_1 / 86400, &year, &month, &day);
	at = put(at, year, 4, '-');
	at = put(at, month, 2, '-');
	at = put(at, day, 2, 'T');
	at = put(at, of_day / 3600, 2, ':');
	at = put(at, of_day / 60 % 60, 2, ':');
	at = put(at, of_day % 60, 2, fraction ? '.' : 'Z');
	if (fraction % 1000)
		at = put(at, (int)fraction, 6, 'Z');
	else if (fraction)
		at = put(at, (int)(fraction / 1000), 3, 'Z');
	*at = '\0';
	return into;
}

int64_t stamp_mark(int64_t us)
{
	int64_t ms = us / 1000;

	return (ms % 1000 ? ms : ms + 1) * 1000;
}

int64_t stamp_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool span_parse(struct str text, int64_t *ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "ms", 1 },      { "s", 1000 },     { "m", 60000 },
		      { "h", 3600000 }, { "d", 86400000 }, { "", 1000 } };
	int64_t value = 0;
	size_t n = 0;

	for (; n < text.len && text.at[n] >= '0' && text.at[n] <= '9'; n++) {
		if (n >= 9)
			return false;
		value = value * 10 + (text.at[n] - '0');
	}
	if (!n)
		return false;
	struct str unit = { text.at + n, text.len - n };
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (str_is(unit, units[i].name)) {
			*ms = value * units[i].ms;
			return true;
		}
	return false;
}
