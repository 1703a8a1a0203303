/* SPDX-License-Identifier: MIT */
/*
 * race: many clients that want the same at the same moment.
 *
 *	race SOCKET TREE ROUNDS CLIENTS
 *
 * Each round all clients send ticket.accept at once, each under an id of its own:
 * for one Ticket, for two that conflict, or for two that wait for the last free
 * place.  One of them may win; all others have to be told that the Ticket is held
 * and by what.  In every fourth round some clients hang up while they wait.  What
 * was accepted is set back by writing item.md anew with a later queued_at.
 *
 * Says "ok …" or "not ok …" a line, for the story that runs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base.h"
#include "fault.h"
#include "stamp.h"
#include "talk.h"
#include "ulid.h"

#define CLIENTS_MAX 512

/* What a round is about. */
enum form { ONE, CONFLICT, LAST_PLACE, FORM_COUNT };

static const char *const ids[FORM_COUNT][2] = {
	[ONE] = { "one", "one" },
	[CONFLICT] = { "this", "that" },
	[LAST_PLACE] = { "left", "right" },
};

static const char *const forms[FORM_COUNT] = { "one Ticket", "two that conflict",
					       "the last free place" };

struct client {
	struct talk talk;
	bool dies;          /* hangs up as soon as it has asked */
	const char *ticket; /* that it asks for */
	char id[ULID_LEN + 1];
};

static struct {
	const char *socket, *tree;
	struct client clients[CLIENTS_MAX];
	int count;
	int64_t queued_at;
	size_t plans; /* that were accepted, in all */
	size_t dead_won, failures;
} race;

static void complain(int round, const char *what, struct str text)
{
	if (race.failures++ < 10)
		printf("# round %d: %s: %.*s\n", round, what, STR_ARG(text));
}

/* -- The tree ----------------------------------------------------------- */

static void put_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "we");

	BUG_IF(!file);
	BUG_IF(fwrite(text->at, 1, text->len, file) != text->len || fclose(file) != 0);
	text->len = 0;
}

/* Put a Ticket back into the queue, later than any plan it has. */
static void queue_ticket(const char *id)
{
	char path[4096], at[STAMP_MAX];
	struct buf text = { 0 };
	int64_t now = stamp_now();

	/* A plan is dated at most a millisecond later than the queueing before it. */
	race.queued_at = (now > race.queued_at + 1000 ? now : race.queued_at + 1000) + 1;
	snprintf(path, sizeof(path), "%s/%s/item.md", race.tree, id);
	buf_addf(&text, "---\ntitle: %s\nstate: queued\nqueued_at: '%s'\n---\n", id,
		 stamp_text(race.queued_at, at));
	put_file(path, &text);
	buf_release(&text);
}

static void put_record(const char *id, const char *kind, const char *fields)
{
	char path[4096], at[STAMP_MAX], ulid[ULID_LEN + 1];
	struct buf text = { 0 };

	ulid_make(ulid);
	snprintf(path, sizeof(path), "%s/%s/artifacts/records/%s.json", race.tree, id, ulid);
	buf_addf(&text,
		 "{\"id\":\"%s\",\"ticket_id\":\"%s\",\"kind\":\"%s\",%s,\"author\":\"race\","
		 "\"at\":\"%s\"}\n",
		 ulid, id, kind, fields, stamp_text(race.queued_at, at));
	put_file(path, &text);
	buf_release(&text);
}

static void make_tickets(void)
{
	char path[4096];

	for (int i = 0; i < FORM_COUNT * 2; i++) {
		static const char *const folders[] = { "", "artifacts", "artifacts/records" };
		for (size_t k = 0; k < COUNT_OF(folders); k++) {
			snprintf(path, sizeof(path), "%s/%s/%s", race.tree, ids[i / 2][i % 2],
				 folders[k]);
			mkdir(path, 0777);
		}
		queue_ticket(ids[i / 2][i % 2]);
	}
	put_record("that", "conflicts_with", "\"related_ticket\":\"this\"");
}

static void set_back(enum form form)
{
	queue_ticket(ids[form][0]);
	queue_ticket(ids[form][1]);
}

/* A plan takes the place of the waits that were there before it. */
static void let_wait(const char *id)
{
	put_record(id, "waiting_capacity_note",
		   "\"note\":\"one at a time\",\"until\":{\"free\":1}");
}

/* -- Asking ------------------------------------------------------------- */

static void send_accept(const struct client *c, int number, int round)
{
	struct buf request = { 0 };
	struct wire w;
	char author[32], message[64];

	snprintf(author, sizeof(author), "racer-%03d", number);
	snprintf(message, sizeof(message), "plan of racer %d in round %d", number, round);
	wire_init(&w, &request);
	wire_request(&w, (uint32_t)round, "ticket.accept");
	wire_map(&w);
	wire_put_str(&w, "ticket", str_of(c->ticket));
	wire_put_str(&w, "message", str_of(message));
	wire_put_str(&w, "author", str_of(author));
	wire_put_str(&w, "id", str_of(c->id));
	wire_end(&w);
	talk_send(&c->talk, &request);
}

/* -- Judging ------------------------------------------------------------ */

static bool says(struct str text, const char *part)
{
	return memmem(text.at, text.len, part, strlen(part)) != NULL;
}

