/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <yaml.h>

#include "base.h"
#include "hash.h"
#include "utf8.h"

#define NESTING_MAX 16

/* Where the front matter lies in item.md. */
struct matter {
	struct str text;
	int64_t offset; /* of its first byte in the file */
};

/* The fields that count; each is text or null. */
enum field { SLUG, TITLE, STATE_, WORKFLOW_STATE, STATUS_, CREATED, UPDATED, QUEUED, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {
	"slug",   "title",      "state",      "workflow_state",
	"status", "created_at", "updated_at", "queued_at",
};

struct fields {
	struct arena arena; /* until what is kept is known */
	struct str text[FIELD_COUNT];
	uint32_t line[FIELD_COUNT];
	bool no_text[FIELD_COUNT]; /* a list or a mapping */
};

/* The next line without its end; false at the end of the text. */
static bool next_line(struct str *left, struct str *line)
{
	if (!left->len)
		return false;
	const char *end = memchr(left->at, '\n', left->len);
	size_t n = end ? (size_t)(end - left->at) : left->len;
	size_t step = end ? n + 1 : n;
	*line = (struct str){ left->at, n && left->at[n - 1] == '\r' ? n - 1 : n };
	left->at += step;
	left->len -= step;
	return true;
}

static bool is_conflict_marker(struct str line)
{
	return str_starts(line, STR("<<<<<<< ")) || str_starts(line, STR(">>>>>>> ")) ||
	       str_is(line, "=======");
}

static bool skip_mark(struct content *c, struct str *bytes)
{
	if (!str_starts(*bytes, STR("\xef\xbb\xbf")))
		return false;
	content_flaw(c, PROBLEM_BYTE_ORDER_MARK, 1, 0, "item.md begins with a byte order mark");
	bytes->at += 3;
	bytes->len -= 3;
	return true;
}

/* Find the lines between the first --- and the next. */
static bool find_matter(struct content *c, struct str bytes, struct matter *m)
{
	int64_t offset = skip_mark(c, &bytes) ? 3 : 0;
	struct str left = bytes, line;

	if (!next_line(&left, &line) || !str_is(line, "---")) {
		content_flaw(c, PROBLEM_NO_FRONT_MATTER, 1, offset,
			     "item.md does not begin with a line ---");
		return false;
	}
	m->text.at = left.at;
	m->offset = offset + (left.at - bytes.at);
	for (uint32_t n = 2; next_line(&left, &line); n++) {
		if (str_is(line, "---")) {
			m->text.len = (size_t)(line.at - m->text.at);
			return true;
		}
		if (is_conflict_marker(line)) {
			content_flaw(c, PROBLEM_CONFLICT_MARKERS, n, offset + (line.at - bytes.at),
				     "the front matter holds a merge's conflict markers");
			return false;
		}
	}
	content_flaw(c, c->len >= ITEM_HEAD_MAX ? PROBLEM_TOO_LARGE : PROBLEM_NO_FRONT_MATTER, 1,
		     offset, c->len >= ITEM_HEAD_MAX
				     ? "the front matter has no closing line --- within 64 KiB"
				     : "the front matter has no closing line ---");
	return false;
}

static uint32_t line_at(struct matter m, size_t offset)
{
	uint32_t line = 2;

	for (size_t i = 0; i < offset && i < m.text.len; i++)
		line += m.text.at[i] == '\n';
	return line;
}

/* What libyaml takes ages over, or what is no text, it must not see. */
static bool fit_for_yaml(struct content *c, struct matter m)
{
	size_t bad;
	int depth = 0;

	if (!utf8_check(m.text, &bad)) {
		content_flaw(c, PROBLEM_NOT_TEXT, line_at(m, bad), m.offset + (int64_t)bad,
			     "the front matter is not UTF-8");
		return false;
	}
	for (size_t i = 0; i < m.text.len; i++) {
		char ch = m.text.at[i];
		depth += (ch == '[' || ch == '{') - (ch == ']' || ch == '}');
		if (ch && depth <= NESTING_MAX)
			continue;
		content_flaw(c, ch ? PROBLEM_BAD_FRONT_MATTER : PROBLEM_NOT_TEXT, line_at(m, i),
			     m.offset + (int64_t)i,
			     ch ? "the front matter nests too deeply"
				: "the front matter holds a NUL byte");
		return false;
	}
	return true;
}

static bool flaw_at(struct content *c, struct matter m, size_t offset, const char *what)
{
	offset = offset > m.text.len ? m.text.len : offset;
	content_flaw(c, PROBLEM_BAD_FRONT_MATTER, line_at(m, offset), m.offset + (int64_t)offset,
		     "the front matter is no plain list of fields: %s", what);
	return false;
}

/*
 * libyaml's marks count characters, and lines that end in a carriage return:
 * neither is ours.  A place that only moves on is found by what lies between.
 */
struct mark {
	size_t index;  /* in characters, as libyaml counts them */
	size_t offset; /* in bytes */
	uint32_t line;
};

#define MARK_BEGIN ((struct mark){ .line = 2 })

static void mark_move(struct matter m, struct mark *at, size_t index)
{
	uint32_t code;

	for (; at->index < index && at->offset < m.text.len; at->index++) {
		struct str rest = { m.text.at + at->offset, m.text.len - at->offset };
		at->line += *rest.at == '\n';
		/* Plain ASCII is nearly everything: do not decode it. */
		at->offset += *rest.at & '\x80' ? utf8_next(rest, &code) : 1;
	}
}

static bool yaml_flaw(struct content *c, struct matter m, size_t index, const char *what)
{
	struct mark at = MARK_BEGIN;

	mark_move(m, &at, index);
	return flaw_at(c, m, at.offset, what);
}

static bool parse_failed(struct content *c, struct matter m, const yaml_parser_t *p)
{
	const char *what = p->problem ? p->problem : "not YAML";

	/* A character that YAML does not allow has an offset in bytes and no mark. */
	if (p->error == YAML_READER_ERROR)
		return flaw_at(c, m, p->problem_offset, what);
	return yaml_flaw(c, m, p->problem_mark.index, what);
}

static int find_field(const yaml_event_t *key)
{
	struct str name = { (const char *)key->data.scalar.value, key->data.scalar.length };

	for (int f = 0; f < FIELD_COUNT; f++)
		if (str_is(name, field_names[f]))
			return f;
	return -1;
}

static bool is_null(const yaml_event_t *e)
{
	struct str text = { (const char *)e->data.scalar.value, e->data.scalar.length };

	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!text.len || str_is(text, "null") || str_is(text, "~") || str_is(text, "Null") ||
		str_is(text, "NULL"));
}

