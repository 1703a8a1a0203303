/* SPDX-License-Identifier: MIT */
#include "flush.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "base.h"

/* More threads than this no longer find company for their syncs. */
#define HANDS_MAX 32
/* They call nothing but fsync. */
#define STACK_BYTES (256 * 1024)

struct hand {
	pthread_t thread;
	pthread_cond_t called;
	size_t first; /* of the list; from there every pool.hands-th is this one's */
	bool busy;
};

static struct {
	pthread_mutex_t mutex; /* guards what follows, but for a busy hand's part of the list */
	pthread_cond_t done;
	struct hand hand[HANDS_MAX];
	size_t hands;
	struct flush *list;
	size_t count;
	size_t busy;
	bool ending;
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };

static void bg_sync(struct flush *one)
{
	one->error = fsync(one->fd) < 0 ? errno : 0;
}

static void *bg_hand(void *data)
{
	struct hand *hand = data;

	pthread_mutex_lock(&pool.mutex);
	for (;;) {
		while (!hand->busy && !pool.ending)
			pthread_cond_wait(&hand->called, &pool.mutex);
		if (!hand->busy)
			break;
		struct flush *list = pool.list;
		size_t count = pool.count, step = pool.hands;
		pthread_mutex_unlock(&pool.mutex);
		for (size_t i = hand->first; i < count; i += step)
			bg_sync(&list[i]);
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

static void sync_together(struct flush *list, size_t count)
{
	pool.list = list;
	pool.count = count;
	pool.busy = count < pool.hands ? count : pool.hands;
	for (size_t i = 0; i < pool.busy; i++) {
		pool.hand[i].busy = true;
		pthread_cond_signal(&pool.hand[i].called);
	}
	while (pool.busy)
		pthread_cond_wait(&pool.done, &pool.mutex);
	pool.list = NULL;
}

void flush_all(struct flush *list, size_t count)
{
	pthread_mutex_lock(&pool.mutex);
	if (count > 1)
		hire(count);
	bool alone = count < 2 || !pool.hands;
	if (!alone)
		sync_together(list, count);
	pthread_mutex_unlock(&pool.mutex);
	for (size_t i = 0; alone && i < count; i++)
		bg_sync(&list[i]);
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
