/* SPDX-License-Identifier: MIT */
#ifndef TP_TICK_H
#define TP_TICK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds of a clock that nobody sets; deadlines are points on it. */
static inline int64_t tick_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left until then, as poll takes it. */
static inline int tick_left(int64_t deadline)
{
	int64_t left = deadline - tick_now();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

#endif
