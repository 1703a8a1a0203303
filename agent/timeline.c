/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch.h"
#include "history.h"
#include "repo.h"
#include "revision.h"
#include "worker.h"

/* Views that are kept for the next who asks, and how many Tickets they may hold together. */
#define VIEWS_MAX        8
#define VIEW_TICKETS_MAX 200000

struct timeline {
	struct index *ix;
	struct git *git;
	char *common;
	struct worker *worker;
	struct view *views[VIEWS_MAX]; /* the one that was asked last first; then NULL */
	struct call *waiting;
	struct past *past; /* git's thread has it while `reviewing` */
	char *past_root;   /* what ticketplan.root was for it */
	bool reviewing;
	unsigned made;
};

enum errand { LOOKUP, REVIEW };

/* A revision to be looked up, and read where no view has it yet. */
struct lookup {
	struct job job; /* first */
	enum errand errand;
	char *common, *gitdir, *text;
	char *source, *root;
	struct view *have[VIEWS_MAX]; /* shared, so that they stay; their text alone is read */
	struct call *call;
	unsigned nth;
	struct view *view; /* the answer, or NULL with why */
	struct fault why;
};

/* Read on in the past. */
struct review {
	struct job job; /* first */
	enum errand errand;
	char *common, *root;
	struct past *past;
	bool changed, failed;
	struct fault why;
};

static const char *stands(const struct call *call)
{
	return call->conn && call->stands[0] ? call->stands : "main";
}

/* -- On git's thread ---------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_of(const struct view *v, const char *commit, const char *source, const char *root)
{
	return v->commit && strcmp(v->commit, commit) == 0 && strcmp(v->source, source) == 0 &&
	       same_text(v->root, root);
}

static bool bg_view(struct lookup *l, struct repo *repo, const struct repo_id *id)
{
	struct index *ix;

	for (size_t i = 0; i < VIEWS_MAX && l->have[i]; i++)
		if (is_of(l->have[i], id->text, l->source, l->root)) {
			/* The reference that the list has goes over to the answer. */
			l->view = l->have[i];
			return true;
		}
	if (!revision_index(repo, id, l->root, l->source, &ix, &l->why))
		return false;
	l->view = view_new(ix, id->text, l->source, l->root);
	return true;
}

static void bg_look_up(struct job *batch)
{
	for (struct job *job = batch; job; job = job->next) {
		struct lookup *l = (struct lookup *)job;
		struct repo *repo;
		struct repo_id id;
		if (!repo_open(l->common, l->gitdir, &repo, &l->why))
			continue;
		if (repo_resolve(repo, str_of(l->text), &id, &l->why))
			bg_view(l, repo, &id);
		repo_close(repo);
	}
}

static void bg_review(struct job *batch)
{
	for (struct job *job = batch; job; job = job->next) {
		struct review *r = (struct review *)job;
		struct repo *repo;
		r->failed = !repo_open(r->common, r->common, &repo, &r->why);
		if (r->failed)
			continue;
		r->failed = !history_update(r->past, repo, r->root, &r->changed, &r->why);
		repo_close(repo);
	}
}

/* -- Views -------------------------------------------------------------- */

static void forget(struct timeline *t, size_t at)
{
	view_free(t->views[at]);
	memmove(&t->views[at], &t->views[at + 1], (VIEWS_MAX - at - 1) * sizeof(struct view *));
	t->views[VIEWS_MAX - 1] = NULL;
}

static bool too_many(const struct timeline *t)
{
	size_t tickets = 0, count = 0;

	for (; count < VIEWS_MAX && t->views[count]; count++)
		tickets += index_count(t->views[count]->ix);
	return count == VIEWS_MAX || (count > 1 && tickets > VIEW_TICKETS_MAX);
}

/* Put a view in front; the list has a reference of its own. */
static void keep(struct timeline *t, struct view *v)
{
	size_t last = VIEWS_MAX;

	view_share(v);
	for (size_t i = 0; i < VIEWS_MAX; i++)
		if (t->views[i] == v)
			forget(t, i);
	while (too_many(t)) {
		for (last = VIEWS_MAX - 1; !t->views[last]; last--)
			;
		forget(t, last);
	}
	memmove(&t->views[1], &t->views[0], (VIEWS_MAX - 1) * sizeof(struct view *));
	t->views[0] = v;
}

