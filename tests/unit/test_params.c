/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <msgpack.h>

#include "base.h"
#include "params.h"
#include "utf8.h"
#include "wire.h"

/* A method that has a parameter of every type, as the table might. */
struct every {
	uint32_t given;
	struct str text;
	struct str ticket;
	int64_t number;
	bool yes;
	int64_t at;
	int64_t span;
	int word;
	uint64_t words;
	struct rpc_strs list;
	int64_t few;
};
_Static_assert(sizeof(struct every) <= sizeof(union rpc_params), "decoded in its place");

/* Their bits in `given`. */
enum { TEXT, TICKET, NUMBER, YES, AT, SPAN, WORD, WORDS, LIST, FEW };

#define FIELD(name_, type_, words_) \
	{ \
		.name = #name_, .type = type_, .offset = offsetof(struct every, name_), \
		.words = words_, .shape = SHAPE_COUNT, .doc = "" \
	}

static const struct rpc_field every_field[] = {
	FIELD(text, RPC_STR, NULL),
	FIELD(ticket, RPC_ID, NULL),
	FIELD(number, RPC_INT, NULL),
	FIELD(yes, RPC_BOOL, NULL),
	FIELD(at, RPC_TIME, NULL),
	FIELD(span, RPC_DURATION, NULL),
	FIELD(word, RPC_ENUM, &words_verdict),
	FIELD(words, RPC_ENUMS, &words_state),
	FIELD(list, RPC_STRS, NULL),
	{ .name = "few",
	  .type = RPC_INT,
	  .offset = offsetof(struct every, few),
	  .range = { 1, 1000 },
	  .shape = SHAPE_COUNT,
	  .doc = "" },
	{ .shape = SHAPE_COUNT },
};

static const struct rpc_method every_method = { .name = "every", .params = every_field };

struct fixture {
	struct buf out;
	struct wire w;
	msgpack_zone *zone;
	union rpc_params params;
	struct fault why;
};

static int make(void **state)
{
	struct fixture *fx = xcalloc(1, sizeof(*fx));

	wire_init(&fx->w, &fx->out);
	wire_map(&fx->w);
	fx->zone = msgpack_zone_new(2048);
	*state = fx;
	return fx->zone ? 0 : -1;
}

static int drop(void **state)
{
	struct fixture *fx = *state;

	buf_release(&fx->out);
	msgpack_zone_free(fx->zone);
	free(fx);
	return 0;
}

/* End the map and read it; the next value begins a new one. */
static msgpack_object finish(struct fixture *fx)
{
	msgpack_object map;
	size_t at = 0;

	wire_end(&fx->w);
	/* The map borrows from these bytes: keep them as long as the zone. */
	char *bytes = msgpack_zone_malloc(fx->zone, fx->out.len);
	assert_non_null(bytes);
	memcpy(bytes, fx->out.at, fx->out.len);
	assert_int_equal(msgpack_unpack(bytes, fx->out.len, &at, fx->zone, &map),
			 MSGPACK_UNPACK_SUCCESS);
	fx->out.len = 0;
	wire_map(&fx->w);
	return map;
}

static bool decode(struct fixture *fx, const struct rpc_method *method)
{
	msgpack_object map = finish(fx);

	memset(&fx->params, 0xaa, sizeof(fx->params));
	return params_decode(method, &map, fx->zone, &fx->params, &fx->why);
}

static const struct every *decoded(struct fixture *fx)
{
	if (!decode(fx, &every_method))
		fail_msg("%s", fx->why.text);
	return (const struct every *)(const void *)&fx->params;
}

static void assert_refused(struct fixture *fx, const struct rpc_method *method, const char *text)
{
	assert_false(decode(fx, method));
	assert_int_equal(fx->why.code, FAULT_BAD_ARGUMENT);
	assert_string_equal(fx->why.text, text);
}

