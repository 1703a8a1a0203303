/* SPDX-License-Identifier: MIT */
#include "brief.h"

#include "claims.h"
#include "doctor.h"
#include "gate.h"
#include "query.h"
#include "rpc.h"
#include "stamp.h"
#include "thread.h"

enum part { QUEUE, PLANS, CLAIMS, WAITS, HOLDS, BYPASSES, PROBLEMS, THREADS, PART_COUNT };

/* How long each may be at least, in hundredths, and how to ask for the rest. */
static const struct {
	const char *title, *ask;
	size_t share;
} parts[PART_COUNT] = {
	[QUEUE] = { "Queue", "tpctl queue", 40 },
	[PLANS] = { "Accepted, under way", "tpctl records --kind accepted_plan", 15 },
	[CLAIMS] = { "Claimed at present, on this machine", "tpctl claims", 5 },
	[WAITS] = { "Waits", "tpctl records --kind waiting_capacity_note", 10 },
	[HOLDS] = { "Held, not queued yet", "tpctl tickets --state planning --state ready", 10 },
	[BYPASSES] = { "Bypasses", "tpctl doctor", 5 },
	[PROBLEMS] = { "Problems", "tpctl doctor", 5 },
	[THREADS] = { "Decisions in threads (they decide nothing here)", "read the thread.md files",
		      5 },
};

/* What the sentences about cuts may take at most, all together. */
#define FOOT_MAX 700

struct lines {
	struct str *at;
	size_t count, cap, bytes;
};

struct writing {
	struct index *ix;
	int64_t now;
	struct str session;
	struct arena *arena;
	struct lines lines[PART_COUNT];
};

/* Longer lines end in "…": one text shall not take the place of all others. */
#define LINE_BYTES_MAX 400

/* One line, whatever the texts in it hold. */
static struct str flat(struct writing *w, struct str text)
{
	size_t len = text.len;

	if (len > LINE_BYTES_MAX)
		for (len = LINE_BYTES_MAX - 3; len && (text.at[len] & 0xc0) == 0x80; len--)
			;
	struct str line =
		arena_printf(w->arena, "%.*s%s", (int)len, text.at, len < text.len ? "…" : "");
	char *at = (char *)(uintptr_t)line.at;
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)at[i] < 0x20 || at[i] == '\x7f')
			at[i] = ' ';
	return line;
}

static void add(struct writing *w, enum part part, struct str line)
{
	struct lines *l = &w->lines[part];

	l->at = arena_more(w->arena, l->at, l->count, &l->cap, sizeof(*l->at));
	l->at[l->count] = flat(w, line);
	l->bytes += l->at[l->count++].len + 1;
}

static void add_holds(struct writing *w, enum part part, const struct gate *gate)
{
	for (size_t i = 0; i < gate->count; i++)
		if (gate->reasons[i].severity == SEVERITY_HOLD)
			add(w, part, arena_printf(w->arena, "    %s: %.*s",
						  word(&words_reason, (int)gate->reasons[i].code),
						  STR_ARG(gate->reasons[i].text)));
}

static void write_queue(struct writing *w)
{
	struct page page = { .limit = RPC_LIMIT_MAX, .session = w->session };
	struct gate *rows;
	struct fault never;

	BUG_IF(!query_queue(w->ix, false, w->now, w->arena, &page, &rows, &never));
	for (size_t i = 0; i < page.returned; i++) {
		add(w, QUEUE, arena_printf(w->arena, "- %.*s %s: %.*s", STR_ARG(rows[i].ticket->id),
					   word(&words_verdict, (int)rows[i].verdict),
					   STR_ARG(ticket_title(rows[i].ticket))));
		add_holds(w, QUEUE, &rows[i]);
	}
}

static void write_plan(struct writing *w, const struct ticket *t)
{
	const struct record *r = t->last_plan ? t->last_plan->record : NULL;
	char at[STAMP_MAX];

	if (!r || !ticket_plan_is_current(t)) {
		add(w, PLANS, arena_printf(w->arena, "- %.*s (%s) %.*s: no plan recorded",
					   STR_ARG(t->id), word(&words_state, t->state),
					   STR_ARG(ticket_title(t))));
		return;
	}
	/* The summary last: it may be long, and be cut. */
	add(w, PLANS,
	    arena_printf(w->arena, "- %.*s (%s)%s%.*s%s%.*s [%.*s, %s]: %.*s", STR_ARG(t->id),
			 word(&words_state, t->state), r->plan->branch.at ? " branch " : "",
			 STR_ARG(r->plan->branch), r->plan->worktree.at ? " worktree " : "",
			 STR_ARG(r->plan->worktree), STR_ARG(r->author), stamp_text(r->at, at),
			 STR_ARG(r->plan->summary)));
}

