/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"

struct ring {
	int fd;
	struct io_uring_params params;
	char *requests, *answers; /* what the kernel shares: heads, tails and the answers */
	struct io_uring_sqe *sqes;
	size_t requests_size, answers_size, sqes_size;
	bool can[256];
};

static uint32_t *number(char *at, uint32_t offset)
{
	return (uint32_t *)(void *)(at + offset);
}

static void *map(const struct ring *r, size_t size, off_t what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, what);

	BUG_IF(at == MAP_FAILED);
	return at;
}

static void map_all(struct ring *r)
{
	const struct io_uring_params *p = &r->params;

	r->requests_size = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	r->answers_size = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	r->sqes_size = p->sq_entries * sizeof(struct io_uring_sqe);
	r->requests = map(r, r->requests_size, IORING_OFF_SQ_RING);
	r->answers = map(r, r->answers_size, IORING_OFF_CQ_RING);
	r->sqes = map(r, r->sqes_size, IORING_OFF_SQES);
}

static void probe(struct ring *r)
{
	struct io_uring_probe *p = xcalloc(1, sizeof(*p) + 256 * sizeof(p->ops[0]));

	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_PROBE, p, 256) == 0)
		for (int i = 0; i < p->ops_len; i++)
			r->can[p->ops[i].op] = p->ops[i].flags & IO_URING_OP_SUPPORTED;
	free(p);
}

struct ring *ring_new(unsigned flags)
{
	struct io_uring_params params = { .flags = flags, .sq_thread_idle = 1000 };
	int fd = (int)syscall(SYS_io_uring_setup, 4, &params);

	if (fd < 0)
		return NULL;
	struct ring *r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	r->params = params;
	map_all(r);
	probe(r);
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	munmap(r->requests, r->requests_size);
	munmap(r->answers, r->answers_size);
	munmap(r->sqes, r->sqes_size);
	close(r->fd);
	free(r);
}

bool ring_can(const struct ring *r, unsigned op)
{
	return op < COUNT_OF(r->can) && r->can[op];
}

static void submit(struct ring *r, const struct io_uring_sqe *sqe)
{
	const struct io_sqring_offsets *off = &r->params.sq_off;
	uint32_t *tail = number(r->requests, off->tail);
	uint32_t at = *tail & *number(r->requests, off->ring_mask);

	r->sqes[at] = *sqe;
	number(r->requests, off->array)[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_SEQ_CST);
}

static void enter(struct ring *r)
{
	unsigned flags = IORING_ENTER_GETEVENTS, count = 1;

	/* A kernel's thread takes it, unless that sleeps. */
	if (r->params.flags & IORING_SETUP_SQPOLL) {
		if (__atomic_load_n(number(r->requests, r->params.sq_off.flags), __ATOMIC_SEQ_CST) &
		    IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
		count = 0;
	}
	BUG_IF(syscall(SYS_io_uring_enter, r->fd, count, 1, flags, NULL, 0) < 0 && errno != EINTR);
}

int ring_do(struct ring *r, const struct io_uring_sqe *sqe)
{
	const struct io_cqring_offsets *off = &r->params.cq_off;
	uint32_t *head = number(r->answers, off->head), *tail = number(r->answers, off->tail);

	submit(r, sqe);
	enter(r);
	BUG_IF(__atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head);
	const struct io_uring_cqe *cqes = (const void *)(r->answers + off->cqes);
	int result = cqes[*head & *number(r->answers, off->ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}
