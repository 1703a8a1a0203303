/* SPDX-License-Identifier: MIT */
#ifndef TP_HOLDERS_H
#define TP_HOLDERS_H

#include "fault.h"
#include "registry.h"
#include "service.h"

/*
 * Claims, alive: the table of claims, its file, the processes and leases that
 * claims live by, and what the index is told of them.
 *
 * A change that somebody asks for is made in a copy of the table, which takes
 * the table's place once it is on disk.  An end that nobody asked for, of a
 * process or a lease, counts at once: who reads the file later finds it again.
 */
struct holders;

/* `writable`: the registry is ours to write.  Fills in the service's side of claims. */
bool holders_new(struct service *service, const char *dir, bool writable, struct holders **into,
		 struct fault *why);
/* Lets go of the index, too. */
void holders_free(struct holders *h);

/* Read the registry, once the index knows the Tickets; what ended meanwhile is said. */
void holders_load(struct holders *h);

/* Readable when a process has ended, or a lease is over. */
int holders_fd(const struct holders *h);

/* See what has ended by now; before the index settles. */
void holders_turn(struct holders *h);
/* A write has come back; before the index settles, too.  The amendments that waited for it. */
struct amendment *holders_written(struct holders *h, struct registry_write *write);
/* The record of an acceptance with a claim is there, or will not be; likewise. */
void holders_recorded(struct holders *h, const struct amendment *amendment, bool there);
/* The index has settled. */
void holders_settled(struct holders *h);
/* What is to be written now; NULL for nothing. */
struct job *holders_write(struct holders *h);

/* Whether anything lives here for which the agent must not end by itself. */
bool holders_busy(const struct holders *h);

#endif
