/* SPDX-License-Identifier: MIT */
#ifndef TP_FAULT_H
#define TP_FAULT_H

#include <stdbool.h>

#include "str.h"

/*
 * How anything says no.  A function that can fail for a reason of the world or
 * of its caller returns bool and takes a last argument `struct fault *why`,
 * which it fills when it returns false and does not touch otherwise.  The code
 * is a row of faults.def, so one value is log line, wire error, exit status and
 * manual entry.
 */
enum fault_code {
#define FAULT(id, ...) FAULT_##id,
#include "faults.def"
#undef FAULT
	FAULT_COUNT
};

struct fault {
	enum fault_code code;
	char text[600]; /* one sentence for a person: what, where, what to do */
};

/* Fill *why and return false, so that a caller can `return fault(…)`. */
bool fault(struct fault *why, enum fault_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As fault, with ": " and what errno says; ENOSPC, EDQUOT turn FAULT_IO into FAULT_NO_SPACE. */
bool fault_errno(struct fault *why, enum fault_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

const char *fault_name(enum fault_code code);
int fault_exit(enum fault_code code);
bool fault_retryable(enum fault_code code);
const char *fault_hint(enum fault_code code);
/* The code of that name, or FAULT_COUNT. */
enum fault_code fault_find(struct str name);

#endif
