/* SPDX-License-Identifier: MIT */
#ifndef TP_LOG_H
#define TP_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "words.h"

/*
 * Lines for the one who runs the agent, on stderr, with a priority that
 * journald understands when it reads us.  Foreign text comes out plain.  The
 * last of them are kept, those too that were too fine to be written.  On the
 * main thread only.
 */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From now on only lines of this level, and graver ones, are written. */
void log_set_level(enum log_level level);
enum log_level log_level_now(void);

struct log_line {
	int64_t at; /* microseconds since 1970 */
	enum log_level level;
	char text[256]; /* may be cut */
};

#define LOG_KEPT 128

/* How many there were so far, those too that are not kept any more. */
uint64_t log_count(void);
/* The last lines, oldest first; how many. */
size_t log_last(struct log_line into[LOG_KEPT]);

#endif
