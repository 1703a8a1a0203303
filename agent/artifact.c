/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <stdlib.h>

#include <jansson.h>

#include "base.h"
#include "guard.h"
#include "hash.h"
#include "stamp.h"

#define DEPTH_MAX 64

/* One object of an artifact while it is read. */
struct entry {
	struct content *c;
	struct str ticket;
	json_t *json;
	uint32_t line;
	int64_t offset;
	bool lacking; /* something it needs is missing or wrong */
};

static bool too_deep(const json_t *value, int depth)
{
	const char *key;
	json_t *inner, *object = (json_t *)(uintptr_t)value;
	size_t i;

	if (depth > DEPTH_MAX)
		return true;
	json_object_foreach (object, key, inner)
		if (too_deep(inner, depth + 1))
			return true;
	json_array_foreach (object, i, inner)
		if (too_deep(inner, depth + 1))
			return true;
	return false;
}

static bool is_blank(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t\r\n", text.at[i]) || !text.at[i])
			return false;
	return true;
}

static struct str json_text(const json_t *value)
{
	return (struct str){ json_string_value(value), json_string_length(value) };
}

/* A text field; absent where it is missing, null, or (said) something else. */
static struct str get_text(struct entry *e, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!value || json_is_null(value))
		return STR_NONE;
	if (json_is_string(value))
		return arena_str(&e->c->arena, json_text(value));
	content_flaw(e->c, PROBLEM_BAD_FIELD, e->line, e->offset, "%s is not text", name);
	return STR_NONE;
}

static struct str need_text(struct entry *e, const json_t *object, const char *name)
{
	struct str text = get_text(e, object, name);

	if (text.len)
		return text;
	content_flaw(e->c, PROBLEM_INCOMPLETE, e->line, e->offset, "the record has no %s", name);
	e->lacking = true;
	return text;
}

static void report_unknown(struct entry *e, const json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		size_t i = 0;
		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			content_flaw(e->c, PROBLEM_UNKNOWN_FIELD, e->line, e->offset,
				     "unknown field \"%.64s\"", key);
	}
}

static int64_t get_time(struct entry *e, const json_t *object)
{
	struct str text = get_text(e, object, "at");
	int64_t at = 0;

	if (!text.at || !stamp_parse(text, &at))
		content_flaw(e->c, PROBLEM_BAD_FIELD, e->line, e->offset,
			     "`at` is no time such as 2026-01-31T12:00:00Z");
	return at;
}

static const struct plan *get_plan(struct entry *e)
{
	static const char *const known[] = { "summary", "branch", "worktree", "role_plan", NULL };
	const json_t *object = json_object_get(e->json, "accepted_plan");

	if (!json_is_object(object)) {
		content_flaw(e->c, PROBLEM_INCOMPLETE, e->line, e->offset,
			     "the record has no accepted_plan");
		e->lacking = true;
		return NULL;
	}
	struct plan *plan = arena_alloc(&e->c->arena, sizeof(*plan));
	plan->summary = need_text(e, object, "summary");
	plan->branch = get_text(e, object, "branch");
	plan->worktree = get_text(e, object, "worktree");
	plan->role_plan = get_text(e, object, "role_plan");
	report_unknown(e, object, known);
	return plan;
}

static bool until_of(struct entry *e, const json_t *object, struct until *u)
{
	struct str state = get_text(e, object, "state"), after = get_text(e, object, "after");
	const json_t *count = json_object_get(object, "free");
	int known = word_find(&words_state, state);

	u->ticket = get_text(e, object, "ticket");
	u->state = known < 0 ? STATE_UNKNOWN : (enum state)known;
	if (u->ticket.len && u->state != STATE_UNKNOWN)
		u->form = UNTIL_TICKET;
	else if (after.at && stamp_parse(after, &u->after))
		u->form = UNTIL_AFTER;
	else if (str_is(get_text(e, object, "gate"), "human"))
		u->form = UNTIL_HUMAN;
	else if (json_is_integer(count) && (u->free = json_integer_value(count)) > 0)
		u->form = UNTIL_FREE;
	return u->form != UNTIL_NONE;
}

