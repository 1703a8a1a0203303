/* SPDX-License-Identifier: MIT */
#ifndef TP_MOUNTS_H
#define TP_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What is mounted where.  Nobody is told when something is mounted over a
 * folder that is watched, or taken off it; and on some file systems nobody is
 * told what others do there.
 */
struct mounts;

/* NULL where the system has no table of mounts to read. */
struct mounts *mounts_new(void);
void mounts_free(struct mounts *m);
/* Its descriptor: urgent (for epoll: writable) when the table changed; -1 where there is none. */
int mounts_fd(const struct mounts *m);
/*
 * A number for what is mounted on this path, below it and above it; another
 * one where that differs.  The path is resolved.
 */
uint64_t mounts_at(struct mounts *m, const char *path);

/* On a file system that does not tell of what others change: a sentence that says so; else NULL. */
const char *mounts_blind(int fd);
/* The same of a number that statfs(2) gives. */
const char *mounts_blind_type(unsigned long magic);

#endif
