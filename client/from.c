/* SPDX-License-Identifier: MIT */
#include "from.h"

#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "call.h"
#include "heard.h"
#include "input.h"
#include "json.h"
#include "out.h"
#include "plain.h"
#include "show.h"
#include "tick.h"

#define FILE_MAX ((size_t)64 * 1024 * 1024)
/* Requests of which the answer is awaited; the agent syncs those of a turn together. */
#define FLIGHT_MAX 64
/* Connections in a row that may end without an answer. */
#define TRIES 3

/* A line that says something. */
struct entry {
	unsigned line;
	bool dated;            /* it says when, which is ignored */
	struct buf request;
	bool ended;
	json_t *answer;        /* ended well */
	struct fault *why;     /* ended badly */
	bool silent;           /* it is told with another line */
};

struct from {
	struct taker taker;
	const struct args *args;
	struct entry *entries;
	size_t count, told, sent, flight;
	size_t stored, known, failed, dated;
	struct request *request;
	struct call *call;
	struct outcome *o;
	struct buf out;
};

/* -- What a line says --------------------------------------------------- */

static bool move_as(json_t *params, const char *name, json_t *value, struct fault *why)
{
	if (json_object_get(params, name))
		return fault(why, FAULT_BAD_ARGUMENT, "says %s twice", name);
	json_object_set(params, name, value);
	return true;
}

/* accepted_plan as it is stored: its fields are parameters, the summary is the message. */
static bool take_plan(json_t *params, json_t *plan, struct fault *why)
{
	const char *key;
	json_t *value;
	unsigned at;

	if (!json_is_object(plan))
		return fault(why, FAULT_BAD_ARGUMENT, "accepted_plan: not an object");
	json_object_foreach(plan, key, value) {
		if (!rpc_field_find(shape(SHAPE_plan)->fields, str_of(key), &at))
			return fault(why, FAULT_BAD_ARGUMENT, "accepted_plan: unknown field %.60s",
				     key);
		if (!move_as(params, strcmp(key, "summary") == 0 ? "message" : key, value, why))
			return false;
	}
	return true;
}

/* until as it is stored, in words. */
static bool take_until(json_t *params, json_t *until, struct fault *why)
{
	struct str ticket = text_of(until, "ticket"), state = text_of(until, "state");
	struct str after = text_of(until, "after"), gate = text_of(until, "gate");
	size_t keys = json_object_size(until);
	char *words = NULL;

	if (json_is_string(until))
		return move_as(params, "until", until, why);
	if (keys == 2 && ticket.len && state.len)
		words = xasprintf("ticket:%.*s=%.*s", STR_ARG(ticket), STR_ARG(state));
	else if (keys == 1 && after.len)
		words = xasprintf("after:%.*s", STR_ARG(after));
	else if (keys == 1 && gate.len)
		words = xasprintf("%.*s", STR_ARG(gate));
	else if (keys == 1 && json_is_integer(json_object_get(until, "free")))
		words = xasprintf("free:%lld", number_of(until, "free"));
	if (!words)
		return fault(why, FAULT_BAD_ARGUMENT,
			     "until: give ticket and state, or after, or gate, or free");
	json_t *text = json_string(words);
	bool ok = move_as(params, "until", text, why);
	json_decref(text);
	free(words);
	return ok;
}

/* What a field of a stored record is called in a request; itself where it is none. */
static const char *param_of(const char *key, const char *kind)
{
	if (strcmp(key, "ticket_id") == 0)
		return "ticket";
	if (strcmp(key, "related_ticket") == 0)
		return "other";
	if (strcmp(key, "retracts") == 0)
		return "record";
	if (strcmp(key, "note") == 0 && strcmp(kind, "accepted_plan") != 0)
		return "message";
	return key;
}

static bool take_field(json_t *params, enum rpc_id method, const char *key, const char *kind,
		       json_t *value, struct fault *why)
{
	const char *name = param_of(key, kind);
	unsigned at;

	if (strcmp(key, "accepted_plan") == 0)
		return take_plan(params, value, why);
	if (strcmp(key, "until") == 0 && method == RPC_record_add)
		return take_until(params, value, why);
	if (!rpc_field_find(rpc_method(method)->params, str_of(name), &at))
		return fault(why, FAULT_BAD_ARGUMENT, "unknown field %.60s", key);
	return move_as(params, name, value, why);
}

