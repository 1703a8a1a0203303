/* SPDX-License-Identifier: MIT */
#include "commit.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "input.h"
#include "json.h"
#include "owner.h"
#include "usergit.h"

#define NAMED_MAX 5  /* Tickets that a message names */
#define LISTED_MAX 20 /* files that the text lists */
#define ID_MAX 128

/* An artifact that no commit holds as it is. */
struct found {
	char *path;        /* from the checkout's top */
	struct str ticket; /* in it */
	bool fresh;        /* git knows nothing of it yet */
};

struct commit {
	const struct args *args;
	struct place place;
	char *root;           /* of the Ticket tree, from the top */
	json_t *folders;      /* of the named Tickets, from the top; NULL: all */
	struct found *files;
	size_t count;
	char **ignored;       /* artifacts that git leaves out, from the top; sorted */
	size_t ignored_count;
	struct buf message;
};

/* -- What may be committed ---------------------------------------------- */

/* git keeps one file or folder for each thing that is not finished. */
static bool nothing_under_way(const struct commit *c, struct fault *why)
{
	static const char *const marks[][2] = {
		{ "MERGE_HEAD", "a merge" },       { "rebase-merge", "a rebase" },
		{ "rebase-apply", "a rebase" },    { "CHERRY_PICK_HEAD", "a cherry-pick" },
		{ "REVERT_HEAD", "a revert" },
	};
	static const char *const words[] = { "rev-parse", "--absolute-git-dir", NULL };
	char *dir = usergit_line(c->args->dir, words, why);
	bool ok = dir != NULL;

	for (size_t i = 0; ok && i < COUNT_OF(marks); i++) {
		char *mark = xasprintf("%s/%s", dir, marks[i][0]);
		if (access(mark, F_OK) == 0)
			ok = fault(why, FAULT_INVALID,
				   "%s is under way in this checkout; finish or abort it first",
				   marks[i][1]);
		free(mark);
	}
	free(dir);
	return ok;
}

static enum start_mode mode_of(const struct args *args)
{
	return args->no_start ? START_NEVER : START_IMPLICIT;
}

/* The entry of this checkout in a list of sources. */
static const json_t *own_source(const struct commit *c, const json_t *sources)
{
	size_t i;
	json_t *source;

	json_array_foreach(sources, i, source)
		if (str_is(text_of(source, "name"), c->place.source))
			return source;
	return NULL;
}

static bool find_root(struct commit *c, struct fault *why)
{
	struct outcome o = { .answer = NULL };
	struct request request;

	request_plain(RPC_agent_status, &request);
	bool ok = run_request(c->args, mode_of(c->args), &request, &o, NULL, why);
	request_release(&request);
	if (ok) {
		const json_t *own = own_source(c, json_object_get(o.answer, "sources"));
		struct str root = text_of(own, "root");
		c->root = root.at ? xstrndup(root.at, root.len) : NULL;
		ok = c->root || fault(why, FAULT_NO_TREE, "this checkout has no Ticket tree");
	}
	json_decref(o.answer);
	return ok;
}

/* That one would hold the commits, and git says nothing here of the files in it. */
static bool is_root_ours(const struct commit *c, struct fault *why)
{
	char *within = place_within(c->place.top, c->root);
	bool ok =
		!within ||
		fault(why, FAULT_INVALID,
		      "the Ticket tree %.128s lies in a repository of its own, %.256s; commit its "
		      "decisions there, with git or with `tpctl -C DIR commit`",
		      c->root, within);

	free(within);
	return ok;
}

/* Where this checkout has a named Ticket. */
static bool find_folder(struct commit *c, const char *name, struct fault *why)
{
	struct outcome o = { .answer = NULL };
	struct request request;

	request_ticket(RPC_ticket_get, str_of(name), &request);
	bool ok = run_request(c->args, mode_of(c->args), &request, &o, NULL, why);
	request_release(&request);
	if (ok) {
		const json_t *ticket = json_object_get(o.answer, "ticket");
		const json_t *own = own_source(c, json_object_get(ticket, "sources"));
		ok = own || fault(why, FAULT_NOT_FOUND, "this checkout has no Ticket %.128s", name);
		if (own)
			json_array_append(c->folders, json_object_get(own, "path"));
	}
	json_decref(o.answer);
	return ok;
}

