/* SPDX-License-Identifier: MIT */
#ifndef TP_AGENT_PRIVATE_H
#define TP_AGENT_PRIVATE_H

#include <ev.h>

#include "agent.h"
#include "follow.h"
#include "git.h"
#include "holders.h"
#include "server.h"
#include "service.h"
#include "sources.h"
#include "timeline.h"
#include "watch.h"
#include "worker.h"

/*
 * What the two halves of the agent share: agent.c has its turns and its life,
 * agent_service.c what handlers ask of it.
 */

struct agent {
	struct ev_loop *loop;
	ev_prepare turn;
	ev_io files, mounts, ends;
	ev_async wrote;
	ev_signal term, interrupt;
	ev_timer idle, patience, look;
	ev_periodic clock;
	int64_t clock_at; /* for when it is set; 0: never */
	struct service service;
	struct server *server;
	struct index *ix;
	struct follow follow;
	struct watch *watch;
	struct git *git;
	struct sources *sources;
	struct holders *holders;
	struct worker *worker;
	struct timeline *timeline;
	struct job *to_write, **to_write_last;
	struct job *written, **written_last; /* seen, and not yet answered */
	char *user;
	struct fault store_fault; /* store_failed: what the disk said */
	bool store_failed;
	ev_tstamp idle_s;
	int lock;
	bool check_socket; /* something happened in its folder */
	bool look_now;     /* who listens is to hear of what nobody tells */
	bool stopping;
};

/* For the worker, behind what is there. */
void agent_queue(struct agent *a, struct job *job);
/* Say what handlers see of us.  The place is borrowed. */
void agent_fill_service(struct agent *a, const struct place *place,
			const struct agent_options *options);

#endif
