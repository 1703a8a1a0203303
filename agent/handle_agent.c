/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"
#include "describe.h"
#include "dispatch.h"
#include "log.h"
#include "place.h"

/* The agent itself. */

/* What is no method but can be relied on. */
static const char *const features[] = { "records-as-files", "several-sources" };

static bool has_capability(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(features); i++)
		if (str_is(name, features[i]))
			return true;
	return rpc_find(name) != RPC_COUNT;
}

static void put_capabilities(struct call *call)
{
	wire_key(&call->out, "capabilities");
	wire_list(&call->out);
	for (enum rpc_id id = 0; id < RPC_COUNT; id++)
		wire_str(&call->out, str_of(rpc_method(id)->name));
	for (size_t i = 0; i < COUNT_OF(features); i++)
		wire_str(&call->out, str_of(features[i]));
	wire_end(&call->out);
}

/* As much of it as there is room, and no half of a character. */
static void keep_name(char into[CLIENT_NAME_MAX], struct str name)
{
	size_t len = name.len < CLIENT_NAME_MAX ? name.len : CLIENT_NAME_MAX - 1;

	while (len < name.len && len && (name.at[len] & 0xc0) == 0x80)
		len--;
	if (len)
		memcpy(into, name.at, len);
	into[len] = '\0';
}

bool handle_agent_hello(struct call *call, const struct agent_hello_params *p, struct fault *why)
{
	const struct place *place = call->service->place;
	struct wire *w = &call->out;

	for (size_t i = 0; i < p->want.count; i++)
		if (!has_capability(p->want.at[i]))
			return fault(why, FAULT_BAD_ARGUMENT,
				     "this agent (%s) cannot do \"%.*s\"; restart it: tpctl stop, "
				     "tpctl start",
				     PACKAGE_VERSION,
				     (int)(p->want.at[i].len > 64 ? 64 : p->want.at[i].len),
				     p->want.at[i].at);
	*call->read_only |= p->read_only;
	keep_name(call->client, p->client);
	if (p->source.len < sizeof(((struct caller *)0)->stands))
		snprintf(call->stands, sizeof(((struct caller *)0)->stands), "%.*s",
			 STR_ARG(p->source));
	wire_put_str(w, "version", STR(PACKAGE_VERSION));
	put_capabilities(call);
	wire_put_str(w, "common", str_of(place->common));
	wire_put_int(w, "common_dev", (int64_t)place->dev);
	wire_put_int(w, "common_ino", (int64_t)place->ino);
	wire_put_bool(w, "read_only", *call->read_only || call->service->read_only);
	wire_put_int(w, "message_max", RPC_MESSAGE_MAX);
	return true;
}

static void put_sources(struct call *call)
{
	struct wire *w = &call->out;

	wire_key(w, "sources");
	wire_list(w);
	for (int i = -1; (i = index_source_next(call->ix, UINT64_MAX, i)) >= 0;) {
		const struct source *s = index_source(call->ix, i);
		wire_map(w);
		wire_put_str(w, "name", str_of(s->name));
		wire_put_str(w, "path", str_of(s->top));
		if (s->root[0])
			wire_put_str(w, "root", str_of(s->root));
		wire_put_bool(w, "authority", s->authority);
		wire_end(w);
	}
	wire_end(w);
}

static void put_keeping(struct call *call, const struct keeping *k)
{
	struct wire *w = &call->out;

	wire_put_int(w, "watches", (int64_t)k->watches);
	wire_put_int(w, "unwatched", (int64_t)k->unwatched);
	wire_put_int(w, "watch_limit", (int64_t)call->service->watch_limit(call->service->agent));
	wire_put_int(w, "drains", (int64_t)k->drains);
	wire_put_int(w, "walks", (int64_t)k->walks);
	wire_put_int(w, "events", (int64_t)k->events);
	wire_put_int(w, "overflows", (int64_t)k->overflows);
	wire_put_int(w, "rescans", (int64_t)k->rescans);
}

static void put_rescans(struct call *call)
{
	struct wire *w = &call->out;
	size_t count;
	struct noted *list = call->service->rescans(call->service->agent, &call->arena, &count);

	wire_key(w, "rescanned");
	wire_list(w);
	for (size_t i = 0; i < count; i++) {
		wire_map(w);
		wire_put_time(w, "at", list[i].at);
		wire_put_str(w, "root", list[i].place);
		wire_put_str(w, "why", list[i].what);
		wire_end(w);
	}
	wire_end(w);
}

