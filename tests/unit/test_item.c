/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base.h"
#include "buf.h"
#include "content.h"

/* Parse from a block of just the size, so that reading on is seen. */
static struct content *parse(struct str text, bool slug)
{
	char *exact = xmalloc(text.len);

	if (text.len)
		memcpy(exact, text.at, text.len);
	struct content *c = item_parse((struct str){ exact, text.len }, slug);
	free(exact);
	return c;
}

/* The fields between two lines ---. */
static struct content *parse_fields(const char *fields, bool slug)
{
	char *text = xasprintf("---\n%s---\nBody.\n", fields);
	struct content *c = parse(str_of(text), slug);

	free(text);
	return c;
}

static void assert_title(const char *field, const char *title)
{
	char *line = xasprintf("title: %s\n", field);
	struct content *c = parse_fields(line, false);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->title.at != NULL, title != NULL);
	assert_true(str_is(c->item->title, title));
	content_free(c);
	free(line);
}

static void assert_state(const char *fields, bool slug, enum state state)
{
	struct content *c = parse_fields(fields, slug);

	assert_int_equal(c->flaw_count, 0);
	assert_false(c->unreadable);
	assert_int_equal(c->item->state, state);
	content_free(c);
}

/* A file with one flaw and nothing to read, or whose state is unknown. */
static void assert_flaw(struct str text, enum problem code, uint32_t line, int64_t offset)
{
	struct content *c = parse(text, false);

	assert_int_equal(c->flaw_count, 1);
	assert_string_equal(word(&words_problem, (int)c->flaws[0].code),
			    word(&words_problem, (int)code));
	assert_int_equal(c->flaws[0].line, line);
	assert_int_equal(c->flaws[0].offset, offset);
	assert_true(c->flaws[0].text.len > 0);
	assert_true(c->unreadable);
	assert_true(!c->item || c->item->state == STATE_UNKNOWN);
	content_free(c);
}

static void the_flat_layout_takes_state_then_workflow_state_then_status(void **state)
{
	(void)state;

	assert_state("state: queued\n", false, STATE_QUEUED);
	assert_state("state: ready\nworkflow_state: done\nstatus: closed\n", false, STATE_READY);
	assert_state("workflow_state: inprogress\nstatus: closed\n", false, STATE_INPROGRESS);
	assert_state("status: closed\n", false, STATE_CLOSED);
	assert_state("status: open\n", false, STATE_PLANNING);
	assert_state("title: x\n", false, STATE_PLANNING);
	assert_state("state: null\nworkflow_state: done\n", false, STATE_DONE);
	assert_state("state: ~\nworkflow_state:\nstatus: closed\n", false, STATE_CLOSED);
}

static void the_slug_layout_takes_workflow_state_then_status(void **state)
{
	(void)state;

	assert_state("workflow_state: queued\nstatus: closed\n", true, STATE_QUEUED);
	assert_state("state: queued\nworkflow_state: ready\n", true, STATE_READY);
	assert_state("state: queued\n", true, STATE_PLANNING);
	assert_state("status: closed\n", true, STATE_DONE);
	assert_state("status: pending\n", true, STATE_PLANNING);
}

static void each_state_has_its_word_and_is_case_sensitive(void **state)
{
	(void)state;
	static const char *const names[] = { "planning",   "ready", "queued",
					     "inprogress", "done",  "closed" };

	for (int i = 0; i < (int)COUNT_OF(names); i++) {
		char *line = xasprintf("state: %s\n", names[i]);
		assert_state(line, false, (enum state)i);
		free(line);
	}
	assert_flaw(STR("---\nstate: Queued\n---\n"), PROBLEM_BAD_STATE, 2, -1);
}

static void every_kind_of_quoting_comes_out_the_same(void **state)
{
	(void)state;

	assert_title("plain text", "plain text");
	assert_title("'it''s'", "it's");
	assert_title("\"a \\\"b\\\" \\u00e4 \\n\"", "a \"b\" \xc3\xa4 \n");
	assert_title("\"a: b # c\"", "a: b # c");
	assert_title("a # comment", "a");
	assert_title("a#b", "a#b");
	assert_title("|\n  two\n  lines", "two\nlines\n");
	assert_title(">-\n  one\n  line", "one line");
	assert_title("\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac");
	assert_title("007", "007");
	assert_title("true", "true");
}

