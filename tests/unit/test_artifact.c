/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "buf.h"
#include "content.h"

#define AT      "\"author\":\"ann\",\"at\":\"2026-05-01T00:00:00Z\""
#define AT_US   INT64_C(1777593600000000)
#define HEAD    "{\"id\":\"R1\",\"ticket_id\":\"T-1\","
#define BLOCKED HEAD "\"kind\":\"blocked_by\",\"related_ticket\":\"T-2\"," AT "}"

/* Parse, as a file of T-1, from a block of just the size, so that reading on is seen. */
static struct content *parse_bytes(enum role role, const char *name, struct str text)
{
	char *exact = xmalloc(text.len);

	if (text.len)
		memcpy(exact, text.at, text.len);
	struct content *c =
		artifact_parse(role, STR("T-1"), str_of(name), (struct str){ exact, text.len });
	free(exact);
	return c;
}

static struct content *parse_plan(const char *text)
{
	return parse_bytes(ROLE_PLAN, "orchestration-plan.jsonl", str_of(text));
}

static struct content *parse_relations(const char *text)
{
	return parse_bytes(ROLE_RELATIONS, "relations.json", str_of(text));
}

static struct content *parse_record(const char *text)
{
	return parse_bytes(ROLE_RECORD, "R1.json", str_of(text));
}

/* "code:line:offset code:line:offset", and " unreadable". */
static const char *flaws_of(const struct content *c)
{
	static char text[8192];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < c->flaw_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%u:%lld",
					i ? " " : "", word(&words_problem, (int)c->flaws[i].code),
					c->flaws[i].line, (long long)c->flaws[i].offset);
	if (c->unreadable)
		snprintf(text + len, sizeof(text) - len, " unreadable");
	return text;
}

static void assert_parsed(struct content *c, const char *flaws, uint32_t records)
{
	assert_string_equal(flaws_of(c), flaws);
	assert_int_equal(c->record_count, records);
	content_free(c);
}

static void a_record_file_holds_one_record_with_all_its_fields(void **state)
{
	(void)state;
	struct content *c = parse_record(
		"{\n  \"id\": \"R1\",\n  \"ticket_id\": \"T-1\",\n  \"kind\": \"blocked_by\",\n"
		"  \"related_ticket\": \"T-2\",\n  \"note\": \"first \\u00e4\",\n"
		"  \"author\": \"ann\",\n  \"at\": \"2026-05-01T02:00:00+02:00\"\n}\n");

	assert_string_equal(flaws_of(c), "");
	assert_int_equal(c->record_count, 1);
	const struct record *r = &c->records[0];
	assert_true(str_is(r->id, "R1"));
	assert_int_equal(r->kind, KIND_BLOCKED_BY);
	assert_int_equal(r->origin, ORIGIN_PLAN);
	assert_true(str_is(r->other, "T-2"));
	assert_true(str_is(r->note, "first \xc3\xa4"));
	assert_true(str_is(r->author, "ann"));
	assert_int_equal(r->at, AT_US);
	assert_int_equal(r->line, 0);
	assert_null(r->plan);
	assert_null(r->until);
	assert_null(r->retracts.at);
	content_free(c);
}

static void a_plan_file_holds_a_record_a_line_in_its_order(void **state)
{
	(void)state;
	struct content *c = parse_plan(
		"{\"id\":\"b\",\"ticket_id\":\"T-1\",\"ticket_slug\":\"s\",\"kind\":\"after\","
		"\"related_ticket\":\"T-3\"," AT "}\n"
		"\n   \t\r\n"
		"{\"id\":\"a\",\"ticket_id\":\"T-1\",\"kind\":\"related\","
		"\"related_ticket\":\"T-2\"," AT "}\r\n");

	assert_string_equal(flaws_of(c), "");
	assert_int_equal(c->record_count, 2);
	assert_true(str_is(c->records[0].id, "b"));
	assert_int_equal(c->records[0].line, 1);
	assert_int_equal(c->records[0].origin, ORIGIN_PLAN);
	assert_true(str_is(c->records[1].id, "a"));
	assert_int_equal(c->records[1].line, 4);
	assert_int_equal(c->records[1].origin, ORIGIN_RELATION);
	content_free(c);
}

