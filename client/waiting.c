/* SPDX-License-Identifier: MIT */
#include "watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "json.h"
#include "tick.h"
#include "value.h"

struct waiter {
	struct follower f;
	struct outcome *o;
	struct fault *why;
	const char *ticket, *until;
	json_t *before; /* as the Ticket was at first; NULL: not asked for */
	bool asked;     /* the agent was told what is waited for */
	bool done, failed;
};

static void give_up(struct waiter *w)
{
	*w->why = *fault_of(w->f.tp);
	w->done = w->failed = true;
}

static void happened(struct tp *tp, const struct tp_value *result, void *data)
{
	struct waiter *w = data;

	/* What the end of the agent took with it is asked for anew. */
	if (!result && !tp_is_open(tp))
		return;
	if (!result) {
		give_up(w);
		return;
	}
	w->o->answer = json_of(object_of(result));
	w->done = true;
}

static void ask(struct waiter *w, const struct tp_value *since)
{
	struct tp_params *params = tp_params_new();
	char *text;
	size_t len;

	tp_set_text(params, "ticket", w->ticket);
	tp_set_text(params, "until", w->until);
	if (w->f.deadline) {
		int rest = tick_left(w->f.deadline);
		text = xasprintf("%dms", rest ? rest : 1);
		tp_set_text(params, "timeout", text);
		free(text);
	}
	const char *clock = tp_text(since, &len);
	if (clock) {
		text = xstrndup(clock, len);
		tp_set_text(params, "since", text);
		free(text);
	}
	tp_call(w->f.tp, "ticket.wait", params, happened, w);
}

/* What it was before decides whether it changed while no agent could tell. */
static void looked(struct tp *tp, const struct tp_value *result, void *data)
{
	struct waiter *w = data;

	if (!result && !tp_is_open(tp))
		return;
	if (!result) {
		give_up(w);
		return;
	}
	json_t *now = json_of(object_of(tp_get(result, "ticket")));
	bool same = !w->before || json_equal(w->before, now);
	if (!w->before)
		w->before = json_incref(now);
	json_decref(now);
	if (same) {
		ask(w, tp_get(result, "clock"));
		return;
	}
	w->o->answer = json_of(object_of(result));
	json_t *answer = json_pack("{s:s, s:s, s:s, s:b, s:O}", "ticket", w->ticket, "until",
				   w->until, "happened", "changed", "at_once", 0, "clock",
				   json_object_get(w->o->answer, "clock"));
	json_decref(w->o->answer);
	w->o->answer = answer;
	w->done = true;
}

static void begin(struct waiter *w)
{
	struct tp_params *params;

	if (strcmp(w->until, word(&words_wait_for, WAIT_FOR_CHANGE)) != 0) {
		ask(w, NULL);
		return;
	}
	params = tp_params_new();
	tp_set_text(params, "ticket", w->ticket);
	tp_set_text(params, "status", "all");
	tp_call(w->f.tp, "ticket.get", params, looked, w);
}

static enum followed go_on(struct waiter *w)
{
	enum followed how = follower_wait(&w->f);

	if (how == FOLLOWED_ENDED && !w->done) {
		how = follower_return(&w->f);
		if (how == FOLLOWED_NEWS)
			begin(w);
	}
	/* The agent says what is still in the way; it has a moment for that. */
	if (how == FOLLOWED_LATE && tick_now() < w->f.deadline + w->f.args->timeout_ms) {
		tp_wait(w->f.tp, (int)w->f.args->timeout_ms);
		how = FOLLOWED_NEWS;
	}
	return how;
}

static void show(struct page *page, const json_t *answer)
{
	static const char *const texts[] = {
		[HAPPENED_CLEAR] = "may be accepted now",
		[HAPPENED_RESOLVED] = "is resolved",
		[HAPPENED_CHANGED] = "has changed",
		[HAPPENED_REMOVED] = "went",
		[HAPPENED_CLAIMABLE] = "is claimed by nobody",
	};
	int what = word_find(&words_happened, text_of(answer, "happened"));
	struct str title = text_of(answer, "title");

	page_add(page, STYLE_BOLD, text_of(answer, "ticket"));
	if (title.len)
		page_addf(page, STYLE_PLAIN, " \"%.*s\"", STR_ARG(title));
	page_addf(page, STYLE_PLAIN, " %s", what >= 0 ? texts[what] : "has come that far");
	page_line(page);
}

bool waiting_run(const struct args *args, struct outcome *o, struct fault *why)
{
	struct waiter w = { .o = o, .why = why, .ticket = args_text(args, "ticket") };
	const struct rpc_field *f = &command_params(args->command)[1];
	enum followed how = FOLLOWED_NEWS;
	int until;

	bool ok = args_word(f, args_text(args, "until"), &until, why) &&
		  follower_open(&w.f, args, 0, why);
	if (ok) {
		w.until = word(&words_wait_for, until);
		begin(&w);
	}
	while (ok && !w.done && how == FOLLOWED_NEWS)
		how = go_on(&w);
	if (ok && !w.done && how == FOLLOWED_LATE) {
		fault(why, FAULT_TIMED_OUT, "nothing happened in that time, and no agent answers");
		w.failed = true;
	}
	o->kind = "wait";
	o->shape = SHAPE_waited;
	o->told = ok && !w.done && !w.failed;
	if (o->answer && !args->json)
		show(&o->page, o->answer);
	json_decref(w.before);
	follower_release(&w.f);
	return ok && !w.failed;
}
