/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <stdlib.h>

#include "dispatch.h"
#include "provenance.h"
#include "repo.h"
#include "revision.h"
#include "timeline_private.h"

/* How many Tickets the views that are kept may hold together. */
#define VIEW_TICKETS_MAX 200000

/* A revision to be looked up, and read where no view has it yet. */
struct lookup {
	struct job job; /* first */
	char *common, *gitdir, *text;
	char *source, *root;
	struct view *have[VIEWS_MAX]; /* shared, so that they stay; their text alone is read */
	struct call *call;
	unsigned nth;
	struct view *view; /* the answer, or NULL with why */
	struct fault why;
};

/* -- On git's thread ---------------------------------------------------- */

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
		if (is_of(t->views[i], text, call_stands(call).at, root))
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

/* -- Calls -------------------------------------------------------------- */

static void look_up(struct timeline *t, struct call *call, unsigned nth)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	*l = (struct lookup){ .job = { .run = bg_look_up },
			      .common = xstrdup(t->common),
			      .gitdir = provenance_gitdir(t->common, call_stands(call).at),
			      .text = xstrdup(call->revisions[nth].text),
			      .source = xstrdup(call_stands(call).at),
			      .root = git_config_root(t->git),
			      .call = call,
			      .nth = nth };
	for (size_t i = 0; i < VIEWS_MAX && t->views[i]; i++)
		l->have[i] = view_share(t->views[i]);
	call->awaited++;
	t->lookups++;
	worker_give(t->worker, &l->job);
}

bool timeline_reads(const struct timeline *t)
{
	return t->reviewing || t->lookups;
}

void timeline_await(struct timeline *t, struct call *call)
{
	DL_APPEND(t->waiting, call);
	for (unsigned i = 0; i < CALL_REVISIONS; i++) {
		const struct revision *r = &call->revisions[i];
		if (r->text && !r->view && !r->failed)
			look_up(t, call, i);
	}
	if (call->stances && call->stances->unknown) {
		call->awaited++;
		worker_give(t->worker, provenance_ask(t->common, call->stances, call));
	}
	if (call->ignored && !call->ignored->known) {
		call->awaited++;
		worker_give(t->worker, provenance_ignored(t->common, call->ignored, call));
	}
	call->awaited += call->asks_git;
	BUG_IF(!call->awaited);
	review_start(t);
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

	if (provenance_is(job)) {
		struct call *call = provenance_take(job);
		call->awaited--;
		return;
	}
	if (review_is(job)) {
		review_take(t, job);
		return;
	}
	take_view(t, l);
	t->lookups--;
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
		t->handing |= call->has_past;
	}
	index_settle(t->ix);
	return ready;
}

void timeline_went_on(struct timeline *t)
{
	t->handing = false;
	review_start(t);
}

/* -- Life --------------------------------------------------------------- */

struct timeline *timeline_new(struct index *ix, struct git *git, const char *common,
			      const char *state, bool writes, void (*wake)(void *ctx), void *ctx)
{
	struct timeline *t = xcalloc(1, sizeof(*t));

	*t = (struct timeline){ .ix = ix,
				.git = git,
				.common = xstrdup(common),
				.kept = kept_new(ix, state, writes),
				.git_reviewed = UINT64_MAX,
				.worker = worker_new("tpd-git", wake, ctx) };
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
	kept_free(t->kept);
	free(t->common);
	free(t);
}