static void null_is_absent_and_empty_quotes_are_empty_text(void **state)
{
	(void)state;

	assert_title("", NULL);
	assert_title("null", NULL);
	assert_title("~", NULL);
	assert_title("Null", NULL);
	assert_title("NULL", NULL);
	assert_title("\"\"", "");
	assert_title("'null'", "null");
	assert_title("nullable", "nullable");
}

static void all_fields_that_count_are_read(void **state)
{
	(void)state;
	struct content *c = parse_fields("slug: a-slug\ntitle: A\ncreated_at: 2026-01-01\n"
					 "updated_at: '2026-01-02T03:04:05Z'\nqueued_at: later\n",
					 true);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->role, ROLE_ITEM);
	assert_true(str_is(c->item->slug, "a-slug"));
	assert_true(str_is(c->item->created_at, "2026-01-01"));
	assert_true(str_is(c->item->updated_at, "2026-01-02T03:04:05Z"));
	assert_true(str_is(c->item->queued_at, "later"));
	content_free(c);
}

static void unknown_fields_are_passed_over_whatever_they_hold(void **state)
{
	(void)state;
	struct content *c =
		parse_fields("labels: [a, {b: [c]}]\nstate: ready\nnested:\n  state: done\n"
			     "  title: inner\nother: 1\nother: 2\n? key\n: value\ntitle: t\n",
			     false);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->state, STATE_READY);
	assert_true(str_is(c->item->title, "t"));
	content_free(c);
}

static void a_field_of_text_that_is_none_is_left_out_and_said(void **state)
{
	(void)state;
	struct content *c = parse_fields("state: queued\ntitle: [a]\nslug: {b: c}\n", false);

	assert_int_equal(c->flaw_count, 2);
	assert_int_equal(c->flaws[0].code, PROBLEM_BAD_FIELD);
	assert_int_equal(c->flaws[0].line, 3);
	assert_int_equal(c->flaws[1].line, 4);
	assert_false(c->unreadable);
	assert_int_equal(c->item->state, STATE_QUEUED);
	assert_null(c->item->title.at);
	content_free(c);
}

static void a_state_nobody_has_heard_of_makes_it_unknown(void **state)
{
	(void)state;

	assert_flaw(STR("---\ntitle: x\nstate: blocked\n---\n"), PROBLEM_BAD_STATE, 3, -1);
	assert_flaw(STR("---\nstate: unknown\n---\n"), PROBLEM_BAD_STATE, 2, -1);
	assert_flaw(STR("---\nstate: ''\n---\n"), PROBLEM_BAD_STATE, 2, -1);
	assert_flaw(STR("---\nworkflow_state: later\n---\n"), PROBLEM_BAD_STATE, 2, -1);
	assert_flaw(STR("---\nstate: [queued]\n---\n"), PROBLEM_BAD_STATE, 2, -1);
	assert_flaw(STR("---\nstate: {a: b}\n---\n"), PROBLEM_BAD_STATE, 2, -1);
}

static void a_state_that_does_not_count_may_be_anything(void **state)
{
	(void)state;

	assert_state("state: [x]\nworkflow_state: queued\n", true, STATE_QUEUED);
	assert_state("state: queued\nworkflow_state: {a: b}\n", false, STATE_QUEUED);
	assert_state("state: {a: b}\nstatus: closed\n", true, STATE_DONE);
}

static void a_title_outlives_a_bad_state(void **state)
{
	(void)state;
	struct content *c = parse_fields("title: x\nstate: blocked\n", false);

	assert_true(str_is(c->item->title, "x"));
	assert_int_equal(c->item->state, STATE_UNKNOWN);
	content_free(c);
}

