/* SPDX-License-Identifier: MIT */
#ifndef TP_CLAIMS_PRIVATE_H
#define TP_CLAIMS_PRIVATE_H

#include "claims.h"

/* The table from within: for claims.c and claimrules.c, and nobody else. */

/* A claim that says the same; its text is copied. */
struct claim *claim_new(const struct claim *like);
/* Put it in the place of the Ticket's claim, if there is one.  Takes the reference over. */
void claims_put(struct claims *claims, struct claim *claim);
/* End like->claim as `like` says. */
struct claim_end *claims_end_like(struct claims *claims, const struct claim_end *like);
/* A time of the boot-time clock as one since 1970. */
int64_t claim_wall(int64_t until, int64_t offset);

#endif
