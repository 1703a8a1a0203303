/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base.h"
#include "describe.h"
#include "fault.h"

static json_t *schema;

static int make_schema(void **state)
{
	(void)state;
	schema = describe_schema();
	return schema ? 0 : -1;
}

static int drop_schema(void **state)
{
	(void)state;
	json_decref(schema);
	return 0;
}

/* The method of that name in the schema. */
static json_t *method_of(const char *name)
{
	json_t *methods = json_object_get(schema, "methods"), *method;
	size_t i;

	json_array_foreach(methods, i,
			   method) if (strcmp(json_string_value(json_object_get(method, "name")),
					      name) == 0) return method;
	fail_msg("%s is not in the schema", name);
	return NULL;
}

static bool list_has(const json_t *list, const char *text)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one) if (strcmp(json_string_value(one), text) == 0) return true;
	return false;
}

static void the_schema_names_every_method_once(void **state)
{
	(void)state;

	assert_int_equal(json_array_size(json_object_get(schema, "methods")), RPC_COUNT);
	for (enum rpc_id id = 0; id < RPC_COUNT; id++) {
		const struct rpc_method *m = rpc_method(id);
		json_t *got = method_of(m->name);
		const char *access = json_string_value(json_object_get(got, "access"));
		assert_string_equal(access, m->access == RPC_WRITE ? "write" : "read");
		assert_string_equal(json_string_value(json_object_get(got, "kind")), m->kind);
	}
}

/* Where help and manual have the sentence, the schema has the numbers. */
static void the_range_of_a_number_is_in_its_sentence_and_in_the_schema(void **state)
{
	size_t ranges = 0;
	char text[100];

	(void)state;
	for (enum rpc_id id = 0; id < RPC_COUNT; id++) {
		const struct rpc_field *f = rpc_method(id)->params;
		json_t *params = json_object_get(method_of(rpc_method(id)->name), "params");
		for (; f->name; f++) {
			json_t *one = json_object_get(json_object_get(params, "properties"), f->name);
			json_int_t least = json_integer_value(json_object_get(one, "minimum"));
			json_int_t most = json_integer_value(json_object_get(one, "maximum"));
			assert_true(least == f->range.least && most == f->range.most);
			assert_true(strcmp(f->name, "limit") != 0 || least == 1);
			snprintf(text, sizeof(text), "from %lld to %lld", (long long)least,
				 (long long)most);
			assert_true(!most || strstr(f->doc, text));
			ranges += most != 0;
		}
	}
	assert_true(ranges >= 9);
}

static void every_parameter_has_a_type_and_a_meaning(void **state)
{
	(void)state;

	for (enum rpc_id id = 0; id < RPC_COUNT; id++) {
		const struct rpc_field *f = rpc_method(id)->params;
		json_t *params = json_object_get(method_of(rpc_method(id)->name), "params");
		json_t *properties = json_object_get(params, "properties");
		for (; f->name; f++) {
			json_t *one = json_object_get(properties, f->name);
			assert_non_null(json_object_get(one, "type"));
			assert_string_equal(json_string_value(json_object_get(one, "description")),
					    f->doc);
			assert_int_equal(list_has(json_object_get(params, "required"), f->name),
					 f->required);
		}
		assert_int_equal(json_object_size(properties), f - rpc_method(id)->params);
	}
}

static void the_schema_has_every_shape(void **state)
{
	(void)state;
	json_t *shapes = json_object_get(schema, "shapes");

	assert_int_equal(json_object_size(shapes), SHAPE_COUNT);
	for (enum shape_id id = 0; id < SHAPE_COUNT; id++) {
		json_t *one = json_object_get(shapes, shape(id)->name), *alone = describe_shape(id);
		assert_true(json_equal(one, alone));
		json_decref(alone);
	}
}

/* Count the references below a value; each must lead to a shape. */
static size_t resolve_all(json_t *at)
{
	size_t count = 0, i;
	json_t *value;
	const char *key;

	json_array_foreach(at, i, value) count += resolve_all(value);
	json_object_foreach(at, key, value)
	{
		if (strcmp(key, "$ref") != 0) {
			count += resolve_all(value);
			continue;
		}
		const char *ref = json_string_value(value);
		assert_non_null(ref);
		assert_int_equal(strncmp(ref, "#/shapes/", 9), 0);
		if (!json_object_get(json_object_get(schema, "shapes"), ref + 9))
			fail_msg("%s leads nowhere", ref);
		count++;
	}
	return count;
}

static void every_reference_leads_to_a_shape(void **state)
{
	(void)state;
	size_t expected = RPC_COUNT + TOPIC_COUNT;

	for (enum shape_id id = 0; id < SHAPE_COUNT; id++)
		for (const struct rpc_field *f = shape(id)->fields; f->name; f++)
			expected += f->type == RPC_OBJECT || f->type == RPC_LIST;
	assert_int_equal(resolve_all(schema), expected);
}