static void put_peers(struct call *call)
{
	struct wire *w = &call->out;
	size_t count;
	struct peer *list = call->service->peers(call->service->agent, &call->arena, &count);

	wire_key(w, "connections");
	wire_list(w);
	for (size_t i = 0; i < count; i++) {
		wire_map(w);
		if (list[i].pid)
			wire_put_int(w, "process", list[i].pid);
		wire_put_opt(w, "program", list[i].program);
		wire_put_opt(w, "client", list[i].client);
		wire_put_int(w, "calls", (int64_t)list[i].calls);
		wire_put_int(w, "unsent", (int64_t)list[i].unsent);
		wire_put_bool(w, "waits", list[i].waits);
		wire_end(w);
	}
	wire_end(w);
}

bool handle_agent_status(struct call *call, const struct agent_status_params *p, struct fault *why)
{
	struct service *s = call->service;
	struct wire *w = &call->out;
	struct keeping keeping = { 0 };

	(void)p;
	(void)why;
	s->keeping(s->agent, &keeping);
	wire_put_str(w, "version", STR(PACKAGE_VERSION));
	wire_put_int(w, "pid", getpid());
	wire_put_time(w, "started_at", s->started_at);
	wire_put_str(w, "repository", str_of(s->place->common));
	wire_put_str(w, "socket", str_of(s->place->socket));
	wire_put_str(w, "state", str_of(s->place->state));
	wire_put_str(w, "mode", str_of(word(&words_mode, (int)keeping.mode)));
	answer_strs(call, "reasons", keeping.reasons, keeping.reason_count);
	wire_put_bool(w, "read_only", s->read_only);
	wire_put_opt(w, "store", s->store(s->agent));
	wire_put_int(w, "claims", (int64_t)s->claims->count);
	wire_put_opt(w, "registry", s->registry(s->holders));
	put_sources(call);
	wire_put_int(w, "tickets", (int64_t)index_count(call->ix));
	wire_put_int(w, "records", (int64_t)index_record_count(call->ix));
	wire_put_int(w, "problems", (int64_t)index_flaw_count(call->ix));
	put_keeping(call, &keeping);
	put_rescans(call);
	wire_put_str(w, "log_level", str_of(word(&words_log_level, (int)log_level_now())));
	wire_put_int(w, "clients", (int64_t)s->clients);
	wire_put_int(w, "feeds", (int64_t)s->feeds);
	wire_put_int(w, "waits", (int64_t)s->waits);
	wire_put_int(w, "calls", (int64_t)s->calls);
	put_peers(call);
	return true;
}

static void put_lines(struct call *call)
{
	struct wire *w = &call->out;
	struct log_line *lines = arena_alloc(&call->arena, LOG_KEPT * sizeof(*lines));
	size_t count = log_last(lines);

	wire_key(w, "lines");
	wire_list(w);
	for (size_t i = 0; i < count; i++)
		answer_log_line(w, &lines[i]);
	wire_end(w);
}

bool handle_agent_log(struct call *call, const struct agent_log_params *p, struct fault *why)
{
	struct wire *w = &call->out;
	size_t count;
	struct noted *list = call->service->events(call->service->agent, &call->arena, &count);

	(void)why;
	if (p->given & 1)
		log_set_level((enum log_level)p->level);
	if (rpc_given(RPC_agent_log, p->given, "follow"))
		listener_follow_log(call->listener, (enum log_level)p->follow);
	wire_put_str(w, "level", str_of(word(&words_log_level, (int)log_level_now())));
	put_lines(call);
	wire_key(w, "events");
	wire_list(w);
	for (size_t i = 0; i < count; i++) {
		wire_map(w);
		wire_put_time(w, "at", list[i].at);
		wire_put_str(w, "folder", list[i].place);
		wire_put_str(w, "name", list[i].name);
		wire_put_str(w, "what", list[i].what);
		wire_end(w);
	}
	wire_end(w);
	return true;
}

bool handle_agent_describe(struct call *call, const struct agent_describe_params *p,
			   struct fault *why)
{
	json_t *schema = describe_schema();
	char *text = json_dumps(schema, JSON_COMPACT);

	(void)p;
	(void)why;
	wire_put_str(&call->out, "table", str_of(text));
	free(text);
	json_decref(schema);
	return true;
}

/* Every answer is given after all that came before its question was seen. */
bool handle_agent_sync(struct call *call, const struct agent_sync_params *p, struct fault *why)
{
	(void)call;
	(void)p;
	(void)why;
	return true;
}

bool handle_agent_resync(struct call *call, const struct agent_resync_params *p, struct fault *why)
{
	(void)p;
	(void)why;
	call->service->resync(call->service->agent);
	return true;
}

bool handle_agent_stop(struct call *call, const struct agent_stop_params *p, struct fault *why)
{
	(void)p;
	(void)why;
	call->service->stop(call->service->agent);
	return true;
}
