/* SPDX-License-Identifier: MIT */
#ifndef TP_OUT_H
#define TP_OUT_H

#include "buf.h"
#include "fault.h"

/*
 * Make sure that descriptors 0, 1 and 2 are taken, so that no socket gets a
 * number to which somebody writes text; those that were closed stay useless.
 */
void out_guard(void);

/*
 * Write all of it to standard output.  A reader that went away is no failure:
 * nobody is left to be told.
 */
bool out_write(struct str text, struct fault *why);

/* Write what was put on a page, and empty it. */
bool out_page(struct buf *page, struct fault *why);

/* As out_write; false where it did not get there, also because nobody reads any more. */
bool out_reach(struct str text);

/* Write all of it to standard error, come what may. */
void out_complain(struct str text);

#endif
