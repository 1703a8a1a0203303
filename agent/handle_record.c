/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdlib.h>

#include <jansson.h>

#include "answer.h"
#include "stamp.h"

/* Records: read, and written. */

#define TEXT_MAX (16 * 1024)
#define LINE_BYTES_MAX 1024

static bool page_of_records(struct call *call, const struct record_query_params *p,
			    const struct record_filter *filter, int64_t limit, struct fault *why)
{
	struct page page = { .limit = limit, .cursor = p->cursor };
	struct seen *rows;

	if (!query_records(call->service->ix, filter, call->now, &call->arena, &page, &rows, why))
		return false;
	answer_page(call, &page);
	wire_key(&call->out, "records");
	wire_list(&call->out);
	for (size_t i = 0; i < page.returned; i++)
		answer_record(call, &rows[page.first + i]);
	wire_end(&call->out);
	return true;
}

/* The other Ticket need not be there: records may name one that is not. */
static bool find_other(struct call *call, struct str name, struct ticket **into, struct fault *why)
{
	*into = name.at ? index_named(call->service->ix, name) : NULL;
	return *into || !name.at || index_resolve(call->service->ix, name, into, why);
}

bool handle_record_query(struct call *call, const struct record_query_params *p, struct fault *why)
{
	struct ticket *ticket = NULL, *other = NULL;
	struct record_filter filter = { .kinds = p->kind, .author = p->author,
					.scope = (enum scope)p->status };

	if (p->ticket.at && !index_resolve(call->service->ix, p->ticket, &ticket, why))
		return false;
	if (!find_other(call, p->other, &other, why))
		return false;
	filter.ticket = ticket;
	filter.other = other;
	filter.order = (enum order)p->order;
	return page_of_records(call, p, &filter, p->limit, why);
}

/* -- Writing ------------------------------------------------------------ */

static bool check_text(const char *name, struct str text, bool line, struct fault *why)
{
	size_t max = line ? LINE_BYTES_MAX : TEXT_MAX;

	if (text.len > max)
		return fault(why, FAULT_INVALID, "%s has %zu bytes; at most %zu are taken", name,
			     text.len, max);
	if (line && text.len && memchr(text.at, '\n', text.len))
		return fault(why, FAULT_INVALID, "%s has several lines; one is taken", name);
	return true;
}

static bool check_texts(const struct record_add_params *p, struct fault *why)
{
	return check_text("message", p->message, false, why) &&
	       check_text("role_plan", p->role_plan, false, why) &&
	       check_text("branch", p->branch, true, why) &&
	       check_text("worktree", p->worktree, true, why) &&
	       check_text("author", p->author, true, why) && check_text("other", p->other, true, why);
}

static bool only_with(const char *name, bool given, bool fits, const char *kinds, struct fault *why)
{
	if (!given || fits)
		return true;
	return fault(why, FAULT_INVALID, "%s goes with %s only", name, kinds);
}

/* What each kind must have, and may not have. */
static bool check_fields(const struct record_add_params *p, struct fault *why)
{
	enum kind_takes takes = kind_row((enum kind)p->kind)->takes;
	const char *kind = word(&words_kind, p->kind);
	bool plan = takes == TAKES_PLAN;

	if (takes == TAKES_RECORD)
		return fault(why, FAULT_INVALID, "a retraction cannot be recorded this way yet");
	if (takes == TAKES_TICKET && !p->other.len)
		return fault(why, FAULT_INVALID, "%s names another Ticket: give one", kind);
	if ((takes == TAKES_NOTE || plan) && !p->message.len)
		return fault(why, FAULT_INVALID, "%s needs a message that says %s", kind,
			     plan ? "what was accepted" : "what it waits for");
	return only_with("other", p->other.at, takes == TAKES_TICKET, "kinds that name a Ticket",
			 why) &&
	       only_with("until", p->until.at, takes == TAKES_NOTE, "waiting_capacity_note", why) &&
	       only_with("branch", p->branch.at, plan, "accepted_plan", why) &&
	       only_with("worktree", p->worktree.at, plan, "accepted_plan", why) &&
	       only_with("role_plan", p->role_plan.at, plan, "accepted_plan", why);
}

/* The other Ticket's id: of one that is there, or as it was given where that is allowed. */
static bool other_id(struct call *call, const struct record_add_params *p, const struct ticket *t,
		     struct str *into, struct fault *why)
{
	struct ticket *other;

	*into = STR_NONE;
	if (!p->other.at)
		return true;
	if (index_resolve(call->service->ix, p->other, &other, why)) {
		*into = other->id;
	} else if (why->code == FAULT_NOT_FOUND && p->dangling) {
		if (!layout_id_ok(p->other))
			return fault(why, FAULT_INVALID, "\"%.*s\" is no Ticket id",
				     (int)(p->other.len > 128 ? 128 : p->other.len), p->other.at);
		*into = p->other;
	} else {
		return false;
	}
	return str_eq(*into, t->id) ? fault(why, FAULT_INVALID, "a Ticket cannot be related to itself")
				    : true;
}

