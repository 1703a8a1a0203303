/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdio.h>

#include "answer.h"
#include "brief.h"
#include "graph.h"
#include "guard.h"
#include "handle_claim.h"
#include "handle_record.h"
#include "why.h"

/* What stands between Tickets: why, graph, brief, and to accept. */

/* What is told of a why, as far as an answer may be long. */
struct steps {
	struct call *call;
	size_t start, told;
};

static void put_step(void *data, const struct why_row *row)
{
	struct steps *steps = data;
	struct call *call = steps->call;
	struct wire *w = &call->out;
	const struct decision *d = row->reason ? row->reason->decision : NULL;

	/* Leave room for the last of them and the counts. */
	if (w->out->len - steps->start >= RPC_ANSWER_MAX - 64 * 1024)
		return;
	steps->told++;
	wire_map(w);
	wire_put_int(w, "depth", row->depth);
	if (row->ticket) {
		struct str title = ticket_item(row->ticket)->title;
		wire_put_str(w, "ticket", row->ticket->id);
		wire_put_opt(w, "title", title);
		wire_put_str(w, "state", str_of(word(&words_state, row->ticket->state)));
	}
	if (row->reason)
		wire_put_str(w, "code", str_of(word(&words_reason, (int)row->reason->code)));
	if (d) {
		wire_put_str(w, "record", d->record->id);
		wire_put_str(w, "author", d->record->author);
		wire_put_time(w, "at", d->record->at);
		wire_put_str(w, "file",
			     answer_file(call, d->doc->copy->source, str_of(d->doc->path)));
	}
	if (d && d->record->line)
		wire_put_int(w, "line", d->record->line);
	if (row->reason)
		wire_put_str(w, "text", row->reason->text);
	if (row->cycle)
		wire_put_bool(w, "cycle", true);
	if (row->repeated)
		wire_put_bool(w, "repeated", true);
	wire_end(w);
}

bool handle_ticket_why(struct call *call, const struct ticket_why_params *p, struct fault *why)
{
	struct ticket *t;
	struct gate gate;
	struct steps steps = { .call = call };
	size_t count;

	if (!index_resolve(call->ix, p->ticket, &t, why))
		return false;
	gate_for(call->ix, t, call->now, call_session(call, p->session), &call->arena, &gate);
	wire_put_str(&call->out, "ticket", t->id);
	wire_put_str(&call->out, "verdict", str_of(word(&words_verdict, (int)gate.verdict)));
	steps.start = call->out.out->len;
	wire_key(&call->out, "nodes");
	wire_list(&call->out);
	count = why_of(call->ix, t, call->now, call_session(call, p->session), &call->arena,
		       put_step, &steps);
	wire_end(&call->out);
	wire_put_int(&call->out, "count", (int64_t)count);
	wire_put_int(&call->out, "returned", (int64_t)steps.told);
	return true;
}

/* -- graph.get ---------------------------------------------------------- */

static void put_node(struct wire *w, const struct ticket *t)
{
	wire_map(w);
	wire_put_str(w, "id", t->id);
	wire_put_str(w, "title", ticket_title(t));
	wire_put_str(w, "state", str_of(word(&words_state, t->state)));
	wire_put_bool(w, "resolved", state_resolved((enum state)t->state));
	wire_end(w);
}

static void put_edge(struct wire *w, const struct edge *e)
{
	enum reason code = kind_row(e->d->record->kind)->code;

	wire_map(w);
	wire_put_str(w, "from", e->from->id);
	wire_put_str(w, "to", e->to->id);
	wire_put_str(w, "kind", str_of(word(&words_kind, (int)e->d->record->kind)));
	if (code != REASON_NONE)
		wire_put_str(w, "code", str_of(word(&words_reason, (int)code)));
	wire_put_bool(w, "holds", e->holds);
	wire_put_str(w, "status", str_of(word(&words_status, (int)e->status)));
	wire_put_str(w, "record", e->d->record->id);
	wire_end(w);
}

bool handle_graph_get(struct call *call, const struct graph_get_params *p, struct fault *why)
{
	struct ticket *only = NULL;
	struct graph graph;
	struct buf text = { 0 };

	if (p->ticket.at && !index_resolve(call->ix, p->ticket, &only, why))
		return false;
	graph_of(call->ix, only, (enum scope)p->status, call->now, &call->arena, &graph);
	wire_key(&call->out, "nodes");
	wire_list(&call->out);
	for (size_t i = 0; i < graph.node_count; i++)
		put_node(&call->out, graph.nodes[i]);
	wire_end(&call->out);
	wire_key(&call->out, "edges");
	wire_list(&call->out);
	for (size_t i = 0; i < graph.edge_count; i++)
		put_edge(&call->out, &graph.edges[i]);
	wire_end(&call->out);
	graph_draw(&graph, (enum graph_format)p->format, &text);
	wire_put_str(&call->out, "text", (struct str){ text.at, text.len });
	buf_release(&text);
	return true;
}

/* -- brief.get ---------------------------------------------------------- */

