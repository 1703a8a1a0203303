/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base.h"
#include "buf.h"
#include "siphash.h"

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The first line of a small file, malloced; NULL if there is none. */
static char *read_line(const char *path)
{
	char line[PATH_MAX + 16];
	FILE *file = fopen(path, "re");

	if (!file)
		return NULL;
	char *got = fgets(line, sizeof(line), file);
	fclose(file);
	if (!got)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	return xstrdup(line);
}

/* `path` as seen from `base`, resolved; NULL with errno if it is not there. */
static char *resolve(const char *base, const char *path)
{
	char *joined = path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", base, path);
	char *real = realpath(joined, NULL);

	free(joined);
	return real;
}

/* What a `.git` file points to. */
static char *follow_gitfile(const char *dir, const char *gitfile)
{
	char *line = read_line(gitfile), *real = NULL;

	if (line && strncmp(line, "gitdir: ", 8) == 0)
		real = resolve(dir, line + 8);
	free(line);
	return real;
}

static bool has(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	bool yes = access(path, F_OK) == 0;

	free(path);
	return yes;
}

/* Whether a directory is a git directory itself, as a bare repository is. */
static bool is_gitdir(const char *dir)
{
	return has(dir, "HEAD") && has(dir, "objects") && has(dir, "refs");
}

/* The git directory of a folder that is the top of a checkout or a bare repository. */
static char *gitdir_of(const char *dir, bool *bare)
{
	char *dotgit = xasprintf("%s/.git", dir), *found = NULL;
	struct stat st;

	*bare = false;
	if (stat(dotgit, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			found = has(dotgit, "HEAD") ? realpath(dotgit, NULL) : NULL;
		else
			found = follow_gitfile(dir, dotgit);
	} else if (is_gitdir(dir)) {
		*bare = true;
		found = xstrdup(dir);
	}
	free(dotgit);
	return found;
}

/* Walk up from `dir`; sets *top to the checkout's top unless the repository is bare. */
static char *search_up(const char *dir, char **top)
{
	char *at = xstrdup(dir), *found;
	bool bare;

	while (!(found = gitdir_of(at, &bare)) && strcmp(at, "/") != 0) {
		char *slash = strrchr(at, '/');
		slash[slash == at] = '\0';
	}
	*top = found && !bare ? xstrdup(at) : NULL;
	free(at);
	return found;
}

/* The git directory the environment names, as git does for hooks. */
static char *from_environment(const char *dir, char **top)
{
	const char *named = getenv("GIT_DIR"), *tree = getenv("GIT_WORK_TREE");
	char *found = resolve(dir, named);

	*top = found && !is_gitdir(dir) ? resolve(dir, tree ? tree : ".") : NULL;
	return found;
}

static char *common_of(const char *gitdir)
{
	const char *named = getenv("GIT_COMMON_DIR");
	char *file = xasprintf("%s/commondir", gitdir), *line, *real;

	if (getenv("GIT_DIR") && named)
		line = xstrdup(named);
	else
		line = read_line(file);
	real = line ? resolve(gitdir, line) : xstrdup(gitdir);
	free(line);
	free(file);
	return real;
}

/* "main", or the name git gave a linked worktree: its folder below worktrees/. */
static char *source_of(const char *gitdir, const char *common)
{
	size_t n = strlen(common);

	if (strncmp(gitdir, common, n) == 0 && strncmp(gitdir + n, "/worktrees/", 11) == 0 &&
	    !strchr(gitdir + n + 11, '/'))
		return xstrdup(gitdir + n + 11);
	return xstrdup("main");
}

char *place_gitdir(const char *common, const char *source)
{
	return strcmp(source, "main") == 0 ? xstrdup(common)
					   : xasprintf("%s/worktrees/%s", common, source);
}

char *place_within(const char *top, const char *path)
{
	bool whole = strcmp(path, ".") == 0, bare;
	char *at = xasprintf("%s%s%s", top, whole ? "" : "/", whole ? "" : path);

	while (strlen(at) > strlen(top)) {
		char *found = gitdir_of(at, &bare);
		free(found);
		if (found && !bare)
			return at;
		*strrchr(at, '/') = '\0';
	}
	free(at);
	return NULL;
}

/* A word for people in the names of local folders: the repository's own name. */
static char *name_of(const char *common)
{
	struct str path = str_of(common);
	struct buf name = { 0 };

	if (str_ends(path, STR("/.git")))
		path.len -= 5;
	for (size_t i = path.len; i > 0 && path.at[i - 1] != '/'; i--)
		name.len = path.len - (i - 1);
	struct str leaf = { path.at + path.len - name.len, name.len > 40 ? 40 : name.len };
	name.len = 0;
	for (size_t i = 0; i < leaf.len; i++)
		buf_addf(&name, "%c", strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					     "0123456789_.-", leaf.at[i]) ? leaf.at[i] : '_');
	buf_text(&name);
	return name.at;
}