/* The parameters of the request that a record makes; NULL with a fault. */
static json_t *params_of(json_t *record, enum rpc_id *method, bool *dated, struct fault *why)
{
	const char *kind = json_string_value(json_object_get(record, "kind")), *key;
	json_t *params = json_object(), *value;
	bool ok = true;

	kind = kind ? kind : "";
	bool retraction = strcmp(kind, word(&words_kind, KIND_RETRACTION)) == 0;
	*method = retraction ? RPC_record_retract : RPC_record_add;
	json_object_foreach(record, key, value) {
		*dated = *dated || strcmp(key, "at") == 0;
		if (strcmp(key, "at") == 0 || (retraction && strcmp(key, "kind") == 0))
			continue;
		ok = take_field(params, *method, key, kind, value, why);
		if (!ok)
			break;
	}
	if (ok)
		return params;
	json_decref(params);
	return NULL;
}

static bool read_line(struct entry *e, struct str line, uint32_t msgid, struct fault *why)
{
	json_error_t error;
	enum rpc_id method;
	json_t *record = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, &error);
	bool ok = false;

	if (!record)
		return fault(why, FAULT_BAD_ARGUMENT, "%s at column %d", error.text, error.column);
	if (!json_is_object(record)) {
		fault(why, FAULT_BAD_ARGUMENT, "not a JSON object");
	} else {
		json_t *params = params_of(record, &method, &e->dated, why);
		ok = params && request_message(method, msgid, params, &e->request, why);
		json_decref(params);
	}
	json_decref(record);
	return ok;
}

static bool is_blank(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!strchr(" \t\r", line.at[i]) || !line.at[i])
			return false;
	return true;
}

static void fail(struct entry *e, const struct fault *why)
{
	e->ended = true;
	e->why = xmalloc(sizeof(*e->why));
	*e->why = *why;
}

static void read_lines(struct from *f, struct str text)
{
	struct fault why;

	for (unsigned number = 1; text.len; number++) {
		const char *end = memchr(text.at, '\n', text.len);
		struct str line = { text.at, end ? (size_t)(end - text.at) : text.len };
		size_t taken = line.len + (end != NULL);
		text.at += taken;
		text.len -= taken;
		if (is_blank(line))
			continue;
		f->entries = xrealloc(f->entries, (f->count + 1) * sizeof(*f->entries));
		struct entry *e = &f->entries[f->count];
		*e = (struct entry){ .line = number };
		if (!read_line(e, line, (uint32_t)(REQUEST_ASK + f->count), &why))
			fail(e, &why);
		f->count++;
	}
}

/* -- What became of it -------------------------------------------------- */

static void tell_json(struct from *f, struct entry *e)
{
	json_t *told = json_object();

	json_object_set_new(told, "line", json_integer(e->line));
	if (e->answer) {
		json_object_update(told, e->answer);
		if (e->dated)
			json_object_set_new(told, "ignored", json_pack("[s]", "at"));
		json_line(&f->out, json_answer(rpc_method(RPC_record_add)->kind, told));
		return;
	}
	json_t *envelope = json_error(e->why);
	json_object_update_missing(envelope, told);
	json_decref(told);
	json_line(&f->out, envelope);
}

static void tell_text(struct from *f, struct entry *e)
{
	struct page *page = &f->o->page;
	struct buf line = { 0 };

	if (e->answer) {
		page_addf(page, STYLE_DIM, "line %u: ", e->line);
		show_answer(page, SHAPE_record_answer, e->answer);
		buf_add(&f->out, page->out.at, page->out.len);
		page->out.len = 0;
		return;
	}
	if (e->silent)
		return;
	buf_addf(&line, "tpctl: line %u: ", e->line);
	plain_add(&line, str_of(e->why->text));
	buf_add_str(&line, STR("\n"));
	out_complain((struct str){ line.at, line.len });
	buf_release(&line);
}

static void tell(struct from *f, struct entry *e)
{
	bool stored = json_is_true(json_object_get(e->answer, "stored"));

	f->stored += e->answer && stored;
	f->known += e->answer && !stored;
	f->failed += !e->answer;
	f->dated += e->answer && e->dated;
	if (!e->answer && !f->o->status)
		f->o->status = fault_exit(e->why->code);
	if (f->args->json)
		tell_json(f, e);
	else
		tell_text(f, e);
	json_decref(e->answer);
	free(e->why);
	e->answer = NULL;
	e->why = NULL;
	buf_release(&e->request);
}

static void flush(struct from *f)
{
	struct fault why;

	if (!out_write((struct str){ f->out.at, f->out.len }, &why) && !f->o->status)
		f->o->status = fault_exit(why.code);
	f->out.len = 0;
}