static void write_claim(struct writing *w, const struct ticket *t)
{
	struct buf holder = { 0 };

	if (!t->claim)
		return;
	claim_describe(t->claim, &holder);
	add(w, CLAIMS,
	    arena_printf(w->arena, "- %.*s by %s%s", STR_ARG(t->id), buf_text(&holder),
			 str_eq(t->claim->session, w->session) ? " (this session)" : ""));
	buf_release(&holder);
}

static struct str condition(struct writing *w, const struct until *u)
{
	char at[STAMP_MAX];

	switch (u ? u->form : UNTIL_NONE) {
	case UNTIL_TICKET:
		return arena_printf(w->arena, "until %.*s is %s", STR_ARG(u->ticket),
				    word(&words_state, (int)u->state));
	case UNTIL_AFTER:
		return arena_printf(w->arena, "until %s", stamp_text(u->after, at));
	case UNTIL_FREE:
		return arena_printf(w->arena, "until fewer than %lld are worked on",
				    (long long)u->free);
	case UNTIL_HUMAN:
		return STR("until a person decides");
	case UNTIL_NONE:
		break;
	}
	return STR("no condition, holds nothing");
}

static void write_waits(struct writing *w, const struct ticket *t)
{
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct decision *d = &t->own[i];
		if (d->record->kind != KIND_WAITING_CAPACITY_NOTE ||
		    !status_counts(decision_status(w->ix, d, w->now)))
			continue;
		add(w, WAITS,
		    arena_printf(w->arena, "- %.*s %.*s (record %.*s): %.*s", STR_ARG(t->id),
				 STR_ARG(condition(w, d->record->until)), STR_ARG(d->record->id),
				 STR_ARG(d->record->note)));
	}
}

static void write_held(struct writing *w, const struct ticket *t)
{
	struct gate gate;

	if (t->state != STATE_PLANNING && t->state != STATE_READY)
		return;
	gate_for(w->ix, t, w->now, w->session, w->arena, &gate);
	if (!gate.holds)
		return;
	add(w, HOLDS, arena_printf(w->arena, "- %.*s (%s) %.*s", STR_ARG(t->id),
				   word(&words_state, t->state), STR_ARG(ticket_title(t))));
	add_holds(w, HOLDS, &gate);
}

static void write_problems(struct writing *w)
{
	struct page page = { .limit = RPC_LIMIT_MAX };
	struct finding *rows;
	struct fault never;
	size_t errors;

	BUG_IF(!doctor_run(w->ix, NULL, NULL, w->now, w->arena, &page, &rows, &errors, &never));
	for (size_t i = 0; i < page.count; i++) {
		enum problem code = rows[i].code;
		bool bypass = code == PROBLEM_UNRECORDED || code == PROBLEM_PAST_HOLD ||
			      code == PROBLEM_ACCEPTED_NOT_STARTED;
		if (!bypass && problem_row(code)->level != LEVEL_ERROR && code != PROBLEM_WAIT_OVER)
			continue;
		add(w, bypass ? BYPASSES : PROBLEMS,
		    arena_printf(w->arena, "- %s %.*s: %.*s", word(&words_problem, (int)code),
				 STR_ARG(rows[i].ticket ? rows[i].ticket->id : rows[i].path),
				 STR_ARG(rows[i].text)));
	}
}

static void write_thread(struct writing *w, const struct ticket *t, brief_thread_fn *thread,
			 void *ctx)
{
	struct buf text = { 0 };
	size_t count = 0;
	const struct source *s = index_source(w->ix, t->face->source);

	if ((t->state != STATE_QUEUED && t->state != STATE_INPROGRESS) ||
	    !thread(ctx, t->face, &text)) {
		buf_release(&text);
		return;
	}
	struct str kept = arena_str(w->arena, (struct str){ text.at ? text.at : "", text.len });
	struct thread_event *events = thread_decisions(kept, w->arena, &count);
	for (size_t i = 0; i < count; i++)
		add(w, THREADS,
		    arena_printf(w->arena, "- %.*s %.*s by %.*s, %.*s: %s/%s/thread.md:%u",
				 STR_ARG(t->id), STR_ARG(events[i].kind), STR_ARG(events[i].author),
				 STR_ARG(events[i].at), s->root, t->face->dir, events[i].line));
	buf_release(&text);
}

static size_t wanted(const struct lines *l, enum part part)
{
	return l->count ? l->bytes + strlen(parts[part].title) + 5 : 0;
}

