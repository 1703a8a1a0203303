/* SPDX-License-Identifier: MIT */
#ifndef TP_LOG_H
#define TP_LOG_H

/*
 * Lines for the one who runs the agent, on stderr, with a priority that
 * journald understands when it reads us.  Foreign text comes out plain.
 */
enum log_level { LEVEL_OF_ERROR = 3, LEVEL_OF_INFO = 6, LEVEL_OF_DEBUG = 7 };

/* Nothing above this level is written; INFO at first. */
void log_set_level(enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
