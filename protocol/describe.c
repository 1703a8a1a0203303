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
		return json_pack("{s:s}", "type", "integer");
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
		json_array_append_new(all, json_pack("{s:s, s:i, s:b, s:s}", "code", fault_name(code),
						     "exit", fault_exit(code), "retryable",
						     fault_retryable(code), "hint", fault_hint(code)));
	return all;
}

json_t *describe_schema(void)
{
	json_t *methods = json_array(), *shapes = json_object();

	for (enum rpc_id id = 0; id < RPC_COUNT; id++)
		json_array_append_new(methods, method_json(rpc_method(id)));
	for (enum shape_id id = 0; id < SHAPE_COUNT; id++)
		json_object_set_new(shapes, shape(id)->name, describe_shape(id));
	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "schema", 1, "methods", methods, "shapes", shapes,
			 "words", words_json(), "errors", faults_json());
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

static void mdoc_fields(FILE *to, const struct rpc_field *fields)
{
	if (!fields->name)
		return;
	fputs(".Bl -tag -width Ds -compact\n", to);
	for (const struct rpc_field *f = fields; f->name; f++) {
		fprintf(to, ".It Va %s\n%s", f->name, rpc_type_name(f->type));
		if (f->shape != SHAPE_COUNT)
			fprintf(to, " of %s", shape(f->shape)->name);
		fprintf(to, "%s.\n%s\n", f->required ? "" : ", optional", f->doc);
		if (f->words) {
			print_words(to, f->words, "One of: ");
			fputs(".\n", to);
		}
	}
	fputs(".El\n", to);
}

static void mdoc_words(FILE *to, const struct words *words)
{
	fprintf(to, ".It Cm %s\n%s:\n.Bl -tag -width Ds -compact\n", words->name, words->doc);
	for (int i = 0; i < words->count; i++)
		fprintf(to, ".It Li %s\n%s\n", words->list[i].name, words->list[i].doc);
	fputs(".El\n", to);
}

void describe_mdoc(FILE *to)
{
	fputs(".Sh METHODS\n.Bl -tag -width Ds\n", to);
	for (enum rpc_id id = 0; id < RPC_COUNT; id++) {
		const struct rpc_method *m = rpc_method(id);
		fprintf(to, ".It Ic %s\n%s\n", m->name, m->summary);
		mdoc_fields(to, m->params);
		fprintf(to, "Answers with %s: %s\n", shape(m->returns)->name, m->returns_doc);
	}
	fputs(".El\n.Sh ANSWERS\n.Bl -tag -width Ds\n", to);
	for (enum shape_id id = 0; id < SHAPE_COUNT; id++) {
		fprintf(to, ".It Vt %s\n%s\n", shape(id)->name, shape(id)->doc);
		mdoc_fields(to, shape(id)->fields);
	}
	fputs(".El\n.Sh WORDS\n.Bl -tag -width Ds\n", to);
	mdoc_words(to, &words_kind);
	mdoc_words(to, &words_reason);
	mdoc_words(to, &words_problem);
	fputs(".El\n.Sh DIAGNOSTICS\n.Bl -tag -width Ds\n", to);
	for (enum fault_code code = 0; code < FAULT_COUNT; code++)
		fprintf(to, ".It Er %s\nExit status %d of\n.Xr tpctl 1 .\nRemedy: %s.\n",
			fault_name(code), fault_exit(code), fault_hint(code));
	fputs(".El\n", to);
}
