/* SPDX-License-Identifier: MIT */
#include "show.h"

#include <stdlib.h>

#include "base.h"
#include "changes.h"
#include "holds.h"
#include "json.h"
#include "parts.h"
#include "plain.h"
#include "show_claims.h"

enum style verdict_style(struct str verdict)
{
	if (str_is(verdict, "clear"))
		return STYLE_GREEN;
	return str_is(verdict, "held") ? STYLE_RED : STYLE_YELLOW;
}

static enum style level_style(struct str level)
{
	return str_is(level, "error") ? STYLE_RED : STYLE_YELLOW;
}

static void show_reasons(struct page *page, const json_t *gate, size_t indent)
{
	struct table t = { .indent = indent, .wrap = true };
	size_t i;
	json_t *reason;

	json_array_foreach(json_object_get(gate, "reasons"), i, reason) {
		bool hold = str_is(text_of(reason, "severity"), "hold");
		part_cell(&t, hold ? STYLE_RED : STYLE_DIM, reason, "code");
		table_cell(&t, STYLE_DIM, hold ? STR("") : STR("note"));
		part_cell(&t, hold ? STYLE_PLAIN : STYLE_DIM, reason, "text");
		table_row(&t);
	}
	table_print(&t, page);
	table_release(&t);
	if (!number_of(gate, "cut"))
		return;
	page_addf(page, STYLE_DIM, "%*sand %lld more reasons", (int)indent, "",
		  number_of(gate, "cut"));
	page_line(page);
}

static void show_queue(struct page *page, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "queue");
	struct table t = { .cut = true };
	size_t i, clear = 0, held = 0;
	json_t *row;

	if (part_empty(page, rows, number_of(answer, "count") ? "nothing more is queued"
							       : "nothing is queued"))
		return;
	json_array_foreach(rows, i, row) {
		struct str verdict = text_of(json_object_get(row, "gate"), "verdict");
		clear += str_is(verdict, "clear");
		held += str_is(verdict, "held");
		part_cell(&t, STYLE_BOLD, row, "id");
		table_cell(&t, verdict_style(verdict), verdict);
		part_cell(&t, STYLE_DIM, row, "queued_at");
		part_cell(&t, STYLE_PLAIN, row, "title");
		table_row(&t);
	}
	json_array_foreach(rows, i, row) {
		table_print_row(&t, i, page);
		show_reasons(page, json_object_get(row, "gate"), 4);
	}
	table_release(&t);
	page_line(page);
	char *what = xasprintf("queued: %zu clear, %zu held", clear, held);
	part_count(page, answer, what, what);
	free(what);
}

static void show_gate(struct page *page, const json_t *gate)
{
	struct str verdict = text_of(gate, "verdict");

	page_add(page, STYLE_BOLD, text_of(gate, "ticket"));
	page_add(page, STYLE_PLAIN, STR(": "));
	page_add(page, verdict_style(verdict), verdict);
	page_line(page);
	show_reasons(page, gate, 2);
}

static void show_gate_answer(struct page *page, const json_t *answer)
{
	show_gate(page, json_object_get(answer, "gate"));
}

static struct str note_of(const json_t *record)
{
	struct str note = text_of(record, "note");

	if (!note.at)
		note = text_of(json_object_get(record, "accepted_plan"), "summary");
	if (!note.at)
		note = text_of(record, "retracts");
	return part_first(note);
}

#define COMMIT_SHOWN 12

/* How it stands to git: a word, and who brought it in which commit. */
static void add_provenance(struct table *t, const json_t *record)
{
	const json_t *provenance = json_object_get(record, "provenance");
	const json_t *came = json_object_get(provenance, "came");
	struct str standing = text_of(provenance, "standing"), commit = text_of(came, "commit");
	/* As git blame marks where a shallow clone begins. */
	const char *mark = json_is_true(json_object_get(came, "shallow")) ? "^" : "";
	char shown[COMMIT_SHOWN + 2];

	if (!provenance)
		return;
	snprintf(shown, sizeof(shown), "%s%.*s", mark,
		 (int)(commit.len > COMMIT_SHOWN ? COMMIT_SHOWN : commit.len),
		 commit.len ? commit.at : "");
	/* That it is lost its status says. */
	table_cell(t, str_is(standing, "committed") ? STYLE_DIM : STYLE_YELLOW,
		   str_is(standing, "lost") ? STR("") : standing);
	table_cell(t, STYLE_DIM, str_of(shown));
	part_cell(t, STYLE_DIM, came, "author");
}

