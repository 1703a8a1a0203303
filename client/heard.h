/* SPDX-License-Identifier: MIT */
#ifndef TP_HEARD_H
#define TP_HEARD_H

#include "fault.h"

/*
 * Make a fault of "code: text" as an agent says it, and return false.  The code
 * of a newer agent that is not known here counts as an internal error and stays
 * in the text.  `where` comes before the text; it may be "".
 */
bool fault_heard(struct fault *why, const char *where, struct str said);

#endif