static void put_list(struct fixture *fx, const char *name, const char *one, const char *two)
{
	wire_key(&fx->w, name);
	wire_list(&fx->w);
	wire_str(&fx->w, str_of(one));
	wire_str(&fx->w, str_of(two));
	wire_end(&fx->w);
}

static void every_type_is_decoded(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "text", STR("\xc3\xa4 b"));
	wire_put_str(&fx->w, "ticket", STR("T-1"));
	wire_put_int(&fx->w, "number", -7);
	wire_put_bool(&fx->w, "yes", true);
	wire_put_str(&fx->w, "at", STR("1970-01-01T00:00:01Z"));
	wire_put_str(&fx->w, "span", STR("250ms"));
	wire_put_str(&fx->w, "word", STR("held"));
	put_list(fx, "words", "ready", "done");
	put_list(fx, "list", "one", "");
	const struct every *got = decoded(fx);
	assert_int_equal(got->given, 0x1ff);
	assert_true(str_is(got->text, "\xc3\xa4 b"));
	assert_true(str_is(got->ticket, "T-1"));
	assert_int_equal(got->number, -7);
	assert_true(got->yes);
	assert_int_equal(got->at, 1000000);
	assert_int_equal(got->span, 250);
	assert_int_equal(got->word, VERDICT_HELD);
	assert_int_equal(got->words, 1 << STATE_READY | 1 << STATE_DONE);
	assert_int_equal(got->list.count, 2);
	assert_true(str_is(got->list.at[0], "one"));
	assert_true(str_is(got->list.at[1], ""));
}

static void what_is_absent_is_zero_and_not_given(void **state)
{
	struct fixture *fx = *state;
	static const struct every zero;
	const struct every *got = decoded(fx);

	assert_int_equal(got->given, 0);
	assert_null(got->text.at);
	assert_null(got->list.at);
	assert_memory_equal(got, &zero, sizeof(zero));
}

static void given_says_which_were_there(void **state)
{
	struct fixture *fx = *state;

	wire_put_bool(&fx->w, "yes", false);
	wire_put_str(&fx->w, "text", STR(""));
	const struct every *got = decoded(fx);
	assert_int_equal(got->given, 1 << YES | 1 << TEXT);
	assert_false(got->yes);
	assert_non_null(got->text.at);
	assert_int_equal(got->text.len, 0);
}

static void unknown_parameters_are_passed_over(void **state)
{
	struct fixture *fx = *state;

	wire_put_int(&fx->w, "newer", 1);
	put_list(fx, "newest", "a", "b");
	wire_put_int(&fx->w, "number", 5);
	wire_put_int(&fx->w, "newer", 1);
	wire_put_int(&fx->w, "", 1);
	const struct every *got = decoded(fx);
	assert_int_equal(got->given, 1 << NUMBER);
	assert_int_equal(got->number, 5);
}

static void a_long_list_of_text_comes_whole(void **state)
{
	struct fixture *fx = *state;

	wire_key(&fx->w, "list");
	wire_list(&fx->w);
	for (int i = 0; i < 1025; i++) /* of 16 bytes: more than fit a zone's chunk */
		wire_str(&fx->w, i % 2 ? STR("odd") : STR("even"));
	wire_end(&fx->w);
	const struct every *got = decoded(fx);
	assert_int_equal(got->list.count, 1025);
	for (size_t i = 0; i < 1025; i++)
		assert_true(str_is(got->list.at[i], i % 2 ? "odd" : "even"));
}

static void an_empty_list_of_text_is_there(void **state)
{
	struct fixture *fx = *state;

	wire_key(&fx->w, "list");
	wire_list(&fx->w);
	wire_end(&fx->w);
	const struct every *got = decoded(fx);
	assert_int_equal(got->given, 1 << LIST);
	assert_int_equal(got->list.count, 0);
	assert_non_null(got->list.at);
}

