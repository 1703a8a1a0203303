/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "worker.h"

/* A job that notes in which batch it ran, and the thread. */
struct task {
	struct job job; /* first */
	int number;
	int batch;
	pthread_t thread;
	int nice;
	bool signals_blocked;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: batches wait */
static int batches;

static void bg_run(struct job *batch)
{
	sigset_t mask;

	pthread_mutex_lock(&gate);
	batches++;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (struct job *job = batch; job; job = job->next) {
		struct task *t = (struct task *)job;
		t->batch = batches;
		t->thread = pthread_self();
		t->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
		t->signals_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGCHLD);
	}
	pthread_mutex_unlock(&gate);
}

static void bg_wake(void *ctx)
{
	uint64_t one = 1;

	BUG_IF(write(*(int *)ctx, &one, sizeof(one)) != (ssize_t)sizeof(one));
}

static int make_event(void **state)
{
	int *fd = xmalloc(sizeof(*fd));

	*fd = eventfd(0, EFD_CLOEXEC);
	batches = 0;
	*state = fd;
	return *fd < 0;
}

static int drop_event(void **state)
{
	int *fd = *state;

	close(*fd);
	free(fd);
	return 0;
}

#define with_event(test) cmocka_unit_test_setup_teardown(test, make_event, drop_event)

static void number(struct task *tasks, int count)
{
	for (int i = 0; i < count; i++)
		tasks[i] = (struct task){ .job.run = bg_run, .number = i };
}

static void wait_for_wake(int fd)
{
	uint64_t times;

	assert_int_equal(read(fd, &times, sizeof(times)), (ssize_t)sizeof(times));
	assert_true(times > 0);
}

static void a_job_runs_on_the_other_thread_and_comes_back(void **state)
{
	int *fd = *state;
	struct worker *w = worker_new("test", bg_wake, fd);
	struct task t;

	number(&t, 1);
	assert_null(worker_take(w));
	worker_give(w, &t.job);
	wait_for_wake(*fd);
	assert_ptr_equal(worker_take(w), &t.job);
	assert_int_equal(t.batch, 1);
	assert_false(pthread_equal(t.thread, pthread_self()));
	assert_true(t.signals_blocked);
	assert_null(worker_take(w));
	assert_null(worker_end(w));
}

static void the_other_thread_gives_way_to_the_one_that_answers(void **state)
{
	int *fd = *state;
	int mine = 7; /* as of an agent that was started so */
	struct task t;

	assert_int_equal(setpriority(PRIO_PROCESS, (id_t)gettid(), mine), 0);
	struct worker *w = worker_new("test", bg_wake, fd);

	number(&t, 1);
	worker_give(w, &t.job);
	assert_ptr_equal(worker_end(w), &t.job);
	assert_int_equal(t.nice, mine + 5);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()), mine);
}

static void jobs_that_come_while_others_run_are_one_batch_in_order(void **state)
{
	int *fd = *state;
	struct worker *w = worker_new("test", bg_wake, fd);
	struct task tasks[50];
	int next = 0;

	number(tasks, 50);
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 50; i++)
		worker_give(w, &tasks[i].job);
	pthread_mutex_unlock(&gate);
	/* The first may have run by itself; what came meanwhile is the second batch. */
	while (next < 50) {
		for (struct job *done = worker_take(w); done; done = done->next)
			assert_int_equal(((struct task *)done)->number, next++);
		if (next < 50)
			wait_for_wake(*fd);
	}
	assert_in_range(batches, 1, 2);
	assert_null(worker_end(w));
}

static void a_list_given_at_once_is_one_batch(void **state)
{
	int *fd = *state;
	struct worker *w = worker_new("test", bg_wake, fd);
	struct task tasks[3];

	number(tasks, 3);
	tasks[0].job.next = &tasks[1].job;
	tasks[1].job.next = &tasks[2].job;
	worker_give(w, &tasks[0].job);
	struct job *done = worker_end(w);
	for (int i = 0; i < 3; i++, done = done->next) {
		assert_int_equal(((struct task *)done)->number, i);
		assert_int_equal(((struct task *)done)->batch, 1);
	}
	assert_null(done);
}

static void bg_run_other(struct job *batch)
{
	bg_run(batch);
}

static void jobs_of_another_kind_are_another_batch_and_keep_the_order(void **state)
{
	static const int batch_of[] = { 1, 1, 2, 3, 3, 3 };
	int *fd = *state;
	struct worker *w = worker_new("test", bg_wake, fd);
	struct task tasks[6];

	number(tasks, 6);
	tasks[2].job.run = bg_run_other;
	for (int i = 0; i < 5; i++)
		tasks[i].job.next = &tasks[i + 1].job;
	worker_give(w, &tasks[0].job);
	struct job *done = worker_end(w);
	for (int i = 0; i < 6; i++, done = done->next) {
		assert_int_equal(((struct task *)done)->number, i);
		assert_int_equal(((struct task *)done)->batch, batch_of[i]);
	}
	assert_null(done);
}

