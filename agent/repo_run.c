/* SPDX-License-Identifier: MIT */
#include "repo_back.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"

/*
 * A repository by `git` itself: one `git cat-file --batch` that lives as long
 * as the repository is open, and a short-lived program for what that cannot
 * tell.  They get an environment of their own, run no hook and no file system
 * monitor, take no optional lock, and reach no network.
 */

/* A git that says nothing for so long is given up. */
#define PATIENCE_MS 30000
#define OUTPUT_MAX  (256 * 1024 * 1024)

struct program {
	pid_t pid;
	int in, out; /* what it reads, what it says; -1: closed */
};

struct run {
	char *gitdir;
	struct program cat;
	struct buf heard; /* of cat, not used yet */
};

/* -- Programs ----------------------------------------------------------- */

static char **environment(void)
{
	static const char *const kept[] = { "PATH",
					    "HOME",
					    "XDG_CONFIG_HOME",
					    "GIT_CONFIG_GLOBAL",
					    "GIT_CONFIG_SYSTEM",
					    "GIT_CONFIG_NOSYSTEM",
					    "SUDO_UID",
					    "TMPDIR" };
	static const char *const set[] = { "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0",
					   "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1",
					   "GIT_NO_REPLACE_OBJECTS=1" };
	char **list = xcalloc(COUNT_OF(kept) + COUNT_OF(set) + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(kept); i++)
		if (getenv(kept[i]))
			list[n++] = xasprintf("%s=%s", kept[i], getenv(kept[i]));
	for (size_t i = 0; i < COUNT_OF(set); i++)
		list[n++] = xstrdup(set[i]);
	return list;
}

static void free_list(char **list)
{
	for (size_t i = 0; list[i]; i++)
		free(list[i]);
	free(list);
}

/* The words behind `git` and the options that every run gets. */
static char **command(const char *gitdir, const char *top, const char *const *words)
{
	static const char *const first[] = { "git",
					     "-c",
					     "core.hooksPath=/dev/null",
					     "-c",
					     "core.fsmonitor=false",
					     "-c",
					     "protocol.allow=never" };
	char **list = xcalloc(COUNT_OF(first) + 20, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(first); i++)
		list[n++] = xstrdup(first[i]);
	if (top) {
		list[n++] = xstrdup("-C");
		list[n++] = xstrdup(top);
	} else {
		list[n++] = xasprintf("--git-dir=%s", gitdir);
	}
	for (size_t i = 0; words[i]; i++)
		list[n++] = xstrdup(words[i]);
	return list;
}

static bool spawn_with(struct program *p, char **argv, char **envp, int in, int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGHUP);
	posix_spawn_file_actions_init(&actions);
	/* Where we are may change under us; and no `git` of a checkout is to be found by PATH. */
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	int result = posix_spawnp(&p->pid, "git", &actions, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	errno = result;
	return result == 0;
}

static bool start(struct program *p, const char *gitdir, const char *top, const char *const *words,
		  struct fault *why)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0)
		return fault_errno(why, FAULT_GIT, "no pipe for git");
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return fault_errno(why, FAULT_GIT, "no pipe for git");
	}
	char **argv = command(gitdir, top, words), **envp = environment();
	bool ok = spawn_with(p, argv, envp, in[0], out[1]);
	if (!ok)
		fault_errno(why, FAULT_GIT, "git cannot be run");
	free_list(argv);
	free_list(envp);
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
	if (!ok) {
		close(p->in);
		close(p->out);
	}
	return ok;
}

