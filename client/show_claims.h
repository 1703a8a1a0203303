/* SPDX-License-Identifier: MIT */
#ifndef TP_SHOW_CLAIMS_H
#define TP_SHOW_CLAIMS_H

#include <jansson.h>

#include "page.h"

/* Claims for people, each by the shape of its answer. */
void show_claims(struct page *page, const json_t *answer);
void show_held(struct page *page, const json_t *answer);
void show_ended(struct page *page, const json_t *answer);
void show_sessions(struct page *page, const json_t *answer);

/* Who holds a Ticket, below a heading; nothing where nobody does. */
void show_holders(struct page *page, const json_t *claims);

#endif