/* What walks over the events: where it is, and which key waits for its value. */
struct walk {
	int depth;     /* containers open */
	bool value;    /* the next event at depth 1 is a value */
	int field;     /* of it, -1 for one that does not count */
	uint32_t line;
	struct mark mark; /* of the last key */
};

static void take_value(struct content *c, struct fields *into, const struct walk *w,
		       const yaml_event_t *e)
{
	if (w->field < 0)
		return;
	into->line[w->field] = w->line;
	into->no_text[w->field] = e->type != YAML_SCALAR_EVENT;
	/* Which of the states counts is known when all are read. */
	if (into->no_text[w->field] && w->field != STATE_ && w->field != WORKFLOW_STATE)
		content_flaw(c, PROBLEM_BAD_FIELD, w->line, -1, "%s is not text",
			     field_names[w->field]);
	else if (!into->no_text[w->field] && !is_null(e))
		into->text[w->field] = arena_str(
			&into->arena, (struct str){ (const char *)e->data.scalar.value,
						    e->data.scalar.length });
}

/* One node of the top mapping: a key, or the value of one. */
static bool take_node(struct content *c, struct matter m, struct fields *into, struct walk *w,
		      const yaml_event_t *e)
{
	if (w->value) {
		take_value(c, into, w, e);
		w->value = false;
		return true;
	}
	if (e->type != YAML_SCALAR_EVENT)
		return yaml_flaw(c, m, e->start_mark.index, "a field's name is not text");
	w->field = find_field(e);
	mark_move(m, &w->mark, e->start_mark.index);
	w->line = w->field < 0 ? 0 : w->mark.line;
	w->value = true;
	if (w->field >= 0 && into->line[w->field])
		return yaml_flaw(c, m, e->start_mark.index, "a field stands twice");
	return true;
}

static bool has_anchor_or_tag(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return e->data.scalar.anchor || e->data.scalar.tag;
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return e->data.sequence_start.anchor || e->data.sequence_start.tag;
	return e->type == YAML_MAPPING_START_EVENT &&
	       (e->data.mapping_start.anchor || e->data.mapping_start.tag);
}