static json_t *text_json(struct str text)
{
	return json_stringn(text.at, text.len);
}

static void set_text(json_t *object, const char *name, struct str text)
{
	if (text.at)
		json_object_set_new(object, name, text_json(text));
}

/* "ticket:ID=STATE" as the object that is stored. */
static json_t *until_ticket(struct call *call, struct str rest, struct fault *why)
{
	const char *sign = rest.len ? memchr(rest.at, '=', rest.len) : NULL;
	struct ticket *t;

	if (!sign) {
		fault(why, FAULT_INVALID, "until: write ticket:ID=STATE");
		return NULL;
	}
	struct str id = { rest.at, (size_t)(sign - rest.at) };
	struct str state = { sign + 1, rest.len - id.len - 1 };
	int value = word_find(&words_state, state);
	if (value < 0 || value == STATE_UNKNOWN) {
		fault(why, FAULT_INVALID, "until: \"%.*s\" is no state to wait for",
		      (int)(state.len > 64 ? 64 : state.len), state.at);
		return NULL;
	}
	if (!index_resolve(call->service->ix, id, &t, why))
		return NULL;
	return json_pack("{s:o, s:s}", "ticket", text_json(t->id), "state", word(&words_state, value));
}

static json_t *until_free(struct str rest, struct fault *why)
{
	json_int_t n = 0;

	for (size_t i = 0; i < rest.len; i++) {
		if (rest.at[i] < '0' || rest.at[i] > '9' || i > 8)
			break;
		n = n * 10 + (rest.at[i] - '0');
		if (i == rest.len - 1 && n > 0)
			return json_pack("{s:I}", "free", n);
	}
	fault(why, FAULT_INVALID, "until: free takes a number of Tickets, from 1");
	return NULL;
}

/* The condition of a wait as it is typed, as it is stored. */
static json_t *until_json(struct call *call, struct str text, struct fault *why)
{
	int64_t after;
	char at[STAMP_MAX];

	if (str_is(text, "human"))
		return json_pack("{s:s}", "gate", "human");
	if (str_starts(text, STR("ticket:")))
		return until_ticket(call, (struct str){ text.at + 7, text.len - 7 }, why);
	if (str_starts(text, STR("free:")))
		return until_free((struct str){ text.at + 5, text.len - 5 }, why);
	if (str_starts(text, STR("after:")) &&
	    stamp_parse((struct str){ text.at + 6, text.len - 6 }, &after))
		return json_pack("{s:s}", "after", stamp_text(after, at));
	fault(why, FAULT_INVALID, "until takes ticket:ID=STATE, after:TIME (as 2026-01-31T12:00:00Z), "
	      "human or free:N");
	return NULL;
}

static json_t *plan_json(const struct record_add_params *p)
{
	json_t *plan = json_pack("{s:o}", "summary", text_json(p->message));

	set_text(plan, "branch", p->branch);
	set_text(plan, "worktree", p->worktree);
	set_text(plan, "role_plan", p->role_plan);
	return plan;
}

static struct str author_of(const struct call *call, const struct record_add_params *p)
{
	return p->author.len ? p->author : call->service->user(call->service->agent);
}

/* The record as it is stored, keys in the order of the format. */
static json_t *record_json(struct call *call, const struct record_add_params *p,
			   const struct ticket *t, struct str other, struct str id, struct fault *why)
{
	bool plan = kind_row((enum kind)p->kind)->takes == TAKES_PLAN;
	char at[STAMP_MAX];
	json_t *object = json_object(), *until;

	set_text(object, "id", id);
	set_text(object, "ticket_id", t->id);
	json_object_set_new(object, "kind", json_string(word(&words_kind, p->kind)));
	set_text(object, "related_ticket", other);
	if (plan)
		json_object_set_new(object, "accepted_plan", plan_json(p));
	else
		set_text(object, "note", p->message);
	if (p->until.at) {
		if (!(until = until_json(call, p->until, why))) {
			json_decref(object);
			return NULL;
		}
		json_object_set_new(object, "until", until);
	}
	set_text(object, "author", author_of(call, p));
	json_object_set_new(object, "at", json_string(stamp_text(call->now, at)));
	return object;
}

/* The checkout a record goes to: the authority's, else any that has the Ticket. */
static const struct copy *where(const struct index *ix, const struct ticket *t)
{
	for (const struct copy *c = t->copies; c; c = c->next)
		if (index_source(ix, c->source)->authority)
			return c;
	return t->face;
}

static struct ledger_entry *entry_for(struct call *call, const struct ticket *t, struct str id,
				      json_t *object)
{
	const struct copy *copy = where(call->service->ix, t);
	const struct source *source = index_source(call->service->ix, copy->source);
	char *root = xasprintf("%s/%s", source->top, source->root);
	char *name = xasprintf("%.*s.json", STR_ARG(id));
	char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	struct ledger_entry *entry = ledger_entry_new(root, copy->dir, name);

	buf_addf(&entry->bytes, "%s\n", text);
	free(root);
	free(name);
	free(text);
	return entry;
}