bool handle_brief_get(struct call *call, const struct brief_get_params *p, struct fault *why)
{
	struct service *s = call->service;
	struct brief brief;
	int64_t max = p->max_bytes ? p->max_bytes : RPC_TEXT_DEFAULT;

	(void)why;
	brief_of(call->ix, call->now, call_session(call, p->session), (size_t)max, s->thread,
		 s->agent, &call->arena, &brief);
	wire_put_str(&call->out, "text", brief.text);
	wire_put_int(&call->out, "bytes", (int64_t)brief.text.len);
	answer_strs(call, "cut", brief.cut, brief.cut_count);
	return true;
}

/* -- ticket.accept ------------------------------------------------------ */

/* The holds in one sentence. */
static bool refuse(const struct gate *gate, struct fault *why)
{
	size_t told = 0;

	fault(why, FAULT_HELD, "%.*s is held:", STR_ARG(gate->ticket->id));
	for (size_t i = 0; i < gate->count; i++) {
		const struct reason_row *row = &gate->reasons[i];
		size_t used = strlen(why->text);
		if (row->severity != SEVERITY_HOLD)
			continue;
		snprintf(why->text + used, sizeof(why->text) - used, "%s %s: %.*s",
			 told++ ? ";" : "", word(&words_reason, (int)row->code),
			 STR_ARG(row->text));
	}
	return false;
}

static bool may_accept(struct call *call, const struct ticket *t,
		       const struct ticket_accept_params *p, struct fault *why)
{
	bool override = p->override.len > 0;
	struct gate gate;

	gate_for_without_cycle(call->ix, t, call->now, call_session(call, p->session), &call->arena,
			   &gate);
	if (gate.verdict == VERDICT_NOT_QUEUED)
		return fault(why, FAULT_HELD,
			     "%.*s is %s, not queued; only a queued Ticket is accepted",
			     STR_ARG(t->id), word(&words_state, t->state));
	return !gate.holds || override ? true : refuse(&gate, why);
}

static bool is_asked_again(const struct ticket *t, struct str id)
{
	return id.at && ticket_record(t, id);
}

static bool check_accept(struct call *call, const struct ticket_accept_params *p,
			 const struct ticket *t, struct fault *why)
{
	if (p->override.at && str_is_blank(p->override))
		return fault(why, FAULT_INVALID, "override needs a reason");
	if (!p->claim && (p->role.at || p->pid || p->ttl))
		return fault(why, FAULT_BAD_ARGUMENT, "role, pid and ttl go with claim");
	return guard_text(call->ix, "override", p->override, why) &&
	       (is_asked_again(t, p->id) || may_accept(call, t, p, why));
}

static void draft_plan(struct call *call, const struct ticket_accept_params *p,
		       const struct ticket *t, struct str id, struct draft *draft)
{
	*draft = (struct draft){ .id = id, .ticket = t, .kind = KIND_ACCEPTED_PLAN,
				 .author = p->author,
				 .plan = { p->message, p->branch, p->worktree, p->role_plan } };
	if (p->override.len)
		draft->note = arena_printf(&call->arena, "override: %.*s", STR_ARG(p->override));
}

static bool write_plan(struct call *call, const struct ticket_accept_params *p, struct str id,
		       struct fault *why)
{
	struct draft draft;
	struct ticket *t;

	if (!index_resolve(call->ix, p->ticket, &t, why))
		return false;
	draft_plan(call, p, t, id, &draft);
	return record_write(call, &draft, why);
}

/* The claim first; it counts once the record is there. */
static bool claim_first(struct call *call, const struct ticket_accept_params *p,
			const struct ticket *t, struct fault *why)
{
	struct claim_wish wish = { p->session, p->role, p->pid, p->ttl };
	char made[ULID_LEN + 1];
	struct draft draft;

	ulid_make(made);
	draft_plan(call, p, t, p->id.at ? p->id : str_of(made), &draft);
	struct str id = draft.id;
	return draft_check(call->ix, &draft, &call->arena, why) &&
	       claim_accept(call, t->id, id, &wish, why);
}

/* The claim is on disk: now the record; without it there is no claim either. */
static bool record_after_claim(struct call *call, const struct ticket_accept_params *p,
			       struct fault *why)
{
	struct service *s = call->service;
	const struct amendment *a = call->amendment;

	if (a->failed) {
		*why = a->why;
		return false;
	}
	if (write_plan(call, p, str_of(a->record), why))
		return true;
	s->recorded(s->holders, a, false);
	return false;
}

static bool answer_accepted(struct call *call, const struct ticket_accept_params *p,
			    struct fault *why)
{
	const struct claim *claim;

	if (!record_answer_written(call, p->ticket, why))
		return false;
	claim = call->amendment ? call->amendment->claims[0] : NULL;
	if (claim) {
		wire_key(&call->out, "claim");
		answer_claim(call, claim);
	}
	return true;
}

bool handle_ticket_accept(struct call *call, const struct ticket_accept_params *p,
			  struct fault *why)
{
	struct ticket *t;

	if (call->entry)
		return answer_accepted(call, p, why);
	if (call->amendment)
		return record_after_claim(call, p, why);
	if (call_must_wait(call)) {
		call->parked = true;
		return true;
	}
	if (!index_resolve(call->ix, p->ticket, &t, why) ||
	    !claim_token_fits(call, p->ticket, p->token, why) || !check_accept(call, p, t, why))
		return false;
	return p->claim ? claim_first(call, p, t, why) : write_plan(call, p, p->id, why);
}
