/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "claims.h"
#include "gate.h"
#include "model.h"

#define SECOND INT64_C(1000000)
/* The two clocks, where a test begins. */
#define WALL (MODEL_NOW + 5000)
#define BOOT (100 * SECOND)

static struct claims *claims;
static struct fault why;

static int make(void **state)
{
	(void)state;
	claims = claims_new(41);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	claims_free(claims);
	return 0;
}

#define with_claims(test) cmocka_unit_test_setup_teardown(test, make, drop)

static struct claim_terms lease(const char *session, int64_t seconds, int64_t after)
{
	return (struct claim_terms){ .session = str_of(session),
				     .lives = LIVES_LEASE,
				     .ttl = seconds * SECOND,
				     .now = WALL + after * SECOND,
				     .boot = BOOT + after * SECOND };
}

static struct claim_terms process(const char *session, int64_t pid)
{
	return (struct claim_terms){ .session = str_of(session),
				     .lives = LIVES_PID,
				     .pid = pid,
				     .born = 7,
				     .now = WALL,
				     .boot = BOOT };
}

/* Up to three Tickets, "A B C" by single letters. */
static bool take(const char *letters, const struct claim_terms *terms)
{
	struct str ids[3];
	size_t n = 0;

	for (; letters[n]; n++)
		ids[n] = (struct str){ letters + n, 1 };
	return claims_take(claims, ids, n, terms, &why);
}

static bool take_by(const char *letters, const char *session)
{
	struct claim_terms t = lease(session, 60, 0);

	return take(letters, &t);
}

static bool release(const char *letter, const char *session, uint64_t token)
{
	return claims_release(claims, &(struct str){ letter, 1 }, 1, str_of(session), token,
			      WALL + SECOND, &why);
}

static bool renew(const char *letter, const char *session, uint64_t token, int64_t after)
{
	struct claim_terms t = lease(session, 0, after);

	return claims_renew(claims, &(struct str){ letter, 1 }, 1, &t, token, &why);
}

/* "A:one/42 B:two/43", in order. */
static const char *held(void)
{
	static struct buf text;

	text.len = 0;
	for (size_t i = 0; i < claims->count; i++)
		buf_addf(&text, "%s%.*s:%.*s/%llu", i ? " " : "", STR_ARG(claims->at[i]->ticket),
			 STR_ARG(claims->at[i]->session), (unsigned long long)claims->at[i]->token);
	return buf_text(&text);
}

static const struct claim_end *last(const char *letter)
{
	return claims_last_end(claims, str_of(letter));
}

static void one_wins_and_the_other_is_told_who_and_since_when(void **state)
{
	(void)state;
	assert_true(take_by("A", "one"));
	assert_false(take_by("A", "two"));
	assert_int_equal(why.code, FAULT_CLAIMED);
	assert_int_equal(fault_exit(why.code), 3);
	assert_string_equal(why.text, "A is claimed by one since 2026-06-01T00:00:00.005Z, until "
				      "2026-06-01T00:01:00.005Z");
	assert_string_equal(held(), "A:one/42");
}

static void of_several_all_are_had_or_none(void **state)
{
	(void)state;
	assert_true(take_by("B", "one"));
	assert_false(take_by("ABC", "two"));
	assert_string_equal(held(), "B:one/42");
	assert_true(take_by("CA", "two"));
	assert_string_equal(held(), "A:two/43 B:one/42 C:two/43");
}

static void a_loser_of_many_is_told_of_some(void **state)
{
	struct str all[] = { STR("T-0"), STR("T-1"), STR("T-2"), STR("T-3"), STR("T-4") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct claim_terms t = lease("one", 60, 0);
		assert_true(claims_take(claims, &all[i], 1, &t, &why));
	}
	struct claim_terms t = lease("two", 60, 0);
	assert_false(claims_take(claims, all, 5, &t, &why));
	assert_non_null(strstr(why.text, "T-0 is claimed by one"));
	assert_non_null(strstr(why.text, "; T-2 by one"));
	assert_null(strstr(why.text, "T-3"));
	assert_non_null(strstr(why.text, "; and 2 more"));
}