static void lines_may_end_with_a_carriage_return(void **state)
{
	(void)state;
	struct content *c =
		parse(STR("---\r\ntitle: a b\r\nstate: done\r\n---\r\nBody\r\n"), false);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->state, STATE_DONE);
	assert_true(str_is(c->item->title, "a b"));
	content_free(c);
}

static void a_byte_order_mark_is_said_and_passed_over(void **state)
{
	(void)state;
	struct content *c = parse(STR("\xef\xbb\xbf---\nstate: done\n---\n"), false);

	assert_int_equal(c->flaw_count, 1);
	assert_int_equal(c->flaws[0].code, PROBLEM_BYTE_ORDER_MARK);
	assert_false(c->unreadable);
	assert_int_equal(c->item->state, STATE_DONE);
	content_free(c);
}

static void offsets_behind_a_byte_order_mark_are_those_of_the_file(void **state)
{
	(void)state;
	struct content *c = parse(STR("\xef\xbb\xbf---\ntitle: \xff\n---\n"), false);

	assert_int_equal(c->flaw_count, 2);
	assert_int_equal(c->flaws[1].code, PROBLEM_NOT_TEXT);
	assert_int_equal(c->flaws[1].offset, 14);
	assert_int_equal(c->flaws[1].line, 2);
	content_free(c);
}

static void a_file_that_does_not_begin_with_front_matter_has_none(void **state)
{
	(void)state;

	assert_flaw(STR(""), PROBLEM_NO_FRONT_MATTER, 1, 0);
	assert_flaw(STR("# Title\n"), PROBLEM_NO_FRONT_MATTER, 1, 0);
	assert_flaw(STR("\n---\nstate: done\n---\n"), PROBLEM_NO_FRONT_MATTER, 1, 0);
	assert_flaw(STR(" ---\nstate: done\n---\n"), PROBLEM_NO_FRONT_MATTER, 1, 0);
	assert_flaw(STR("----\nstate: done\n---\n"), PROBLEM_NO_FRONT_MATTER, 1, 0);
}

static void front_matter_that_is_never_closed_is_none(void **state)
{
	(void)state;

	assert_flaw(STR("---"), PROBLEM_NO_FRONT_MATTER, 1, 0);
	assert_flaw(STR("---\n"), PROBLEM_NO_FRONT_MATTER, 1, 0);
	assert_flaw(STR("---\nstate: done\n"), PROBLEM_NO_FRONT_MATTER, 1, 0);
	assert_flaw(STR("---\nstate: done\n ---\n"), PROBLEM_NO_FRONT_MATTER, 1, 0);
}

static void the_closing_line_needs_no_line_end_and_no_body(void **state)
{
	(void)state;
	struct content *c = parse(STR("---\nstate: done\n---"), false);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->state, STATE_DONE);
	content_free(c);
}

static void empty_front_matter_is_a_ticket_in_planning(void **state)
{
	(void)state;
	struct content *c = parse(STR("---\n---\n"), false), *d = parse_fields("# none\n", false);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->state, STATE_PLANNING);
	assert_int_equal(d->flaw_count, 0);
	assert_int_equal(d->item->state, STATE_PLANNING);
	content_free(c);
	content_free(d);
}

static void the_body_is_not_looked_at(void **state)
{
	(void)state;
	struct content *c =
		parse(STR("---\nstate: done\n---\n<<<<<<< HEAD\n\0\xff [[[[[[\n---\n"), false);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->state, STATE_DONE);
	content_free(c);
}

/* "---\n", then `fill` bytes of comment that end in a line end, then `tail`. */
static struct content *parse_long(size_t fill, const char *tail)
{
	struct buf text = { 0 };

	buf_addf(&text, "---\n#");
	while (text.len < 4 + fill - 1)
		buf_addf(&text, "%c", (text.len & 63) ? 'x' : ' ');
	buf_addf(&text, "\n%s", tail);
	struct content *c = parse((struct str){ text.at, text.len }, false);
	buf_release(&text);
	return c;
}

