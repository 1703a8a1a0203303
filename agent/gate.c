/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include <stdlib.h>

#include "claims.h"
#include "cycle.h"
#include "stamp.h"
#include "utf8.h"

/* Notes may have 16 KiB; a reason is a sentence. */
#define EXCERPT_MAX 200
#define TITLE_MAX 60
/* Tickets of a cycle that are named. */
#define CYCLE_SHOWN 8
/* Of those that one waits for, so many are asked whether a search may find anything. */
#define WAITS_ASKED 16

/* What the rules read and write. */
struct asked {
	const struct index *ix;
	const struct ticket *t;
	int64_t now;
	struct str session; /* that asks; absent: nobody in particular */
	struct arena *arena;
	struct gate *gate;
	size_t cap;
};

static struct reason_row *add(struct asked *a, enum reason code, enum severity severity,
			      enum origin origin)
{
	struct gate *g = a->gate;

	g->reasons = arena_more(a->arena, g->reasons, g->count, &a->cap, sizeof(*g->reasons));
	g->holds += severity == SEVERITY_HOLD;
	struct reason_row *row = &g->reasons[g->count++];
	*row = (struct reason_row){ .code = code, .severity = severity, .origin = origin,
				    .other_state = -1 };
	return row;
}

/* The first line, cut at a character's end where it is long. */
static struct str excerpt(struct asked *a, struct str text, size_t max)
{
	uint32_t code;
	size_t used = 0, n;

	/* Most are a short line. */
	if (!text.len || (text.len <= max && !memchr(text.at, '\n', text.len) &&
			  !memchr(text.at, '\r', text.len)))
		return text;
	while (used < text.len && text.at[used] != '\n' && text.at[used] != '\r') {
		n = utf8_next((struct str){ text.at + used, text.len - used }, &code);
		if (used + (n ? n : 1) > max)
			break;
		used += n ? n : 1;
	}
	if (used == text.len)
		return text;
	return arena_printf(a->arena, "%.*s…", (int)used, text.at);
}

/* `T-2 "Store it on disk" (planning)` */
static struct str name_of(struct asked *a, const struct ticket *t)
{
	struct str title = excerpt(a, ticket_item(t)->title, TITLE_MAX);

	if (!ticket_exists(t))
		return arena_cat(a->arena, t->id, STR(", which is not there"));
	struct str state = str_of(word(&words_state, t->state));
	if (!title.len)
		return arena_cat(a->arena, t->id, STR(" ("), state, STR(")"));
	return arena_cat(a->arena, t->id, STR(" \""), title, STR("\" ("), state, STR(")"));
}

/* `: why it was decided [author, day]` */
static struct str because(struct asked *a, const struct record *r)
{
	char at[STAMP_MAX];
	struct str note = excerpt(a, r->note.at ? r->note : r->plan ? r->plan->summary : STR_NONE,
				  EXCERPT_MAX);
	struct str day = { stamp_text(r->at, at), strlen("2026-01-31") };

	return arena_cat(a->arena, note.len ? STR(": ") : STR(""), note, STR(" ["),
			 excerpt(a, r->author, TITLE_MAX), STR(", "), day, STR("]"));
}

static struct reason_row *add_record(struct asked *a, enum reason code, enum severity severity,
				     const struct decision *d, const struct ticket *other)
{
	struct reason_row *row = add(a, code, severity, d->record->origin);

	row->decision = d;
	if (other) {
		row->other = other->id;
		row->other_state = other->state;
	}
	return row;
}

/* -- The rules, in the order of reasons.def ------------------------------ */

static const struct flaw *worst_flaw(const struct content *c)
{
	for (uint32_t i = 0; c && i < c->flaw_count; i++)
		if (problem_row(c->flaws[i].code)->holds)
			return &c->flaws[i];
	return NULL;
}

static void say_unreadable(struct asked *a, const struct copy *copy, const char *path,
			   const struct flaw *flaw)
{
	const struct source *source = index_source(a->ix, copy->source);
	struct reason_row *row = add(a, REASON_UNREADABLE, SEVERITY_HOLD, ORIGIN_TREE);
	struct str where = flaw->line ? arena_printf(a->arena, ":%u", flaw->line) : STR("");

	row->source = str_of(source->name);
	row->text =
		arena_printf(a->arena, "%.*s%.*s: %.*s; %s",
			     STR_ARG(source_path(source, str_of(path), a->arena)), STR_ARG(where),
			     STR_ARG(flaw->text), words_problem.list[flaw->code].doc);
}

