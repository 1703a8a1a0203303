/* SPDX-License-Identifier: MIT */
#ifndef TP_INPUT_H
#define TP_INPUT_H

#include "buf.h"
#include "fault.h"

/* Add all that a descriptor gives until its end; refused where it is more than `max`. */
bool input_read(int fd, const char *name, size_t max, struct buf *into, struct fault *why);

/* The same for a file, below `dir` unless that is NULL; "-" is standard input. */
bool input_read_file(const char *dir, const char *name, size_t max, struct buf *into,
		     struct fault *why);

/* The name of a file seen from `dir`; the caller frees it. */
char *input_path(const char *dir, const char *name);

#endif
