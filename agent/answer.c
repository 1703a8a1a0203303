/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <stdlib.h>

#include "log.h"
#include "stamp.h"

static void put_word(struct wire *w, const char *name, const struct words *set, int value)
{
	wire_put_str(w, name, str_of(word(set, value)));
}

void answer_log_line(struct wire *w, const struct log_line *line)
{
	wire_map(w);
	wire_put_time(w, "at", line->at);
	put_word(w, "level", &words_log_level, (int)line->level);
	wire_put_str(w, "text", str_of(line->text));
	wire_end(w);
}

void answer_page(struct call *call, const struct page *page)
{
	wire_put_int(&call->out, "count", (int64_t)page->count);
	wire_put_int(&call->out, "returned", (int64_t)page->returned);
	wire_put_opt(&call->out, "next", page->next);
}

void answer_strs(struct call *call, const char *name, const struct str *list, size_t count)
{
	wire_key(&call->out, name);
	wire_list(&call->out);
	for (size_t i = 0; i < count; i++)
		wire_str(&call->out, list[i]);
	wire_end(&call->out);
}

struct str answer_file(struct call *call, int source, struct str path)
{
	const struct source *s = index_source(call->ix, source);

	/* What is lost lies in no tree. */
	return s ? source_path(s, path, &call->arena) : path;
}

/* -- Records ------------------------------------------------------------ */

static void put_plan(struct call *call, const struct record *record)
{
	const struct plan *plan = record->plan;
	struct wire *w = &call->out;

	wire_key(w, "accepted_plan");
	wire_map(w);
	wire_put_str(w, "summary", plan->summary);
	wire_put_opt(w, "branch", plan->branch);
	wire_put_opt(w, "worktree", plan->worktree);
	wire_put_opt(w, "path", claims_path(call->service->claims, record->id));
	wire_put_opt(w, "role_plan", plan->role_plan);
	wire_end(w);
}

static void put_until(struct wire *w, const struct until *u)
{
	wire_key(w, "until");
	wire_map(w);
	switch (u->form) {
	case UNTIL_TICKET:
		wire_put_str(w, "ticket", u->ticket);
		put_word(w, "state", &words_state, (int)u->state);
		break;
	case UNTIL_AFTER:
		wire_put_time(w, "after", u->after);
		break;
	case UNTIL_HUMAN:
		wire_put_str(w, "gate", STR("human"));
		break;
	case UNTIL_FREE:
		wire_put_int(w, "free", u->free);
		break;
	case UNTIL_NONE:
		break;
	}
	wire_end(w);
}

static void put_sources(struct call *call, uint64_t sources)
{
	const struct index *ix = call->ix;

	wire_key(&call->out, "sources");
	wire_list(&call->out);
	for (int i = -1; (i = index_source_next(ix, sources, i)) >= 0;)
		wire_str(&call->out, str_of(index_source(ix, i)->name));
	wire_end(&call->out);
}

void answer_moment(struct wire *w, const char *name, const struct past_commit *c)
{
	if (!c)
		return;
	wire_key(w, name);
	wire_map(w);
	wire_put_str(w, "commit", str_of(c->id));
	wire_put_str(w, "author", str_of(c->author));
	wire_put_time(w, "at", c->at);
	wire_put_str(w, "subject", str_of(c->subject));
	if (c->cut)
		wire_put_bool(w, "shallow", true);
	wire_end(w);
}

/* git is asked again where the files changed meanwhile, but not for ever. */
#define STANCES_ASKED_MAX 4

/* What git knows of it; false where that is not known yet, and the call parked. */
static bool find_standing(struct call *call, const struct decision *d, enum standing *into)
{
	const struct source *s = index_source(call->ix, d->doc->copy->source);
	const struct stance *known = s ? stances_find(call->stances, d->record, s->name) : NULL;

	*into = call->view && call->view->commit ? STANDING_COMMITTED : STANDING_LOST;
	if (!s || *into == STANDING_COMMITTED)
		return true;
	if (!known && call->stances->asked < STANCES_ASKED_MAX) {
		struct str inner = str_of(d->doc->path);
		stances_add(call->stances, d->doc->content, d->record, s->name, s->top,
			    source_path(s, inner, &call->arena), inner);
		call->parked = call->awaits_git = true;
	}
	if (known)
		*into = known->standing;
	return known && known->known;
}

static void put_provenance(struct call *call, const struct decision *d)
{
	struct service *s = call->service;
	struct stances *stances = call->stances;
	const struct past *past = NULL;
	enum standing standing;

	stances->failed = stances->failed || !s->past(s->agent, call, &past, &stances->why);
	if (!find_standing(call, d, &standing) || !past)
		return;
	const struct past_record *r = past_record(
		past, d->ticket->id, d->doc->content->role == ROLE_RELATIONS, d->record->id);
	wire_key(&call->out, "provenance");
	wire_map(&call->out);
	put_word(&call->out, "standing", &words_standing, (int)standing);
	answer_moment(&call->out, "came", r ? past_came(r) : NULL);
	wire_end(&call->out);
}

