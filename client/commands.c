/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <ctype.h>
#include <stdio.h>

#include "base.h"

static const struct word shell_list[] = {
	{ "bash", "source <(tpctl completion bash)" },
	{ "zsh", "source <(tpctl completion zsh)" },
	{ "fish", "tpctl completion fish | source" },
};

static const struct words words_shell = { "shell", "a shell", shell_list, COUNT_OF(shell_list) };

static const struct word host_list[] = {
	{ "claude_code", ".mcp.json at the checkout's top" },
	{ "codex", "~/.codex/config.toml" },
	{ "cursor", ".cursor/mcp.json" },
	{ "vscode", ".vscode/mcp.json" },
};

static const struct words words_host = { "host", "where an orchestrator runs", host_list,
					 COUNT_OF(host_list) };

#define WORDS_OF_STR(arg)  NULL
#define WORDS_OF_STRS(arg) NULL
#define WORDS_OF_BOOL(arg) NULL
#define WORDS_OF_DURATION(arg) NULL
#define WORDS_OF_ENUM(arg) &words_##arg
#define NEED_REQ true
#define NEED_OPT false

/* The parameters that no method has, a list each. */
#define TAKES(id) static const struct rpc_field id##_takes[] = {
#define PARAM(name, type, arg, need, doc) \
	{ #name, RPC_##type, NEED_##need, 0, WORDS_OF_##type(arg), { 0, 0 }, SHAPE_COUNT, doc },
#define TAKES_END(id) { .shape = SHAPE_COUNT } };
#include "commands.def"

static const struct rpc_field *const takes[COMMAND_COUNT] = {
#define TAKES(id) [COMMAND_##id] = id##_takes,
#include "commands.def"
};

/* What is not for us; its parameter is called command. */
#define REST "[-- COMMAND...]"

#define RPC_NONE RPC_COUNT
#define IS_BASIC true
#define IS_REST false

static const struct command commands[] = {
#define COMMAND(id, name, run, method, group, basic, forms, summary) \
	{ COMMAND_##id, name, RUN_##run, RPC_##method, GROUP_##group, IS_##basic, forms, summary },
#include "commands.def"
};

static const struct alias aliases[] = {
#define OPTION(id, letter, name, param, value) { COMMAND_##id, letter, name, param, value },
#include "commands.def"
};

static const struct global globals[] = {
#define GLOBAL(id, letter, name, value, doc) { letter, name, value, doc },
#include "commands.def"
};

const struct command *command(enum command_id id)
{
	BUG_IF(id >= COMMAND_COUNT);
	return &commands[id];
}

const struct command *command_find(struct str name)
{
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		if (str_is(name, commands[id].name))
			return &commands[id];
	return NULL;
}

const char *command_summary(const struct command *c)
{
	return c->summary ? c->summary : rpc_method(c->method)->summary;
}

/* The method's parameters and the command's own, in one list. */
static const struct rpc_field *join(const struct rpc_field *first, const struct rpc_field *second,
				    struct rpc_field into[COMMAND_PARAMS_MAX])
{
	unsigned n = 0;

	for (; first->name; first++)
		into[n++] = *first;
	for (; second->name; second++)
		into[n++] = *second;
	BUG_IF(n >= COMMAND_PARAMS_MAX);
	into[n] = *second;
	return into;
}

const struct rpc_field *command_params(const struct command *c)
{
	static struct rpc_field joined[COMMAND_COUNT][COMMAND_PARAMS_MAX];
	static const struct rpc_field none[] = { { .name = NULL } };
	const struct rpc_field *own = takes[c->id] ? takes[c->id] : none;

	if (c->method == RPC_COUNT)
		return own;
	if (!own->name)
		return rpc_method(c->method)->params;
	if (!joined[c->id][0].name)
		join(rpc_method(c->method)->params, own, joined[c->id]);
	return joined[c->id];
}

static const char *skip_word(const char *text)
{
	text += strcspn(text, " ");
	return text + (*text == ' ');
}

/* What the forms say of a way, or NULL. */
static const char *way_text(const struct command *c, unsigned way)
{
	const char *at = c->forms;

	for (; at && way; way--)
		if ((at = strstr(at, "| ")))
			at += 2;
	return at;
}

bool command_way(const struct command *c, unsigned way, struct option *into)
{
	const char *at = way_text(c, way);

	if (!at)
		return false;
	BUG_IF(!way || strncmp(at, "--", 2) != 0);
	BUG_IF(!command_option(c, (struct str){ at + 2, strcspn(at + 2, " ") }, into));
	return true;
}

/* Where the forms of a way begin: behind the option that chooses it, and its value. */
static const char *way_forms(const struct command *c, unsigned way)
{
	const char *at = way_text(c, way);
	struct option option;

	BUG_IF(!at);
	if (!way)
		return at;
	at = skip_word(at);
	return command_way(c, way, &option) && option_takes(&option) ? skip_word(at) : at;
}

static bool is_end(const char *form)
{
	return !*form || *form == '|' || strncmp(form, REST, strlen(REST)) == 0;
}

const struct rpc_field *command_rest(const struct command *c, unsigned *at)
{
	return strstr(c->forms, REST) ? rpc_field_find(command_params(c), STR("command"), at)
				      : NULL;
}

const struct rpc_field *command_form(const struct command *c, unsigned way, unsigned n,
				     unsigned *at, bool *needed)
{
	const char *form = way_forms(c, way);
	char name[64];
	size_t len = 0;

	for (; n && !is_end(form); n--)
		form = skip_word(form);
	if (is_end(form))
		return NULL;
	*needed = *form != '[';
	for (form += !*needed; isupper((unsigned char)*form) || *form == '_'; form++)
		name[len++] = (char)tolower((unsigned char)*form);
	const struct rpc_field *field = rpc_field_find(command_params(c),
						       (struct str){ name, len }, at);
	BUG_IF(!field);
	return field;
}

bool command_is_form(const struct command *c, unsigned way, unsigned at)
{
	unsigned other;
	bool needed;

	for (unsigned n = 0; command_form(c, way, n, &other, &needed); n++)
		if (other == at)
			return true;
	return false;
}

/* An option as it is typed, by its letter if it has one. */
static void add_option(const struct command *c, const struct rpc_field *field, struct buf *out)
{
	const struct alias *alias;
	char name[64];

	for (unsigned n = 0; (alias = command_alias(c, n)); n++)
		if (alias->letter && strcmp(alias->param, field->name) == 0) {
			buf_addf(out, " -%c %s", alias->letter, command_value_name(field));
			return;
		}
	buf_addf(out, " --%s %s", option_name(field->name, name), command_value_name(field));
}

void command_forms(const struct command *c, struct buf *out)
{
	const struct rpc_field *params = command_params(c);

	buf_addf(out, "%s%s%s", c->name, *c->forms ? " " : "", c->forms);
	for (unsigned at = 0; params[at].name; at++)
		if (params[at].required && !command_is_form(c, 0, at))
			add_option(c, &params[at], out);
}

void command_usage(const struct command *c, struct buf *out)
{
	buf_add_str(out, STR("tpctl "));
	command_forms(c, out);
	buf_add_str(out, STR(" [options]"));
}

const char *command_value_name(const struct rpc_field *field)
{
	switch (field->type) {
	case RPC_ID:
		return "TICKET";
	case RPC_INT:
		return "N";
	case RPC_TIME:
		return "TIME";
	case RPC_DURATION:
		return "DURATION";
	case RPC_ENUM:
	case RPC_ENUMS:
		return "WORD";
	case RPC_BOOL:
		return NULL;
	case RPC_STR:
	case RPC_STRS:
	case RPC_OBJECT:
	case RPC_LIST:
		break;
	}
	return "TEXT";
}

const char *option_name(const char *param, char into[64])
{
	size_t i = 0;

	for (; param[i]; i++) {
		BUG_IF(i == 63);
		into[i] = param[i] == '_' ? '-' : param[i];
	}
	into[i] = '\0';
	return into;
}

const struct alias *command_alias(const struct command *c, unsigned n)
{
	for (size_t i = 0; i < COUNT_OF(aliases); i++)
		if (aliases[i].command == c->id && n-- == 0)
			return &aliases[i];
	return NULL;
}

static bool alias_take(const struct command *c, const struct alias *alias, struct option *into)
{
	into->field = rpc_field_find(command_params(c), str_of(alias->param), &into->at);
	into->value = alias->value;
	BUG_IF(!into->field);
	return true;
}

bool command_option(const struct command *c, struct str name, struct option *into)
{
	const struct rpc_field *params = command_params(c);
	const struct alias *alias;
	char dashed[64];

	for (unsigned i = 0; params[i].name; i++)
		if (str_is(name, option_name(params[i].name, dashed))) {
			*into = (struct option){ &params[i], i, NULL };
			return true;
		}
	for (unsigned n = 0; (alias = command_alias(c, n)); n++)
		if (alias->name && str_is(name, alias->name))
			return alias_take(c, alias, into);
	return false;
}

bool command_letter(const struct command *c, char letter, struct option *into)
{
	const struct alias *alias;

	for (unsigned n = 0; (alias = command_alias(c, n)); n++)
		if (alias->letter == letter)
			return alias_take(c, alias, into);
	return false;
}

bool option_takes(const struct option *option)
{
	return !option->value && option->field->type != RPC_BOOL;
}

const struct global *global(enum global_id id)
{
	BUG_IF(id >= GLOBAL_COUNT);
	return &globals[id];
}

enum global_id global_find(struct str name)
{
	enum global_id id = 0;

	while (id < GLOBAL_COUNT && !(globals[id].name && str_is(name, globals[id].name)))
		id++;
	return id;
}

enum global_id global_letter(char letter)
{
	enum global_id id = 0;

	while (id < GLOBAL_COUNT && globals[id].letter != letter)
		id++;
	return id;
}
