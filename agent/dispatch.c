/* SPDX-License-Identifier: MIT */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "clock.h"
#include "handlers.h"
#include "log.h"
#include "params.h"
#include "stamp.h"
#include "utf8.h"

/* INSTANCE:GENERATION; of a view INSTANCE:COMMIT.NUMBERS or INSTANCE:SOURCE@GENERATION. */
static void put_clock(struct call *call)
{
	unsigned long long generation = index_generation(call->ix);
	const struct view *v = call->view;
	char text[CLOCK_MAX];
	struct str clock;

	if (v && v->commit)
		clock = arena_printf(&call->arena, "%s:%s.%u.%llu", call->service->instance,
				     v->commit, v->made, generation);
	else if (v)
		clock = arena_printf(&call->arena, "%s:%s@%llu", call->service->instance, v->source,
				     (unsigned long long)v->from);
	else
		clock = clock_text(call->service, generation, text);
	wire_put_str(&call->out, "clock", clock);
}

static bool handle(struct call *call, struct fault *why)
{
	switch (call->id) {
#define METHOD(id, ...) \
	case RPC_##id: \
		return handle_##id(call, &call->params.id, why);
#define PARAM(...)
#define RETURNS(...)
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS
	case RPC_COUNT:
		break;
	}
	bug_at(__FILE__, __LINE__, "a method without a handler");
}

/* A fault's text has its limit, which may lie inside a character. */
static struct str whole(struct str text)
{
	size_t bad;

	if (!utf8_check(text, &bad) && text.len - bad < 4)
		text.len = bad;
	return text;
}

static void put_error(struct buf *out, uint32_t msgid, const struct fault *why)
{
	struct wire w;
	char text[sizeof(why->text) + 32];

	snprintf(text, sizeof(text), "%s: %s", fault_name(why->code), why->text);
	wire_init(&w, out);
	wire_error(&w, msgid, fault_exit(why->code) == 2, whole(str_of(text)));
}

/* The agent's own methods say what to do about a checkout that is somebody else's. */
static bool is_served(struct call *call, struct fault *why)
{
	struct service *s = call->service;
	bool own = strncmp(call->method->name, "agent.", 6) == 0;

	return s->serves(s->agent, own ? STR_NONE : call_stands(call), why);
}

/* The agent's own methods answer without a Ticket tree, and what asks git looks for itself. */
static bool needs_tree(const struct call *call)
{
	return strncmp(call->method->name, "agent.", 6) != 0 && call->id != RPC_record_diff &&
	       call->id != RPC_record_log;
}

static bool may_call(struct call *call, struct fault *why)
{
	if (call->method->access == RPC_WRITE && (*call->read_only || call->service->read_only))
		return fault(why, FAULT_READ_ONLY, "%s writes, and this connection may only read",
			     call->method->name);
	return true;
}

/* What a commit or one checkout holds does not depend on what is there now. */
static bool has_tree(struct call *call, struct fault *why)
{
	return call->view || !needs_tree(call) ||
	       call->service->any_tree(call->service->agent, why);
}

/* A text parameter that was given, or NULL. */
static struct str *text_param(struct call *call, struct str name)
{
	unsigned at;
	const struct rpc_field *f = rpc_field_find(call->method->params, name, &at);
	struct str *text = f ? (struct str *)(void *)((char *)&call->params + f->offset) : NULL;

	return text && text->at ? text : NULL;
}

/* git may be at it all the time: after a few tries what is known has to do. */
#define UNDECIDED_MAX 4

/* Who is told of changes is told of these too, when they come. */
static bool is_told(const struct call *call)
{
	return call->id == RPC_ticket_wait || strncmp(call->method->name, "feed.", 5) == 0;
}

static bool is_undecided(const struct call *call)
{
	struct service *s = call->service;
	bool sync = call->id == RPC_agent_sync;

	return (sync || needs_tree(call)) && !is_told(call) && call->undecided < UNDECIDED_MAX &&
	       s->undecided(s->agent, sync);
}