/* A loser is told no, and what holds: the plan's author, the other Ticket, or the number at work. */
static bool is_told(const struct client *c, const struct envelope *e, enum form form,
		    const struct client *winner)
{
	const char *colon = memchr(e->error.at, ':', e->error.len);
	size_t len = colon ? (size_t)(colon - e->error.at) : 0;
	enum fault_code code = fault_find((struct str){ e->error.at, len });
	char author[32];

	if (code != FAULT_HELD || fault_exit(code) != 3)
		return false;
	if (!winner)
		return says(e->error, "accepted: ") || says(e->error, "conflict: ") ||
		       says(e->error, "waiting: ");
	snprintf(author, sizeof(author), "racer-%03d", (int)(winner - race.clients));
	if (strcmp(c->ticket, winner->ticket) == 0)
		return says(e->error, "accepted: ") && says(e->error, author);
	if (form == CONFLICT)
		return says(e->error, "conflict: ") && says(e->error, winner->ticket);
	return says(e->error, "waiting: ") && says(e->error, "(now 1)");
}

/* How many records a question gives in all; the id of the first in `id`. */
static int64_t count_plans(const char *ticket, const char *status, char id[ULID_LEN + 1], int round)
{
	struct client *c = &race.clients[0];
	msgpack_zone *zone = msgpack_zone_new(4096);
	struct buf request = { 0 };
	struct envelope e;
	struct wire w;
	int64_t count = -1;

	wire_init(&w, &request);
	wire_request(&w, (uint32_t)round, "record.query");
	wire_map(&w);
	wire_put_opt(&w, "ticket", str_of(ticket));
	wire_key(&w, "kind");
	wire_list(&w);
	wire_str(&w, STR("accepted_plan"));
	wire_end(&w);
	wire_put_str(&w, "status", str_of(status));
	wire_put_int(&w, "limit", 1);
	wire_end(&w);
	talk_send(&c->talk, &request);
	if (talk_receive(&c->talk, zone, &e) && !e.failed) {
		const msgpack_object *list = talk_member(&e.result, "records");
		count = talk_member(&e.result, "count")->via.i64;
		if (count && id) {
			const msgpack_object *at = talk_member(&list->via.array.ptr[0], "id");
			snprintf(id, ULID_LEN + 1, "%.*s", (int)at->via.str.size, at->via.str.ptr);
		}
	}
	msgpack_zone_free(zone);
	return count;
}

/* Read every answer; the winner, or NULL where one that hung up has won. */
static const struct client *judge_answers(int round, enum form form)
{
	const struct client *winner = NULL;
	msgpack_zone *zone = msgpack_zone_new(65536);
	struct envelope answers[CLIENTS_MAX];

	for (int i = 0; i < race.count; i++) {
		struct client *c = &race.clients[i];
		if (c->dies)
			continue;
		if (!talk_receive(&c->talk, zone, &answers[i])) {
			complain(round, "no answer", str_of(c->id));
			answers[i].failed = true;
			answers[i].error = STR("");
		} else if (!answers[i].failed) {
			if (winner)
				complain(round, "a second winner", str_of(c->id));
			winner = c;
		}
	}
	for (int i = 0; i < race.count; i++) {
		const struct client *c = &race.clients[i];
		if (!c->dies && c != winner && !is_told(c, &answers[i], form, winner))
			complain(round, "a loser is told", answers[i].error);
	}
	msgpack_zone_free(zone);
	return winner;
}

static void judge_records(int round, const struct client *winner)
{
	char id[ULID_LEN + 1] = "";

	race.plans++;
	if (count_plans(NULL, "all", NULL, round) != (int64_t)race.plans)
		complain(round, "not one plan more than before", STR(""));
	if (winner &&
	    (count_plans(winner->ticket, "live", id, round) != 1 || strcmp(id, winner->id) != 0))
		complain(round, "the winner's plan is not the one that counts", str_of(id));
}

static void run_round(int round)
{
	enum form form = (enum form)(round % FORM_COUNT);
	bool deaths = round % 4 == 3;

	for (int i = 0; form == LAST_PLACE && i < 2; i++)
		let_wait(ids[form][i]);
	for (int i = 0; i < race.count; i++) {
		struct client *c = &race.clients[i];
		c->dies = deaths && i % 4 == 1;
		c->ticket = ids[form][(i + round) % 2];
		ulid_make(c->id);
	}
	for (int i = 0; i < race.count; i++) {
		/* Who comes first differs from round to round. */
		int n = (i + round * 7 + round / 4) % race.count;
		send_accept(&race.clients[n], n, round);
		if (race.clients[n].dies)
			talk_close(&race.clients[n].talk);
	}
	const struct client *winner = judge_answers(round, form);
	race.dead_won += !winner && deaths;
	if (!winner && !deaths)
		complain(round, "nobody has won", STR(""));
	judge_records(round, winner);
	for (int i = 0; i < race.count; i++)
		if (race.clients[i].talk.fd < 0)
			talk_open(&race.clients[i].talk, race.socket);
	/* The next round is about other Tickets, and nobody works on these. */
	set_back(form);
}

int main(int argc, char **argv)
{
	int rounds = argc == 5 ? atoi(argv[3]) : 0;

	race.count = argc == 5 ? atoi(argv[4]) : 0;
	if (rounds < 1 || race.count < 4 || race.count > CLIENTS_MAX || race.count % 2) {
		fprintf(stderr, "usage: race SOCKET TREE ROUNDS CLIENTS\n");
		return 2;
	}
	race.socket = argv[1];
	race.tree = argv[2];
	make_tickets();
	for (int i = 0; i < race.count; i++)
		talk_open(&race.clients[i].talk, race.socket);
	race.plans = (size_t)count_plans(NULL, "all", NULL, 0);
	for (int round = 1; round <= rounds; round++)
		run_round(round);
	for (int i = 0; i < race.count; i++)
		talk_close(&race.clients[i].talk);
	printf("# %zu times one won that had hung up already\n", race.dead_won);
	printf("%sok %d clients, %d rounds (%s, %s, %s): one winner each, all others told why\n",
	       race.failures ? "not " : "", race.count, rounds, forms[0], forms[1], forms[2]);
	return 0;
}
