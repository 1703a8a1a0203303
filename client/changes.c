/* SPDX-License-Identifier: MIT */
#include "changes.h"

#include <stdlib.h>

#include "base.h"
#include "json.h"
#include "parts.h"
#include "show.h"

/* + for what came, - for what went, a tilde for what is otherwise. */
static void mark(struct table *t, struct str what)
{
	if (str_ends(what, STR("_added")))
		table_cell(t, STYLE_GREEN, STR("+"));
	else if (str_ends(what, STR("_removed")))
		table_cell(t, STYLE_RED, STR("-"));
	else
		table_cell(t, STYLE_YELLOW, STR("~"));
}

static void words(struct table *t, const json_t *change)
{
	struct str before = text_of(change, "before"), after = text_of(change, "after");
	char *both = xasprintf("%.*s%s%.*s", STR_ARG(before), before.len && after.len ? " -> " : "",
			       STR_ARG(after));

	table_cell(t, STYLE_CYAN, str_of(both));
	free(both);
}

static void add_change(struct table *t, const json_t *change)
{
	struct str what = text_of(change, "what"), kind = text_of(change, "kind");
	bool ticket = str_starts(what, STR("ticket"));

	mark(t, what);
	table_cell(t, STYLE_PLAIN, kind.len ? kind : ticket ? STR("Ticket") : what);
	table_cell(t, STYLE_PLAIN, text_of(change, "other"));
	words(t, change);
	table_cell(t, STYLE_DIM, text_of(change, "author"));
	table_cell(t, STYLE_PLAIN, part_first(text_of(change, "note")));
	table_row(t);
}

void changes_show(struct page *page, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "changes"), *row;
	struct table t = { .cut = true, .indent = 2 };
	struct str ticket = STR("");
	size_t i;

	json_array_foreach(rows, i, row) add_change(&t, row);
	json_array_foreach(rows, i, row)
	{
		if (!str_eq(ticket, text_of(row, "ticket"))) {
			ticket = text_of(row, "ticket");
			page_add(page, STYLE_BOLD, ticket);
			page_line(page);
		}
		table_print_row(&t, i, page);
	}
	if (i)
		page_line(page);
	table_release(&t);
	part_count(page, answer, "change", "changes");
}

/* -- The log ------------------------------------------------------------ */

static void add_log_row(struct table *t, const json_t *row)
{
	struct str status = text_of(row, "status");
	bool live = str_is(status, "live");

	table_cell(t, STYLE_DIM, text_of(row, "at"));
	table_cell(t, STYLE_BOLD, text_of(row, "ticket"));
	table_cell(t, live ? STYLE_CYAN : STYLE_DIM, text_of(row, "kind"));
	table_cell(t, STYLE_PLAIN, text_of(row, "other"));
	table_cell(t, STYLE_DIM, text_of(row, "author"));
	table_cell(t, STYLE_YELLOW, live ? STR("") : status.len ? status : STR("gone"));
	table_cell(t, STYLE_PLAIN, part_first(text_of(row, "note")));
	table_row(t);
}

static void show_moment(struct page *page, const json_t *row, const char *key, const char *verb)
{
	const json_t *moment = json_object_get(row, key);
	struct str commit = text_of(moment, "commit");

	if (!moment)
		return;
	commit.len = commit.len > 12 ? 12 : commit.len;
	page_addf(page, STYLE_DIM, "    %s ", verb);
	page_add(page, STYLE_YELLOW, commit);
	page_addf(page, STYLE_DIM, " %.*s ", STR_ARG(text_of(moment, "at")));
	page_add(page, STYLE_DIM, text_of(moment, "author"));
	page_add(page, STYLE_PLAIN, STR(": "));
	page_add(page, STYLE_PLAIN, text_of(moment, "subject"));
	if (json_is_true(json_object_get(moment, "shallow")))
		page_add(page, STYLE_DIM, STR(" (or earlier: the clone is shallow)"));
	page_line(page);
}

static void show_retraction(struct page *page, const json_t *row)
{
	const json_t *r = json_object_get(row, "retracted");

	if (!r)
		return;
	page_addf(page, STYLE_DIM, "    taken back %.*s ", STR_ARG(text_of(r, "at")));
	page_add(page, STYLE_DIM, text_of(r, "author"));
	page_add(page, STYLE_PLAIN, STR(": "));
	page_add(page, STYLE_PLAIN, part_first(text_of(r, "note")));
	page_line(page);
}

void changes_show_log(struct page *page, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "log"), *row;
	struct table t = { .cut = true };
	size_t i;

	json_array_foreach(rows, i, row) add_log_row(&t, row);
	json_array_foreach(rows, i, row)
	{
		table_print_row(&t, i, page);
		show_moment(page, row, "came", "in");
		show_retraction(page, row);
		show_moment(page, row, "vanished", "removed in");
	}
	if (i)
		page_line(page);
	table_release(&t);
	part_count(page, answer, "record", "records");
}
