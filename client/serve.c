/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "json.h"
#include "message.h"
#include "tick.h"

/* The revision that has no sessions, and those that begin with `initialize`, the latest first. */
#define MODERN "2026-07-28"
static const char *const legacy[] = { "2025-11-25", "2025-06-18" };

/* The list of tools changes with the program only. */
#define LIST_TTL_MS (60 * 60 * 1000)

#define META "io.modelcontextprotocol/"

static const char instructions[] =
	"Decisions between the work items (Tickets) of this git repository: what may start now, "
	"what holds it, what was decided. Before you accept a queued Ticket: queue, then check; "
	"why says what would have to happen first. accept checks and records the plan in one step; "
	"a refusal says what holds it, or who was first. Record every order, blocker, conflict, "
	"wait or plan with record when you decide it, never in a task list of your own; retract "
	"what is wrong or over. After your context was compacted, call brief and trust it before "
	"your memory. No tool changes a Ticket's state: do that in its item.md. No absolute paths "
	"in any text.";

struct serve {
	struct way way;
	bool begun; /* `initialize` came: requests without _meta are of the legacy era */
	struct flight *flights[SERVE_FLIGHTS];
	size_t count;
};

/* A request, and where its answer goes. */
struct turn {
	struct serve *serve;
	struct message message;
	bool modern;
	struct buf *out;
};

struct serve *serve_new(const struct way *way)
{
	struct serve *s = xcalloc(1, sizeof(*s));

	s->way = *way;
	return s;
}

static void drop(struct serve *s, size_t at)
{
	flight_free(s->flights[at]);
	s->count--;
	for (; at < s->count; at++)
		s->flights[at] = s->flights[at + 1];
}

void serve_free(struct serve *s)
{
	while (s->count)
		drop(s, s->count - 1);
	free(s);
}

/* -- Results ------------------------------------------------------------ */

static json_t *server_info(void)
{
	return json_pack("{s:s, s:s}", "name", "ticketplan", "version", PACKAGE_VERSION);
}

/* What every result of the modern era carries. */
static json_t *modernize(json_t *result)
{
	json_object_set_new(result, "resultType", json_string("complete"));
	json_object_set_new(result, "_meta", json_pack("{s:o}", META "serverInfo", server_info()));
	return result;
}

static void succeed(struct turn *t, json_t *result)
{
	message_result(t->out, t->message.id, t->modern ? modernize(result) : result);
}

static void fail(struct turn *t, enum message_code code, const char *text)
{
	message_error(t->out, t->message.id, code, text, NULL);
}

static json_t *versions(void)
{
	json_t *list = json_pack("[s]", MODERN);

	for (size_t i = 0; i < COUNT_OF(legacy); i++)
		json_array_append_new(list, json_string(legacy[i]));
	return list;
}

/* How long a client may keep a result. */
static void set_keeping(json_t *result)
{
	json_object_set_new(result, "ttlMs", json_integer(LIST_TTL_MS));
	json_object_set_new(result, "cacheScope", json_string("private"));
}

/* -- The methods -------------------------------------------------------- */

static void do_discover(struct turn *t)
{
	json_t *result = json_pack("{s:o, s:{s:{}}, s:s}", "supportedVersions", versions(),
				   "capabilities", "tools", "instructions", instructions);

	set_keeping(result);
	succeed(t, result);
}

/* The version that was asked for if it is one of that era, else the latest. */
static void do_initialize(struct turn *t)
{
	struct str asked = text_of(t->message.params, "protocolVersion");
	const char *version = legacy[0];

	for (size_t i = 0; i < COUNT_OF(legacy); i++)
		if (str_is(asked, legacy[i]))
			version = legacy[i];
	t->serve->begun = true;
	succeed(t,
		json_pack("{s:s, s:{s:{}}, s:o, s:s}", "protocolVersion", version, "capabilities",
			  "tools", "serverInfo", server_info(), "instructions", instructions));
}

static void do_ping(struct turn *t)
{
	succeed(t, json_object());
}

static void do_list(struct turn *t)
{
	json_t *list = json_array();
	const struct tool *tool;

	if (json_object_get(t->message.params, "cursor")) {
		json_decref(list);
		fail(t, MESSAGE_BAD_PARAMS,
		     "the list of tools has one page: there is no such cursor");
		return;
	}
	for (size_t n = 0; (tool = tool_at(n)); n++)
		if (!tool_writes(tool) || !request_read_only())
			json_array_append_new(list, tool_describe(tool));
	json_t *result = json_pack("{s:o}", "tools", list);
	if (t->modern)
		set_keeping(result);
	succeed(t, result);
}

static void begin(struct turn *t, const struct tool *tool, json_t *arguments)
{
	struct flight *f = flight_new(tool, t->message.id, t->modern);
	struct fault why;

	if (flight_begin(f, &t->serve->way, arguments, &why)) {
		t->serve->flights[t->serve->count++] = f;
		return;
	}
	succeed(t, flight_refusal(&why));
	flight_free(f);
}

