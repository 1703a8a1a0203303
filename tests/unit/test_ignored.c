/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "gate.h"
#include "ignored.h"
#include "model.h"

#define FILE_OF(ticket, id) ticket "/artifacts/records/" id ".json"

/* Two Tickets with records in two checkouts; the tree of `flat` is the whole of it. */
struct folder {
	struct index *ix;
	struct arena arena;
};

static int make(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	f->ix = index_new();
	model_item(f->ix, "main", "T-1", "queued");
	model_item(f->ix, "main", "T-2", "queued");
	index_source_set(f->ix, index_source_add(f->ix, "flat"), "/flat", ".", false);
	model_item(f->ix, "flat", "T-1", "queued");
	model_record(f->ix, "main", "T-1", "R1", "related", 1, ",\"related_ticket\":\"T-2\"");
	model_record(f->ix, "main", "T-1", "R2", "related", 2, ",\"related_ticket\":\"T-2\"");
	model_record(f->ix, "main", "T-2", "R3", "related", 3, ",\"related_ticket\":\"T-1\"");
	model_record(f->ix, "flat", "T-1", "R4", "related", 4, ",\"related_ticket\":\"T-2\"");
	index_settle(f->ix);
	*state = f;
	return 0;
}

static int drop(void **state)
{
	struct folder *f = *state;

	index_free(f->ix);
	arena_release(&f->arena);
	free(f);
	return 0;
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make, drop)

static struct doc *doc(const struct folder *f, const char *source, const char *path)
{
	struct doc *d = index_doc(f->ix, model_source(f->ix, source), str_of(path));

	assert_non_null(d);
	return d;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The list of a checkout as git is asked for it, or what is left of it, in order. */
static const char *listed(const struct ignored *g, const char *source)
{
	static char text[1000];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; g && i < g->count; i++) {
		const struct ignored_in *in = &g->at[i];
		if (strcmp(in->source, source) != 0)
			continue;
		qsort(in->paths, in->count, sizeof(char *), by_text);
		for (size_t k = 0; k < in->count; k++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", k ? " " : "",
						in->paths[k]);
	}
	return text;
}

static struct ignored_in *of(struct ignored *g, const char *source)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->at[i].source, source) == 0)
			return &g->at[i];
	return NULL;
}

/* As if git had said that it ignores this one file of the checkout, or NULL: none. */
static void answer(struct ignored *g, const char *source, const char *path)
{
	g->known = true;
	for (size_t i = 0; i < g->count; i++) {
		struct ignored_in *in = &g->at[i];
		size_t kept = 0;
		for (size_t k = 0; k < in->count; k++)
			if (path && strcmp(in->source, source) == 0 && strcmp(in->paths[k], path) == 0)
				in->paths[kept++] = in->paths[k];
		in->count = kept;
	}
}

/* -- What is asked for ------------------------------------------------------- */

static void every_artifact_is_asked_for_from_the_top_of_its_checkout(void **state)
{
	struct folder *f = *state;
	struct ignored *g = ignored_new(f->ix, NULL);

	assert_int_equal(g->count, 2);
	assert_string_equal(listed(g, "main"), ".tickets/" FILE_OF("T-1", "R1") " .tickets/" FILE_OF(
						       "T-1", "R2") " .tickets/" FILE_OF("T-2", "R3"));
	assert_string_equal(listed(g, "flat"), FILE_OF("T-1", "R4"));
	assert_string_equal(of(g, "main")->root, ".tickets");
	assert_null(of(g, "flat")->root);
	ignored_free(g);
	g = ignored_new(f->ix, index_find(f->ix, STR("T-2")));
	assert_string_equal(listed(g, "main"), ".tickets/" FILE_OF("T-2", "R3"));
	/* Also of a checkout without a file it is asked whether git can be asked there. */
	assert_non_null(of(g, "flat"));
	ignored_free(g);
}

static void of_a_ticket_those_in_no_commit_are_asked_for(void **state)
{
	struct folder *f = *state;
	struct ticket *t = index_find(f->ix, STR("T-1"));

	assert_null(ignored_new_loose(f->ix, t));
	doc(f, "main", FILE_OF("T-1", "R2"))->loose = true;
	doc(f, "main", FILE_OF("T-2", "R3"))->loose = true;
	struct ignored *g = ignored_new_loose(f->ix, t);
	assert_string_equal(listed(g, "main"), ".tickets/" FILE_OF("T-1", "R2"));
	assert_null(of(g, "flat"));
	ignored_free(g);
}

static void what_git_would_add_is_not_asked_for_again(void **state)
{
	struct folder *f = *state;
	struct ticket *t = index_find(f->ix, STR("T-1"));

	doc(f, "main", FILE_OF("T-1", "R1"))->loose = true;
	doc(f, "main", FILE_OF("T-1", "R2"))->loose = true;
	struct ignored *g = ignored_new_loose(f->ix, t);
	answer(g, "main", ".tickets/" FILE_OF("T-1", "R2"));
	ignored_remember(g, f->ix, t, &f->arena);
	ignored_free(g);
	g = ignored_new_loose(f->ix, t);
	assert_string_equal(listed(g, "main"), ".tickets/" FILE_OF("T-1", "R2"));
	/* A doctor asks for all. */
	ignored_free(g);
	g = ignored_new(f->ix, t);
	assert_string_equal(listed(g, "main"),
			    ".tickets/" FILE_OF("T-1", "R1") " .tickets/" FILE_OF("T-1", "R2"));
	ignored_free(g);
}