void answer_record(struct call *call, const struct seen *row)
{
	const struct decision *d = row->d;
	const struct record *r = d->record;
	const struct ticket *other = seen_other(row);
	struct wire *w = &call->out;

	wire_map(w);
	wire_put_str(w, "id", r->id);
	wire_put_str(w, "ticket_id", row->derived ? d->other->id : d->ticket->id);
	put_word(w, "kind", &words_kind, (int)seen_kind(row));
	wire_put_opt(w, "other", other ? other->id : STR_NONE);
	wire_put_opt(w, "note", r->note);
	if (r->plan)
		put_plan(call, r);
	if (r->until)
		put_until(w, r->until);
	wire_put_opt(w, "retracts", r->retracts);
	wire_put_str(w, "author", r->author);
	wire_put_time(w, "at", r->at);
	put_word(w, "origin", &words_origin, (int)r->origin);
	put_word(w, "direction", &words_direction,
		 row->derived ? DIRECTION_DERIVED : DIRECTION_STORED);
	put_word(w, "status", &words_status, (int)decision_status(call->ix, d, call->now));
	put_sources(call, d->sources);
	wire_put_str(w, "file", answer_file(call, d->doc->copy->source, str_of(d->doc->path)));
	if (r->line)
		wire_put_int(w, "line", r->line);
	if (call->stances)
		put_provenance(call, d);
	wire_end(w);
}

/* -- Gates -------------------------------------------------------------- */

static void put_reason(struct wire *w, const struct reason_row *row)
{
	wire_map(w);
	put_word(w, "code", &words_reason, (int)row->code);
	put_word(w, "severity", &words_severity, (int)row->severity);
	put_word(w, "origin", &words_origin, (int)row->origin);
	wire_put_opt(w, "other", row->other);
	if (row->other_state >= 0)
		put_word(w, "other_state", &words_state, row->other_state);
	wire_put_opt(w, "source", row->source);
	if (row->decision)
		wire_put_str(w, "record", row->decision->record->id);
	wire_put_str(w, "text", row->text);
	wire_end(w);
}

/*
 * Lists within an answer that has no pages end here, so that one Ticket with
 * thousands of records can still be told of, and the queue it stands in.
 */
#define INNER_LIST_BYTES (RPC_ANSWER_MAX / 6)

static bool has_room(const struct call *call, size_t start)
{
	return call->out.out->len - start < INNER_LIST_BYTES;
}

static void put_cut(struct call *call, size_t left)
{
	if (left)
		wire_put_int(&call->out, "cut", (int64_t)left);
}

void answer_gate(struct call *call, const struct gate *gate)
{
	struct wire *w = &call->out;
	size_t start = w->out->len, i = 0;

	wire_map(w);
	wire_put_str(w, "ticket", gate->ticket->id);
	put_word(w, "verdict", &words_verdict, (int)gate->verdict);
	wire_key(w, "reasons");
	wire_list(w);
	for (; i < gate->count && has_room(call, start); i++)
		put_reason(w, &gate->reasons[i]);
	wire_end(w);
	put_cut(call, gate->count - i);
	wire_end(w);
}

/* -- Claims ------------------------------------------------------------- */

/* What is said of a claim as long as it lives, and later. */
static void put_claim(struct wire *w, const struct claim *c)
{
	wire_put_str(w, "ticket", c->ticket);
	wire_put_str(w, "session", c->session);
	wire_put_opt(w, "role", c->role);
	wire_put_int(w, "token", (int64_t)c->token);
	wire_put_time(w, "since", c->since);
}

void answer_claim(struct call *call, const struct claim *c)
{
	struct wire *w = &call->out;

	wire_map(w);
	put_claim(w, c);
	wire_put_opt(w, "source", c->source);
	put_word(w, "lives", &words_lives, (int)c->lives);
	if (c->lives == LIVES_PID)
		wire_put_int(w, "pid", c->pid);
	else
		wire_put_time(w, "until", c->until_at);
	wire_end(w);
}

void answer_claim_end(struct call *call, const struct claim_end *e)
{
	struct wire *w = &call->out;

	wire_map(w);
	put_claim(w, e->claim);
	wire_put_time(w, "ended_at", e->at);
	put_word(w, "ending", &words_ending, (int)e->how);
	wire_put_opt(w, "by", e->by);
	wire_put_opt(w, "reason", e->reason);
	wire_end(w);
}

/* -- Tickets ------------------------------------------------------------ */

void answer_ticket_row(struct call *call, const struct ticket *t)
{
	struct wire *w = &call->out;

	wire_map(w);
	wire_put_str(w, "id", t->id);
	wire_put_opt(w, "slug", ticket_item(t)->slug);
	wire_put_str(w, "title", ticket_title(t));
	put_word(w, "state", &words_state, t->state);
	wire_put_opt(w, "updated_at", ticket_item(t)->updated_at);
	wire_end(w);
}

