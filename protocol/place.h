/* SPDX-License-Identifier: MIT */
#ifndef TP_PLACE_H
#define TP_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "fault.h"

/*
 * Where everything of a repository is: its git directories, and the local
 * places of its one agent.  Client and agent both ask here, so that they cannot
 * disagree.  Nothing is created; nothing of git is read but `.git` files,
 * `commondir` and the environment (GIT_DIR, GIT_COMMON_DIR, GIT_WORK_TREE).
 */
struct place {
	char *common; /* the git common directory, resolved: what a repository is */
	dev_t dev;    /* of it */
	ino_t ino;
	char *top;    /* the asking checkout's top, resolved; NULL in a bare repository */
	char *source; /* the asking checkout's name: "main", or the linked worktree's git name */
	char *state;  /* local state directory, $XDG_STATE_HOME/ticketplan/NAME-HASH */
	char *lock;   /* file in it, locked by the agent for its life, never unlinked */
	char *hold;   /* file in it that is there after `tpctl stop` until `tpctl start` */
	char *socket; /* where the agent listens, unless the lock file says otherwise */
};

/* Find the repository that holds `dir` (NULL: the working directory). */
bool place_find(const char *dir, struct place *place, struct fault *why);
void place_release(struct place *place);

/*
 * The git directory of a checkout, by its name as in place.source; the caller's.  It need not be
 * there.
 */
char *place_gitdir(const char *common, const char *source);

/*
 * The repository within the one with this top in which a path from there lies, such as a
 * submodule: its top, the caller's; NULL where there is none on the way.
 */
char *place_within(const char *top, const char *path);

/*
 * Make a directory (and its parents) that only we may enter, or see that it is
 * one: a directory, ours, closed to group and others.
 */
bool place_private(const char *dir, struct fault *why);

/* The same for the directory a file of ours will lie in. */
bool place_private_for(const char *file, struct fault *why);

#endif