static void nothing_is_remembered_of_what_was_not_asked(void **state)
{
	struct folder *f = *state;
	struct ticket *t = index_find(f->ix, STR("T-1"));

	doc(f, "main", FILE_OF("T-1", "R1"))->loose = true;
	struct ignored *g = ignored_new_loose(f->ix, t);
	answer(g, "main", NULL);
	g->at[0].failed = true;
	ignored_remember(g, f->ix, t, &f->arena);
	assert_false(doc(f, "main", FILE_OF("T-1", "R1"))->addable);
	g->at[0].failed = false;
	/* One more came while git was asked. */
	model_record(f->ix, "main", "T-1", "R5", "related", 5, ",\"related_ticket\":\"T-2\"");
	index_settle(f->ix);
	doc(f, "main", FILE_OF("T-1", "R5"))->loose = true;
	ignored_remember(g, f->ix, t, &f->arena);
	assert_false(doc(f, "main", FILE_OF("T-1", "R5"))->addable);
	ignored_free(g);
}

/* -- What is known ----------------------------------------------------------- */

static void nothing_is_known_before_git_was_asked(void **state)
{
	struct folder *f = *state;
	struct ignored *g = ignored_new(f->ix, NULL);

	assert_null(ignored_of(NULL, "main"));
	assert_null(ignored_of(g, "main"));
	g->known = true;
	assert_ptr_equal(ignored_of(g, "main"), of(g, "main"));
	assert_null(ignored_of(g, "aside"));
	ignored_free(g);
}

static void a_file_is_ignored_by_itself_or_with_its_tree(void **state)
{
	struct folder *f = *state;
	struct ignored *g = ignored_new(f->ix, NULL);
	const struct doc *r1 = doc(f, "main", FILE_OF("T-1", "R1"));
	const struct doc *r2 = doc(f, "main", FILE_OF("T-1", "R2"));
	const struct doc *r4 = doc(f, "flat", FILE_OF("T-1", "R4"));

	assert_false(ignored_has(NULL, "x"));
	assert_false(ignored_doc(g, f->ix, r2, &f->arena));
	answer(g, "main", ".tickets/" FILE_OF("T-1", "R2"));
	assert_true(ignored_doc(g, f->ix, r2, &f->arena));
	assert_false(ignored_doc(g, f->ix, r1, &f->arena));
	assert_false(ignored_doc(g, f->ix, r4, &f->arena));
	assert_false(ignored_has(of(g, "main"), FILE_OF("T-1", "R2")));
	of(g, "flat")->whole = true;
	assert_true(ignored_doc(g, f->ix, r4, &f->arena));
	ignored_free(g);
}

/* -- What is said ------------------------------------------------------------ */

static const char *note(struct folder *f, const struct ignored *g)
{
	static char text[1000];
	struct gate gate;

	gate_of(f->ix, index_find(f->ix, STR("T-1")), MODEL_NOW, &f->arena, &gate);
	gate_tell_ignored(f->ix, g, &f->arena, &gate);
	text[0] = '\0';
	for (size_t i = 0; i < gate.count; i++)
		if (gate.reasons[i].code == REASON_UNTRACKED)
			snprintf(text, sizeof(text), "%.*s", STR_ARG(gate.reasons[i].text));
	return text;
}

#define ADVICE ": no commit will have what was decided there; `git check-ignore -v FILE` names the rule; "

static void a_gate_advises_a_commit_of_what_git_would_add(void **state)
{
	struct folder *f = *state;
	struct ticket *t = index_find(f->ix, STR("T-1"));
	const char *remedy = words_problem.list[PROBLEM_IGNORED].doc;
	char *wanted;

	assert_string_equal(note(f, NULL), "");
	doc(f, "main", FILE_OF("T-1", "R1"))->loose = true;
	assert_string_equal(note(f, NULL), "record R1 is in no commit yet; `tpctl commit` makes one");
	struct ignored *g = ignored_new_loose(f->ix, t);
	assert_string_equal(note(f, g), "record R1 is in no commit yet; `tpctl commit` makes one");
	answer(g, "main", ".tickets/" FILE_OF("T-1", "R1"));
	wanted = xasprintf("record R1 is in no commit yet: git ignores .tickets/" FILE_OF("T-1", "R1") ADVICE
			   "%s", remedy);
	assert_string_equal(note(f, g), wanted);
	free(wanted);
	doc(f, "main", FILE_OF("T-1", "R2"))->loose = true;
	wanted = xasprintf("2 records of it are in no commit yet; `tpctl commit` makes one, but git "
			   "ignores .tickets/" FILE_OF("T-1", "R1") ADVICE "%s", remedy);
	assert_string_equal(note(f, g), wanted);
	free(wanted);
	of(g, "main")->whole = true;
	wanted = xasprintf("2 records of it are in no commit yet: git ignores .tickets/" FILE_OF("T-1", "R1")
			   " and 1 more of the Ticket" ADVICE "%s", remedy);
	assert_string_equal(note(f, g), wanted);
	free(wanted);
	ignored_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(every_artifact_is_asked_for_from_the_top_of_its_checkout),
		with_folder(of_a_ticket_those_in_no_commit_are_asked_for),
		with_folder(what_git_would_add_is_not_asked_for_again),
		with_folder(nothing_is_remembered_of_what_was_not_asked),
		with_folder(nothing_is_known_before_git_was_asked),
		with_folder(a_file_is_ignored_by_itself_or_with_its_tree),
		with_folder(a_gate_advises_a_commit_of_what_git_would_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
