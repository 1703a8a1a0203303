/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"

/* A list with its end, so that order is kept. */
struct line {
	struct job *first, **last;
};

struct worker {
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t more;
	struct line given, done;
	bool ending;
	void (*wake)(void *ctx);
	void *ctx;
	struct job kind; /* of the batch that runs; the thread's own */
};

static void append(struct line *line, struct job *jobs)
{
	if (!line->first)
		line->last = &line->first;
	*line->last = jobs;
	for (; jobs; jobs = jobs->next)
		line->last = &jobs->next;
}

static struct job *take_all(struct line *line)
{
	struct job *jobs = line->first;

	line->first = NULL;
	return jobs;
}

static bool same_kind(const struct job *a, const struct job *b)
{
	return a->run == b->run && a->flow == b->flow;
}

/* The first jobs, as far as they are of one kind. */
static struct job *take_batch(struct line *line)
{
	struct job *first = line->first, *last = first;

	if (!first)
		return NULL;
	while (last->next && same_kind(last->next, first))
		last = last->next;
	line->first = last->next;
	last->next = NULL;
	return first;
}

void worker_done(struct worker *w, struct job *jobs)
{
	pthread_mutex_lock(&w->mutex);
	append(&w->done, jobs);
	/* Outside: who is woken would only wait for the mutex. */
	pthread_mutex_unlock(&w->mutex);
	w->wake(w->ctx);
}

struct job *worker_more(struct worker *w)
{
	pthread_mutex_lock(&w->mutex);
	struct job *first = w->given.first;
	bool more = first && same_kind(first, &w->kind);
	struct job *batch = more ? take_batch(&w->given) : NULL;
	pthread_mutex_unlock(&w->mutex);
	return batch;
}

static void bg_run(struct worker *w, struct job *batch)
{
	w->kind = *batch;
	if (batch->flow) {
		batch->flow(w, batch);
		return;
	}
	batch->run(batch);
	worker_done(w, batch);
}

void worker_give_way(int by)
{
	/* On Linux a thread has its own; where it may not be changed, nothing is lost. */
	id_t me = (id_t)gettid();
	setpriority(PRIO_PROCESS, me, getpriority(PRIO_PROCESS, me) + by);
}

static void *bg_main(void *data)
{
	struct worker *w = data;

	worker_give_way(5);
	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (!w->given.first && !w->ending)
			pthread_cond_wait(&w->more, &w->mutex);
		struct job *batch = take_batch(&w->given);
		if (!batch)
			break;
		pthread_mutex_unlock(&w->mutex);
		bg_run(w, batch);
		pthread_mutex_lock(&w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

bool worker_thread(pthread_t *thread, const char *name, void *(*main)(void *data), void *data)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool ok = pthread_create(thread, NULL, main, data) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ok)
		pthread_setname_np(*thread, name);
	return ok;
}

struct worker *worker_new(const char *name, void (*wake)(void *ctx), void *ctx)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->wake = wake;
	w->ctx = ctx;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->more, NULL);
	BUG_IF(!worker_thread(&w->thread, name, bg_main, w));
	return w;
}

struct job *worker_end(struct worker *w)
{
	pthread_mutex_lock(&w->mutex);
	w->ending = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	struct job *done = take_all(&w->done);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->mutex);
	free(w);
	return done;
}

void worker_give(struct worker *w, struct job *jobs)
{
	pthread_mutex_lock(&w->mutex);
	append(&w->given, jobs);
	pthread_mutex_unlock(&w->mutex);
	pthread_cond_signal(&w->more);
}

struct job *worker_take(struct worker *w)
{
	pthread_mutex_lock(&w->mutex);
	struct job *done = take_all(&w->done);
	pthread_mutex_unlock(&w->mutex);
	return done;
}
