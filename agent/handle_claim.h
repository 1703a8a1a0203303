/* SPDX-License-Identifier: MIT */
#ifndef TP_HANDLE_CLAIM_H
#define TP_HANDLE_CLAIM_H

#include "service.h"

/* Claims, for the handlers of other things. */

/*
 * Whether what the call wants to do to the Ticket may be done under this token
 * (0: none was given).  Where claims are being changed it is parked instead, and
 * this says true: look at call->parked.
 */
bool claim_token_fits(struct call *call, struct str ticket, int64_t token, struct fault *why);

/* What an acceptance says of the claim it comes with. */
struct claim_wish {
	struct str session, role;
	int64_t pid, ttl; /* 0: not said; ttl in milliseconds */
};

/*
 * Claim the Ticket for the acceptance whose record will have this id.  True, and
 * the call is parked if there is something to wait for.
 */
bool claim_accept(struct call *call, struct str ticket, struct str record,
		  const struct claim_wish *wish, struct fault *why);

#endif
