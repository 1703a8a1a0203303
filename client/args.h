/* SPDX-License-Identifier: MIT */
#ifndef TP_ARGS_H
#define TP_ARGS_H

#include <stdint.h>

#include "commands.h"
#include "fault.h"

/* One parameter and the text given for it; a BOOL has the text "". */
struct given {
	unsigned at; /* place in the command's parameters */
	const char *text;
};

/* A command line taken apart.  Text borrows from argv. */
struct args {
	const struct command *command; /* NULL: none was named */
	int at;                        /* where it stands on the command line */
	char **external;               /* an unknown command and all behind it, or NULL */
	const char *dir;               /* -C, or NULL */
	bool json, no_start, offline, help, version;
	int64_t timeout_ms;
	struct given *given; /* in the order of the command line */
	size_t count;
};

/* *args is to be released in any case; on failure it holds what was understood. */
bool args_parse(int argc, char **argv, struct args *args, struct fault *why);
void args_release(struct args *args);

/* The text last given for the parameter of that place, or of that name; NULL if none was. */
const char *args_at(const struct args *args, unsigned at);
const char *args_text(const struct args *args, const char *param);

/* Which of the command's ways was chosen. */
unsigned args_way(const struct args *args);

/* Whether --json stands on the command line, wherever parsing came to its end. */
bool args_want_json(int argc, char **argv);

/*
 * The word that was meant for a parameter: exactly, with - for _, or by a
 * beginning that no other word has.
 */
bool args_word(const struct rpc_field *field, const char *typed, int *word, struct fault *why);

#endif
