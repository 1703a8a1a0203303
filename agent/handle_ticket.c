/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include "answer.h"

/* Tickets, the queue, and what is wrong with them. */

bool handle_ticket_list(struct call *call, const struct ticket_list_params *p, struct fault *why)
{
	struct page page = { .limit = p->limit, .cursor = p->cursor };
	struct ticket **rows;

	(void)why;
	query_tickets(call->ix, p->state, &call->arena, &page, &rows);
	answer_page(call, &page);
	wire_key(&call->out, "tickets");
	wire_list(&call->out);
	for (size_t i = 0; i < page.returned; i++)
		answer_ticket_row(call, rows[page.first + i]);
	wire_end(&call->out);
	return true;
}

/*
 * Its gate speaks of records in no commit, and of some there may be none ever.  That
 * is not worth a wait for what somebody else asks of git: a history, or a large commit.
 */
static bool asks_ignored(struct call *call, const struct ticket *t)
{
	struct service *s = call->service;

	if (!call->ignored && s->git_reads(s->agent))
		return false;
	if (!call->ignored)
		call->ignored = ignored_new_loose(call->ix, t);
	if (!call->ignored)
		return false;
	if (!call->ignored->known)
		return call->parked = call->awaits_git = true;
	ignored_remember(call->ignored, call->ix, t, &call->arena);
	return false;
}

bool handle_ticket_get(struct call *call, const struct ticket_get_params *p, struct fault *why)
{
	struct ticket *t;

	if (!index_resolve(call->ix, p->ticket, &t, why))
		return false;
	if (asks_ignored(call, t))
		return true;
	wire_key(&call->out, "ticket");
	answer_ticket(call, t, (enum scope)p->status, p->session);
	return true;
}

bool handle_ticket_check(struct call *call, const struct ticket_check_params *p, struct fault *why)
{
	struct ticket *t;
	struct gate gate;

	if (!index_resolve(call->ix, p->ticket, &t, why))
		return false;
	if (asks_ignored(call, t))
		return true;
	gate_for(call->ix, t, call->now, call_session(call, p->session), &call->arena, &gate);
	gate_tell_ignored(call->ix, call->ignored, &call->arena, &gate);
	wire_key(&call->out, "gate");
	answer_gate(call, &gate);
	return true;
}

bool handle_queue_list(struct call *call, const struct queue_list_params *p, struct fault *why)
{
	struct page page = { .limit = p->limit, .cursor = p->cursor,
			     .session = call_session(call, p->session) };
	struct gate *rows;

	if (!query_queue(call->ix, p->clear, call->now, &call->arena, &page, &rows, why))
		return false;
	answer_page(call, &page);
	wire_key(&call->out, "queue");
	wire_list(&call->out);
	for (size_t i = 0; i < page.returned; i++)
		answer_queue_row(call, &rows[page.first + i]);
	wire_end(&call->out);
	return true;
}

/* Of the files as they are, so of no revision and no Ticket alone. */
static bool audit(struct call *call, const struct doctor_run_params *p, struct page *page,
		  struct finding **rows, size_t *errors, struct fault *why)
{
	struct findings all = { .arena = &call->arena };

	if (p->ticket.at || p->at.at || p->source.at)
		return fault(why, FAULT_BAD_ARGUMENT,
			     "an audit is of all files of all checkouts as they are now");
	return call->service->audit(call->service->agent, &all, why) &&
	       doctor_page(call->ix, &all, page, rows, errors, why);
}

/* Files are as git was asked; what a commit has is not ignored. */
static bool asks_git(struct call *call, const struct doctor_run_params *p,
		     const struct ticket *only)
{
	if (p->audit || p->at.at)
		return false;
	if (!call->ignored)
		call->ignored = ignored_new(call->ix, only);
	/* What failed may have been mended since. */
	call->asks_past |= !only && !call->has_past && index_past_failure(call->ix);
	call->asks_git |= call->asks_past;
	return call->asks_past || !call->ignored->known;
}

bool handle_doctor_run(struct call *call, const struct doctor_run_params *p, struct fault *why)
{
	struct page page = { .limit = p->limit, .cursor = p->cursor };
	struct ticket *only = NULL;
	struct finding *rows;
	size_t errors;

	if (p->ticket.at && !index_resolve(call->ix, p->ticket, &only, why))
		return false;
	if (asks_git(call, p, only)) {
		call->parked = call->awaits_git = true;
		return true;
	}
	if (p->audit ? !audit(call, p, &page, &rows, &errors, why)
		     : !doctor_run(call->ix, only, call->ignored, call->now, &call->arena, &page,
				   &rows, &errors, why))
		return false;
	answer_page(call, &page);
	wire_put_int(&call->out, "errors", (int64_t)errors);
	wire_key(&call->out, "problems");
	wire_list(&call->out);
	for (size_t i = 0; i < page.returned; i++)
		answer_finding(call, &rows[page.first + i]);
	wire_end(&call->out);
	return true;
}