static void a_relation_is_named_by_its_kind_and_target(void **state)
{
	(void)state;
	struct content *c = parse_relations(
		"{\"version\":1,\"relations\":[\n"
		"{\"ticket_id\":\"T-1\",\"kind\":\"depends_on\",\"target\":\"T-2\","
		"\"note\":\"n\"," AT "},\n"
		"{\"ticket_id\":\"T-1\",\"kind\":\"blocked_by\",\"target\":\"T-3\"," AT "}]}");

	assert_string_equal(flaws_of(c), "");
	assert_int_equal(c->record_count, 2);
	assert_true(str_is(c->records[0].id, "depends_on:T-2"));
	assert_true(str_is(c->records[0].other, "T-2"));
	assert_true(str_is(c->records[0].note, "n"));
	assert_int_equal(c->records[0].origin, ORIGIN_RELATION);
	assert_true(str_is(c->records[1].id, "blocked_by:T-3"));
	assert_int_equal(c->records[1].origin, ORIGIN_RELATION);
	content_free(c);
}

static void every_stored_kind_is_read_in_a_plan_and_in_a_record_file(void **state)
{
	(void)state;
	static const char *const takes[] = {
		[TAKES_TICKET] = "\"related_ticket\":\"T-2\",",
		[TAKES_NOTE] = "\"note\":\"n\",",
		[TAKES_PLAN] = "\"accepted_plan\":{\"summary\":\"s\"},",
		[TAKES_RECORD] = "\"retracts\":\"R0\",",
	};

	for (int kind = 0; kind < KIND_STORED_COUNT; kind++) {
		char *text = xasprintf(HEAD "\"kind\":\"%s\",%s" AT "}\n", word(&words_kind, kind),
				       takes[kind_row((enum kind)kind)->takes]);
		struct content *record = parse_record(text), *plan = parse_plan(text);
		assert_int_equal(record->records[0].kind, kind);
		assert_int_equal(plan->records[0].kind, kind);
		assert_int_equal(record->records[0].origin, kind_row((enum kind)kind)->origin);
		assert_parsed(record, "", 1);
		assert_parsed(plan, "", 1);
		free(text);
	}
}

static void a_record_that_lacks_what_its_kind_needs_does_not_count(void **state)
{
	(void)state;

	for (int kind = 0; kind < KIND_STORED_COUNT; kind++) {
		char *text = xasprintf(HEAD "\"kind\":\"%s\"," AT "}\n", word(&words_kind, kind));
		assert_parsed(parse_record(text), "incomplete:0:-1", 0);
		assert_parsed(parse_plan(text), "incomplete:1:0", 0);
		free(text);
	}
	assert_parsed(
		parse_plan(
			"{\"ticket_id\":\"T-1\",\"kind\":\"after\",\"related_ticket\":\"T-2\"," AT
			"}\n"),
		"incomplete:1:0", 0);
	assert_parsed(parse_plan(HEAD "\"kind\":\"after\",\"related_ticket\":\"\"," AT "}\n"),
		      "incomplete:1:0", 0);
	assert_parsed(parse_plan(HEAD "\"kind\":\"accepted_plan\",\"accepted_plan\":{}," AT "}\n"),
		      "incomplete:1:0", 0);
	assert_parsed(parse_plan(HEAD "\"kind\":\"accepted_plan\",\"accepted_plan\":\"s\"," AT
				      "}\n"),
		      "incomplete:1:0", 0);
	assert_parsed(parse_relations("{\"version\":1,\"relations\":[{\"ticket_id\":\"T-1\","
				      "\"kind\":\"related\"," AT "}]}"),
		      "incomplete:0:-1", 0);
}