/* Its status, after it was told that there is no more. */
static int finish(struct program *p, bool force)
{
	int status = -1;

	if (p->in >= 0)
		close(p->in);
	close(p->out);
	if (force)
		kill(p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* More of what it says; false at the end, and where it says nothing for too long. */
static bool hear(int fd, struct buf *into)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t got = -1;
	int n;

	while ((n = poll(&ready, 1, PATIENCE_MS)) < 0 && errno == EINTR)
		;
	if (n <= 0 || into->len > OUTPUT_MAX)
		return false;
	buf_room(into, 65536);
	while ((got = read(fd, into->at + into->len, 65536)) < 0 && errno == EINTR)
		;
	into->len += got > 0 ? (size_t)got : 0;
	return got > 0;
}

static bool tell(int fd, struct str text)
{
	while (text.len) {
		ssize_t put = write(fd, text.at, text.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		text = (struct str){ text.at + put, text.len - (size_t)put };
	}
	return true;
}

/* A program from start to end.  What it reads fits into a pipe, or it reads before it speaks. */
static bool run_once(struct run *r, const char *top, const char *const *words, struct str input,
		     struct buf *output, int *status, struct fault *why)
{
	struct program p;

	if (!start(&p, r->gitdir, top, words, why))
		return false;
	tell(p.in, input);
	close(p.in);
	p.in = -1;
	while (hear(p.out, output))
		;
	*status = finish(&p, output->len > OUTPUT_MAX);
	return true;
}

/* -- git cat-file --batch ----------------------------------------------- */

static bool silent(struct fault *why)
{
	return fault(why, FAULT_GIT, "git cat-file gave no answer; see what git fsck says");
}

static bool run_open(const char *common, const char *gitdir, void **into, struct fault *why)
{
	static const char *const batch[] = { "cat-file", "--batch", NULL };
	static const char *const probe[] = { "rev-parse", "--git-dir", NULL };
	struct run *r = xcalloc(1, sizeof(*r));
	struct buf output = { 0 };
	int status;

	(void)common;
	r->gitdir = xstrdup(gitdir);
	bool ok = run_once(r, NULL, probe, STR(""), &output, &status, why);
	buf_release(&output);
	if (ok && status)
		ok = fault(why, FAULT_GIT, "git refuses the repository too");
	if (!ok || !start(&r->cat, gitdir, NULL, batch, why)) {
		free(r->gitdir);
		free(r);
		return false;
	}
	*into = r;
	return true;
}

static void run_close(void *back)
{
	struct run *r = back;

	finish(&r->cat, false);
	buf_release(&r->heard);
	free(r->gitdir);
	free(r);
}

/* The next line of cat, without its end; it stays in r->heard. */
static bool next_line(struct run *r, struct str *line)
{
	char *end;

	while (!(end = r->heard.len ? memchr(r->heard.at, '\n', r->heard.len) : NULL))
		if (!hear(r->cat.out, &r->heard))
			return false;
	*line = (struct str){ r->heard.at, (size_t)(end - r->heard.at) };
	return true;
}

/* What cat says of an object before its bytes: ID TYPE SIZE. */
struct head {
	struct repo_id id;
	char type[16];
	unsigned long long size;
	bool missing, ambiguous;
};

static bool ask(struct run *r, struct str name, struct head *head, struct fault *why)
{
	char *query = xasprintf("%.*s\n", STR_ARG(name));
	bool ok = tell(r->cat.in, str_of(query));
	struct str line;

	free(query);
	if (!ok || !next_line(r, &line))
		return silent(why);
	*head = (struct head){ .missing = str_ends(line, STR(" missing")),
			       .ambiguous = str_ends(line, STR(" ambiguous")) };
	char *text = xstrndup(line.at, line.len);
	bool whole = sscanf(text, "%64s %15s %llu", head->id.text, head->type, &head->size) == 3;
	free(text);
	buf_eat(&r->heard, line.len + 1);
	return head->missing || head->ambiguous || whole ? true : silent(why);
}

/* An object's bytes and the line's end behind them; `into` may be NULL. */
static bool take_bytes(struct run *r, const struct head *head, struct buf *into, struct fault *why)
{
	size_t left = head->size + 1;

	while (left) {
		if (!r->heard.len && !hear(r->cat.out, &r->heard))
			return silent(why);
		size_t n = r->heard.len < left ? r->heard.len : left;
		if (into)
			buf_add(into, r->heard.at, n);
		buf_eat(&r->heard, n);
		left -= n;
	}
	if (into)
		into->len--;
	return true;
}

static bool run_resolve(void *back, struct str revision, struct repo_id *into, struct fault *why)
{
	struct run *r = back;
	struct head head;
	char *peeled = xasprintf("%.*s^{commit}", STR_ARG(revision));
	bool ok = ask(r, str_of(peeled), &head, why);

	free(peeled);
	if (!ok)
		return false;
	if (head.ambiguous)
		return repo_ambiguous(revision, why);
	if (head.missing) {
		if (!ask(r, revision, &head, why))
			return false;
		if (head.missing || head.ambiguous)
			return head.missing ? repo_no_revision(revision, why)
					    : repo_ambiguous(revision, why);
		return take_bytes(r, &head, NULL, why) && repo_no_commit(revision, why);
	}
	*into = head.id;
	return take_bytes(r, &head, NULL, why);
}

static bool run_read(void *back, const struct repo_id *id, size_t max, enum repo_type *type,
		     struct buf *into, struct fault *why)
{
	struct run *r = back;
	struct head head;

	if (!ask(r, str_of(id->text), &head, why))
		return false;
	if (head.missing || head.ambiguous)
		return repo_unreadable(id, "it is not there", why);
	*type = strcmp(head.type, "commit") == 0 ? REPO_COMMIT
		: strcmp(head.type, "tree") == 0 ? REPO_TREE
		: strcmp(head.type, "tag") == 0  ? REPO_TAG
						 : REPO_BLOB;
	if (head.size <= max)
		return take_bytes(r, &head, into, why);
	return take_bytes(r, &head, NULL, why) && repo_object_too_large(id, head.size, why);
}

static bool run_refs(void *back, void (*take)(void *ctx, const char *id), void *ctx,
		     struct fault *why)
{
	static const char *const words[] = { "for-each-ref", "--format=%(objectname)",
					     "refs/heads",   "refs/remotes",
					     "refs/tags",    NULL };
	struct buf output = { 0 };
	int status;

	if (!run_once(back, NULL, words, STR(""), &output, &status, why))
		return false;
	buf_text(&output);
	for (char *line = output.at, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		end += *end ? (*end = '\0', 1) : 0;
		take(ctx, line);
	}
	buf_release(&output);
	return status == 0 ? true
			   : fault(why, FAULT_GIT, "git for-each-ref fails (status %d)", status);
}

/* -- The index ---------------------------------------------------------- */

/* So much of what a program shall read goes into the pipe before it begins. */
#define INPUT_MAX 32768

/* The paths in order, so that what a program says of one is found. */
struct sorted {
	struct repo_path **at;
	size_t count;
};

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct repo_path *const *)a)->path, (*(struct repo_path *const *)b)->path);
}