/* `owner`: with the Ticket it is read from. */
static void add_record(struct table *t, const json_t *record, bool owner)
{
	struct str status = text_of(record, "status");
	bool live = str_is(status, "live"), lost = str_is(status, "lost");

	part_cell(t, STYLE_DIM, record, "at");
	if (owner)
		part_cell(t, STYLE_BOLD, record, "ticket_id");
	part_cell(t, live ? STYLE_CYAN : STYLE_DIM, record, "kind");
	part_cell(t, STYLE_PLAIN, record, "other");
	part_cell(t, STYLE_DIM, record, "author");
	table_cell(t, lost ? STYLE_RED : STYLE_YELLOW, live ? STR("") : status);
	add_provenance(t, record);
	table_cell(t, STYLE_PLAIN, note_of(record));
	table_row(t);
}

static void show_records(struct page *page, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "records");
	struct table t = { .cut = true };
	size_t i;
	json_t *row;

	if (part_empty(page, rows, "no records"))
		return;
	json_array_foreach(rows, i, row)
		add_record(&t, row, true);
	table_print(&t, page);
	table_release(&t);
	page_line(page);
	part_count(page, answer, "record", "records");
}

static void show_tickets(struct page *page, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "tickets");
	struct table t = { .cut = true };
	size_t i;
	json_t *row;

	if (part_empty(page, rows, "no Tickets"))
		return;
	json_array_foreach(rows, i, row) {
		part_cell(&t, STYLE_BOLD, row, "id");
		part_cell(&t, STYLE_CYAN, row, "state");
		part_cell(&t, STYLE_DIM, row, "updated_at");
		part_cell(&t, STYLE_PLAIN, row, "title");
		table_row(&t);
	}
	table_print(&t, page);
	table_release(&t);
	page_line(page);
	part_count(page, answer, "Ticket", "Tickets");
}

/* A heading and what stands below it; nothing where there is nothing. */
static void show_section(struct page *page, const char *heading, const json_t *records)
{
	struct table t = { .cut = true, .indent = 2 };
	size_t i;
	json_t *record;

	if (!json_array_size(records))
		return;
	page_line(page);
	page_addf(page, STYLE_BOLD, "%s", heading);
	page_line(page);
	json_array_foreach(records, i, record)
		add_record(&t, record, false);
	table_print(&t, page);
	table_release(&t);
}

static void show_problem(struct page *page, const json_t *problem)
{
	struct str file = text_of(problem, "file"), level = text_of(problem, "severity");
	struct str ticket = text_of(problem, "ticket"), where = file.len ? file : ticket;

	if (where.len)
		page_add(page, STYLE_BOLD, where);
	if (file.len && json_object_get(problem, "line"))
		page_addf(page, STYLE_BOLD, ":%lld", number_of(problem, "line"));
	if (where.len)
		page_add(page, STYLE_PLAIN, STR(": "));
	page_add(page, level_style(level), level);
	page_add(page, STYLE_PLAIN, STR(": "));
	page_add(page, STYLE_PLAIN, text_of(problem, "text"));
	page_addf(page, STYLE_DIM, " (%.*s)", STR_ARG(text_of(problem, "code")));
	page_line(page);
	page_addf(page, STYLE_DIM, "  remedy: %.*s", STR_ARG(text_of(problem, "remedy")));
	page_line(page);
}

static void show_problems(struct page *page, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "problems");
	size_t i;
	json_t *row;

	if (!number_of(answer, "count") && part_empty(page, rows, "no problems"))
		return;
	json_array_foreach(rows, i, row)
		show_problem(page, row);
	page_line(page);
	long long errors = number_of(answer, "errors");
	const char *s = errors == 1 ? "" : "s";
	char *one = xasprintf("problem, %lld error%s", errors, s);
	char *more = xasprintf("problems, %lld error%s", errors, s);
	part_count(page, answer, one, more);
	free(one);
	free(more);
}

static void add_fact(struct table *t, const char *name, enum style style, struct str value)
{
	if (!value.len)
		return;
	table_cell(t, STYLE_DIM, str_of(name));
	table_cell(t, style, value);
	table_row(t);
}

static void add_sources(struct table *t, const json_t *ticket)
{
	size_t i;
	json_t *source;

	json_array_foreach(json_object_get(ticket, "sources"), i, source) {
		table_cell(t, STYLE_DIM, i ? STR(" ") : STR("sources"));
		part_cell(t, STYLE_PLAIN, source, "name");
		part_cell(t, STYLE_CYAN, source, "state");
		part_cell(t, STYLE_DIM, source, "updated_at");
		part_cell(t, STYLE_PLAIN, source, "path");
		table_row(t);
	}
}

