/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include <stdlib.h>

#include "base.h"
#include "fault.h"

static json_t *text(const char *s)
{
	return json_string(s);
}

static json_t *words_list(const struct words *words)
{
	json_t *list = json_array();

	for (int i = 0; i < words->count; i++)
		json_array_append_new(list, text(words->list[i].name));
	return list;
}

static json_t *word_schema(const struct words *words)
{
	return json_pack("{s:s, s:o}", "type", "string", "enum", words_list(words));
}

static json_t *list_of(json_t *items)
{
	return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *object_ref(enum shape_id id)
{
	char *ref = xasprintf("#/shapes/%s", shape(id)->name);
	json_t *schema = json_pack("{s:s}", "$ref", ref);

	free(ref);
	return schema;
}

static json_t *integer_schema(const struct rpc_range *range)
{
	if (!range->most)
		return json_pack("{s:s}", "type", "integer");
	return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)range->least,
			 "maximum", (json_int_t)range->most);
}

static json_t *type_schema(const struct rpc_field *f)
{
	switch (f->type) {
	case RPC_STR:
	case RPC_ID:
		return json_pack("{s:s}", "type", "string");
	case RPC_TIME:
		return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
	case RPC_DURATION:
		return json_pack("{s:[s,s]}", "type", "string", "integer");
	case RPC_INT:
		return integer_schema(&f->range);
	case RPC_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case RPC_ENUM:
		return word_schema(f->words);
	case RPC_ENUMS:
		return list_of(word_schema(f->words));
	case RPC_STRS:
		return list_of(json_pack("{s:s}", "type", "string"));
	case RPC_OBJECT:
		return object_ref(f->shape);
	case RPC_LIST:
		return list_of(object_ref(f->shape));
	}
	bug_at(__FILE__, __LINE__, "a type without a schema");
}

static json_t *fields_schema(const struct rpc_field *fields)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct rpc_field *f = fields; f->name; f++) {
		json_t *schema = type_schema(f);
		json_object_set_new(schema, "description", text(f->doc));
		json_object_set_new(properties, f->name, schema);
		if (f->required)
			json_array_append_new(required, text(f->name));
	}
	return json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required",
			 required);
}

json_t *describe_params(const struct rpc_method *method)
{
	return fields_schema(method->params);
}

json_t *describe_shape(enum shape_id id)
{
	json_t *schema = fields_schema(shape(id)->fields);

	json_object_set_new(schema, "description", text(shape(id)->doc));
	return schema;
}

static json_t *method_json(const struct rpc_method *m)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s}", "name", m->name, "access",
			 m->access == RPC_READ ? "read" : "write", "summary", m->summary, "params",
			 describe_params(m), "returns", object_ref(m->returns), "kind", m->kind,
			 "returns_description", m->returns_doc);
}

static json_t *topic_json(const struct rpc_topic *t)
{
	return json_pack("{s:s, s:o, s:s}", "name", t->name, "params", object_ref(t->shape),
			 "description", t->doc);
}

static json_t *words_json(void)
{
	json_t *all = json_object();

#define WORDS(SET, set, doc) json_object_set_new(all, #set, words_list(&words_##set));
#define WORD(...)
#define WORDS_END(SET)
#include "words.def"
#undef WORDS
#undef WORD
#undef WORDS_END
	json_object_set_new(all, "kind", words_list(&words_kind));
	json_object_set_new(all, "reason", words_list(&words_reason));
	json_object_set_new(all, "problem", words_list(&words_problem));
	return all;
}

static json_t *faults_json(void)
{
	json_t *all = json_array();

	for (enum fault_code code = 0; code < FAULT_COUNT; code++)
		json_array_append_new(all,
				      json_pack("{s:s, s:i, s:b, s:s}", "code", fault_name(code),
						"exit", fault_exit(code), "retryable",
						fault_retryable(code), "hint", fault_hint(code)));
	return all;
}

json_t *describe_schema(void)
{
	json_t *methods = json_array(), *topics = json_array(), *shapes = json_object();

	for (enum rpc_id id = 0; id < RPC_COUNT; id++)
		json_array_append_new(methods, method_json(rpc_method(id)));
	for (enum topic_id id = 0; id < TOPIC_COUNT; id++)
		json_array_append_new(topics, topic_json(rpc_topic(id)));
	for (enum shape_id id = 0; id < SHAPE_COUNT; id++)
		json_object_set_new(shapes, shape(id)->name, describe_shape(id));
	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "schema", 1, "methods", methods,
			 "notifications", topics, "shapes", shapes, "words", words_json(), "errors",
			 faults_json());
}

static void print_words(FILE *to, const struct words *words, const char *before)
{
	for (int i = 0; i < words->count; i++)
		fprintf(to, "%s%s", i ? ", " : before, words->list[i].name);
}

void describe_method(FILE *to, const struct rpc_method *m)
{
	fprintf(to, "%s (%s): %s\n", m->name, m->access == RPC_READ ? "read" : "write", m->summary);
	for (const struct rpc_field *f = m->params; f->name; f++) {
		fprintf(to, "  %-10s %s%s. %s", f->name, rpc_type_name(f->type),
			f->required ? ", required" : "", f->doc);
		if (f->words)
			print_words(to, f->words, " One of: ");
		fputc('\n', to);
	}
	fprintf(to, "  answers with %s: %s\n", shape(m->returns)->name, m->returns_doc);
}