static void the_end_waits_for_everything_that_was_given(void **state)
{
	int *fd = *state;

	for (int round = 0; round < 50; round++) {
		struct worker *w = worker_new("test", bg_wake, fd);
		struct task tasks[4];
		int count = 0;
		number(tasks, 4);
		for (int i = 0; i < 4; i++)
			worker_give(w, &tasks[i].job);
		for (struct job *done = worker_end(w); done; done = done->next)
			assert_int_equal(((struct task *)done)->number, count++);
		assert_int_equal(count, 4);
	}
}

static void one_that_got_nothing_ends_at_once(void **state)
{
	int *fd = *state;

	assert_null(worker_end(worker_new("test", bg_wake, fd)));
	assert_int_equal(batches, 0);
}

/* -- Jobs that flow ------------------------------------------------------ */

static sem_t began, may_go_on;

/* Lets the test give more, then gives each back by itself, and goes on with what came. */
static void bg_flow(struct worker *w, struct job *batch)
{
	batches++;
	for (struct job *job = batch, *next; job; job = next) {
		next = job->next;
		job->next = NULL;
		((struct task *)job)->batch = batches;
		sem_post(&began);
		while (sem_wait(&may_go_on) < 0)
			;
		worker_done(w, job);
		next = next ? next : worker_more(w);
	}
}

static int make_flow(void **state)
{
	sem_init(&began, 0, 0);
	sem_init(&may_go_on, 0, 0);
	return make_event(state);
}

#define with_flow(test) cmocka_unit_test_setup_teardown(test, make_flow, drop_event)

static void number_flowing(struct task *tasks, int count)
{
	number(tasks, count);
	for (int i = 0; i < count; i++)
		tasks[i].job = (struct job){ .flow = bg_flow };
}

static void await(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		;
}

static void what_flows_comes_back_while_its_batch_goes_on(void **state)
{
	int *fd = *state;
	struct worker *w = worker_new("test", bg_wake, fd);
	struct task tasks[2];

	number_flowing(tasks, 2);
	tasks[0].job.next = &tasks[1].job;
	worker_give(w, &tasks[0].job);
	await(&began);
	sem_post(&may_go_on);
	wait_for_wake(*fd);
	assert_ptr_equal(worker_take(w), &tasks[0].job);
	assert_null(tasks[0].job.next);
	await(&began);
	assert_null(worker_take(w));
	sem_post(&may_go_on);
	assert_ptr_equal(worker_end(w), &tasks[1].job);
	assert_int_equal(batches, 1);
}

static void what_is_given_meanwhile_joins_the_flow_in_order(void **state)
{
	int *fd = *state;
	struct worker *w = worker_new("test", bg_wake, fd);
	struct task tasks[5];

	number_flowing(tasks, 5);
	worker_give(w, &tasks[0].job);
	await(&began);
	tasks[1].job.next = &tasks[2].job;
	worker_give(w, &tasks[1].job);
	worker_give(w, &tasks[3].job);
	worker_give(w, &tasks[4].job);
	for (int i = 0; i < 5; i++)
		sem_post(&may_go_on);
	struct job *done = worker_end(w);
	for (int i = 0; i < 5; i++, done = done->next) {
		assert_int_equal(((struct task *)done)->number, i);
		assert_int_equal(((struct task *)done)->batch, 1);
	}
	assert_null(done);
}

static void a_job_of_another_kind_ends_the_flow(void **state)
{
	static const int batch_of[] = { 1, 1, 2, 3 };
	int *fd = *state;
	struct worker *w = worker_new("test", bg_wake, fd);
	struct task tasks[4];

	number_flowing(tasks, 4);
	tasks[2].job = (struct job){ .run = bg_run };
	worker_give(w, &tasks[0].job);
	await(&began);
	for (int i = 1; i < 4; i++)
		worker_give(w, &tasks[i].job);
	for (int i = 0; i < 3; i++)
		sem_post(&may_go_on);
	struct job *done = worker_end(w);
	for (int i = 0; i < 4; i++, done = done->next) {
		assert_int_equal(((struct task *)done)->number, i);
		assert_int_equal(((struct task *)done)->batch, batch_of[i]);
	}
	assert_null(done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_flow(what_flows_comes_back_while_its_batch_goes_on),
		with_flow(what_is_given_meanwhile_joins_the_flow_in_order),
		with_flow(a_job_of_another_kind_ends_the_flow),
		with_event(a_job_runs_on_the_other_thread_and_comes_back),
		with_event(the_other_thread_gives_way_to_the_one_that_answers),
		with_event(jobs_that_come_while_others_run_are_one_batch_in_order),
		with_event(a_list_given_at_once_is_one_batch),
		with_event(jobs_of_another_kind_are_another_batch_and_keep_the_order),
		with_event(the_end_waits_for_everything_that_was_given),
		with_event(one_that_got_nothing_ends_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
