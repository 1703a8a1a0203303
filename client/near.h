/* SPDX-License-Identifier: MIT */
#ifndef TP_NEAR_H
#define TP_NEAR_H

#include "str.h"

/*
 * "Did you mean": offer every candidate, then ask which came nearest to what
 * was typed.  Candidates are borrowed until then.
 */
struct near {
	struct str typed;
	const char *best;
	size_t distance;
};

struct near near_to(struct str typed);
void near_offer(struct near *near, const char *candidate);

#endif