static void do_call(struct turn *t)
{
	json_t *params = t->message.params, *arguments = json_object_get(params, "arguments");
	struct str name = text_of(params, "name");
	const struct tool *tool = name.at ? tool_find(name) : NULL;

	if (!name.at) {
		fail(t, MESSAGE_BAD_PARAMS, "tools/call needs the name of a tool");
	} else if (!tool) {
		char *text = xasprintf("there is no tool \"%.*s\"",
				       (int)(name.len > 64 ? 64 : name.len), name.at);
		fail(t, MESSAGE_BAD_PARAMS, text);
		free(text);
	} else if (arguments && !json_is_object(arguments)) {
		fail(t, MESSAGE_BAD_PARAMS, "the arguments of a tool are an object");
	} else {
		arguments = arguments ? json_incref(arguments) : json_object();
		begin(t, tool, arguments);
		json_decref(arguments);
	}
}

/* -- Requests ----------------------------------------------------------- */

enum { OF_MODERN = 1, OF_LEGACY = 2, OF_BOTH = 3 };

static const struct method {
	const char *name;
	int eras;
	bool early; /* of the legacy era, and may come before `initialize` */
	void (*run)(struct turn *t);
} methods[] = {
	{ "initialize", OF_LEGACY, true, do_initialize },
	{ "ping", OF_LEGACY, true, do_ping },
	{ "server/discover", OF_BOTH, false, do_discover },
	{ "tools/list", OF_BOTH, false, do_list },
	{ "tools/call", OF_BOTH, false, do_call },
};

static const struct method *find_method(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (str_is(name, methods[i].name))
			return &methods[i];
	return NULL;
}

/* What the modern era's _meta has to say; false where it was answered with an error. */
static bool check_meta(struct turn *t, json_t *meta)
{
	struct str version = text_of(meta, META "protocolVersion");

	if (!version.at) {
		fail(t, MESSAGE_BAD_PARAMS, "_meta: " META "protocolVersion is no text");
		return false;
	}
	if (!str_is(version, MODERN)) {
		json_t *data = json_pack("{s:o, s:o}", "supported", versions(), "requested",
					 json_of_text(version));
		message_error(t->out, t->message.id, MESSAGE_BAD_VERSION,
			      "Unsupported protocol version", data);
		return false;
	}
	if (!json_is_object(json_object_get(meta, META "clientCapabilities"))) {
		fail(t, MESSAGE_BAD_PARAMS,
		     "_meta: " META "clientCapabilities is missing, or no object");
		return false;
	}
	return true;
}

/* Of which era a request is; false where it is of none and was answered with an error. */
static bool tell_era(struct turn *t, const struct method *method)
{
	json_t *meta = json_object_get(t->message.params, "_meta");

	if (method && method->run == do_initialize)
		return true;
	t->modern = json_object_get(meta, META "protocolVersion") != NULL;
	if (t->modern)
		return check_meta(t, meta);
	if (t->serve->begun || (method && method->early))
		return true;
	fail(t, MESSAGE_BAD_PARAMS,
	     "neither does _meta say " META "protocolVersion, nor did `initialize` come before");
	return false;
}

static void on_request(struct turn *t)
{
	const struct method *method = find_method(t->message.method);

	if (!tell_era(t, method))
		return;
	if (method && method->eras & (t->modern ? OF_MODERN : OF_LEGACY)) {
		method->run(t);
		return;
	}
	struct str name = t->message.method;
	char *text = xasprintf("there is no method \"%.*s\"", (int)(name.len > 64 ? 64 : name.len),
			       name.at);
	fail(t, MESSAGE_NO_METHOD, text);
	free(text);
}

/* Nothing more is sent for a request that was cancelled. */
static void on_cancelled(struct serve *s, json_t *params)
{
	json_t *id = json_object_get(params, "requestId");

	for (size_t i = s->count; i-- > 0;)
		if (json_equal(s->flights[i]->id, id))
			drop(s, i);
}

void serve_line(struct serve *s, struct str line, struct buf *out)
{
	struct turn t = { .serve = s, .out = out };
	struct message *m = &t.message;

	message_read(line, m);
	if (m->kind == MESSAGE_REQUEST)
		on_request(&t);
	else if (m->kind == MESSAGE_NOTIFICATION && str_is(m->method, "notifications/cancelled"))
		on_cancelled(s, m->params);
	else if (m->kind == MESSAGE_BAD)
		message_error(out, m->id, m->code, m->what, NULL);
	message_release(m);
}

void serve_too_long(struct buf *out)
{
	message_error(out, NULL, MESSAGE_INVALID, "a message has at most 4 MiB", NULL);
}

/* -- Tools that are under way ------------------------------------------- */

bool serve_full(const struct serve *s)
{
	return s->count == SERVE_FLIGHTS;
}

bool serve_idle(const struct serve *s)
{
	return !s->count;
}

size_t serve_ends(const struct serve *s, struct pollfd *ends, int *wait_ms)
{
	size_t n = 0;

	*wait_ms = -1;
	for (size_t i = 0; i < s->count; i++) {
		int left = tick_left(s->flights[i]->call.reach.deadline);
		if (*wait_ms < 0 || left < *wait_ms)
			*wait_ms = left;
		n += call_ends(&s->flights[i]->asking, ends + n);
	}
	return n;
}

void serve_go_on(struct serve *s, struct buf *out)
{
	for (size_t i = 0; i < s->count;) {
		struct flight *f = s->flights[i];
		json_t *result;
		if (flight_go_on(f, &result) == TALK_MORE) {
			i++;
			continue;
		}
		message_result(out, f->id, f->modern ? modernize(result) : result);
		drop(s, i);
	}
}
