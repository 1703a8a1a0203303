/* SPDX-License-Identifier: MIT */
#ifndef TP_CLAIMS_H
#define TP_CLAIMS_H

#include <stdint.h>

#include "buf.h"
#include "fault.h"
#include "words.h"

/*
 * Who works on which Ticket at present, and how earlier claims ended.
 *
 * Pure: no clock and no disk.  Whoever calls gives the times, and says which
 * process or machine is no more.  A table is a value: a copy can be changed and
 * written down while the old one is asked, and then takes its place.  Claims
 * themselves never change; one that is renewed is replaced.
 */

/* A claim that lives by time does so for this long unless said; microseconds. */
#define CLAIM_TTL_DEFAULT (INT64_C(30) * 60 * 1000000)
#define CLAIM_TTL_MAX     (INT64_C(30) * 24 * 3600 * 1000000)
/* A wall clock that is corrected by no more changes nothing that is said. */
#define CLAIM_JUMP INT64_C(1000000)
/* At most so many live at once; of those that ended so many are remembered. */
#define CLAIMS_MAX     4096
#define CLAIM_ENDS_MAX 128
/* Of accepted plans, places on this machine that are remembered. */
#define CLAIM_PATHS_MAX 1024

struct claim {
	unsigned refs;
	struct str ticket; /* id */
	struct str session;
	struct str role, source; /* absent where not said */
	struct str pending;      /* it counts once this record is there; absent: it counts */
	uint64_t token;
	int64_t since; /* microseconds since 1970 */
	enum lives lives;
	int64_t pid;      /* PID */
	uint64_t born;    /* its start, in ticks since boot; 0: cannot be seen */
	int64_t ttl;      /* LEASE: microseconds */
	int64_t until;    /* LEASE: microseconds of the boot-time clock */
	int64_t until_at; /* the same, since 1970, as far as the wall clock can be trusted */
	char *line;       /* itself as text, once that was asked for; NULL before */
};

struct claim_end {
	unsigned refs;
	struct claim *claim;
	enum ending how;
	int64_t at;          /* microseconds since 1970 */
	struct str by;       /* TAKEN_OVER: the session */
	struct str reason;   /* and what it said */
	uint64_t generation; /* of the index, from which on answers know it; 0: not told yet */
	char *line;          /* as that of a claim */
};

/* Where a plan's checkout is on this machine. */
struct claim_path {
	struct str record, path;
};

struct claims {
	struct claim **at; /* by Ticket */
	size_t count, cap;
	struct claim_end *ends[CLAIM_ENDS_MAX]; /* the oldest first */
	size_t end_count;
	struct claim_path *paths; /* the oldest first */
	size_t path_count;
	uint64_t token; /* the last that was given */
};

/* `token`: every token will be greater. */
struct claims *claims_new(uint64_t token);
struct claims *claims_copy(const struct claims *claims);
void claims_free(struct claims *claims);

/* The claim of the Ticket of that id, or NULL. */
struct claim *claims_find(const struct claims *claims, struct str ticket);
/* How the last claim of that Ticket ended, as far as it is remembered; or NULL. */
const struct claim_end *claims_last_end(const struct claims *claims, struct str ticket);
/* The same of the last before the claim of this token. */
const struct claim_end *claims_end_before(const struct claims *claims, struct str ticket,
					  uint64_t token);

/* What somebody wants who claims. */
struct claim_terms {
	struct str session, role, source;
	struct str takeover; /* the reason for which it is taken from a living holder; or absent */
	struct str pending;
	enum lives lives;
	int64_t pid;
	uint64_t born;
	int64_t ttl;
	int64_t now;  /* microseconds since 1970 */
	int64_t boot; /* microseconds of the boot-time clock */
};

/*
 * All of these (ids, each once), or FAULT_CLAIMED that says who holds them.  The
 * Tickets of one call get one new token.  Who claims again what he holds in the
 * same way renews it and keeps its token; but two processes of one session are two.
 */
bool claims_take(struct claims *claims, const struct str *tickets, size_t count,
		 const struct claim_terms *terms, struct fault *why);
/* Leases begin anew, for `ttl` or (0) as long as before; a claim that lives by a process stays. */
bool claims_renew(struct claims *claims, const struct str *tickets, size_t count,
		  const struct claim_terms *terms, uint64_t token, struct fault *why);
/* Who gives back twice is told so twice: the last end of each Ticket says it. */
bool claims_release(struct claims *claims, const struct str *tickets, size_t count,
		    struct str session, uint64_t token, int64_t now, struct fault *why);

/*
 * Whether something may be done to the Ticket under this token: it is that of a live
 * claim, and if the Ticket is or was claimed, of its present one.
 */
bool claims_token_ok(const struct claims *claims, struct str ticket, uint64_t token,
		     struct fault *why);

/* End a claim of the table; the end is the last of claims->ends. */
struct claim_end *claims_end(struct claims *claims, struct claim *claim, enum ending how,
			     int64_t now);
/* The same end in another table, if that has the claim. */
void claims_end_too(struct claims *claims, struct claim_end *end);
/* A claim that lives by this process, or whose lease is over by now; or NULL. */
struct claim *claims_of_process(const struct claims *claims, int64_t pid, uint64_t born);
struct claim *claims_over(const struct claims *claims, int64_t boot);
/* When the next lease is over, on the boot-time clock; 0 for never. */
int64_t claims_next_end(const struct claims *claims);
/* The record is there: the claim counts. */
void claims_confirm(struct claims *claims, struct str ticket);
/* Times of the wall clock are those of the boot-time clock and this, give or take a second. */
void claims_set_wall(struct claims *claims, int64_t offset);

void claims_remember_path(struct claims *claims, struct str record, struct str path);
/* Where a plan's checkout is; absent where nobody knows. */
struct str claims_path(const struct claims *claims, struct str record);

/* `SESSION (ROLE) since TIME, while process N lives`, or `…, until TIME`. */
void claim_describe(const struct claim *claim, struct buf *out);

/* For who reads a table: a claim of a Ticket that has none yet (else false), and an end. */
bool claims_put_back(struct claims *claims, const struct claim *like);
void claims_put_end_back(struct claims *claims, const struct claim *like,
			 const struct claim_end *end);

/* A share of a claim, or an end; and to give it back.  NULL is fine. */
struct claim *claim_share(struct claim *claim);
void claim_free(struct claim *claim);
struct claim_end *claim_end_share(const struct claim_end *end);
void claim_end_free(struct claim_end *end);

/*
 * A table as the inside of a JSON object, without its braces; `boot` names the
 * boot of the machine that times are of.  And back out of the whole object.
 */
void claims_write(const struct claims *claims, const char *boot, struct buf *out);
bool claims_read(struct str text, char boot[40], struct claims **into, struct fault *why);

#endif