/* Columns of a line of a manual's source. */
#define MDOC_WIDTH 78

static void mdoc_word(FILE *to, const char *word, const char *end)
{
	for (; word < end; word++)
		if (*word == '\\')
			fputs("\\e", to);
		else
			fputc(*word, to);
}

/* A sentence a line, as mdoc likes it, wrapped, and nothing that it takes for a request. */
void describe_mdoc_text(FILE *to, const char *text)
{
	size_t column = 0;

	for (const char *word = text, *end; *word; word = end + strspn(end, " ")) {
		end = word + strcspn(word, " ");
		size_t len = (size_t)(end - word);
		bool first = !column || column + 1 + len > MDOC_WIDTH;
		if (column)
			fputc(first ? '\n' : ' ', to);
		if (first && strchr(".'", *word))
			fputs("\\&", to);
		column = (first ? 0 : column + 1) + len;
		mdoc_word(to, word, end);
		if (strchr(".!?", end[-1])) {
			fputc('\n', to);
			column = 0;
		}
	}
	if (column)
		fputc('\n', to);
}

static void mdoc_one_of(FILE *to, const struct words *words)
{
	char *text = NULL;
	size_t len;
	FILE *list = open_memstream(&text, &len);

	BUG_IF(!list);
	print_words(list, words, "One of: ");
	fputc('.', list);
	fclose(list);
	describe_mdoc_text(to, text);
	free(text);
}

static void mdoc_fields(FILE *to, const struct rpc_field *fields)
{
	if (!fields->name)
		return;
	fputs(".Bl -tag -width Ds -compact\n", to);
	for (const struct rpc_field *f = fields; f->name; f++) {
		fprintf(to, ".It Va %s\n%s", f->name, rpc_type_name(f->type));
		if (f->shape != SHAPE_COUNT)
			fprintf(to, " of %s", shape(f->shape)->name);
		fprintf(to, "%s.\n", f->required ? "" : ", optional");
		describe_mdoc_text(to, f->doc);
		if (f->words)
			mdoc_one_of(to, f->words);
	}
	fputs(".El\n", to);
}

void describe_mdoc_words(FILE *to, const struct words *words)
{
	fputs(".Bl -tag -width Ds -compact\n", to);
	for (int i = 0; i < words->count; i++) {
		fprintf(to, ".It Li %s\n", words->list[i].name);
		describe_mdoc_text(to, words->list[i].doc);
	}
	fputs(".El\n", to);
}

static void mdoc_set(FILE *to, const struct words *words)
{
	fprintf(to, ".It Cm %s\n%s:\n", words->name, words->doc);
	describe_mdoc_words(to, words);
}

static void mdoc_sets(FILE *to)
{
	fputs(".Sh WORDS\n.Bl -tag -width Ds\n", to);
	mdoc_set(to, &words_kind);
	mdoc_set(to, &words_reason);
	mdoc_set(to, &words_problem);
#define WORDS(SET, set, doc) mdoc_set(to, &words_##set);
#define WORD(...)
#define WORDS_END(SET)
#include "words.def"
#undef WORDS
#undef WORD
#undef WORDS_END
	fputs(".El\n", to);
}

static void mdoc_faults(FILE *to)
{
	fputs(".Sh DIAGNOSTICS\n.Bl -tag -width Ds\n", to);
	for (enum fault_code code = 0; code < FAULT_COUNT; code++) {
		fprintf(to, ".It Er %s\nExit status %d of\n.Xr tpctl 1 .\nRemedy:\n",
			fault_name(code), fault_exit(code));
		describe_mdoc_text(to, fault_hint(code));
	}
	fputs(".El\n", to);
}

void describe_mdoc(FILE *to)
{
	fputs(".Sh METHODS\n.Bl -tag -width Ds\n", to);
	for (enum rpc_id id = 0; id < RPC_COUNT; id++) {
		const struct rpc_method *m = rpc_method(id);
		fprintf(to, ".It Ic %s\n", m->name);
		describe_mdoc_text(to, m->summary);
		if (m->access == RPC_WRITE)
			fputs("It writes.\n", to);
		mdoc_fields(to, m->params);
		fprintf(to, "Answers with %s:\n", shape(m->returns)->name);
		describe_mdoc_text(to, m->returns_doc);
	}
	fputs(".El\n.Sh NOTIFICATIONS\n.Bl -tag -width Ds\n", to);
	for (enum topic_id id = 0; id < TOPIC_COUNT; id++)
		fprintf(to, ".It Ic %s\n%s\nCarries %s.\n", rpc_topic(id)->name, rpc_topic(id)->doc,
			shape(rpc_topic(id)->shape)->name);
	fputs(".El\n.Sh ANSWERS\n.Bl -tag -width Ds\n", to);
	for (enum shape_id id = 0; id < SHAPE_COUNT; id++) {
		fprintf(to, ".It Vt %s\n", shape(id)->name);
		describe_mdoc_text(to, shape(id)->doc);
		mdoc_fields(to, shape(id)->fields);
	}
	fputs(".El\n", to);
	mdoc_sets(to);
	mdoc_faults(to);
}