static bool find_folders(struct commit *c, struct fault *why)
{
	unsigned at;

	if (!args_text(c->args, "ticket"))
		return true;
	BUG_IF(!rpc_field_find(command_params(c->args->command), STR("ticket"), &at));
	c->folders = json_array();
	for (size_t i = 0; i < c->args->count; i++)
		if (c->args->given[i].at == at && !find_folder(c, c->args->given[i].text, why))
			return false;
	return true;
}

/* -- What is to be committed -------------------------------------------- */

static struct str until_slash(struct str path)
{
	const char *slash = path.len ? memchr(path.at, '/', path.len) : NULL;

	return (struct str){ path.at, slash ? (size_t)(slash - path.at) : path.len };
}

/* Go on behind the first part of the path. */
static struct str behind(struct str path, struct str part)
{
	size_t n = part.len + (part.len < path.len);

	return (struct str){ path.at + n, path.len - n };
}

static bool is_id(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.at[i]) && (!i || !strchr("._-", name.at[i])))
			return false;
	return name.len && name.len <= ID_MAX;
}

static bool is_artifact(struct str path)
{
	struct str first = until_slash(path), name = behind(path, first);

	if (!str_is(first, "artifacts"))
		return false;
	if (str_is(name, "orchestration-plan.jsonl") || str_is(name, "relations.json"))
		return true;
	first = until_slash(name);
	name = behind(name, first);
	return str_is(first, "records") && str_ends(name, STR(".json")) && name.at[0] != '.' &&
	       !memchr(name.at, '/', name.len);
}

/* The Ticket whose artifact a path below the root is, in either layout; absent if none's. */
static struct str ticket_of(struct str path)
{
	struct str id = until_slash(path), rest = behind(path, id);
	bool bucket = str_is(id, "open") || str_is(id, "pending") || str_is(id, "closed");

	if (is_id(id) && is_artifact(rest))
		return id;
	if (!bucket)
		return STR_NONE;
	id = until_slash(rest);
	return is_id(id) && is_artifact(behind(rest, id)) ? id : STR_NONE;
}

static bool is_asked(const struct commit *c, struct str path)
{
	size_t i;
	json_t *folder;

	if (!c->folders)
		return true;
	json_array_foreach(c->folders, i, folder) {
		struct str dir = { json_string_value(folder), json_string_length(folder) };
		if (str_starts(path, dir) && path.len > dir.len && path.at[dir.len] == '/')
			return true;
	}
	return false;
}

/* A record that was removed, or a link in its place, is no decision. */
static bool is_file(const struct commit *c, const char *path)
{
	char *whole = xasprintf("%s/%s", c->place.top, path);
	struct stat st;
	bool yes = lstat(whole, &st) == 0 && S_ISREG(st.st_mode);

	free(whole);
	return yes;
}

/* The Ticket of an artifact that is meant, in its path; absent where it is none. */
static struct str asked_ticket(const struct commit *c, const char *path)
{
	size_t root = strlen(c->root);
	struct str below = str_of(path);

	if (root && (strncmp(path, c->root, root) != 0 || path[root] != '/'))
		return STR_NONE;
	if (root)
		below = (struct str){ path + root + 1, below.len - root - 1 };
	struct str ticket = ticket_of(below);
	return ticket.at && is_asked(c, str_of(path)) && is_file(c, path) ? ticket : STR_NONE;
}

static void leave_out(struct commit *c, const char *path)
{
	if (!asked_ticket(c, path).at)
		return;
	c->ignored = xrealloc(c->ignored, (c->ignored_count + 1) * sizeof(*c->ignored));
	c->ignored[c->ignored_count++] = xstrdup(path);
}

static void consider(struct commit *c, const char *path, bool fresh)
{
	struct str ticket = asked_ticket(c, path);

	if (!ticket.at)
		return;
	c->files = xrealloc(c->files, (c->count + 1) * sizeof(*c->files));
	struct found *file = &c->files[c->count++];
	file->path = xstrdup(path);
	file->ticket = (struct str){ file->path + (ticket.at - path), ticket.len };
	file->fresh = fresh;
}

/* Behind so many blanks stands the path of an entry of git status. */
static const char *path_in(const char *entry, int blanks)
{
	while (entry && blanks--)
		if ((entry = strchr(entry, ' ')))
			entry++;
	return entry;
}

static bool read_entry(struct commit *c, const char *entry, struct fault *why)
{
	bool brief = entry[0] == '?' || entry[0] == '!';
	const char *path = path_in(entry, brief ? 1 : 8);

	if (entry[0] == 'u')
		return fault(why, FAULT_INVALID, "%s is in conflict; resolve that first",
			     path_in(entry, 10));
	if (path && entry[0] == '!')
		leave_out(c, path);
	if (path && (entry[0] == '?' || entry[0] == '1'))
		consider(c, path, entry[0] == '?');
	return true;
}

