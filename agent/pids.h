/* SPDX-License-Identifier: MIT */
#ifndef TP_PIDS_H
#define TP_PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * Processes that somebody wants to know the end of, and one alarm on the clock
 * that counts since boot, which nobody can set and which goes on in sleep.
 *
 * A process is a number and the time of its start, so that another one that gets
 * the number later is not taken for it.  That it may not be signalled or looked
 * at does not matter: it lives as long as its descriptor says.
 */
struct pids;

bool pids_new(struct pids **into, struct fault *why);
void pids_free(struct pids *pids);

/* Readable when pids_drain has something to tell. */
int pids_fd(const struct pids *pids);

/*
 * Watch a process.  *born is its start, in ticks since boot, to be filled in where
 * it is 0; another one of that number, or none, is FAULT_NOT_FOUND.
 */
bool pids_watch(struct pids *pids, int64_t pid, uint64_t *born, struct fault *why);

/* Tell those that have ended since; they are not watched any more. */
void pids_drain(struct pids *pids, void (*ended)(void *ctx, int64_t pid, uint64_t born), void *ctx);

/* Give up those that nobody wants any more. */
void pids_keep(struct pids *pids, bool (*wanted)(void *ctx, int64_t pid, uint64_t born), void *ctx);

/* Make pids_fd readable at that time of the boot-time clock; 0 for never. */
void pids_alarm(struct pids *pids, int64_t at);

/* The boot-time clock, in microseconds. */
int64_t pids_now(void);

/* Which boot of the machine this is; empty where the system does not say. */
void pids_boot(char into[40]);

#endif
