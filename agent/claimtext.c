/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <jansson.h>

#include "base.h"
#include "claims.h"
#include "jsonset.h"
#include "stamp.h"

/* Claims as text, and back. */

static void set_number(json_t *object, const char *name, int64_t value)
{
	if (value)
		json_object_set_new(object, name, json_integer(value));
}

static json_t *claim_json(const struct claim *c)
{
	json_t *object = json_object();

	jsonset_text(object, "ticket", c->ticket);
	jsonset_text(object, "session", c->session);
	jsonset_text(object, "role", c->role);
	jsonset_text(object, "source", c->source);
	set_number(object, "token", (int64_t)c->token);
	jsonset_time(object, "since", c->since);
	set_number(object, "pid", c->pid);
	set_number(object, "born", (int64_t)c->born);
	set_number(object, "ttl", c->ttl);
	set_number(object, "until", c->until);
	if (c->lives == LIVES_LEASE)
		jsonset_time(object, "until_at", c->until_at);
	jsonset_text(object, "pending", c->pending);
	return object;
}

static json_t *end_json(const struct claim_end *e)
{
	json_t *object = claim_json(e->claim);

	jsonset_time(object, "ended_at", e->at);
	jsonset_text(object, "ending", str_of(word(&words_ending, (int)e->how)));
	jsonset_text(object, "by", e->by);
	jsonset_text(object, "reason", e->reason);
	return object;
}

static json_t *path_json(const struct claim_path *p)
{
	json_t *object = json_object();

	jsonset_text(object, "record", p->record);
	jsonset_text(object, "path", p->path);
	return object;
}

static char *line_of(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);

	json_decref(object);
	return text;
}

/* One object a line: somebody may have to read it. */
static void add_line(struct buf *out, size_t n, const char *line)
{
	buf_add_str(out, n ? STR(",\n") : STR("\n"));
	buf_add_str(out, str_of(line));
}

static const char *claim_line(struct claim *c)
{
	if (!c->line)
		c->line = line_of(claim_json(c));
	return c->line;
}

static const char *end_line(struct claim_end *e)
{
	if (!e->line)
		e->line = line_of(end_json(e));
	return e->line;
}

void claims_write(const struct claims *c, const char *boot, struct buf *out)
{
	buf_addf(out, "\"boot\":\"%s\",\"token\":%llu,\n\"claims\":[", boot,
		 (unsigned long long)c->token);
	for (size_t i = 0; i < c->count; i++)
		add_line(out, i, claim_line(c->at[i]));
	buf_add_str(out, STR("],\n\"ended\":["));
	for (size_t i = 0; i < c->end_count; i++)
		add_line(out, i, end_line(c->ends[i]));
	buf_add_str(out, STR("],\n\"paths\":["));
	for (size_t i = 0; i < c->path_count; i++) {
		char *line = line_of(path_json(&c->paths[i]));
		add_line(out, i, line);
		free(line);
	}
	buf_add_str(out, STR("]"));
}

/* -- Back --------------------------------------------------------------- */

static struct str text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value)
		       ? (struct str){ json_string_value(value), json_string_length(value) }
		       : STR_NONE;
}

static int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool time_of(const json_t *object, const char *name, int64_t *us)
{
	return stamp_parse(text_of(object, name), us);
}

/* Borrows from the object. */
static bool claim_of(const json_t *object, struct claim *c)
{
	*c = (struct claim){ .ticket = text_of(object, "ticket"),
			     .session = text_of(object, "session"),
			     .role = text_of(object, "role"),
			     .source = text_of(object, "source"),
			     .pending = text_of(object, "pending"),
			     .token = (uint64_t)number_of(object, "token"),
			     .pid = number_of(object, "pid"),
			     .born = (uint64_t)number_of(object, "born"),
			     .ttl = number_of(object, "ttl"),
			     .until = number_of(object, "until") };
	c->lives = c->pid ? LIVES_PID : LIVES_LEASE;
	/* For people only: where it is not said it is found anew. */
	time_of(object, "until_at", &c->until_at);
	return c->ticket.len && c->session.len && c->token && time_of(object, "since", &c->since) &&
	       (c->pid > 0 || c->until > 0);
}

static bool end_of(const json_t *object, struct claim *c, struct claim_end *e)
{
	int how = word_find(&words_ending, text_of(object, "ending"));

	*e = (struct claim_end){ .how = (enum ending)how,
				 .by = text_of(object, "by"),
				 .reason = text_of(object, "reason") };
	return claim_of(object, c) && how >= 0 && time_of(object, "ended_at", &e->at);
}

static bool read_claims(const json_t *list, struct claims *into)
{
	struct claim claim;
	size_t i;
	json_t *row;

	if (!json_is_array(list) || json_array_size(list) > CLAIMS_MAX)
		return false;
	json_array_foreach(list, i, row) if (!claim_of(row, &claim) || claim.token > into->token ||
					     !claims_put_back(into, &claim)) return false;
	return true;
}

static bool read_ends(const json_t *list, struct claims *into)
{
	struct claim claim;
	struct claim_end end;
	size_t i;
	json_t *row;

	if (!json_is_array(list) || json_array_size(list) > CLAIM_ENDS_MAX)
		return false;
	json_array_foreach(list, i, row)
	{
		if (!end_of(row, &claim, &end))
			return false;
		claims_put_end_back(into, &claim, &end);
	}
	return true;
}

static bool read_paths(const json_t *list, struct claims *into)
{
	size_t i;
	json_t *row;

	if (!json_is_array(list) || json_array_size(list) > CLAIM_PATHS_MAX)
		return false;
	json_array_foreach(list, i, row)
	{
		struct str record = text_of(row, "record"), path = text_of(row, "path");
		if (!record.len || !path.len)
			return false;
		claims_remember_path(into, record, path);
	}
	return true;
}

bool claims_read(struct str text, char boot[40], struct claims **into, struct fault *why)
{
	json_error_t error;
	json_t *object = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &error);
	struct str named = text_of(object, "boot");
	int64_t token = number_of(object, "token");
	struct claims *c = claims_new((uint64_t)token);

	bool ok = named.len && named.len < 40 && token > 0;
	/* The ends first: a claim must not be there twice. */
	ok = ok && read_ends(json_object_get(object, "ended"), c) &&
	     read_claims(json_object_get(object, "claims"), c) &&
	     read_paths(json_object_get(object, "paths"), c);
	if (ok) {
		memcpy(boot, named.at, named.len);
		boot[named.len] = '\0';
		*into = c;
	} else {
		claims_free(c);
		fault(why, FAULT_INVALID, "it does not say what a registry of claims says");
	}
	json_decref(object);
	return ok;
}
