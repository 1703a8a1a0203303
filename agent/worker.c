/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

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

/* Jobs of one kind that stand together are one batch. */
static void bg_run(struct job *jobs)
{
	for (struct job *first = jobs, *rest; first; first = rest) {
		struct job *last = first;
		while (last->next && last->next->run == first->run)
			last = last->next;
		rest = last->next;
		last->next = NULL;
		first->run(first);
		last->next = rest;
	}
}

static void *bg_main(void *data)
{
	struct worker *w = data;

	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (!w->given.first && !w->ending)
			pthread_cond_wait(&w->more, &w->mutex);
		struct job *batch = take_all(&w->given);
		if (!batch)
			break;
		pthread_mutex_unlock(&w->mutex);
		bg_run(batch);
		pthread_mutex_lock(&w->mutex);
		append(&w->done, batch);
		/* Outside: who is woken would only wait for the mutex. */
		pthread_mutex_unlock(&w->mutex);
		w->wake(w->ctx);
		pthread_mutex_lock(&w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

struct worker *worker_new(const char *name, void (*wake)(void *ctx), void *ctx)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	sigset_t all, before;

	w->wake = wake;
	w->ctx = ctx;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->more, NULL);
	/* Signals are for the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	BUG_IF(pthread_create(&w->thread, NULL, bg_main, w) != 0);
	pthread_setname_np(w->thread, name);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
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
