/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "plain.h"
#include "stamp.h"

/* As syslog(3) counts them. */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = 3,
	[LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
};

static struct {
	enum log_level level;
	struct log_line lines[LOG_KEPT]; /* round and round */
	size_t count;
} kept = { .level = LOG_LEVEL_INFO };

static void keep(enum log_level level, struct str text)
{
	struct log_line *l = &kept.lines[kept.count++ % LOG_KEPT];
	size_t len = text.len < sizeof(l->text) ? text.len : sizeof(l->text) - 1;

	/* Not in the middle of a character. */
	while (len < text.len && len && (text.at[len] & 0xc0) == 0x80)
		len--;
	l->at = stamp_now();
	l->level = level;
	memcpy(l->text, text.at, len);
	l->text[len] = '\0';
}

__attribute__((format(printf, 2, 0))) static void line(enum log_level level, const char *fmt,
							va_list args)
{
	struct buf out = { 0 };
	char *text = xvasprintf(fmt, args);

	plain_add(&out, str_of(text));
	keep(level, (struct str){ out.at, out.len });
	if (level <= kept.level) {
		if (getenv("JOURNAL_STREAM"))
			fprintf(stderr, "<%d>", priorities[level]);
		buf_add(&out, "\n", 1);
		fwrite(out.at, 1, out.len, stderr);
	}
	buf_release(&out);
	free(text);
}

#define DEFINE(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list args; \
\
		va_start(args, fmt); \
		line(level, fmt, args); \
		va_end(args); \
	}
DEFINE(log_error, LOG_LEVEL_ERROR)
DEFINE(log_info, LOG_LEVEL_INFO)
DEFINE(log_debug, LOG_LEVEL_DEBUG)

void log_set_level(enum log_level level)
{
	kept.level = level;
}

enum log_level log_level_now(void)
{
	return kept.level;
}

uint64_t log_count(void)
{
	return kept.count;
}

size_t log_last(struct log_line into[LOG_KEPT])
{
	size_t count = kept.count < LOG_KEPT ? kept.count : LOG_KEPT;

	for (size_t i = 0; i < count; i++)
		into[i] = kept.lines[(kept.count - count + i) % LOG_KEPT];
	return count;
}