/* Whether a text is an object's whole id: then it means the same for ever. */
static bool is_whole_id(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr("0123456789abcdef", text.at[i]))
			return false;
	return text.len == 40 || text.len == 64;
}

static struct view *find_commit(const struct timeline *t, const struct call *call, struct str id)
{
	char *root = git_config_root(t->git), *text = xstrndup(id.at, id.len);
	struct view *found = NULL;

	for (size_t i = 0; i < VIEWS_MAX && t->views[i] && !found; i++)
		if (is_of(t->views[i], text, stands(call), root))
			found = t->views[i];
	free(root);
	free(text);
	return found;
}

bool timeline_revision(struct timeline *t, struct call *call, unsigned nth, struct str text,
		       struct view **into, struct fault *why)
{
	struct revision *r = &call->revisions[nth];

	if (r->failed) {
		*why = r->why;
		return false;
	}
	if (!r->view && is_whole_id(text) && (r->view = find_commit(t, call, text))) {
		view_share(r->view);
		keep(t, r->view);
	}
	*into = r->view;
	if (r->view)
		return true;
	free(r->text);
	r->text = xstrndup(text.at, text.len);
	call->parked = call->awaits_git = true;
	return true;
}

static int find_source(const struct index *ix, struct str name)
{
	for (int i = 0; i < SOURCES_MAX; i++) {
		const struct source *s = index_source(ix, i);
		if (s && str_is(name, s->name))
			return i;
	}
	return -1;
}

bool timeline_source(struct timeline *t, struct str name, struct view **into, struct fault *why)
{
	int source = find_source(t->ix, name);
	uint64_t now = index_generation(t->ix);

	if (source < 0)
		return fault(why, FAULT_NOT_FOUND,
			     "no checkout \"%.*s\"; `tpctl status` lists them",
			     (int)(name.len > 128 ? 128 : name.len), name.at);
	if (!index_source(t->ix, source)->root[0])
		return fault(why, FAULT_NO_TREE, "the checkout %.*s has no Ticket tree",
			     STR_ARG(name));
	for (size_t i = 0; i < VIEWS_MAX && t->views[i]; i++) {
		struct view *v = t->views[i];
		if (v->commit || !str_is(name, v->source))
			continue;
		if (v->from == now) {
			*into = v;
			return true;
		}
		forget(t, i--);
	}
	*into = view_new(view_of_source(t->ix, source), NULL, index_source(t->ix, source)->name,
			 NULL);
	(*into)->from = now;
	keep(t, *into);
	view_free(*into);
	return true;
}

/* -- The past ----------------------------------------------------------- */

bool timeline_past(struct timeline *t, struct call *call, const struct past **into,
		   struct fault *why)
{
	*into = call->has_past ? t->past : NULL;
	if (call->past_failed) {
		*why = call->past_why;
		return false;
	}
	if (!call->has_past)
		call->asks_past = call->parked = call->awaits_git = true;
	return true;
}

/* One at a time: who asks while git is read is served by the next, which sees what came meanwhile. */
static void review(struct timeline *t)
{
	struct call *call;
	bool wanted = false;

	DL_FOREACH(t->waiting, call)
	wanted |= call->asks_past;
	if (!wanted || t->reviewing)
		return;
	struct review *r = xcalloc(1, sizeof(*r));
	*r = (struct review){ .job = { .run = bg_review },
			      .errand = REVIEW,
			      .common = xstrdup(t->common),
			      .root = git_config_root(t->git) };
	/* The past is of one root. */
	if (t->past && !same_text(t->past_root, r->root)) {
		past_free(t->past);
		t->past = NULL;
	}
	free(t->past_root);
	t->past_root = r->root ? xstrdup(r->root) : NULL;
	r->past = t->past ? t->past : past_new();
	t->past = NULL;
	t->reviewing = true;
	DL_FOREACH(t->waiting, call)
	if (call->asks_past) {
		call->asks_past = false;
		call->has_past = true;
	}
	worker_give(t->worker, &r->job);
}