static void front_matter_may_fill_64_kib_and_no_more(void **state)
{
	(void)state;
	struct content *fits = parse_long(ITEM_HEAD_MAX - 8, "---\nBody");
	struct content *over = parse_long(ITEM_HEAD_MAX - 4, "---\n");

	assert_int_equal(fits->flaw_count, 0);
	assert_int_equal(over->flaw_count, 1);
	assert_int_equal(over->flaws[0].code, PROBLEM_TOO_LARGE);
	assert_true(over->unreadable);
	content_free(fits);
	content_free(over);
}

static void a_body_beyond_64_kib_says_nothing_new(void **state)
{
	(void)state;
	struct content *a = parse_long(100, "---\n"), *b;
	struct buf text = { 0 };

	content_free(a);
	buf_addf(&text, "---\nstate: done\n---\n");
	while (text.len < ITEM_HEAD_MAX + 10)
		buf_addf(&text, "words ");
	a = parse((struct str){ text.at, text.len }, false);
	text.at[ITEM_HEAD_MAX + 2] = '!';
	b = parse((struct str){ text.at, text.len }, false);
	assert_int_equal(a->item->state, STATE_DONE);
	assert_true(content_same(a, b));
	content_free(a);
	content_free(b);
	buf_release(&text);
}

static void bytes_that_are_no_text_are_named_by_line_and_offset(void **state)
{
	(void)state;

	assert_flaw(STR("---\ntitle: a\nslug: \xe4\n---\n"), PROBLEM_NOT_TEXT, 3, 19);
	assert_flaw(STR("---\ntitle: \xc0\x80\n---\n"), PROBLEM_NOT_TEXT, 2, 11);
	assert_flaw(STR("---\ntitle: \xed\xa0\x80\n---\n"), PROBLEM_NOT_TEXT, 2, 11);
	assert_flaw(STR("---\ntitle: \xe6\x97\n---\n"), PROBLEM_NOT_TEXT, 2, 11);
	assert_flaw(STR("---\ntitle: a\nslug: b\0c\n---\n"), PROBLEM_NOT_TEXT, 3, 20);
}

static void conflict_markers_are_named_by_line_and_offset(void **state)
{
	(void)state;

	assert_flaw(STR("---\ntitle: a\n<<<<<<< HEAD\nstate: done\n=======\nstate: ready\n"
			">>>>>>> topic\n---\n"),
		    PROBLEM_CONFLICT_MARKERS, 3, 13);
	assert_flaw(STR("---\n=======\n---\n"), PROBLEM_CONFLICT_MARKERS, 2, 4);
	assert_flaw(STR("---\r\na: b\r\n>>>>>>> x\r\n---\r\n"), PROBLEM_CONFLICT_MARKERS, 3, 11);
}

static void a_row_of_equal_signs_of_another_length_is_no_marker(void **state)
{
	(void)state;
	struct content *c = parse_fields("title: |\n  =======\n  ========\nstate: done\n", false);

	assert_int_equal(c->flaw_count, 0);
	content_free(c);
}

