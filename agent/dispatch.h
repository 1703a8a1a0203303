/* SPDX-License-Identifier: MIT */
#ifndef TP_DISPATCH_H
#define TP_DISPATCH_H

#include "frame.h"
#include "listener.h"
#include "service.h"

/* From one whole message to its answer. */

/* What a connection is, for the calls on it. */
struct caller {
	struct conn *conn;
	bool read_only;
	char client[CLIENT_NAME_MAX]; /* what it says of itself, or "" */
	uint64_t calls;
	char stands[256]; /* the checkout in which the client stands, or "" */
	struct listener listener;
};

/*
 * Answer a message into `out`.  False where the message is none of ours: an
 * error was written, and the connection is to be closed after it.  A call that
 * waits for the disk is returned in *parked, and nothing is written for it yet;
 * one that waits for a change is kept by the caller's listener.
 */
bool dispatch(struct service *service, struct caller *caller, struct str message, struct buf *out,
	      struct call **parked);

/*
 * Its write has ended, or its turn has come: answer it into `out` (NULL: nobody
 * is there any more) and free it.  False where it has to wait once more.
 */
bool dispatch_resume(struct call *call, struct buf *out);

/* Free a parked call without an answer. */
void call_drop(struct call *call);

#endif