/* Everything as it is now, once it is known what that is. */
static bool choose_live(struct call *call)
{
	call->ix = call->service->ix;
	call->view = NULL;
	if (is_undecided(call)) {
		call->undecided++;
		call->asks_git = call->parked = call->awaits_git = true;
	}
	return true;
}

/* Ask what the parameters say: everything as it is now, a revision, or one checkout. */
static bool choose_index(struct call *call, struct fault *why)
{
	struct service *s = call->service;
	struct str *at = text_param(call, STR("at")), *source = text_param(call, STR("source"));
	unsigned place;

	/* What is called source elsewhere is something else. */
	if ((!at && !source) || !rpc_field_find(call->method->params, STR("at"), &place))
		return choose_live(call);
	if (at && source)
		return fault(why, FAULT_BAD_ARGUMENT,
			     "at and source ask different things; give one");
	if (at && !s->revision(s->agent, call, 0, *at, &call->view, why))
		return false;
	if (source && !s->one_source(s->agent, *source, &call->view, why))
		return false;
	if (call->view) {
		call->ix = call->view->ix;
		index_pass_time(call->ix, call->now);
		index_settle(call->ix);
	}
	return true;
}

static void put_freshness(struct call *call)
{
	struct keeping keeping;
	struct wire *w = &call->out;

	call->service->keeping(call->service->agent, &keeping);
	if (keeping.mode == MODE_WATCH && !keeping.git_count)
		return;
	wire_key(w, "freshness");
	wire_map(w);
	wire_put_str(w, "mode", str_of(word(&words_mode, (int)keeping.mode)));
	answer_strs(call, "reasons", keeping.reasons, keeping.reason_count);
	if (keeping.git_count)
		answer_strs(call, "git_busy", keeping.git_busy, keeping.git_count);
	wire_end(w);
}

#ifdef TP_DEBUG
/* Hold the answer against the shape that the table promises. */
static void check_answer(const struct call *call, struct str answer)
{
	msgpack_zone *zone = msgpack_zone_new(4096);
	struct envelope e;
	struct fault why;

	if (!envelope_decode(answer, zone, &e, &why) ||
	    !shape_check(call->method->returns, &e.result, &why)) {
		log_error("dispatch: the answer of %s: %s", call->method->name, why.text);
		bug_at(__FILE__, __LINE__, "an answer that is not of its shape");
	}
	msgpack_zone_free(zone);
}
#else
static void check_answer(const struct call *call, struct str answer)
{
	(void)call;
	(void)answer;
}
#endif

/* Run the handler once; its answer, or nothing, is in `out`. */
static bool try_once(struct call *call, struct buf *out, struct fault *why)
{
	size_t start = out->len;

	wire_init(&call->out, out);
	wire_response(&call->out, call->msgid);
	wire_map(&call->out);
	bool ok = handle(call, why);
	if (ok && call->stances && call->stances->failed) {
		*why = call->stances->why;
		ok = false;
	}
	if (!ok) {
		out->len = start;
		return false;
	}
	if (call->parked) {
		out->len = start;
		return true;
	}
	/* After the handler: it may have changed what the clock says. */
	put_clock(call);
	put_freshness(call);
	wire_end(&call->out);
	check_answer(call, (struct str){ out->at + start, out->len - start });
	return true;
}

/* An integer parameter of a list, or NULL where the method has none of that name. */
static int64_t *list_param(struct call *call, struct str name)
{
	unsigned at;
	const struct rpc_field *f = rpc_field_find(call->method->params, name, &at);

	if (!f || !rpc_field_find(call->method->params, STR("limit"), &at))
		return NULL;
	return (int64_t *)(void *)((char *)&call->params + f->offset);
}

