/* SPDX-License-Identifier: MIT */
#include "watching.h"

#include <stdlib.h>
#include <time.h>

#include "base.h"
#include "json.h"
#include "out.h"
#include "stamp.h"
#include "value.h"

struct trail {
	struct follower f;
	struct outcome *o;
	struct fault *why;
	const char *set; /* the level that the agent shall write from now on, or NULL */
	int level;       /* what is shown */
	bool json, follow, events;
	int64_t last; /* when the last line was said that came */
	bool gone;    /* it was said that the agent has ended */
	bool done, failed;
};

static void say(struct trail *t)
{
	if (!t->failed && !out_page(&t->o->page.out, t->why))
		t->done = t->failed = true;
}

static void say_json(struct trail *t, const char *kind, json_t *answer)
{
	json_line(&t->o->page.out, json_answer(kind, answer));
	say(t);
}

/* -- What is shown ------------------------------------------------------- */

static int64_t time_of(const json_t *one)
{
	int64_t at = 0;

	stamp_parse(text_of(one, "at"), &at);
	return at;
}

/* Leave out those that are too fine, or were there before: up to a time. */
static void sift(struct trail *t, json_t *lines, int64_t before)
{
	for (size_t i = 0; i < json_array_size(lines);) {
		const json_t *line = json_array_get(lines, i);
		int64_t at = time_of(line);
		t->last = at > t->last ? at : t->last;
		/* A level of a newer agent is shown as it is. */
		if (at > before && word_find(&words_log_level, text_of(line, "level")) <= t->level)
			i++;
		else
			json_array_remove(lines, i);
	}
}

static void begin_line(struct page *page, int64_t at, enum style style, struct str what)
{
	char text[32];
	time_t seconds = (time_t)(at / 1000000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	page_add(page, STYLE_DIM, str_of(text));
	page_addf(page, STYLE_PLAIN, "  ");
	page_add(page, style, what);
	page_addf(page, STYLE_PLAIN, "%*s", what.len < 5 ? 7 - (int)what.len : 2, "");
}

static void show_line(struct page *page, const json_t *line)
{
	struct str level = text_of(line, "level");
	enum style style = str_is(level, "error")   ? STYLE_RED
			   : str_is(level, "debug") ? STYLE_DIM
						    : STYLE_PLAIN;

	begin_line(page, time_of(line), style, level);
	page_add(page, style, text_of(line, "text"));
	page_line(page);
}

static void show_event(struct page *page, const json_t *event)
{
	struct str name = text_of(event, "name");

	begin_line(page, time_of(event), STYLE_CYAN, STR("event"));
	page_add(page, STYLE_PLAIN, text_of(event, "what"));
	page_addf(page, STYLE_PLAIN, " %.*s%s%.*s", STR_ARG(text_of(event, "folder")),
		  name.len ? "/" : "", STR_ARG(name));
	page_line(page);
}

/* Both are in order; so is what becomes of them. */
static void show_all(struct page *page, const json_t *lines, const json_t *events)
{
	size_t i = 0, k = 0;

	while (i < json_array_size(lines) || k < json_array_size(events)) {
		const json_t *line = json_array_get(lines, i), *event = json_array_get(events, k);
		if (!event || (line && time_of(line) <= time_of(event))) {
			show_line(page, line);
			i++;
		} else {
			show_event(page, event);
			k++;
		}
	}
}

/* -- What is heard ------------------------------------------------------- */

static void answered(struct tp *tp, const struct tp_value *result, void *data)
{
	struct trail *t = data;

	/* What the end of the agent took with it is asked for anew. */
	if (!result && !tp_is_open(tp))
		return;
	if (!result) {
		*t->why = *fault_of(tp);
		t->done = t->failed = true;
		return;
	}
	json_t *answer = json_of(object_of(result));
	/* An agent that only lost the connection says again what it said. */
	sift(t, json_object_get(answer, "lines"), t->last);
	if (!t->events)
		json_object_del(answer, "events");
	t->gone = false;
	t->done = !t->follow;
	if (t->json) {
		say_json(t, "agent_log", answer);
		return;
	}
	show_all(&t->o->page, json_object_get(answer, "lines"), json_object_get(answer, "events"));
	json_decref(answer);
	say(t);
}

static void told(struct tp *tp, const char *topic, const struct tp_value *said, void *data)
{
	struct trail *t = data;

	(void)tp;
	if (t->done || strcmp(topic, rpc_topic(TOPIC_agent_logged)->name) != 0)
		return;
	json_t *news = json_of(object_of(said)), *lines = json_object_get(news, "lines");
	long long missed = number_of(news, "missed");
	sift(t, lines, 0);
	if (t->json) {
		say_json(t, "logged", news);
		return;
	}
	if (missed)
		page_addf(&t->o->page, STYLE_YELLOW, "%lld lines were not taken in time", missed);
	if (missed)
		page_line(&t->o->page);
	show_all(&t->o->page, lines, NULL);
	json_decref(news);
	say(t);
}

/* -- All ----------------------------------------------------------------- */

static void ask(struct trail *t)
{
	struct tp_params *params = tp_params_new();

	if (t->set)
		tp_set_text(params, "level", t->set);
	if (t->follow)
		tp_set_text(params, "follow", word(&words_log_level, t->level));
	tp_call(t->f.tp, rpc_method(RPC_agent_log)->name, params, answered, t);
}

static enum followed come_back(struct trail *t)
{
	struct str reason = str_of(tp_error(t->f.tp));

	if (!t->gone && t->json) {
		say_json(t, "disconnected", json_pack("{s:o}", "reason", json_of_text(reason)));
	} else if (!t->gone) {
		page_add(&t->o->page, STYLE_YELLOW, reason);
		page_line(&t->o->page);
		say(t);
	}
	t->gone = true;
	enum followed how = follower_return(&t->f);
	if (how == FOLLOWED_NEWS)
		ask(t);
	return how;
}

static bool read_args(struct trail *t, const struct args *args, struct fault *why)
{
	const struct rpc_field *params = command_params(args->command);
	const char *level = args_text(args, "level"), *set = args_text(args, "set_level");
	unsigned at;
	int to = 0;

	t->level = LOG_LEVEL_INFO;
	t->follow = args_text(args, "follow");
	t->events = args_text(args, "events");
	t->json = args->json;
	if (args->offline)
		return fault(why, FAULT_USAGE, "--offline asks no agent, and so there is no log");
	if (level && !args_word(rpc_field_find(params, STR("level"), &at), level, &t->level, why))
		return false;
	if (set && !args_word(rpc_field_find(params, STR("set_level"), &at), set, &to, why))
		return false;
	t->set = set ? word(&words_log_level, to) : NULL;
	return true;
}

bool trail_run(const struct args *args, struct outcome *o, struct fault *why)
{
	struct trail t = { .o = o, .why = why };
	enum followed how = FOLLOWED_NEWS;

	/* An agent that is started to be asked has nothing to tell. */
	bool ok = read_args(&t, args, why) && follower_open(&t.f, args, TP_NO_START, why);
	if (ok) {
		tp_listen(t.f.tp, told, &t);
		ask(&t);
	}
	while (ok && !t.done && (how == FOLLOWED_NEWS || how == FOLLOWED_ENDED))
		how = how == FOLLOWED_ENDED ? come_back(&t) : follower_wait(&t.f);
	follower_release(&t.f);
	o->told = true;
	return ok && !t.failed;
}
