/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "guard.h"
#include "model.h"

/* Checkouts at /work/shop (main) and /work/shop/.trees/left and /work/right. */
static int make_index(void **state)
{
	static const struct {
		const char *name, *top;
	} rows[] = { { "main", "/work/shop" },
		     { "left", "/work/shop/.trees/left" },
		     { "right", "/work/right" } };
	struct index *ix = index_new();

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		index_source_set(ix, index_source_add(ix, rows[i].name), rows[i].top, ".tickets",
				 i == 0);
	setenv("HOME", "/export/ann", 1);
	*state = ix;
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

static void places_of_a_machine_are_found(void **state)
{
	static const char *const rows[][2] = {
		{ "/home/ann/x", "/home/ann/x" },
		{ "see /Users/ann, there", "/Users/ann" },
		{ "/tmp/x", "/tmp/x" },
		{ "log=/var/log/x|y", "/var/log/x" },
		{ "host:/run/x", "/run/x" },
		{ "\"/proc/1/fd\"", "/proc/1/fd" },
		{ "file:///etc/x y", "file:///etc/x" },
		{ "FILE:///home/x", "FILE:///home/x" },
		{ "see File://host/x", "File://host/x" },
		{ "cc -I/home/x -L/tmp/y", "/home/x" },
		{ "tar -C/tmp/x", "/tmp/x" },
		{ "curl -d @/tmp/x", "/tmp/x" },
		{ "+/tmp/x", "/tmp/x" },
		{ "-I/work/shop/include", "/work/shop/include" },
		{ "@~/x", "~/x" },
		{ "~/notes", "~/notes" },
		{ "(~ann/x)", "~ann/x)" },
		{ "~a-b_1/", "~a-b_1/" },
		{ "/export/ann", "/export/ann" },
		{ "in /export/ann/x", "/export/ann/x" },
		{ "/work/shop", "/work/shop" },
		{ "`/work/shop/src`", "/work/shop/src" },
		{ "[/work/right]", "/work/right]" },
		{ "/work/shop.", "/work/shop." },
		{ "\xe6\x97\xa5/root/x", "/root/x" },
		{ "ok/home/x but\t/root/y", "/root/y" },
		{ "/work/shop\xe3\x80\x82", "/work/shop" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str found = guard_find(*state, str_of(rows[i][0]));
		if (!str_is(found, rows[i][1]))
			print_error("%s: %.*s\n", rows[i][0], STR_ARG(found));
		assert_true(str_is(found, rows[i][1]));
	}
}

static void a_home_that_ends_with_a_slash_is_found(void **state)
{
	setenv("HOME", "/export/ann/", 1);
	assert_true(str_is(guard_find(*state, STR("in /export/ann/x")), "/export/ann/x"));
	assert_true(str_is(guard_find(*state, STR("/export/ann")), "/export/ann"));
	assert_null(guard_find(*state, STR("/export/annex")).at);
	setenv("HOME", "/", 1);
	assert_null(guard_find(*state, STR("/api/v2")).at);
}

static void what_only_looks_like_one_is_left_alone(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		"~",
		"/home",
		"/tmp",
		"/api/v2",
		"GET /api/home/x",
		"src/home/x",
		"./tmp/x",
		"../home/x",
		"https://example.org/home/x",
		"http://h:80/tmp/x",
		"~3/4",
		"~ /x",
		"~Ann/x",
		"a~/x",
		"~ann",
		"a/b",
		"/work/shopping",
		"/work/shop-old/x",
		"/export/annex",
		"/etc/passwd",
		"file:/x",
		"profile:///x",
		"`${XDG_DATA_HOME:-~/.local/share}/x`",
		"-/tmp/x",
		"PROFILE:///x",
		"src/*/tmp/x",
		"find . -not -path '*/tmp/*'",
		"*/var/*.log",
		"import X from \"@/home/Page.vue\"",
		"**/tmp/x",
		"a*/tmp/x",
		"user@/tmp/x",
		"https://example.org/@/tmp/x",
		"https://example.org/-/tmp/x",
		"c++/tmp/x",
		"x-I/home/x",
		"--I/home/x",
		"-I/usr/include",
		"-tmp/home/x",
		"and/or, his/her -n/a",
		"f",
		"File: x",
		"$HOME/x",
		"/homely/x",
		"//home/x",
		"1/2",
		"/work",
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str found = guard_find(*state, str_of(rows[i]));
		if (found.at)
			print_error("%s: %.*s\n", rows[i], STR_ARG(found));
		assert_null(found.at);
	}
	assert_null(guard_find(*state, STR_NONE).at);
}

static void a_refusal_names_the_field_and_the_place(void **state)
{
	struct fault why;

	assert_true(guard_text(*state, "note", STR("fine"), &why));
	assert_false(guard_text(*state, "note", STR("see /home/ann/x now"), &why));
	assert_int_equal(why.code, FAULT_INVALID);
	assert_string_equal(why.text,
			    "note names a place of this machine: /home/ann/x; write the path "
			    "from the checkout's top, or a label, instead");
}

static void a_label_stays_and_a_path_in_a_checkout_becomes_one(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "any label", "any label" },
		{ "left/deep", "left/deep" },
		{ "/work/shop", "main" },
		{ "/work/shop/", "main" },
		{ "/work/shop/src/x/", "src/x" },
		{ "/work/shop/.trees", ".trees" },
		{ "/work/shop/.trees/left", "left" },
		{ "/work/shop/.trees/left/a/b", "left/a/b" },
		{ "/work/right//a", "right/a" },
	};
	struct arena arena = { 0 };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str label;
		struct fault why;
		assert_true(guard_label(*state, &arena, str_of(rows[i][0]), &label, &why));
		assert_true(str_is(label, rows[i][1]));
	}
	arena_release(&arena);
}

static void no_other_path_is_a_label(void **state)
{
	static const char *const rows[] = {
		"/",         "/work", "/work/shopping", "/work/rights/a", "/opt/x",
		"/home/ann", "~/x",   "in /tmp/x",      "file:///x"
	};
	struct arena arena = { 0 };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str label;
		struct fault why;
		assert_false(guard_label(*state, &arena, str_of(rows[i]), &label, &why));
		assert_int_equal(why.code, FAULT_INVALID);
		assert_memory_equal(why.text, "worktree ", 9);
	}
	arena_release(&arena);
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(places_of_a_machine_are_found),
		with_index(a_home_that_ends_with_a_slash_is_found),
		with_index(what_only_looks_like_one_is_left_alone),
		with_index(a_refusal_names_the_field_and_the_place),
		with_index(a_label_stays_and_a_path_in_a_checkout_becomes_one),
		with_index(no_other_path_is_a_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
