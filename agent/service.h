/* SPDX-License-Identifier: MIT */
#ifndef TP_SERVICE_H
#define TP_SERVICE_H

#include <msgpack.h>

#include "arena.h"
#include "claims.h"
#include "fault.h"
#include "ignored.h"
#include "index.h"
#include "ledger.h"
#include "past.h"
#include "rpc.h"
#include "stance.h"
#include "ulid.h"
#include "view.h"
#include "wire.h"

/*
 * What handlers see: the index, and the rest of the agent through a few calls.
 */
struct conn;
struct call;
struct holders;
struct follow;
struct listener;

/*
 * When something that changed is to be told: soon, but not in the midst of it.
 * Times are ticks, microseconds of a clock that nobody sets.
 */
struct pace {
	int64_t first; /* since when something is to be told; 0: nothing is */
	int64_t due;
};
struct findings;

/* How the agent keeps up with the files, for agent.status and `freshness`. */
struct keeping {
	enum mode mode;
	struct str reasons[2 * SOURCES_MAX + 1];
	size_t reason_count;
	struct str git_busy[SOURCES_MAX]; /* checkouts in which git is at work */
	size_t git_count;
	uint64_t watches, unwatched, drains, walks, events, overflows, rescans;
};

/*
 * A change of claims.  Those of one turn are written down together; the call that
 * wants it is parked until then, and sees in `failed` and `why` what came of it.
 */
struct amendment {
	struct amendment *next;
	struct call *owner;
	bool ended; /* it was written, or could not be */
	bool failed;
	struct fault why;
	/* Of an acceptance: a claim that counts once its record is there. */
	bool made_claim;
	char record[ULID_LEN + 1];    /* of an acceptance */
	int64_t at;                   /* when it was wanted */
	struct str *tickets;          /* ids, and their number; with this struct in one block */
	/* Shares of what was decided: claims made or renewed, or their ends; NULL each if none. */
	struct claim **claims;
	struct claim_end **ends;
	size_t count;
};

/* Something that happened to files. */
struct noted {
	int64_t at; /* microseconds since 1970 */
	struct str place, name, what;
};

/* A client, for agent.status. */
struct peer {
	int64_t pid; /* 0: cannot be told */
	struct str program, client; /* absent: not known */
	uint64_t calls, unsent;
	bool waits;
};

/* What a client may say of itself; longer is cut. */
#define CLIENT_NAME_MAX 80

struct service {
	struct index *ix;
	const struct place *place;
	char instance[ULID_LEN + 1];
	int64_t started_at;
	bool read_only;
	msgpack_zone *zone; /* of the message that is being answered */
	uint64_t calls;
	uint64_t clients;
	uint64_t feeds, waits; /* of all clients */
	bool syncing;          /* whoever is to be told is told in this turn */
	struct follow *follow;

	/*
	 * Who works on what is decided in one line, each call seeing what the ones
	 * before it wrote; that is what makes one winner of any number of racers,
	 * on one Ticket, on two that conflict, and on the last free place.  An
	 * acceptance is alone in it; changes of claims that stand together are
	 * made together.
	 */
	struct call *accepting; /* one whose record, or claim, is being written */
	struct call *waiting;   /* those parked behind it, in order */

	struct call *writing; /* those whose records are being written, in order */
	struct call *ready;   /* those that waited for one of these, once it has ended */

	const struct claims *claims; /* as they are on disk, without those that ended since */
	bool amending;               /* changes are being gathered */
	bool amended;                /* and others are being written */
	char *session;               /* of who says no other: the user's */

