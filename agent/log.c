/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "plain.h"

static enum log_level limit = LEVEL_OF_INFO;

void log_set_level(enum log_level level)
{
	limit = level;
}

__attribute__((format(printf, 2, 0))) static void line(enum log_level level, const char *fmt,
							va_list args)
{
	struct buf out = { 0 };

	if (level > limit)
		return;
	char *text = xvasprintf(fmt, args);
	if (getenv("JOURNAL_STREAM"))
		buf_addf(&out, "<%d>", (int)level);
	plain_add(&out, str_of(text));
	buf_add(&out, "\n", 1);
	fwrite(out.at, 1, out.len, stderr);
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
DEFINE(log_error, LEVEL_OF_ERROR)
DEFINE(log_info, LEVEL_OF_INFO)
DEFINE(log_debug, LEVEL_OF_DEBUG)