static void a_parameter_given_twice_is_refused(void **state)
{
	struct fixture *fx = *state;

	wire_put_int(&fx->w, "number", 5);
	wire_put_int(&fx->w, "number", 5);
	assert_refused(fx, &every_method, "number is given twice");
}

static void a_missing_parameter_is_named(void **state)
{
	struct fixture *fx = *state;

	assert_refused(fx, rpc_method(RPC_ticket_get), "ticket is missing");
	wire_put_str(&fx->w, "ticket", STR("T-1"));
	assert_refused(fx, rpc_method(RPC_record_add), "kind is missing");
	wire_put_str(&fx->w, "kind", STR("related"));
	assert_refused(fx, rpc_method(RPC_record_add), "ticket is missing");
}

static void a_name_that_is_no_text_is_refused(void **state)
{
	struct fixture *fx = *state;
	msgpack_object_kv kv = { .key = { .type = MSGPACK_OBJECT_NIL } };
	const msgpack_object map = { .type = MSGPACK_OBJECT_MAP, .via.map = { 1, &kv } };

	assert_false(params_decode(&every_method, &map, fx->zone, &fx->params, &fx->why));
	assert_int_equal(fx->why.code, FAULT_BAD_ARGUMENT);
	assert_string_equal(fx->why.text, "a parameter's name is not text");
}

static void a_value_of_another_type_is_refused(void **state)
{
	struct fixture *fx = *state;
	static const char *const rows[] = {
		"text is not text",         "ticket is not text", "number is not an integer",
		"yes is not true or false", "at is not text",     "span is not text",
		"word is not text",         "words is not text",  "list is not a list of text",
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		wire_key(&fx->w, every_field[i].name);
		wire_nil(&fx->w);
		assert_refused(fx, &every_method, rows[i]);
	}
}

static void a_list_whose_elements_are_no_text_is_refused(void **state)
{
	struct fixture *fx = *state;
	static const char *const names[] = { "words", "list" };
	static const char *const texts[] = { "words is not text", "list is not text" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		wire_key(&fx->w, names[i]);
		wire_list(&fx->w);
		wire_str(&fx->w, STR("done"));
		wire_int(&fx->w, 1);
		wire_end(&fx->w);
		assert_refused(fx, &every_method, texts[i]);
	}
}

static void text_that_is_not_utf_8_or_holds_a_nul_is_refused(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "text", STR("a\xff"));
	assert_refused(fx, &every_method, "text is not UTF-8");
	wire_put_str(&fx->w, "text", STR("a\0b"));
	assert_refused(fx, &every_method, "text holds a NUL byte");
	wire_put_str(&fx->w, "ticket", STR("T-1\0"));
	assert_refused(fx, &every_method, "ticket holds a NUL byte");
	put_list(fx, "list", "fine", "\xc3");
	assert_refused(fx, &every_method, "list is not UTF-8");
}

static void an_empty_name_of_a_ticket_is_refused(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "ticket", STR(""));
	assert_refused(fx, rpc_method(RPC_ticket_check), "ticket is empty");
}

