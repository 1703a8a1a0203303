/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "json.h"
#include "out.h"

/* As shells end where there is no such command, and where it cannot be run. */
#define STATUS_NO_COMMAND 127
#define STATUS_NOT_RUN    126

/* The words behind --; NULL where there are none.  The caller frees the list. */
static char **command_words(const struct args *args)
{
	char **words = xcalloc(args->count + 1, sizeof(*words));
	size_t n = 0;
	unsigned at;

	BUG_IF(!command_rest(args->command, &at));
	for (size_t i = 0; i < args->count; i++)
		if (args->given[i].at == at)
			words[n++] = (char *)(uintptr_t)args->given[i].text;
	if (n)
		return words;
	free(words);
	return NULL;
}

static bool ask(const struct args *args, struct outcome *o, struct fault *why)
{
	enum start_mode mode = args->no_start ? START_NEVER : START_IMPLICIT;
	struct request request;
	bool ok = request_make(args, &request, why) &&
		  run_request(args, mode, &request, o, NULL, why);

	request_release(&request);
	return ok;
}

/* The same arguments and one more. */
static struct args with_pid(const struct args *args, char pid[24])
{
	struct args more = *args;
	unsigned at;

	snprintf(pid, 24, "%ld", (long)getpid());
	BUG_IF(!rpc_field_find(command_params(args->command), STR("pid"), &at));
	more.given = xcalloc(args->count + 1, sizeof(*more.given));
	memcpy(more.given, args->given, args->count * sizeof(*more.given));
	more.given[more.count++] = (struct given){ at, pid };
	return more;
}

/* What runs under the claim is to know it, and to be the same session. */
static void tell_command(const json_t *answer)
{
	const json_t *claim = json_array_get(json_object_get(answer, "claims"), 0);
	char token[24];

	snprintf(token, sizeof(token), "%lld",
		 (long long)json_integer_value(json_object_get(claim, "token")));
	setenv("TP_CLAIM_TOKEN", token, 1);
	setenv("TP_SESSION", json_string_value(json_object_get(claim, "session")), 1);
}

/* Returns only where that cannot be. */
static void become(char **words, struct outcome *o)
{
	struct buf text = { 0 };

	signal(SIGPIPE, SIG_DFL);
	execvp(words[0], words);
	int cause = errno;
	signal(SIGPIPE, SIG_IGN);
	buf_addf(&text, "tpctl: cannot run %s: %s\n", words[0], strerror(cause));
	out_complain((struct str){ text.at, text.len });
	buf_release(&text);
	/* The claim ends with this process. */
	o->told = true;
	o->status = cause == ENOENT || cause == ENOTDIR ? STATUS_NO_COMMAND : STATUS_NOT_RUN;
}

bool claim_run(const struct args *args, struct outcome *o, struct fault *why)
{
	char **words = command_words(args), pid[24];

	if (!words)
		return ask(args, o, why);
	if (args_text(args, "pid") || args_text(args, "ttl")) {
		free(words);
		return fault(
			why, FAULT_USAGE,
			"a claim held for a command lives by its process: leave out --pid and "
			"--ttl");
	}
	struct args more = with_pid(args, pid);
	bool ok = ask(&more, o, why);
	free(more.given);
	if (ok) {
		tell_command(o->answer);
		become(words, o);
	}
	free(words);
	return ok;
}