static void derived_kinds_are_never_read(void **state)
{
	(void)state;

	for (int kind = KIND_STORED_COUNT; kind < KIND_COUNT; kind++) {
		char *text = xasprintf(HEAD "\"kind\":\"%s\",\"related_ticket\":\"T-2\"," AT "}\n",
				       word(&words_kind, kind));
		assert_parsed(parse_record(text), "unknown_kind:0:-1", 0);
		free(text);
	}
}

static void an_unknown_kind_is_said_and_holds_nothing(void **state)
{
	(void)state;

	assert_parsed(parse_plan(HEAD "\"kind\":\"waits\"," AT "}\n"), "unknown_kind:1:0", 0);
	assert_parsed(parse_plan(HEAD AT "}\n"), "unknown_kind:1:0", 0);
	assert_parsed(parse_plan(HEAD "\"kind\":7," AT "}\n"), "bad_field:1:0 unknown_kind:1:0", 0);
	assert_parsed(parse_relations("{\"version\":1,\"relations\":[{\"ticket_id\":\"T-1\","
				      "\"kind\":\"x\",\"target\":\"T-2\"," AT "}]}"),
		      "unknown_kind:0:-1", 0);
}

static void an_unknown_field_is_said_and_the_record_counts(void **state)
{
	(void)state;

	assert_parsed(parse_plan(HEAD "\"kind\":\"after\",\"related_ticket\":\"T-2\",\"x\":1," AT
				      "}\n"),
		      "unknown_field:1:0", 1);
	assert_parsed(parse_plan(
			      HEAD
			      "\"kind\":\"after\",\"related_ticket\":\"T-2\",\"target\":\"T-3\"," AT
			      "}\n"),
		      "unknown_field:1:0", 1);
	assert_parsed(parse_plan(HEAD
				 "\"kind\":\"accepted_plan\",\"accepted_plan\":{\"summary\":\"s\","
				 "\"y\":[]}," AT "}\n"),
		      "unknown_field:1:0", 1);
	assert_parsed(parse_relations(
			      "{\"version\":1,\"more\":1,\"relations\":[{\"ticket_id\":\"T-1\","
			      "\"kind\":\"related\",\"target\":\"T-2\",\"id\":\"x\"," AT "}]}"),
		      "unknown_field:1:0 unknown_field:0:-1", 1);
}

static void a_field_of_another_type_is_left_out_and_said(void **state)
{
	(void)state;
	struct content *c =
		parse_plan(HEAD "\"kind\":\"after\",\"related_ticket\":\"T-2\",\"note\":1,"
				"\"author\":[],\"at\":7}\n");

	assert_string_equal(flaws_of(c), "bad_field:1:0 bad_field:1:0 bad_field:1:0 bad_field:1:0");
	assert_int_equal(c->record_count, 1);
	assert_null(c->records[0].note.at);
	assert_true(str_is(c->records[0].author, ""));
	assert_int_equal(c->records[0].at, 0);
	content_free(c);
}

static void null_is_absent(void **state)
{
	(void)state;

	assert_parsed(parse_plan(HEAD "\"kind\":\"after\",\"related_ticket\":\"T-2\",\"note\":null,"
				      "\"accepted_plan\":null,\"until\":null,\"retracts\":null," AT
				      "}\n"),
		      "", 1);
	assert_parsed(parse_plan(
			      HEAD
			      "\"kind\":\"waiting_capacity_note\",\"note\":\"n\",\"until\":null," AT
			      "}\n"),
		      "", 1);
	assert_parsed(parse_plan(HEAD "\"kind\":\"after\",\"related_ticket\":null," AT "}\n"),
		      "incomplete:1:0", 0);
}

static void a_plan_has_its_four_texts(void **state)
{
	(void)state;
	struct content *c =
		parse_record(HEAD "\"kind\":\"accepted_plan\",\"accepted_plan\":{"
				  "\"summary\":\"s\",\"branch\":\"b\",\"worktree\":\"w\","
				  "\"role_plan\":\"r\"}," AT "}");

	assert_string_equal(flaws_of(c), "");
	assert_true(str_is(c->records[0].plan->summary, "s"));
	assert_true(str_is(c->records[0].plan->branch, "b"));
	assert_true(str_is(c->records[0].plan->worktree, "w"));
	assert_true(str_is(c->records[0].plan->role_plan, "r"));
	content_free(c);
}