/* Make a list's page half as long; false where there is nothing to halve. */
static bool shorten(struct call *call)
{
	int64_t *limit = list_param(call, STR("limit"));

	if (!limit || *limit == 1)
		return false;
	*limit = (*limit ? *limit : RPC_LIMIT_DEFAULT) / 2;
	return true;
}

/* Whether the answer is to say how records stand to git. */
static void begin_provenance(struct call *call)
{
	unsigned at;
	const struct rpc_field *f = rpc_field_find(call->method->params, STR("provenance"), &at);

	if (f && !call->stances && *(bool *)(void *)((char *)&call->params + f->offset))
		call->stances = xcalloc(1, sizeof(*call->stances));
}

/* How long the answer may be: what the asker said, within what we send at all. */
static size_t budget(struct call *call)
{
	int64_t *asked = list_param(call, STR("max_bytes"));

	return asked && *asked > 0 && *asked < RPC_ANSWER_MAX ? (size_t)*asked : RPC_ANSWER_MAX;
}

static bool run(struct call *call, struct buf *out, struct fault *why)
{
	size_t start = out->len, max = budget(call);

	/* What was written is told from what is there now. */
	if (!call->entry && (!is_served(call, why) || !choose_index(call, why)))
		return false;
	if (call->parked)
		return true;
	if (!call->entry && !has_tree(call, why))
		return false;
	begin_provenance(call);
	while (try_once(call, out, why)) {
		size_t size = out->len - start;
		bool fits = size <= max, shorter = !fits && shorten(call);
		/* One row is given even where it is more than was asked for. */
		if (fits || (!shorter && size <= RPC_ANSWER_MAX))
			return true;
		out->len = start;
		if (!shorter)
			return fault(why, FAULT_TOO_LARGE, "the answer has more than %d bytes",
				     RPC_ANSWER_MAX);
	}
	return false;
}

/* What git said, or is to be asked. */
static void drop_asked(struct call *call)
{
	for (size_t i = 0; i < CALL_REVISIONS; i++) {
		free(call->revisions[i].text);
		view_free(call->revisions[i].view);
	}
	stances_free(call->stances);
	ignored_free(call->ignored);
}

void call_drop(struct call *call)
{
	while (call->followers) {
		struct call *follower = call->followers;
		DL_DELETE(call->followers, follower);
		call_drop(follower);
	}
	drop_asked(call);
	buf_release(&call->told);
	arena_release(&call->arena);
	msgpack_zone_free(call->zone);
	ledger_entry_free(call->entry);
	amendment_free(call->amendment);
	buf_release(&call->bytes);
	free(call);
}

/* Parameters take little; a block that malloc keeps at hand. */
#define PARKED_ZONE 512

/* The call outlives its turn, and so must what its parameters point into. */
static struct call *park(const struct call *call, struct str message)
{
	struct call *kept = xmalloc(sizeof(*kept));
	struct envelope e;
	struct fault why;

	*kept = *call;
	buf_add_str(&kept->bytes, message);
	kept->zone = msgpack_zone_new(PARKED_ZONE);
	BUG_IF(!envelope_decode((struct str){ kept->bytes.at, kept->bytes.len }, kept->zone, &e,
				&why));
	BUG_IF(!params_decode(kept->method, &e.params, kept->zone, &kept->params, &why));
	kept->arena = (struct arena){ 0 };
	return kept;
}

/* Changes of claims that stand together are made together; everything else waits for them. */
static bool joins(enum rpc_id id)
{
	return id == RPC_claim_take || id == RPC_claim_renew || id == RPC_claim_release;
}

bool call_must_wait(const struct call *call)
{
	const struct service *s = call->service;

	return s->accepting || s->amended || (s->amending && !joins(call->id)) ||
	       (s->waiting && s->waiting != call && !call->resumed) ||
	       /* Nothing is accepted on half of what git is about to write. */
	       (call->id == RPC_ticket_accept && s->unsettled(s->agent));
}

