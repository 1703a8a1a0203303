/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "near.h"
#include "stamp.h"

#define TIMEOUT_MS 10000

/* What is left of the command line, and what stands in it without a name. */
struct parser {
	char **argv;
	int argc, at;
	const char **forms;
	unsigned form_count;
	struct args *args;
	struct fault *why;
};

static void give(struct args *args, unsigned at, const char *text)
{
	args->given = xrealloc(args->given, (args->count + 1) * sizeof(*args->given));
	args->given[args->count++] = (struct given){ at, text };
}

static bool wrong_usage(struct args *args, struct fault *why, const char *what, const char *value)
{
	struct buf usage = { 0 };

	command_usage(args->command, &usage);
	fault(why, FAULT_USAGE, "%s %.100s; usage: %s", what, value, buf_text(&usage));
	buf_release(&usage);
	return false;
}

static void offer_options(struct near *near, const struct command *c)
{
	static char names[COMMAND_PARAMS_MAX][64];
	const struct rpc_field *params = command_params(c);
	const struct alias *alias;

	for (unsigned i = 0; params[i].name; i++)
		near_offer(near, option_name(params[i].name, names[i]));
	for (unsigned n = 0; (alias = command_alias(c, n)); n++)
		if (alias->name)
			near_offer(near, alias->name);
}

static bool unknown_option(struct parser *p, struct str name)
{
	struct near near = near_to(name);

	for (enum global_id id = 0; id < GLOBAL_COUNT; id++)
		if (global(id)->name)
			near_offer(&near, global(id)->name);
	if (p->args->command)
		offer_options(&near, p->args->command);
	const char *of = p->args->command ? p->args->command->name : NULL;
	return fault(p->why, FAULT_USAGE, "unknown option --%.*s%s%s%s%s%s", STR_ARG(name),
		     of ? " of " : " (a command's options stand behind it)", of ? of : "",
		     near.best ? "; did you mean --" : "", near.best ? near.best : "",
		     near.best ? "?" : "");
}

/* The value of an option: what is joined to it, else the next word, whatever it looks like. */
static bool take_value(struct parser *p, const char *option, const char *joined, const char **value)
{
	if (!joined && p->at == p->argc)
		return fault(p->why, FAULT_USAGE, "%s needs a value", option);
	*value = joined ? joined : p->argv[p->at++];
	return true;
}

static bool set_timeout(struct parser *p, const char *value)
{
	if (span_parse(str_of(value), &p->args->timeout_ms))
		return true;
	return fault(p->why, FAULT_BAD_ARGUMENT,
		     "timeout: \"%.60s\" is not a duration such as 500ms, 30s or 5m", value);
}

static bool set_global(struct parser *p, enum global_id id, const char *value)
{
	switch (id) {
	case GLOBAL_dir:
		p->args->dir = value;
		return true;
	case GLOBAL_json:
		return p->args->json = true;
	case GLOBAL_timeout:
		return set_timeout(p, value);
	case GLOBAL_no_start:
		return p->args->no_start = true;
	case GLOBAL_offline:
		return p->args->offline = true;
	case GLOBAL_help:
		return p->args->help = true;
	case GLOBAL_version:
		return p->args->version = true;
	case GLOBAL_COUNT:
		break;
	}
	bug_at(__FILE__, __LINE__, "an option without a meaning");
}

static bool long_option(struct parser *p, const char *word)
{
	const char *equals = strchr(word, '='), *joined = equals ? equals + 1 : NULL, *value = "";
	struct str name = { word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2) };
	struct option option;
	bool own = p->args->command && command_option(p->args->command, name, &option);
	enum global_id id = own ? GLOBAL_COUNT : global_find(name);

	if (!own && id == GLOBAL_COUNT)
		return unknown_option(p, name);
	bool takes = own ? option_takes(&option) : global(id)->value != NULL;
	if (takes && !take_value(p, word, joined, &value))
		return false;
	if (!takes && joined)
		return fault(p->why, FAULT_USAGE, "--%.*s takes no value", STR_ARG(name));
	if (!own)
		return set_global(p, id, value);
	give(p->args, option.at, option.value ? option.value : value);
	return true;
}

/* One letter of -xyz; *rest is what follows it, and ends up empty if it was its value. */
static bool letter_option(struct parser *p, char letter, const char **rest)
{
	char name[] = { '-', letter, '\0' };
	const char *joined = **rest ? *rest : NULL, *value = "";
	struct option option;
	bool own = p->args->command && command_letter(p->args->command, letter, &option);
	enum global_id id = own ? GLOBAL_COUNT : global_letter(letter);

	if (!own && id == GLOBAL_COUNT)
		return fault(p->why, FAULT_USAGE,
			     "unknown option %s; put -- before values that begin with a dash",
			     name);
	if (own ? option_takes(&option) : global(id)->value != NULL) {
		if (!take_value(p, name, joined, &value))
			return false;
		*rest = "";
	}
	if (!own)
		return set_global(p, id, value);
	give(p->args, option.at, option.value ? option.value : value);
	return true;
}

