/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <jansson.h>

#include "base.h"

struct form {
	const char *place;
	const char *key; /* of the servers in JSON; NULL: TOML */
	bool typed;      /* a server says that it speaks on standard input and output */
};

static const struct form forms[] = {
	[HOST_CLAUDE_CODE] = { ".mcp.json at the checkout's top; the host asks once whether it may "
			       "run it",
			       "mcpServers", true },
	[HOST_CODEX] = { "~/.codex/config.toml", NULL, false },
	[HOST_CURSOR] = { ".cursor/mcp.json at the checkout's top", "mcpServers", false },
	[HOST_VSCODE] = { ".vscode/mcp.json at the checkout's top", "servers", true },
};

static const char *role(bool read_only)
{
	return read_only ? "companion" : "orchestrator";
}

static void add_toml(bool read_only, struct buf *out)
{
	buf_addf(out,
		 "[mcp_servers.ticketplan]\n"
		 "command = \"tpctl\"\n"
		 "args = [\"mcp\"%s]\n"
		 "tool_timeout_sec = 60\n"
		 "\n"
		 "[mcp_servers.ticketplan.env]\n"
		 "TP_AUTHOR = \"%s\"\n",
		 read_only ? ", \"--read-only\"" : "", role(read_only));
}

static void add_json(const struct form *form, bool read_only, struct buf *out)
{
	json_t *args = json_pack("[s]", "mcp"), *server = json_object();

	if (read_only)
		json_array_append_new(args, json_string("--read-only"));
	if (form->typed)
		json_object_set_new(server, "type", json_string("stdio"));
	json_object_set_new(server, "command", json_string("tpctl"));
	json_object_set_new(server, "args", args);
	json_object_set_new(server, "env", json_pack("{s:s}", "TP_AUTHOR", role(read_only)));
	json_t *all = json_pack("{s:{s:o}}", form->key, "ticketplan", server);
	char *text = json_dumps(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	BUG_IF(!text);
	buf_addf(out, "%s\n", text);
	free(text);
	json_decref(all);
}

void host_config(enum host host, bool read_only, struct buf *out)
{
	BUG_IF((size_t)host >= COUNT_OF(forms));
	if (forms[host].key)
		add_json(&forms[host], read_only, out);
	else
		add_toml(read_only, out);
}

const char *host_place(enum host host)
{
	BUG_IF((size_t)host >= COUNT_OF(forms));
	return forms[host].place;
}
