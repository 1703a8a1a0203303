/* SPDX-License-Identifier: MIT */
#ifndef TP_ANSWER_H
#define TP_ANSWER_H

#include "doctor.h"
#include "gate.h"
#include "query.h"
#include "service.h"

/*
 * The index's facts in the shapes of shapes.def.  Each writes one whole map as
 * the next value of call->out.
 */
void answer_record(struct call *call, const struct seen *row);
/* A commit as the next field; NULL is left out. */
void answer_moment(struct wire *w, const char *name, const struct past_commit *commit);
void answer_gate(struct call *call, const struct gate *gate);
void answer_ticket(struct call *call, const struct ticket *ticket, enum scope scope,
		   struct str session);
void answer_claim(struct call *call, const struct claim *claim);
void answer_claim_end(struct call *call, const struct claim_end *end);
void answer_ticket_row(struct call *call, const struct ticket *ticket);
void answer_queue_row(struct call *call, const struct gate *gate);
void answer_finding(struct call *call, const struct finding *finding);

/* A line of the log. */
struct log_line;
void answer_log_line(struct wire *w, const struct log_line *line);

/* The fields that every list has: count, returned, next. */
void answer_page(struct call *call, const struct page *page);

/* A path below a source's root, from the checkout's top. */
struct str answer_file(struct call *call, int source, struct str path);

/* A list of text. */
void answer_strs(struct call *call, const char *name, const struct str *list, size_t count);

#endif