/* Where not all can be told, what is cut has to be said. */
static size_t room_for_parts(const struct writing *w, size_t max, size_t used)
{
	size_t all = used, foot = max / 4 < FOOT_MAX ? max / 4 : FOOT_MAX;

	for (int i = 0; i < PART_COUNT; i++)
		all += wanted(&w->lines[i], (enum part)i);
	foot = all <= max ? 0 : foot;
	return max > used + foot ? max - used - foot : 0;
}

/* Each section that lost lines, or their number where that is too much to say. */
static void put_cuts(const struct brief *brief, size_t max, struct buf *out)
{
	size_t all = out->len + 1;

	for (size_t i = 0; i < brief->cut_count; i++)
		all += brief->cut[i].len + 3;
	for (size_t i = 0; all <= max && i < brief->cut_count; i++)
		buf_addf(out, "%s(%.*s)\n", i ? "" : "\n", STR_ARG(brief->cut[i]));
	if (all > max)
		buf_addf(out, "\n(%zu sections are cut: tpctl brief --max-bytes N tells more)\n",
			 brief->cut_count);
}

/* How many bytes each section gets: its share, then what others leave over, in order. */
static void allot(const struct writing *w, size_t max, size_t room[PART_COUNT])
{
	size_t left = max;

	for (int i = 0; i < PART_COUNT; i++) {
		size_t want = wanted(&w->lines[i], (enum part)i);
		size_t share = max * parts[i].share / 100;
		room[i] = want < share ? want : share;
		left -= room[i];
	}
	for (int i = 0; i < PART_COUNT; i++) {
		size_t more = wanted(&w->lines[i], (enum part)i) - room[i];
		more = more < left ? more : left;
		room[i] += more;
		left -= more;
	}
}

static void put_part(struct writing *w, enum part part, size_t room, struct buf *out,
		     struct brief *brief)
{
	const struct lines *l = &w->lines[part];
	size_t used = strlen(parts[part].title) + 5, n = 0;

	if (!l->count)
		return;
	if (used + l->at[0].len + 1 <= room)
		buf_addf(out, "\n## %s\n", parts[part].title);
	for (; n < l->count && used + l->at[n].len + 1 <= room; n++) {
		buf_add_str(out, l->at[n]);
		buf_add(out, "\n", 1);
		used += l->at[n].len + 1;
	}
	if (n < l->count)
		brief->cut[brief->cut_count++] =
			arena_printf(w->arena, "%s: %zu of %zu lines left out; %s",
				     parts[part].title, l->count - n, l->count, parts[part].ask);
}

static struct str headline(struct writing *w, struct ticket *const *all, size_t count)
{
	size_t states[STATE_COUNT] = { 0 };

	for (size_t i = 0; i < count; i++)
		states[all[i]->state]++;
	return arena_printf(
		w->arena,
		"# Tickets: %zu queued, %zu in progress, %zu ready, %zu planning; %zu worked "
		"on\n",
		states[STATE_QUEUED], states[STATE_INPROGRESS], states[STATE_READY],
		states[STATE_PLANNING], index_occupied(w->ix));
}

static void gather(struct writing *w, brief_thread_fn *thread, void *ctx)
{
	size_t count;
	struct ticket *const *all = index_tickets(w->ix, &count);

	write_queue(w);
	for (size_t i = 0; i < count; i++) {
		if ((all[i]->occupied && !ticket_only_claimed(all[i])) ||
		    all[i]->state == STATE_INPROGRESS)
			write_plan(w, all[i]);
		write_claim(w, all[i]);
		write_waits(w, all[i]);
		write_held(w, all[i]);
		write_thread(w, all[i], thread, ctx);
	}
	write_problems(w);
}

void brief_of(struct index *ix, int64_t now, struct str session, size_t max,
	      brief_thread_fn *thread, void *ctx, struct arena *arena, struct brief *brief)
{
	struct writing w = { .ix = ix, .now = now, .session = session, .arena = arena };
	size_t room[PART_COUNT], count;
	struct ticket *const *all = index_tickets(ix, &count);
	struct buf out = { 0 };

	gather(&w, thread, ctx);
	*brief = (struct brief){ .cut = arena_alloc(arena, PART_COUNT * sizeof(struct str)) };
	buf_add_str(&out, headline(&w, all, count));
	allot(&w, room_for_parts(&w, max, out.len), room);
	for (int i = 0; i < PART_COUNT; i++)
		put_part(&w, (enum part)i, room[i], &out, brief);
	put_cuts(brief, max, &out);
	brief->text = arena_str(arena, (struct str){ out.at, out.len });
	buf_release(&out);
}
