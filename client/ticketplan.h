/* SPDX-License-Identifier: MIT */
#ifndef TICKETPLAN_H
#define TICKETPLAN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * libticketplan: ask the agent of a repository about its Tickets, and be told
 * when they change.
 *
 * The library has no thread, no timer and no loop of its own.  It has one
 * descriptor, which you poll in the loop that you have, and one function,
 * tp_process, which you call when that is ready; it never waits, and everything
 * you are told comes from within it.  In the whole:
 *
 *	struct tp *tp = tp_new();
 *	if (tp_open(tp, NULL, 0, 10000) < 0)
 *		errx(1, "%s", tp_error(tp));
 *	tp_subscribe(tp, NULL, on_change, NULL);
 *	for (;;) {
 *		struct pollfd p = { .fd = tp_fd(tp), .events = tp_events(tp) };
 *		poll(&p, 1, -1);
 *		if (tp_process(tp) < 0)
 *			... the agent has ended: tp_open again, and feeds go on ...
 *	}
 *
 * What methods there are, what each takes and answers, and what a notification
 * says, stands in ticketplan-protocol(7), and `tpctl call agent.describe` prints the same
 * of the agent that runs.  Parameters and answers are maps; names in both that a
 * version does not know are ignored, so that old and new go together.
 *
 * No struct is passed by value or laid open, none is varargs.  Functions that
 * fail return -1 (or NULL, where they return a pointer) and leave the reason in
 * tp_error.  Out of memory ends the program.  One struct tp belongs to one
 * thread at a time; several are independent of one another.  Text is UTF-8.
 */

/* A connection to the agent of one repository, or the wish for one. */
struct tp;

struct tp *tp_new(void);
/* Closes it; nobody is called any more.  NULL is fine. */
void tp_free(struct tp *tp);

/* For tp_open. */
#define TP_NO_START  1u /* do not start an agent where none runs */
#define TP_READ_ONLY 2u /* have every writing method refused on this connection */

/*
 * Connect to the agent of the repository that holds `dir` (NULL: the working
 * directory), and start one where none runs.  Waits for that at most so many
 * milliseconds, and only where one has to be started; what follows never waits.
 * Closes the connection there was.  Feeds are subscribed again, and go on where
 * they were; calls that were not answered are not asked again.  An agent that is
 * dying may take the connection and drop it: then that ends, too.
 */
int tp_open(struct tp *tp, const char *dir, unsigned flags, int timeout_ms);
int tp_is_open(const struct tp *tp);

/* The descriptor, -1 where there is none, and what to poll(2) it for; ask anew before each. */
int tp_fd(const struct tp *tp);
short tp_events(const struct tp *tp);

/*
 * Send and receive what can be, and call back.  0; or -1 where the connection
 * has ended: calls that were not answered have been told so.  You may call any
 * function on `tp` from within a callback but tp_open, tp_process, tp_wait and
 * tp_free.
 */
int tp_process(struct tp *tp);
/*
 * For programs without a loop: poll for at most so many milliseconds (-1: as
 * long as it takes), then tp_process.  1: something happened, 0: nothing did.
 */
int tp_wait(struct tp *tp, int timeout_ms);

/*
 * Why the last call failed, for people, and by code: one of those that
 * ticketplan-protocol(7) lists, such as "not_found" or "no_agent".  Never NULL.
 */
const char *tp_error(const struct tp *tp);
const char *tp_error_code(const struct tp *tp);

/* -- Parameters ---------------------------------------------------------- */

/* A map that is being made.  Names are those of the method's table. */
struct tp_params;

struct tp_params *tp_params_new(void);
/* Only for one that was not handed over.  NULL is fine. */
void tp_params_free(struct tp_params *params);
void tp_set_text(struct tp_params *params, const char *name, const char *text);
void tp_set_number(struct tp_params *params, const char *name, int64_t number);
void tp_set_truth(struct tp_params *params, const char *name, int truth);
/* A list of text, such as Ticket ids or words. */
void tp_set_texts(struct tp_params *params, const char *name, const char *const *texts,
		  size_t count);
/* One whole value that is MessagePack already. */
void tp_set_raw(struct tp_params *params, const char *name, const void *bytes, size_t len);

/* -- Answers ------------------------------------------------------------- */

/* A value of an answer, valid until the callback that got it returns. */
struct tp_value;

/*
 * What stands at a path of keys and numbers of elements: "gate.verdict",
 * "tickets.0.id".  NULL where there is nothing, as for NULL itself: paths may be
 * asked for without looking first.
 */
const struct tp_value *tp_get(const struct tp_value *value, const char *path);
/* Text, not terminated, with its length in *len; NULL where it is none. */
const char *tp_text(const struct tp_value *value, size_t *len);
/* Whether it is this very text. */
int tp_is(const struct tp_value *value, const char *text);
/* 0 where it is no number; no truth is false. */
int64_t tp_number(const struct tp_value *value);
int tp_truth(const struct tp_value *value);
/* How many elements or pairs it has; 0 where it is neither list nor map. */
size_t tp_size(const struct tp_value *value);
/*
 * The element of a list, or the value of a pair of a map, with its key in *key if that is asked
 * for.
 */
const struct tp_value *tp_at(const struct tp_value *value, size_t at, const struct tp_value **key);
/* The whole value as MessagePack; free(3) it. */
void *tp_raw(const struct tp_value *value, size_t *len);

/* -- Calls --------------------------------------------------------------- */

/*
 * An answer, or what kept it from coming: then `result` is NULL, and tp_error
 * and tp_error_code say why.
 */
typedef void tp_reply(struct tp *tp, const struct tp_value *result, void *data);

/*
 * Ask.  The parameters (NULL: none) are handed over.  Answers come in the order
 * of the calls, but for ticket.wait, which is answered when what is waited for
 * has happened.  What changes anything is sent once it is certain that the agent
 * is that of the repository.  `reply` may be NULL.
 */
int tp_call(struct tp *tp, const char *method, struct tp_params *params, tp_reply *reply,
	    void *data);

/* -- Feeds --------------------------------------------------------------- */

enum tp_news {
	TP_SUBSCRIBED, /* `said` is the answer of feed.subscribe: from, fresh, unknown, clock */
	TP_CHANGED, /* `said` is what feed.changed carries: from, to, fresh, changed, removed … */
	TP_REFUSED, /* `said` is NULL, tp_error says why; the feed is no more */
};

/*
 * Told first that the feed is there, then of changes, and again that it is there
 * whenever tp_open made a new connection.  Where `fresh` is true it is not known
 * what changed: read anew whatever you keep.
 */
typedef void tp_feed(struct tp *tp, int feed, enum tp_news news, const struct tp_value *said,
		     void *data);

/*
 * The parameters of feed.subscribe (NULL: everything, from now on) are handed over.  A number above
 * 0.
 */
int tp_subscribe(struct tp *tp, struct tp_params *params, tp_feed *told, void *data);
/* It is told nothing any more, not even that. */
int tp_unsubscribe(struct tp *tp, int feed);

/* -- Whatever else is told ----------------------------------------------- */

/* `said` is what a notification of this topic carries, such as "agent.logged". */
typedef void tp_topic(struct tp *tp, const char *topic, const struct tp_value *said, void *data);

/*
 * Hear what the agent says without being asked, but for what belongs to feeds.
 * Calls ask for that, agent.log for one, and ask for it on their connection
 * only: make them anew after tp_open.  One function at a time; NULL: none.
 */
void tp_listen(struct tp *tp, tp_topic *told, void *data);

#ifdef __cplusplus
}
#endif

#endif
