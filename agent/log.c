/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "plain.h"

/* As syslog(3) counts them. */
enum { PRIORITY_ERROR = 3, PRIORITY_INFO = 6 };

__attribute__((format(printf, 2, 0))) static void line(int priority, const char *fmt,
							va_list args)
{
	struct buf out = { 0 };
	char *text = xvasprintf(fmt, args);

	if (getenv("JOURNAL_STREAM"))
		buf_addf(&out, "<%d>", priority);
	plain_add(&out, str_of(text));
	buf_add(&out, "\n", 1);
	fwrite(out.at, 1, out.len, stderr);
	buf_release(&out);
	free(text);
}

#define DEFINE(name, priority) \
	void name(const char *fmt, ...) \
	{ \
		va_list args; \
\
		va_start(args, fmt); \
		line(priority, fmt, args); \
		va_end(args); \
	}
DEFINE(log_error, PRIORITY_ERROR)
DEFINE(log_info, PRIORITY_INFO)