static struct content *parse_until(const char *until)
{
	char *text =
		xasprintf(HEAD "\"kind\":\"waiting_capacity_note\",\"note\":\"n\",\"until\":%s," AT
			       "}",
			  until);
	struct content *c = parse_record(text);

	free(text);
	return c;
}

static void a_wait_ends_in_one_of_four_forms(void **state)
{
	(void)state;
	struct content *ticket = parse_until("{\"ticket\":\"T-9\",\"state\":\"done\"}");
	struct content *after = parse_until("{\"after\":\"2026-05-01T00:00:00Z\"}");
	struct content *human = parse_until("{\"gate\":\"human\"}");
	struct content *few = parse_until("{\"free\":3}");

	assert_int_equal(ticket->records[0].until->form, UNTIL_TICKET);
	assert_true(str_is(ticket->records[0].until->ticket, "T-9"));
	assert_int_equal(ticket->records[0].until->state, STATE_DONE);
	assert_int_equal(after->records[0].until->form, UNTIL_AFTER);
	assert_int_equal(after->records[0].until->after, AT_US);
	assert_int_equal(human->records[0].until->form, UNTIL_HUMAN);
	assert_int_equal(few->records[0].until->form, UNTIL_FREE);
	assert_int_equal(few->records[0].until->free, 3);
	assert_parsed(ticket, "", 1);
	assert_parsed(after, "", 1);
	assert_parsed(human, "", 1);
	assert_parsed(few, "", 1);
}

static void a_wait_whose_end_makes_no_sense_stands_until_taken_back(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"{}",
		"[]",
		"\"human\"",
		"7",
		"{\"ticket\":\"T-9\"}",
		"{\"state\":\"done\"}",
		"{\"ticket\":\"T-9\",\"state\":\"unknown\"}",
		"{\"ticket\":\"T-9\",\"state\":\"gone\"}",
		"{\"ticket\":\"\",\"state\":\"done\"}",
		"{\"after\":\"tomorrow\"}",
		"{\"gate\":\"robot\"}",
		"{\"free\":0}",
		"{\"free\":-1}",
		"{\"free\":\"3\"}",
		"{\"free\":1.5}",
	};

	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct content *c = parse_until(broken[i]);
		assert_null(c->records[0].until);
		assert_parsed(c, "bad_field:0:-1", 1);
	}
	assert_parsed(parse_until("{\"free\":1,\"more\":2}"), "unknown_field:0:-1", 1);
}

static void a_tail_without_line_end_counts_if_it_is_whole(void **state)
{
	(void)state;

	assert_parsed(parse_plan(BLOCKED "\n" BLOCKED), "torn_tail:2:116 duplicate_id:2:-1", 2);
	assert_parsed(parse_plan(BLOCKED "\n{\"id\":\"R2\",\"tick"), "torn_tail:2:116", 1);
	assert_parsed(parse_plan(BLOCKED "\n7"), "torn_tail:2:116", 1);
	assert_parsed(parse_plan(BLOCKED "\n  \t"), "", 1);
	assert_parsed(parse_plan("{"), "torn_tail:1:0", 0);
}

static void a_tail_says_whether_it_counts(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_addf(&text, HEAD "\"kind\":\"related\",\"related_ticket\":\"T-2\"," AT ",\"x\":");
	for (int i = 0; i < 70; i++)
		buf_addf(&text, "[");
	for (int i = 0; i < 70; i++)
		buf_addf(&text, "]");
	buf_addf(&text, "}");
	struct content *c = parse_plan(buf_text(&text));
	assert_int_equal(c->record_count, 0);
	assert_non_null(strstr(c->flaws[0].text.at, "does not count"));
	content_free(c);
	c = parse_plan(BLOCKED);
	assert_non_null(strstr(c->flaws[0].text.at, "it is whole and counts"));
	content_free(c);
	buf_release(&text);
}

