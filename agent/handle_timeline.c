/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "answer.h"
#include "diff.h"
#include "draft.h"
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
	answer_moment(w, "came", row->past ? past_came(row->past) : NULL);
	answer_moment(w, "vanished", row->past && !row->d ? past_vanished(row->past) : NULL);
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

/* -- record.recover ----------------------------------------------------- */

static struct str id_of(const struct doc *doc)
{
	return doc->content->record_count ? doc->content->records[0].id : str_of(doc->path);
}

static bool is_named(struct call *call, const struct rpc_strs *names, const struct doc *doc)
{
	struct ticket *t;
	struct fault never;

	for (size_t i = 0; i < names->count; i++)
		if (str_eq(names->at[i], id_of(doc)) ||
		    str_eq(names->at[i], doc->copy->ticket->id) ||
		    (index_resolve(call->ix, names->at[i], &t, &never) && t == doc->copy->ticket))
			return true;
	return !names->count;
}

static const struct doc *lost_behind(const struct index *ix, const struct doc *after)
{
	const struct doc *next = after ? doc_behind(after) : NULL;

	if (next)
		return next;
	const struct ticket *t = index_lost_next(ix, after ? after->copy->ticket : NULL);
	return t ? t->lost->docs[0] : NULL;
}

/* The first lost record behind `after` that is asked for. */
static const struct doc *next_lost(struct call *call, const struct rpc_strs *names,
				   const struct doc *after)
{
	do
		after = lost_behind(call->ix, after);
	while (after && !is_named(call, names, after));
	return after;
}

static bool was_told(const struct call *call, struct str text)
{
	for (size_t at = 0; at < call->told.len; at += strlen(call->told.at + at) + 1)
		if (str_is(text, call->told.at + at))
			return true;
	return false;
}

static void tell(struct call *call, struct str text)
{
	buf_add_str(&call->told, text);
	buf_add(&call->told, "", 1);
}

static struct str path_of(struct call *call, const struct copy *where, const struct doc *doc)
{
	const struct source *s = index_source(call->ix, where->source);
	char *path = layout_record(where->dir, strrchr(doc->path, '/') + 1);
	struct str whole = arena_printf(&call->arena, "%s/%s/%s", s->top, s->root, path);

	free(path);
	return whole;
}

/* Write the next one that can be; false where there is none. */
static bool write_back(struct call *call, const struct rpc_strs *names)
{
	struct service *s = call->service;

	for (const struct doc *d = NULL; (d = next_lost(call, names, d));) {
		const struct copy *where = draft_where(call->ix, d->copy->ticket, call_stands(call),
						       s->to_asking(s->agent));
		if (!where || was_told(call, path_of(call, where, d)))
			continue;
		const struct source *to = index_source(call->ix, where->source);
		char *root = xasprintf("%s/%s", to->top, to->root);
		call->entry = ledger_entry_new(root, where->dir, strrchr(d->path, '/') + 1);
		free(root);
		if (s->kept(s->agent, d, &call->entry->bytes)) {
			tell(call, path_of(call, where, d));
			call->parked = true;
			return true;
		}
		ledger_entry_free(call->entry);
		call->entry = NULL;
	}
	return false;
}

static void let_go(struct call *call, const struct rpc_strs *names)
{
	struct service *s = call->service;
	const struct doc *d;

	while ((d = next_lost(call, names, NULL))) {
		tell(call, id_of(d));
		s->forget(s->agent, d);
	}
}

static void put_told(struct call *call, const struct rpc_strs *names)
{
	struct wire *w = &call->out;

	wire_key(w, "recovered");
	wire_list(w);
	for (size_t at = 0; at < call->told.len; at += strlen(call->told.at + at) + 1)
		wire_str(w, str_of(call->told.at + at));
	wire_end(w);
	wire_key(w, "left");
	wire_list(w);
	for (const struct doc *d = NULL; (d = next_lost(call, names, d));)
		wire_str(w, arena_printf(&call->arena, "%.*s of %.*s: %s", STR_ARG(id_of(d)),
					 STR_ARG(d->copy->ticket->id),
					 ticket_exists(d->copy->ticket)
						 ? "its copy cannot be read"
						 : "the Ticket is in no checkout; bring it first"));
	wire_end(w);
}

/* A name that fits nothing is a mistake. */
static bool fits_one(struct call *call, struct str name, struct fault *why)
{
	const struct rpc_strs one = { &name, 1 };

	return next_lost(call, &one, NULL)
		       ? true
		       : fault(why, FAULT_NOT_FOUND,
			       "\"%.*s\" names no lost record, and no Ticket with one",
			       (int)(name.len > 128 ? 128 : name.len), name.at);
}

bool handle_record_recover(struct call *call, const struct record_recover_params *p,
			   struct fault *why)
{
	struct ledger_entry *entry = call->entry;

	if (entry && (entry->result == LEDGER_FAILED || entry->result == LEDGER_UNKNOWN)) {
		*why = entry->why;
		return false;
	}
	ledger_entry_free(entry);
	call->entry = NULL;
	for (size_t i = 0; !entry && i < p->names.count; i++)
		if (!fits_one(call, p->names.at[i], why))
			return false;
	if (p->forget)
		let_go(call, &p->names);
	else if (write_back(call, &p->names))
		return true;
	put_told(call, &p->names);
	return true;
}
