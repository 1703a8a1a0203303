/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdlib.h>
#include <strings.h>

static const char *const prefixes[] = { "/home/", "/Users/", "/root/",  "/tmp/", "/var/",
					"/run/",  "/proc/",  "~/" };

/* Whether a word can begin behind this character; text of other scripts is not spaced. */
static bool is_border(char c)
{
	return (c && strchr(" \t\r\n\"'`([{<=:,;|>", c)) || c & '\x80';
}

static bool is_border_behind(struct str text, size_t at)
{
	return !at || is_border(text.at[at - 1]);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * Whether a path can begin here: with a word, or behind one mark that begins the word, as a file
 * is named for its content or a line is marked as new, or behind an option of one letter; not
 * behind a dash alone, which `${X:-~/y}` has, nor a star, as patterns begin.  A mark further in
 * is one of an address.
 */
static bool can_begin(struct str text, size_t at)
{
	if (is_border_behind(text, at))
		return true;
	if (text.at[at - 1] == '+')
		return is_border_behind(text, at - 1);
	/* In code a path behind @ and a quote is one of the sources. */
	if (text.at[at - 1] == '@')
		return at < 2 || (text.at[at - 2] && strchr(" \t\r\n=", text.at[at - 2]));
	return at >= 2 && is_letter(text.at[at - 1]) && text.at[at - 2] == '-' &&
	       is_border_behind(text, at - 2);
}

/* Schemes are the same in capitals. */
static bool is_file_address(struct str rest)
{
	static const char scheme[] = "file://";

	return rest.len >= strlen(scheme) && strncasecmp(rest.at, scheme, strlen(scheme)) == 0;
}

/* A word ends where another can begin. */
static struct str word_at(struct str text, size_t at)
{
	size_t n = at;

	while (n < text.len && (!is_border(text.at[n]) || text.at[n] == ':'))
		n++;
	return (struct str){ text.at + at, n - at };
}

/* ~NAME/ as shells write another user's home. */
static bool is_named_home(struct str rest)
{
	size_t n = 1;

	if (rest.len < 3 || rest.at[0] != '~' ||
	    !((rest.at[1] >= 'a' && rest.at[1] <= 'z') || rest.at[1] == '_'))
		return false;
	while (n < rest.len &&
	       ((rest.at[n] >= 'a' && rest.at[n] <= 'z') ||
		(rest.at[n] >= '0' && rest.at[n] <= '9') || rest.at[n] == '_' || rest.at[n] == '-'))
		n++;
	return n < rest.len && rest.at[n] == '/';
}

/* Whether the text goes on from this folder: it, or something in it. */
static bool is_in(struct str text, struct str folder)
{
	while (folder.len && folder.at[folder.len - 1] == '/')
		folder.len--;
	if (!folder.len || !str_starts(text, folder))
		return false;
	if (text.len == folder.len || text.at[folder.len] == '/')
		return true;
	return is_border(text.at[folder.len]) || strchr(".)]}", text.at[folder.len]);
}

static bool is_local(const struct index *ix, struct str rest)
{
	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (str_starts(rest, str_of(prefixes[i])))
			return true;
	if (is_file_address(rest) || is_named_home(rest))
		return true;
	if (rest.at[0] != '/')
		return false;
	if (is_in(rest, str_of(getenv("HOME"))))
		return true;
	for (int i = 0; i < SOURCES_MAX; i++) {
		const struct source *s = index_source(ix, i);
		if (s && is_in(rest, str_of(s->top)))
			return true;
	}
	return false;
}

/* Where the next word begins that can be a path, from `at` on; text.len for none. */
static size_t next_suspect(struct str text, size_t at)
{
	for (; at < text.len; at++) {
		char c = text.at[at];
		if (c == '/' || c == '~' ? can_begin(text, at)
					 : (c | 0x20) == 'f' && is_border_behind(text, at) &&
						   is_file_address((struct str){ text.at + at,
										 text.len - at }))
			break;
	}
	return at;
}

bool guard_suspects(struct str text)
{
	return next_suspect(text, 0) < text.len;
}

struct str guard_find(const struct index *ix, struct str text)
{
	for (size_t i = 0; (i = next_suspect(text, i)) < text.len; i++)
		if (is_local(ix, (struct str){ text.at + i, text.len - i }))
			return word_at(text, i);
	return STR_NONE;
}

bool guard_text(const struct index *ix, const char *field, struct str text, struct fault *why)
{
	struct str found = guard_find(ix, text);

	if (!found.at)
		return true;
	return fault(
		why, FAULT_INVALID,
		"%s names a place of this machine: %.*s; write the path from the checkout's top, "
		"or a label, instead",
		field, (int)(found.len > 160 ? 160 : found.len), found.at);
}

/* The checkout that a path lies in: the innermost. */
static const struct source *checkout_of(const struct index *ix, struct str path)
{
	const struct source *best = NULL;

	for (int i = 0; i < SOURCES_MAX; i++) {
		const struct source *s = index_source(ix, i);
		struct str top = str_of(s ? s->top : NULL);
		if (!s || !str_starts(path, top) || (path.len > top.len && path.at[top.len] != '/'))
			continue;
		if (!best || top.len > strlen(best->top))
			best = s;
	}
	return best;
}

/* A linked checkout goes by its name, what lies in the main one by its path from the top. */
static struct str label_of(struct arena *arena, const struct source *s, struct str path)
{
	size_t top = strlen(s->top);
	struct str rest = { path.at + top, path.len - top };

	while (rest.len && rest.at[0] == '/')
		rest = (struct str){ rest.at + 1, rest.len - 1 };
	while (rest.len && rest.at[rest.len - 1] == '/')
		rest.len--;
	if (strcmp(s->name, "main") == 0 && rest.len)
		return arena_str(arena, rest);
	return arena_printf(arena, "%s%s%.*s", s->name, rest.len ? "/" : "", STR_ARG(rest));
}

bool guard_label(const struct index *ix, struct arena *arena, struct str text, struct str *label,
		 struct fault *why)
{
	*label = text;
	if (!text.len || text.at[0] != '/')
		return guard_text(ix, "worktree", text, why);
	const struct source *s = checkout_of(ix, text);
	if (!s)
		return fault(
			why, FAULT_INVALID,
			"worktree takes a label, and %.*s is a path outside the repository's "
			"checkouts; give the checkout's name",
			(int)(text.len > 160 ? 160 : text.len), text.at);
	*label = label_of(arena, s, text);
	return true;
}
