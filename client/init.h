/* SPDX-License-Identifier: MIT */
#ifndef TP_INIT_H
#define TP_INIT_H

#include "run.h"

/*
 * `tpctl init`: say what will be done, ask, make the Ticket tree's folder and
 * name it in git's configuration.  Done again it changes nothing.  With
 * --agents: write the block of block.h into a file of instructions.
 */
bool init_run(const struct args *args, struct outcome *o, struct fault *why);

#endif
