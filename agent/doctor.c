/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <stdlib.h>

#include "cycle.h"
#include "guard.h"
#include "meaning.h"

struct finding *findings_add(struct findings *into, enum problem code, const struct ticket *t)
{
	into->at = arena_more(into->arena, into->at, into->count, &into->cap, sizeof(*into->at));
	struct finding *f = &into->at[into->count++];
	*f = (struct finding){ .code = code, .ticket = t, .source = -1, .offset = -1 };
	return f;
}

/* -- Files -------------------------------------------------------------- */

static void add_flaws(struct findings *into, const struct copy *copy, struct str path,
		      const struct content *content)
{
	struct finding *f;

	for (uint32_t i = 0; i < content->flaw_count; i++) {
		const struct flaw *flaw = &content->flaws[i];
		f = findings_add(into, flaw->code, copy->ticket);
		f->source = copy->source;
		f->path = path;
		f->line = flaw->line;
		f->offset = flaw->offset;
		f->text = flaw->text;
	}
	if (!content->flaws_cut)
		return;
	f = findings_add(into, content->flaws[CONTENT_FLAWS_MAX - 1].code, copy->ticket);
	f->source = copy->source;
	f->path = path;
	f->text = arena_printf(into->arena, "and %u more in this file", content->flaws_cut);
}

static void add_copy(struct findings *into, const struct copy *copy)
{
	struct str item = arena_printf(into->arena, "%s/item.md", copy->dir);

	if (copy->item) {
		add_flaws(into, copy, item, copy->item);
	} else {
		struct finding *f = findings_add(into, PROBLEM_NO_ITEM, copy->ticket);
		f->source = copy->source;
		f->path = item;
		f->text = STR("the Ticket's folder has artifacts but no item.md");
	}
	for (uint32_t i = 0; i < copy->doc_count; i++)
		add_flaws(into, copy, str_of(copy->docs[i]->path), copy->docs[i]->content);
}

void doctor_files(const struct ticket *t, struct findings *into)
{
	for (const struct copy *c = t->copies; c; c = c->next) {
		add_copy(into, c);
		if (!c->next || c->next->source != c->source)
			continue;
		struct finding *f = findings_add(into, PROBLEM_FOUND_TWICE, t);
		f->source = c->source;
		f->path = str_of(c->dir);
		f->text = arena_printf(into->arena, "the Ticket is there twice: %s and %s", c->dir,
				       c->next->dir);
	}
}

static void add_strays(const struct index *ix, struct findings *into)
{
	for (const struct stray *s = index_strays(ix); s; s = s->hh.next) {
		struct finding *f = findings_add(into, s->code, NULL);
		f->source = s->source;
		f->path = str_of(s->path);
		f->text = s->text;
	}
}

/* -- Records ------------------------------------------------------------ */

static struct finding *add_record(struct findings *into, enum problem code,
				  const struct decision *d)
{
	struct finding *f = findings_add(into, code, d->ticket);

	/* What is lost lies in no file. */
	if (decision_is_lost(d))
		return f;
	f->source = d->doc->copy->source;
	f->path = str_of(d->doc->path);
	f->line = d->record->line;
	return f;
}

static bool counts(const struct index *ix, const struct decision *d, int64_t now)
{
	enum status status = decision_status(ix, d, now);

	return query_in_scope(status, SCOPE_LIVE);
}

static void add_dangling(const struct index *ix, const struct ticket *t, int64_t now,
			 struct findings *into)
{
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct decision *d = &t->own[i];
		if (decision_status(ix, d, now) != STATUS_DANGLING)
			continue;
		add_record(into, PROBLEM_DANGLING, d)->text = arena_printf(
			into->arena, "record %.*s (%s) names %.*s, which is not there",
			STR_ARG(d->record->id), word(&words_kind, (int)d->record->kind),
			STR_ARG(d->other->id));
	}
}

static void add_waits(const struct index *ix, const struct ticket *t, int64_t now,
		      struct findings *into)
{
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct decision *d = &t->own[i];
		if (d->record->kind != KIND_WAITING_CAPACITY_NOTE || d->retracted ||
		    ticket_resolved(t))
			continue;
		if (decision_until_holds(ix, d, now) && !decision_superseded(d))
			add_record(into, PROBLEM_WAIT_OVER, d)->text =
				arena_printf(into->arena, "record %.*s waits for what has come",
					     STR_ARG(d->record->id));
		else if (!d->record->until && status_counts(decision_status(ix, d, now)))
			add_record(into, PROBLEM_WAIT_UNBOUNDED, d)->text =
				arena_printf(into->arena, "record %.*s waits without a condition",
					     STR_ARG(d->record->id));
	}
}