/* In the order of the lines, as far as they have come. */
static void tell_ended(struct from *f)
{
	for (; f->told < f->count && f->entries[f->told].ended; f->told++)
		tell(f, &f->entries[f->told]);
	flush(f);
}

/* -- Asking ------------------------------------------------------------- */

static void send_more(struct from *f)
{
	for (; f->sent < f->count && f->flight < FLIGHT_MAX; f->sent++) {
		const struct entry *e = &f->entries[f->sent];
		if (e->ended)
			continue;
		buf_add(&f->request->bytes, e->request.at, e->request.len);
		f->flight++;
	}
}

static bool take(struct taker *taker, const struct envelope *answer)
{
	struct from *f = (struct from *)(void *)taker;
	size_t at = answer->msgid - REQUEST_ASK;
	struct fault why;

	if (at < f->count && !f->entries[at].ended) {
		struct entry *e = &f->entries[at];
		e->ended = true;
		if (answer->failed && !fault_heard(&why, "", answer->error))
			fail(e, &why);
		else
			e->answer = json_of(&answer->result);
		f->flight--;
	}
	/* Patience is for each answer; a long file may take its time. */
	f->call->reach.deadline = tick_now() + f->args->timeout_ms;
	tell_ended(f);
	send_more(f);
	return f->told == f->count;
}

/* Over one connection, from the first line that has no answer on. */
static bool ask(struct from *f, const struct place *place, bool *ended, struct fault *why)
{
	struct call call = {
		.reach = { .place = place,
			   .mode = f->args->no_start ? START_NEVER : START_IMPLICIT,
			   .offline = f->args->offline,
			   .deadline = tick_now() + f->args->timeout_ms },
		.taker = &f->taker,
	};
	struct request request;

	request_greet(&request);
	request_stand(&request, place->source);
	f->request = &request;
	f->call = &call;
	f->sent = f->flight = 0;
	send_more(f);
	bool ok = call_many(&call, &request, ended, why);
	call_release(&call);
	request_release(&request);
	return ok;
}

/* Whatever kept one line from an answer kept the rest from it. */
static void give_up(struct from *f, const struct fault *why)
{
	struct entry *first = NULL;
	size_t rest = 0;

	for (size_t i = f->told; i < f->count; i++) {
		struct entry *e = &f->entries[i];
		if (e->ended)
			continue;
		fail(e, why);
		e->silent = first != NULL && !f->args->json;
		first = first ? first : e;
		rest += first != e;
	}
	if (rest && !f->args->json)
		fault(first->why, why->code, "and %zu behind it: %s", rest, why->text);
}

/* Ask again where a connection ended: the ids are the same, so nothing is written twice. */
static void ask_all(struct from *f)
{
	struct fault why;
	struct place place;
	bool ended, ok = place_find(f->args->dir, &place, &why);

	for (int tries = ok ? TRIES : 0; tries && f->told < f->count; tries--) {
		size_t before = f->told;
		ok = ask(f, &place, &ended, &why);
		if (!ended)
			break;
		call_pause();
		if (f->told > before)
			tries = TRIES;
	}
	if (!ok)
		give_up(f, &why);
	tell_ended(f);
	place_release(&place);
}

static void sum_up(struct from *f)
{
	struct page *page = &f->o->page;

	if (f->args->json)
		return;
	page_addf(page, STYLE_DIM, "%zu recorded, %zu known already, %zu failed", f->stored,
		  f->known, f->failed);
	page_line(page);
	buf_add(&f->out, page->out.at, page->out.len);
	page->out.len = 0;
	flush(f);
	if (f->dated) {
		char *note = xasprintf("tpctl: note: `at` of %zu line%s was ignored; a record is "
				       "dated when it is written\n",
				       f->dated, f->dated == 1 ? "" : "s");
		out_complain(str_of(note));
		free(note);
	}
}

bool from_run(const struct args *args, struct outcome *o, struct fault *why)
{
	struct from f = { .taker = { take }, .args = args, .o = o };
	struct buf text = { 0 };

	if (args->count > 1)
		return fault(why, FAULT_USAGE,
			     "--from stands alone: each line says all of its record");
	bool ok = input_read_file(args->dir, args_text(args, "from"), FILE_MAX, &text, why);

	if (ok) {
		o->told = true;
		read_lines(&f, (struct str){ text.at, text.len });
		tell_ended(&f);
		if (f.told < f.count)
			ask_all(&f);
		sum_up(&f);
	}
	for (size_t i = 0; i < f.count; i++)
		buf_release(&f.entries[i].request);
	free(f.entries);
	buf_release(&f.out);
	buf_release(&text);
	return ok;
}
