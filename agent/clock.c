/* SPDX-License-Identifier: MIT */
#include "clock.h"

struct str clock_text(const struct service *service, uint64_t generation, char into[CLOCK_MAX])
{
	char digits[20];
	size_t n = 0, len = ULID_LEN;

	/* Every answer carries one: by hand, this is a tenth of a short one cheaper. */
	memcpy(into, service->instance, len);
	into[len++] = ':';
	do
		digits[n++] = (char)('0' + generation % 10);
	while (generation /= 10);
	while (n)
		into[len++] = digits[--n];
	into[len] = '\0';
	return (struct str){ into, len };
}

static bool read_number(struct str text, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9' || *number > UINT64_MAX / 10 - 1)
			return false;
		*number = *number * 10 + (uint64_t)(text.at[i] - '0');
	}
	return text.len;
}

bool clock_read(const struct service *service, struct str text, uint64_t *generation, bool *known,
		struct fault *why)
{
	struct str instance = { text.at, ULID_LEN };

	if (text.len <= ULID_LEN + 1 || text.at[ULID_LEN] != ':' || !ulid_is(instance))
		return fault(why, FAULT_BAD_ARGUMENT,
			     "since: \"%.*s\" is no clock; take one from an answer",
			     (int)(text.len > 60 ? 60 : text.len), text.at);
	/* That of a view is no number. */
	struct str rest = { text.at + ULID_LEN + 1, text.len - ULID_LEN - 1 };
	*known = str_is(instance, service->instance) && read_number(rest, generation) &&
		 *generation <= index_generation(service->ix);
	return true;
}