static void who_claims_again_renews_and_keeps_the_token(void **state)
{
	struct claim_terms later = lease("one", 60, 30);

	(void)state;
	assert_true(take_by("A", "one"));
	assert_true(take("A", &later));
	assert_string_equal(held(), "A:one/42");
	assert_int_equal(claims->at[0]->since, WALL);
	assert_int_equal(claims->at[0]->until, BOOT + 90 * SECOND);
	assert_int_equal(claims->at[0]->until_at, WALL + 90 * SECOND);
	assert_int_equal(claims->end_count, 0);
}

static void two_processes_of_one_session_are_two(void **state)
{
	struct claim_terms first = process("one", 5), second = process("one", 6);
	struct claim_terms reused = process("one", 5), by_time = lease("one", 60, 0);

	(void)state;
	assert_true(take("A", &first));
	assert_true(take("A", &first));
	assert_false(take("A", &second));
	assert_string_equal(
		why.text, "A is claimed by one since 2026-06-01T00:00:00.005Z, while process 5 lives");
	reused.born = 8;
	assert_false(take("A", &reused));
	assert_false(take("A", &by_time));
	assert_string_equal(held(), "A:one/42");
}

static void a_lease_of_the_session_becomes_that_of_its_process_with_a_new_token(void **state)
{
	struct claim_terms t = process("one", 5);

	(void)state;
	assert_true(take_by("A", "one"));
	assert_true(take("A", &t));
	assert_string_equal(held(), "A:one/43");
	assert_int_equal(claims->at[0]->lives, LIVES_PID);
	assert_int_equal(claims->end_count, 0);
}

static void from_the_living_it_is_taken_with_a_reason(void **state)
{
	struct claim_terms t = lease("two", 60, 1);

	(void)state;
	assert_true(take_by("AB", "one"));
	t.takeover = STR("one is stuck");
	assert_true(take("A", &t));
	assert_string_equal(held(), "A:two/43 B:one/42");
	assert_int_equal(last("A")->how, ENDING_TAKEN_OVER);
	assert_true(str_is(last("A")->by, "two"));
	assert_true(str_is(last("A")->reason, "one is stuck"));
	assert_false(renew("A", "one", 0, 2));
	assert_int_equal(why.code, FAULT_STALE);
	assert_string_equal(why.text, "your claim of A was taken over by two at "
				      "2026-06-01T00:00:01.005Z: one is stuck");
	assert_true(renew("B", "one", 42, 2));
}

static void who_gives_back_twice_is_told_so_twice(void **state)
{
	(void)state;
	assert_true(take_by("A", "one"));
	assert_true(release("A", "one", 0));
	assert_true(release("A", "one", 0));
	assert_true(release("A", "one", 42));
	assert_int_equal(claims->end_count, 1);
	assert_int_equal(last("A")->how, ENDING_RELEASED);
	assert_true(take_by("A", "two"));
	assert_false(release("A", "one", 0));
	assert_int_equal(why.code, FAULT_STALE);
	assert_false(release("A", "three", 0));
	assert_int_equal(why.code, FAULT_CLAIMED);
	assert_false(release("B", "one", 0));
	assert_int_equal(why.code, FAULT_NOT_FOUND);
}

static void leases_end_at_their_time_and_not_before(void **state)
{
	(void)state;
	assert_int_equal(claims_next_end(claims), 0);
	assert_true(take_by("A", "one"));
	struct claim_terms t = lease("one", 30, 0);
	assert_true(take("B", &t));
	assert_int_equal(claims_next_end(claims), BOOT + 30 * SECOND);
	assert_null(claims_over(claims, BOOT + 30 * SECOND - 1));
	struct claim *over = claims_over(claims, BOOT + 30 * SECOND);
	assert_true(str_is(over->ticket, "B"));
	claims_end(claims, over, ENDING_EXPIRED, WALL + 30 * SECOND);
	assert_null(claims_over(claims, BOOT + 30 * SECOND));
	assert_int_equal(claims_next_end(claims), BOOT + 60 * SECOND);
	assert_false(renew("B", "one", 0, 40));
	assert_string_equal(why.text,
			    "your claim of B has ended at 2026-06-01T00:00:30.005Z: its lease ran "
			    "out and was not renewed");
}

static void the_wall_clock_moves_what_is_said_and_not_what_is_meant(void **state)
{
	(void)state;
	assert_true(take_by("A", "one"));
	claims_set_wall(claims, WALL - BOOT + 3600 * SECOND);
	assert_int_equal(claims->at[0]->until, BOOT + 60 * SECOND);
	assert_int_equal(claims->at[0]->until_at, WALL + 3660 * SECOND);
}

