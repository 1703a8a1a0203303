/* SPDX-License-Identifier: MIT */
#ifndef TP_CLAIM_H
#define TP_CLAIM_H

#include "run.h"

/*
 * `tpctl claim TICKET... [-- COMMAND...]`.  With a command tpctl claims for its own
 * process and becomes the command: the claim then ends when that does, whatever
 * way it ends, and signals and exit status are the command's own.
 */
bool claim_run(const struct args *args, struct outcome *o, struct fault *why);

#endif
