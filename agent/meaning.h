/* SPDX-License-Identifier: MIT */
#ifndef TP_MEANING_H
#define TP_MEANING_H

#include "index.h"

/*
 * What a record about two Tickets says, whichever of them holds it and in
 * whatever words: `A blocks B` and `B blocked_by A` and `B depends_on A` mean
 * the same for who may start.  Two that conflict do so in either order.
 */
struct meaning {
	struct str waits, awaited;
	enum reason code;
	enum kind kind; /* where the code says nothing; else KIND_COUNT */
};

struct meaning meaning_make(enum kind kind, struct str ticket, struct str other);
/* Of a record that names another Ticket. */
struct meaning meaning_of(const struct decision *d);
/* As qsort wants it. */
int meaning_compare(const struct meaning *a, const struct meaning *b);

#endif
