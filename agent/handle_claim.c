/* SPDX-License-Identifier: MIT */
#include "handle_claim.h"

#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "handlers.h"
#include "session.h"
#include "stamp.h"

/* Who works on what: claimed, renewed, given back, listed. */

/* -- What is wanted ----------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* An amendment about these Tickets, each once, by id. */
static struct amendment *amendment_of(const struct call *call, struct str *ids, size_t count)
{
	size_t each = sizeof(struct str) + 2 * sizeof(void *), kept = 0;
	size_t size = sizeof(struct amendment) + count * each;

	qsort(ids, count, sizeof(*ids), by_id);
	for (size_t i = 0; i < count; i++)
		size += ids[i].len;
	struct amendment *a = xcalloc(1, size);
	a->at = call->now;
	a->tickets = (struct str *)(a + 1);
	a->claims = (struct claim **)(a->tickets + count);
	a->ends = (struct claim_end **)(a->claims + count);
	char *room = (char *)(a->ends + count);
	for (size_t i = 0; i < count; i++) {
		if (kept && str_eq(a->tickets[kept - 1], ids[i]))
			continue;
		memcpy(room, ids[i].at, ids[i].len);
		a->tickets[kept++] = (struct str){ room, ids[i].len };
		room += ids[i].len;
	}
	a->count = kept;
	return a;
}

void amendment_free(struct amendment *a)
{
	for (size_t i = 0; a && i < a->count; i++) {
		claim_free(a->claims[i]);
		claim_end_free(a->ends[i]);
	}
	free(a);
}

/* `claimed`: one that is not there (any more) will do, too. */
static bool amendment_new(struct call *call, const struct rpc_strs *names, bool claimed,
			  struct amendment **into, struct fault *why)
{
	struct str *ids = arena_alloc(&call->arena, (names->count + 1) * sizeof(*ids));

	if (!names->count || names->count > CLAIMS_MAX)
		return fault(why, FAULT_BAD_ARGUMENT, "ticket: name 1 to %d Tickets", CLAIMS_MAX);
	for (size_t i = 0; i < names->count; i++) {
		struct ticket *t = claimed ? index_named(call->ix, names->at[i]) : NULL;
		if (!t && !index_resolve(call->ix, names->at[i], &t, why))
			return false;
		ids[i] = t->id;
	}
	*into = amendment_of(call, ids, names->count);
	return true;
}

static bool name_ok(const char *what, struct str name, struct fault *why)
{
	return !name.at || session_name_ok(what, name, why);
}

/* Milliseconds into microseconds. */
static bool ttl_ok(int64_t ttl, struct claim_terms *t, struct fault *why)
{
	t->ttl = ttl * 1000;
	if (ttl >= 0 && ttl <= CLAIM_TTL_MAX / 1000)
		return true;
	return fault(why, FAULT_BAD_ARGUMENT, "ttl: a lease lasts 30 days at most");
}

static bool terms_of(struct call *call, const struct claim_wish *wish, struct claim_terms *t,
		     struct fault *why)
{
	*t = (struct claim_terms){ .session = call_session(call, wish->session),
				   .role = wish->role,
				   .lives = wish->pid ? LIVES_PID : LIVES_LEASE,
				   .pid = wish->pid,
				   .now = call->now,
				   .boot = call->service->boot_now() };
	if (!ttl_ok(wish->ttl, t, why) || !session_name_ok("session", t->session, why) ||
	    !name_ok("role", wish->role, why))
		return false;
	if (wish->pid && wish->ttl)
		return fault(why, FAULT_BAD_ARGUMENT,
			     "a claim lives by a process or by time: give pid or ttl");
	t->ttl = t->ttl ? t->ttl : CLAIM_TTL_DEFAULT;
	return !wish->pid ||
	       call->service->process(call->service->holders, wish->pid, &t->born, why);
}

/*
 * It was decided.  A no that rests on what stands in the file is said at once;
 * everything else has to be written first, also that which somebody else was
 * given a moment ago.
 */
static bool conclude(struct call *call, struct amendment *a, bool ok, struct fault *why)
{
	if (!ok && !call->service->amending) {
		amendment_free(a);
		return false;
	}
	a->failed = !ok;
	if (!ok)
		a->why = *why;
	call->amendment = a;
	call->parked = true;
	return true;
}

static bool wait_in_line(struct call *call)
{
	call->parked = call_must_wait(call);
	return call->parked;
}

/* -- claim.take, claim.renew -------------------------------------------- */

/* The answer is what was decided, whatever others may have made of it before it is given. */
static bool keep_claims(struct amendment *a, const struct claims *claims)
{
	for (size_t i = 0; i < a->count; i++)
		a->claims[i] = claim_share(claims_find(claims, a->tickets[i]));
	return true;
}

/* Who held the Tickets before, where they were not given back. */
static void put_before(struct call *call)
{
	const struct amendment *a = call->amendment;

	wire_key(&call->out, "before");
	wire_list(&call->out);
	for (size_t i = 0; i < a->count; i++) {
		const struct claim *claim = a->claims[i];
		const struct claim_end *end =
			claims_end_before(call->service->claims, a->tickets[i], claim->token);
		if (end && end->how != ENDING_RELEASED && claim->since >= stamp_mark(a->at))
			answer_claim_end(call, end);
	}
	wire_end(&call->out);
}

