/* SPDX-License-Identifier: MIT */
#ifndef TP_COMMANDS_H
#define TP_COMMANDS_H

#include <stdbool.h>

#include "buf.h"
#include "rpc.h"

/*
 * What commands.def says, as C; joined with the request table, so that every
 * parameter of a method is an option of its command.
 */
/* More parameters than a command has. */
#define COMMAND_PARAMS_MAX 40

enum command_id {
#define COMMAND(id, ...) COMMAND_##id,
#include "commands.def"
	COMMAND_COUNT
};

enum global_id {
#define GLOBAL(id, ...) GLOBAL_##id,
#include "commands.def"
	GLOBAL_COUNT
};

enum runner {
	RUN_ask,
	RUN_look,
	RUN_record,
	RUN_claim,
	RUN_trail,
	RUN_socket,
	RUN_start,
	RUN_stop,
	RUN_watch,
	RUN_wait,
	RUN_init,
	RUN_commit,
	RUN_call,
	RUN_program,
	RUN_completion,
	RUN_help,
};

enum group { GROUP_READ, GROUP_DURABLE, GROUP_LOCAL, GROUP_LIVE, GROUP_SETUP, GROUP_COUNT };

struct command {
	enum command_id id;
	const char *name;
	enum runner run;
	enum rpc_id method; /* RPC_COUNT: none */
	enum group group;
	bool basic;
	const char *forms;
	const char *summary;
};

struct global {
	char letter;       /* 0: none */
	const char *name;  /* NULL: none */
	const char *value; /* what its value is called; NULL: takes none */
	const char *doc;
};

/* An option of a command: a parameter of it, and what the option alone stands for. */
struct option {
	const struct rpc_field *field;
	unsigned at;       /* place of the parameter */
	const char *value; /* NULL: the option takes a value, unless it is a BOOL */
};

/* A row of OPTION: another name of a parameter. */
struct alias {
	enum command_id command;
	char letter;
	const char *name;
	const char *param;
	const char *value;
};

const struct command *command(enum command_id id);
/* The command of that name, or NULL. */
const struct command *command_find(struct str name);
const char *command_summary(const struct command *c);
/* Its parameters, those of the method first, ended by a NULL name. */
const struct rpc_field *command_params(const struct command *c);
/* The option that chooses a way, from 1 on; false behind the last.  0 is the usual way. */
bool command_way(const struct command *c, unsigned way, struct option *into);
/* The parameter that the n-th form of a way fills, or NULL; *needed says if it must be there. */
const struct rpc_field *command_form(const struct command *c, unsigned way, unsigned n,
				     unsigned *at, bool *needed);
/* The parameter that takes all that stands behind --, if the command has one; or NULL. */
const struct rpc_field *command_rest(const struct command *c, unsigned *at);
/* Whether a form of that way fills the parameter. */
bool command_is_form(const struct command *c, unsigned way, unsigned at);
/* Add "NAME FORMS", and the options that the usual way cannot do without. */
void command_forms(const struct command *c, struct buf *out);
/* Add "tpctl NAME FORMS [options]". */
void command_usage(const struct command *c, struct buf *out);
/* What help calls the value of a parameter. */
const char *command_value_name(const struct rpc_field *field);

/* An option of the command by its long name, or by its letter. */
bool command_option(const struct command *c, struct str name, struct option *into);
bool command_letter(const struct command *c, char letter, struct option *into);
/* Whether a value follows it. */
bool option_takes(const struct option *option);
/* The n-th alias of the command, or NULL behind the last. */
const struct alias *command_alias(const struct command *c, unsigned n);
/* A parameter's name as an option: dashes for underscores.  Returns `into`. */
const char *option_name(const char *param, char into[64]);

const struct global *global(enum global_id id);
/* GLOBAL_COUNT: no such option. */
enum global_id global_find(struct str name);
enum global_id global_letter(char letter);

#endif
