/* SPDX-License-Identifier: MIT */
#include "flush.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"

/* As many as records that are on their way at once. */
#define HANDS_MAX   64
#define STACK_BYTES (256 * 1024)
#define NICE        5
/* A thread for each thing would be woken more often than syncs are saved. */
#define EACH        2

struct hand {
	pthread_t thread;
	pthread_cond_t called;
	size_t first; /* of the list; from there every pool.called-th is this one's */
	bool busy;
};

static struct {
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t done;
	struct hand hand[HANDS_MAX];
	size_t hands;
	size_t called; /* of them, for this list */
	size_t count;
	void (*bg_do)(void *ctx, size_t nth);
	void *ctx;
	size_t busy;
	bool ending;
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };

static void *bg_hand(void *data)
{
	struct hand *hand = data;

	/* Of many that may run at once the loop comes first: who asks waits for no disk. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	pthread_mutex_lock(&pool.mutex);
	for (;;) {
		while (!hand->busy && !pool.ending)
			pthread_cond_wait(&hand->called, &pool.mutex);
		if (!hand->busy)
			break;
		void (*bg_do)(void *ctx, size_t nth) = pool.bg_do;
		void *ctx = pool.ctx;
		size_t count = pool.count, step = pool.called;
		pthread_mutex_unlock(&pool.mutex);
		for (size_t i = hand->first; i < count; i += step)
			bg_do(ctx, i);
		pthread_mutex_lock(&pool.mutex);
		hand->busy = false;
		if (--pool.busy == 0)
			pthread_cond_signal(&pool.done);
	}
	pthread_mutex_unlock(&pool.mutex);
	return NULL;
}

/* Have as many hands as there is work for, or as the system allows. */
static void hire(size_t wanted)
{
	pthread_attr_t attr;

	BUG_IF(pthread_attr_init(&attr) != 0);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (pool.hands < wanted && pool.hands < HANDS_MAX) {
		struct hand *hand = &pool.hand[pool.hands];
		*hand = (struct hand){ .first = pool.hands };
		pthread_cond_init(&hand->called, NULL);
		if (pthread_create(&hand->thread, &attr, bg_hand, hand) != 0) {
			pthread_cond_destroy(&hand->called);
			break;
		}
		pthread_setname_np(hand->thread, "tpd-sync");
		pool.hands++;
	}
	pthread_attr_destroy(&attr);
}

static void do_together(size_t count, void (*bg_do)(void *ctx, size_t nth), void *ctx)
{
	pool.bg_do = bg_do;
	pool.ctx = ctx;
	pool.count = count;
	pool.called = (count + EACH - 1) / EACH;
	pool.called = pool.called < pool.hands ? pool.called : pool.hands;
	pool.busy = pool.called;
	for (size_t i = 0; i < pool.called; i++) {
		pool.hand[i].busy = true;
		pthread_cond_signal(&pool.hand[i].called);
	}
	while (pool.busy)
		pthread_cond_wait(&pool.done, &pool.mutex);
}

void flush_all(size_t count, void (*bg_do)(void *ctx, size_t nth), void *ctx)
{
	pthread_mutex_lock(&pool.mutex);
	if (count > 1)
		hire(count);
	bool alone = count < 2 || !pool.hands;
	if (!alone)
		do_together(count, bg_do, ctx);
	pthread_mutex_unlock(&pool.mutex);
	for (size_t i = 0; alone && i < count; i++)
		bg_do(ctx, i);
}

void flush_end(void)
{
	pthread_mutex_lock(&pool.mutex);
	pool.ending = true;
	for (size_t i = 0; i < pool.hands; i++)
		pthread_cond_signal(&pool.hand[i].called);
	pthread_mutex_unlock(&pool.mutex);
	for (size_t i = 0; i < pool.hands; i++) {
		pthread_join(pool.hand[i].thread, NULL);
		pthread_cond_destroy(&pool.hand[i].called);
	}
	pool.hands = 0;
	pool.ending = false;
}
