/* SPDX-License-Identifier: MIT */
#ifndef TP_PARTS_H
#define TP_PARTS_H

#include <jansson.h>

#include "page.h"

/* What answers for people have in common. */

/* As much of a text as a row of a list has place for: its first line. */
struct str part_first(struct str text);
/* The text of a member as a cell; empty where there is none. */
void part_cell(struct table *table, enum style style, const json_t *object, const char *key);
/* Say that a list is empty, if it is. */
bool part_empty(struct page *page, const json_t *list, const char *none);
/* How many of how many, and how to see more. */
void part_count(struct page *page, const json_t *list, const char *one, const char *more);
/* A value in one line; the caller frees it. */
char *part_line(const json_t *value);

#endif
