/* SPDX-License-Identifier: MIT */
#ifndef TP_LOG_H
#define TP_LOG_H

/*
 * Lines for the one who runs the agent, on stderr, with a priority that
 * journald understands when it reads us.  Foreign text comes out plain.
 */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
