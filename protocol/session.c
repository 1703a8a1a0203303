/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <pwd.h>
#include <stdlib.h>

#include "base.h"
#include "utf8.h"

/* Variables that agents set for the commands they run, one value a session. */
static const struct {
	const char *variable, *agent;
} known[] = {
	{ "CLAUDE_CODE_SESSION_ID", "claude" },
	{ "CODEX_THREAD_ID", "codex" },
};

char *session_of_environment(void)
{
	const char *named = getenv("TP_SESSION");

	if (named && *named)
		return xstrdup(named);
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		const char *id = getenv(known[i].variable);
		if (id && *id)
			return xasprintf("%s:%s", known[i].agent, id);
	}
	return NULL;
}

char *session_of_user(uid_t uid)
{
	struct passwd *user = getpwuid(uid);

	return user ? xasprintf("user:%s", user->pw_name) : xasprintf("user:%u", (unsigned)uid);
}

bool session_name_ok(const char *what, struct str name, struct fault *why)
{
	size_t bad;

	if (!name.len)
		return fault(why, FAULT_INVALID, "%s is empty", what);
	if (name.len > SESSION_BYTES_MAX)
		return fault(why, FAULT_INVALID, "%s has %zu bytes; at most %d are taken", what,
			     name.len, SESSION_BYTES_MAX);
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.at[i] < 0x20 || name.at[i] == 0x7f)
			return fault(why, FAULT_INVALID, "%s holds a control character", what);
	return utf8_check(name, &bad) ? true : fault(why, FAULT_INVALID, "%s is not UTF-8", what);
}
