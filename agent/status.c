/* SPDX-License-Identifier: MIT */
#include "index.h"

#include "stamp.h"

enum state copy_state(const struct copy *copy)
{
	return copy->item && copy->item->item && !copy->twice ? copy->item->item->state
							      : STATE_UNKNOWN;
}

const struct item *ticket_item(const struct ticket *t)
{
	static const struct item none = { .state = STATE_UNKNOWN };

	return t->item ? t->item : &none;
}

struct str ticket_title(const struct ticket *t)
{
	struct str title = ticket_item(t)->title;

	return title.at ? title : STR("");
}

bool ticket_plan_is_current(const struct ticket *t)
{
	int64_t queued;

	if (!t->last_plan)
		return false;
	return !ticket_item(t)->queued_at.at || !stamp_parse(ticket_item(t)->queued_at, &queued) ||
	       t->last_plan->record->at >= queued;
}

bool ticket_only_claimed(const struct ticket *t)
{
	return t->claim && t->state != STATE_INPROGRESS && t->busy_elsewhere < 0 &&
	       !(t->state == STATE_QUEUED && ticket_plan_is_current(t));
}

/* Who claims a Ticket to accept it does not take the place that it waits for. */
size_t index_occupied_beside(const struct index *ix, const struct ticket *t)
{
	return index_occupied(ix) - (ticket_only_claimed(t) ? 1 : 0);
}

bool decision_until_holds(const struct index *ix, const struct decision *d, int64_t now)
{
	const struct until *u = d->record->until;
	const struct ticket *t;

	switch (u ? u->form : UNTIL_NONE) {
	case UNTIL_TICKET:
		t = index_find(ix, u->ticket);
		return t && t->state != STATE_UNKNOWN && t->state >= u->state &&
		       (!state_resolved(u->state) || ticket_resolved(t));
	case UNTIL_AFTER:
		return now >= u->after;
	case UNTIL_FREE:
		return index_occupied_beside(ix, d->ticket) < (uint64_t)u->free;
	case UNTIL_HUMAN:
	case UNTIL_NONE:
		break;
	}
	return false;
}

int decision_key_compare(const struct decision *a, const struct decision *b)
{
	int order = str_cmp(a->record->id, b->record->id);

	return order ? order
		     : (a->doc->content->role == ROLE_RELATIONS) -
			       (b->doc->content->role == ROLE_RELATIONS);
}

bool decision_superseded(const struct decision *d)
{
	const struct decision *plan = d->ticket->last_plan;
	enum kind kind = d->record->kind;

	/* The array is in order of time: what stands before the last plan is older. */
	return (kind == KIND_ACCEPTED_PLAN || kind == KIND_WAITING_CAPACITY_NOTE) && plan &&
	       d < plan;
}

/* What has become of it, wherever its file is. */
static enum status status_of(const struct index *ix, const struct decision *d, int64_t now)
{
	const struct kind_row *row = kind_row(d->record->kind);
	bool dangling = d->other && !ticket_exists(d->other);

	if (d->retracted)
		return STATUS_RETRACTED;
	if (d->record->kind == KIND_RETRACTION)
		return STATUS_SATISFIED;
	if (row->code == REASON_NONE && row->takes == TAKES_TICKET)
		return dangling ? STATUS_DANGLING : STATUS_LIVE;
	if (decision_superseded(d))
		return STATUS_SUPERSEDED;
	if (ticket_resolved(d->ticket))
		return STATUS_SATISFIED;
	if (dangling)
		return STATUS_DANGLING;
	if (d->other && ticket_resolved(d->other))
		return STATUS_SATISFIED;
	return decision_until_holds(ix, d, now) ? STATUS_SATISFIED : STATUS_LIVE;
}

enum status decision_status(const struct index *ix, const struct decision *d, int64_t now)
{
	enum status status = status_of(ix, d, now);

	return decision_is_lost(d) && (status == STATUS_LIVE || status == STATUS_DANGLING)
		       ? STATUS_LOST
		       : status;
}