static void say_twice(struct asked *a, const struct copy *one, const struct copy *other)
{
	const struct source *source = index_source(a->ix, one->source);
	struct reason_row *row = add(a, REASON_UNREADABLE, SEVERITY_HOLD, ORIGIN_TREE);

	row->source = str_of(source->name);
	row->text = arena_printf(a->arena, "%.*s and %.*s are both this Ticket; %s",
				 STR_ARG(source_path(source, str_of(one->dir), a->arena)),
				 STR_ARG(source_path(source, str_of(other->dir), a->arena)),
				 words_problem.list[PROBLEM_FOUND_TWICE].doc);
}

static void rule_unreadable(struct asked *a)
{
	static const struct flaw no_item = { .code = PROBLEM_NO_ITEM,
					     .text = { "there is no item.md", 19 } };

	for (const struct copy *c = a->t->copies; c; c = c->next) {
		if (c->next && c->next->source == c->source)
			say_twice(a, c, c->next);
		const struct flaw *flaw = c->item ? worst_flaw(c->item) : &no_item;
		if (flaw)
			say_unreadable(a, c, arena_printf(a->arena, "%s/item.md", c->dir).at, flaw);
		for (uint32_t i = 0; i < c->doc_count; i++)
			if ((flaw = worst_flaw(c->docs[i]->content)))
				say_unreadable(a, c, c->docs[i]->path, flaw);
	}
}

static void rule_accepted(struct asked *a)
{
	const struct ticket *t = a->t;

	if (t->state == STATE_QUEUED && t->busy_elsewhere < 0 && ticket_plan_is_current(t)) {
		struct reason_row *row = add_record(a, REASON_ACCEPTED, SEVERITY_HOLD, t->last_plan,
						    NULL);
		row->text = arena_printf(a->arena,
					 "accepted already%.*s; ends when it is queued anew "
					 "or the plan is retracted",
					 STR_ARG(because(a, t->last_plan->record)));
	}
	if (t->busy_elsewhere >= 0) {
		struct reason_row *row = add(a, REASON_ACCEPTED, SEVERITY_HOLD, ORIGIN_TREE);
		row->source = str_of(index_source(a->ix, t->busy_elsewhere)->name);
		row->text = arena_printf(a->arena,
					 "in progress in the checkout %.*s; ends when that is "
					 "merged, or set back there",
					 STR_ARG(row->source));
	}
}

/* `SESSION (ROLE) since TIME, until TIME` */
static struct str holder_of(struct asked *a, const struct claim *claim)
{
	struct buf text = { 0 };

	claim_describe(claim, &text);
	struct str kept = arena_str(a->arena, (struct str){ text.at, text.len });
	buf_release(&text);
	return kept;
}

static void rule_claimed(struct asked *a)
{
	const struct claim *claim = a->t->claim;

	if (!claim || (a->session.at && str_eq(claim->session, a->session)))
		return;
	struct reason_row *row = add(a, REASON_CLAIMED, SEVERITY_HOLD, ORIGIN_CLAIM);
	row->source = claim->source;
	row->text = arena_printf(a->arena, "claimed by %.*s; ends %s, or when it is given back",
				 STR_ARG(holder_of(a, claim)),
				 claim->lives == LIVES_PID ? "with that process"
							   : "then unless renewed");
}

static void say_waits_for(struct asked *a, const struct decision *d, const struct ticket *other,
			  enum reason code)
{
	bool depends = d->record->kind == KIND_DEPENDS_ON && d->ticket == a->t;
	const char *verb = code == REASON_ORDERED ? "runs after"
			   : depends              ? "depends on"
						  : "blocked by";
	bool unmerged = other->resolved_elsewhere >= 0;
	struct reason_row *row = add_record(a, unmerged ? REASON_UNMERGED : code, SEVERITY_HOLD, d,
					    other);

	if (unmerged) {
		row->source = str_of(index_source(a->ix, other->resolved_elsewhere)->name);
		row->text = arena_printf(a->arena,
					 "%s %.*s, which is resolved in the checkout %.*s "
					 "only; ends when that is merged%.*s",
					 verb, STR_ARG(name_of(a, other)), STR_ARG(row->source),
					 STR_ARG(because(a, d->record)));
		return;
	}
	row->text = arena_cat(a->arena, str_of(verb), STR(" "), name_of(a, other),
			      ticket_exists(other) ? STR("; ends when that is done or closed")
						   : STR("; ends when it has come and is done, or "
							 "the record is retracted"),
			      because(a, d->record));
}

