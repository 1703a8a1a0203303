/* SPDX-License-Identifier: MIT */
#ifndef TP_SESSION_H
#define TP_SESSION_H

#include <sys/types.h>

#include "fault.h"

/*
 * Who is it that claims Tickets.  A session is a name: that of one run of an
 * agent, of a script, or of a person.  Every verb asks here, so that who claimed
 * a Ticket by one of them can give it back by another.
 */
#define SESSION_BYTES_MAX 256

/*
 * What the environment says: TP_SESSION, else the id that a well-known agent
 * gives its session, as AGENT:ID; NULL where it says nothing.  The caller's.
 */
char *session_of_environment(void);

/* A person's: user:NAME.  The caller's. */
char *session_of_user(uid_t uid);

/* Whether a name is one line of text, not empty and not too long; `what` names it in *why. */
bool session_name_ok(const char *what, struct str name, struct fault *why);

#endif