	/* The agent's side. */
	void *agent;
	/* Whether there is a Ticket tree at all; if not, why. */
	bool (*any_tree)(void *agent, struct fault *why);
	/*
	 * Whether the repository, and the checkout of that name if one is given, belong to us or
	 * are trusted; what is somebody else's is not answered for.
	 */
	bool (*serves)(void *agent, struct str checkout, struct fault *why);
	void (*keeping)(void *agent, struct keeping *into);
	/*
	 * Whether git is at work in a checkout, so that it is better to wait before anything is
	 * decided or told; never for longer than two seconds, and the loop wakes when that is over.
	 */
	bool (*unsettled)(void *agent);
	/*
	 * The last times that a tree was read again, and the last events; oldest first, in the
	 * arena.
	 */
	struct noted *(*rescans)(void *agent, struct arena *arena, size_t *count);
	struct noted *(*events)(void *agent, struct arena *arena, size_t *count);
	/* The clients, the latest first. */
	struct peer *(*peers)(void *agent, struct arena *arena, size_t *count);
	/* How many folders the kernel lets this user watch. */
	uint64_t (*watch_limit)(void *agent);
	void (*resync)(void *agent);
	/* Hold what is known against the files; FAULT_BUSY where they change too fast. */
	bool (*audit)(void *agent, struct findings *into, struct fault *why);
	void (*stop)(void *agent);
	/* Who decides where nobody says: git's user.name, else the login name.  Borrowed. */
	struct str (*user)(void *agent);
	/* Read a Ticket's thread.md; false where there is none. */
	bool (*thread)(void *agent, const struct copy *copy, struct buf *text);
	/*
	 * Whether records go to the checkout in which they are asked for, not to the authority's.
	 */
	bool (*to_asking)(void *agent);
	/* Why records cannot be written now; absent where they can. */
	struct str (*store)(void *agent);
	/* The side of claims. */
	struct holders *holders;
	/* The clock that leases go by, in microseconds. */
	int64_t (*boot_now)(void);
	/* The table that changes of claims are made in; NULL where there can be none now. */
	struct claims *(*amend)(struct holders *holders, struct fault *why);
	/* Park the amendment's owner until what was changed is written. */
	void (*join)(struct holders *holders, struct amendment *amendment);
	/* See that a process lives, and hear of its end from now on. */
	bool (*process)(struct holders *holders, int64_t pid, uint64_t *born, struct fault *why);
	/* Whether the record of an acceptance with a claim is there; without it the claim ends. */
	void (*recorded)(struct holders *holders, const struct amendment *amendment, bool there);
	/* Remember where the checkout of an accepted plan is. */
	void (*remember)(struct holders *holders, struct str record, struct str path);
	/* What is wrong with the registry; absent where nothing is. */
	struct str (*registry)(const struct holders *holders);
	/* Write durably; the call is parked until then.  The entry is taken over. */
	void (*write)(void *agent, struct ledger_entry *entry);
	/*
	 * A record file was there already, and its writer, who asked again, is about to be told so.
	 */
	void (*confirm)(void *agent, const struct doc *doc);
	/*
	 * The record file of that id, TICKET/NAME, that is being written for another Ticket; or
	 * absent.
	 */
	struct str (*written_beside)(void *agent, struct str ticket, struct str id);
	/*
	 * The view of a revision, seen from the checkout in which the client stands; `nth` of those
	 * that the call asks for.  NULL where git has to be asked first: the call is parked, and
	 * finds it when it is run anew.
	 */
	bool (*revision)(void *agent, struct call *call, unsigned nth, struct str text,
			 struct view **into, struct fault *why);
	/* The view of one checkout; borrowed until the turn's end. */
	bool (*one_source)(void *agent, struct str name, struct view **into, struct fault *why);
	/* What commits did to records, as of now; NULL and parked as above. */
	bool (*past)(void *agent, struct call *call, const struct past **into, struct fault *why);
	/*
	 * Whether git has to be asked first what became of records that are in no checkout, or in
	 * no commit, any more; `all`: also of those that nobody has missed yet.
	 */
	bool (*undecided)(void *agent, bool all);
	/*
	 * Whether git is being read for somebody, which may take long: who can do without need not
	 * wait.
	 */
	bool (*git_reads)(void *agent);
	/* The kept copy of a lost record; false where it cannot be read. */
	bool (*kept)(void *agent, const struct doc *doc, struct buf *into);
	/* Let go of a lost record for good. */
	void (*forget)(void *agent, const struct doc *doc);
	/* A call is parked, and goes on when git has answered all that it asked for. */
	void (*await_git)(void *agent, struct call *call);
};

