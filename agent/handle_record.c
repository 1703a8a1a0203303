/* SPDX-License-Identifier: MIT */
#include "handle_record.h"

#include "answer.h"
#include "handle_claim.h"
#include "handlers.h"
#include "meaning.h"
#include "stamp.h"

/* Records: read, written, taken back. */

static bool page_of_records(struct call *call, const struct record_query_params *p,
			    const struct record_filter *filter, struct fault *why)
{
	struct page page = { .limit = p->limit, .cursor = p->cursor };
	struct seen *rows;

	if (!query_records(call->ix, filter, call->now, &call->arena, &page, &rows, why))
		return false;
	answer_page(call, &page);
	wire_key(&call->out, "records");
	wire_list(&call->out);
	for (size_t i = 0; i < page.returned; i++)
		answer_record(call, &rows[page.first + i]);
	wire_end(&call->out);
	return true;
}

/* The other Ticket need not be there: records may name one that is not. */
static bool find_other(struct call *call, struct str name, struct ticket **into, struct fault *why)
{
	*into = name.at ? index_named(call->ix, name) : NULL;
	return *into || !name.at || index_resolve(call->ix, name, into, why);
}

bool handle_record_query(struct call *call, const struct record_query_params *p, struct fault *why)
{
	struct ticket *ticket = NULL, *other = NULL;
	struct record_filter filter = { .kinds = p->kind, .author = p->author,
					.scope = (enum scope)p->status,
					.order = (enum order)p->order };

	if (p->ticket.at && !index_resolve(call->ix, p->ticket, &ticket, why))
		return false;
	if (!find_other(call, p->other, &other, why))
		return false;
	filter.since = p->since;
	filter.before = p->before;
	filter.ticket = ticket;
	filter.other = other;
	return page_of_records(call, p, &filter, why);
}

/* -- Writing ------------------------------------------------------------ */

static void put_record(struct call *call, const struct seen *row, bool stored)
{
	const struct doc *doc = row->d->doc;
	const struct source *s = index_source(call->ix, doc->copy->source);

	wire_key(&call->out, "record");
	answer_record(call, row);
	wire_put_bool(&call->out, "stored", stored);
	wire_put_opt(&call->out, "source", str_of(s ? s->name : NULL));
	if (s && !str_is(call_stands(call), s->name))
		wire_put_bool(&call->out, "elsewhere", true);
	wire_put_str(&call->out, "path",
		     s ? arena_printf(&call->arena, "%s/%s/%s", s->top, s->root, doc->path)
		       : STR(""));
}

/* A record of that id is there: the one that was asked for, or another. */
static bool is_as_asked(const struct decision *stored, const struct ledger_entry *entry,
			struct fault *why)
{
	if (draft_is(stored, entry))
		return true;
	return fault(why, FAULT_INVALID,
		     "a record with the id %.*s is there already and says something else",
		     STR_ARG(stored->record->id));
}

static bool not_found_again(const struct ledger_entry *entry, struct fault *why)
{
	if (entry->result == LEDGER_THERE)
		return fault(why, FAULT_INVALID, "%s is there already and is no such record",
			     entry->name);
	return fault(why, FAULT_IO, "%s was written and is gone again", entry->name);
}

bool record_answer_written(struct call *call, struct str ticket, struct fault *why)
{
	const struct ledger_entry *entry = call->entry;
	struct str id = { entry->name, strlen(entry->name) - 5 };
	struct ticket *t;

	if (entry->result == LEDGER_FAILED || entry->result == LEDGER_UNKNOWN) {
		*why = entry->why;
		return false;
	}
	if (!index_resolve(call->ix, ticket, &t, why))
		return false;
	const struct decision *stored = ticket_record(t, id);
	if (!stored)
		return not_found_again(entry, why);
	if (!is_as_asked(stored, entry, why))
		return false;
	if (entry->result == LEDGER_THERE)
		call->service->confirm(call->service->agent, stored->doc);
	put_record(call, &(struct seen){ stored, false }, true);
	return true;
}

/*
 * A plan dated before its Ticket was queued would not count: clocks differ, and
 * files keep milliseconds.
 */
static int64_t date_of(const struct draft *draft, int64_t now)
{
	int64_t queued;

	if (draft->kind != KIND_ACCEPTED_PLAN ||
	    !stamp_parse(ticket_item(draft->ticket)->queued_at, &queued))
		return now;
	return stamp_mark(now) < queued ? queued + 999 : now;
}