static int by_path(const void *a, const void *b)
{
	const struct found *one = a, *other = b;

	return strcmp(one->path, other->path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool find_files(struct commit *c, struct fault *why)
{
	char *spec = *c->root ? xasprintf(":(top,literal)%s", c->root) : xstrdup(":(top)");
	const char *const words[] = { "--no-optional-locks", "status", "--porcelain=v2", "-z",
				      "--untracked-files=all", "--no-renames",
				      "--ignore-submodules=all", "--ignored", "--", spec, NULL };
	struct buf out = { 0 };
	struct usergit git = { .dir = c->args->dir, .out = &out };
	bool ok = usergit_do(&git, words, "git status", why);

	buf_text(&out);
	for (size_t at = 0; ok && at < out.len; at += strlen(out.at + at) + 1)
		ok = read_entry(c, out.at + at, why);
	if (c->count)
		qsort(c->files, c->count, sizeof(*c->files), by_path);
	if (c->ignored_count)
		qsort(c->ignored, c->ignored_count, sizeof(*c->ignored), by_name);
	buf_release(&out);
	free(spec);
	return ok;
}

/* -- The message -------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void make_message(struct commit *c)
{
	const char *given = args_text(c->args, "message");
	struct str *ids = xcalloc(c->count + 1, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++)
		ids[i] = c->files[i].ticket;
	qsort(ids, c->count, sizeof(*ids), by_text);
	for (size_t i = 0; i < c->count; i++)
		if (!count || !str_eq(ids[count - 1], ids[i]))
			ids[count++] = ids[i];
	if (given) {
		buf_add_str(&c->message, str_of(given));
	} else {
		buf_addf(&c->message, "Record %zu decision%s on ", c->count,
			 c->count == 1 ? "" : "s");
		for (size_t i = 0; i < count && i < NAMED_MAX; i++)
			buf_addf(&c->message, "%s%.*s", i ? ", " : "", STR_ARG(ids[i]));
		if (count > NAMED_MAX)
			buf_addf(&c->message, " and %zu more", count - NAMED_MAX);
	}
	buf_text(&c->message);
	free(ids);
}

/* -- The commit --------------------------------------------------------- */

/* The files as git reads them; arguments may be too many. */
static struct buf path_list(const struct commit *c, bool fresh_only)
{
	struct buf list = { 0 };

	for (size_t i = 0; i < c->count; i++)
		if (c->files[i].fresh || !fresh_only) {
			buf_addf(&list, ":(top,literal)%s", c->files[i].path);
			buf_add(&list, "", 1);
		}
	return list;
}

static bool on_fresh(const struct commit *c, const char *const *words, const char *what,
		     bool shielded, struct fault *why)
{
	struct buf list = path_list(c, true);
	struct usergit git = { .dir = c->args->dir, .input = { list.at, list.len },
			       .shielded = shielded };
	bool ok = !list.len || usergit_do(&git, words, what, why);

	buf_release(&list);
	return ok;
}

/* git commits only paths it knows; so far they are but announced. */
static bool announce(const struct commit *c, struct fault *why)
{
	static const char *const words[] = { "add", "--intent-to-add", "--pathspec-from-file=-",
					     "--pathspec-file-nul", NULL };

	return on_fresh(c, words, "git add", false, why);
}

static void take_back(const struct commit *c)
{
	static const char *const words[] = { "reset", "--quiet", "--pathspec-from-file=-",
					     "--pathspec-file-nul", NULL };
	struct fault ignored;

	on_fresh(c, words, "git reset", true, &ignored);
}

static bool commit_files(struct commit *c, struct fault *why)
{
	const char *const words[] = { "commit", "--quiet", "--only", "-m", c->message.at,
				      "--pathspec-from-file=-", "--pathspec-file-nul", NULL };
	struct buf list = path_list(c, false), said = { 0 };
	struct usergit git = { .dir = c->args->dir, .input = { list.at, list.len },
			       .err = c->args->json ? &said : NULL };
	bool ok;

	if (c->args->json) {
		ok = usergit_do(&git, words, "git refused the commit", why);
	} else {
		/* Hooks talk to the person who waits for them. */
		ok = usergit_run(&git, words, why);
		if (ok && git.status)
			ok = fault(why, FAULT_INVALID, "git refused the commit (status %d); "
				   "everything is as it was", git.status);
	}
	buf_release(&list);
	buf_release(&said);
	return ok;
}

static bool make_commit(struct commit *c, struct fault *why)
{
	usergit_hold_signals();
	bool ok = announce(c, why) && commit_files(c, why);
	if (!ok)
		take_back(c);
	if (usergit_free_signals() && !ok)
		fault(why, FAULT_INTERRUPTED, "interrupted; everything is as it was");
	return ok;
}

/* -- What was done ------------------------------------------------------ */

static void say_files(const struct commit *c, struct outcome *o)
{
	json_t *files = json_array();

	for (size_t i = 0; i < c->count; i++) {
		json_array_append_new(files, json_of_text(str_of(c->files[i].path)));
		if (i == LISTED_MAX)
			page_addf(&o->page, STYLE_DIM, "  and %zu more", c->count - LISTED_MAX);
		else if (i < LISTED_MAX)
			page_addf(&o->page, STYLE_PLAIN, "  %s", c->files[i].path);
		if (i <= LISTED_MAX)
			page_line(&o->page);
	}
	json_object_set_new(o->answer, "files", files);
}

static bool say_commit(const struct commit *c, struct outcome *o, struct fault *why)
{
	static const char *const whole[] = { "rev-parse", "HEAD", NULL };
	static const char *const brief[] = { "rev-parse", "--short", "HEAD", NULL };
	char *id = usergit_line(c->args->dir, whole, why);
	char *shortly = id ? usergit_line(c->args->dir, brief, why) : NULL;

	if (shortly) {
		struct str message = str_of(c->message.at);
		json_object_set_new(o->answer, "commit", json_string(id));
		message.len = strcspn(message.at, "\n");
		page_addf(&o->page, STYLE_YELLOW, "%s", shortly);
		page_addf(&o->page, STYLE_PLAIN, " %.*s", STR_ARG(message));
		page_line(&o->page);
		say_files(c, o);
		json_object_set_new(o->answer, "message", json_of_text(str_of(c->message.at)));
	}
	bool ok = shortly != NULL;
	free(id);
	free(shortly);
	return ok;
}

static void say_ignored(const struct commit *c, struct outcome *o)
{
	json_t *files = c->ignored_count ? json_array() : NULL;

	for (size_t i = 0; i < c->ignored_count; i++)
		json_array_append_new(files, json_of_text(str_of(c->ignored[i])));
	if (!files)
		return;
	page_addf(&o->page, STYLE_YELLOW, "left out, for git ignores it: %s", c->ignored[0]);
	if (c->ignored_count > 1)
		page_addf(&o->page, STYLE_YELLOW, ", and %zu more", c->ignored_count - 1);
	page_addf(&o->page, STYLE_PLAIN, "; `tpctl doctor` says what to do");
	page_line(&o->page);
	json_object_set_new(o->answer, "ignored", files);
}

static bool run_in(struct commit *c, struct outcome *o, struct fault *why)
{
	if (!c->place.top)
		return fault(why, FAULT_INVALID, "a bare repository has no checkout to commit in");
	if (!nothing_under_way(c, why) || !find_root(c, why) || !is_root_ours(c, why) ||
	    !find_folders(c, why) || !find_files(c, why))
		return false;
	o->kind = "commit";
	o->answer = json_object();
	if (!c->count) {
		page_addf(&o->page, STYLE_DIM, "nothing to commit");
		page_line(&o->page);
		say_files(c, o);
	} else {
		make_message(c);
		if (!make_commit(c, why) || !say_commit(c, o, why))
			return false;
	}
	say_ignored(c, o);
	return true;
}

bool commit_run(const struct args *args, struct outcome *o, struct fault *why)
{
	const char *message = args_text(args, "message");
	struct commit c = { .args = args };

	if (request_read_only())
		return fault(why, FAULT_READ_ONLY, "nothing is committed with TP_READ_ONLY set");
	if (message && !*message)
		return fault(why, FAULT_USAGE, "an empty message");
	if (!place_find(args->dir, &c.place, why))
		return false;
	bool ok = owner_trusts_place(&c.place, why) && run_in(&c, o, why);
	for (size_t i = 0; i < c.count; i++)
		free(c.files[i].path);
	free(c.files);
	for (size_t i = 0; i < c.ignored_count; i++)
		free(c.ignored[i]);
	free(c.ignored);
	free(c.root);
	json_decref(c.folders);
	buf_release(&c.message);
	place_release(&c.place);
	return ok;
}
