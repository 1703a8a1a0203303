/* SPDX-License-Identifier: MIT */
#ifndef TP_CHANGES_H
#define TP_CHANGES_H

#include <jansson.h>

#include "page.h"

/* What changed between two revisions, for people: a heading a Ticket. */
void changes_show(struct page *page, const json_t *answer);

/* What became of records, for people: one after the other, newest first. */
void changes_show_log(struct page *page, const json_t *answer);

#endif