static void aliases_anchors_and_tags_are_refused(void **state)
{
	(void)state;

	assert_flaw(STR("---\ntitle: &a x\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 11);
	assert_flaw(STR("---\ntitle: *a\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 11);
	assert_flaw(STR("---\ntitle: !!str x\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 11);
	assert_flaw(STR("---\nx: &a [1]\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 7);
	assert_flaw(STR("---\nx: !t {a: b}\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 7);
	assert_flaw(STR("---\nx: [[*a]]\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 9);
	assert_flaw(STR("---\n<<: *a\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 8);
}

static void a_field_that_stands_twice_is_refused(void **state)
{
	(void)state;

	assert_flaw(STR("---\nstate: done\ntitle: a\nstate: ready\n---\n"),
		    PROBLEM_BAD_FRONT_MATTER, 4, 25);
	assert_flaw(STR("---\ntitle: ~\n\"title\": a\n---\n"), PROBLEM_BAD_FRONT_MATTER, 3, 13);
}

static void what_is_no_list_of_fields_is_refused(void **state)
{
	(void)state;

	assert_flaw(STR("---\n- a\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 4);
	assert_flaw(STR("---\njust text\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 4);
	assert_flaw(STR("---\n[a]: b\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 4);
	assert_flaw(STR("---\n{\n---\n"), PROBLEM_BAD_FRONT_MATTER, 3, 6);
	assert_flaw(STR("---\ntitle: a: b\n---\n"), PROBLEM_BAD_FRONT_MATTER, 2, 12);
	assert_flaw(STR("---\ntitle: \"a\n---\n"), PROBLEM_BAD_FRONT_MATTER, 3, 14);
	assert_flaw(STR("---\nx:\n\ty: z\n---\n"), PROBLEM_BAD_FRONT_MATTER, 3, 7);
}

static void places_are_counted_in_bytes_where_characters_are_longer(void **state)
{
	(void)state;

	/* Four bytes and line 2 before; a character of three bytes, and one of four. */
	assert_flaw(STR("---\nslug: \xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x98\x80\ntitle: &a x\n---\n"),
		    PROBLEM_BAD_FRONT_MATTER, 3, 28);
	assert_flaw(STR("---\nslug: \xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x98\x80\ntitle: a: b\n---\n"),
		    PROBLEM_BAD_FRONT_MATTER, 3, 29);
	assert_flaw(STR("---\nslug: \xe6\x97\xa5\ntitle: \x01\n---\n"), PROBLEM_BAD_FRONT_MATTER, 3,
		    21);
}

static void only_a_line_feed_ends_a_line(void **state)
{
	(void)state;

	/* To YAML these end lines too: a carriage return, U+0085, U+2028. */
	assert_flaw(STR("---\nx: [a,\r\r\r b]\nstate: bad\n---\n"), PROBLEM_BAD_STATE, 3, -1);
	assert_flaw(STR("---\nx: 'a\xc2\x85 b\xe2\x80\xa8 c'\nstate: bad\n---\n"),
		    PROBLEM_BAD_STATE, 3, -1);
}

static void nesting_of_sixteen_is_read_and_of_seventeen_refused(void **state)
{
	(void)state;
	struct content *c = parse_fields("x: [[[[[[[[[[[[[[[]]]]]]]]]]]]]]]\nstate: done\n", false);

	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->state, STATE_DONE);
	content_free(c);
	assert_flaw(STR("---\nx: [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n---\n"),
		    PROBLEM_BAD_FRONT_MATTER, 2, 22);
}

/* 60 KiB of a text again and again. */
static void assert_bomb(const char *before, const char *again)
{
	struct buf text = { 0 };
	struct timespec from, to;

	buf_addf(&text, "---\n%s", before);
	while (text.len < 60 * 1024)
		buf_addf(&text, "%s", again);
	buf_addf(&text, "\n---\n");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	struct content *c = parse((struct str){ text.at, text.len }, false);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	assert_true(to.tv_sec - from.tv_sec < 2);
	assert_true(c->unreadable);
	content_free(c);
	buf_release(&text);
}

static void nesting_bombs_are_refused_at_once(void **state)
{
	(void)state;

	assert_bomb("x: ", "[");
	assert_bomb("x: ", "{");
	assert_bomb("x: ", "{a: ");
	assert_bomb("x: ", "[\n ");
	assert_bomb("x: ", "[\"]\", ");
	assert_bomb("x: ", "['}', {\"]\": ");
	assert_bomb("y: ']]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]'\nx: ", "[");
	assert_bomb("x:\n", " - - -");
	assert_bomb("x:\n", " ? ? ?");
	assert_bomb("", "? ");
	assert_bomb("x: ", "a: ");
	assert_bomb("x: &a [", "*a,");
}

static void long_front_matter_of_small_pieces_is_quick_too(void **state)
{
	(void)state;
	struct buf text = { 0 };

	buf_addf(&text, "---\nstate: done\n");
	for (int i = 0; text.len < 60 * 1024; i++)
		buf_addf(&text, "k%d: [a, b]\n", i);
	buf_addf(&text, "---\n");
	struct content *c = parse((struct str){ text.at, text.len }, false);
	assert_int_equal(c->flaw_count, 0);
	assert_int_equal(c->item->state, STATE_DONE);
	content_free(c);
	buf_release(&text);
}

static void the_same_bytes_in_another_layout_are_other_content(void **state)
{
	(void)state;
	struct content *flat = parse_fields("state: queued\n", false);
	struct content *slug = parse_fields("state: queued\n", true);
	struct content *again = parse_fields("state: queued\n", false);

	assert_false(content_same(flat, slug));
	assert_true(content_same(flat, again));
	content_free(flat);
	content_free(slug);
	content_free(again);
}

static void shared_content_lives_until_the_last_lets_go(void **state)
{
	(void)state;
	struct content *c = parse_fields("title: kept\n", false);

	content_free(content_share(c));
	assert_true(str_is(c->item->title, "kept"));
	content_free(c);
	content_free(NULL);
}

static void content_that_could_not_be_read_differs_from_a_file_of_those_words(void **state)
{
	(void)state;
	struct content *broken = content_broken(ROLE_ITEM, PROBLEM_UNREADABLE, "no");
	struct content *file = parse(STR("no"), false);

	assert_true(broken->unreadable);
	assert_int_equal(broken->flaw_count, 1);
	assert_false(content_same(broken, file));
	content_free(broken);
	content_free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_flat_layout_takes_state_then_workflow_state_then_status),
		cmocka_unit_test(the_slug_layout_takes_workflow_state_then_status),
		cmocka_unit_test(each_state_has_its_word_and_is_case_sensitive),
		cmocka_unit_test(every_kind_of_quoting_comes_out_the_same),
		cmocka_unit_test(null_is_absent_and_empty_quotes_are_empty_text),
		cmocka_unit_test(all_fields_that_count_are_read),
		cmocka_unit_test(unknown_fields_are_passed_over_whatever_they_hold),
		cmocka_unit_test(a_field_of_text_that_is_none_is_left_out_and_said),
		cmocka_unit_test(a_state_nobody_has_heard_of_makes_it_unknown),
		cmocka_unit_test(a_state_that_does_not_count_may_be_anything),
		cmocka_unit_test(a_title_outlives_a_bad_state),
		cmocka_unit_test(lines_may_end_with_a_carriage_return),
		cmocka_unit_test(a_byte_order_mark_is_said_and_passed_over),
		cmocka_unit_test(offsets_behind_a_byte_order_mark_are_those_of_the_file),
		cmocka_unit_test(a_file_that_does_not_begin_with_front_matter_has_none),
		cmocka_unit_test(front_matter_that_is_never_closed_is_none),
		cmocka_unit_test(the_closing_line_needs_no_line_end_and_no_body),
		cmocka_unit_test(empty_front_matter_is_a_ticket_in_planning),
		cmocka_unit_test(the_body_is_not_looked_at),
		cmocka_unit_test(front_matter_may_fill_64_kib_and_no_more),
		cmocka_unit_test(a_body_beyond_64_kib_says_nothing_new),
		cmocka_unit_test(bytes_that_are_no_text_are_named_by_line_and_offset),
		cmocka_unit_test(conflict_markers_are_named_by_line_and_offset),
		cmocka_unit_test(a_row_of_equal_signs_of_another_length_is_no_marker),
		cmocka_unit_test(aliases_anchors_and_tags_are_refused),
		cmocka_unit_test(a_field_that_stands_twice_is_refused),
		cmocka_unit_test(what_is_no_list_of_fields_is_refused),
		cmocka_unit_test(places_are_counted_in_bytes_where_characters_are_longer),
		cmocka_unit_test(only_a_line_feed_ends_a_line),
		cmocka_unit_test(nesting_of_sixteen_is_read_and_of_seventeen_refused),
		cmocka_unit_test(nesting_bombs_are_refused_at_once),
		cmocka_unit_test(long_front_matter_of_small_pieces_is_quick_too),
		cmocka_unit_test(the_same_bytes_in_another_layout_are_other_content),
		cmocka_unit_test(shared_content_lives_until_the_last_lets_go),
		cmocka_unit_test(content_that_could_not_be_read_differs_from_a_file_of_those_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
