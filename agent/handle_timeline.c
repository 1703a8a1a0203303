/* SPDX-License-Identifier: MIT */
#include "answer.h"
#include "diff.h"
#include "handlers.h"
#include "log_rows.h"

/* What changed, and when. */

/* -- record.diff -------------------------------------------------------- */

static void put_change(struct call *call, const struct diff_row *c)
{
	const struct record *r = c->d ? c->d->record : NULL;
	struct wire *w = &call->out;

	wire_map(w);
	wire_put_str(w, "what", str_of(word(&words_change, (int)c->what)));
	wire_put_str(w, "ticket", c->ticket);
	wire_put_opt(w, "before", str_of(c->before));
	wire_put_opt(w, "after", str_of(c->after));
	if (r) {
		wire_put_str(w, "record", r->id);
		wire_put_str(w, "kind", str_of(word(&words_kind, (int)r->kind)));
		wire_put_opt(w, "other", r->other);
		wire_put_str(w, "author", r->author);
		wire_put_time(w, "at", r->at);
		wire_put_opt(w, "note", r->plan ? r->plan->summary : r->note);
	}
	wire_end(w);
}

/* The id under which either side knows the Ticket. */
static bool find_in_either(struct index *from, struct index *to, struct str name, struct str *id,
			   struct fault *why)
{
	struct ticket *t;

	*id = STR_NONE;
	if (!name.at)
		return true;
	if (!index_resolve(to, name, &t, why) && !index_resolve(from, name, &t, why))
		return false;
	*id = t->id;
	return true;
}

bool handle_record_diff(struct call *call, const struct record_diff_params *p, struct fault *why)
{
	struct page page = { .limit = p->limit, .cursor = p->cursor };
	struct service *s = call->service;
	struct view *from, *to = NULL;
	struct diff_row *rows;
	struct str only;

	if (!s->revision(s->agent, call, 0, p->from, &from, why) ||
	    (p->to.at && !s->revision(s->agent, call, 1, p->to, &to, why)))
		return false;
	if (call->parked)
		return true;
	if (!to && !s->any_tree(s->agent, why))
		return false;
	call->view = to;
	call->ix = to ? to->ix : s->ix;
	if (!find_in_either(from->ix, call->ix, p->ticket, &only, why) ||
	    !diff_of(from->ix, call->ix, only, call->now, &call->arena, &page, &rows, why))
		return false;
	wire_put_str(&call->out, "from", str_of(from->commit));
	wire_put_opt(&call->out, "to", str_of(to ? to->commit : NULL));
	answer_page(call, &page);
	wire_key(&call->out, "changes");
	wire_list(&call->out);
	for (size_t i = 0; i < page.returned; i++)
		put_change(call, &rows[page.first + i]);
	wire_end(&call->out);
	return true;
}

/* -- record.log --------------------------------------------------------- */

static void put_moment(struct wire *w, const char *name, const struct past_commit *c)
{
	if (!c)
		return;
	wire_key(w, name);
	wire_map(w);
	wire_put_str(w, "commit", str_of(c->id));
	wire_put_str(w, "author", str_of(c->author));
	wire_put_time(w, "at", c->at);
	wire_put_str(w, "subject", str_of(c->subject));
	wire_end(w);
}

static void put_retraction(struct wire *w, const struct record *r)
{
	if (!r)
		return;
	wire_key(w, "retracted");
	wire_map(w);
	wire_put_str(w, "record", r->id);
	wire_put_str(w, "author", r->author);
	wire_put_time(w, "at", r->at);
	wire_put_opt(w, "note", r->note);
	wire_end(w);
}

static void put_log_row(struct call *call, const struct past *past, const struct log_row *row)
{
	const struct record *r = row->record;
	struct wire *w = &call->out;

	wire_map(w);
	wire_put_str(w, "record", row->id);
	wire_put_str(w, "ticket", row->ticket);
	if (r) {
		wire_put_str(w, "kind", str_of(word(&words_kind, (int)r->kind)));
		wire_put_opt(w, "other", r->other);
		wire_put_opt(w, "note", r->plan ? r->plan->summary : r->note);
		wire_put_str(w, "author", r->author);
		wire_put_time(w, "at", r->at);
	}
	if (row->d)
		wire_put_str(w, "status",
			     str_of(word(&words_status,
					 (int)decision_status(call->ix, row->d, call->now))));
	put_moment(w, "came", row->past ? past_came(row->past) : NULL);
	put_moment(w, "vanished", row->past && !row->d ? past_vanished(row->past) : NULL);
	put_retraction(w, log_retraction(call->ix, past, row));
	wire_end(w);
}

/* A Ticket that is not there now may be one that commits have. */
static struct str ticket_then(struct call *call, struct str name)
{
	struct ticket *t;
	struct fault never;

	return name.at && index_resolve(call->ix, name, &t, &never) ? t->id : name;
}

static bool was_never(struct call *call, const struct past *past, struct str ticket,
		      struct fault *why)
{
	struct ticket *t;

	for (const struct past_record *r = past_records(past); r; r = r->hh.next)
		if (str_eq(r->ticket, ticket))
			return false;
	return ticket.at && !index_resolve(call->ix, ticket, &t, why);
}

bool handle_record_log(struct call *call, const struct record_log_params *p, struct fault *why)
{
	struct log_filter filter = { .ticket = ticket_then(call, p->ticket),
				     .kinds = p->kind,
				     .author = p->author };
	struct page page = { .limit = p->limit, .cursor = p->cursor };
	struct service *s = call->service;
	const struct past *past;
	struct log_row *rows;

	filter.since = p->since;
	filter.before = p->before;
	if (!s->past(s->agent, call, &past, why))
		return false;
	if (call->parked)
		return true;
	if (was_never(call, past, filter.ticket, why) ||
	    !log_rows(call->ix, past, &filter, &call->arena, &page, &rows, why))
		return false;
	answer_page(call, &page);
	wire_key(&call->out, "log");
	wire_list(&call->out);
	for (size_t i = 0; i < page.returned; i++)
		put_log_row(call, past, &rows[page.first + i]);
	wire_end(&call->out);
	return true;
}