static void say_conflict(struct asked *a, const struct decision *d, const struct ticket *other)
{
	struct reason_row *row;

	if (!other->occupied && (other->state != STATE_UNKNOWN || !ticket_exists(other)))
		return;
	row = add_record(a, REASON_CONFLICT, SEVERITY_HOLD, d, other);
	struct str ends =
		ticket_only_claimed(other)
			? arena_printf(a->arena, "claimed by %.*s; ends when it is given back",
				       STR_ARG(holder_of(a, other->claim)))
			: STR("being worked on; ends when that is done or closed");
	row->text = arena_cat(a->arena,
			      d->record->kind == KIND_CONFLICTS_WITH ? STR("conflicts with ")
								     : STR("not in parallel with "),
			      name_of(a, other), STR(", which is "), ends, because(a, d->record));
}

/* When another Ticket comes to a state; `t` is NULL for one that is not there. */
static struct str comes_to(struct asked *a, const struct until *u, const struct ticket *t)
{
	const char *state = word(&words_state, (int)u->state);

	if (!t)
		return arena_printf(a->arena,
				    "ends when %.*s, which is not there, has come and is %s",
				    STR_ARG(u->ticket), state);
	if (state_resolved(u->state) && t->resolved_elsewhere >= 0)
		return arena_printf(a->arena,
				    "ends when %.*s, which is resolved in the checkout %s "
				    "only, is merged",
				    STR_ARG(name_of(a, t)),
				    index_source(a->ix, t->resolved_elsewhere)->name);
	return arena_printf(a->arena, "ends when %.*s is %s", STR_ARG(name_of(a, t)), state);
}

static struct str until_text(struct asked *a, const struct until *u, const struct ticket *other)
{
	char at[STAMP_MAX];

	switch (u ? u->form : UNTIL_NONE) {
	case UNTIL_TICKET:
		return comes_to(a, u, other);
	case UNTIL_AFTER:
		return arena_printf(a->arena, "ends at %s", stamp_text(u->after, at));
	case UNTIL_FREE:
		return arena_printf(
			a->arena, "ends when fewer than %lld Tickets are being worked on (now %zu)",
			(long long)u->free, index_occupied_beside(a->ix, a->t));
	case UNTIL_HUMAN:
		return STR("ends when a person retracts the note or accepts the Ticket");
	case UNTIL_NONE:
		break;
	}
	return STR("it names no condition, so it holds nothing; retract it when it is over");
}

static void say_waiting(struct asked *a, const struct decision *d)
{
	const struct until *u = d->record->until;
	const struct ticket *other =
		u && u->form == UNTIL_TICKET ? index_find(a->ix, u->ticket) : NULL;
	struct reason_row *row;

	if (!status_counts(decision_status(a->ix, d, a->now)))
		return;
	row = add_record(a, REASON_WAITING, u ? SEVERITY_HOLD : SEVERITY_NOTE, d, other);
	if (u && u->form == UNTIL_TICKET) {
		row->other = u->ticket;
		row->other_state = other ? (int)other->state : STATE_UNKNOWN;
	}
	row->text = arena_cat(a->arena, STR("waits"), because(a, d->record), STR("; "),
			      until_text(a, u, other));
}

/* Notes on the record itself, whichever side asks. */
static void say_notes(struct asked *a, const struct decision *d)
{
	struct reason_row *row;

	if (d->diverged) {
		row = add_record(a, REASON_DIVERGED, SEVERITY_NOTE, d, NULL);
		row->text = arena_printf(a->arena, "checkouts disagree on record %.*s",
					 STR_ARG(d->record->id));
	}
	if (decision_is_lost(d)) {
		row = add_record(a, REASON_UNTRACKED, SEVERITY_NOTE, d, NULL);
		row->text = arena_printf(a->arena,
					 "record %.*s is in no checkout and in no commit of a branch; "
					 "`tpctl recover` writes it back",
					 STR_ARG(d->record->id));
	}
	if (!d->other || ticket_exists(d->other) || ticket_resolved(d->ticket))
		return;
	row = add_record(a, REASON_DANGLING, SEVERITY_NOTE, d, d->other);
	row->text = arena_printf(a->arena,
				 "%s names %.*s, which is not there; retract record %.*s, or "
				 "bring the Ticket",
				 word(&words_kind, (int)d->record->kind), STR_ARG(d->other->id),
				 STR_ARG(d->record->id));
}

