/* SPDX-License-Identifier: MIT */
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "plain.h"

extern char **environ;

/* To root belongs also what is of him who became root by sudo; so git has it. */
static bool is_own(uid_t owner)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	char *end = NULL;

	if (owner == geteuid())
		return true;
	unsigned long before = sudo && *sudo >= '0' && *sudo <= '9' ? strtoul(sudo, &end, 10) : 0;
	return end && !*end && before == owner;
}

/* Whether somebody else owns it; what is not there is nobody's. */
static bool is_foreign(const char *path, uid_t *owner)
{
	struct stat st;

	if (lstat(path, &st) < 0 || is_own(st.st_uid))
		return false;
	*owner = st.st_uid;
	return true;
}

/* Of a checkout its top and its .git, then the git directory; NULL: all are ours.  The caller's. */
static char *foreign_among(const char *gitdir, const char *top, uid_t *owner)
{
	char *dotgit = top ? xasprintf("%s/.git", top) : NULL, *found = NULL;
	const char *const paths[] = { top, dotgit, gitdir };

	for (size_t i = 0; i < COUNT_OF(paths) && !found; i++)
		if (paths[i] && is_foreign(paths[i], owner))
			found = xstrdup(paths[i]);
	free(dotgit);
	return found;
}

/* What was told of one repository must not answer for another; the entries are not copied. */
static char **environment(void)
{
	static const char *const config[] = { "GIT_CONFIG_GLOBAL=", "GIT_CONFIG_SYSTEM=",
					      "GIT_CONFIG_NOSYSTEM=" };
	size_t count = 0, kept = 0;

	while (environ[count])
		count++;
	char **list = xmalloc((count + 1) * sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		bool keep = strncmp(environ[i], "GIT_", 4) != 0;
		for (size_t k = 0; k < COUNT_OF(config) && !keep; k++)
			keep = strncmp(environ[i], config[k], strlen(config[k])) == 0;
		if (keep)
			list[kept++] = environ[i];
	}
	list[kept] = NULL;
	return list;
}

/* git looks at the owner before it reads anything; no repository of its own makes it say yes. */
static bool git_trusts(const char *dir)
{
	const char *const words[] = { "git", "-C", dir, "rev-parse", "--git-dir", NULL };
	posix_spawn_file_actions_t files;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
	char **env = environment();
	int failed = posix_spawnp(&pid, words[0], &files, NULL, (char *const *)(uintptr_t)words,
				  env);
	free(env);
	posix_spawn_file_actions_destroy(&files);
	while (!failed && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return !failed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_not_ours(const char *path, uid_t owner, const char *dir, struct fault *why)
{
	struct passwd *them = getpwuid(owner);
	char *word = plain_word(dir);

	fault(why, FAULT_FOREIGN_OWNER,
	      "%s belongs to %s (user %u), not to you; git refuses such a repository, and so do "
	      "we; if you trust it: git config --global --add safe.directory %s",
	      path, them ? them->pw_name : "somebody else", (unsigned)owner, word);
	free(word);
	return false;
}

bool owner_trusts(const char *gitdir, const char *top, struct fault *why)
{
	struct str path = str_of(gitdir);
	char *beside = !top && str_ends(path, STR("/.git")) && path.len > 5
			       ? xstrndup(path.at, path.len - 5)
			       : NULL;
	uid_t owner = 0;

	top = top ? top : beside;
	const char *dir = top ? top : gitdir;
	char *foreign = foreign_among(gitdir, top, &owner);
	bool ok = !foreign || git_trusts(dir) || is_not_ours(foreign, owner, dir, why);
	free(foreign);
	free(beside);
	return ok;
}

bool owner_trusts_place(const struct place *p, struct fault *why)
{
	bool linked = strcmp(p->source, "main") != 0;

	if (!owner_trusts(p->common, linked ? NULL : p->top, why))
		return false;
	if (!linked)
		return true;
	char *gitdir = place_gitdir(p->common, p->source);
	bool ok = owner_trusts(gitdir, p->top, why);
	free(gitdir);
	return ok;
}
