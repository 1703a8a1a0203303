/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "input.h"
#include "json.h"
#include "session.h"
#include "stamp.h"
#include "wire.h"

/* More than any method has. */
#define PARAMS_MAX 1000

bool request_read_only(void)
{
	const char *value = getenv("TP_READ_ONLY");

	return value && *value && strcmp(value, "0") != 0;
}

/* The first message; `source` is NULL for whom it makes no difference where they stand. */
static void put_hello(struct wire *w, const char *source)
{
	wire_request(w, REQUEST_HELLO, rpc_method(RPC_agent_hello)->name);
	wire_map(w);
	wire_put_str(w, "client", STR("tpctl " PACKAGE_VERSION));
	if (request_read_only())
		wire_put_bool(w, "read_only", true);
	if (source)
		wire_put_str(w, "source", str_of(source));
	wire_end(w);
}

static void say_hello(struct request *r, struct wire *w)
{
	*r = (struct request){ .shape = SHAPE_COUNT };
	wire_init(w, &r->bytes);
	put_hello(w, NULL);
	r->hello = r->bytes.len;
}

void request_stand(struct request *r, const char *source)
{
	struct buf bytes = { 0 };
	struct wire w;

	if (strcmp(source, "main") == 0)
		return;
	wire_init(&w, &bytes);
	put_hello(&w, source);
	size_t hello = bytes.len;
	buf_add(&bytes, r->bytes.at + r->hello, r->bytes.len - r->hello);
	buf_release(&r->bytes);
	r->bytes = bytes;
	r->hello = hello;
}

/* Reads may be sent blindly; what changes something first makes sure of whom it speaks to. */
static void ask(struct request *r, struct wire *w, enum rpc_id id)
{
	const struct rpc_method *method = rpc_method(id);

	r->writes = method->access == RPC_WRITE;
	r->stops = id == RPC_agent_stop;
	r->careful = r->writes || r->stops;
	r->kind = method->kind;
	r->shape = method->returns;
	wire_request(w, REQUEST_ASK, method->name);
}

static bool put_int(struct wire *w, const struct rpc_field *f, const char *text, struct fault *why)
{
	char *end;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || *end || errno || strchr(" \t\n\v\f\r+", *text))
		return fault(why, FAULT_BAD_ARGUMENT, "%s: \"%.60s\" is not an integer", f->name,
			     text);
	wire_int(w, value);
	return true;
}

static bool put_word(struct wire *w, const struct rpc_field *f, const char *text, struct fault *why)
{
	int at;

	if (!args_word(f, text, &at, why))
		return false;
	wire_str(w, str_of(word(f->words, at)));
	return true;
}

static bool put_text(struct wire *w, const struct rpc_field *f, const char *text, struct fault *why)
{
	int64_t value;

	if (f->type == RPC_TIME && !stamp_parse(str_of(text), &value))
		return fault(why, FAULT_BAD_ARGUMENT,
			     "%s: \"%.60s\" is not a time such as 2026-01-31T12:00:00Z", f->name,
			     text);
	if (f->type == RPC_DURATION && !span_parse(str_of(text), &value))
		return fault(why, FAULT_BAD_ARGUMENT,
			     "%s: \"%.60s\" is not a duration such as 30s, 5m or 2h", f->name,
			     text);
	wire_str(w, str_of(text));
	return true;
}

static bool put_one(struct wire *w, const struct rpc_field *f, const char *text, struct fault *why)
{
	switch (f->type) {
	case RPC_STR:
	case RPC_ID:
	case RPC_TIME:
	case RPC_DURATION:
	case RPC_STRS:
		return put_text(w, f, text, why);
	case RPC_INT:
		return put_int(w, f, text, why);
	case RPC_BOOL:
		wire_bool(w, true);
		return true;
	case RPC_ENUM:
	case RPC_ENUMS:
		return put_word(w, f, text, why);
	case RPC_OBJECT:
	case RPC_LIST:
		break;
	}
	bug_at(__FILE__, __LINE__, "a type that no parameter has");
}