/* A revision that a call asks for. */
struct revision {
	char *text;        /* as asked; NULL: none was */
	struct view *view; /* once it is there */
	bool failed;
	struct fault why;  /* failed */
};
#define CALL_REVISIONS 2

/*
 * One request being answered.  A handler writes the fields of its answer into
 * `out`, a map that is open already, and returns true; or returns false with
 * *why.  A handler that must wait for the disk sets `parked`, leaves `out`
 * alone, and is resumed once the write has ended; one that is parked with neither
 * entry nor amendment waits in line, and is run anew, or, with `behind`, once the
 * write of that call has ended; one that also sets `waits`
 * waits for its Ticket to change, is run anew whenever it has, and holds up no
 * other request of its connection.
 */
struct call {
	struct service *service;
	struct conn *conn; /* NULL once the client is gone */
	struct index *ix;   /* what is asked; handlers ask this one, not the service's */
	const struct rpc_method *method;
	enum rpc_id id;
	uint32_t msgid;
	int64_t now;        /* microseconds since 1970, one value for the whole call */
	struct arena arena; /* gone with the call */
	msgpack_zone *zone; /* what the parameters point into, with `bytes` */
	struct buf bytes;   /* the request, where it outlives its turn */
	union rpc_params params;
	struct wire out;
	bool *read_only;    /* of the connection, as is `stands`; valid while that is there */
	char *client;       /* of the connection: what it says of itself, CLIENT_NAME_MAX */
	char *stands;       /* the checkout in which the client stands, or "" */
	struct view *view;  /* whose index `ix` is; NULL: the live one's */
	struct revision revisions[CALL_REVISIONS];
	bool asks_git;      /* git is to be asked what happened since */
	bool asks_past;     /* and the past to be read */
	bool is_asking;     /* that goes on */
	bool has_past, past_failed;
	struct fault past_why;
	struct ignored *ignored; /* what git ignores, or is to be asked; or NULL */
	/* Where the answer says how records stand to git, what is known; or NULL. */
	struct stances *stances;
	unsigned undecided; /* how often it was parked for that */
	struct buf told;    /* what a call of several steps has done so far */
	bool awaits_git;    /* parked: until git has answered */
	unsigned awaited;   /* how many answers of git are still to come */
	struct listener *listener; /* of the connection */
	struct pace pace;   /* of a wait: when to look whether it is over */
	int64_t deadline;   /* of a wait, in ticks; 0: none */
	uint64_t since;     /* of a wait: the generation when it was asked for */
	uint64_t seen;      /* of a wait: the generation when it was last run */
	bool parked;
	bool waits;
	bool resumed;               /* it was parked before */
	struct call *prev, *next;   /* in a list of the service, its listener or another call */
	struct call *behind;        /* parked: whose write it waits for; NULL: nobody's */
	struct call *followers;     /* those that wait for this one's */
	struct ledger_entry *entry; /* parked: what it waits for; after that, what came of it */
	struct amendment *amendment; /* the same, of claims */
};

/* NULL is fine. */
void amendment_free(struct amendment *amendment);

/* Who asks: as he says, else the user. */
static inline struct str call_session(const struct call *call, struct str said)
{
	return said.at ? said : str_of(call->service->session);
}

/* Whether a call that decides who works on what has to wait in line. */
bool call_must_wait(const struct call *call);

/* The checkout in which the client stands. */
static inline struct str call_stands(const struct call *call)
{
	return call->conn && call->stands[0] ? str_of(call->stands) : STR("main");
}

#endif