static void a_finished_line_that_is_no_object_makes_it_unreadable(void **state)
{
	(void)state;

	assert_parsed(parse_plan("7\n" BLOCKED "\n"), "bad_record:1:0 unreadable", 1);
	assert_parsed(parse_plan("[]\n"), "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_plan("null\n"), "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_plan("{}{}\n"), "bad_record:1:3 unreadable", 0);
	assert_parsed(parse_plan(BLOCKED "\n{\"a\":}\n"), "bad_record:2:122 unreadable", 1);
	assert_parsed(parse_plan("\xef\xbb\xbf" BLOCKED "\n"), "bad_record:1:3 unreadable", 0);
}

static void a_line_of_bytes_that_are_no_text_makes_it_unreadable(void **state)
{
	(void)state;
	struct content *c = parse_bytes(ROLE_PLAN, "p", STR("{\"a\":\"\xff\"}\n{\"b\":\0}\n"));

	assert_int_equal(c->flaw_count, 2);
	assert_int_equal(c->flaws[0].code, PROBLEM_BAD_RECORD);
	assert_int_equal(c->flaws[1].code, PROBLEM_BAD_RECORD);
	assert_int_equal(c->flaws[1].line, 2);
	content_free(c);
}

static void a_record_file_that_is_no_object_makes_it_unreadable(void **state)
{
	(void)state;

	assert_parsed(parse_record(""), "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_record("[" BLOCKED "]"), "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_record("{\n\"id\": 7,,\n}"), "bad_record:2:11 unreadable", 0);
	assert_parsed(parse_record(BLOCKED " x"), "bad_record:1:117 unreadable", 0);
	assert_parsed(parse_relations(""), "bad_record:1:0 unreadable", 0);
}

static void a_key_that_stands_twice_makes_it_unreadable(void **state)
{
	(void)state;
	struct content *c = parse_plan("{\"id\":\"a\",\"id\":\"b\"}\n");

	assert_int_equal(c->flaw_count, 1);
	assert_int_equal(c->flaws[0].code, PROBLEM_BAD_RECORD);
	assert_true(c->unreadable);
	content_free(c);
}

static char *nested(int depth)
{
	struct buf text = { 0 };

	buf_addf(&text, HEAD "\"kind\":\"related\",\"related_ticket\":\"T-2\"," AT ",\"x\":");
	for (int i = 0; i < depth; i++)
		buf_addf(&text, i % 2 ? "[" : "{\"y\":");
	buf_addf(&text, "0");
	for (int i = depth; i-- > 0;)
		buf_addf(&text, i % 2 ? "]" : "}");
	buf_addf(&text, "}\n");
	buf_text(&text);
	return text.at;
}

static void nesting_of_64_is_read_and_deeper_refused(void **state)
{
	(void)state;
	char *fits = nested(62), *deeper = nested(64), *bomb = nested(100000);

	assert_parsed(parse_plan(fits), "unknown_field:1:0", 1);
	assert_parsed(parse_plan(deeper), "bad_record:1:0 unreadable", 0);
	struct content *c = parse_plan(bomb);
	assert_true(c->unreadable);
	assert_int_equal(c->record_count, 0);
	content_free(c);
	free(fits);
	free(deeper);
	free(bomb);
}

/* One record whose line, without its end, has so many bytes. */
static char *line_of(size_t len)
{
	static const char head[] =
		HEAD "\"kind\":\"related\",\"related_ticket\":\"T-2\"," AT ",\"note\":\"";
	char *text = xmalloc(len + 2);

	memset(text, 'x', len);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + len - 2, "\"}\n", 4);
	return text;
}

static void a_line_may_have_a_mebibyte_and_no_more(void **state)
{
	(void)state;
	char *fits = line_of(ARTIFACT_LINE_MAX), *over = line_of(ARTIFACT_LINE_MAX + 1);

	assert_parsed(parse_plan(fits), "", 1);
	assert_parsed(parse_plan(over), "too_large:1:0 unreadable", 0);
	over[ARTIFACT_LINE_MAX + 1] = '\0';
	assert_parsed(parse_plan(over), "torn_tail:1:0", 0);
	free(fits);
	free(over);
}