static const struct until *get_until(struct entry *e)
{
	static const char *const known[] = { "ticket", "state", "after", "gate", "free", NULL };
	const json_t *object = json_object_get(e->json, "until");

	if (!object || json_is_null(object))
		return NULL;
	struct until *u = arena_alloc(&e->c->arena, sizeof(*u));
	if (!json_is_object(object) || !until_of(e, object, u)) {
		content_flaw(e->c, PROBLEM_BAD_FIELD, e->line, e->offset,
			     "`until` is none of its forms: the wait ends by hand only");
		return NULL;
	}
	report_unknown(e, object, known);
	return u;
}

static void get_what_it_takes(struct entry *e, struct record *r, const char *other)
{
	switch (kind_row(r->kind)->takes) {
	case TAKES_TICKET:
		r->other = need_text(e, e->json, other);
		if (r->other.at && str_eq(r->other, e->ticket)) {
			content_flaw(e->c, PROBLEM_SELF_RELATION, e->line, e->offset,
				     "the record relates the Ticket to itself");
			e->lacking = true;
		}
		break;
	case TAKES_NOTE:
		need_text(e, e->json, "note");
		r->until = get_until(e);
		break;
	case TAKES_PLAN:
		r->plan = get_plan(e);
		break;
	case TAKES_RECORD:
		r->retracts = need_text(e, e->json, "retracts");
		break;
	case TAKES_NOTHING:
		break;
	}
}

/* Whether the entry belongs to the Ticket in whose folder it lies. */
static bool in_place(struct entry *e)
{
	struct str named = get_text(e, e->json, "ticket_id");

	if (str_eq(named, e->ticket))
		return true;
	content_flaw(e->c, PROBLEM_WRONG_TICKET, e->line, e->offset,
		     "the record is about \"%.*s\" but lies in the folder of %.*s",
		     (int)(named.len > 128 ? 128 : named.len), named.at ? named.at : "",
		     STR_ARG(e->ticket));
	return false;
}

static bool get_kind(struct entry *e, struct record *r)
{
	struct str name = get_text(e, e->json, "kind");
	int kind = word_find(&words_stored_kind, name);

	if (kind < 0) {
		content_flaw(e->c, PROBLEM_UNKNOWN_KIND, e->line, e->offset,
			     "unknown kind \"%.*s\"", (int)(name.len > 64 ? 64 : name.len),
			     name.at ? name.at : "");
		return false;
	}
	r->kind = (enum kind)kind;
	r->origin = e->c->role == ROLE_RELATIONS ? ORIGIN_RELATION : kind_row(r->kind)->origin;
	return true;
}

static void get_id(struct entry *e, struct record *r)
{
	if (e->c->role == ROLE_RELATIONS)
		r->id = arena_printf(&e->c->arena, "%s:%.*s", word(&words_kind, (int)r->kind),
				     STR_ARG(r->other));
	else
		r->id = need_text(e, e->json, "id");
}

/* The entry as a record; false where it does not count. */
static bool is_suspect(const struct record *r)
{
	const struct plan *plan = r->plan;

	return guard_suspects(r->note) ||
	       (plan && (guard_suspects(plan->summary) || guard_suspects(plan->role_plan) ||
			 guard_suspects(plan->worktree) || guard_suspects(plan->branch)));
}

static bool read_entry(struct entry *e, struct record *r)
{
	static const char *const relation[] = { "ticket_id", "kind", "target", "note", "author",
						"at", NULL };
	static const char *const record[] = { "id", "ticket_id", "ticket_slug", "kind",
					      "related_ticket", "note", "accepted_plan", "until",
					      "retracts", "author", "at", NULL };
	bool is_relation = e->c->role == ROLE_RELATIONS;

	*r = (struct record){ .line = e->line };
	if (!in_place(e) || !get_kind(e, r))
		return false;
	r->note = get_text(e, e->json, "note");
	get_what_it_takes(e, r, is_relation ? "target" : "related_ticket");
	get_id(e, r);
	r->author = get_text(e, e->json, "author");
	r->author = r->author.at ? r->author : STR("");
	r->at = get_time(e, e->json);
	r->suspect = is_suspect(r);
	report_unknown(e, e->json, is_relation ? relation : record);
	return !e->lacking;
}

