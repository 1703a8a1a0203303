/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <stdio.h>
#include <stdlib.h>

#include "history.h"
#include "log.h"
#include "repo.h"
#include "revision.h"
#include "timeline_private.h"

/* Records that may be in no commit: what git says of them, and what becomes of their copies. */

/* A record file of which git is asked whether a commit has it. */
struct probe {
	struct sighting file; /* without tree and path where there is a copy already */
	bool doubted;         /* no checkout has it: the past decides, too */
	bool committed;
	bool removed;         /* by a commit after the one that has it */
	struct repo_id tip;   /* where it was found, before and now; or "" */
	bool kept;            /* there is a copy now */
};

/* Ask what became of records, and read on in the past if that is wanted. */
struct review {
	struct job job; /* first */
	char *common, *root;
	struct past *past;
	struct keep *copies;
	bool deep;
	struct probe *probes;
	size_t count;
	struct repo_id *tips; /* what branches and tags pointed to */
	size_t tip_count;
	bool changed, failed;
	bool torn; /* what a broken ref leads to is missed */
	struct fault why; /* failed, torn */
};

/* -- On git's thread ---------------------------------------------------- */

/* Whether a tree of Tickets has that record, wherever in it the Ticket lies. */
static bool bg_has(struct repo *repo, const struct repo_id *top, const struct sighting *file)
{
	static const char *const places[] = { "", "open/", "pending/", "closed/" };
	struct repo_entry entry;
	struct fault never;
	bool there = false;

	for (size_t i = 0; i < COUNT_OF(places) && !there; i++) {
		char *folder = xconcat(places[i], file->ticket, NULL);
		char *path = layout_record(folder, file->name);
		free(folder);
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

static void bg_found(struct probe *p, const struct repo_id *tip)
{
	p->committed = true;
	p->tip = *tip;
}

/* What had a record has it. */
static void bg_recognize(struct review *r)
{
	for (size_t k = 0; k < r->count; k++) {
		struct probe *p = &r->probes[k];
		for (size_t i = 0; i < r->tip_count && p->tip.text[0] && !p->committed; i++)
			p->committed = strcmp(p->tip.text, r->tips[i].text) == 0;
	}
}

/* Of one Ticket's records git's folders are read once. */
static int by_ticket(const void *a, const void *b)
{
	const struct probe *x = a, *y = b;

	return strcmp(x->file.ticket, y->file.ticket);
}

/* Look for the records in one commit's tree; *last: the one of the commit before. */
static void bg_look(struct review *r, struct repo *repo, const struct repo_id *tip,
		    const struct repo_id *tree, const char *configured, struct repo_id *last)
{
	struct repo_id top;
	const char *root;
	struct fault never;

	if (!revision_root(repo, tree, configured, &root, &top, &never) || !root ||
	    strcmp(top.text, last->text) == 0)
		return;
	*last = top;
	for (size_t i = 0; i < r->count; i++)
		if (!r->probes[i].committed && bg_has(repo, &top, &r->probes[i].file))
			bg_found(&r->probes[i], tip);
}

/* Look for the records in what branches and tags point to: there most of them are. */
static bool bg_glance(struct review *r, struct repo *repo)
{
	struct repo_id last[2] = { 0 };
	size_t count;

	if (!r->count)
		return true;
	if (!repo_tips(repo, &r->tips, &count, &r->tip_count, &r->why))
		return false;
	bg_recognize(r);
	qsort(r->probes, r->count, sizeof(*r->probes), by_ticket);
	for (size_t i = 0; i < r->tip_count && bg_unsure(r); i++) {
		struct repo_id commit, tree;
		struct fault never;
		if (!repo_resolve(repo, str_of(r->tips[i].text), &commit, &never) ||
		    !revision_tree(repo, &commit, &tree, &never))
			continue;
		bg_look(r, repo, &r->tips[i], &tree, r->root, &last[0]);
		/* Where another root was configured since, they are in that which is usual. */
		if (r->root && bg_unsure(r))
			bg_look(r, repo, &r->tips[i], &tree, NULL, &last[1]);
	}
	return true;
}

/* Whether branches and tags are where they were at the glance. */
static bool bg_stood_still(const struct review *r, struct repo *repo)
{
	struct repo_id *now;
	size_t count, held;
	struct fault never;

	if (!repo_tips(repo, &now, &count, &held, &never))
		return false;
	bool same = held == r->tip_count;
	for (size_t i = 0; same && i < held; i++)
		same = strcmp(now[i].text, r->tips[i].text) == 0;
	free(now);
	return same;
}

static bool bg_is_held(const struct past *past, const struct sighting *file)
{
	struct str id = { file->name, strlen(file->name) - 5 };
	const struct past_record *r = past_record(past, str_of(file->ticket), false, id);

	return r && past_held(r);
}

/*
 * Whoever is in no checkout and at no tip may have been removed by a commit.  If tips moved
 * meanwhile one may have it; of that we are told, and ask again.
 */
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
	bool still = bg_stood_still(r, repo);
	for (size_t i = 0; i < r->count; i++) {
		struct probe *p = &r->probes[i];
		if (p->committed || !p->doubted || !bg_is_held(r->past, &p->file))
			continue;
		p->committed = true;
		p->removed = still;
	}
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
		if (!p->committed && p->file.tree && !p->file.copied &&
		    sighting_read(&p->file, &bytes))
			p->kept = bg_copy(r->copies, &p->file, (struct str){ bytes.at, bytes.len });
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
			r->torn = r->deep && !r->failed && !repo_refs_are_whole(repo, &r->why);
			repo_close(repo);
		}
		bg_keep(r);
	}
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
	bool git = kept_unrested(t->kept) && t->git_changes != t->git_reviewed;

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
	       (kept_unrested(t->kept) && t->git_changes != t->git_reviewed);
}