static void integers_beyond_64_bits_with_sign_are_refused(void **state)
{
	struct fixture *fx = *state;

	wire_key(&fx->w, "number");
	wire_raw(&fx->w, "\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9);
	assert_refused(fx, &every_method, "number is not an integer");
	wire_key(&fx->w, "number");
	wire_raw(&fx->w, "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 9);
	assert_refused(fx, &every_method, "number is not an integer");
	wire_put_int(&fx->w, "number", INT64_MAX);
	assert_int_equal(decoded(fx)->number, INT64_MAX);
	wire_put_int(&fx->w, "number", INT64_MIN);
	assert_int_equal(decoded(fx)->number, INT64_MIN);
}

static void a_word_of_no_set_is_refused_with_those_there_are(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "word", STR("maybe"));
	assert_refused(fx, &every_method, "word: \"maybe\" is none of clear, held, not_queued");
	wire_put_str(&fx->w, "word", STR(""));
	assert_refused(fx, &every_method, "word: \"\" is none of clear, held, not_queued");
	put_list(fx, "words", "ready", "Done");
	assert_refused(fx, &every_method,
		       "words: \"Done\" is none of planning, ready, queued, inprogress, done, "
		       "closed, unknown");
}

/* The text of a fault stands in an answer, where text is UTF-8. */
static void a_long_word_is_cut_between_characters(void **state)
{
	struct fixture *fx = *state;
	char text[1 + 200];

	text[0] = 'x';
	for (size_t i = 1; i < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	for (size_t from = 0; from < 2; from++) {
		wire_put_str(&fx->w, "word", (struct str){ text + from, sizeof(text) - from });
		assert_false(decode(fx, &every_method));
		assert_true(utf8_ok(str_of(fx->why.text)));
		assert_true(strcspn(fx->why.text + 7, "\"") == (from ? 64 : 63));
	}
}

static void the_longest_refusal_fits(void **state)
{
	struct fixture *fx = *state;
	char text[300];

	memset(text, 'x', sizeof(text));
	wire_put_str(&fx->w, "ticket", STR("T-1"));
	wire_put_str(&fx->w, "kind", (struct str){ text, sizeof(text) });
	assert_false(decode(fx, rpc_method(RPC_record_add)));
	assert_true(strlen(fx->why.text) < sizeof(fx->why.text) - 1);
	assert_true(str_ends(str_of(fx->why.text), STR(", accepted_plan, retraction")));
}

static void a_single_word_stands_for_a_list_of_one(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "words", STR("queued"));
	assert_int_equal(decoded(fx)->words, 1 << STATE_QUEUED);
	wire_key(&fx->w, "words");
	wire_list(&fx->w);
	wire_end(&fx->w);
	const struct every *got = decoded(fx);
	assert_int_equal(got->words, 0);
	assert_int_equal(got->given, 1 << WORDS);
}

static void a_span_is_text_or_whole_seconds(void **state)
{
	struct fixture *fx = *state;

	wire_put_int(&fx->w, "span", 30);
	assert_int_equal(decoded(fx)->span, 30000);
	wire_put_str(&fx->w, "span", STR("5m"));
	assert_int_equal(decoded(fx)->span, 300000);
	wire_put_str(&fx->w, "span", STR("soon"));
	assert_refused(fx, &every_method, "span is not a duration such as 30s, 5m or 2h");
	wire_put_int(&fx->w, "span", INT64_MAX);
	assert_false(decode(fx, &every_method));
	wire_put_int(&fx->w, "span", -1);
	assert_false(decode(fx, &every_method));
}

static void a_time_that_is_none_is_refused_with_an_example(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "at", STR("tomorrow"));
	assert_refused(fx, &every_method, "at is not a time such as 2026-01-31T12:00:00Z");
}

static void derived_kinds_cannot_be_asked_to_be_stored(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "ticket", STR("T-1"));
	wire_put_str(&fx->w, "kind", STR("dependency_of"));
	assert_false(decode(fx, rpc_method(RPC_record_add)));
	assert_int_equal(fx->why.code, FAULT_BAD_ARGUMENT);
	wire_put_str(&fx->w, "kind", STR("dependency_of"));
	assert_true(decode(fx, rpc_method(RPC_record_query)));
	assert_int_equal(fx->params.record_query.kind, 1 << KIND_DEPENDENCY_OF);
}

/* A gate answer that is right, but for what the caller adds. */
static void put_gate(struct fixture *fx, const char *verdict, bool reasons)
{
	wire_key(&fx->w, "gate");
	wire_map(&fx->w);
	wire_put_str(&fx->w, "ticket", STR("T-1"));
	wire_put_str(&fx->w, "verdict", str_of(verdict));
	if (reasons) {
		wire_key(&fx->w, "reasons");
		wire_list(&fx->w);
		wire_end(&fx->w);
	}
	wire_end(&fx->w);
}

