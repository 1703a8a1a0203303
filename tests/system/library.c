/* SPDX-License-Identifier: MIT */
/*
 * library: a program that hosts libticketplan.
 *
 *	library DIR ask METHOD TICKET     the verdict of a Ticket
 *	library DIR follow [COUNT]        ids that change, a line each, also over the agent's end;
 *	                                  ends after so many changes
 *	library DIR listen                the first line that the agent's log gets
 *	library DIR bad                   misuse that has to be refused
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticketplan.h"

static int left = 1, status;

static void print(const char *what, const struct tp_value *text)
{
	size_t len;
	const char *at = tp_text(text, &len);

	printf("%s %.*s\n", what, at ? (int)len : 1, at ? at : "-");
	fflush(stdout);
}

static void fail(const struct tp *tp)
{
	printf("error %s: %s\n", tp_error_code(tp), tp_error(tp));
	fflush(stdout);
	status = 1;
}

static void on_verdict(struct tp *tp, const struct tp_value *result, void *data)
{
	(void)data;
	left = 0;
	if (result)
		print("verdict", tp_get(result, "gate.verdict"));
	else
		fail(tp);
}

static void on_feed(struct tp *tp, int feed, enum tp_news news, const struct tp_value *said,
		    void *data)
{
	const struct tp_value *changed = tp_get(said, "changed");

	(void)feed;
	(void)data;
	if (news == TP_REFUSED) {
		fail(tp);
		left = 0;
		return;
	}
	if (news == TP_SUBSCRIBED)
		printf("subscribed %s\n", tp_truth(tp_get(said, "fresh")) ? "fresh" : "on");
	for (size_t i = 0; i < tp_size(changed); i++)
		print("changed", tp_at(changed, i, NULL));
	fflush(stdout);
	left -= news == TP_CHANGED;
}

/* The loop that anybody has; here it has one thing to wait for. */
static void loop(struct tp *tp, const char *dir)
{
	while (left > 0) {
		struct pollfd p = { .fd = tp_fd(tp), .events = tp_events(tp) };
		poll(&p, 1, -1);
		if (tp_process(tp) == 0)
			continue;
		printf("ended\n");
		while (tp_open(tp, dir, 0, 10000) < 0)
			poll(NULL, 0, 10);
	}
}

static void ask(struct tp *tp, const char *dir, const char *method, const char *ticket)
{
	struct tp_params *params = tp_params_new();

	tp_set_text(params, "ticket", ticket);
	tp_call(tp, method, params, on_verdict, NULL);
	loop(tp, dir);
}

static void follow(struct tp *tp, const char *dir, const char *count)
{
	left = count ? atoi(count) : 1;
	tp_subscribe(tp, NULL, on_feed, NULL);
	loop(tp, dir);
}

static void on_asked(struct tp *tp, const struct tp_value *result, void *data)
{
	(void)data;
	if (!result)
		fail(tp);
	else
		print("listening", NULL);
}

static void on_topic(struct tp *tp, const char *topic, const struct tp_value *said, void *data)
{
	(void)data;
	print(topic, tp_get(said, "lines.0.text"));
	tp_listen(tp, NULL, NULL);
	left = 0;
}

static void listen_in(struct tp *tp, const char *dir)
{
	struct tp_params *params = tp_params_new();

	tp_set_text(params, "follow", "info");
	tp_listen(tp, on_topic, NULL);
	tp_call(tp, "agent.log", params, on_asked, NULL);
	loop(tp, dir);
}

static void expect(const char *what, int is)
{
	printf("%s %s\n", is ? "ok" : "not ok", what);
}

static void nothing(struct tp *tp, const struct tp_value *result, void *data)
{
	(void)tp;
	*(int *)data = result ? 1 : -1;
}

static void misuse(struct tp *tp, const char *dir)
{
	static const char *const texts[] = { "a", "b" };
	struct tp_params *params = tp_params_new();
	char *large = calloc(1, 2 << 20);
	int refused = 0, written = 0;
	size_t len;

	memset(large, 'x', (2 << 20) - 1);
	tp_set_text(params, "ticket", large);
	expect("a request that is too large is refused",
	       tp_call(tp, "ticket.check", params, NULL, NULL) < 0 &&
		       strcmp(tp_error_code(tp), "too_large") == 0);
	free(large);
	expect("a feed that is not there cannot be ended", tp_unsubscribe(tp, 7) < 0);
	params = tp_params_new();
	tp_set_texts(params, "ticket", texts, 2);
	tp_set_truth(params, "verdicts", 1);
	int feed = tp_subscribe(tp, params, on_feed, NULL);
	expect("a feed can be ended before it is there", feed > 0 && tp_unsubscribe(tp, feed) == 0);
	tp_call(tp, "no.such", NULL, nothing, &refused);
	while (!refused)
		tp_wait(tp, -1);
	expect("an unknown method is refused", refused < 0 &&
						       strcmp(tp_error_code(tp), "unknown_method") == 0);
	tp_open(tp, dir, TP_READ_ONLY, 10000);
	params = tp_params_new();
	tp_set_text(params, "ticket", "a");
	tp_set_text(params, "record", "R");
	tp_set_text(params, "message", "m");
	tp_call(tp, "record.retract", params, nothing, &written);
	while (!written)
		tp_wait(tp, -1);
	expect("who only looks writes nothing",
	       written < 0 && strcmp(tp_error_code(tp), "read_only") == 0);
	expect("paths that lead nowhere give nothing",
	       !tp_get(NULL, "a.b") && !tp_text(NULL, &len) && !tp_size(NULL) &&
		       !tp_at(NULL, 0, NULL) && !tp_raw(NULL, &len) && !tp_is(NULL, ""));
	expect("what is not connected says so",
	       tp_open(tp, "/", TP_NO_START, 0) < 0 && tp_fd(tp) < 0 && !tp_is_open(tp) &&
		       tp_process(tp) < 0 && tp_call(tp, "agent.sync", NULL, NULL, NULL) < 0);
}

int main(int argc, char **argv)
{
	struct tp *tp = tp_new();

	if (argc < 3)
		return 2;
	if (tp_open(tp, argv[1], 0, 10000) < 0)
		fail(tp);
	else if (strcmp(argv[2], "ask") == 0 && argc > 4)
		ask(tp, argv[1], argv[3], argv[4]);
	else if (strcmp(argv[2], "follow") == 0)
		follow(tp, argv[1], argc > 3 ? argv[3] : NULL);
	else if (strcmp(argv[2], "listen") == 0)
		listen_in(tp, argv[1]);
	else
		misuse(tp, argv[1]);
	tp_free(tp);
	return status;
}