/* -- Asking again ------------------------------------------------------- */

static const struct decision *find_record(const struct ticket *t, struct str id)
{
	for (uint32_t i = 0; i < t->own_count; i++)
		if (t->own[i].doc->content->role == ROLE_RECORD && str_eq(t->own[i].record->id, id))
			return &t->own[i];
	return NULL;
}

static bool same_plan(const struct plan *a, const struct plan *b)
{
	if (!a || !b)
		return a == b;
	return str_eq(a->summary, b->summary) && str_eq(a->branch, b->branch) &&
	       str_eq(a->worktree, b->worktree) && str_eq(a->role_plan, b->role_plan);
}

static bool same_until(const struct until *a, const struct until *b)
{
	if (!a || !b)
		return a == b;
	return a->form == b->form && str_eq(a->ticket, b->ticket) && a->state == b->state &&
	       a->after == b->after && a->free == b->free;
}

/* All fields but the time. */
static bool same_record(const struct record *a, const struct record *b)
{
	return a->kind == b->kind && str_eq(a->other, b->other) && str_eq(a->note, b->note) &&
	       same_plan(a->plan, b->plan) && same_until(a->until, b->until) &&
	       str_eq(a->retracts, b->retracts) && str_eq(a->author, b->author);
}

/* Whether what is stored under the id is what was asked for; read as a file of it would be. */
static bool is_what_was_asked(const struct ticket *t, const struct decision *stored,
			      struct ledger_entry *entry)
{
	struct str name = str_of(entry->name);
	struct content *asked = artifact_parse(ROLE_RECORD, t->id, name,
					       (struct str){ entry->bytes.at, entry->bytes.len });
	bool same = asked->record_count == 1 && same_record(stored->record, &asked->records[0]);

	content_free(asked);
	return same;
}

static void put_stored(struct call *call, const struct decision *d)
{
	struct seen row = { d, false };
	const struct source *s = index_source(call->service->ix, d->doc->copy->source);

	wire_key(&call->out, "record");
	answer_record(call, &row);
	wire_put_bool(&call->out, "stored", true);
	wire_put_str(&call->out, "path", arena_printf(&call->arena, "%s/%s/%s", s->top, s->root,
						      d->doc->path));
}

static bool answer_stored(struct call *call, const struct ticket *t, const struct decision *stored,
			  struct ledger_entry *entry, struct fault *why)
{
	if (!is_what_was_asked(t, stored, entry))
		return fault(why, FAULT_INVALID,
			     "a record with the id %.*s is there already and says something else",
			     STR_ARG(stored->record->id));
	put_stored(call, stored);
	return true;
}

/* -- record.add --------------------------------------------------------- */

/* The write has ended, and the index has seen its file. */
static bool resume_add(struct call *call, const struct record_add_params *p, struct fault *why)
{
	struct ledger_entry *entry = call->entry;
	struct str id = { entry->name, strlen(entry->name) - 5 };
	struct ticket *t;

	if (entry->result == LEDGER_FAILED || entry->result == LEDGER_UNKNOWN) {
		*why = entry->why;
		return false;
	}
	if (!index_resolve(call->service->ix, p->ticket, &t, why))
		return false;
	const struct decision *stored = find_record(t, id);
	if (!stored)
		return fault(why, FAULT_IO, "%s was written and is gone again", entry->name);
	return answer_stored(call, t, stored, entry, why);
}

static bool make_entry(struct call *call, const struct record_add_params *p, const struct ticket *t,
		       struct str id, struct ledger_entry **entry, struct fault *why)
{
	struct str other;

	if (!other_id(call, p, t, &other, why))
		return false;
	json_t *object = record_json(call, p, t, other, id, why);
	if (!object)
		return false;
	*entry = entry_for(call, t, id, object);
	json_decref(object);
	return true;
}

bool handle_record_add(struct call *call, const struct record_add_params *p, struct fault *why)
{
	char made[ULID_LEN + 1];
	struct ledger_entry *entry;
	struct str id = p->id;
	struct ticket *t;

	if (call->entry)
		return resume_add(call, p, why);
	if (!index_resolve(call->service->ix, p->ticket, &t, why) || !check_texts(p, why) ||
	    !check_fields(p, why))
		return false;
	if (id.at && !ulid_is(id))
		return fault(why, FAULT_INVALID, "id is no ULID (26 characters, upper case)");
	if (!id.at) {
		ulid_make(made);
		id = str_of(made);
	}
	if (!make_entry(call, p, t, id, &entry, why))
		return false;
	const struct decision *stored = find_record(t, id);
	if (stored) {
		bool ok = answer_stored(call, t, stored, entry, why);
		ledger_entry_free(entry);
		return ok;
	}
	call->entry = entry;
	call->parked = true;
	return true;
}
