/* SPDX-License-Identifier: MIT */
#ifndef TP_FLOOR_H
#define TP_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the subcommands of floor share.  Each takes its arguments without the
 * name of the subcommand, dies with a message on any failure, and returns the
 * exit status.
 */
int floor_pong(int argc, char **argv);
int floor_store(int argc, char **argv);
int floor_durable(int argc, char **argv);
int floor_replace(int argc, char **argv);
int floor_ask(int argc, char **argv);
int floor_crowd(int argc, char **argv);
int floor_once(int argc, char **argv);
int floor_crawl(int argc, char **argv);
int floor_stat(int argc, char **argv);
int floor_tell(int argc, char **argv);
int floor_told(int argc, char **argv);
int floor_spawn(int argc, char **argv);

/*
 * Serve at argv[0] questions of argv[1] bytes with answers of argv[2], before each of which a
 * thread calls `keep`, with a number that rises.  `watched`: a descriptor that wakes the server,
 * or -1; `look` is called whenever it was woken, or is NULL.  Does not come back.
 */
int floor_serve(char **argv, void (*keep)(uint64_t number), int watched, void (*look)(void));

_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die_usage(void);

uint64_t floor_number(const char *text);
uint64_t floor_now_ns(void);

/* Print the median and the 99th percentile of `count` spans, in microseconds; sorts them. */
void floor_print(uint64_t *ns, size_t count);

#endif