static void assert_misshapen(struct fixture *fx, enum shape_id id, const char *text)
{
	msgpack_object map = finish(fx);

	assert_false(shape_check(id, &map, &fx->why));
	assert_int_equal(fx->why.code, FAULT_INTERNAL);
	assert_string_equal(fx->why.text, text);
}

static void an_answer_of_the_right_shape_passes(void **state)
{
	struct fixture *fx = *state;

	put_gate(fx, "clear", true);
	wire_put_str(&fx->w, "clock", STR("a:1"));
	msgpack_object map = finish(fx);
	assert_true(shape_check(SHAPE_gate_answer, &map, &fx->why));
	wire_put_str(&fx->w, "clock", STR("a:1"));
	map = finish(fx);
	assert_true(shape_check(SHAPE_nothing, &map, &fx->why));
}

static void an_answer_may_say_that_it_is_old(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "clock", STR("a:1"));
	wire_key(&fx->w, "freshness");
	wire_map(&fx->w);
	wire_put_str(&fx->w, "mode", STR("scan"));
	put_list(fx, "reasons", "nfs", "");
	wire_end(&fx->w);
	msgpack_object map = finish(fx);
	assert_true(shape_check(SHAPE_nothing, &map, &fx->why));
}

static void an_answer_without_a_clock_is_misshapen(void **state)
{
	struct fixture *fx = *state;

	put_gate(fx, "clear", true);
	assert_misshapen(fx, SHAPE_gate_answer, "envelope.clock is missing");
}

static void a_field_that_is_missing_or_unknown_is_named(void **state)
{
	struct fixture *fx = *state;

	wire_put_str(&fx->w, "clock", STR("a:1"));
	assert_misshapen(fx, SHAPE_gate_answer, "gate_answer.gate is missing");
	put_gate(fx, "clear", false);
	assert_misshapen(fx, SHAPE_gate_answer, "gate.reasons is missing");
	wire_put_int(&fx->w, "extra", 1);
	assert_misshapen(fx, SHAPE_nothing, "nothing has an unknown field extra");
}

static void a_field_of_another_type_is_named(void **state)
{
	struct fixture *fx = *state;

	put_gate(fx, "perhaps", true);
	assert_misshapen(fx, SHAPE_gate_answer,
			 "gate: verdict: \"perhaps\" is none of clear, held, not_queued");
	wire_put_int(&fx->w, "gate", 1);
	assert_misshapen(fx, SHAPE_gate_answer, "gate is not a map");
	wire_put_str(&fx->w, "read_only", STR("no"));
	assert_misshapen(fx, SHAPE_hello, "hello: read_only is not true or false");
	wire_put_str(&fx->w, "common_dev", STR("1"));
	assert_misshapen(fx, SHAPE_hello, "hello: common_dev is not an integer");
	wire_put_str(&fx->w, "started_at", STR("now"));
	assert_misshapen(fx, SHAPE_agent,
			 "agent: started_at is not a time such as 2026-01-31T12:00:00Z");
}

static void a_list_of_other_things_is_misshapen(void **state)
{
	struct fixture *fx = *state;

	wire_put_int(&fx->w, "tickets", 1);
	assert_misshapen(fx, SHAPE_tickets, "tickets.tickets is not a list");
	put_list(fx, "tickets", "a", "b");
	assert_misshapen(fx, SHAPE_tickets, "ticket_row is not a map");
	wire_key(&fx->w, "capabilities");
	wire_list(&fx->w);
	wire_int(&fx->w, 1);
	wire_end(&fx->w);
	assert_misshapen(fx, SHAPE_hello, "hello.capabilities holds no text");
}

