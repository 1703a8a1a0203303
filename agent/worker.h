/* SPDX-License-Identifier: MIT */
#ifndef TP_WORKER_H
#define TP_WORKER_H

#include <pthread.h>
#include <stdbool.h>

/* A thread of that name, of at most 15 bytes, beside the loop: signals are for that one. */
bool worker_thread(pthread_t *thread, const char *name, void *(*main)(void *data), void *data);

/*
 * A thread for what waits.  Syncing a disk takes milliseconds to seconds; done in
 * the loop it would stop every answer.  Jobs begin in the order in which they
 * were given; those that came while others ran are one batch, so that they can
 * share what is dear.  Whoever gives a job away does not touch it until it
 * comes back.
 */
struct worker;

/* Of one kind are jobs that have the same function. */
struct job {
	struct job *next;
	/*
	 * Called on the other thread with a batch: this job and those of the same kind behind it.
	 * They are done when it returns.
	 */
	void (*run)(struct job *batch);
	/*
	 * Or instead of it, where jobs are done one after the other and others may begin meanwhile:
	 * it gives each back with worker_done, and may go on with what worker_more has.
	 */
	void (*flow)(struct worker *worker, struct job *batch);
};

/*
 * The thread has the name, of at most 15 bytes.  `wake` is called on it when
 * jobs are done; it must only cause worker_take.
 */
struct worker *worker_new(const char *name, void (*wake)(void *ctx), void *ctx);
/* Lets it finish everything it was given, then ends it.  What was done is returned. */
struct job *worker_end(struct worker *worker);

/* Jobs linked by `next`, in order. */
void worker_give(struct worker *worker, struct job *jobs);
/* What is done since the last call, in order; NULL for nothing. */
struct job *worker_take(struct worker *worker);

/* For a job that flows: these are done, in the order in which they came. */
void worker_done(struct worker *worker, struct job *jobs);
/*
 * What was given since its batch began, as far as it is of that kind; NULL where
 * there is nothing, or where a job of another kind is the next one.
 */
struct job *worker_more(struct worker *worker);

/*
 * This thread leaves the CPU to others that are so many steps of nice(1) more urgent: to
 * the loop, which answers.  Workers do so by themselves.
 */
void worker_give_way(int by);

#endif
