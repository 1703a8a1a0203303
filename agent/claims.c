/* SPDX-License-Identifier: MIT */
#include "claims.h"

#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "stamp.h"

/* Holders that are named to who did not get all he wanted. */
#define LOSSES_TOLD 3

/* -- Claims and ends: never changed once made ---------------------------- */

/* Text behind the struct, so that one block is the whole. */
static struct str keep(char **room, struct str text)
{
	char *at = *room;

	if (!text.at)
		return STR_NONE;
	if (text.len)
		memcpy(at, text.at, text.len);
	*room += text.len;
	return (struct str){ at, text.len };
}

static struct claim *claim_new(const struct claim *like)
{
	size_t size = like->ticket.len + like->session.len + like->role.len + like->source.len +
		      like->pending.len + 1;
	struct claim *c = xcalloc(1, sizeof(*c) + size);
	char *room = (char *)(c + 1);

	*c = *like;
	c->refs = 1;
	c->line = NULL;
	c->ticket = keep(&room, like->ticket);
	c->session = keep(&room, like->session);
	c->role = keep(&room, like->role);
	c->source = keep(&room, like->source);
	c->pending = keep(&room, like->pending);
	return c;
}

struct claim *claim_share(struct claim *claim)
{
	claim->refs++;
	return claim;
}

void claim_free(struct claim *claim)
{
	if (!claim || --claim->refs)
		return;
	free(claim->line);
	free(claim);
}

static struct claim_end *end_new(const struct claim_end *like)
{
	struct claim_end *e = xcalloc(1, sizeof(*e) + like->by.len + like->reason.len + 1);
	char *room = (char *)(e + 1);

	*e = *like;
	e->refs = 1;
	e->line = NULL;
	e->claim = claim_share(like->claim);
	e->by = keep(&room, like->by);
	e->reason = keep(&room, like->reason);
	return e;
}

struct claim_end *claim_end_share(const struct claim_end *end)
{
	struct claim_end *shared = (struct claim_end *)(uintptr_t)end;

	shared->refs++;
	return shared;
}

void claim_end_free(struct claim_end *end)
{
	if (!end || --end->refs)
		return;
	claim_free(end->claim);
	free(end->line);
	free(end);
}

void claim_describe(const struct claim *c, struct buf *out)
{
	char at[STAMP_MAX];

	buf_addf(out, "%.*s", STR_ARG(c->session));
	if (c->role.len)
		buf_addf(out, " (%.*s)", STR_ARG(c->role));
	buf_addf(out, " since %s, ", stamp_text(c->since, at));
	if (c->lives == LIVES_PID)
		buf_addf(out, "while process %lld lives", (long long)c->pid);
	else
		buf_addf(out, "until %s", stamp_text(c->until_at, at));
}

/* -- Tables ------------------------------------------------------------- */

struct claims *claims_new(uint64_t token)
{
	struct claims *c = xcalloc(1, sizeof(*c));

	c->token = token;
	return c;
}

static void add_path(struct claims *c, struct str record, struct str path)
{
	struct claim_path *p = &c->paths[c->path_count++];
	char *text = xmalloc(record.len + path.len + 1);

	p->record = keep(&(char *){ text }, record);
	p->path = keep(&(char *){ text + record.len }, path);
}

static struct claim_path *new_paths(void)
{
	return xcalloc(CLAIM_PATHS_MAX, sizeof(struct claim_path));
}

struct claims *claims_copy(const struct claims *from)
{
	struct claims *c = claims_new(from->token);

	c->at = xcalloc(from->count + 1, sizeof(struct claim *));
	c->cap = from->count + 1;
	for (size_t i = 0; i < from->count; i++)
		c->at[c->count++] = claim_share(from->at[i]);
	for (size_t i = 0; i < from->end_count; i++)
		c->ends[c->end_count++] = claim_end_share(from->ends[i]);
	if (from->path_count)
		c->paths = new_paths();
	for (size_t i = 0; i < from->path_count; i++)
		add_path(c, from->paths[i].record, from->paths[i].path);
	return c;
}

void claims_free(struct claims *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		claim_free(c->at[i]);
	for (size_t i = 0; i < c->end_count; i++)
		claim_end_free(c->ends[i]);
	for (size_t i = 0; i < c->path_count; i++)
		free((char *)(uintptr_t)c->paths[i].record.at);
	free(c->paths);
	free(c->at);
	free(c);
}

