/* SPDX-License-Identifier: MIT */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "block.h"
#include "input.h"
#include "json.h"
#include "out.h"
#include "owner.h"
#include "plain.h"
#include "stamp.h"
#include "usergit.h"

#define ROOT_USUAL ".tickets"
#define FIRST      "first-ticket"

struct init {
	const struct args *args;
	struct place place;
	char *root;       /* from the checkout's top */
	char *configured; /* what git's configuration says, or NULL */
	bool make, configure;
	size_t made;      /* folders made, from the deepest up */
};

/* -- The root ----------------------------------------------------------- */

static char *configured_root(const char *dir)
{
	static const char *const words[] = { "config", "--get", "ticketplan.root", NULL };
	struct fault ignored;

	return usergit_line(dir, words, &ignored);
}

/* The folder at this place in the checkout; the caller frees it. */
static char *folder(const struct init *i, const char *path)
{
	return xasprintf("%s/%s", i->place.top, path);
}

static bool holds_something(const struct init *i, const char *path)
{
	char *whole = folder(i, path);
	DIR *dir = opendir(whole);
	struct dirent *entry;
	bool any = false;

	while (dir && !any && (entry = readdir(dir)))
		any = entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	free(whole);
	return any;
}

/* A tree that is used already must not be hidden by a new one. */
static const char *usual_root(const struct init *i)
{
	static const char *const roots[] = { ".yoi/tickets", ".tickets", "tickets" };

	if (i->configured)
		return i->configured;
	for (size_t n = 0; n < COUNT_OF(roots); n++)
		if (holds_something(i, roots[n]))
			return roots[n];
	return ROOT_USUAL;
}

static bool is_interactive(const struct args *args)
{
	return !args->json && !args_text(args, "yes") && isatty(STDIN_FILENO) &&
	       isatty(STDERR_FILENO);
}