static uint64_t hash_of(const char *common)
{
	static const uint8_t key[16] = "ticketplan place";
	char *machine = read_line("/etc/machine-id");
	char *both = xasprintf("%s\n%s", machine ? machine : "", common);
	uint64_t hash = siphash(both, strlen(both), key);

	free(machine);
	free(both);
	return hash;
}

static const char *absolute_env(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

static char *state_of(const char *name, uint64_t hash)
{
	const char *base = absolute_env("XDG_STATE_HOME"), *home = absolute_env("HOME");

	if (base)
		return xasprintf("%s/ticketplan/%s-%016llx", base, name, (unsigned long long)hash);
	if (!home) {
		struct passwd *me = getpwuid(getuid());
		home = me && me->pw_dir ? me->pw_dir : "/";
	}
	return xasprintf("%s/.local/state/ticketplan/%s-%016llx", home, name,
			 (unsigned long long)hash);
}

static char *socket_of(uint64_t hash)
{
	const char *named = getenv("TP_SOCKET"), *runtime = absolute_env("XDG_RUNTIME_DIR");

	/* The agent leaves the folder in which it was started. */
	if (named && *named && named[0] != '/') {
		char *here = getcwd(NULL, 0), *path = xasprintf("%s/%s", here ? here : "", named);
		free(here);
		return path;
	}
	if (named && *named)
		return xstrdup(named);
	if (runtime && is_dir(runtime))
		return xasprintf("%s/ticketplan/%016llx.sock", runtime, (unsigned long long)hash);
	return xasprintf("/tmp/ticketplan-%u/%016llx.sock", (unsigned)getuid(),
			 (unsigned long long)hash);
}

static bool fill_local(struct place *p, struct fault *why)
{
	char *name = name_of(p->common);
	uint64_t hash = hash_of(p->common);

	p->state = state_of(name, hash);
	p->lock = xasprintf("%s/lock", p->state);
	p->hold = xasprintf("%s/stopped", p->state);
	p->socket = socket_of(hash);
	free(name);
	if (strlen(p->socket) < sizeof(((struct sockaddr_un *)0)->sun_path))
		return true;
	return fault(
		why, FAULT_INVALID,
		"the socket's path is longer than a Unix socket's may be (%zu of 107 bytes): %s; "
		"set TP_SOCKET to a shorter one",
		strlen(p->socket), p->socket);
}

bool place_find(const char *dir, struct place *place, struct fault *why)
{
	char *start = realpath(dir ? dir : ".", NULL), *gitdir;
	struct stat st;

	*place = (struct place){ 0 };
	if (!start)
		return fault_errno(why, FAULT_NO_REPOSITORY, "%s", dir ? dir : ".");
	if (getenv("GIT_DIR"))
		gitdir = from_environment(start, &place->top);
	else
		gitdir = search_up(start, &place->top);
	if (gitdir)
		place->common = common_of(gitdir);
	bool ok = place->common && is_gitdir(place->common) && stat(place->common, &st) == 0;
	if (!ok) {
		fault(why, FAULT_NO_REPOSITORY, "no git repository holds %s", start);
	} else {
		place->dev = st.st_dev;
		place->ino = st.st_ino;
		place->source = source_of(gitdir, place->common);
		ok = fill_local(place, why);
	}
	free(start);
	free(gitdir);
	if (!ok)
		place_release(place);
	return ok;
}

void place_release(struct place *place)
{
	free(place->common);
	free(place->top);
	free(place->source);
	free(place->state);
	free(place->lock);
	free(place->hold);
	free(place->socket);
	*place = (struct place){ 0 };
}

/* Parents need not be private, only there. */
static bool make_one(const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	int cause = errno;
	bool there = is_dir(path);
	errno = cause;
	return there;
}

static bool make_parents(const char *dir, struct fault *why)
{
	char *path = xstrdup(dir);

	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!make_one(path)) {
			fault_errno(why, FAULT_IO, "cannot make %s", path);
			free(path);
			return false;
		}
		*slash = '/';
	}
	free(path);
	return true;
}

bool place_private(const char *dir, struct fault *why)
{
	struct stat st;

	if (lstat(dir, &st) < 0) {
		if (!make_parents(dir, why))
			return false;
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return fault_errno(why, FAULT_IO, "cannot make %s", dir);
		if (lstat(dir, &st) < 0)
			return fault_errno(why, FAULT_IO, "%s", dir);
	}
	if (!S_ISDIR(st.st_mode))
		return fault(why, FAULT_IO, "%s is not a folder; remove it", dir);
	if (st.st_uid != geteuid())
		return fault(why, FAULT_IO,
			     "%s belongs to user %u, not to you; remove it or set TP_SOCKET", dir,
			     (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return fault(why, FAULT_IO, "%s is open to others (mode %03o); run: chmod 700 %s",
			     dir, (unsigned)(st.st_mode & 0777), dir);
	return true;
}

bool place_private_for(const char *file, struct fault *why)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash && slash != file ? xstrndup(file, (size_t)(slash - file)) : xstrdup(".");
	bool ok = place_private(dir, why);

	free(dir);
	return ok;
}