/* Where the Ticket's claim is, or would be. */
static size_t place_of(const struct claims *c, struct str ticket)
{
	size_t from = 0, n = c->count;

	while (n) {
		size_t half = n / 2;
		if (str_cmp(c->at[from + half]->ticket, ticket) < 0) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return from;
}

struct claim *claims_find(const struct claims *c, struct str ticket)
{
	size_t i = place_of(c, ticket);

	return i < c->count && str_eq(c->at[i]->ticket, ticket) ? c->at[i] : NULL;
}

/* Put it in the place of the Ticket's claim, if there is one.  Takes the reference over. */
static void put(struct claims *c, struct claim *claim)
{
	size_t i = place_of(c, claim->ticket);

	if (i < c->count && str_eq(c->at[i]->ticket, claim->ticket)) {
		claim_free(c->at[i]);
		c->at[i] = claim;
		return;
	}
	if (c->count == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 8;
		c->at = xrealloc(c->at, c->cap * sizeof(struct claim *));
	}
	memmove(&c->at[i + 1], &c->at[i], (c->count - i) * sizeof(struct claim *));
	c->at[i] = claim;
	c->count++;
}

static void take_out(struct claims *c, struct claim *claim)
{
	size_t i = place_of(c, claim->ticket);

	BUG_IF(i == c->count || c->at[i] != claim);
	memmove(&c->at[i], &c->at[i + 1], (c->count - i - 1) * sizeof(struct claim *));
	c->count--;
	claim_free(claim);
}

/* Takes the reference over. */
static void push_end(struct claims *c, struct claim_end *end)
{
	if (c->end_count == CLAIM_ENDS_MAX) {
		claim_end_free(c->ends[0]);
		c->end_count--;
		memmove(&c->ends[0], &c->ends[1], c->end_count * sizeof(struct claim_end *));
	}
	c->ends[c->end_count++] = end;
}

static struct claim_end *end_with(struct claims *c, const struct claim_end *like)
{
	struct claim_end *end = end_new(like);

	push_end(c, end);
	take_out(c, like->claim);
	return end;
}

struct claim_end *claims_end(struct claims *c, struct claim *claim, enum ending how, int64_t now)
{
	return end_with(c,
			&(struct claim_end){ .claim = claim, .how = how, .at = now / 1000 * 1000 });
}

void claims_end_too(struct claims *c, struct claim_end *end)
{
	struct claim *claim = claims_find(c, end->claim->ticket);

	if (!claim || claim->token != end->claim->token)
		return;
	take_out(c, claim);
	push_end(c, claim_end_share(end));
}

bool claims_put_back(struct claims *c, const struct claim *like)
{
	if (claims_find(c, like->ticket))
		return false;
	put(c, claim_new(like));
	return true;
}

void claims_put_end_back(struct claims *c, const struct claim *like, const struct claim_end *end)
{
	struct claim_end made = *end;

	made.claim = claim_new(like);
	push_end(c, end_new(&made));
	claim_free(made.claim);
}

const struct claim_end *claims_last_end(const struct claims *c, struct str ticket)
{
	for (size_t i = c->end_count; i > 0; i--)
		if (str_eq(c->ends[i - 1]->claim->ticket, ticket))
			return c->ends[i - 1];
	return NULL;
}

const struct claim_end *claims_end_before(const struct claims *c, struct str ticket, uint64_t token)
{
	for (size_t i = c->end_count; i > 0; i--)
		if (c->ends[i - 1]->claim->token < token &&
		    str_eq(c->ends[i - 1]->claim->ticket, ticket))
			return c->ends[i - 1];
	return NULL;
}

struct claim *claims_of_process(const struct claims *c, int64_t pid, uint64_t born)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->at[i]->lives == LIVES_PID && c->at[i]->pid == pid &&
		    (c->at[i]->born == born || !c->at[i]->born))
			return c->at[i];
	return NULL;
}

struct claim *claims_over(const struct claims *c, int64_t boot)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->at[i]->lives == LIVES_LEASE && c->at[i]->until <= boot)
			return c->at[i];
	return NULL;
}

int64_t claims_next_end(const struct claims *c)
{
	int64_t next = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->at[i]->lives == LIVES_LEASE && (!next || c->at[i]->until < next))
			next = c->at[i]->until;
	return next;
}

void claims_confirm(struct claims *c, struct str ticket)
{
	struct claim *claim = claims_find(c, ticket);

	if (!claim || !claim->pending.at)
		return;
	struct claim sure = *claim;
	sure.pending = STR_NONE;
	put(c, claim_new(&sure));
}

/* Milliseconds are enough for people, and do not change with each look at two clocks. */
static int64_t wall_of(int64_t until, int64_t offset)
{
	return (until + offset) / 1000 * 1000;
}

void claims_set_wall(struct claims *c, int64_t offset)
{
	for (size_t i = 0; i < c->count; i++) {
		struct claim moved = *c->at[i];
		int64_t before = moved.until_at;
		moved.until_at = wall_of(moved.until, offset);
		/* Two clocks are never looked at in the same moment. */
		if (moved.lives == LIVES_LEASE &&
		    (moved.until_at - before > CLAIM_JUMP || before - moved.until_at > CLAIM_JUMP))
			put(c, claim_new(&moved));
	}
}

void claims_remember_path(struct claims *c, struct str record, struct str path)
{
	if (str_eq(claims_path(c, record), path))
		return;
	c->paths = c->paths ? c->paths : new_paths();
	if (c->path_count == CLAIM_PATHS_MAX) {
		free((char *)(uintptr_t)c->paths[0].record.at);
		c->path_count--;
		memmove(&c->paths[0], &c->paths[1], c->path_count * sizeof(*c->paths));
	}
	add_path(c, record, path);
}

struct str claims_path(const struct claims *c, struct str record)
{
	for (size_t i = c->path_count; i > 0; i--)
		if (str_eq(c->paths[i - 1].record, record))
			return c->paths[i - 1].path;
	return STR_NONE;
}

/* -- What sessions want ------------------------------------------------- */

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
			       .since = own ? old->since : t->now / 1000 * 1000,
			       .lives = t->lives,
			       .pid = t->pid,
			       .born = t->born };

	if (t->lives == LIVES_LEASE) {
		claim.ttl = t->ttl;
		claim.until = t->boot + t->ttl;
		claim.until_at = wall_of(claim.until, t->now - t->boot);
	}
	if (own) {
		claim.role = t->role.at ? t->role : old->role;
		claim.source = t->source.at ? t->source : old->source;
	}
	struct claim *made = claim_new(&claim);
	if (old && !own)
		end_with(c, &(struct claim_end){ .claim = old,
						 .how = ENDING_TAKEN_OVER,
						 .at = t->now / 1000 * 1000,
						 .by = t->session,
						 .reason = t->takeover });
	put(c, made);
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
	claim.until_at = wall_of(claim.until, t->now - t->boot);
	put(c, claim_new(&claim));
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
