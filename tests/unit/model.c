/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdlib.h>

#include "base.h"
#include "doctor.h"
#include "gate.h"
#include "query.h"

int model_source(struct index *ix, const char *name)
{
	int source = index_source_add(ix, name);

	BUG_IF(source < 0);
	if (!index_source(ix, source)->root[0])
		index_source_set(ix, source, "/top", ".tickets", strcmp(name, "main") == 0);
	return source;
}

static enum role role_of(const char *path)
{
	enum role role = ROLE_ROOT;

	for (size_t n; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		role = layout_role(role, (struct str){ path, n });
	}
	return role;
}

void model_put_bytes(struct index *ix, const char *source, const char *path, struct str bytes)
{
	enum role role = role_of(path);
	struct spot spot;
	struct content *c;

	BUG_IF(!role_is_file(role) || !layout_split(str_of(path), &spot));
	if (role == ROLE_ITEM)
		c = item_parse(bytes, spot.slug);
	else
		c = artifact_parse(role, spot.ticket, str_of(strrchr(path, '/') + 1), bytes);
	index_put(ix, model_source(ix, source), str_of(path), c);
}

void model_put(struct index *ix, const char *source, const char *path, const char *text)
{
	model_put_bytes(ix, source, path, str_of(text));
}

void model_drop(struct index *ix, const char *source, const char *path)
{
	index_drop(ix, model_source(ix, source), str_of(path));
}

void model_item_with(struct index *ix, const char *source, const char *id, const char *state,
		     const char *lines)
{
	char *path = xasprintf("%s/item.md", id);
	char *text = xasprintf("---\ntitle: \"%s\"\nstate: %s\n%s---\n", id, state, lines);

	model_put(ix, source, path, text);
	free(path);
	free(text);
}

void model_item(struct index *ix, const char *source, const char *id, const char *state)
{
	model_item_with(ix, source, id, state, "");
}

char *model_line(const char *ticket, const char *id, const char *kind, int hour, const char *fields)
{
	return xasprintf("{\"id\":\"%s\",\"ticket_id\":\"%s\",\"kind\":\"%s\"%s,\"author\":\"ann\","
			 "\"at\":\"2026-05-01T%02d:00:00Z\"}\n",
			 id, ticket, kind, fields, hour);
}

void model_record(struct index *ix, const char *source, const char *ticket, const char *id,
		  const char *kind, int hour, const char *fields)
{
	char *path = xasprintf("%s/artifacts/records/%s.json", ticket, id);
	char *text = model_line(ticket, id, kind, hour, fields);

	model_put(ix, source, path, text);
	free(path);
	free(text);
}

char *model_relations(const char *ticket, const char *kind, const char *target, int hour)
{
	return xasprintf(
		"{\"version\":1,\"relations\":[{\"ticket_id\":\"%s\",\"kind\":\"%s\","
		"\"target\":\"%s\",\"author\":\"ann\",\"at\":\"2026-05-01T%02d:00:00Z\"}]}\n",
		ticket, kind, target, hour);
}

/* -- What it says ------------------------------------------------------- */

static struct gate ask(struct index *ix, const char *id, struct arena *arena)
{
	struct ticket *t = index_find(ix, str_of(id));
	struct gate gate;

	BUG_IF(!t);
	gate_of(ix, t, MODEL_NOW, arena, &gate);
	return gate;
}

static void add_reason(struct buf *into, const struct reason_row *r)
{
	buf_addf(into, "%s/%s/%s", word(&words_reason, (int)r->code),
		 word(&words_severity, (int)r->severity), word(&words_origin, (int)r->origin));
	if (r->other.at)
		buf_addf(into, " %.*s", STR_ARG(r->other));
	if (r->other_state >= 0)
		buf_addf(into, " %s", word(&words_state, r->other_state));
	if (r->source.at)
		buf_addf(into, " @%.*s", STR_ARG(r->source));
}

static struct buf said;

const char *model_gate(struct index *ix, const char *id)
{
	struct arena arena = { 0 };
	struct gate gate = ask(ix, id, &arena);

	said.len = 0;
	buf_addf(&said, "%s", word(&words_verdict, (int)gate.verdict));
	for (size_t i = 0; i < gate.count; i++) {
		buf_addf(&said, i ? "; " : " ");
		add_reason(&said, &gate.reasons[i]);
	}
	arena_release(&arena);
	return buf_text(&said);
}

const char *model_reasons(struct index *ix, const char *id)
{
	struct arena arena = { 0 };
	struct gate gate = ask(ix, id, &arena);

	said.len = 0;
	for (size_t i = 0; i < gate.count; i++)
		buf_addf(&said, "%.*s\n", STR_ARG(gate.reasons[i].text));
	arena_release(&arena);
	return buf_text(&said);
}