static void conflict_markers_are_said_line_by_line(void **state)
{
	(void)state;

	assert_parsed(
		parse_plan("<<<<<<< HEAD\n" BLOCKED "\n=======\n>>>>>>> topic\n"),
		"conflict_markers:1:0 conflict_markers:3:129 conflict_markers:4:137 unreadable", 1);
}

static void a_record_about_another_ticket_is_not_served(void **state)
{
	(void)state;

	assert_parsed(parse_plan("{\"id\":\"R1\",\"ticket_id\":\"T-2\",\"kind\":\"after\","
				 "\"related_ticket\":\"T-1\"," AT "}\n"),
		      "wrong_ticket:1:0", 0);
	assert_parsed(parse_record(
			      "{\"id\":\"R1\",\"kind\":\"after\",\"related_ticket\":\"T-2\"," AT
			      "}"),
		      "wrong_ticket:0:-1", 0);
	assert_parsed(parse_relations("{\"version\":1,\"relations\":[{\"ticket_id\":\"t-1\","
				      "\"kind\":\"related\",\"target\":\"T-2\"," AT "}]}"),
		      "wrong_ticket:0:-1", 0);
}

static void a_record_that_relates_a_ticket_to_itself_does_not_count(void **state)
{
	(void)state;

	assert_parsed(parse_plan(HEAD "\"kind\":\"after\",\"related_ticket\":\"T-1\"," AT "}\n"),
		      "self_relation:1:0", 0);
	assert_parsed(parse_relations("{\"version\":1,\"relations\":[{\"ticket_id\":\"T-1\","
				      "\"kind\":\"related\",\"target\":\"T-1\"," AT "}]}"),
		      "self_relation:0:-1", 0);
}

static void an_id_twice_in_a_file_is_said_and_both_count(void **state)
{
	(void)state;
	static const char two[] =
		"{\"version\":1,\"relations\":[{\"ticket_id\":\"T-1\",\"kind\":\"related\","
		"\"target\":\"T-2\"," AT "},{\"ticket_id\":\"T-1\",\"kind\":\"related\","
		"\"target\":\"T-2\"," AT "}]}";

	assert_parsed(parse_plan(BLOCKED "\n" BLOCKED "\n" BLOCKED "\n"),
		      "duplicate_id:2:-1 duplicate_id:3:-1", 3);
	assert_parsed(parse_relations(two), "duplicate_id:0:-1", 2);
}

static void relations_of_another_form_make_it_unreadable(void **state)
{
	(void)state;

	assert_parsed(parse_relations("{\"version\":2,\"relations\":[]}"),
		      "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_relations("{\"relations\":[]}"), "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_relations("{\"version\":1}"), "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_relations("{\"version\":1,\"relations\":{}}"),
		      "bad_record:1:0 unreadable", 0);
	assert_parsed(parse_relations("{\"version\":1,\"relations\":[7]}"),
		      "bad_record:0:-1 unreadable", 0);
	assert_parsed(parse_relations("{\"version\":1,\"relations\":[]}"), "", 0);
}

static void a_record_file_is_named_by_its_id(void **state)
{
	(void)state;

	assert_parsed(parse_bytes(ROLE_RECORD, "R2.json", STR(BLOCKED)), "wrong_name:0:-1", 0);
	assert_parsed(parse_bytes(ROLE_RECORD, "r1.json", STR(BLOCKED)), "wrong_name:0:-1", 0);
	assert_parsed(parse_bytes(ROLE_RECORD, "R1.json", STR(BLOCKED)), "", 1);
}

static void of_many_flaws_64_are_kept_and_the_rest_counted(void **state)
{
	(void)state;
	struct buf text = { 0 };

	for (int i = 0; i < 100; i++)
		buf_addf(&text, "[]\n");
	struct content *c = parse_plan(buf_text(&text));
	assert_int_equal(c->flaw_count, CONTENT_FLAWS_MAX);
	assert_int_equal(c->flaws_cut, 100 - CONTENT_FLAWS_MAX);
	assert_int_equal(c->flaws[63].line, 64);
	content_free(c);
	buf_release(&text);
}