static void a_field_that_stands_twice_is_misshapen(void **state)
{
	struct fixture *fx = *state;

	put_gate(fx, "clear", true);
	put_gate(fx, "clear", true);
	assert_misshapen(fx, SHAPE_gate_answer, "gate_answer.gate stands twice");
	wire_put_str(&fx->w, "clock", STR("a:1"));
	wire_put_str(&fx->w, "clock", STR("a:1"));
	assert_misshapen(fx, SHAPE_nothing, "envelope.clock stands twice");
}

static void what_stands_in_every_answer_has_its_shape_too(void **state)
{
	struct fixture *fx = *state;

	wire_put_int(&fx->w, "clock", 1);
	assert_misshapen(fx, SHAPE_nothing, "envelope: clock is not text");
	wire_put_str(&fx->w, "clock", STR("a:1"));
	wire_put_str(&fx->w, "freshness", STR("old"));
	assert_misshapen(fx, SHAPE_nothing, "freshness is not a map");
}

static void every_method_is_found_by_its_name(void **state)
{
	(void)state;

	for (enum rpc_id id = 0; id < RPC_COUNT; id++)
		assert_int_equal(rpc_find(str_of(rpc_method(id)->name)), id);
	assert_int_equal(rpc_find(STR("")), RPC_COUNT);
	assert_int_equal(rpc_find(STR("ticket")), RPC_COUNT);
	assert_int_equal(rpc_find(STR("ticket.get\0")), RPC_COUNT);
}

#define with_map(test) cmocka_unit_test_setup_teardown(test, make, drop)

static void a_number_has_its_range(void **state)
{
	static const int64_t inside[] = { 1, 2, 999, 1000 }, outside[] = { INT64_MIN, -1, 0, 1001, INT64_MAX };
	struct fixture *fx = *state;
	char text[100];

	for (size_t i = 0; i < COUNT_OF(inside); i++) {
		wire_put_int(&fx->w, "few", inside[i]);
		assert_int_equal(decoded(fx)->few, inside[i]);
	}
	for (size_t i = 0; i < COUNT_OF(outside); i++) {
		wire_put_int(&fx->w, "few", outside[i]);
		snprintf(text, sizeof(text), "few is %lld; it goes from 1 to 1000",
			 (long long)outside[i]);
		assert_refused(fx, &every_method, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_map(every_type_is_decoded),
		with_map(what_is_absent_is_zero_and_not_given),
		with_map(given_says_which_were_there),
		with_map(unknown_parameters_are_passed_over),
		with_map(a_long_list_of_text_comes_whole),
		with_map(an_empty_list_of_text_is_there),
		with_map(a_parameter_given_twice_is_refused),
		with_map(a_missing_parameter_is_named),
		with_map(a_name_that_is_no_text_is_refused),
		with_map(a_value_of_another_type_is_refused),
		with_map(a_list_whose_elements_are_no_text_is_refused),
		with_map(text_that_is_not_utf_8_or_holds_a_nul_is_refused),
		with_map(an_empty_name_of_a_ticket_is_refused),
		with_map(a_number_has_its_range),
		with_map(integers_beyond_64_bits_with_sign_are_refused),
		with_map(a_word_of_no_set_is_refused_with_those_there_are),
		with_map(a_long_word_is_cut_between_characters),
		with_map(the_longest_refusal_fits),
		with_map(a_single_word_stands_for_a_list_of_one),
		with_map(a_span_is_text_or_whole_seconds),
		with_map(a_time_that_is_none_is_refused_with_an_example),
		with_map(derived_kinds_cannot_be_asked_to_be_stored),
		with_map(an_answer_of_the_right_shape_passes),
		with_map(an_answer_may_say_that_it_is_old),
		with_map(an_answer_without_a_clock_is_misshapen),
		with_map(a_field_that_is_missing_or_unknown_is_named),
		with_map(a_field_of_another_type_is_named),
		with_map(a_list_of_other_things_is_misshapen),
		with_map(a_field_that_stands_twice_is_misshapen),
		with_map(what_stands_in_every_answer_has_its_shape_too),
		cmocka_unit_test(every_method_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
