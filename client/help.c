/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "describe.h"
#include "near.h"
#include "plain.h"

/* Where explanations begin, unless what they explain is longer. */
#define COLUMN 26

static void explain(struct page *page, const char *what, enum style style, const char *doc)
{
	size_t width = plain_width(str_of(what)), indent = COLUMN;

	page_add(page, style, str_of(what));
	if (width + 2 > COLUMN) {
		page_line(page);
		width = 0;
	}
	page_addf(page, STYLE_PLAIN, "%*s", (int)(indent - width), "");
	page_wrap(page, indent, indent, str_of(doc));
}

static void heading(struct page *page, const char *text)
{
	page_line(page);
	page_add(page, STYLE_BOLD, str_of(text));
	page_line(page);
}

static void explain_command(struct page *page, const struct command *c)
{
	struct buf line = { 0 };

	buf_add_str(&line, STR("  "));
	command_forms(c, &line);
	explain(page, buf_text(&line), STYLE_PLAIN, command_summary(c));
	buf_release(&line);
}

static void explain_group(struct page *page, enum group group)
{
	static const char *const names[] = {
		[GROUP_READ] = "read",       [GROUP_DURABLE] = "durable, in files git tracks",
		[GROUP_LOCAL] = "local",     [GROUP_LIVE] = "live",
		[GROUP_SETUP] = "set-up",
	};
	bool any = false;

	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		if (command(id)->group != group)
			continue;
		if (!any)
			heading(page, names[group]);
		any = true;
		explain_command(page, command(id));
	}
}

static void explain_globals(struct page *page)
{
	heading(page, "options of every command");
	for (enum global_id id = 0; id < GLOBAL_COUNT; id++) {
		const struct global *g = global(id);
		char letter[] = { '-', g->letter, '\0' };
		char *line = xasprintf("  %s%s%s%s%s%s", g->letter ? letter : "  ",
				       g->letter && g->name ? ", " : "",
				       g->name && !g->letter ? "  --" : g->name ? "--" : "",
				       g->name ? g->name : "", g->value ? " " : "",
				       g->value ? g->value : "");
		explain(page, line, STYLE_PLAIN, g->doc);
		free(line);
	}
}

void help_overview(struct page *page, bool all)
{
	page_addf(page, STYLE_PLAIN, "usage: tpctl COMMAND [arguments] [options]");
	page_line(page);
	if (all) {
		for (enum group group = 0; group < GROUP_COUNT; group++)
			explain_group(page, group);
		explain_globals(page);
		return;
	}
	page_line(page);
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		if (command(id)->basic)
			explain_command(page, command(id));
	page_line(page);
	page_add(page, STYLE_DIM,
		 STR("`tpctl help COMMAND` explains one, `tpctl help --all` lists the rest."));
	page_line(page);
}

static void explain_words(struct page *page, const struct words *words)
{
	char name[64];

	for (int i = 0; i < words->count; i++) {
		char *line = xasprintf("      %s", option_name(words->list[i].name, name));
		explain(page, line, STYLE_CYAN, words->list[i].doc);
		free(line);
	}
}

static void explain_option(struct page *page, const struct command *c, const struct rpc_field *f)
{
	const char *value = command_value_name(f);
	const struct alias *alias;
	char name[64], letter[8] = "    ";

	for (unsigned n = 0; (alias = command_alias(c, n)); n++)
		if (alias->letter && strcmp(alias->param, f->name) == 0)
			snprintf(letter, sizeof(letter), "-%c, ", alias->letter);
	char *line = xasprintf("  %s--%s%s%s%s", letter, option_name(f->name, name),
			       value ? " " : "", value ? value : "",
			       f->type == RPC_ENUMS || f->type == RPC_STRS ? "..." : "");
	explain(page, line, STYLE_PLAIN, f->doc);
	free(line);
	if (f->words)
		explain_words(page, f->words);
}

static void explain_aliases(struct page *page, const struct command *c)
{
	const struct alias *alias;
	char name[64];

	for (unsigned n = 0; (alias = command_alias(c, n)); n++) {
		if (!alias->name)
			continue;
		char *line = xasprintf("      --%s", alias->name);
		char *doc = xasprintf("Same as --%s%s%s.", option_name(alias->param, name),
				      alias->value ? " " : "", alias->value ? alias->value : "");
		explain(page, line, STYLE_PLAIN, doc);
		free(line);
		free(doc);
	}
}

static void explain_form(struct page *page, const struct rpc_field *f)
{
	char *line = xasprintf("  %s", f->name);

	for (char *c = line; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	explain(page, line, STYLE_PLAIN, f->doc);
	free(line);
	if (f->words)
		explain_words(page, f->words);
}

static bool is_form(const struct command *c, unsigned at)
{
	struct option option;

	for (unsigned way = 0; !way || command_way(c, way, &option); way++)
		if (command_is_form(c, way, at))
			return true;
	return false;
}

/* Of every way, each once. */
static void explain_forms(struct page *page, const struct command *c)
{
	const struct rpc_field *form;
	struct option option;
	bool needed;
	unsigned at;

	if (*c->forms)
		heading(page, "arguments");
	for (unsigned way = 0; !way || command_way(c, way, &option); way++)
		for (unsigned n = 0; (form = command_form(c, way, n, &at, &needed)); n++)
			explain_form(page, form);
}

void help_command(struct page *page, const struct command *c)
{
	const struct rpc_field *params = command_params(c);
	struct buf usage = { 0 };
	bool any = false;

	command_usage(c, &usage);
	page_addf(page, STYLE_PLAIN, "usage: %s", buf_text(&usage));
	buf_release(&usage);
	page_line(page);
	page_line(page);
	page_wrap(page, 0, 0, str_of(command_summary(c)));
	explain_forms(page, c);
	for (unsigned at = 0; params[at].name; at++) {
		if (is_form(c, at))
			continue;
		if (!any)
			heading(page, "options");
		any = true;
		explain_option(page, c, &params[at]);
	}
	explain_aliases(page, c);
	explain_globals(page);
}

static void help_method(struct page *page, enum rpc_id id)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	BUG_IF(!to);
	describe_method(to, rpc_method(id));
	fclose(to);
	plain_add_lines(&page->out, (struct str){ text, len });
	free(text);
}

bool help_unknown(const char *name, struct fault *why)
{
	struct near near = near_to(str_of(name));

	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		near_offer(&near, command(id)->name);
	return fault(why, FAULT_USAGE, "unknown command %.100s%s%s%s", name,
		     near.best ? "; did you mean " : "", near.best ? near.best : "",
		     near.best ? "?" : "");
}

bool help_topic(struct page *page, const char *name, struct fault *why)
{
	const struct command *c = command_find(str_of(name));
	enum rpc_id id = rpc_find(str_of(name));

	if (c)
		help_command(page, c);
	else if (id != RPC_COUNT)
		help_method(page, id);
	else
		return help_unknown(name, why);
	return true;
}
