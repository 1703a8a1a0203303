/* SPDX-License-Identifier: MIT */
#include "tools.h"

#include <string.h>

#include "base.h"
#include "describe.h"
#include "json.h"
#include "stamp.h"

/* Of a page: unless more or less is asked for, and what a result has place for. */
#define BYTES_USUAL 20000
#define BYTES_MAX   60000
/* Hosts give up on a tool after about a minute: waiting ends before. */
#define WAIT_USUAL_MS 20000
#define WAIT_MAX_MS   50000
/* How long an agent may take to answer, beside what it was told to wait. */
#define PATIENCE_MS 10000

static const struct tool tools[] = {
#define TOOL(name, method, unlisted) { name, RPC_##method, unlisted },
#define ADVICE(...)
#include "tools.def"
#undef TOOL
#undef ADVICE
};

static const char *const advice[FAULT_COUNT] = {
#define TOOL(...)
#define ADVICE(id, text) [FAULT_##id] = text,
#include "tools.def"
#undef TOOL
#undef ADVICE
};

const struct tool *tool_at(size_t n)
{
	return n < COUNT_OF(tools) ? &tools[n] : NULL;
}

const struct tool *tool_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(tools); i++)
		if (str_is(name, tools[i].name))
			return &tools[i];
	return NULL;
}

bool tool_writes(const struct tool *tool)
{
	return rpc_method(tool->method)->access == RPC_WRITE;
}

const char *tool_advice(enum fault_code code)
{
	return advice[code] ? advice[code] : fault_hint(code);
}

/* -- How a tool is described -------------------------------------------- */

/* A choice of types is more than the interfaces of some models take; text says it all. */
static void simplify(const struct tool *tool, json_t *properties)
{
	for (const struct rpc_field *f = rpc_method(tool->method)->params; f->name; f++)
		if (f->type == RPC_DURATION)
			json_object_set_new(json_object_get(properties, f->name), "type",
					    json_string("string"));
}

static json_t *input_schema(const struct tool *tool)
{
	json_t *schema = describe_params(rpc_method(tool->method));
	json_t *properties = json_object_get(schema, "properties");

	simplify(tool, properties);
	for (const char *at = tool->unlisted; *at;) {
		size_t len = strcspn(at, " ");
		char *name = xstrndup(at, len);
		BUG_IF(json_object_del(properties, name) < 0);
		free(name);
		at += len + strspn(at + len, " ");
	}
	if (!json_array_size(json_object_get(schema, "required")))
		json_object_del(schema, "required");
	return schema;
}

/* What surely stands in an answer, and no more: this is read by programs, and costs a model. */
static json_t *output_schema(const struct tool *tool)
{
	json_t *required = json_array();

	for (const struct rpc_field *f = shape(rpc_method(tool->method)->returns)->fields; f->name;
	     f++)
		if (f->required)
			json_array_append_new(required, json_string(f->name));
	return json_pack("{s:s, s:o}", "type", "object", "required", required);
}

/* Nothing is ever destroyed: what was recorded stays, and is taken back by another record. */
static json_t *hints(const struct tool *tool)
{
	if (!tool_writes(tool))
		return json_pack("{s:b}", "readOnlyHint", 1);
	return json_pack("{s:b, s:b, s:b}", "readOnlyHint", 0, "destructiveHint", 0,
			 "openWorldHint", 0);
}

/* What a method does, without the remark behind it. */
static json_t *description(const struct tool *tool)
{
	const char *summary = rpc_method(tool->method)->summary;
	size_t len = strcspn(summary, ";");

	return json_sprintf("%.*s%s", (int)len, summary, summary[len] ? "." : "");
}

json_t *tool_describe(const struct tool *tool)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", tool->name, "description",
			 description(tool), "inputSchema", input_schema(tool),
			 "outputSchema", output_schema(tool), "annotations", hints(tool));
}

/* -- Arguments ---------------------------------------------------------- */

static bool takes(const struct tool *tool, const char *name)
{
	unsigned at;

	return rpc_field_find(rpc_method(tool->method)->params, str_of(name), &at) != NULL;
}

static bool only_known(const struct tool *tool, json_t *arguments, struct fault *why)
{
	const struct rpc_field *f = rpc_method(tool->method)->params;
	const char *name;
	json_t *value;

	json_object_foreach(arguments, name, value)
	{
		if (takes(tool, name))
			continue;
		fault(why, FAULT_BAD_ARGUMENT, "%s takes no argument \"%.60s\", but:", tool->name,
		      name);
		for (; f->name; f++) {
			size_t used = strlen(why->text);
			snprintf(why->text + used, sizeof(why->text) - used, " %s", f->name);
		}
		return false;
	}
	return true;
}

static void bound_bytes(const struct tool *tool, json_t *arguments)
{
	json_t *said = json_object_get(arguments, "max_bytes");

	if (!said && takes(tool, "cursor"))
		json_object_set_new(arguments, "max_bytes", json_integer(BYTES_USUAL));
	else if (json_integer_value(said) > BYTES_MAX)
		json_object_set_new(arguments, "max_bytes", json_integer(BYTES_MAX));
}

/* What it was told to wait, else the usual; never longer than a host would. */
static void bound_wait(json_t *arguments, int64_t *patience_ms)
{
	json_t *said = json_object_get(arguments, "timeout");
	int64_t wait_ms = WAIT_USUAL_MS;

	if (json_is_integer(said) && json_integer_value(said) >= 0)
		wait_ms = json_integer_value(said) < WAIT_MAX_MS / 1000
				  ? json_integer_value(said) * 1000
				  : WAIT_MAX_MS;
	else if (json_is_string(said) && !span_parse(text_of(arguments, "timeout"), &wait_ms))
		return; /* for the agent to refuse */
	else if (said && !json_is_string(said) && !json_is_integer(said))
		return;
	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	json_object_set_new(arguments, "timeout", json_sprintf("%lldms", (long long)wait_ms));
	*patience_ms += wait_ms;
}

bool tool_prepare(const struct tool *tool, json_t *arguments, int64_t *patience_ms,
		  struct fault *why)
{
	*patience_ms = PATIENCE_MS;
	if (!only_known(tool, arguments, why))
		return false;
	if (takes(tool, "max_bytes"))
		bound_bytes(tool, arguments);
	if (takes(tool, "timeout"))
		bound_wait(arguments, patience_ms);
	return true;
}