void answer_queue_row(struct call *call, const struct gate *gate)
{
	const struct ticket *t = gate->ticket;
	struct wire *w = &call->out;

	wire_map(w);
	wire_put_str(w, "id", t->id);
	wire_put_str(w, "title", ticket_title(t));
	wire_put_opt(w, "queued_at", ticket_item(t)->queued_at);
	wire_key(w, "gate");
	answer_gate(call, gate);
	wire_end(w);
}

void answer_finding(struct call *call, const struct finding *f)
{
	struct wire *w = &call->out;

	wire_map(w);
	put_word(w, "code", &words_problem, (int)f->code);
	put_word(w, "severity", &words_level, (int)problem_row(f->code)->level);
	if (f->ticket)
		wire_put_str(w, "ticket", f->ticket->id);
	if (f->source >= 0) {
		wire_put_str(w, "source", str_of(index_source(call->ix, f->source)->name));
		struct str file = answer_file(call, f->source, f->path);
		if (file.len)
			wire_put_str(w, "file", file);
	}
	if (f->line)
		wire_put_int(w, "line", f->line);
	if (f->offset >= 0)
		wire_put_int(w, "offset", f->offset);
	wire_put_str(w, "text", f->text);
	wire_put_str(w, "remedy", str_of(words_problem.list[f->code].doc));
	wire_end(w);
}

static void put_ticket_sources(struct call *call, const struct ticket *t)
{
	struct wire *w = &call->out;

	wire_key(w, "sources");
	wire_list(w);
	for (const struct copy *c = t->copies; c; c = c->next) {
		wire_map(w);
		wire_put_str(w, "name", str_of(index_source(call->ix, c->source)->name));
		put_word(w, "state", &words_state, (int)copy_state(c));
		if (c->item && c->item->item)
			wire_put_opt(w, "updated_at", c->item->item->updated_at);
		wire_put_str(w, "path", answer_file(call, c->source, str_of(c->dir)));
		wire_end(w);
	}
	wire_end(w);
}

static void put_problems(struct call *call, const struct ticket *t)
{
	struct findings found = { .arena = &call->arena };
	size_t start = call->out.out->len;

	doctor_files(t, &found);
	wire_key(&call->out, "problems");
	wire_list(&call->out);
	for (size_t i = 0; i < found.count && has_room(call, start); i++)
		answer_finding(call, &found.at[i]);
	wire_end(&call->out);
}

/* The rows of one direction, out of all that concern the Ticket; how many were left out. */
static size_t put_records(struct call *call, const char *name, const struct seen *rows,
			  size_t count, bool derived)
{
	size_t start = call->out.out->len, left = 0;

	wire_key(&call->out, name);
	wire_list(&call->out);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].derived != derived)
			continue;
		if (has_room(call, start))
			answer_record(call, &rows[i]);
		else
			left++;
	}
	wire_end(&call->out);
	return left;
}

static void put_both_records(struct call *call, const struct ticket *t, enum scope scope)
{
	struct record_filter filter = { .ticket = t, .scope = scope, .order = ORDER_OLDEST };
	struct page page = { 0 };
	struct seen *rows;
	struct fault never;

	/* A page begins at the first row: all of them are there behind it. */
	BUG_IF(!query_records(call->ix, &filter, call->now, &call->arena, &page, &rows,
			      &never));
	size_t left = put_records(call, "outgoing", rows, page.count, false);
	put_cut(call, left + put_records(call, "incoming", rows, page.count, true));
}

void answer_ticket(struct call *call, const struct ticket *t, enum scope scope, struct str session)
{
	const struct item *item = ticket_item(t);
	struct wire *w = &call->out;
	struct gate gate;

	wire_map(w);
	wire_put_str(w, "id", t->id);
	wire_put_opt(w, "slug", item->slug);
	wire_put_str(w, "title", ticket_title(t));
	put_word(w, "state", &words_state, t->state);
	wire_put_bool(w, "resolved", state_resolved((enum state)t->state));
	wire_put_opt(w, "created_at", item->created_at);
	wire_put_opt(w, "updated_at", item->updated_at);
	wire_put_opt(w, "queued_at", item->queued_at);
	put_ticket_sources(call, t);
	if (t->diverged)
		wire_put_bool(w, "diverged", true);
	put_problems(call, t);
	put_both_records(call, t, scope);
	wire_key(w, "claims");
	wire_list(w);
	if (t->claim)
		answer_claim(call, t->claim);
	wire_end(w);
	gate_for(call->ix, t, call->now, call_session(call, session), &call->arena, &gate);
	gate_tell_ignored(call->ix, call->ignored, &call->arena, &gate);
	wire_key(w, "gate");
	answer_gate(call, &gate);
	wire_end(w);
}