/* All that was given for a parameter that may be given repeatedly. */
static bool put_list(struct wire *w, const struct rpc_field *f, const struct args *args,
		     unsigned at, struct fault *why)
{
	wire_list(w);
	for (size_t i = 0; i < args->count; i++)
		if (args->given[i].at == at && !put_one(w, f, args->given[i].text, why))
			return false;
	wire_end(w);
	return true;
}

static bool put_params(struct wire *w, const struct args *args, struct fault *why)
{
	const struct rpc_field *params = rpc_method(args->command->method)->params;

	for (unsigned at = 0; params[at].name; at++) {
		const struct rpc_field *f = &params[at];
		const char *last = args_at(args, at);
		if (!last)
			continue;
		wire_key(w, f->name);
		if (f->type == RPC_ENUMS || f->type == RPC_STRS) {
			if (!put_list(w, f, args, at, why))
				return false;
		} else if (!put_one(w, f, last, why)) {
			return false;
		}
	}
	return true;
}

static bool takes(enum rpc_id id, const char *param)
{
	unsigned at;

	return rpc_field_find(rpc_method(id)->params, str_of(param), &at);
}

/* What was said of a request: on the command line, or in an object. */
struct said {
	const struct args *args;
	const json_t *params;
};

static bool is_said(const struct said *said, const char *param)
{
	return said->args ? args_text(said->args, param) != NULL
			  : json_object_get(said->params, param) != NULL;
}

/* A parameter that the method has and nobody said anything of. */
static bool is_open(enum rpc_id method, const struct said *said, const char *param)
{
	return takes(method, param) && !is_said(said, param);
}

/* Who asks, where the environment says so; else the agent takes the user. */
static void put_session(struct wire *w)
{
	char *session = session_of_environment();

	wire_put_opt(w, "session", str_of(session));
	free(session);
}

/* The claim under which all this happens. */
static bool put_token(struct wire *w, struct fault *why)
{
	const char *token = getenv("TP_CLAIM_TOKEN");
	char *end;

	if (!token || !*token)
		return true;
	errno = 0;
	long long value = strtoll(token, &end, 10);
	if (*end || errno || value <= 0 || *token < '0' || *token > '9')
		return fault(why, FAULT_USAGE, "TP_CLAIM_TOKEN is \"%.60s\", which is no token",
			     token);
	wire_put_int(w, "token", value);
	return true;
}

/*
 * What a request has from its surroundings: who asks; and if it writes, an id that stays
 * the same, made in `made` unless there is one, an author, and the claim it is done under.
 */
static bool put_defaults(struct wire *w, enum rpc_id method, const struct said *said,
			 char made[ULID_LEN + 1], struct fault *why)
{
	const char *who = getenv("TP_AUTHOR");

	if (is_open(method, said, "session"))
		put_session(w);
	if (rpc_method(method)->access != RPC_WRITE)
		return true;
	if (is_open(method, said, "id")) {
		ulid_make(made);
		wire_put_str(w, "id", str_of(made));
	}
	if (who && *who && is_open(method, said, "author"))
		wire_put_str(w, "author", str_of(who));
	return !is_open(method, said, "token") || put_token(w, why);
}

static bool fits(size_t size, struct fault *why)
{
	if (size <= RPC_MESSAGE_MAX)
		return true;
	return fault(why, FAULT_TOO_LARGE, "a request of %zu bytes; at most %d may be sent", size,
		     RPC_MESSAGE_MAX);
}

bool request_make(const struct args *args, struct request *r, struct fault *why)
{
	enum rpc_id method = args->command->method;
	struct wire w;

	say_hello(r, &w);
	ask(r, &w, method);
	wire_map(&w);
	if (!put_params(&w, args, why))
		return false;
	if (!put_defaults(&w, method, &(struct said){ .args = args }, r->id, why))
		return false;
	wire_end(&w);
	return fits(r->bytes.len - r->hello, why);
}

bool request_map(const struct args *args, struct buf *into, struct fault *why)
{
	struct wire w;

	wire_init(&w, into);
	wire_map(&w);
	if (!put_params(&w, args, why))
		return false;
	wire_end(&w);
	return fits(into->len, why);
}

void request_plain(enum rpc_id method, struct request *r)
{
	struct wire w;

	say_hello(r, &w);
	ask(r, &w, method);
	wire_map(&w);
	wire_end(&w);
}

