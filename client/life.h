/* SPDX-License-Identifier: MIT */
#ifndef TP_LIFE_H
#define TP_LIFE_H

#include "run.h"

/*
 * The commands about the agent itself: start it (also after a stop), stop it
 * until it is started again, say where it listens.
 */
bool life_start(const struct args *args, struct outcome *o, struct fault *why);
bool life_stop(const struct args *args, struct outcome *o, struct fault *why);
bool life_socket(const struct args *args, struct outcome *o, struct fault *why);

#endif