static bool answer_held(struct call *call, struct fault *why)
{
	const struct amendment *a = call->amendment;

	if (a->failed) {
		*why = a->why;
		return false;
	}
	wire_put_int(&call->out, "count", (int64_t)a->count);
	wire_key(&call->out, "claims");
	wire_list(&call->out);
	for (size_t i = 0; i < a->count; i++)
		answer_claim(call, a->claims[i]);
	wire_end(&call->out);
	put_before(call);
	return true;
}

static bool take(struct call *call, struct amendment *a, const struct claim_terms *terms,
		 struct fault *why)
{
	struct claims *claims = call->service->amend(call->service->holders, why);

	return claims && claims_take(claims, a->tickets, a->count, terms, why) &&
	       keep_claims(a, claims);
}

bool handle_claim_take(struct call *call, const struct claim_take_params *p, struct fault *why)
{
	struct claim_wish wish = { p->session, p->role, p->pid, p->ttl };
	struct amendment *a;
	struct claim_terms terms;

	if (call->amendment)
		return answer_held(call, why);
	if (wait_in_line(call))
		return true;
	if (p->takeover.at && !name_ok("takeover", p->takeover, why))
		return false;
	if (!name_ok("source", p->source, why) || !terms_of(call, &wish, &terms, why) ||
	    !amendment_new(call, &p->ticket, false, &a, why))
		return false;
	terms.source = p->source;
	terms.takeover = p->takeover;
	return conclude(call, a, take(call, a, &terms, why), why);
}

/* All that the session claims. */
static bool amendment_of_all(struct call *call, struct str session, struct amendment **into,
			     struct fault *why)
{
	const struct claims *claims = call->service->claims;
	struct str *ids = arena_alloc(&call->arena, (claims->count + 1) * sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < claims->count; i++)
		if (str_eq(claims->at[i]->session, session))
			ids[count++] = claims->at[i]->ticket;
	if (!count)
		return fault(why, FAULT_NOT_FOUND, "%.*s claims no Ticket", STR_ARG(session));
	*into = amendment_of(call, ids, count);
	return true;
}

static bool renew(struct call *call, struct amendment *a, const struct claim_terms *terms,
		  int64_t token, struct fault *why)
{
	struct claims *claims = call->service->amend(call->service->holders, why);

	return claims && claims_renew(claims, a->tickets, a->count, terms, (uint64_t)token, why) &&
	       keep_claims(a, claims);
}

bool handle_claim_renew(struct call *call, const struct claim_renew_params *p, struct fault *why)
{
	struct claim_terms t = { .session = call_session(call, p->session),
				 .now = call->now,
				 .boot = call->service->boot_now() };
	struct amendment *a;

	if (call->amendment)
		return answer_held(call, why);
	if (wait_in_line(call))
		return true;
	if (!session_name_ok("session", t.session, why) || !ttl_ok(p->ttl, &t, why))
		return false;
	if (!(p->ticket.count ? amendment_new(call, &p->ticket, true, &a, why)
			      : amendment_of_all(call, t.session, &a, why)))
		return false;
	return conclude(call, a, renew(call, a, &t, p->token, why), why);
}

/* -- claim.release ------------------------------------------------------ */

static bool answer_released(struct call *call, struct fault *why)
{
	const struct amendment *a = call->amendment;

	if (a->failed) {
		*why = a->why;
		return false;
	}
	wire_put_int(&call->out, "count", (int64_t)a->count);
	wire_key(&call->out, "ended");
	wire_list(&call->out);
	for (size_t i = 0; i < a->count; i++)
		answer_claim_end(call, a->ends[i]);
	wire_end(&call->out);
	return true;
}

static bool release(struct call *call, struct amendment *a, struct str session, int64_t token,
		    struct fault *why)
{
	struct claims *claims = call->service->amend(call->service->holders, why);

	if (!claims ||
	    !claims_release(claims, a->tickets, a->count, session, (uint64_t)token, call->now, why))
		return false;
	for (size_t i = 0; i < a->count; i++)
		a->ends[i] = claim_end_share(claims_last_end(claims, a->tickets[i]));
	return true;
}

bool handle_claim_release(struct call *call, const struct claim_release_params *p,
			  struct fault *why)
{
	struct str session = call_session(call, p->session);
	struct amendment *a;

	if (call->amendment)
		return answer_released(call, why);
	if (wait_in_line(call))
		return true;
	if (!session_name_ok("session", session, why) ||
	    !amendment_new(call, &p->ticket, true, &a, why))
		return false;
	if (a->count > CLAIM_ENDS_MAX) {
		amendment_free(a);
		return fault(why, FAULT_TOO_LARGE, "ticket: at most %d are given back at once",
			     CLAIM_ENDS_MAX);
	}
	return conclude(call, a, release(call, a, session, p->token, why), why);
}

/* -- With an acceptance, and under a token ------------------------------- */

bool claim_token_fits(struct call *call, struct str ticket, int64_t token, struct fault *why)
{
	struct ticket *t;

	if (!token || wait_in_line(call))
		return true;
	if (!index_resolve(call->ix, ticket, &t, why))
		return false;
	return claims_token_ok(call->service->claims, t->id, (uint64_t)token, why);
}

bool claim_accept(struct call *call, struct str ticket, struct str record,
		  const struct claim_wish *wish, struct fault *why)
{
	struct claim_terms terms;

	if (!terms_of(call, wish, &terms, why))
		return false;
	terms.pending = record;
	struct amendment *a = amendment_of(call, &ticket, 1);
	snprintf(a->record, sizeof(a->record), "%.*s", STR_ARG(record));
	a->made_claim = true;
	return conclude(call, a, take(call, a, &terms, why), why);
}