static void say_replaced(struct asked *a, const struct decision *d, bool own)
{
	struct reason_row *row;

	if (d->record->kind == KIND_SUPERSEDES && !own) {
		row = add_record(a, REASON_SUPERSEDED, SEVERITY_NOTE, d, d->ticket);
		row->text = arena_printf(a->arena, "superseded by %.*s%.*s",
					 STR_ARG(name_of(a, d->ticket)),
					 STR_ARG(because(a, d->record)));
	}
	if (d->record->kind == KIND_DUPLICATE_OF && own) {
		row = add_record(a, REASON_DUPLICATE, SEVERITY_NOTE, d, d->other);
		row->text = arena_printf(a->arena, "a duplicate of %.*s%.*s",
					 STR_ARG(name_of(a, d->other)),
					 STR_ARG(because(a, d->record)));
	}
}

/* One record that concerns the Ticket: written in it (own), or naming it. */
static void rule_record(struct asked *a, const struct decision *d, bool own)
{
	const struct kind_row *row = kind_row(d->record->kind);
	const struct ticket *other = own ? d->other : d->ticket;
	bool holds_me = row->holds == (own ? HOLDS_SELF : HOLDS_OTHER);

	if (d->retracted)
		return;
	if (row->code == REASON_WAITING)
		say_waiting(a, d);
	else if (row->holds == HOLDS_BOTH)
		say_conflict(a, d, other);
	else if (holds_me && other && !ticket_resolved(other))
		say_waits_for(a, d, other, row->code);
	if (own)
		say_notes(a, d);
	say_replaced(a, d, own);
}

/*
 * The first of its records that are in no commit yet, and how many there are; of those that git
 * ignores where `out` is not NULL.
 */
static const struct decision *find_uncommitted(const struct index *ix, const struct ticket *t,
					       const struct ignored *out, struct arena *arena,
					       uint32_t *count)
{
	const struct decision *first = NULL;

	*count = 0;
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct decision *d = &t->own[i];
		if (d->doc->loose && !d->retracted &&
		    (!out || ignored_doc(out, ix, d->doc, arena)) && !(*count)++)
			first = d;
	}
	return first;
}

static struct str uncommitted_text(struct arena *arena, const struct decision *first,
				   uint32_t count, struct str then)
{
	return count == 1 ? arena_printf(arena, "record %.*s is in no commit yet%.*s",
					 STR_ARG(first->record->id), STR_ARG(then))
			  : arena_printf(arena, "%u records of it are in no commit yet%.*s", count,
					 STR_ARG(then));
}

/* One note for all of them. */
static void rule_untracked(struct asked *a)
{
	uint32_t count;
	const struct decision *first = find_uncommitted(a->ix, a->t, NULL, a->arena, &count);

	if (first)
		add_record(a, REASON_UNTRACKED, SEVERITY_NOTE, first, NULL)->text =
			uncommitted_text(a->arena, first, count, STR("; `tpctl commit` makes one"));
}

static void rule_sources(struct asked *a)
{
	const struct ticket *t = a->t;

	if (t->diverged) {
		struct reason_row *row = add(a, REASON_DIVERGED, SEVERITY_NOTE, ORIGIN_TREE);
		struct str list = STR("");
		for (const struct copy *c = t->copies; c; c = c->next)
			list = arena_printf(a->arena, "%.*s%s%s: %s", STR_ARG(list),
					    list.len ? ", " : "",
					    index_source(a->ix, c->source)->name,
					    word(&words_state, (int)copy_state(c)));
		row->text = arena_printf(a->arena, "checkouts disagree on its state (%.*s)",
					 STR_ARG(list));
	}
	if (t->elsewhere) {
		struct reason_row *row = add(a, REASON_ELSEWHERE, SEVERITY_NOTE, ORIGIN_TREE);
		row->source = str_of(index_source(a->ix, t->face->source)->name);
		row->text =
			arena_printf(a->arena, "only in the checkout %.*s", STR_ARG(row->source));
	}
}

static int64_t time_of(const struct reason_row *row)
{
	return row->decision ? row->decision->record->at : 0;
}

static struct str id_of(const struct reason_row *row)
{
	return row->decision ? row->decision->record->id : STR("");
}

static int reason_order(const void *x, const void *y)
{
	const struct reason_row *a = x, *b = y;
	int64_t at = time_of(a), bt = time_of(b);

	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	if (at != bt)
		return at < bt ? -1 : 1;
	int order = str_cmp(id_of(a), id_of(b));
	return order ? order : str_cmp(a->text, b->text);
}

