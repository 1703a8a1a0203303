/* SPDX-License-Identifier: MIT */
#include "watching.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "json.h"
#include "out.h"
#include "stamp.h"
#include "tick.h"
#include "value.h"

/* Pauses between looks for an agent that has ended, and was not to be started anew. */
#define PAUSE_MIN_MS 20
#define PAUSE_MAX_MS 1000

/* -- A connection that comes back ---------------------------------------- */

static int64_t patience(const struct follower *f)
{
	return f->args->timeout_ms > INT_MAX ? INT_MAX : f->args->timeout_ms;
}

bool follower_open(struct follower *f, const struct args *args, unsigned flags, struct fault *why)
{
	const char *timeout = args_text(args, "timeout");
	int64_t span = 0;

	*f = (struct follower){ .args = args, .tp = tp_new() };
	f->flags = flags | (args->no_start ? TP_NO_START : 0) |
		   (request_read_only() ? TP_READ_ONLY : 0);
	if (args->offline)
		return fault(why, FAULT_USAGE,
			     "--offline reads once; to be told of changes takes the agent");
	if (timeout && !span_parse(str_of(timeout), &span))
		return fault(why, FAULT_BAD_ARGUMENT,
			     "timeout: \"%.60s\" is not a duration such as 500ms, 30s or 5m",
			     timeout);
	f->deadline = timeout ? tick_now() + span : 0;
	if (tp_open(f->tp, args->dir, f->flags, (int)patience(f)) < 0) {
		*why = *fault_of(f->tp);
		return false;
	}
	return true;
}

static int left(const struct follower *f)
{
	if (!f->deadline)
		return -1;
	return f->patient ? (int)patience(f) : tick_left(f->deadline);
}

/* Nothing is asked of the output, so that only its end is told. */
static bool nobody_reads(int timeout_ms, int fd, short events)
{
	struct pollfd ends[2] = { { .fd = STDOUT_FILENO }, { .fd = fd, .events = events } };

	poll(ends, fd >= 0 ? 2 : 1, timeout_ms);
	return ends[0].revents & (POLLERR | POLLHUP);
}

enum followed follower_wait(struct follower *f)
{
	int rest = left(f);

	if (nobody_reads(rest, tp_fd(f->tp), tp_events(f->tp)))
		return FOLLOWED_NOBODY;
	int told = tp_wait(f->tp, 0);
	if (told < 0)
		return FOLLOWED_ENDED;
	return !told && !f->patient && f->deadline && !left(f) ? FOLLOWED_LATE : FOLLOWED_NEWS;
}

enum followed follower_return(struct follower *f)
{
	int pause = PAUSE_MIN_MS;

	/* The sockets of a dying process do not close all at once. */
	if (nobody_reads(pause, -1, 0))
		return FOLLOWED_NOBODY;
	while (tp_open(f->tp, f->args->dir, f->flags, (int)patience(f)) < 0) {
		int rest = left(f);
		if (!rest)
			return FOLLOWED_LATE;
		if (nobody_reads(rest > 0 && rest < pause ? rest : pause, -1, 0))
			return FOLLOWED_NOBODY;
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
	return FOLLOWED_NEWS;
}

void follower_release(struct follower *f)
{
	tp_free(f->tp);
}

/* -- tpctl watch ---------------------------------------------------------- */

struct watcher {
	struct follower f;
	struct outcome *o;
	struct fault *why;
	bool json, once;
	bool again; /* it was told before */
	bool gone;  /* it was said that the agent has ended */
	bool done, failed;
};

static void say(struct watcher *w)
{
	if (!w->failed && !out_page(&w->o->page.out, w->why))
		w->done = w->failed = true;
}

/* A line for programs; takes the object over. */
static void say_json(struct watcher *w, const char *kind, json_t *answer)
{
	json_line(&w->o->page.out, json_answer(kind, answer));
	say(w);
}

/* A line for people: the time, what it is about, what there is to say. */
static void say_text(struct watcher *w, enum style style, struct str name, struct str text)
{
	struct page *page = &w->o->page;
	char at[16];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(at, sizeof(at), "%H:%M:%S", &tm);
	page_add(page, STYLE_DIM, str_of(at));
	page_addf(page, STYLE_PLAIN, "  ");
	if (name.len) {
		page_add(page, STYLE_BOLD, name);
		page_addf(page, STYLE_PLAIN, "  ");
	}
	page_add(page, style, text);
	page_line(page);
	say(w);
}

static bool lists(const json_t *list, struct str name)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) if (str_is(name, json_string_value(one))) return true;
	return false;
}

static void say_names(struct watcher *w, const json_t *list, const json_t *but, enum style style,
		      const char *text)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		struct str name = { json_string_value(one), json_string_length(one) };
		if (!but || !lists(but, name))
			say_text(w, style, name, str_of(text));
	}
}

static const char lost_count[] = "it is not known what changed before; look again";

