/* SPDX-License-Identifier: MIT */
#ifndef TP_FROM_H
#define TP_FROM_H

#include "run.h"

/*
 * `tpctl record --from`: a record for each line of a file, and for each line
 * what became of it, in their order.  A line that cannot be recorded keeps no
 * other from it; the status is that of the first.
 */
bool from_run(const struct args *args, struct outcome *o, struct fault *why);

#endif
