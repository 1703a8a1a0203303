/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "beneath.h"
#include "dispatch.h"
#include "history.h"
#include "keep.h"
#include "kept.h"
#include "log.h"
#include "provenance.h"
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
	struct kept *kept;
	uint64_t git_changes,
		git_reviewed; /* how far git changed, and how far that was looked at */
	bool reviewing;
	bool handing; /* calls are to go on that were promised the past: it stays until they did */
	bool judging; /* and that decides what answers say */
	bool began;   /* what was there at the start was looked at, or is */
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

/* A record file of which git is asked whether a commit has it. */
struct probe {
	struct sighting file; /* without tree and path where there is a copy already */
	bool doubted;         /* no checkout has it: the past decides, too */
	bool committed;
	bool kept; /* there is a copy now */
};

/* Ask what became of records, and read on in the past if that is wanted. */
struct review {
	struct job job; /* first */
	enum errand errand;
	char *common, *root;
	struct past *past;
	struct keep *copies;
	bool deep;
	struct probe *probes;
	size_t count;
	bool changed, failed;
	struct fault why;
};

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

/* Whether a tree of Tickets has that record, wherever in it the Ticket lies. */
static bool bg_has(struct repo *repo, const struct repo_id *top, const struct sighting *file)
{
	static const char *const places[] = { "", "open/", "pending/", "closed/" };
	struct repo_entry entry;
	struct fault never;
	bool there = false;

	for (size_t i = 0; i < COUNT_OF(places) && !there; i++) {
		char *path =
			xasprintf("%s%s/artifacts/records/%s", places[i], file->ticket, file->name);
		there = repo_below(repo, top, str_of(path), &there, &entry, &never) && there;
		free(path);
	}
	return there;
}

static bool bg_unsure(const struct review *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->probes[i].committed)
			return true;
	return false;
}

/* Look for the records in what branches and tags point to: there most of them are. */
static bool bg_glance(struct review *r, struct repo *repo)
{
	struct repo_id *tips, last = { "" };
	size_t count, held;

	if (!r->count)
		return true;
	if (!repo_tips(repo, &tips, &count, &held, &r->why))
		return false;
	for (size_t i = 0; i < held && bg_unsure(r); i++) {
		struct repo_id commit, tree, top;
		const char *root;
		struct fault never;
		if (!repo_resolve(repo, str_of(tips[i].text), &commit, &never) ||
		    !revision_tree(repo, &commit, &tree, &never) ||
		    !revision_root(repo, &tree, r->root, &root, &top, &never) || !root ||
		    strcmp(top.text, last.text) == 0)
			continue;
		last = top;
		for (size_t k = 0; k < r->count; k++)
			r->probes[k].committed |= bg_has(repo, &top, &r->probes[k].file);
	}
	free(tips);
	return true;
}

static bool bg_is_held(const struct past *past, const struct sighting *file)
{
	struct str id = { file->name, strlen(file->name) - 5 };
	const struct past_record *r = past_record(past, str_of(file->ticket), false, id);

	return r && past_held(r);
}

/* Whoever is in no checkout and at no tip may have been removed by a commit. */
static bool bg_remember(struct review *r, struct repo *repo)
{
	for (size_t i = 0; i < r->count; i++)
		r->deep |= r->probes[i].doubted && !r->probes[i].committed;
	if (!r->deep)
		return true;
	if (!history_fits(r->past, repo)) {
		past_free(r->past);
		r->past = past_new();
	}
	if (!history_update(r->past, repo, r->root, &r->changed, &r->why))
		return false;
	for (size_t i = 0; i < r->count; i++)
		if (!r->probes[i].committed)
			r->probes[i].committed = bg_is_held(r->past, &r->probes[i].file);
	return true;
}

static bool bg_copy(struct keep *copies, const struct sighting *file, struct str bytes)
{
	struct copied seen = { file->ticket, file->name, file->source, bytes };
	struct fault why;

	return keep_put(copies, &seen, 1, &why);
}