static void add_record(struct content *c, struct record r)
{
	/* Grow by doubling, from one: most files hold one record. */
	if ((c->record_count & (c->record_count - 1)) == 0)
		c->records = xrealloc(c->records, (c->record_count ? c->record_count * 2 : 1) *
							  sizeof(*c->records));
	c->records[c->record_count++] = r;
}

static void take_entry(struct content *c, struct str ticket, json_t *json, uint32_t line,
		       int64_t offset)
{
	struct entry e = { c, ticket, json, line, offset, false };
	struct record r;

	if (read_entry(&e, &r))
		add_record(c, r);
}

/* JSON that is an object; NULL with a flaw otherwise. */
static json_t *load_object(struct content *c, struct str text, uint32_t line, int64_t offset,
			   const char *what)
{
	json_error_t error;
	json_t *json =
		json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (json && json_is_object(json) && !too_deep(json, 1))
		return json;
	if (!json)
		content_flaw(c, PROBLEM_BAD_RECORD, line ? line : (uint32_t)error.line,
			     offset + error.position, "%s is not JSON: %s", what, error.text);
	else
		content_flaw(c, PROBLEM_BAD_RECORD, line ? line : 1, offset,
			     json_is_object(json) ? "%s nests too deeply"
						  : "%s is not a JSON object",
			     what);
	json_decref(json);
	return NULL;
}

/* The last line when nothing ended it: whole enough to count, or never finished. */
static void take_tail(struct content *c, struct str ticket, struct str line, uint32_t n,
		      int64_t offset)
{
	json_t *json = line.len > ARTIFACT_LINE_MAX
			       ? NULL
			       : json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
	bool whole = json_is_object(json) && !too_deep(json, 1);

	content_flaw(c, PROBLEM_TORN_TAIL, n, offset,
		     whole ? "the last line has no line end; it is whole and counts"
			   : "the last line was never finished and does not count");
	if (whole)
		take_entry(c, ticket, json, n, offset);
	json_decref(json);
}

static bool is_marker(struct str line)
{
	return str_starts(line, STR("<<<<<<<")) || str_starts(line, STR("=======")) ||
	       str_starts(line, STR(">>>>>>>"));
}

static void take_line(struct content *c, struct str ticket, struct str line, uint32_t n,
		      int64_t offset)
{
	if (is_blank(line))
		return;
	if (line.len > ARTIFACT_LINE_MAX) {
		content_flaw(c, PROBLEM_TOO_LARGE, n, offset, "a line of more than 1 MiB");
		return;
	}
	if (is_marker(line)) {
		content_flaw(c, PROBLEM_CONFLICT_MARKERS, n, offset,
			     "the line is a merge's conflict marker");
		return;
	}
	json_t *json = load_object(c, line, n, offset, "the line");
	if (json)
		take_entry(c, ticket, json, n, offset);
	json_decref(json);
}

static void parse_plan(struct content *c, struct str ticket, struct str bytes)
{
	size_t at = 0;

	for (uint32_t n = 1; at < bytes.len; n++) {
		const char *end = memchr(bytes.at + at, '\n', bytes.len - at);
		struct str line = { bytes.at + at,
				    end ? (size_t)(end - bytes.at) - at : bytes.len - at };
		if (end)
			take_line(c, ticket, line, n, (int64_t)at);
		else if (!is_blank(line))
			take_tail(c, ticket, line, n, (int64_t)at);
		at += line.len + 1;
	}
}