static struct sorted sort_paths(struct repo_path *paths, size_t count)
{
	struct sorted s = { xcalloc(count + 1, sizeof(struct repo_path *)), count };

	for (size_t i = 0; i < count; i++)
		s.at[i] = &paths[i];
	if (count > 1)
		qsort(s.at, count, sizeof(struct repo_path *), by_path);
	return s;
}

static struct repo_path *find_path(const struct sorted *s, const char *path)
{
	struct repo_path key = { .path = path }, *at = &key;
	struct repo_path **found =
		s->count ? bsearch(&at, s->at, s->count, sizeof(struct repo_path *), by_path)
			 : NULL;

	return found ? *found : NULL;
}

/* MODE ID STAGE\tPATH\0 … */
static void read_staged(struct buf *output, const struct sorted *paths)
{
	for (size_t at = 0; at < output->len; at += strlen(output->at + at) + 1) {
		const char *line = output->at + at, *tab = strchr(line, '\t');
		struct repo_path *p = tab ? find_path(paths, tab + 1) : NULL;
		struct repo_id blob;
		int stage;
		/* Of one in conflict, what this side has. */
		if (!p || sscanf(line, "%*s %64s %d", blob.text, &stage) != 2 ||
		    (stage && stage != 2))
			continue;
		p->standing = REPO_STAGED;
		p->blob = blob;
	}
}

/* Of as many paths as one program takes; *done says how many those were. */
static bool find_ignored(struct run *r, const char *top, const struct sorted *paths, size_t *done,
			 struct fault *why)
{
	static const char *const words[] = { "check-ignore", "-z", "--stdin", NULL };
	struct buf input = { 0 }, output = { 0 };
	bool ok = true;
	int status;

	for (; *done < paths->count && input.len < INPUT_MAX; ++*done)
		if (paths->at[*done]->standing == REPO_UNTRACKED)
			buf_add(&input, paths->at[*done]->path, strlen(paths->at[*done]->path) + 1);
	if (input.len)
		ok = run_once(r, top, words, (struct str){ input.at, input.len }, &output, &status,
			      why);
	buf_text(&output);
	for (size_t at = 0; ok && at < output.len; at += strlen(output.at + at) + 1) {
		struct repo_path *p = find_path(paths, output.at + at);
		if (p)
			p->standing = REPO_IGNORED;
	}
	buf_release(&output);
	buf_release(&input);
	return ok;
}

static bool run_stand(void *back, const char *top, struct repo_path *paths, size_t count,
		      struct fault *why)
{
	static const char *const words[] = { "ls-files", "-s", "-z", NULL };
	struct sorted sorted = sort_paths(paths, count);
	struct buf output = { 0 };
	int status;

	for (size_t i = 0; i < count; i++)
		paths[i].standing = REPO_UNTRACKED;
	bool ok = run_once(back, top, words, STR(""), &output, &status, why);
	if (ok && status)
		ok = fault(why, FAULT_GIT, "git ls-files fails in %s (status %d)", top, status);
	buf_text(&output);
	if (ok)
		read_staged(&output, &sorted);
	buf_release(&output);
	for (size_t done = 0; ok && done < count;)
		ok = find_ignored(back, top, &sorted, &done, why);
	free(sorted.at);
	return ok;
}

const struct repo_back repo_by_program = {
	.open = run_open,
	.close = run_close,
	.resolve = run_resolve,
	.read = run_read,
	.refs = run_refs,
	.stand = run_stand,
};
