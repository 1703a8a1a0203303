/* SPDX-License-Identifier: MIT */
#include "git.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <git2.h>

#include "base.h"
#include "str.h"

struct git {
	char *common;
	git_config *config;
};

void git_reload(struct git *git)
{
	char *local = xasprintf("%s/config", git->common);

	git_config_free(git->config);
	git->config = NULL;
	/* The user's and the system's files may be missing; the repository's counts most. */
	if (git_config_open_default(&git->config) < 0 && git_config_new(&git->config) < 0)
		git->config = NULL;
	if (git->config)
		git_config_add_file_ondisk(git->config, local, GIT_CONFIG_LEVEL_LOCAL, NULL, 1);
	free(local);
}

/* Forms of a repository that change nothing of what we read: newer than libgit2, not refused. */
static void allow_extensions(void)
{
	static const char *names[] = { "worktreeconfig", "relativeworktrees", "partialclone",
				       "preciousobjects" };

	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, names, COUNT_OF(names));
}

bool git_new(const char *common, struct git **into, struct fault *why)
{
	if (git_libgit2_init() < 0)
		return fault(why, FAULT_INTERNAL, "libgit2 does not start");
	allow_extensions();
	*into = xcalloc(1, sizeof(**into));
	(*into)->common = xstrdup(common);
	git_reload(*into);
	return true;
}

void git_free(struct git *git)
{
	if (!git)
		return;
	git_config_free(git->config);
	free(git->common);
	free(git);
	git_libgit2_shutdown();
}

char *git_config_text(const struct git *git, const char *key)
{
	git_buf value = GIT_BUF_INIT;
	char *text = NULL;

	if (git->config && git_config_get_string_buf(&value, git->config, key) == 0)
		text = xstrndup(value.ptr, value.size);
	git_buf_dispose(&value);
	return text;
}

char *git_config_root(const struct git *git)
{
	char *text = git_config_text(git, "ticketplan.root"), *root = NULL, *at = text, *part;
	bool absolute = text && text[0] == '/', named = text && text[0];

	while ((part = at ? strsep(&at, "/") : NULL)) {
		if (!*part || strcmp(part, ".") == 0)
			continue;
		const char *before = root ? root : absolute ? "/" : "";
		char *longer = xasprintf("%s%s%s", before, root ? "/" : "", part);
		free(root);
		root = longer;
	}
	free(text);
	return root || !named ? root : xstrdup(absolute ? "/" : ".");
}

bool git_config_bool(const struct git *git, const char *key, bool otherwise)
{
	int value;

	if (git->config && git_config_get_bool(&value, git->config, key) == 0)
		return value;
	return otherwise;
}

/* Where the main checkout is: beside its .git, or where core.worktree says. */
static char *main_top(const struct git *git)
{
	struct str common = str_of(git->common);
	char *named = git_config_text(git, "core.worktree"), *top = NULL, *real;

	if (git_config_bool(git, "core.bare", false)) {
		free(named);
		return NULL;
	}
	if (named && named[0] == '/')
		top = xstrdup(named);
	else if (named)
		top = xasprintf("%s/%s", git->common, named);
	else if (str_ends(common, STR("/.git")))
		top = xstrndup(common.at, common.len - 5 ? common.len - 5 : 1);
	free(named);
	real = top ? realpath(top, NULL) : NULL;
	free(top);
	return real;
}

/* The checkout that worktrees/NAME/gitdir names, or NULL where it is not there now. */
static char *linked_top(const struct git *git, const char *name)
{
	char *file = xasprintf("%s/worktrees/%s/gitdir", git->common, name), line[PATH_MAX + 16];
	char *joined, *real = NULL;
	FILE *in = fopen(file, "re");

	free(file);
	if (!in)
		return NULL;
	if (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\r\n")] = '\0';
		char *slash = strrchr(line, '/');
		if (slash && strcmp(slash, "/.git") == 0)
			*slash = '\0';
		joined = line[0] == '/' ? xstrdup(line)
					: xasprintf("%s/worktrees/%s/%s", git->common, name, line);
		real = realpath(joined, NULL);
		free(joined);
	}
	fclose(in);
	return real;
}

static void add(struct checkout **list, size_t *count, char *name, char *top)
{
	*list = xrealloc(*list, (*count + 1) * sizeof(**list));
	(*list)[(*count)++] = (struct checkout){ name, top };
}

static int by_name(const void *a, const void *b)
{
	const struct checkout *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool is_among(const char *names, const char *name)
{
	size_t len = strlen(name);

	while (*(names += strspn(names, " ,\t\n"))) {
		size_t n = strcspn(names, " ,\t\n");
		if (n == len && memcmp(names, name, n) == 0)
			return true;
		names += n;
	}
	return false;
}

/* Only those that are asked for; all where nobody says. */
static size_t restrict_to(struct checkout *list, size_t count, char *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!names || is_among(names, list[i].name)) {
			list[kept++] = list[i];
			continue;
		}
		free(list[i].name);
		free(list[i].top);
	}
	free(names);
	return kept;
}

struct checkout *git_checkouts(const struct git *git, const char *known, size_t *count)
{
	struct checkout *list = NULL;
	char *folder = xasprintf("%s/worktrees", git->common);
	char *top = known ? xstrdup(known) : main_top(git);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	*count = 0;
	if (top)
		add(&list, count, xstrdup("main"), top);
	size_t first = *count;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (top = linked_top(git, entry->d_name)))
			add(&list, count, xstrdup(entry->d_name), top);
	if (dir)
		closedir(dir);
	if (*count - first > 1)
		qsort(list + first, *count - first, sizeof(*list), by_name);
	free(folder);
	*count = restrict_to(list, *count, git_config_text(git, "ticketplan.sources"));
	return list;
}

void git_checkouts_free(struct checkout *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(list[i].name);
		free(list[i].top);
	}
	free(list);
}
