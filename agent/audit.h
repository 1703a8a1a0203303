/* SPDX-License-Identifier: MIT */
#ifndef TP_AUDIT_H
#define TP_AUDIT_H

#include "doctor.h"

/*
 * Hold an index against another one that was read afresh: where they differ,
 * the first remembers what the files no longer say, or has missed something.
 * Pure, like the doctor.  Both are settled.
 */
void audit_compare(struct index *held, struct index *fresh, struct findings *into);

#endif