/* -- Bypasses ----------------------------------------------------------- */

static struct finding *add_item(struct findings *into, enum problem code, const struct copy *copy)
{
	struct finding *f = findings_add(into, code, copy->ticket);

	f->source = copy->source;
	f->path = arena_printf(into->arena, "%s/item.md", copy->dir);
	return f;
}

/* Where it is in progress, whatever checkout counts; NULL where nowhere, or it is over. */
static const struct copy *started(const struct ticket *t)
{
	const struct copy *copy = t->copies;

	if (ticket_resolved(t))
		return NULL;
	if (t->state == STATE_INPROGRESS)
		return t->face;
	while (copy && copy_state(copy) != STATE_INPROGRESS)
		copy = copy->next;
	return copy;
}

static void add_past_hold(const struct index *ix, const struct ticket *t, const struct copy *at,
			  int64_t now, struct findings *into)
{
	struct gate gate;

	gate_of(ix, t, now, into->arena, &gate);
	for (size_t i = 0; i < gate.count; i++)
		if (gate.reasons[i].severity == SEVERITY_HOLD &&
		    gate.reasons[i].code != REASON_ACCEPTED &&
		    gate.reasons[i].code != REASON_CLAIMED)
			add_item(into, PROBLEM_PAST_HOLD, at)->text =
				arena_printf(into->arena, "in progress, and held: %.*s",
					     STR_ARG(gate.reasons[i].text));
}

void doctor_bypasses(const struct index *ix, const struct ticket *t, int64_t now,
		     struct findings *into)
{
	const struct copy *at = started(t);

	if (at && !ticket_plan_is_current(t))
		add_item(into, PROBLEM_UNRECORDED, at)->text =
			STR("in progress without an accepted plan");
	if (at)
		add_past_hold(ix, t, at, now, into);
	if (ticket_awaits_start(t) && now - t->last_plan->record->at >= PLAN_START_US)
		add_item(into, PROBLEM_ACCEPTED_NOT_STARTED, t->face)->text =
			arena_printf(into->arena, "accepted by record %.*s and not started since",
				     STR_ARG(t->last_plan->record->id));
}

/* -- Cycles ------------------------------------------------------------- */

#define CYCLE_SHOWN 8

static void add_cycles(struct ticket *const *list, size_t count, const struct ticket *only,
		       struct findings *into)
{
	struct ticket **at, **loop;
	size_t groups = cycle_groups(list, count, into->arena, &at);

	for (; groups--; at++) {
		bool mine = !only;
		const struct ticket *first = *at;
		for (; *at; at++) {
			mine |= *at == only;
			first = str_cmp((*at)->id, first->id) < 0 ? *at : first;
		}
		size_t n = mine ? cycle_of(first, SIZE_MAX, into->arena, &loop) : 0;
		if (!n)
			continue;
		struct str path = first->id;
		for (size_t i = 1; i < n && i < CYCLE_SHOWN; i++)
			path = arena_printf(into->arena, "%.*s, %.*s", STR_ARG(path),
					    STR_ARG(loop[i]->id));
		add_item(into, PROBLEM_CYCLE, first->face)->text =
			arena_printf(into->arena, "waits for itself, through %zu Tickets: %.*s%s",
				     n, STR_ARG(path), n > CYCLE_SHOWN ? ", …" : "");
	}
}

/* A record this old that is in no commit yet was forgotten, not just written. */
#define NOT_COMMITTED_US (INT64_C(3600) * 1000000)

void doctor_lost(const struct ticket *t, struct findings *into)
{
	for (uint32_t i = 0; t->lost && i < t->own_count; i++) {
		const struct decision *d = &t->own[i];
		if (decision_is_lost(d) && !d->retracted)
			add_record(into, PROBLEM_LOST, d)->text = arena_printf(
				into->arena,
				"record %.*s (%s) is in no checkout and in no commit of a branch",
				STR_ARG(d->record->id), word(&words_kind, (int)d->record->kind));
	}
}

