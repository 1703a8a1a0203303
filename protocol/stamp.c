/* SPDX-License-Identifier: MIT */
#include "stamp.h"

#include <stdio.h>
#include <time.h>

/* Where the years 0001 and 10000 begin, in seconds. */
#define YEAR_1     INT64_C(-62135596800)
#define YEAR_10000 INT64_C(253402300800)

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
	struct tm tm = { 0 };
	int64_t fraction;
	int offset;

	int year = digits(&text, 4);
	if (year < 1 || !eat(&text, "-"))
		return false;
	int month = digits(&text, 2);
	if (month < 1 || month > 12 || !eat(&text, "-"))
		return false;
	int day = digits(&text, 2);
	if (day < 1 || day > 31 || !eat(&text, "Tt "))
		return false;
	tm.tm_hour = digits(&text, 2);
	if (tm.tm_hour < 0 || tm.tm_hour > 23 || !eat(&text, ":"))
		return false;
	tm.tm_min = digits(&text, 2);
	if (tm.tm_min < 0 || tm.tm_min > 59 || !eat(&text, ":"))
		return false;
	tm.tm_sec = digits(&text, 2);
	if (tm.tm_sec < 0 || tm.tm_sec > 60 || !parse_fraction(&text, &fraction) ||
	    !parse_offset(&text, &offset) || text.len)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	/* timegm turns February 31st into March, and a leap second at midnight into tomorrow. */
	int leap = tm.tm_sec == 60;
	tm.tm_sec -= leap;
	int64_t s = (int64_t)timegm(&tm) + leap - offset * 60;
	if (tm.tm_mday != day || s < YEAR_1 || s >= YEAR_10000)
		return false;
	*us = s * 1000000 + fraction;
	return true;
}

const char *stamp_text(int64_t us, char into[STAMP_MAX])
{
	int64_t s = us / 1000000, fraction = us % 1000000;
	struct tm tm;

	if (fraction < 0) {
		fraction += 1000000;
		s--;
	}
	time_t at = (time_t)s;
	gmtime_r(&at, &tm);
	/* strftime's %Y writes the year 33 as 33. */
	size_t n = (size_t)snprintf(into, STAMP_MAX, "%04d", tm.tm_year + 1900);
	n += strftime(into + n, STAMP_MAX - n, "-%m-%dT%H:%M:%S", &tm);
	if (fraction % 1000)
		n += (size_t)snprintf(into + n, STAMP_MAX - n, ".%06d", (int)fraction);
	else if (fraction)
		n += (size_t)snprintf(into + n, STAMP_MAX - n, ".%03d", (int)(fraction / 1000));
	snprintf(into + n, STAMP_MAX - n, "Z");
	return into;
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
	} units[] = { { "ms", 1 },        { "s", 1000 },       { "m", 60000 },
		      { "h", 3600000 },   { "d", 86400000 },   { "", 1000 } };
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
