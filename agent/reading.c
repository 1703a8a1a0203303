/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include <stdlib.h>

const char *const reading_roots[READING_ROOTS] = { ".yoi/tickets", ".tickets", "tickets" };

size_t reading_max(enum role role)
{
	return role == ROLE_ITEM ? ITEM_HEAD_MAX : (size_t)ARTIFACT_FILE_MAX + 1;
}

static struct str name_in(struct str path)
{
	const char *slash = memrchr(path.at, '/', path.len);

	return (struct str){ slash + 1, (size_t)(path.at + path.len - (slash + 1)) };
}

struct content *reading_written(struct str path, struct str bytes, struct json_t *said)
{
	struct spot spot;

	BUG_IF(!layout_split(path, &spot));
	return artifact_written(spot.ticket, name_in(path), bytes, said);
}

struct content *reading_of(struct str path, enum role role, struct str bytes)
{
	struct spot spot;

	BUG_IF(!layout_split(path, &spot));
	if (role == ROLE_ITEM)
		return item_parse(bytes, spot.slug);
	if (bytes.len > ARTIFACT_FILE_MAX)
		return content_broken(role, PROBLEM_TOO_LARGE, "the file has more than 64 MiB");
	return artifact_parse(role, spot.ticket, name_in(path), bytes);
}

struct content *reading_broken(enum role role, enum beneath_result result, int cause)
{
	if (result == BENEATH_NOT_REGULAR)
		return content_broken(role, PROBLEM_NOT_REGULAR,
				      role_is_file(role) ? "not a regular file" : "not a folder");
	char *text = xasprintf("cannot be read: %s", strerror(cause));
	struct content *c = content_broken(role, PROBLEM_UNREADABLE, text);
	free(text);
	return c;
}

void reading_trouble(struct index *ix, int source, struct str path, enum role role,
		     enum beneath_result result, int cause)
{
	if (role == ROLE_ARTIFACTS || role == ROLE_RECORDS) {
		/* What should hold records does not: the Ticket cannot be read whole. */
		result = result == BENEATH_OK ? BENEATH_NOT_REGULAR : result;
		index_put(ix, source, path, reading_broken(role, result, cause));
	} else if (role == ROLE_TICKET && result == BENEATH_REFUSED) {
		char *item = xasprintf("%.*s/item.md", STR_ARG(path));
		index_put(ix, source, str_of(item), reading_broken(ROLE_ITEM, result, cause));
		free(item);
	} else if (role == ROLE_BAD) {
		index_stray_put(ix, source, path, PROBLEM_BAD_NAME,
				"the folder's name is no Ticket id");
	} else if (result != BENEATH_OK) {
		index_stray_put(ix, source, path,
				result == BENEATH_REFUSED ? PROBLEM_UNREADABLE
							  : PROBLEM_NOT_REGULAR,
				result == BENEATH_REFUSED ? strerror(cause) : "not a folder");
	}
}
