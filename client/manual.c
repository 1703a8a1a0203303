/* SPDX-License-Identifier: MIT */
/*
 * What the manuals say of the tables.  Run while ticketplan is built: copies a
 * manual from standard input to standard output, and puts what is known in
 * place of each line `.\" @PART@`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "commands.h"
#include "describe.h"
#include "fault.h"
#include "tools.h"

/* -- Commands ----------------------------------------------------------- */

static void put_value(const struct rpc_field *f)
{
	const char *value = command_value_name(f);

	if (value)
		printf(" Ar %s", value);
}

/* What may stand behind a command's name, as its row says it. */
static void put_forms(const struct command *c)
{
	char *forms = xstrdup(c->forms), *rest = strstr(forms, "[-- ");

	printf(".It Ic %s", c->name);
	if (rest)
		*rest = '\0';
	for (char *word = strtok(forms, " "); word; word = strtok(NULL, " ")) {
		size_t len = strlen(word);
		if (strcmp(word, "|") == 0)
			printf(" |");
		else if (strncmp(word, "--", 2) == 0)
			printf(" Fl -%s", word + 2);
		else if (word[0] == '[' && word[len - 1] == ']')
			printf(" Op Ar %.*s", (int)(len - 2), word + 1);
		else
			printf(" Ar %s", word);
	}
	/* Without its brackets. */
	if (rest)
		printf(" Op Fl \\- Ar %.*s", (int)strlen(rest + 4) - 1, rest + 4);
	putchar('\n');
	free(forms);
}

static void put_words(const struct words *words)
{
	char name[64];

	printf("One of:\n.Bl -tag -width Ds -compact\n");
	for (int i = 0; i < words->count; i++) {
		printf(".It Cm %s\n", option_name(words->list[i].name, name));
		describe_mdoc_text(stdout, words->list[i].doc);
	}
	puts(".El");
}

static void put_option(const struct command *c, const struct rpc_field *f)
{
	const struct alias *alias;
	char name[64];

	printf(".It ");
	for (unsigned n = 0; (alias = command_alias(c, n)); n++)
		if (alias->letter && strcmp(alias->param, f->name) == 0)
			printf("Fl %c , ", alias->letter);
	printf("Fl -%s", option_name(f->name, name));
	put_value(f);
	putchar('\n');
	describe_mdoc_text(stdout, f->doc);
	if (f->words)
		put_words(f->words);
}

static void put_alias(const struct alias *alias)
{
	char name[64];

	printf(".It Fl -%s\nSame as\n.Fl -%s", alias->name, option_name(alias->param, name));
	if (alias->value)
		printf(" Cm %s", alias->value);
	puts(" .");
}

static void put_options(const struct command *c)
{
	const struct rpc_field *params = command_params(c);
	const struct alias *alias;

	if (!params->name)
		return;
	puts(".Bl -tag -width Ds -compact");
	for (; params->name; params++)
		put_option(c, params);
	for (unsigned n = 0; (alias = command_alias(c, n)); n++)
		if (alias->name)
			put_alias(alias);
	puts(".El");
}

static void put_group(enum group group, const char *title)
{
	bool any = false;

	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		const struct command *c = command(id);
		if (c->group != group)
			continue;
		if (!any)
			printf(".Ss %s\n.Bl -tag -width Ds\n", title);
		any = true;
		put_forms(c);
		describe_mdoc_text(stdout, command_summary(c));
		put_options(c);
	}
	if (any)
		puts(".El");
}

static void put_commands(void)
{
	put_group(GROUP_READ, "To ask");
	put_group(GROUP_DURABLE, "To record, in files that git tracks");
	put_group(GROUP_LOCAL, "To claim, on this machine");
	put_group(GROUP_LIVE, "To follow");
	put_group(GROUP_SETUP, "To set up");
}

static void put_globals(void)
{
	puts(".Bl -tag -width Ds");
	for (enum global_id id = 0; id < GLOBAL_COUNT; id++) {
		const struct global *g = global(id);
		printf(".It ");
		if (g->letter)
			printf("Fl %c%s", g->letter, g->name ? " , " : "");
		if (g->name)
			printf("Fl -%s", g->name);
		if (g->value)
			printf(" Ar %s", g->value);
		putchar('\n');
		describe_mdoc_text(stdout, g->doc);
	}
	puts(".El");
}

/* -- The rest ----------------------------------------------------------- */

static void put_tools(void)
{
	const struct tool *tool;

	puts(".Bl -tag -width Ds -compact");
	for (size_t n = 0; (tool = tool_at(n)); n++) {
		printf(".It Cm %s\n", tool->name);
		describe_mdoc_text(stdout, rpc_method(tool->method)->summary);
	}
	puts(".El");
}

static void put_errors(void)
{
	puts(".Bl -column -offset indent \"outcome_unknown\" \"exit\"\n.It Sy error Ta Sy exit");
	for (enum fault_code code = 0; code < FAULT_COUNT; code++)
		printf(".It Er %s Ta %d\n", fault_name(code), fault_exit(code));
	puts(".El");
}

static void put_kinds(void)
{
	describe_mdoc_words(stdout, &words_stored_kind);
}

static void put_problems(void)
{
	describe_mdoc_words(stdout, &words_problem);
}

static void put_reasons(void)
{
	describe_mdoc_words(stdout, &words_reason);
}

static void put_states(void)
{
	describe_mdoc_words(stdout, &words_state);
}

static void put_protocol(void)
{
	describe_mdoc(stdout);
}

static const struct part {
	const char *name;
	void (*put)(void);
} parts[] = {
	{ "commands", put_commands }, { "errors", put_errors },     { "globals", put_globals },
	{ "kinds", put_kinds },       { "problems", put_problems }, { "protocol", put_protocol },
	{ "reasons", put_reasons },   { "states", put_states },     { "tools", put_tools },
};

static bool put_part(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (str_is((struct str){ name, len }, parts[i].name)) {
			parts[i].put();
			return true;
		}
	fprintf(stderr, "manual: there is no part %.*s\n", (int)len, name);
	return false;
}

int main(void)
{
	char line[1024];
	bool ok = true;

	while (ok && fgets(line, sizeof(line), stdin)) {
		size_t len = strcspn(line, "\n");
		if (strncmp(line, ".\\\" @", 5) == 0 && line[len - 1] == '@')
			ok = put_part(line + 5, len - 6);
		else if (strstr(line, "@VERSION@"))
			printf("%.*s%s%s", (int)(strstr(line, "@VERSION@") - line), line,
			       PACKAGE_VERSION, strstr(line, "@VERSION@") + 9);
		else
			fputs(line, stdout);
	}
	return ok && fflush(stdout) == 0 ? 0 : 1;
}
