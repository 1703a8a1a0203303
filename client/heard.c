/* SPDX-License-Identifier: MIT */
#include "heard.h"

bool fault_heard(struct fault *why, const char *where, struct str said)
{
	const char *colon = said.len ? memchr(said.at, ':', said.len) : NULL;
	struct str code = { said.at, colon ? (size_t)(colon - said.at) : 0 }, text = said;
	enum fault_code found = fault_find(code);

	if (found == FAULT_COUNT)
		return fault(why, FAULT_INTERNAL, "%s%.*s", where, STR_ARG(said));
	text.at = colon + 1;
	text.len = said.len - code.len - 1;
	while (text.len && *text.at == ' ') {
		text.at++;
		text.len--;
	}
	return fault(why, found, "%s%.*s", where, STR_ARG(text));
}