/* Give the call to what it waits for. */
static void wait_for(struct call *call)
{
	struct service *s = call->service;
	bool amends = call->amendment && !call->amendment->ended;

	if (call->waits) {
		listener_wait(call->listener, call);
		return;
	}
	if (call->awaits_git) {
		s->await_git(s->agent, call);
		return;
	}
	if (call->behind) {
		DL_APPEND(call->behind->followers, call);
		return;
	}
	if (!call->entry && !amends) {
		DL_APPEND(s->waiting, call);
		return;
	}
	if (call->id == RPC_ticket_accept)
		s->accepting = call;
	if (amends) {
		call->amendment->owner = call;
		s->join(s->holders, call->amendment);
		return;
	}
	call->entry->owner = call;
	DL_APPEND(s->writing, call);
	s->write(s->agent, call->entry);
}

/* Its write has ended, well or not: who waited for that goes on, behind it. */
static void leave_writing(struct call *call)
{
	struct service *s = call->service;
	struct call *follower;

	DL_DELETE(s->writing, call);
	DL_FOREACH(call->followers, follower)
		follower->behind = NULL;
	DL_CONCAT(s->ready, call->followers);
	call->followers = NULL;
}

static bool answer(struct service *service, struct caller *caller, const struct envelope *e,
		   struct str message, msgpack_zone *zone, struct buf *out, struct call **parked,
		   struct fault *why)
{
	struct call call = { .service = service, .conn = caller->conn, .id = rpc_find(e->method),
			     .ix = service->ix, .msgid = e->msgid,
			     .read_only = &caller->read_only, .stands = caller->stands,
			     .client = caller->client, .listener = &caller->listener };

	if (call.id == RPC_COUNT)
		return fault(why, FAULT_UNKNOWN_METHOD, "there is no method \"%.*s\"",
			     (int)(e->method.len > 64 ? 64 : e->method.len), e->method.at);
	call.method = rpc_method(call.id);
	call.now = stamp_now();
	if (call.id == RPC_agent_sync)
		listener_flush(call.listener);
	bool ok = params_decode(call.method, &e->params, zone, &call.params, why) &&
		  may_call(&call, why) && run(&call, out, why);
	if (ok && call.parked) {
		struct call *kept = park(&call, message);
		if (!kept->waits)
			*parked = kept;
		wait_for(kept);
	} else {
		drop_asked(&call);
		buf_release(&call.told);
	}
	arena_release(&call.arena);
	return ok;
}

bool dispatch(struct service *service, struct caller *caller, struct str message, struct buf *out,
	      struct call **parked)
{
	msgpack_zone *zone = service->zone;
	struct envelope e;
	struct fault why;

	*parked = NULL;
	bool ok = envelope_decode(message, zone, &e, &why);
	if (!ok) {
		put_error(out, 0, &why);
	} else if (e.type == ENVELOPE_REQUEST) {
		service->calls++;
		caller->calls++;
		if (!answer(service, caller, &e, message, zone, out, parked, &why))
			put_error(out, e.msgid, &why);
	}
	/* Notifications and answers that nobody asked for are dropped: editors send such. */
	msgpack_zone_clear(zone);
	return ok;
}

bool dispatch_resume(struct call *call, struct buf *out)
{
	struct service *s = call->service;
	struct buf nobody = { 0 };
	struct fault why;

	if (s->accepting == call)
		s->accepting = NULL;
	if (call->entry)
		leave_writing(call);
	call->parked = false;
	/* Who waited for git alone has not had a turn to accept yet. */
	call->resumed |= !call->awaits_git;
	call->awaits_git = false;
	arena_release(&call->arena);
	call->now = stamp_now();
	if (!run(call, out ? out : &nobody, &why))
		put_error(out ? out : &nobody, call->msgid, &why);
	buf_release(&nobody);
	bool ended = !call->parked;
	if (ended)
		call_drop(call);
	else
		wait_for(call);
	return ended;
}