/* An id names one record in the repository, also where it was given to another Ticket. */
static bool is_free(struct call *call, const struct draft *draft, struct fault *why)
{
	struct service *s = call->service;
	const struct decision *d = index_record_beside(call->ix, draft->id, draft->ticket);
	struct str in = d ? answer_file(call, d->doc->copy->source, str_of(d->doc->path))
			  : s->written_beside(s->agent, draft->ticket->id, draft->id);

	return in.at ? fault(why, FAULT_INVALID,
			     "the id %.*s is that of another record, which is in %.*s",
			     STR_ARG(draft->id), STR_ARG(in))
		     : true;
}

bool record_write(struct call *call, struct draft *draft, struct fault *why)
{
	char made[ULID_LEN + 1];

	struct str worktree = draft->plan.worktree;

	draft->asking = call_stands(call);
	draft->to_asking = call->service->to_asking(call->service->agent);
	draft->at = draft->at ? draft->at : date_of(draft, call->now);
	if (str_is_blank(draft->author))
		draft->author = call->service->user(call->service->agent);
	if (!draft_check(call->ix, draft, &call->arena, why))
		return false;
	if (!draft->id.at) {
		ulid_make(made);
		draft->id = str_of(made);
	} else if (!is_free(call, draft, why)) {
		return false;
	}
	const struct decision *stored = ticket_record(draft->ticket, draft->id);
	struct ledger_entry *entry = draft_entry(call->ix, draft, stored);
	if (stored && !is_as_asked(stored, entry, why)) {
		ledger_entry_free(entry);
		return false;
	}
	/* The record has a label of it; where it is stays here. */
	if (worktree.len && worktree.at[0] == '/')
		call->service->remember(call->service->holders, draft->id, worktree);
	/* Also what is there goes by the disk: that it is seen does not mean that it is safe. */
	call->entry = entry;
	call->parked = true;
	return true;
}

/* The other Ticket's id: of one that is there, or as it was given where that is allowed. */
static bool other_id(struct call *call, const struct record_add_params *p, struct str *into,
		     struct fault *why)
{
	struct ticket *other;

	*into = p->other;
	if (!p->other.at)
		return true;
	if (index_resolve(call->ix, p->other, &other, why)) {
		*into = other->id;
		return true;
	}
	if (why->code != FAULT_NOT_FOUND)
		return false;
	if (!p->dangling)
		return fault(why, FAULT_NOT_FOUND,
			     "no Ticket \"%.*s\"; `dangling` records one that is not there yet",
			     (int)(p->other.len > 128 ? 128 : p->other.len), p->other.at);
	return layout_id_ok(p->other)
		       ? true
		       : fault(why, FAULT_INVALID, "\"%.*s\" is no Ticket id",
			       (int)(p->other.len > 128 ? 128 : p->other.len), p->other.at);
}

/*
 * Whether the draft has nothing to add to a relation that says the same.  Who plans by one has
 * its reasons there; a relation that comes with a note of its own is one more to be read.
 */
static bool adds_nothing(const struct draft *draft, const struct record *relation)
{
	return kind_row(draft->kind)->origin == ORIGIN_PLAN || str_is_blank(draft->note) ||
	       str_eq(draft->note, relation->note);
}

/*
 * A relation of another id that is being written, and that would answer for the draft if it were
 * there.  It may yet fail, so its outcome is waited for, also where its file is seen already.
 */
static struct call *written_by_relation(struct call *call, const struct draft *draft)
{
	struct meaning asked = meaning_make(draft->kind, draft->ticket->id, draft->other);
	struct call *first;

	DL_FOREACH(call->service->writing, first) {
		const struct record_add_params *p = &first->params.record_add;
		struct record relation = { .note = p->message };
		struct ticket *t;
		struct str other;
		struct fault never;
		if (first->id != RPC_record_add ||
		    kind_row((enum kind)p->kind)->origin != ORIGIN_RELATION ||
		    (p->id.at && str_eq(p->id, draft->id)) || !adds_nothing(draft, &relation) ||
		    !index_resolve(call->ix, p->ticket, &t, &never) ||
		    !other_id(call, p, &other, &never))
			continue;
		struct meaning m = meaning_make((enum kind)p->kind, t->id, other);
		if (meaning_compare(&m, &asked) == 0)
			return first;
	}
	return NULL;
}

/* A live relation that says what the draft would say, from whichever side. */
static bool known_by_relation(struct call *call, const struct draft *draft, struct seen *row)
{
	struct meaning asked = meaning_make(draft->kind, draft->ticket->id, draft->other);
	struct record_filter filter = { .ticket = draft->ticket };
	struct page page = { 0 };
	struct seen *rows;
	struct fault never;

	/* Asked again: the record of that id answers. */
	if (draft->id.at && ticket_record(draft->ticket, draft->id))
		return false;
	if (!query_records(call->ix, &filter, call->now, &call->arena, &page, &rows, &never))
		return false;
	for (size_t i = 0; i < page.count; i++) {
		const struct decision *d = rows[i].d;
		struct meaning m;
		if (d->record->origin != ORIGIN_RELATION || !d->other)
			continue;
		m = meaning_of(d);
		if (meaning_compare(&m, &asked) == 0 && adds_nothing(draft, d->record)) {
			*row = rows[i];
			return true;
		}
	}
	return false;
}