/* What a person types, without its end; NULL at the end of input.  The caller frees it. */
static char *prompt(const char *question)
{
	struct buf text = { 0 };
	char *line = NULL;
	size_t size = 0;

	plain_add(&text, str_of(question));
	out_complain((struct str){ text.at, text.len });
	buf_release(&text);
	ssize_t len = getline(&line, &size, stdin);
	if (len < 0) {
		free(line);
		out_complain(STR("\n"));
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static char *ask_root(const char *usual)
{
	char *question = xasprintf("Where shall the Tickets lie, from the checkout's top? [%s] ",
				   usual);
	char *answer = prompt(question);

	free(question);
	if (answer && !*answer) {
		free(answer);
		return xstrdup(usual);
	}
	return answer;
}

/* Without blank parts: "./a//b/" is a/b. */
static void tidy(char *path)
{
	char *to = path;

	for (char *part = strtok(path, "/"); part; part = strtok(NULL, "/")) {
		size_t len = strlen(part);
		if (strcmp(part, ".") == 0)
			continue;
		if (to != path)
			*to++ = '/';
		memmove(to, part, len);
		to += len;
	}
	*to = '\0';
}

static bool check_part(const struct init *i, const char *path, const char *part, bool *missing,
		       struct fault *why)
{
	char *whole = folder(i, path);
	struct stat st;

	*missing = lstat(whole, &st) < 0 && errno == ENOENT;
	bool there = !*missing && lstat(whole, &st) == 0;
	free(whole);
	if (strcmp(part, "..") == 0 || strcasecmp(part, ".git") == 0)
		return fault(why, FAULT_INVALID, "root: \"%s\" may not stand in it", part);
	if (there && !S_ISDIR(st.st_mode))
		return fault(why, FAULT_INVALID, "root: %s is no folder%s", path,
			     S_ISLNK(st.st_mode) ? " but a link, and links are not followed" : "");
	return there || *missing || fault_errno(why, FAULT_IO, "%s", path);
}

/* Each folder on the way; i->make says whether the last is missing. */
static bool check_root(struct init *i, struct fault *why)
{
	bool ok = true;

	if (*i->root == '/')
		ok = fault(why, FAULT_INVALID,
			   "root: an absolute path; give one from the checkout's top");
	else if (i->root[strcspn(i->root, "\n\r")])
		ok = fault(why, FAULT_INVALID, "root: several lines; one is taken");
	tidy(i->root);
	if (ok && !*i->root)
		ok = fault(why, FAULT_INVALID, "root: a folder below the checkout's top is needed");
	char *path = xstrdup(i->root);
	for (char *part = path, *slash; ok && part; part = slash ? slash + 1 : NULL) {
		slash = strchr(part, '/');
		if (slash)
			*slash = '\0';
		ok = check_part(i, path, part, &i->make, why);
		if (slash)
			*slash = '/';
	}
	free(path);
	return ok;
}

static bool choose_root(struct init *i, struct fault *why)
{
	const char *given = args_text(i->args, "root"), *usual = usual_root(i);

	if (given)
		i->root = xstrdup(given);
	else
		i->root = is_interactive(i->args) ? ask_root(usual) : xstrdup(usual);
	if (!i->root)
		return fault(why, FAULT_INTERRUPTED, "nothing was done");
	if (!check_root(i, why))
		return false;
	i->configure = !i->configured || strcmp(i->configured, i->root) != 0;
	return true;
}

/* -- Asking ------------------------------------------------------------- */

static void say_plan(const struct init *i, const char *root)
{
	struct page page;

	page_init(&page, STDERR_FILENO);
	if (i->make) {
		page_addf(&page, STYLE_PLAIN, "make the folder %s", i->root);
		page_line(&page);
	}
	if (i->configure) {
		page_addf(&page, STYLE_PLAIN, "git config ticketplan.root %s", root);
		page_line(&page);
	}
	out_complain((struct str){ page.out.at, page.out.len });
	page_release(&page);
}

static bool agreed(const struct init *i, struct fault *why)
{
	bool yes = args_text(i->args, "yes") || (!i->make && !i->configure);

	if (yes)
		return true;
	char *root = plain_word(i->root);
	if (!i->args->json)
		say_plan(i, root);
	if (is_interactive(i->args)) {
		char *answer = prompt("Do this? [Y/n] ");
		yes = answer && (!*answer || *answer == 'y' || *answer == 'Y');
		free(answer);
		if (!yes)
			fault(why, FAULT_INTERRUPTED, "nothing was done");
	} else {
		fault(why, FAULT_USAGE, "nobody is there to be asked; to do this type: "
		      "tpctl init %s --yes", root);
	}
	free(root);
	return yes;
}

/* -- Doing it ----------------------------------------------------------- */

static bool make_folders(struct init *i, struct fault *why)
{
	char *path = folder(i, i->root), *at = path + strlen(i->place.top);
	bool ok = true;

	while (ok && (at = strchr(at + 1, '/') ? strchr(at + 1, '/') : at + strlen(at))) {
		char kept = *at;
		*at = '\0';
		if (mkdir(path, 0777) == 0)
			i->made++;
		else if (errno != EEXIST)
			ok = fault_errno(why, FAULT_IO, "cannot make %s", path);
		*at = kept;
		if (!kept)
			break;
	}
	free(path);
	return ok;
}

/* What was made is empty still. */
static void remove_folders(const struct init *i)
{
	char *path = folder(i, i->root);

	for (size_t n = i->made; n && rmdir(path) == 0; n--)
		*strrchr(path, '/') = '\0';
	free(path);
}

static bool set_root(const struct init *i, struct fault *why)
{
	const char *const words[] = { "config", "ticketplan.root", i->root, NULL };
	struct usergit git = { .dir = i->args->dir };

	return usergit_do(&git, words, "git config", why);
}

static bool carry_out(struct init *i, struct fault *why)
{
	bool ok = (!i->make || make_folders(i, why)) && (!i->configure || set_root(i, why));

	if (!ok)
		remove_folders(i);
	return ok;
}

/* -- What was done ------------------------------------------------------ */

static char *first_item(void)
{
	char now[STAMP_MAX];

	stamp_text(stamp_now() / 1000000 * 1000000, now);
	return xasprintf("---\ntitle: 'A first Ticket'\nstate: 'queued'\nqueued_at: '%s'\n---\n\n"
			 "What is to be done, and how to see that it is.\n", now);
}

static void say_first(const struct init *i, struct outcome *o)
{
	char *path = xasprintf("%s/" FIRST, i->root);
	char *folder_word = plain_word(path), *item = first_item();
	struct page *page = &o->page;

	page_line(page);
	page_add(page, STYLE_DIM, STR("A first Ticket, to copy:"));
	page_line(page);
	page_line(page);
	page_addf(page, STYLE_PLAIN, "mkdir %s && cat >%s/item.md <<'END'", folder_word,
		  folder_word);
	page_line(page);
	plain_add_lines(&page->out, str_of(item));
	page_add(page, STYLE_PLAIN, STR("END"));
	page_line(page);
	free(item);
	free(folder_word);
	free(path);
}

static void say_root(const struct init *i, struct outcome *o)
{
	struct page *page = &o->page;

	o->answer = json_object();
	json_object_set_new(o->answer, "root", json_of_text(str_of(i->root)));
	json_object_set_new(o->answer, "made", json_boolean(i->make));
	json_object_set_new(o->answer, "configured", json_boolean(i->configure));
	if (i->make)
		page_addf(page, STYLE_PLAIN, "made %s", i->root);
	else
		page_addf(page, STYLE_PLAIN, "%s is there", i->root);
	page_addf(page, STYLE_PLAIN, "; git's ticketplan.root %s it",
		  i->configure ? "now names" : "names");
	page_line(page);
	if (!holds_something(i, i->root))
		say_first(i, o);
}

static bool init_root(struct init *i, struct outcome *o, struct fault *why)
{
	i->configured = configured_root(i->args->dir);
	if (!choose_root(i, why) || !agreed(i, why) || !carry_out(i, why))
		return false;
	say_root(i, o);
	return true;
}

static bool init_agents(struct init *i, struct outcome *o, struct fault *why)
{
	const char *given = args_text(i->args, "file"), *name = given ? given : "AGENTS.md";
	char *path = input_path(given ? i->args->dir : i->place.top, name);
	enum block_done done;
	bool ok = block_write(path, i->place.top, &done, why);

	free(path);
	if (!ok)
		return false;
	o->answer = json_object();
	json_object_set_new(o->answer, "file", json_of_text(str_of(name)));
	json_object_set_new(o->answer, "changed", json_boolean(done == BLOCK_WRITTEN));
	page_addf(&o->page, STYLE_PLAIN, "%s %s", name,
		  done == BLOCK_WRITTEN ? "tells agents now how to ask and record"
					: "says so already; nothing was changed");
	page_line(&o->page);
	return true;
}

bool init_run(const struct args *args, struct outcome *o, struct fault *why)
{
	struct init i = { .args = args };
	bool ok;

	if (request_read_only())
		return fault(why, FAULT_READ_ONLY, "nothing is set up with TP_READ_ONLY set");
	if (!place_find(args->dir, &i.place, why))
		return false;
	if (!owner_trusts_place(&i.place, why))
		ok = false;
	else if (!i.place.top)
		ok = fault(why, FAULT_INVALID, "a bare repository has no checkout to hold Tickets");
	else if (args_way(args))
		ok = init_agents(&i, o, why);
	else
		ok = init_root(&i, o, why);
	free(i.root);
	free(i.configured);
	place_release(&i.place);
	return ok;
}