static void add_uncommitted(const struct index *ix, const struct ticket *t, int64_t now,
			    struct findings *into)
{
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct decision *d = &t->own[i];
		if (!decision_is_lost(d) && d->doc->loose &&
		    now - d->record->at > NOT_COMMITTED_US &&
		    !ignored_doc(into->ignored, ix, d->doc, into->arena))
			add_record(into, PROBLEM_UNTRACKED, d)->text =
				arena_printf(into->arena, "record %.*s is in no commit",
					     STR_ARG(d->record->id));
	}
}

/* One finding a folder of a Ticket: who ignores one file of it ignores mostly all. */
static void add_ignored_in(const struct index *ix, const struct copy *copy, struct findings *into)
{
	struct str first = STR_NONE;
	size_t count = 0;

	for (uint32_t i = 0; i < copy->doc_count; i++)
		if (ignored_doc(into->ignored, ix, copy->docs[i], into->arena) && !count++)
			first = str_of(copy->docs[i]->path);
	if (!count)
		return;
	struct finding *f = findings_add(into, PROBLEM_IGNORED, copy->ticket);
	f->source = copy->source;
	f->path = first;
	f->text = ignored_text(into->arena, STR("this file"), "FILE", count - 1);
}

static void add_ignored(const struct index *ix, const struct ticket *t, struct findings *into)
{
	for (const struct copy *c = t->copies; c; c = c->next) {
		const struct ignored_in *in =
			ignored_of(into->ignored, index_source(ix, c->source)->name);
		if (in && in->count && !in->whole)
			add_ignored_in(ix, c, into);
	}
}

static void add_settings(const struct index *ix, struct findings *into)
{
	const char *flaw = index_settings_flaw(ix);

	if (flaw)
		findings_add(into, PROBLEM_MISSET, NULL)->text =
			arena_str(into->arena, str_of(flaw));
}

static void add_past(const struct index *ix, struct findings *into)
{
	const char *why = index_past_failure(ix);

	if (why)
		findings_add(into, PROBLEM_GIT, NULL)->text =
			arena_printf(into->arena, "what commits hold cannot be told: %s", why);
}

/* What is to be said of a checkout as a whole. */
static void add_checkouts(const struct index *ix, struct findings *into)
{
	for (int i = -1; (i = index_source_next(ix, UINT64_MAX, i)) >= 0;) {
		const struct ignored_in *in = ignored_of(into->ignored, index_source(ix, i)->name);
		if (!in || !(in->whole || in->failed))
			continue;
		struct finding *f =
			findings_add(into, in->whole ? PROBLEM_IGNORED : PROBLEM_GIT, NULL);
		f->source = i;
		f->path = STR("");
		f->text = in->whole
				  ? ignored_text(into->arena, STR("the whole tree"), "FOLDER", 0)
				  : arena_printf(into->arena, "what git ignores cannot be told: %s",
						 in->why.text);
	}
}

/* Fields that may name places of a machine. */
static void add_leaks(const struct index *ix, const struct ticket *t, struct findings *into)
{
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct record *r = t->own[i].record;
		const struct plan *plan = r->plan, none = { 0 };
		if (!r->suspect)
			continue;
		const struct {
			const char *name;
			struct str text;
		} fields[] = { { "note", r->note },
			       { "worktree", (plan ? plan : &none)->worktree },
			       { "summary", (plan ? plan : &none)->summary },
			       { "role_plan", (plan ? plan : &none)->role_plan },
			       { "branch", (plan ? plan : &none)->branch } };
		for (size_t k = 0; k < COUNT_OF(fields); k++) {
			struct str found = guard_find(ix, fields[k].text);
			if (!found.at)
				continue;
			add_record(into, PROBLEM_LEAK, &t->own[i])->text = arena_printf(
				into->arena,
				"record %.*s: its %s names a place of one machine: %.*s",
				STR_ARG(r->id), fields[k].name,
				(int)(found.len > 100 ? 100 : found.len), found.at);
			break;
		}
	}
}

/* -- Duplicates --------------------------------------------------------- */

struct said {
	struct meaning meaning;
	const struct decision *d;
};

static int by_meaning(const void *x, const void *y)
{
	const struct said *a = x, *b = y;
	int order = meaning_compare(&a->meaning, &b->meaning);

	if (!order)
		order = (a->d->record->at > b->d->record->at) -
			(a->d->record->at < b->d->record->at);
	if (!order)
		order = str_cmp(a->d->ticket->id, b->d->ticket->id);
	return order ? order : (a->d > b->d) - (a->d < b->d);
}