static void add_probe(struct review *r, struct probe p)
{
	r->probes = xrealloc(r->probes, (r->count + 1) * sizeof(p));
	r->probes[r->count++] = p;
}

static struct probe probe_of(const struct kept_file *f)
{
	struct probe p = { .file = { .ticket = xstrdup(f->ticket), .name = xstrdup(f->name) },
			   .doubted = f->doubted || f->lost || f->away };

	if (f->tip)
		snprintf(p.tip.text, sizeof(p.tip.text), "%s", f->tip);
	return p;
}

/* What is to be asked: the copies, and the files of which there may have to be some. */
static void fill_probes(struct timeline *t, struct review *r)
{
	size_t count;
	struct sighting *seen = kept_take_sightings(t->kept, &count);

	for (const struct kept_file *f = kept_files(t->kept); f; f = f->hh.next)
		/* Of the others was asked when git last changed. */
		if (f->doubted || (!f->rests && t->git_changes != t->git_reviewed))
			add_probe(r, probe_of(f));
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

/* One at a time: who asks while git is read is served by the next, which sees what came since. */
void review_start(struct timeline *t)
{
	struct call *call;

	if (t->reviewing || t->handing || !is_wanted(t))
		return;
	struct review *r = xcalloc(1, sizeof(*r));
	*r = (struct review){ .job = { .run = bg_review },
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

/*
 * What became of one record.  Without git's word one that no checkout has is taken for lost,
 * but not where a commit had it.
 */
static void judge(struct timeline *t, const struct probe *p, bool told)
{
	struct kept_file *f;

	if (p->kept || p->file.copied)
		kept_add(t->kept, str_of(p->file.ticket), p->file.name, p->file.source);
	f = kept_find(t->kept, p->file.ticket, p->file.name);
	/* Meanwhile a checkout may have it. */
	bool gone = f && (f->doubted || f->away || f->lost);
	if (gone && p->removed) {
		kept_prune(t->kept, f);
	} else if (f && (p->committed || (f->committed && !told))) {
		kept_commit(t->kept, f, p->committed ? p->tip.text : NULL);
	} else if (gone && p->doubted && !f->lost) {
		log_info("timeline: record %s is in no checkout and in no commit: lost", f->key);
		kept_lose(t->kept, f);
	}
}

static void review_free(struct review *r)
{
	for (size_t i = 0; i < r->count; i++)
		sighting_release(&r->probes[i].file);
	free(r->probes);
	free(r->tips);
	free(r->common);
	free(r->root);
	free(r);
}

bool review_is(const struct job *job)
{
	return job->run == bg_review;
}

void review_take(struct timeline *t, struct job *job)
{
	struct review *r = (struct review *)job;
	struct call *call;

	t->reviewing = false;
	if (r->failed || r->torn)
		log_error("timeline: %s", r->why.text);
	/* What failed is known to be mended when as much was tried. */
	if (r->failed || r->deep)
		index_past_failed(t->ix, r->failed || r->torn ? r->why.text : NULL);
	if (r->failed)
		/* It may be half of one. */
		past_free(r->past);
	else
		t->past = r->past;
	for (size_t i = 0; i < r->count; i++)
		judge(t, &r->probes[i], !r->failed && !r->torn);
	if (r->changed)
		index_touch(t->ix);
	DL_FOREACH(t->waiting, call)
	if (call->is_asking) {
		call->is_asking = false;
		call->past_failed = call->has_past && (r->failed || r->torn);
		call->past_why = r->why;
		call->awaited--;
	}
	review_free(r);
}

/* -- Copies ------------------------------------------------------------- */

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

void timeline_confirm(struct timeline *t, const struct doc *d)
{
	kept_confirm(t->kept, d);
}

struct str timeline_written_beside(const struct timeline *t, struct str ticket, struct str id)
{
	return kept_written_beside(t->kept, ticket, id);
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
	review_start(t);
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