static void a_process_ends_what_lives_by_it_and_nothing_else(void **state)
{
	struct claim_terms t = process("one", 5), other = process("two", 5);

	(void)state;
	other.born = 8;
	assert_true(take("AB", &t));
	assert_true(take("C", &other));
	assert_true(str_is(claims_of_process(claims, 5, 7)->ticket, "A"));
	assert_true(str_is(claims_of_process(claims, 5, 8)->ticket, "C"));
	assert_null(claims_of_process(claims, 5, 9));
	assert_null(claims_of_process(claims, 6, 7));
}

static bool fits(const char *ticket, uint64_t token)
{
	return claims_token_ok(claims, str_of(ticket), token, &why);
}

static void a_token_is_good_while_its_claim_lives(void **state)
{
	(void)state;
	assert_true(take_by("AB", "one"));
	assert_true(take_by("C", "two"));
	assert_true(fits("A", 42));
	assert_true(fits("free", 42));
	assert_false(fits("C", 42));
	assert_int_equal(why.code, FAULT_STALE);
	assert_non_null(strstr(why.text, "C is claimed by two"));
	assert_false(fits("A", 41));
	assert_false(fits("A", 43));
	assert_false(fits("free", 99));
	assert_true(release("A", "one", 42));
	assert_false(fits("A", 42));
	assert_int_equal(why.code, FAULT_STALE);
	assert_true(fits("B", 42));
	assert_true(release("B", "one", 42));
	assert_false(fits("B", 42));
	assert_false(fits("free", 42));
	/* Somebody else had it meanwhile and gave it back: it is no more his than before. */
	assert_true(take_by("A", "two"));
	assert_true(release("A", "two", 0));
	assert_false(fits("A", 42));
}

static void a_session_may_hold_several_each_with_its_token(void **state)
{
	(void)state;
	assert_true(take_by("A", "one"));
	assert_true(take_by("B", "one"));
	assert_true(fits("B", 42));
	assert_true(renew("B", "one", 42, 1));
	assert_true(release("B", "one", 42));
	assert_string_equal(held(), "A:one/42");
}

static void a_copy_shares_nothing_that_changes(void **state)
{
	(void)state;
	assert_true(take_by("AB", "one"));
	struct claims *copy = claims_copy(claims);
	struct claim_end *end = claims_end(claims, claims->at[0], ENDING_EXPIRED, WALL);
	assert_string_equal(held(), "B:one/42");
	assert_int_equal(copy->count, 2);
	assert_int_equal(copy->end_count, 0);
	claims_end_too(copy, end);
	assert_int_equal(copy->count, 1);
	assert_ptr_equal(copy->ends[0], end);
	/* Another claim of the Ticket is not that one. */
	struct claim_terms t = lease("two", 60, 0);
	assert_true(claims_take(copy, &(struct str){ "A", 1 }, 1, &t, &why));
	claims_end_too(copy, end);
	assert_int_equal(copy->count, 2);
	claims_free(copy);
}

static void of_the_ends_the_last_are_kept(void **state)
{
	(void)state;
	for (int i = 0; i < CLAIM_ENDS_MAX + 10; i++) {
		assert_true(take_by("A", "one"));
		assert_true(release("A", "one", 0));
	}
	assert_int_equal(claims->end_count, CLAIM_ENDS_MAX);
	assert_int_equal(claims->ends[CLAIM_ENDS_MAX - 1]->claim->token, 41 + CLAIM_ENDS_MAX + 10);
	assert_int_equal(claims->ends[0]->claim->token, 42 + 10);
}

static void of_the_places_of_plans_the_last_are_kept(void **state)
{
	char record[32];

	(void)state;
	for (int i = 0; i < CLAIM_PATHS_MAX + 1; i++) {
		snprintf(record, sizeof(record), "R%d", i);
		claims_remember_path(claims, str_of(record), STR("/x/y"));
	}
	assert_int_equal(claims->path_count, CLAIM_PATHS_MAX);
	assert_null(claims_path(claims, STR("R0")).at);
	assert_true(str_is(claims_path(claims, STR("R1")), "/x/y"));
}

/* -- As text ------------------------------------------------------------ */

static struct claims *again(const struct claims *from, char boot[40])
{
	struct buf text = { 0 };
	struct claims *into = NULL;

