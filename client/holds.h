/* SPDX-License-Identifier: MIT */
#ifndef TP_HOLDS_H
#define TP_HOLDS_H

#include <jansson.h>

#include "page.h"

/* The answer of ticket.why as a tree. */
void holds_show(struct page *page, const json_t *answer);

#endif