const char *model_status(struct index *ix, const char *ticket, const char *record)
{
	const struct ticket *t = index_find(ix, str_of(ticket));

	for (uint32_t i = 0; t && i < t->own_count; i++)
		if (str_is(t->own[i].record->id, record))
			return word(&words_status, (int)decision_status(ix, &t->own[i], MODEL_NOW));
	return "none";
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_sources(const struct index *ix, uint64_t mask, struct buf *into)
{
	const char *names[SOURCES_MAX];
	size_t count = 0;

	for (int i = 0; i < SOURCES_MAX; i++)
		if (mask & UINT64_C(1) << i)
			names[count++] = index_source(ix, i)->name;
	if (count > 1)
		qsort(names, count, sizeof(*names), by_text);
	for (size_t i = 0; i < count; i++)
		buf_addf(into, " @%s", names[i]);
}

static void add_row(struct index *ix, const struct seen *row, struct buf *into)
{
	const struct record *r = row->d->record;
	const struct ticket *other = seen_other(row);

	buf_addf(into, "  %s %.*s %s %.*s \"%.*s\" %lld %s %s %s:%u", row->derived ? "in" : "own",
		 STR_ARG(r->id), word(&words_kind, (int)seen_kind(row)),
		 STR_ARG(other ? other->id : STR("-")), STR_ARG(r->note), (long long)r->at,
		 word(&words_status, (int)decision_status(ix, row->d, MODEL_NOW)),
		 row->d->diverged ? "diverged" : "same", row->d->doc->path, r->line);
	add_sources(ix, row->d->sources, into);
	buf_addf(into, "\n");
}

static void add_records(struct index *ix, struct ticket *t, struct arena *arena, struct buf *into)
{
	struct record_filter filter = { .ticket = t, .scope = SCOPE_ALL, .order = ORDER_OLDEST };
	struct page page = { .limit = 1000 };
	struct seen *rows;
	struct fault why;

	BUG_IF(!query_records(ix, &filter, MODEL_NOW, arena, &page, &rows, &why));
	for (size_t i = 0; i < page.returned; i++)
		add_row(ix, &rows[i], into);
}

static void add_ticket(struct index *ix, struct ticket *t, struct arena *arena, struct buf *into)
{
	const struct item *item = ticket_item(t);

	buf_addf(into, "%.*s \"%.*s\" %.*s %s%s%s%s%s%s", STR_ARG(t->id), STR_ARG(item->title),
		 STR_ARG(item->slug), word(&words_state, t->state), t->diverged ? " diverged" : "",
		 t->elsewhere ? " elsewhere" : "", t->unreadable ? " unreadable" : "",
		 t->twice ? " twice" : "", t->occupied ? " occupied" : "");
	for (const struct copy *c = t->copies; c; c = c->next)
		buf_addf(into, "%s%s:%s", c == t->face ? " *" : " ",
			 index_source(ix, c->source)->name, c->dir);
	struct gate gate = ask(ix, t->id.at, arena);
	buf_addf(into, "\n  %s\n", word(&words_verdict, (int)gate.verdict));
	for (size_t i = 0; i < gate.count; i++) {
		buf_addf(into, "  ");
		add_reason(into, &gate.reasons[i]);
		const struct decision *d = gate.reasons[i].decision;
		buf_addf(into, " %.*s: %.*s\n", STR_ARG(d ? d->record->id : STR("")),
			 STR_ARG(gate.reasons[i].text));
	}
	add_records(ix, t, arena, into);
}

/* Findings of one path in several sources come by the sources' numbers: sort the lines. */
static void add_findings(struct index *ix, struct arena *arena, struct buf *into)
{
	struct page page = { .limit = 1000 };
	struct finding *rows;
	size_t errors;
	struct fault why;

	BUG_IF(!doctor_run(ix, NULL, NULL, MODEL_NOW, arena, &page, &rows, &errors, &why));
	const char **lines = arena_alloc(arena, (page.count + 1) * sizeof(*lines));
	for (size_t i = 0; i < page.returned; i++)
		lines[i] = arena_printf(arena, "%s %s/%.*s:%u %.*s\n",
					word(&words_problem, (int)rows[i].code),
					rows[i].source < 0 ? ""
							   : index_source(ix, rows[i].source)->name,
					STR_ARG(rows[i].path), rows[i].line, STR_ARG(rows[i].text))
				   .at;
	if (page.returned)
		qsort(lines, page.returned, sizeof(*lines), by_text);
	for (size_t i = 0; i < page.returned; i++)
		buf_addf(into, "%s", lines[i]);
	buf_addf(into, "%zu problems, %zu errors\n", page.count, errors);
}

void model_dump(struct index *ix, struct buf *into)
{
	size_t count;
	struct ticket *const *all = index_tickets(ix, &count);
	struct arena arena = { 0 };

	for (size_t i = 0; i < count; i++)
		add_ticket(ix, all[i], &arena, into);
	add_findings(ix, &arena, into);
	buf_addf(into, "%zu Tickets, %zu records, %zu flaws, %zu occupied\n", index_count(ix),
		 index_record_count(ix), index_flaw_count(ix), index_occupied(ix));
	arena_release(&arena);
}

unsigned model_random(uint64_t *seed, unsigned below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*seed >> 33) % below;
}
