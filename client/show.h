/* SPDX-License-Identifier: MIT */
#ifndef TP_SHOW_H
#define TP_SHOW_H

#include <jansson.h>

#include "page.h"
#include "rpc.h"

/*
 * An answer as text for people, by its shape; a shape without a form of its own
 * is shown field by field as the shape table lists it.
 */
void show_answer(struct page *page, enum shape_id shape, const json_t *answer);

/* How a verdict is written everywhere. */
enum style verdict_style(struct str verdict);

#endif