static bool add_draft(struct call *call, const struct record_add_params *p, struct draft *draft,
		      struct fault *why)
{
	bool plan = kind_row(draft->kind)->takes == TAKES_PLAN;

	if (!other_id(call, p, &draft->other, why))
		return false;
	if (p->until.at && !draft_until(call->ix, p->until, &draft->until, why))
		return false;
	draft->plan = (struct plan){ plan ? p->message : STR_NONE, p->branch, p->worktree,
				     p->role_plan };
	draft->note = plan ? p->note : p->message;
	if (!plan && !str_is_blank(p->note))
		return fault(why, FAULT_INVALID, "note goes with accepted_plan only; use message");
	return true;
}

bool handle_record_add(struct call *call, const struct record_add_params *p, struct fault *why)
{
	struct draft draft = { .id = p->id, .kind = (enum kind)p->kind, .author = p->author };
	struct ticket *t;
	struct seen row;

	if (call->entry)
		return record_answer_written(call, p->ticket, why);
	if (!claim_token_fits(call, p->ticket, p->token, why) || call->parked)
		return call->parked;
	if (!index_resolve(call->ix, p->ticket, &t, why))
		return false;
	draft.ticket = t;
	if (!add_draft(call, p, &draft, why))
		return false;
	if (!p->force && draft.other.at) {
		call->behind = written_by_relation(call, &draft);
		call->parked = call->behind != NULL;
		if (call->parked)
			return true;
		if (known_by_relation(call, &draft, &row)) {
			put_record(call, &row, false);
			return true;
		}
	}
	return record_write(call, &draft, why);
}

/* -- Taking back -------------------------------------------------------- */

static const struct decision *find_own(const struct ticket *t, struct str id)
{
	const struct decision *found = NULL;

	/* Of several with one id, one that still counts. */
	for (uint32_t i = 0; i < t->own_count; i++)
		if (str_eq(t->own[i].record->id, id) && (!found || found->retracted))
			found = &t->own[i];
	return found;
}

/* A record that is another Ticket's can be seen from here, and is taken back there. */
static bool no_such_record(const struct ticket *t, struct str id, struct fault *why)
{
	const struct decision *d;
	int len = (int)(id.len > 128 ? 128 : id.len);

	DL_FOREACH(t->incoming, d)
		if (str_eq(d->record->id, id))
			return fault(why, FAULT_NOT_FOUND,
				     "record %.*s is one of %.*s; take it back there: tpctl "
				     "retract %.*s %.*s",
				     len, id.at, STR_ARG(d->ticket->id), STR_ARG(d->ticket->id),
				     len, id.at);
	return fault(why, FAULT_NOT_FOUND, "%.*s has no record \"%.*s\"", STR_ARG(t->id), len,
		     id.at);
}

static bool may_retract(const struct ticket *t, struct str id, const struct decision **into,
			struct fault *why)
{
	const struct decision *d = find_own(t, id);

	if (!d)
		return no_such_record(t, id, why);
	if (d->record->kind == KIND_RETRACTION)
		return fault(why, FAULT_INVALID,
			     "a retraction cannot be taken back; record the decision anew");
	if (d->retracted)
		return fault(why, FAULT_INVALID, "record %.*s is retracted already",
			     STR_ARG(d->record->id));
	*into = d;
	return true;
}

bool handle_record_retract(struct call *call, const struct record_retract_params *p,
			   struct fault *why)
{
	struct draft draft = { .id = p->id, .kind = KIND_RETRACTION, .note = p->message,
			       .author = p->author };
	const struct decision *target = NULL, *stored;
	struct ticket *t;

	if (call->entry)
		return record_answer_written(call, p->ticket, why);
	if (!claim_token_fits(call, p->ticket, p->token, why) || call->parked)
		return call->parked;
	if (!index_resolve(call->ix, p->ticket, &t, why))
		return false;
	draft.ticket = t;
	draft.retracts = p->record;
	/* Asked again after it was done: the record of the same id answers. */
	stored = p->id.at ? ticket_record(t, p->id) : NULL;
	if (!stored) {
		if (!may_retract(t, p->record, &target, why))
			return false;
		draft.retracts = target->record->id;
		/* A relation written later than its retraction would count again. */
		draft.at = target->record->at > call->now ? target->record->at + 1000 : call->now;
	}
	return record_write(call, &draft, why);
}
