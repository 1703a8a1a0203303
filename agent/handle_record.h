/* SPDX-License-Identifier: MIT */
#ifndef TP_HANDLE_RECORD_H
#define TP_HANDLE_RECORD_H

#include "draft.h"
#include "service.h"

/*
 * How every handler writes a record: check the draft and park the call; once
 * the file is on disk and the index has seen it, answer with the record.
 */

/*
 * A draft without id, author or time gets them.  One whose record is there already is made sure of.
 */
bool record_write(struct call *call, struct draft *draft, struct fault *why);

/* Resumed: the write of call->entry has ended. */
bool record_answer_written(struct call *call, struct str ticket, struct fault *why);

#endif