static bool to_compare(const struct index *ix, const struct decision *d, const struct ticket *only,
		       int64_t now)
{
	return d->other && counts(ix, d, now) && (!only || d->ticket == only || d->other == only);
}

static size_t gather(const struct index *ix, struct ticket *const *list, size_t count,
		     const struct ticket *only, int64_t now, struct said *into)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < list[i]->own_count; k++) {
			if (!to_compare(ix, &list[i]->own[k], only, now))
				continue;
			if (into)
				into[n] = (struct said){ meaning_of(&list[i]->own[k]),
							 &list[i]->own[k] };
			n++;
		}
	return n;
}

static void add_duplicates(const struct index *ix, struct ticket *const *list, size_t count,
			   const struct ticket *only, int64_t now, struct findings *into)
{
	size_t n = gather(ix, list, count, only, now, NULL);
	struct said *all = arena_alloc(into->arena, (n + 1) * sizeof(*all));

	gather(ix, list, count, only, now, all);
	if (n > 1)
		qsort(all, n, sizeof(*all), by_meaning);
	for (size_t i = 1; i < n; i++) {
		const struct decision *d = all[i].d, *earlier = all[i - 1].d;
		if (meaning_compare(&all[i].meaning, &all[i - 1].meaning) != 0)
			continue;
		add_record(into, PROBLEM_DUPLICATE, d)->text = arena_printf(
			into->arena, "record %.*s (%s %.*s) says the same as record %.*s of %.*s",
			STR_ARG(d->record->id), word(&words_kind, (int)d->record->kind),
			STR_ARG(d->other->id), STR_ARG(earlier->record->id),
			STR_ARG(earlier->ticket->id));
	}
}

/* A source's number depends on when it came: go by its name. */
static int by_source(const struct index *ix, int a, int b)
{
	const struct source *x = index_source(ix, a), *y = index_source(ix, b);

	return x && y ? strcmp(x->name, y->name) : !!x - !!y;
}

static int by_place(const void *x, const void *y, void *data)
{
	const struct finding *a = x, *b = y;
	int order = str_cmp(a->path, b->path);

	if (!order)
		order = by_source(data, a->source, b->source);
	if (!order)
		order = (a->line > b->line) - (a->line < b->line);
	if (!order)
		order = (a->offset > b->offset) - (a->offset < b->offset);
	if (!order)
		order = (a->code > b->code) - (a->code < b->code);
	return order ? order : str_cmp(a->text, b->text);
}

static void examine(const struct index *ix, const struct ticket *t, int64_t now,
		    struct findings *into)
{
	doctor_files(t, into);
	add_dangling(ix, t, now, into);
	add_waits(ix, t, now, into);
	add_leaks(ix, t, into);
	doctor_lost(t, into);
	add_uncommitted(ix, t, now, into);
	add_ignored(ix, t, into);
	doctor_bypasses(ix, t, now, into);
}

bool doctor_page(struct index *ix, struct findings *all, struct page *page, struct finding **rows,
		 size_t *errors, struct fault *why)
{
	page_begin(page);
	if (all->count > 1)
		qsort_r(all->at, all->count, sizeof(*all->at), by_place, ix);
	*errors = 0;
	for (size_t i = 0; i < all->count; i++)
		*errors += problem_row(all->at[i].code)->level == LEVEL_ERROR;
	page->count = all->count;
	*rows = all->at;
	return page_by_number(all->arena, page, why);
}

bool doctor_run(struct index *ix, const struct ticket *only, const struct ignored *ignored,
		int64_t now, struct arena *arena, struct page *page, struct finding **rows,
		size_t *errors, struct fault *why)
{
	struct findings all = { .arena = arena, .ignored = ignored };
	size_t count;
	struct ticket *const *list = index_tickets(ix, &count);

	if (only) {
		examine(ix, only, now, &all);
	} else {
		add_settings(ix, &all);
		add_past(ix, &all);
		add_strays(ix, &all);
		add_checkouts(ix, &all);
		for (size_t i = 0; i < count; i++)
			examine(ix, list[i], now, &all);
		/* Records may be lost together with their Ticket. */
		for (const struct ticket *t = NULL; (t = index_lost_next(ix, t));)
			if (!ticket_exists(t))
				doctor_lost(t, &all);
	}
	add_duplicates(ix, list, count, only, now, &all);
	add_cycles(list, count, only, &all);
	return doctor_page(ix, &all, page, rows, errors, why);
}
