/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base.h"
#include "claims_private.h"
#include "stamp.h"

/* What sessions want of the table: to take, to keep, to give back. */

/* Holders that are named to who did not get all he wanted. */
#define LOSSES_TOLD 3

static bool same_life(const struct claim *claim, const struct claim_terms *t)
{
	if (claim->lives != t->lives)
		return false;
	return t->lives == LIVES_LEASE || (claim->pid == t->pid && claim->born == t->born);
}

/* Of one session, but not where another process of it is at work. */
static bool is_own(const struct claim *claim, const struct claim_terms *t)
{
	return str_eq(claim->session, t->session) &&
	       (claim->lives == LIVES_LEASE || same_life(claim, t));
}

/* Say who holds what was not to be had. */
static void add_loss(struct fault *why, size_t losses, const struct claim *claim)
{
	struct buf text = { 0 };
	size_t used = losses ? strlen(why->text) : 0;

	claim_describe(claim, &text);
	if (!losses)
		fault(why, FAULT_CLAIMED, "%.*s is claimed by %s", STR_ARG(claim->ticket),
		      buf_text(&text));
	else if (losses < LOSSES_TOLD)
		snprintf(why->text + used, sizeof(why->text) - used, "; %.*s by %s",
			 STR_ARG(claim->ticket), buf_text(&text));
	buf_release(&text);
}

static bool may_take(const struct claims *c, const struct str *tickets, size_t count,
		     const struct claim_terms *t, struct fault *why)
{
	size_t losses = 0;

	for (size_t i = 0; i < count; i++) {
		const struct claim *claim = claims_find(c, tickets[i]);
		if (claim && !is_own(claim, t) && !t->takeover.len)
			add_loss(why, losses++, claim);
	}
	if (losses > LOSSES_TOLD) {
		size_t used = strlen(why->text);
		snprintf(why->text + used, sizeof(why->text) - used, "; and %zu more",
			 losses - LOSSES_TOLD);
	}
	if (losses)
		return false;
	return c->count + count <= CLAIMS_MAX
		       ? true
		       : fault(why, FAULT_TOO_LARGE, "%d claims live already; no more are kept",
			       CLAIMS_MAX);
}

static void take_one(struct claims *c, struct str ticket, const struct claim_terms *t)
{
	struct claim *old = claims_find(c, ticket);
	bool own = old && is_own(old, t), renewed = own && same_life(old, t);
	struct claim claim = { .ticket = ticket,
			       .session = t->session,
			       .role = t->role,
			       .source = t->source,
			       .pending = own ? STR_NONE : t->pending,
			       .token = renewed ? old->token : c->token,
			       .since = own ? old->since : stamp_mark(t->now),
			       .lives = t->lives,
			       .pid = t->pid,
			       .born = t->born };

	if (t->lives == LIVES_LEASE) {
		claim.ttl = t->ttl;
		claim.until = t->boot + t->ttl;
		claim.until_at = claim_wall(claim.until, t->now - t->boot);
	}
	if (own) {
		claim.role = t->role.at ? t->role : old->role;
		claim.source = t->source.at ? t->source : old->source;
	}
	struct claim *made = claim_new(&claim);
	if (old && !own)
		claims_end_like(c, &(struct claim_end){ .claim = old,
							.how = ENDING_TAKEN_OVER,
							.at = stamp_mark(t->now),
							.by = t->session,
							.reason = t->takeover });
	claims_put(c, made);
}

bool claims_take(struct claims *c, const struct str *tickets, size_t count,
		 const struct claim_terms *t, struct fault *why)
{
	if (!may_take(c, tickets, count, t, why))
		return false;
	c->token++;
	for (size_t i = 0; i < count; i++)
		take_one(c, tickets[i], t);
	return true;
}

/* `since it expired at TIME`, … for who believes to hold it. */
static bool is_stale(struct str ticket, const struct claim_end *end, struct fault *why)
{
	char at[STAMP_MAX];

	if (end->how == ENDING_TAKEN_OVER)
		return fault(why, FAULT_STALE,
			     "your claim of %.*s was taken over by %.*s at %s: %.*s",
			     STR_ARG(ticket), STR_ARG(end->by), stamp_text(end->at, at),
			     (int)(end->reason.len > 200 ? 200 : end->reason.len), end->reason.at);
	return fault(why, FAULT_STALE, "your claim of %.*s has ended at %s: %s", STR_ARG(ticket),
		     stamp_text(end->at, at), words_ending.list[end->how].doc);
}