/*
 * Whether a Ticket that this one waits for may wait itself: without that there is no
 * way back.  A few are asked, for thousands of records may name one that has as many.
 */
static bool waits_on(const struct ticket *t)
{
	struct wait_walk walk = { .ticket = t }, further;
	const struct ticket *other;

	for (int n = 0; (other = wait_next(&walk)); n++) {
		further = (struct wait_walk){ .ticket = other };
		if (n == WAITS_ASKED || wait_next(&further))
			return true;
	}
	return false;
}

static void rule_cycle(struct asked *a)
{
	struct ticket **loop;
	size_t count = waits_on(a->t) ? cycle_of(a->t, CYCLE_SOUGHT, a->arena, &loop) : 0;
	struct str path = count ? a->t->id : STR_NONE;

	if (!count)
		return;
	for (size_t i = 1; i < count && i < CYCLE_SHOWN; i++)
		path = arena_printf(a->arena, "%.*s, %.*s", STR_ARG(path), STR_ARG(loop[i]->id));
	add(a, REASON_CYCLE, SEVERITY_NOTE, ORIGIN_TREE)->text =
		arena_printf(a->arena,
			     "waits for itself, through %zu Tickets (%.*s%s); retract one of "
			     "the records between them",
			     count, STR_ARG(path), count > CYCLE_SHOWN ? ", …" : "");
}

static void find_reasons(struct asked *a)
{
	const struct decision *d;

	if (a->t->unreadable)
		rule_unreadable(a);
	rule_accepted(a);
	rule_claimed(a);
	for (uint32_t i = 0; i < a->t->own_count; i++)
		rule_record(a, &a->t->own[i], true);
	DL_FOREACH(a->t->incoming, d)
		rule_record(a, d, false);
	rule_sources(a);
	rule_untracked(a);
}

static void conclude(struct gate *gate)
{
	enum state state = (enum state)gate->ticket->state;

	if (gate->count > 1)
		qsort(gate->reasons, gate->count, sizeof(*gate->reasons), reason_order);
	gate->verdict = state != STATE_QUEUED && state != STATE_UNKNOWN ? VERDICT_NOT_QUEUED
			: gate->holds						? VERDICT_HELD
										: VERDICT_CLEAR;
}

void gate_for(const struct index *ix, const struct ticket *ticket, int64_t now, struct str session,
	      struct arena *arena, struct gate *gate)
{
	struct asked a = { ix, ticket, now, session, arena, gate, 0 };

	*gate = (struct gate){ .ticket = ticket };
	find_reasons(&a);
	rule_cycle(&a);
	conclude(gate);
}

void gate_of(const struct index *ix, const struct ticket *ticket, int64_t now, struct arena *arena,
	     struct gate *gate)
{
	gate_for(ix, ticket, now, STR_NONE, arena, gate);
}

void gate_for_without_cycle(const struct index *ix, const struct ticket *ticket, int64_t now,
			    struct str session, struct arena *arena, struct gate *gate)
{
	struct asked a = { ix, ticket, now, session, arena, gate, 0 };

	*gate = (struct gate){ .ticket = ticket };
	find_reasons(&a);
	conclude(gate);
}

void gate_without_cycle(const struct index *ix, const struct ticket *ticket, int64_t now,
			struct arena *arena, struct gate *gate)
{
	gate_for_without_cycle(ix, ticket, now, STR_NONE, arena, gate);
}

void gate_tell_ignored(const struct index *ix, const struct ignored *g, struct arena *arena,
		       struct gate *gate)
{
	uint32_t count, ignored;

	if (!g)
		return;
	const struct decision *first = find_uncommitted(ix, gate->ticket, NULL, arena, &count);
	const struct decision *out = find_uncommitted(ix, gate->ticket, g, arena, &ignored);
	for (size_t i = 0; out && i < gate->count; i++) {
		struct reason_row *row = &gate->reasons[i];
		if (row->code != REASON_UNTRACKED || row->decision != first)
			continue;
		const struct doc *doc = out->doc;
		struct str path = source_path(index_source(ix, doc->copy->source),
					      str_of(doc->path), arena);
		struct str means = ignored_text(arena, path, "FILE", ignored - 1);
		row->text = uncommitted_text(
			arena, first, count,
			arena_printf(arena, "%s%.*s; %s",
				     ignored < count ? "; `tpctl commit` makes one, but " : ": ",
				     STR_ARG(means), words_problem.list[PROBLEM_IGNORED].doc));
	}
}