static void parse_relations(struct content *c, struct str ticket, struct str bytes)
{
	static const char *const known[] = { "version", "relations", NULL };
	json_t *json = load_object(c, bytes, 0, 0, "the file"), *one;
	size_t i;

	if (!json)
		return;
	const json_t *list = json_object_get(json, "relations");
	if (json_integer_value(json_object_get(json, "version")) != 1 || !json_is_array(list))
		content_flaw(c, PROBLEM_BAD_RECORD, 1, 0,
			     "the file is not {\"version\":1,\"relations\":[…]}");
	struct entry whole = { .c = c, .line = 1, .offset = 0 };
	report_unknown(&whole, json, known);
	json_array_foreach ((json_t *)(uintptr_t)list, i, one) {
		if (json_is_object(one))
			take_entry(c, ticket, one, 0, -1);
		else
			content_flaw(c, PROBLEM_BAD_RECORD, 0, -1, "relation %zu is not an object",
				     i + 1);
	}
	json_decref(json);
}

static void take_record(struct content *c, struct str ticket, struct str name, json_t *json)
{
	take_entry(c, ticket, json, 0, -1);
	if (!c->record_count)
		return;
	struct str stem = { name.at, name.len - 5 };
	if (str_eq(c->records[0].id, stem))
		return;
	content_flaw(c, PROBLEM_WRONG_NAME, 0, -1,
		     "the file is named %.*s but its record's id is %.*s", STR_ARG(name),
		     (int)(c->records[0].id.len > 128 ? 128 : c->records[0].id.len),
		     c->records[0].id.at);
	c->record_count = 0;
}

static void parse_record(struct content *c, struct str ticket, struct str name, struct str bytes)
{
	json_t *json = load_object(c, bytes, 0, 0, "the record file");

	if (json)
		take_record(c, ticket, name, json);
	json_decref(json);
}

static int record_order(const void *a, const void *b)
{
	const struct record *const *x = a, *const *y = b;
	int order = str_cmp((*x)->id, (*y)->id);

	return order ? order : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}

/* Two records of one file with one id: both may count, and it is said. */
static void report_duplicates(struct content *c)
{
	if (c->record_count < 2)
		return;
	const struct record **sorted = xcalloc(c->record_count, sizeof(*sorted));
	for (uint32_t i = 0; i < c->record_count; i++)
		sorted[i] = &c->records[i];
	qsort(sorted, c->record_count, sizeof(*sorted), record_order);
	for (uint32_t i = 1; i < c->record_count; i++)
		if (str_eq(sorted[i]->id, sorted[i - 1]->id))
			content_flaw(c, PROBLEM_DUPLICATE_ID, sorted[i]->line, -1,
				     "the id \"%.*s\" stands twice in the file",
				     (int)(sorted[i]->id.len > 128 ? 128 : sorted[i]->id.len),
				     sorted[i]->id.at);
	free(sorted);
}

/* The same bytes mean something else in another Ticket's folder, or under another name. */
static uint64_t hash_there(enum role role, struct str ticket, struct str name)
{
	return hash_of(ticket) ^ (role == ROLE_RECORD ? hash_of(name) : 0);
}

bool artifact_is(const struct content *c, struct str ticket, struct str name, struct str bytes)
{
	return c->len == bytes.len &&
	       c->hash == (hash_of(bytes) ^ hash_there(c->role, ticket, name));
}

static struct content *begin(enum role role, struct str ticket, struct str name, struct str bytes)
{
	struct content *c = content_new(role, bytes);

	c->hash ^= hash_there(role, ticket, name);
	/* Names, quotes and blanks are more than a third of a file; what is kept is the rest. */
	arena_reserve(&c->arena, bytes.len * 5 / 8 + 16);
	return c;
}

struct content *artifact_written(struct str ticket, struct str name, struct str bytes, json_t *said)
{
	struct content *c = begin(ROLE_RECORD, ticket, name, bytes);

	take_record(c, ticket, name, said);
	return c;
}

struct content *artifact_parse(enum role role, struct str ticket, struct str name, struct str bytes)
{
	struct content *c = begin(role, ticket, name, bytes);

	if (role == ROLE_PLAN)
		parse_plan(c, ticket, bytes);
	else if (role == ROLE_RELATIONS)
		parse_relations(c, ticket, bytes);
	else
		parse_record(c, ticket, name, bytes);
	report_duplicates(c);
	return c;
}