static void show_ticket(struct page *page, const json_t *answer)
{
	const json_t *ticket = json_object_get(answer, "ticket"), *problem;
	const json_t *problems = json_object_get(ticket, "problems");
	struct table t = { .cut = true };
	size_t i;

	add_fact(&t, "ticket", STYLE_BOLD, text_of(ticket, "id"));
	add_fact(&t, "slug", STYLE_PLAIN, text_of(ticket, "slug"));
	add_fact(&t, "title", STYLE_PLAIN, text_of(ticket, "title"));
	add_fact(&t, "state", STYLE_CYAN, text_of(ticket, "state"));
	if (json_is_true(json_object_get(ticket, "diverged")))
		add_fact(&t, " ", STYLE_YELLOW, STR("checkouts disagree"));
	add_fact(&t, "created", STYLE_PLAIN, text_of(ticket, "created_at"));
	add_fact(&t, "updated", STYLE_PLAIN, text_of(ticket, "updated_at"));
	add_fact(&t, "queued", STYLE_PLAIN, text_of(ticket, "queued_at"));
	add_sources(&t, ticket);
	table_print(&t, page);
	table_release(&t);
	show_section(page, "records", json_object_get(ticket, "outgoing"));
	show_section(page, "seen from others", json_object_get(ticket, "incoming"));
	if (number_of(ticket, "cut")) {
		page_line(page);
		page_addf(page, STYLE_DIM,
			  "and %lld more records; `tpctl records %.*s` has all, in pages",
			  number_of(ticket, "cut"), STR_ARG(text_of(ticket, "id")));
		page_line(page);
	}
	show_holders(page, json_object_get(ticket, "claims"));
	if (json_array_size(problems))
		page_line(page);
	json_array_foreach(problems, i, problem)
		show_problem(page, problem);
	page_line(page);
	show_gate(page, json_object_get(ticket, "gate"));
}

static void show_record(struct page *page, const json_t *answer)
{
	const json_t *record = json_object_get(answer, "record");
	struct str gone = text_of(record, "retracts");

	if (json_is_true(json_object_get(answer, "stored"))) {
		if (gone.len)
			page_addf(page, STYLE_PLAIN, "retracted %.*s: ", STR_ARG(gone));
		page_addf(page, STYLE_PLAIN, "recorded %.*s in ", STR_ARG(text_of(record, "id")));
		page_add(page, STYLE_BOLD, text_of(record, "file"));
		if (json_is_true(json_object_get(answer, "elsewhere")))
			page_addf(page, STYLE_PLAIN, " of the checkout %.*s",
				  STR_ARG(text_of(answer, "source")));
	} else {
		page_addf(page, STYLE_PLAIN, "known already: %.*s %.*s %.*s in %.*s",
			  STR_ARG(text_of(record, "ticket_id")), STR_ARG(text_of(record, "kind")),
			  STR_ARG(text_of(record, "other")), STR_ARG(text_of(record, "file")));
	}
	page_line(page);
}

static void show_accepted(struct page *page, const json_t *answer)
{
	const json_t *claim = json_object_get(answer, "claim");

	show_record(page, answer);
	if (!claim)
		return;
	page_addf(page, STYLE_PLAIN, "claimed for %.*s, token %lld",
		  STR_ARG(text_of(claim, "session")), number_of(claim, "token"));
	page_line(page);
}

static void show_nothing(struct page *page, const json_t *answer)
{
	page_add(page, STYLE_DIM, STR("done, at "));
	page_add(page, STYLE_DIM, text_of(answer, "clock"));
	page_line(page);
}

static void show_told(struct page *page, const json_t *list, const char *how, bool paths)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		struct str text = { json_string_value(one), json_string_length(one) };
		if (paths != str_starts(text, STR("/")))
			continue;
		page_add(page, STYLE_DIM, str_of(how));
		page_add(page, STYLE_PLAIN, text);
		page_line(page);
	}
}

/* Of what was written back the file is told, of what was let go the record. */
static void show_recovered(struct page *page, const json_t *answer)
{
	const json_t *done = json_object_get(answer, "recovered");
	const json_t *left = json_object_get(answer, "left");

	show_told(page, done, "recovered ", true);
	show_told(page, done, "let go of ", false);
	show_told(page, left, "left ", false);
	if (json_array_size(done) + json_array_size(left))
		return;
	page_add(page, STYLE_DIM, STR("nothing is lost"));
	page_line(page);
}

