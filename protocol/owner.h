/* SPDX-License-Identifier: MIT */
#ifndef TP_OWNER_H
#define TP_OWNER_H

#include "place.h"

/*
 * Whose repository it is, by git's own rule: what belongs to somebody else may name
 * programs in its configuration, and is not read, run git in, or written to, unless
 * the user said that he trusts it (safe.directory).  git itself is asked that, and
 * only of what is somebody else's; each time anew, by a program that takes a few
 * milliseconds.  An answer that is kept could not be known to hold still: git reads
 * for it whatever files its configuration includes, and trust that is withdrawn in
 * one of them must count.
 */

/*
 * A git directory and the top of its checkout; NULL: what lies beside a folder called
 * .git, or nothing.  FAULT_FOREIGN_OWNER names the path, its owner and what to type.
 */
bool owner_trusts(const char *gitdir, const char *top, struct fault *why);

/* The repository of a place, and the checkout in which it was asked for. */
bool owner_trusts_place(const struct place *place, struct fault *why);

#endif