static const struct claim_end *end_of_token(const struct claims *c, struct str ticket,
					    uint64_t token)
{
	for (size_t i = c->end_count; i > 0; i--)
		if (c->ends[i - 1]->claim->token == token &&
		    str_eq(c->ends[i - 1]->claim->ticket, ticket))
			return c->ends[i - 1];
	return NULL;
}

static bool held_by_other(const struct claim *claim, struct fault *why)
{
	struct buf text = { 0 };

	claim_describe(claim, &text);
	fault(why, FAULT_CLAIMED, "%.*s is claimed by %s", STR_ARG(claim->ticket), buf_text(&text));
	buf_release(&text);
	return false;
}

/* A live claim of that token. */
static const struct claim *claim_of_token(const struct claims *c, uint64_t token)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->at[i]->token == token)
			return c->at[i];
	return NULL;
}

/* Whether a session holds the Ticket; as the last one that did said, if it does not. */
static bool session_holds(const struct claims *c, struct str ticket, struct str session,
			  struct fault *why)
{
	const struct claim *claim = claims_find(c, ticket);
	const struct claim_end *end = claims_last_end(c, ticket);

	if (claim && str_eq(claim->session, session))
		return true;
	if (end && str_eq(end->claim->session, session))
		return is_stale(ticket, end, why);
	if (claim)
		return held_by_other(claim, why);
	return fault(why, FAULT_NOT_FOUND, "%.*s is not claimed by %.*s", STR_ARG(ticket),
		     STR_ARG(session));
}

/* Under this token if one is given (else 0). */
static bool is_held(const struct claims *c, struct str ticket, struct str session, uint64_t token,
		    struct fault *why)
{
	const struct claim *claim = claims_find(c, ticket);

	if (!token)
		return session_holds(c, ticket, session, why);
	/* The holder of the token need not say his session. */
	if (claim && claim->token == token)
		return true;
	return claims_token_ok(c, ticket, token, why) && session_holds(c, ticket, session, why);
}

static void renew_one(struct claims *c, struct claim *old, const struct claim_terms *t)
{
	struct claim claim = *old;

	if (old->lives != LIVES_LEASE)
		return;
	claim.ttl = t->ttl ? t->ttl : old->ttl;
	claim.until = t->boot + claim.ttl;
	claim.until_at = claim_wall(claim.until, t->now - t->boot);
	claims_put(c, claim_new(&claim));
}

bool claims_renew(struct claims *c, const struct str *tickets, size_t count,
		  const struct claim_terms *t, uint64_t token, struct fault *why)
{
	for (size_t i = 0; i < count; i++)
		if (!is_held(c, tickets[i], t->session, token, why))
			return false;
	for (size_t i = 0; i < count; i++)
		renew_one(c, claims_find(c, tickets[i]), t);
	return true;
}

/* It was given back by the same one, and nobody has claimed it since. */
static bool is_released(const struct claims *c, struct str ticket, struct str session,
			uint64_t token)
{
	const struct claim_end *end = claims_last_end(c, ticket);

	return !claims_find(c, ticket) && end && end->how == ENDING_RELEASED &&
	       ((token && end->claim->token == token) || str_eq(end->claim->session, session));
}

bool claims_release(struct claims *c, const struct str *tickets, size_t count, struct str session,
		    uint64_t token, int64_t now, struct fault *why)
{
	for (size_t i = 0; i < count; i++)
		if (!is_released(c, tickets[i], session, token) &&
		    !is_held(c, tickets[i], session, token, why))
			return false;
	for (size_t i = 0; i < count; i++) {
		struct claim *claim = claims_find(c, tickets[i]);
		if (claim)
			claims_end(c, claim, ENDING_RELEASED, now);
	}
	return true;
}

bool claims_token_ok(const struct claims *c, struct str ticket, uint64_t token, struct fault *why)
{
	const struct claim *claim = claims_find(c, ticket), *own = claim_of_token(c, token);
	const struct claim_end *end = end_of_token(c, ticket, token);

	if (claim && claim->token == token)
		return true;
	if (end)
		return is_stale(ticket, end, why);
	if (!own)
		return fault(why, FAULT_STALE, "no live claim has the token %llu",
			     (unsigned long long)token);
	/* What somebody else works on is his; one session may hold several, each in its way. */
	if (!claim || str_eq(claim->session, own->session))
		return true;
	held_by_other(claim, why);
	why->code = FAULT_STALE;
	return false;
}
