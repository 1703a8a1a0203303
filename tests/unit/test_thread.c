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
#include "model.h"
#include "thread.h"

/* "kind author at:line" of each event, "; " between. */
static void assert_events(const char *text, const char *wanted)
{
	struct arena arena = { 0 };
	struct buf said = { 0 };
	size_t count;
	struct thread_event *events = thread_decisions(str_of(text), &arena, &count);

	for (size_t i = 0; i < count; i++)
		buf_addf(&said, "%s%.*s %.*s %.*s:%u", i ? "; " : "", STR_ARG(events[i].kind),
			 STR_ARG(events[i].author), STR_ARG(events[i].at), events[i].line);
	assert_string_equal(buf_text(&said), wanted);
	buf_release(&said);
	arena_release(&arena);
}

static void decisions_and_plans_are_found_in_their_order(void **state)
{
	(void)state;
	assert_events("<!-- event: create author: ann at: T0 -->\ntext\n"
		      "<!-- event: plan author: bob at: T1 -->\n\n"
		      "<!-- event: decision author: ann at: T2 status: x -->\n",
		      "plan bob T1:3; decision ann T2:5");
}

static void quotes_hold_blanks_together(void **state)
{
	(void)state;
	assert_events("<!-- event: decision author: \"the team\" at: \"T 1\" -->",
		      "decision the team T 1:1");
	assert_events("<!-- event: decision author: \"the team at: T1 -->",
		      "decision the team at: T1 --> T1:1");
}

static void what_lacks_an_attribute_has_it_empty(void **state)
{
	(void)state;
	assert_events("<!-- event: decision -->", "decision  :1");
	assert_events("<!-- event: decision author: at: -->\r\n<!-- event: plan",
		      "decision at: -->\r:1; plan  :2");
}

static void other_lines_are_no_events(void **state)
{
	(void)state;
	assert_events("", "");
	assert_events("\n\n\n", "");
	assert_events("<!-- event: decisions author: x -->\n <!-- event: decision -->\n"
		      "event: decision\n<!-- event: \n<!-- event:",
		      "");
}

static void any_bytes_at_all_are_read_within_their_bounds(void **state)
{
	static const char *const parts[] = { "<!-- event: ", "decision", "plan", " author: ",
					     " at: ",        "\"",       "\n",   " ",
					     "-->",          "\xff",     "x" };
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct arena arena = { 0 };
		struct buf text = { 0 };
		size_t count;
		for (unsigned n = model_random(&seed, 30); n > 0; n--)
			buf_add_str(&text, str_of(parts[model_random(&seed, COUNT_OF(parts))]));
		/* Of its own size, so that a sanitizer sees a byte too many. */
		char *exact = memcpy(xmalloc(text.len), text.len ? text.at : "", text.len);
		struct thread_event *events =
			thread_decisions((struct str){ exact, text.len }, &arena, &count);
		for (size_t i = 0; i < count; i++)
			assert_true(events[i].author.len <= text.len &&
				    events[i].at.len <= text.len);
		free(exact);
		buf_release(&text);
		arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions_and_plans_are_found_in_their_order),
		cmocka_unit_test(quotes_hold_blanks_together),
		cmocka_unit_test(what_lacks_an_attribute_has_it_empty),
		cmocka_unit_test(other_lines_are_no_events),
		cmocka_unit_test(any_bytes_at_all_are_read_within_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
