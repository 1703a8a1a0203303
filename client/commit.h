/* SPDX-License-Identifier: MIT */
#ifndef TP_COMMIT_H
#define TP_COMMIT_H

#include "run.h"

/*
 * `tpctl commit`: a commit of the artifacts of Tickets that are new or changed
 * in the asking checkout, made by the user's own git, of exactly those files.
 * Where git refuses, index and work tree are as they were.
 */
bool commit_run(const struct args *args, struct outcome *o, struct fault *why);

#endif
