/* SPDX-License-Identifier: MIT */
/*
 * race_claims: many clients that claim the same Ticket at the same moment.
 *
 *	race_claims SOCKET ROUNDS CLIENTS
 *
 * Each round all clients send claim.take for the Ticket `goal` at once, each for a
 * session of its own; in every third round half of them want `besides` with it.
 * One may win, with a token higher than any before; all others are told who holds
 * it since when.  In every fourth round some hang up while they wait.  Then the
 * winner gives back.
 *
 * Says "ok …" or "not ok …" a line, for the story that runs it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "fault.h"
#include "talk.h"

#define CLIENTS_MAX 512

struct racer {
	struct talk talk;
	bool dies; /* hangs up as soon as it has asked */
	char session[32];
};

static struct {
	struct racer racers[CLIENTS_MAX];
	struct racer judge;
	int count;
	int64_t token; /* the highest so far */
	size_t dead_won, failures;
} race;

static void complain(int round, const char *what, struct str text)
{
	if (race.failures++ < 10)
		printf("# round %d: %s: %.*s\n", round, what, STR_ARG(text));
}

static void send_request(const struct racer *r, int round, const char *method, bool both,
			 const char *session)
{
	struct buf request = { 0 };
	struct wire w;

	wire_init(&w, &request);
	wire_request(&w, (uint32_t)round, method);
	wire_map(&w);
	if (session) {
		wire_key(&w, "ticket");
		wire_list(&w);
		wire_str(&w, STR("goal"));
		if (both)
			wire_str(&w, STR("besides"));
		wire_end(&w);
		wire_put_str(&w, "session", str_of(session));
	}
	wire_end(&w);
	talk_send(&r->talk, &request);
}

static bool is_told(const struct envelope *e, const char *holder)
{
	const char *const parts[] = { "claimed: ", holder, " since 20", ", until 20" };

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (!memmem(e->error.at, e->error.len, parts[i], strlen(parts[i])))
			return false;
	return true;
}

/* How many claims there are; who holds the last of them, with what token. */
static uint32_t look(int round, char holder[32], int64_t *token)
{
	struct racer *r = &race.judge;
	msgpack_zone *zone = msgpack_zone_new(4096);
	struct envelope e;
	uint32_t count = 0;

	send_request(r, round, "claim.list", false, NULL);
	if (talk_receive(&r->talk, zone, &e) && !e.failed) {
		const msgpack_object *list = talk_member(&e.result, "claims");
		count = list->via.array.size;
		const msgpack_object *last = count ? &list->via.array.ptr[count - 1] : NULL;
		if (last) {
			snprintf(holder, 32, "%.*s", STR_ARG(talk_text(last, "session")));
			*token = talk_member(last, "token")->via.i64;
		}
	}
	msgpack_zone_free(zone);
	return count;
}

/* Read every answer; the winner, or NULL where one that hung up has won. */
static const struct racer *hear(int round, msgpack_zone *zone, struct envelope *answers)
{
	const struct racer *winner = NULL;

	for (int i = 0; i < race.count; i++) {
		struct racer *r = &race.racers[i];
		if (r->dies)
			continue;
		if (!talk_receive(&r->talk, zone, &answers[i])) {
			complain(round, "no answer", str_of(r->session));
			answers[i].failed = true;
			answers[i].error = STR("");
		} else if (!answers[i].failed) {
			if (winner)
				complain(round, "a second winner", str_of(r->session));
			winner = r;
		}
	}
	return winner;
}

static void judge(int round, bool deaths)
{
	static struct envelope answers[CLIENTS_MAX];
	msgpack_zone *zone = msgpack_zone_new(65536);
	const struct racer *winner = hear(round, zone, answers);
	char holder[32] = "";
	int64_t token = 0;
	uint32_t count = look(round, holder, &token);

	if (winner && strcmp(winner->session, holder) != 0)
		complain(round, "another holds it", str_of(holder));
	if (!winner && !deaths)
		complain(round, "nobody has won", STR(""));
	race.dead_won += !winner;
	if (count < 1 || count > 2 || token <= race.token)
		complain(round, "a token that does not rise", str_of(holder));
	race.token = token;
	for (int i = 0; i < race.count; i++)
		if (!race.racers[i].dies && &race.racers[i] != winner &&
		    !is_told(&answers[i], holder))
			complain(round, "a loser is told", answers[i].error);
	msgpack_zone_free(zone);
}

/* Whoever holds it gives back, and nothing is left. */
static void give_back(int round)
{
	struct racer *r = &race.judge;
	char holder[32] = "";
	int64_t token;
	uint32_t count = look(round, holder, &token);
	msgpack_zone *zone = msgpack_zone_new(4096);
	struct envelope e;

	send_request(r, round, "claim.release", count == 2, holder);
	if (!talk_receive(&r->talk, zone, &e) || e.failed)
		complain(round, "not given back", e.failed ? e.error : STR(""));
	msgpack_zone_free(zone);
	if (look(round, holder, &token) != 0)
		complain(round, "a claim is left", str_of(holder));
}

static void run_round(int round, const char *socket)
{
	bool deaths = round % 4 == 3;

	for (int i = 0; i < race.count; i++) {
		/* Who comes first differs from round to round. */
		struct racer *r = &race.racers[(i + round * 7 + round / 4) % race.count];
		r->dies = deaths && i % 4 == 1;
		send_request(r, round, "claim.take", round % 3 == 2 && i % 2, r->session);
		if (r->dies)
			talk_close(&r->talk);
	}
	judge(round, deaths);
	give_back(round);
	for (int i = 0; i < race.count; i++)
		if (race.racers[i].talk.fd < 0)
			talk_open(&race.racers[i].talk, socket);
}

int main(int argc, char **argv)
{
	int rounds = argc == 4 ? atoi(argv[2]) : 0;

	race.count = argc == 4 ? atoi(argv[3]) : 0;
	if (rounds < 1 || race.count < 4 || race.count > CLIENTS_MAX) {
		fprintf(stderr, "usage: race_claims SOCKET ROUNDS CLIENTS\n");
		return 2;
	}
	for (int i = 0; i < race.count; i++) {
		talk_open(&race.racers[i].talk, argv[1]);
		snprintf(race.racers[i].session, sizeof(race.racers[i].session), "racer-%03d", i);
	}
	talk_open(&race.judge.talk, argv[1]);
	for (int round = 1; round <= rounds; round++)
		run_round(round, argv[1]);
	for (int i = 0; i < race.count; i++)
		talk_close(&race.racers[i].talk);
	talk_close(&race.judge.talk);
	printf("# %zu times one won that had hung up already\n", race.dead_won);
	printf("%sok %d clients, %d rounds: one claims, tokens rise, all others are told who and since "
	       "when\n",
	       race.failures ? "not " : "", race.count, rounds);
	return 0;
}