	buf_addf(&text, "{");
	claims_write(from, "the-boot", &text);
	buf_addf(&text, "}");
	assert_true(claims_read((struct str){ text.at, text.len }, boot, &into, &why));
	buf_release(&text);
	return into;
}

static void text_of(const struct claims *c, struct buf *into)
{
	claims_write(c, "b", into);
	buf_text(into);
}

static void what_is_written_reads_as_it_was(void **state)
{
	struct claim_terms t = process("two \"\xc3\xa9\"", 5), over = lease("three", 9, 0);
	struct buf before = { 0 }, after = { 0 };
	char boot[40];

	(void)state;
	t.role = STR("coder");
	t.source = STR("side");
	t.pending = STR("01JCCCCCCCCCCCCCCCCCCCCCCC");
	over.takeover = STR("why\nnot");
	assert_true(take_by("A", "one"));
	assert_true(take("B", &t));
	assert_true(take("A", &over));
	claims_remember_path(claims, STR("R"), STR("/some where"));
	struct claims *read = again(claims, boot);
	text_of(claims, &before);
	text_of(read, &after);
	assert_string_equal(before.at, after.at);
	assert_string_equal(boot, "the-boot");
	assert_true(str_is(claims_find(read, STR("B"))->pending, "01JCCCCCCCCCCCCCCCCCCCCCCC"));
	buf_release(&before);
	buf_release(&after);
	claims_free(read);
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"boot\":\"b\"}",
		"{\"boot\":\"b\",\"token\":0,\"claims\":[],\"ended\":[],\"paths\":[]}",
		"{\"boot\":\"\",\"token\":1,\"claims\":[],\"ended\":[],\"paths\":[]}",
		"{\"boot\":\"b\",\"token\":1,\"claims\":{},\"ended\":[],\"paths\":[]}",
		"{\"boot\":\"b\",\"token\":1,\"claims\":[1],\"ended\":[],\"paths\":[]}",
		"{\"boot\":\"b\",\"token\":1,\"claims\":[{}],\"ended\":[],\"paths\":[]}",
		/* A token that was never given. */
		"{\"boot\":\"b\",\"token\":1,\"claims\":[{\"ticket\":\"A\",\"session\":\"s\",\"token\":2,"
		"\"since\":\"2026-01-01T00:00:00Z\",\"until\":5}],\"ended\":[],\"paths\":[]}",
		/* It lives by nothing. */
		"{\"boot\":\"b\",\"token\":1,\"claims\":[{\"ticket\":\"A\",\"session\":\"s\",\"token\":1,"
		"\"since\":\"2026-01-01T00:00:00Z\"}],\"ended\":[],\"paths\":[]}",
		"{\"boot\":\"b\",\"token\":1,\"claims\":[{\"ticket\":\"A\",\"session\":\"s\",\"token\":1,"
		"\"since\":\"now\",\"until\":5}],\"ended\":[],\"paths\":[]}",
		/* Twice. */
		"{\"boot\":\"b\",\"token\":1,\"claims\":[{\"ticket\":\"A\",\"session\":\"s\",\"token\":1,"
		"\"since\":\"2026-01-01T00:00:00Z\",\"until\":5},{\"ticket\":\"A\",\"session\":\"s\","
		"\"token\":1,\"since\":\"2026-01-01T00:00:00Z\",\"until\":5}],\"ended\":[],\"paths\":[]}",
		"{\"boot\":\"b\",\"token\":1,\"claims\":[],\"ended\":[{\"ticket\":\"A\",\"session\":\"s\","
		"\"token\":1,\"since\":\"2026-01-01T00:00:00Z\",\"until\":5,"
		"\"ended_at\":\"2026-01-01T00:00:00Z\",\"ending\":\"somehow\"}],\"paths\":[]}",
		"{\"boot\":\"b\",\"token\":1,\"claims\":[],\"ended\":[],\"paths\":[{\"record\":\"R\"}]}",
	};
	char boot[40];
	struct claims *into;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (claims_read(str_of(bad[i]), boot, &into, &why))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(why.code, FAULT_INVALID);
	}
}

/* -- What the gate makes of them ---------------------------------------- */

