/* SPDX-License-Identifier: MIT */
#include "flush.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base.h"
#include "worker.h"

/* More threads than this no longer find company for their syncs. */
#define HANDS_MAX 32
/* They call nothing but fsync. */
#define STACK_BYTES (256 * 1024)

struct hand {
	pthread_t thread;
	sem_t called; /* there is a list, or the end has come */
	size_t first; /* of the list; from there every pool.hands-th is this one's */
};

/* A hand that was called, and only one, may look at the list; nobody has to wait for a mutex. */
static struct {
	struct hand hand[HANDS_MAX];
	size_t hands;
	struct flush *list; /* NULL: the end has come */
	size_t count;
	atomic_size_t busy;
	sem_t done;
} pool;

/*
 * What is said, by a kernel, a filter of calls or of a pipe, where nothing is begun: the sync
 * loses nothing.  All else counts, whether one knows of it or not: a file system that could not
 * begin may have dropped the bytes, and a sync would be silent.  So does EINTR; who knows how far
 * it came.  An error too many here makes a record doubtful, one too few makes it lost.
 */
static bool was_not_tried(int error)
{
	return error == ENOSYS || error == EOPNOTSUPP || error == EINVAL || error == ESPIPE ||
	       error == EPERM || error == EACCES;
}

/* Nor does it take from the file what went wrong later: that is for the sync to say. */
static void bg_start(struct flush *one)
{
	bool failed = sync_file_range(one->fd, 0, 0, SYNC_FILE_RANGE_WRITE) < 0;

	one->error = failed && !was_not_tried(errno) ? errno : 0;
}

static void bg_sync(struct flush *one)
{
	one->error = fsync(one->fd) < 0 ? errno : 0;
}

static void await(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		BUG_IF(errno != EINTR);
}

static void *bg_hand(void *data)
{
	struct hand *hand = data;

	/* The worker, from which it has its own nice value, goes before it, too. */
	worker_give_way(5);
	for (;;) {
		await(&hand->called);
		if (!pool.list)
			return NULL;
		for (size_t i = hand->first; i < pool.count; i += pool.hands)
			if (!pool.list[i].error)
				bg_sync(&pool.list[i]);
		/* Behind this the list is the caller's again. */
		if (atomic_fetch_sub(&pool.busy, 1) == 1)
			sem_post(&pool.done);
	}
}

/* Have as many hands as there is work for, or as the system allows. */
static void hire(size_t wanted)
{
	pthread_attr_t attr;

	if (!pool.hands)
		sem_init(&pool.done, 0, 0);
	BUG_IF(pthread_attr_init(&attr) != 0);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (pool.hands < wanted && pool.hands < HANDS_MAX) {
		struct hand *hand = &pool.hand[pool.hands];
		*hand = (struct hand){ .first = pool.hands };
		sem_init(&hand->called, 0, 0);
		if (pthread_create(&hand->thread, &attr, bg_hand, hand) != 0) {
			sem_destroy(&hand->called);
			break;
		}
		pthread_setname_np(hand->thread, "tpd-sync");
		pool.hands++;
	}
	pthread_attr_destroy(&attr);
}

static void sync_together(struct flush *list, size_t count)
{
	size_t called = count < pool.hands ? count : pool.hands;

	/* All of them: what the first sync commits then has the bytes of the others, too. */
	for (size_t i = 0; i < count; i++)
		bg_start(&list[i]);
	pool.list = list;
	pool.count = count;
	atomic_store(&pool.busy, called);
	for (size_t i = 0; i < called; i++)
		sem_post(&pool.hand[i].called);
	await(&pool.done);
}

void flush_all(struct flush *list, size_t count)
{
	if (count > 1)
		hire(count);
	bool alone = count < 2 || !pool.hands;
	if (!alone)
		sync_together(list, count);
	for (size_t i = 0; alone && i < count; i++)
		bg_sync(&list[i]);
}

void flush_end(void)
{
	pool.list = NULL;
	for (size_t i = 0; i < pool.hands; i++)
		sem_post(&pool.hand[i].called);
	for (size_t i = 0; i < pool.hands; i++) {
		pthread_join(pool.hand[i].thread, NULL);
		sem_destroy(&pool.hand[i].called);
	}
	if (pool.hands)
		sem_destroy(&pool.done);
	pool.hands = 0;
}
