/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include "base.h"

static bool id_char(char c, bool first)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return !first && (c == '.' || c == '_' || c == '-');
}

bool layout_id_ok(struct str id)
{
	if (!id.len || id.len > 128)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!id_char(id.at[i], i == 0))
			return false;
	return true;
}

static bool is_bucket(struct str name)
{
	return str_is(name, "open") || str_is(name, "pending") || str_is(name, "closed");
}

static enum role ticket_role(struct str name)
{
	if (layout_id_ok(name))
		return ROLE_TICKET;
	return name.len && name.at[0] == '.' ? ROLE_NONE : ROLE_BAD;
}

static enum role artifact_role(struct str name)
{
	if (str_is(name, "records"))
		return ROLE_RECORDS;
	if (str_is(name, "orchestration-plan.jsonl"))
		return ROLE_PLAN;
	return str_is(name, "relations.json") ? ROLE_RELATIONS : ROLE_NONE;
}

/* Editors and we ourselves write temporary names that begin with a dot or lack the ending. */
static enum role record_role(struct str name)
{
	return name.at[0] != '.' && name.len > 5 && str_ends(name, STR(".json")) ? ROLE_RECORD
										  : ROLE_NONE;
}

enum role layout_role(enum role parent, struct str name)
{
	switch (parent) {
	case ROLE_ROOT:
		return is_bucket(name) ? ROLE_BUCKET : ticket_role(name);
	case ROLE_BUCKET:
		return ticket_role(name);
	case ROLE_TICKET:
		if (str_is(name, "artifacts"))
			return ROLE_ARTIFACTS;
		return str_is(name, "item.md") ? ROLE_ITEM : ROLE_NONE;
	case ROLE_ARTIFACTS:
		return artifact_role(name);
	case ROLE_RECORDS:
		return record_role(name);
	case ROLE_NONE:
	case ROLE_BAD:
	case ROLE_ITEM:
	case ROLE_PLAN:
	case ROLE_RELATIONS:
	case ROLE_RECORD:
		break;
	}
	return ROLE_NONE;
}

const char *const *layout_names(enum role folder)
{
	static const char *const ticket[] = { "item.md", "artifacts", NULL };
	static const char *const artifacts[] = { "orchestration-plan.jsonl", "relations.json",
						 "records", NULL };

	return folder == ROLE_TICKET ? ticket : folder == ROLE_ARTIFACTS ? artifacts : NULL;
}

/* The first component of a path; *rest is what follows its slash. */
static struct str component(struct str path, struct str *rest)
{
	const char *slash = path.len ? memchr(path.at, '/', path.len) : NULL;

	if (!slash) {
		*rest = STR_NONE;
		return path;
	}
	size_t n = (size_t)(slash - path.at);
	*rest = (struct str){ slash + 1, path.len - n - 1 };
	return (struct str){ path.at, n };
}

bool layout_split(struct str path, struct spot *spot)
{
	struct str rest, first = component(path, &rest);

	*spot = (struct spot){ .ticket = first, .slug = is_bucket(first) };
	if (spot->slug)
		spot->ticket = component(rest, &rest);
	if (!spot->ticket.len)
		return false;
	spot->dir = (struct str){ path.at, (size_t)(spot->ticket.at + spot->ticket.len - path.at) };
	spot->file = rest;
	return true;
}

char *layout_record(const char *folder, const char *name)
{
	return xconcat(folder, "/artifacts/records/", name, NULL);
}
