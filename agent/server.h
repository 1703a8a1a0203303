/* SPDX-License-Identifier: MIT */
#ifndef TP_SERVER_H
#define TP_SERVER_H

#include "fault.h"
#include "ledger.h"
#include "service.h"

/*
 * The socket and its clients.  Callbacks only move bytes; requests are answered
 * when the agent's turn comes to it, so that each sees everything that changed
 * before it was sent.  A client that is slow, silent or wrong harms itself only.
 */
struct server;
struct ev_loop;

/* More clients than this are refused with a word. */
#define SERVER_CLIENTS_MAX 1024

/* Bind and listen at the service's socket path; the caller holds the lock that makes it ours. */
bool server_new(struct ev_loop *loop, struct service *service, struct server **into,
		struct fault *why);
/* One client, on standard input and output; when it has gone the service is told to stop. */
struct server *server_new_stdio(struct ev_loop *loop, struct service *service);
/* Closes everything and removes the socket. */
void server_free(struct server *server);

/* The socket's file may have been removed: if so, listen anew at the same place. */
void server_check_socket(struct server *server);

/* Something is left for another turn at once. */
void server_again(struct server *server);
/*
 * Answer what is whole and was read before this turn; a limited number for each
 * client.  Those who only read have their answers at once, before anything else
 * is done.  Those that wrote last go on in the next turn when it is `until`; one
 * of them goes on in each.
 */
void server_reads(struct server *server);
void server_writes(struct server *server, int64_t until);
/* Whether the last call of each client was one that waits for the disk. */
bool server_only_writes(const struct server *server);
/*
 * When what can wait is to be left for the next turn, so that nobody who only
 * reads waits long; far off where all clients wait for the disk anyway.
 */
int64_t server_until(const struct server *server);
/* What the call waited for has ended: answer it, and let those that waited for it go on. */
void server_resume(struct server *server, struct call *call);
/* A call that waited for git goes on. */
void server_go_on(struct server *server, struct call *call);
/* Those in the service's line whose turn has come go on. */
void server_line(struct server *server);
/* The clients, the latest first, in the arena. */
struct peer *server_peers(const struct server *server, struct arena *arena, size_t *count);
/* Whether anybody asks for what may be answered in this turn; who waits for a change does not. */
bool server_asked(const struct server *server);
/* Whether any of them is to be told of changes. */
bool server_listens(const struct server *server);
/* Send what can be sent, and free those that are gone. */
void server_flush(struct server *server);
/* Whether nobody is connected, and since when (loop time). */
bool server_idle(const struct server *server, double *since);
/* Whether anything is still to be answered or sent. */
bool server_busy(const struct server *server);

#endif