static void a_flaw_that_is_only_counted_still_makes_it_unreadable(void **state)
{
	(void)state;
	struct buf text = { 0 };

	for (int i = 0; i < CONTENT_FLAWS_MAX; i++)
		buf_addf(&text, HEAD "\"kind\":\"none\"," AT "}\n");
	buf_addf(&text, "[]\n");
	struct content *c = parse_plan(buf_text(&text));
	assert_int_equal(c->flaws_cut, 1);
	assert_true(c->unreadable);
	content_free(c);
	buf_release(&text);
}

static void an_empty_plan_file_says_nothing(void **state)
{
	(void)state;

	assert_parsed(parse_plan(""), "", 0);
	assert_parsed(parse_plan("\n\n"), "", 0);
}

static void the_same_bytes_elsewhere_are_other_content(void **state)
{
	(void)state;
	struct content *here = parse_record(BLOCKED), *again = parse_record(BLOCKED);
	struct content *named = parse_bytes(ROLE_RECORD, "R2.json", STR(BLOCKED));
	struct content *other =
		artifact_parse(ROLE_RECORD, STR("T-2"), STR("R1.json"), STR(BLOCKED));

	assert_true(content_same(here, again));
	assert_false(content_same(here, named));
	assert_false(content_same(here, other));
	content_free(here);
	content_free(again);
	content_free(named);
	content_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_file_holds_one_record_with_all_its_fields),
		cmocka_unit_test(a_plan_file_holds_a_record_a_line_in_its_order),
		cmocka_unit_test(a_relation_is_named_by_its_kind_and_target),
		cmocka_unit_test(every_stored_kind_is_read_in_a_plan_and_in_a_record_file),
		cmocka_unit_test(a_record_that_lacks_what_its_kind_needs_does_not_count),
		cmocka_unit_test(derived_kinds_are_never_read),
		cmocka_unit_test(an_unknown_kind_is_said_and_holds_nothing),
		cmocka_unit_test(an_unknown_field_is_said_and_the_record_counts),
		cmocka_unit_test(a_field_of_another_type_is_left_out_and_said),
		cmocka_unit_test(null_is_absent),
		cmocka_unit_test(a_plan_has_its_four_texts),
		cmocka_unit_test(a_wait_ends_in_one_of_four_forms),
		cmocka_unit_test(a_wait_whose_end_makes_no_sense_stands_until_taken_back),
		cmocka_unit_test(a_tail_without_line_end_counts_if_it_is_whole),
		cmocka_unit_test(a_tail_says_whether_it_counts),
		cmocka_unit_test(a_finished_line_that_is_no_object_makes_it_unreadable),
		cmocka_unit_test(a_line_of_bytes_that_are_no_text_makes_it_unreadable),
		cmocka_unit_test(a_record_file_that_is_no_object_makes_it_unreadable),
		cmocka_unit_test(a_key_that_stands_twice_makes_it_unreadable),
		cmocka_unit_test(nesting_of_64_is_read_and_deeper_refused),
		cmocka_unit_test(a_line_may_have_a_mebibyte_and_no_more),
		cmocka_unit_test(conflict_markers_are_said_line_by_line),
		cmocka_unit_test(a_record_about_another_ticket_is_not_served),
		cmocka_unit_test(a_record_that_relates_a_ticket_to_itself_does_not_count),
		cmocka_unit_test(an_id_twice_in_a_file_is_said_and_both_count),
		cmocka_unit_test(relations_of_another_form_make_it_unreadable),
		cmocka_unit_test(a_record_file_is_named_by_its_id),
		cmocka_unit_test(of_many_flaws_64_are_kept_and_the_rest_counted),
		cmocka_unit_test(a_flaw_that_is_only_counted_still_makes_it_unreadable),
		cmocka_unit_test(an_empty_plan_file_says_nothing),
		cmocka_unit_test(the_same_bytes_elsewhere_are_other_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
