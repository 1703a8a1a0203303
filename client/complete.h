/* SPDX-License-Identifier: MIT */
#ifndef TP_COMPLETE_H
#define TP_COMPLETE_H

#include "run.h"

/*
 * Completion: the scripts for the shells hold no lists, they ask
 * `tpctl __complete words WORD...` what the last word may become.  Ticket ids
 * come from the agent if one runs; none is started, and nothing is said of it
 * if none answers at once.
 */
bool complete_script(const struct args *args, struct outcome *o, struct fault *why);

/* The hidden command, `words WORD...` or `tickets PREFIX`; always 0. */
int complete_run(int argc, char **argv);

#endif