static bool take_event(struct content *c, struct matter m, struct fields *into, struct walk *w,
		       const yaml_event_t *e)
{
	bool opens = e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT;
	bool closes = e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT;

	if (e->type == YAML_ALIAS_EVENT || has_anchor_or_tag(e))
		return yaml_flaw(c, m, e->start_mark.index,
				 "anchors, aliases and tags are not taken");
	if (closes) {
		w->depth--;
		return true;
	}
	if (!opens && e->type != YAML_SCALAR_EVENT)
		return true;
	if (w->depth == 0 && e->type != YAML_MAPPING_START_EVENT)
		return yaml_flaw(c, m, e->start_mark.index, "there are no fields");
	if (w->depth == 1 && !take_node(c, m, into, w, e))
		return false;
	w->depth += opens;
	return w->depth <= NESTING_MAX
		       ? true
		       : yaml_flaw(c, m, e->start_mark.index, "it nests too deeply");
}

static bool read_fields(struct content *c, struct matter m, struct fields *into)
{
	yaml_parser_t parser;
	struct walk walk = { .mark = MARK_BEGIN };
	bool ok = true, done = false;

	BUG_IF(!yaml_parser_initialize(&parser));
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)m.text.at, m.text.len);
	while (ok && !done) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			ok = parse_failed(c, m, &parser);
			break;
		}
		done = event.type == YAML_STREAM_END_EVENT;
		ok = take_event(c, m, into, &walk, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return ok;
}

static enum state named_state(struct content *c, const struct fields *f, enum field which)
{
	int state = word_find(&words_state, f->text[which]);

	if (state >= 0 && state != STATE_UNKNOWN)
		return (enum state)state;
	if (f->no_text[which]) {
		content_flaw(c, PROBLEM_BAD_STATE, f->line[which], -1, "%s is not text",
			     field_names[which]);
		return STATE_UNKNOWN;
	}
	content_flaw(c, PROBLEM_BAD_STATE, f->line[which], -1, "%s is \"%.*s\", which is no state",
		     field_names[which], (int)(f->text[which].len > 64 ? 64 : f->text[which].len),
		     f->text[which].at);
	return STATE_UNKNOWN;
}

/* The older layout names the bucket's word in `status` and calls the end "done". */
static enum state read_state(struct content *c, const struct fields *f, bool slug)
{
	if (!slug && (f->text[STATE_].at || f->no_text[STATE_]))
		return named_state(c, f, STATE_);
	if (f->text[WORKFLOW_STATE].at || f->no_text[WORKFLOW_STATE])
		return named_state(c, f, WORKFLOW_STATE);
	if (str_is(f->text[STATUS_], "closed"))
		return slug ? STATE_DONE : STATE_CLOSED;
	return STATE_PLANNING;
}

static struct str keep(struct content *c, struct str text)
{
	return arena_str(&c->arena, text);
}

/* Most of what an agent keeps is this, once a Ticket: take no byte too many. */
static void keep_item(struct content *c, const struct fields *f, enum state state)
{
	static const enum field kept[] = { SLUG, TITLE, CREATED, UPDATED, QUEUED };
	size_t size = sizeof(struct item);

	for (size_t i = 0; i < COUNT_OF(kept); i++)
		size += f->text[kept[i]].at ? f->text[kept[i]].len + 1 : 0;
	if (!c->arena.chunks)
		arena_reserve(&c->arena, size);
	struct item *item = arena_alloc(&c->arena, sizeof(*item));
	*item = (struct item){ .state = state,
			       .slug = keep(c, f->text[SLUG]),
			       .title = keep(c, f->text[TITLE]),
			       .created_at = keep(c, f->text[CREATED]),
			       .updated_at = keep(c, f->text[UPDATED]),
			       .queued_at = keep(c, f->text[QUEUED]) };
	c->item = item;
}

bool item_is(const struct content *c, struct str bytes, bool slug)
{
	bytes.len = bytes.len > ITEM_HEAD_MAX ? ITEM_HEAD_MAX : bytes.len;
	return c->len == bytes.len && c->hash == (hash_of(bytes) ^ slug);
}

struct content *item_parse(struct str bytes, bool slug)
{
	struct content *c;
	struct matter m;
	struct fields f = { 0 };

	bytes.len = bytes.len > ITEM_HEAD_MAX ? ITEM_HEAD_MAX : bytes.len;
	c = content_new(ROLE_ITEM, bytes);
	c->hash ^= slug;
	if (find_matter(c, bytes, &m) && fit_for_yaml(c, m) && read_fields(c, m, &f))
		keep_item(c, &f, c->unreadable ? STATE_UNKNOWN : read_state(c, &f, slug));
	arena_release(&f.arena);
	return c;
}