static void take_review(struct timeline *t, struct review *r)
{
	struct call *call;

	t->reviewing = false;
	if (r->failed)
		/* It may be half of one. */
		past_free(r->past);
	else
		t->past = r->past;
	if (r->changed)
		index_touch(t->ix);
	DL_FOREACH(t->waiting, call)
	if (call->has_past && call->awaited) {
		call->past_failed = r->failed;
		call->past_why = r->why;
		call->awaited--;
	}
	free(r->common);
	free(r->root);
	free(r);
}

/* -- Calls -------------------------------------------------------------- */

/* Whose HEAD the call means. */
static char *gitdir_of(const struct timeline *t, const char *source)
{
	char *dir = xasprintf("%s/worktrees/%s", t->common, source);

	if (strcmp(source, "main") == 0 || source[0] == '.' || strchr(source, '/') ||
	    access(dir, F_OK) < 0) {
		free(dir);
		dir = xstrdup(t->common);
	}
	return dir;
}

static void look_up(struct timeline *t, struct call *call, unsigned nth)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	*l = (struct lookup){ .job = { .run = bg_look_up },
			      .common = xstrdup(t->common),
			      .gitdir = gitdir_of(t, stands(call)),
			      .text = xstrdup(call->revisions[nth].text),
			      .source = xstrdup(stands(call)),
			      .root = git_config_root(t->git),
			      .call = call,
			      .nth = nth };
	for (size_t i = 0; i < VIEWS_MAX && t->views[i]; i++)
		l->have[i] = view_share(t->views[i]);
	call->awaited++;
	worker_give(t->worker, &l->job);
}

void timeline_await(struct timeline *t, struct call *call)
{
	DL_APPEND(t->waiting, call);
	for (unsigned i = 0; i < CALL_REVISIONS; i++) {
		const struct revision *r = &call->revisions[i];
		if (r->text && !r->view && !r->failed)
			look_up(t, call, i);
	}
	call->awaited += call->asks_past;
	BUG_IF(!call->awaited);
	review(t);
}

static void lookup_free(struct lookup *l)
{
	for (size_t i = 0; i < VIEWS_MAX; i++)
		if (l->have[i] != l->view)
			view_free(l->have[i]);
	free(l->common);
	free(l->gitdir);
	free(l->text);
	free(l->source);
	free(l->root);
	free(l);
}

static void take_view(struct timeline *t, struct lookup *l)
{
	struct revision *r = &l->call->revisions[l->nth];

	r->view = l->view;
	r->failed = !l->view;
	r->why = l->why;
	if (!l->view)
		return;
	if (!l->view->made)
		l->view->made = ++t->made;
	keep(t, l->view);
}

static void take_job(struct timeline *t, struct job *job)
{
	struct lookup *l = (struct lookup *)job;

	/* Both kinds begin alike. */
	if (l->errand == REVIEW) {
		take_review(t, (struct review *)job);
		return;
	}
	take_view(t, l);
	l->call->awaited--;
	lookup_free(l);
}

struct call *timeline_take(struct timeline *t)
{
	struct call *ready = NULL, *call, *next_call;

	for (struct job *job = worker_take(t->worker), *next; job; job = next) {
		next = job->next;
		take_job(t, job);
	}
	DL_FOREACH_SAFE(t->waiting, call, next_call)
	if (!call->awaited) {
		DL_DELETE(t->waiting, call);
		DL_APPEND(ready, call);
	}
	review(t);
	index_settle(t->ix);
	return ready;
}

/* -- Life --------------------------------------------------------------- */

struct timeline *timeline_new(struct index *ix, struct git *git, const char *common,
			      void (*wake)(void *ctx), void *ctx)
{
	struct timeline *t = xcalloc(1, sizeof(*t));

	*t = (struct timeline){
		.ix = ix, .git = git, .common = xstrdup(common),
		.worker = worker_new("tpd-git", wake, ctx),
	};
	return t;
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	for (struct job *job = worker_end(t->worker), *next; job; job = next) {
		next = job->next;
		take_job(t, job);
	}
	while (t->waiting) {
		struct call *call = t->waiting;
		DL_DELETE(t->waiting, call);
		call_drop(call);
	}
	while (t->views[0])
		forget(t, 0);
	past_free(t->past);
	free(t->past_root);
	free(t->common);
	free(t);
}