static void say_claims(struct watcher *w, const json_t *change)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(change, "ended"), i, one)
	{
		char *text =
			xasprintf("the claim of %.*s ended: %.*s", STR_ARG(text_of(one, "session")),
				  STR_ARG(text_of(one, "ending")));
		say_text(w, STYLE_CYAN, text_of(one, "ticket"), str_of(text));
		free(text);
	}
	json_array_foreach(json_object_get(change, "claims"), i, one)
	{
		char *text = xasprintf("claimed by %.*s", STR_ARG(text_of(one, "session")));
		say_text(w, STYLE_CYAN, text_of(one, "ticket"), str_of(text));
		free(text);
	}
}

static void say_change(struct watcher *w, const json_t *change)
{
	const json_t *woken = json_object_get(change, "woken");
	json_t *problem;
	size_t i;

	if (json_is_true(json_object_get(change, "fresh")))
		say_text(w, STYLE_YELLOW, STR_NONE, str_of(lost_count));
	say_names(w, json_object_get(change, "changed"), woken, STYLE_PLAIN, "changed");
	say_names(w, woken, NULL, STYLE_GREEN, "may be accepted now");
	say_names(w, json_object_get(change, "removed"), NULL, STYLE_PLAIN, "went");
	json_array_foreach(json_object_get(change, "problems"), i, problem)
		say_text(w, STYLE_RED, text_of(problem, "ticket"), text_of(problem, "text"));
	say_claims(w, change);
}

static void say_there(struct watcher *w, const json_t *answer)
{
	bool fresh = json_is_true(json_object_get(answer, "fresh"));

	say_text(w, STYLE_DIM, STR_NONE, w->again ? STR("the agent is back") : STR("watching"));
	if (fresh)
		say_text(w, STYLE_YELLOW, STR_NONE, str_of(lost_count));
	say_names(w, json_object_get(answer, "unknown"), NULL, STYLE_YELLOW, "is not there yet");
}

static void take_there(struct watcher *w, json_t *answer)
{
	bool fresh = json_is_true(json_object_get(answer, "fresh"));

	if (w->json) {
		json_object_del(answer, "feed");
		json_object_set(answer, "clock", json_object_get(answer, "from"));
		json_object_del(answer, "from");
		json_object_set_new(answer, "version", json_string(PACKAGE_VERSION));
		say_json(w, w->again ? "reconnected" : "watch", json_incref(answer));
	} else {
		say_there(w, answer);
	}
	w->again = true;
	w->gone = false;
	w->done |= w->once && fresh;
}

static void take_change(struct watcher *w, json_t *change)
{
	if (w->json) {
		json_object_del(change, "feed");
		json_object_set(change, "clock", json_object_get(change, "to"));
		json_object_del(change, "to");
		say_json(w, "change", json_incref(change));
	} else {
		say_change(w, change);
	}
	w->done |= w->once;
}

/* Whatever had changed has been told. */
static void synced(struct tp *tp, const struct tp_value *result, void *data)
{
	struct watcher *w = data;

	(void)tp;
	(void)result;
	w->f.patient = false;
}

static void told(struct tp *tp, int feed, enum tp_news news, const struct tp_value *said,
		 void *data)
{
	struct watcher *w = data;

	(void)feed;
	if (w->done)
		return;
	if (news == TP_REFUSED) {
		*w->why = *fault_of(tp);
		w->done = w->failed = true;
		return;
	}
	json_t *answer = json_of(object_of(said));
	if (news == TP_CHANGED) {
		take_change(w, answer);
	} else {
		take_there(w, answer);
		tp_call(tp, "agent.sync", NULL, synced, w);
	}
	json_decref(answer);
}

static enum followed come_back(struct watcher *w)
{
	struct str reason = str_of(tp_error(w->f.tp));

	/* One that is dying may take a connection and drop it. */
	if (!w->gone && w->json)
		say_json(w, "disconnected", json_pack("{s:o}", "reason", json_of_text(reason)));
	else if (!w->gone)
		say_text(w, STYLE_YELLOW, STR_NONE, reason);
	w->gone = true;
	return follower_return(&w->f);
}

/* *late: the time was up before there was anything to tell. */
static void watch(struct watcher *w)
{
	enum followed how = FOLLOWED_NEWS;

	while (!w->done && (how == FOLLOWED_NEWS || how == FOLLOWED_ENDED))
		how = how == FOLLOWED_ENDED ? come_back(w) : follower_wait(&w->f);
	if (how == FOLLOWED_LATE && w->once && !w->done) {
		fault(w->why, FAULT_TIMED_OUT, "nothing changed in that time");
		w->failed = true;
	}
}

bool watching_run(const struct args *args, struct outcome *o, struct fault *why)
{
	struct watcher w = { .o = o,
			     .why = why,
			     .once = args_text(args, "once"),
			     .json = args->json || !isatty(STDOUT_FILENO) };
	struct buf map = { 0 };

	bool ok = request_map(args, &map, why) && follower_open(&w.f, args, 0, why);
	if (ok) {
		w.f.patient = true;
		tp_subscribe(w.f.tp, params_of((struct str){ map.at, map.len }), told, &w);
		watch(&w);
	}
	follower_release(&w.f);
	buf_release(&map);
	o->told = true;
	return ok && !w.failed;
}
