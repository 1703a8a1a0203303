/* SPDX-License-Identifier: MIT */
#ifndef TP_RING_H
#define TP_RING_H

#include <stdbool.h>

#include <linux/io_uring.h>

/* io_uring for programs that test the agent: one request at a time. */
struct ring;

/* `flags`: IORING_SETUP_…; NULL where the system has none or does not permit it, with errno. */
struct ring *ring_new(unsigned flags);
/* NULL is fine. */
void ring_free(struct ring *ring);
/* Whether the kernel knows IORING_OP_…. */
bool ring_can(const struct ring *ring, unsigned op);
/* Have it done, and return once it is: what the system call would return, or minus errno. */
int ring_do(struct ring *ring, const struct io_uring_sqe *sqe);

#endif