void request_tickets(struct request *r)
{
	struct wire w;

	say_hello(r, &w);
	ask(r, &w, RPC_ticket_list);
	wire_map(&w);
	wire_put_int(&w, "limit", RPC_LIMIT_MAX);
	wire_end(&w);
}

void request_ticket(enum rpc_id method, struct str ticket, struct request *r)
{
	struct wire w;

	say_hello(r, &w);
	ask(r, &w, method);
	wire_map(&w);
	wire_put_str(&w, "ticket", ticket);
	wire_end(&w);
}

void request_greet(struct request *r)
{
	struct wire w;

	say_hello(r, &w);
	r->careful = r->writes = true;
}

static bool put_json(struct wire *w, json_t *params, struct fault *why)
{
	const char *key;
	json_t *value;

	json_object_foreach(params, key, value) {
		wire_key(w, key);
		if (!json_wire(w, value, why))
			return false;
	}
	return true;
}

bool request_message(enum rpc_id method, uint32_t msgid, json_t *params, struct buf *into,
		     struct fault *why)
{
	char made[ULID_LEN + 1];
	size_t before = into->len;
	struct wire w;

	wire_init(&w, into);
	wire_request(&w, msgid, rpc_method(method)->name);
	wire_map(&w);
	bool ok = put_json(&w, params, why) &&
		  put_defaults(&w, method, &(struct said){ .params = params }, made, why);
	if (ok) {
		wire_end(&w);
		ok = fits(into->len - before, why);
	}
	if (!ok)
		into->len = before;
	return ok;
}

/* The object that a text says; NULL with a fault. */
static json_t *read_object(const char *text, struct fault *why)
{
	struct buf input = { 0 };
	json_error_t error;
	json_t *object = NULL;

	if (!text)
		return json_object();
	if (strcmp(text, "-") == 0) {
		if (!input_read(STDIN_FILENO, "standard input", 4 * RPC_MESSAGE_MAX, &input, why))
			goto out;
	} else {
		buf_add_str(&input, str_of(text));
	}
	object = json_loadb(buf_text(&input), input.len, JSON_REJECT_DUPLICATES, &error);
	if (!object) {
		fault(why, FAULT_BAD_ARGUMENT, "params: %s at line %d, column %d", error.text,
		      error.line, error.column);
	} else if (!json_is_object(object)) {
		fault(why, FAULT_BAD_ARGUMENT, "params: not an object");
		json_decref(object);
		object = NULL;
	} else if (json_object_size(object) > PARAMS_MAX) {
		fault(why, FAULT_TOO_LARGE, "params: more than %d parameters", PARAMS_MAX);
		json_decref(object);
		object = NULL;
	}
out:
	buf_release(&input);
	return object;
}

/* What `ask` began, with these parameters. */
static bool finish(struct request *r, struct wire *w, enum rpc_id id, json_t *params,
		   struct fault *why)
{
	wire_map(w);
	if (!put_json(w, params, why))
		return false;
	if (id != RPC_COUNT &&
	    !put_defaults(w, id, &(struct said){ .params = params }, r->id, why))
		return false;
	wire_end(w);
	return fits(r->bytes.len - r->hello, why);
}

bool request_params(enum rpc_id method, json_t *params, struct request *r, struct fault *why)
{
	struct wire w;

	say_hello(r, &w);
	ask(r, &w, method);
	return finish(r, &w, method, params, why);
}

bool request_call(const char *method, const char *json, struct request *r, struct fault *why)
{
	enum rpc_id id = rpc_find(str_of(method));
	struct wire w;

	say_hello(r, &w);
	json_t *params = read_object(json, why);
	if (!params)
		return false;
	if (id != RPC_COUNT) {
		ask(r, &w, id);
	} else {
		/* A newer agent may know it, and it may write. */
		r->careful = true;
		r->kind = method;
		wire_request(&w, REQUEST_ASK, method);
	}
	bool ok = finish(r, &w, id, params, why);
	json_decref(params);
	return ok;
}

void request_release(struct request *r)
{
	buf_release(&r->bytes);
}
