/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

static const struct {
	const char *name;
	int exit;
	bool retryable;
	const char *hint;
} faults[] = {
#define FAULT(id, name, exit, retryable, hint) [FAULT_##id] = { name, exit, retryable, hint },
#include "faults.def"
#undef FAULT
};

static void fill(struct fault *why, enum fault_code code, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void fill(struct fault *why, enum fault_code code, const char *fmt, va_list args)
{
	why->code = code;
	vsnprintf(why->text, sizeof(why->text), fmt, args);
}

bool fault(struct fault *why, enum fault_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(why, code, fmt, args);
	va_end(args);
	return false;
}

bool fault_errno(struct fault *why, enum fault_code code, const char *fmt, ...)
{
	int cause = errno;
	va_list args;

	if (code == FAULT_IO && (cause == ENOSPC || cause == EDQUOT))
		code = FAULT_NO_SPACE;
	va_start(args, fmt);
	fill(why, code, fmt, args);
	va_end(args);
	size_t used = strlen(why->text);
	snprintf(why->text + used, sizeof(why->text) - used, ": %s", strerror(cause));
	return false;
}

const char *fault_name(enum fault_code code)
{
	BUG_IF(code >= FAULT_COUNT);
	return faults[code].name;
}

int fault_exit(enum fault_code code)
{
	BUG_IF(code >= FAULT_COUNT);
	return faults[code].exit;
}

bool fault_retryable(enum fault_code code)
{
	BUG_IF(code >= FAULT_COUNT);
	return faults[code].retryable;
}

const char *fault_hint(enum fault_code code)
{
	BUG_IF(code >= FAULT_COUNT);
	return faults[code].hint;
}

enum fault_code fault_find(struct str name)
{
	enum fault_code code = 0;

	while (code < FAULT_COUNT && !str_is(name, faults[code].name))
		code++;
	return code;
}