static bool take_word(struct parser *p, const char *word, bool options)
{
	if (options && word[0] == '-' && word[1] == '-')
		return long_option(p, word);
	if (options && word[0] == '-' && word[1]) {
		for (const char *rest = word + 1; *rest;) {
			char letter = *rest++;
			if (!letter_option(p, letter, &rest))
				return false;
		}
		return true;
	}
	if (p->args->command)
		p->forms[p->form_count++] = word;
	else if (!(p->args->command = command_find(str_of(word))))
		p->args->external = p->argv + p->at - 1;
	else
		p->args->at = p->at - 1;
	return true;
}

/* Behind --: a word of the command that is to be run, where there can be one. */
static bool take_rest(struct parser *p, const char *word)
{
	unsigned at;

	if (!p->args->command || !command_rest(p->args->command, &at))
		return false;
	give(p->args, at, word);
	return true;
}

unsigned args_way(const struct args *args)
{
	struct option option;

	for (unsigned way = 1; command_way(args->command, way, &option); way++)
		if (args_at(args, option.at))
			return way;
	return 0;
}

/* What a way of the command cannot do without; other ways see for themselves. */
static bool all_given(struct parser *p)
{
	const struct command *c = p->args->command;
	const struct rpc_field *params = command_params(c);

	for (unsigned at = 0; params[at].name; at++)
		if (params[at].required && !args_at(p->args, at))
			return wrong_usage(p->args, p->why, "missing:", params[at].name);
	return true;
}

/* What stands without a name fills, in order, what no option has given. */
static bool place_forms(struct parser *p)
{
	const struct command *c = p->args->command;
	unsigned way = args_way(p->args), form = 0, at;
	const struct rpc_field *field = NULL;
	bool needed;

	for (unsigned i = 0; i < p->form_count; i++) {
		/* A list takes all the rest. */
		while (!field || field->type != RPC_STRS) {
			field = command_form(c, way, form++, &at, &needed);
			if (!field || field->type == RPC_STRS || !args_at(p->args, at))
				break;
		}
		if (!field)
			return wrong_usage(p->args, p->why, "too much:", p->forms[i]);
		give(p->args, at, p->forms[i]);
	}
	return way || all_given(p);
}

bool args_parse(int argc, char **argv, struct args *args, struct fault *why)
{
	struct parser p = { .argv = argv, .argc = argc, .at = 1, .args = args, .why = why };
	bool ok = true, options = true;

	*args = (struct args){ .timeout_ms = TIMEOUT_MS };
	p.forms = xcalloc((size_t)argc + 1, sizeof(*p.forms));
	while (ok && p.at < argc && !args->external) {
		const char *word = argv[p.at++];
		if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options || !take_rest(&p, word))
			ok = take_word(&p, word, options);
	}
	if (ok && args->command && !args->help && !args->version)
		ok = place_forms(&p);
	free(p.forms);
	return ok;
}

void args_release(struct args *args)
{
	free(args->given);
	*args = (struct args){ 0 };
}

const char *args_at(const struct args *args, unsigned at)
{
	for (size_t i = args->count; i > 0; i--)
		if (args->given[i - 1].at == at)
			return args->given[i - 1].text;
	return NULL;
}

const char *args_text(const struct args *args, const char *param)
{
	unsigned at;

	if (!rpc_field_find(command_params(args->command), str_of(param), &at))
		return NULL;
	return args_at(args, at);
}

bool args_want_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static void add_words(struct fault *why, const struct words *words, struct str beginning)
{
	const char *comma = " ";

	for (int i = 0; i < words->count; i++) {
		size_t used = strlen(why->text);
		char dashed[64];
		struct str name = str_of(option_name(words->list[i].name, dashed));
		if (!str_starts(name, beginning))
			continue;
		snprintf(why->text + used, sizeof(why->text) - used, "%s%s", comma, dashed);
		comma = ", ";
	}
}

bool args_word(const struct rpc_field *field, const char *typed, int *word, struct fault *why)
{
	struct near near;
	char dashed[64], name[64];
	int found = 0;

	snprintf(dashed, sizeof(dashed), "%s", typed);
	option_name(dashed, dashed);
	near = near_to(str_of(dashed));
	for (int i = 0; i < field->words->count; i++) {
		struct str whole = str_of(option_name(field->words->list[i].name, name));
		if (*dashed && str_starts(whole, str_of(dashed))) {
			*word = i;
			found++;
		}
		if (str_is(whole, dashed))
			return true;
		near_offer(&near, field->words->list[i].name);
	}
	if (found == 1)
		return true;
	if (found) {
		fault(why, FAULT_BAD_ARGUMENT, "%s: \"%s\" could be:", field->name, dashed);
	} else if (near.best) {
		return fault(why, FAULT_BAD_ARGUMENT, "%s: \"%.60s\" is none; did you mean %s?",
			     field->name, typed, option_name(near.best, name));
	} else {
		fault(why, FAULT_BAD_ARGUMENT, "%s: \"%.60s\" is none of", field->name, typed);
	}
	add_words(why, field->words, found ? str_of(dashed) : STR(""));
	return false;
}