/* Text that the agent has laid out, by tabs too. */
static void show_lines(struct page *page, struct str text)
{
	for (struct str left = text; left.len;) {
		const char *tab = memchr(left.at, '\t', left.len);
		struct str part = { left.at, tab ? (size_t)(tab - left.at) : left.len };
		plain_add_lines(&page->out, part);
		buf_add(&page->out, "\t", tab != NULL);
		left.at += part.len + (tab != NULL);
		left.len -= part.len + (tab != NULL);
	}
	if (text.len && text.at[text.len - 1] != '\n')
		page_line(page);
}

static void show_graph(struct page *page, const json_t *answer)
{
	show_lines(page, text_of(answer, "text"));
}

static void show_brief(struct page *page, const json_t *answer)
{
	size_t i;
	json_t *cut;

	show_lines(page, text_of(answer, "text"));
	json_array_foreach(json_object_get(answer, "cut"), i, cut) {
		page_addf(page, STYLE_DIM, "cut: %s", json_string_value(cut));
		page_line(page);
	}
}

/* Objects of one shape, a row each, a column for each field that one of them has. */
static void show_rows(struct page *page, const struct rpc_field *field, const json_t *rows)
{
	const struct rpc_field *columns = shape(field->shape)->fields;
	struct table t = { .indent = 2 };
	size_t i;
	json_t *row;

	page_line(page);
	page_addf(page, STYLE_BOLD, "%s", field->name);
	page_line(page);
	for (const struct rpc_field *f = columns; f->name; f++)
		table_cell(&t, STYLE_DIM, str_of(f->name));
	table_row(&t);
	json_array_foreach(rows, i, row) {
		for (const struct rpc_field *f = columns; f->name; f++) {
			char *value = part_line(json_object_get(row, f->name));
			table_cell(&t, STYLE_PLAIN, *value ? str_of(value) : STR("-"));
			free(value);
		}
		table_row(&t);
	}
	table_print(&t, page);
	table_release(&t);
}

static void show_fields(struct page *page, enum shape_id id, const json_t *answer)
{
	const struct rpc_field *fields = shape(id)->fields;
	struct table t = { .indent = 0 };

	for (const struct rpc_field *f = fields; f->name; f++) {
		const json_t *value = json_object_get(answer, f->name);
		if (!value || f->type == RPC_LIST || f->type == RPC_OBJECT)
			continue;
		char *name = xasprintf("%s:", f->name), *line = part_line(value);
		add_fact(&t, name, STYLE_PLAIN, str_of(line));
		free(name);
		free(line);
	}
	table_print(&t, page);
	table_release(&t);
	for (const struct rpc_field *f = fields; f->name; f++)
		if (f->type == RPC_LIST && json_array_size(json_object_get(answer, f->name)))
			show_rows(page, f, json_object_get(answer, f->name));
}

/* Promises that could not be kept are said with every answer. */
static void show_freshness(struct page *page, const json_t *answer)
{
	const json_t *freshness = json_object_get(answer, "freshness");

	if (!freshness)
		return;
	char *reasons = part_line(json_object_get(freshness, "reasons"));
	struct str mode = text_of(freshness, "mode");
	if (str_is(mode, "watch"))
		page_addf(page, STYLE_YELLOW, "may be unfinished: %s", reasons);
	else
		page_addf(page, STYLE_YELLOW, "may be older than the question (%.*s): %s",
			  STR_ARG(mode), reasons);
	page_line(page);
	free(reasons);
}

void show_answer(struct page *page, enum shape_id shape, const json_t *answer)
{
	static void (*const forms[SHAPE_COUNT])(struct page *, const json_t *) = {
		[SHAPE_queue] = show_queue,           [SHAPE_gate_answer] = show_gate_answer,
		[SHAPE_records] = show_records,       [SHAPE_tickets] = show_tickets,
		[SHAPE_ticket_answer] = show_ticket,  [SHAPE_problems] = show_problems,
		[SHAPE_record_answer] = show_record,  [SHAPE_nothing] = show_nothing,
		[SHAPE_why] = holds_show,             [SHAPE_graph] = show_graph,
		[SHAPE_brief] = show_brief,           [SHAPE_changes] = changes_show,
		[SHAPE_log] = changes_show_log,       [SHAPE_recovered] = show_recovered,
		[SHAPE_claims_held] = show_held,
		[SHAPE_claims_ended] = show_ended,    [SHAPE_claims] = show_claims,
		[SHAPE_sessions] = show_sessions,     [SHAPE_accept_answer] = show_accepted,
	};

	if (forms[shape])
		forms[shape](page, answer);
	else
		show_fields(page, shape, answer);
	show_freshness(page, answer);
}