static const char *gate_for_session(struct index *ix, const char *session)
{
	static char text[400];
	struct arena arena = { 0 };
	struct gate gate;

	gate_for(ix, index_find(ix, STR("A")), WALL, str_of(session), &arena, &gate);
	snprintf(text, sizeof(text), "%s", word(&words_verdict, (int)gate.verdict));
	for (size_t i = 0; i < gate.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "; %.*s",
			 STR_ARG(gate.reasons[i].text));
	arena_release(&arena);
	return text;
}

static void a_claim_holds_the_ticket_for_others(void **state)
{
	struct index *ix = index_new();

	(void)state;
	model_item(ix, "main", "A", "queued");
	index_settle(ix);
	assert_true(take_by("A", "one"));
	uint64_t before = index_generation(ix);
	index_claim(ix, STR("A"), claims->at[0]);
	assert_true(index_settle(ix));
	assert_true(index_generation(ix) > before);
	assert_int_equal(index_occupied(ix), 1);
	assert_string_equal(model_gate(ix, "A"), "held claimed/hold/claim");
	assert_string_equal(gate_for_session(ix, "one"), "clear");
	assert_string_equal(
		gate_for_session(ix, "two"),
		"held; claimed by one since 2026-06-01T00:00:00.005Z, until "
		"2026-06-01T00:01:00.005Z; ends then unless renewed, or when it is given back");
	index_claim(ix, STR("A"), claims->at[0]);
	assert_false(index_settle(ix));
	index_claim(ix, STR("A"), NULL);
	index_settle(ix);
	assert_int_equal(index_occupied(ix), 0);
	assert_string_equal(model_gate(ix, "A"), "clear");
	index_free(ix);
}

static void who_is_claimed_counts_for_conflicts_and_for_places(void **state)
{
	struct index *ix = index_new();

	(void)state;
	model_item(ix, "main", "A", "queued");
	model_item(ix, "main", "B", "queued");
	model_record(ix, "main", "A", "1", "waiting_capacity_note", 1,
		     ",\"note\":\"one at a time\",\"until\":{\"free\":1}");
	model_record(ix, "main", "A", "2", "conflicts_with", 2, ",\"related_ticket\":\"B\"");
	assert_true(take_by("AB", "one"));
	index_claim(ix, STR("B"), claims->at[1]);
	index_settle(ix);
	assert_string_equal(model_gate(ix, "A"),
			    "held conflict/hold/plan B queued; waiting/hold/plan");
	assert_non_null(strstr(model_reasons(ix, "A"), "(queued), which is claimed by one since"));
	/* One's own claim takes no place before one's own acceptance. */
	index_claim(ix, STR("B"), NULL);
	index_claim(ix, STR("A"), claims->at[0]);
	index_settle(ix);
	assert_string_equal(gate_for_session(ix, "one"), "clear");
	/* A Ticket that is nowhere (any more) is claimed all the same. */
	index_claim(ix, STR("A"), NULL);
	model_drop(ix, "main", "B");
	index_settle(ix);
	index_claim(ix, STR("B"), claims->at[1]);
	index_settle(ix);
	assert_non_null(strstr(model_gate(ix, "A"), "conflict/hold/plan B"));
	index_claim(ix, STR("B"), NULL);
	index_free(ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_claims(one_wins_and_the_other_is_told_who_and_since_when),
		with_claims(of_several_all_are_had_or_none),
		with_claims(a_loser_of_many_is_told_of_some),
		with_claims(who_claims_again_renews_and_keeps_the_token),
		with_claims(two_processes_of_one_session_are_two),
		with_claims(a_lease_of_the_session_becomes_that_of_its_process_with_a_new_token),
		with_claims(from_the_living_it_is_taken_with_a_reason),
		with_claims(who_gives_back_twice_is_told_so_twice),
		with_claims(leases_end_at_their_time_and_not_before),
		with_claims(the_wall_clock_moves_what_is_said_and_not_what_is_meant),
		with_claims(a_process_ends_what_lives_by_it_and_nothing_else),
		with_claims(a_token_is_good_while_its_claim_lives),
		with_claims(a_session_may_hold_several_each_with_its_token),
		with_claims(a_copy_shares_nothing_that_changes),
		with_claims(of_the_ends_the_last_are_kept),
		with_claims(of_the_places_of_plans_the_last_are_kept),
		with_claims(what_is_written_reads_as_it_was),
		with_claims(what_makes_no_sense_is_refused),
		with_claims(a_claim_holds_the_ticket_for_others),
		with_claims(who_is_claimed_counts_for_conflicts_and_for_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