static void every_set_of_words_is_listed(void **state)
{
	(void)state;
	json_t *all = json_object_get(schema, "words");

	assert_int_equal(json_array_size(json_object_get(all, "kind")), KIND_COUNT);
	assert_int_equal(json_array_size(json_object_get(all, "reason")), REASON_NONE);
	assert_int_equal(json_array_size(json_object_get(all, "problem")), PROBLEM_COUNT);
	for (enum shape_id id = 0; id < SHAPE_COUNT; id++)
		for (const struct rpc_field *f = shape(id)->fields; f->name; f++)
			for (int i = 0; f->words && i < f->words->count; i++)
				assert_true(list_has(json_object_get(all, f->words->name),
						     f->words->list[i].name));
}

static void every_error_is_listed_with_its_exit_status(void **state)
{
	(void)state;
	json_t *errors = json_object_get(schema, "errors");

	assert_int_equal(json_array_size(errors), FAULT_COUNT);
	for (enum fault_code code = 0; code < FAULT_COUNT; code++) {
		json_t *one = json_array_get(errors, code);
		assert_string_equal(json_string_value(json_object_get(one, "code")),
				    fault_name(code));
		assert_int_equal(json_integer_value(json_object_get(one, "exit")),
				 fault_exit(code));
	}
}

static void parameters_say_what_they_take(void **state)
{
	(void)state;
	json_t *params = json_object_get(method_of("record.add"), "params");
	json_t *properties = json_object_get(params, "properties");
	json_t *kind = json_object_get(properties, "kind");
	json_t *dangling = json_object_get(properties, "dangling");
	json_t *alone = describe_params(rpc_method(RPC_record_add));

	assert_true(list_has(json_object_get(kind, "enum"), "blocked_by"));
	assert_false(list_has(json_object_get(kind, "enum"), "dependency_of"));
	assert_string_equal(json_string_value(json_object_get(dangling, "type")), "boolean");
	assert_true(json_equal(params, alone));
	json_decref(alone);
}

/* What a function prints, on a stream of its own. */
static char *printed(void (*print)(FILE *to))
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	print(to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void print_record_add(FILE *to)
{
	describe_method(to, rpc_method(RPC_record_add));
}

static void a_method_is_described_for_a_terminal(void **state)
{
	(void)state;
	char *text = printed(print_record_add);

	assert_true(str_starts(str_of(text), STR("record.add (write): ")));
	for (const struct rpc_field *f = rpc_method(RPC_record_add)->params; f->name; f++) {
		char *line = xasprintf("\n  %-10s %s", f->name, rpc_type_name(f->type));
		assert_non_null(strstr(text, line));
		free(line);
	}
	assert_non_null(strstr(text, "Ticket, required. "));
	assert_non_null(strstr(text, " One of: before, after, "));
	assert_non_null(strstr(text, "\n  answers with record_answer: "));
	free(text);
}

static void the_manual_names_every_method_shape_and_error(void **state)
{
	(void)state;
	char *text = printed(describe_mdoc), *line;

	for (enum rpc_id id = 0; id < RPC_COUNT; id++) {
		line = xasprintf("\n.It Ic %s\n", rpc_method(id)->name);
		assert_non_null(strstr(text, line));
		free(line);
	}
	for (enum shape_id id = 0; id < SHAPE_COUNT; id++) {
		line = xasprintf("\n.It Vt %s\n", shape(id)->name);
		assert_non_null(strstr(text, line));
		free(line);
	}
	for (enum fault_code code = 0; code < FAULT_COUNT; code++) {
		line = xasprintf("\n.It Er %s\n", fault_name(code));
		assert_non_null(strstr(text, line));
		free(line);
	}
	free(text);
}

/* Of the manual around the sections, no more than mandoc asks for. */
static void print_manual(FILE *to)
{
	fputs(".Dd January 31, 2026\n.Dt TICKETPLAN-PROTOCOL 7\n.Os\n.Sh NAME\n"
	      ".Nm ticketplan-protocol\n.Nd the protocol\n",
	      to);
	describe_mdoc(to);
}

/* Where mandoc is not installed there is nobody to ask, and nothing is said. */
static void mandoc_has_nothing_to_warn_of(void **state)
{
	(void)state;
	char name[] = "/tmp/ticketplan-manual-XXXXXX", said[4096];
	char *text = printed(print_manual);
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	char *command = xasprintf("! command -v mandoc >/dev/null || "
				  "mandoc -Tlint -W warning %s 2>&1",
				  name);
	FILE *mandoc = popen(command, "r");
	assert_non_null(mandoc);
	said[fread(said, 1, sizeof(said) - 1, mandoc)] = '\0';
	int status = pclose(mandoc);
	unlink(name);
	free(command);
	free(text);
	assert_string_equal(said, "");
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schema_names_every_method_once),
		cmocka_unit_test(every_parameter_has_a_type_and_a_meaning),
		cmocka_unit_test(the_range_of_a_number_is_in_its_sentence_and_in_the_schema),
		cmocka_unit_test(the_schema_has_every_shape),
		cmocka_unit_test(every_reference_leads_to_a_shape),
		cmocka_unit_test(every_set_of_words_is_listed),
		cmocka_unit_test(every_error_is_listed_with_its_exit_status),
		cmocka_unit_test(parameters_say_what_they_take),
		cmocka_unit_test(a_method_is_described_for_a_terminal),
		cmocka_unit_test(the_manual_names_every_method_shape_and_error),
		cmocka_unit_test(mandoc_has_nothing_to_warn_of),
	};

	return cmocka_run_group_tests(tests, make_schema, drop_schema);
}
