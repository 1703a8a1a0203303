/* SPDX-License-Identifier: MIT */
#include "show_claims.h"

#include <stdlib.h>

#include "base.h"
#include "json.h"
#include "parts.h"

/* `process 123`, or `until TIME`. */
static void life_cell(struct table *t, const json_t *claim)
{
	struct str until = text_of(claim, "until");
	char *life = until.len ? xasprintf("until %.*s", STR_ARG(until))
			       : xasprintf("process %lld", number_of(claim, "pid"));

	table_cell(t, STYLE_PLAIN, str_of(life));
	free(life);
}

static void add_claim(struct table *t, const json_t *claim)
{
	part_cell(t, STYLE_BOLD, claim, "ticket");
	part_cell(t, STYLE_CYAN, claim, "session");
	part_cell(t, STYLE_PLAIN, claim, "role");
	part_cell(t, STYLE_DIM, claim, "since");
	life_cell(t, claim);
	table_row(t);
}

static void add_end(struct table *t, const json_t *end)
{
	struct str by = text_of(end, "by");

	part_cell(t, STYLE_BOLD, end, "ticket");
	part_cell(t, STYLE_CYAN, end, "session");
	part_cell(t, STYLE_PLAIN, end, "role");
	part_cell(t, STYLE_DIM, end, "ended_at");
	char *how = xasprintf("%.*s%s%.*s", STR_ARG(text_of(end, "ending")), by.len ? " by " : "",
			      STR_ARG(by));
	table_cell(t, STYLE_YELLOW, str_of(how));
	part_cell(t, STYLE_PLAIN, end, "reason");
	table_row(t);
	free(how);
}

static void show_claim_rows(struct page *page, const json_t *claims, const json_t *ended,
			    size_t indent)
{
	struct table t = { .cut = true, .indent = indent };
	size_t i;
	json_t *row;

	json_array_foreach(claims, i, row) add_claim(&t, row);
	json_array_foreach(ended, i, row) add_end(&t, row);
	table_print(&t, page);
	table_release(&t);
}

void show_claims(struct page *page, const json_t *answer)
{
	const json_t *claims = json_object_get(answer, "claims");
	const json_t *ended = json_object_get(answer, "ended");

	if (part_empty(page, claims ? claims : ended,
		       claims ? "no claims" : "no claim has ended lately"))
		return;
	show_claim_rows(page, claims, ended, 0);
	page_line(page);
	part_count(page, answer, "claim", "claims");
}

/* What somebody has now; and who had it. */
void show_held(struct page *page, const json_t *answer)
{
	const json_t *claims = json_object_get(answer, "claims"), *claim;
	const json_t *before = json_object_get(answer, "before");
	size_t i;

	show_claim_rows(page, claims, NULL, 0);
	if (json_array_size(before)) {
		page_addf(page, STYLE_DIM, "before that:");
		page_line(page);
		show_claim_rows(page, NULL, before, 2);
	}
	claim = json_array_get(claims, 0);
	for (i = 1; i < json_array_size(claims); i++)
		if (number_of(json_array_get(claims, i), "token") != number_of(claim, "token"))
			return;
	page_addf(page, STYLE_DIM, "token %lld", number_of(claim, "token"));
	page_line(page);
}

void show_ended(struct page *page, const json_t *answer)
{
	show_claim_rows(page, NULL, json_object_get(answer, "ended"), 0);
}

void show_sessions(struct page *page, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "sessions");
	struct table t = { .wrap = true };
	size_t i;
	json_t *row;

	if (part_empty(page, rows, "no session claims a Ticket"))
		return;
	json_array_foreach(rows, i, row)
	{
		char *tickets = part_line(json_object_get(row, "tickets"));
		char *roles = part_line(json_object_get(row, "roles"));
		part_cell(&t, STYLE_BOLD, row, "session");
		table_cell(&t, STYLE_PLAIN, str_of(roles));
		part_cell(&t, STYLE_DIM, row, "since");
		table_cell(&t, STYLE_PLAIN, str_of(tickets));
		table_row(&t);
		free(tickets);
		free(roles);
	}
	table_print(&t, page);
	table_release(&t);
	page_line(page);
	part_count(page, answer, "session", "sessions");
}

void show_holders(struct page *page, const json_t *claims)
{
	if (!json_array_size(claims))
		return;
	page_line(page);
	page_addf(page, STYLE_BOLD, "claimed");
	page_line(page);
	show_claim_rows(page, claims, NULL, 2);
}
