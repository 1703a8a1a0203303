/* SPDX-License-Identifier: MIT */
#include "claims_private.h"

#include <stdlib.h>

#include "base.h"
#include "stamp.h"

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

struct claim *claim_new(const struct claim *like)
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

static int ticket_order(const void *ticket, const void *item)
{
	struct claim *const *c = item;

	return str_cmp(*(const struct str *)ticket, (*c)->ticket);
}

/* Where the Ticket's claim is, or would be. */
static size_t place_of(const struct claims *c, struct str ticket)
{
	return lower_bound(&ticket, c->at, c->count, sizeof(struct claim *), ticket_order);
}

struct claim *claims_find(const struct claims *c, struct str ticket)
{
	size_t i = place_of(c, ticket);

	return i < c->count && str_eq(c->at[i]->ticket, ticket) ? c->at[i] : NULL;
}

void claims_put(struct claims *c, struct claim *claim)
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

struct claim_end *claims_end_like(struct claims *c, const struct claim_end *like)
{
	struct claim_end *end = end_new(like);

	push_end(c, end);
	take_out(c, like->claim);
	return end;
}

struct claim_end *claims_end(struct claims *c, struct claim *claim, enum ending how, int64_t now)
{
	return claims_end_like(c, &(struct claim_end){
					  .claim = claim, .how = how, .at = stamp_mark(now) });
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
	claims_put(c, claim_new(like));
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
	claims_put(c, claim_new(&sure));
}

/* Milliseconds are enough for people. */
int64_t claim_wall(int64_t until, int64_t offset)
{
	return (until + offset) / 1000 * 1000;
}

void claims_set_wall(struct claims *c, int64_t offset)
{
	for (size_t i = 0; i < c->count; i++) {
		struct claim moved = *c->at[i];
		int64_t before = moved.until_at;
		moved.until_at = claim_wall(moved.until, offset);
		/* Two clocks are never looked at in the same moment. */
		if (moved.lives == LIVES_LEASE &&
		    (moved.until_at - before > CLAIM_JUMP || before - moved.until_at > CLAIM_JUMP))
			claims_put(c, claim_new(&moved));
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