/* Keep a copy of what no commit has. */
static void bg_keep(struct review *r)
{
	struct buf bytes = { 0 };

	for (size_t i = 0; i < r->count; i++) {
		struct probe *p = &r->probes[i];
		int tree = p->committed || !p->file.tree
				   ? -1
				   : open(p->file.tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (tree < 0)
			continue;
		bytes.len = 0;
		if (beneath_read(tree, p->file.path, ARTIFACT_FILE_MAX, &bytes) == BENEATH_OK)
			p->kept = bg_copy(r->copies, &p->file, (struct str){ bytes.at, bytes.len });
		close(tree);
	}
	buf_release(&bytes);
}

static void bg_review(struct job *batch)
{
	for (struct job *job = batch; job; job = job->next) {
		struct review *r = (struct review *)job;
		struct repo *repo;
		r->failed = !repo_open(r->common, r->common, &repo, &r->why);
		if (!r->failed) {
			r->failed = !bg_glance(r, repo) || !bg_remember(r, repo);
			repo_close(repo);
		}
		bg_keep(r);
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

/* -- The past ----------------------------------------------------------- */

bool timeline_past(struct timeline *t, struct call *call, const struct past **into,
		   struct fault *why)
{
	if (call->past_failed) {
		*why = call->past_why;
		return false;
	}
	/* It may have been promised in an earlier turn, and be away by now. */
	call->has_past = call->has_past && t->past;
	*into = call->has_past ? t->past : NULL;
	if (!call->has_past)
		call->asks_git = call->asks_past = call->parked = call->awaits_git = true;
	return true;
}

bool timeline_undecided(const struct timeline *t, bool all)
{
	bool git = kept_files(t->kept) && t->git_changes != t->git_reviewed;

	return kept_doubts(t->kept) || git || (t->reviewing && t->judging) ||
	       ((all || t->began) && kept_sighted(t->kept)) || (all && t->reviewing);
}

static bool is_wanted(const struct timeline *t)
{
	const struct call *call;

	DL_FOREACH(t->waiting, call)
	if (call->asks_git)
		return true;
	return kept_doubts(t->kept) || kept_sighted(t->kept) ||
	       (kept_files(t->kept) && t->git_changes != t->git_reviewed);
}

static void add_probe(struct review *r, struct probe p)
{
	r->probes = xrealloc(r->probes, (r->count + 1) * sizeof(p));
	r->probes[r->count++] = p;
}

/* What is to be asked: the copies, and the files of which there may have to be some. */
static void fill_probes(struct timeline *t, struct review *r)
{
	size_t count;
	struct sighting *seen = kept_take_sightings(t->kept, &count);

	for (const struct kept_file *f = kept_files(t->kept); f; f = f->hh.next)
		/* Of the others was asked when git last changed. */
		if (f->doubted || t->git_changes != t->git_reviewed)
			add_probe(r, (struct probe){ .file = { .ticket = xstrdup(f->ticket),
							       .name = xstrdup(f->name) },
						     .doubted = f->doubted || f->lost });
	t->judging = r->count > 0;
	for (size_t i = 0; i < count; i++)
		add_probe(r, (struct probe){ .file = seen[i] });
	t->judging |= count && t->began;
	free(seen);
}

/* The past is of one root. */
static struct past *take_past(struct timeline *t, const char *root)
{
	struct past *past = t->past;

	t->past = NULL;
	if (past && same_text(t->past_root, root))
		return past;
	past_free(past);
	free(t->past_root);
	t->past_root = root ? xstrdup(root) : NULL;
	return past_new();
}

/* One at a time: who asks while git is read is served by the next, which sees what came meanwhile. */
static void review(struct timeline *t)
{
	struct call *call;

	if (t->reviewing || t->handing || !is_wanted(t))
		return;
	struct review *r = xcalloc(1, sizeof(*r));
	*r = (struct review){ .job = { .run = bg_review },
			      .errand = REVIEW,
			      .common = xstrdup(t->common),
			      .root = git_config_root(t->git),
			      .copies = kept_copies(t->kept) };
	r->past = take_past(t, r->root);
	fill_probes(t, r);
	t->reviewing = t->began = true;
	t->git_reviewed = t->git_changes;
	DL_FOREACH(t->waiting, call)
	if (call->asks_git) {
		r->deep |= call->asks_past;
		call->has_past |= call->asks_past;
		call->asks_git = call->asks_past = false;
		call->is_asking = true;
	}
	worker_give(t->worker, &r->job);
}

/* What became of one record.  Without git's word one that no checkout has is taken for lost. */
static void judge(struct timeline *t, const struct probe *p)
{
	struct kept_file *f = kept_find(t->kept, p->file.ticket, p->file.name);

	if (p->kept) {
		kept_add(t->kept, str_of(p->file.ticket), p->file.name, p->file.source);
	} else if (f && p->committed) {
		kept_prune(t->kept, f);
	} else if (f && p->doubted && f->doubted) {
		log_info("timeline: record %s is in no checkout and in no commit: lost", f->key);
		kept_lose(t->kept, f);
	}
}

static void review_free(struct review *r)
{
	for (size_t i = 0; i < r->count; i++)
		sighting_release(&r->probes[i].file);
	free(r->probes);
	free(r->common);
	free(r->root);
	free(r);
}

static void take_review(struct timeline *t, struct review *r)
{
	struct call *call;

	t->reviewing = false;
	if (r->failed) {
		/* It may be half of one. */
		past_free(r->past);
		log_error("timeline: %s", r->why.text);
	} else {
		t->past = r->past;
	}
	for (size_t i = 0; i < r->count; i++)
		judge(t, &r->probes[i]);
	if (r->changed)
		index_touch(t->ix);
	DL_FOREACH(t->waiting, call)
	if (call->is_asking) {
		call->is_asking = false;
		call->past_failed = call->has_past && r->failed;
		call->past_why = r->why;
		call->awaited--;
	}
	review_free(r);
}

static struct str ticket_of(const char *dir)
{
	const char *slash = strrchr(dir, '/');

	return str_of(slash ? slash + 1 : dir);
}

struct keep *timeline_copies(const struct timeline *t)
{
	return kept_copies(t->kept);
}

void timeline_writes(struct timeline *t, const char *dir, const char *name)
{
	kept_writing(t->kept, ticket_of(dir), name);
}

void timeline_wrote(struct timeline *t, const char *dir, const char *name, bool copied)
{
	kept_wrote(t->kept, ticket_of(dir), name, copied);
	if (copied)
		kept_add(t->kept, ticket_of(dir), name, NULL);
}

void timeline_sighted(void *data, int source, struct str path)
{
	struct timeline *t = data;

	kept_sight(t->kept, source, path);
}

void timeline_begin(struct timeline *t)
{
	kept_sight_all(t->kept);
}

void timeline_look(struct timeline *t, uint64_t git_changes)
{
	t->git_changes = git_changes;
	kept_look(t->kept);
	review(t);
}

static struct kept_file *file_of(const struct timeline *t, const struct doc *doc)
{
	const struct ticket *owner = doc->copy->ticket;
	char *ticket = xstrndup(owner->id.at, owner->id.len);
	struct kept_file *f = kept_find(t->kept, ticket, strrchr(doc->path, '/') + 1);

	free(ticket);
	return f;
}

bool timeline_kept(struct timeline *t, const struct doc *doc, struct buf *into)
{
	const struct kept_file *f = file_of(t, doc);

	return f && kept_read(t->kept, f, into);
}

void timeline_forget(struct timeline *t, const struct doc *doc)
{
	struct kept_file *f = file_of(t, doc);

	if (f)
		kept_prune(t->kept, f);
	index_settle(t->ix);
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

	if (provenance_is(job)) {
		struct call *call = provenance_take(job);
		call->awaited--;
		return;
	}
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
		t->handing |= call->has_past;
	}
	index_settle(t->ix);
	return ready;
}

void timeline_went_on(struct timeline *t)
{
	t->handing = false;
	review(t);
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
