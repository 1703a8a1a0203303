/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "graph.h"
#include "model.h"

#define OTHER(id) ",\"related_ticket\":\"" id "\""

static int make_index(void **state)
{
	struct index *ix = index_new();

	for (const char *id = "ABCD"; *id; id++)
		model_item(ix, "main", (char[]){ *id, 0 }, "queued");
	*state = ix;
	return 0;
}

static int drop_index(void **state)
{
	index_free(*state);
	return 0;
}

#define with_index(test) cmocka_unit_test_setup_teardown(test, make_index, drop_index)

/* "A B C | A>B after holds; …": the nodes, and the edges with status and whether they hold. */
static void assert_graph(struct index *ix, const char *only, enum scope scope, const char *wanted)
{
	struct arena arena = { 0 };
	struct buf said = { 0 };
	struct graph g;

	index_settle(ix);
	graph_of(ix, only ? index_find(ix, str_of(only)) : NULL, scope, MODEL_NOW, &arena, &g);
	for (size_t i = 0; i < g.node_count; i++)
		buf_addf(&said, "%.*s ", STR_ARG(g.nodes[i]->id));
	buf_addf(&said, "|");
	for (size_t i = 0; i < g.edge_count; i++)
		buf_addf(&said, "%s %.*s>%.*s %s %s%s", i ? ";" : "", STR_ARG(g.edges[i].from->id),
			 STR_ARG(g.edges[i].to->id),
			 word(&words_kind, (int)g.edges[i].d->record->kind),
			 word(&words_status, (int)g.edges[i].status),
			 g.edges[i].holds ? " holds" : "");
	assert_string_equal(buf_text(&said), wanted);
	buf_release(&said);
	arena_release(&arena);
}

static void an_empty_graph_has_nothing(void **state)
{
	assert_graph(*state, NULL, SCOPE_LIVE, "|");
	assert_graph(*state, "A", SCOPE_LIVE, "A |");
}

static void an_edge_leads_from_who_waits(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "after", 1, OTHER("B"));
	model_record(ix, "main", "A", "R2", "before", 1, OTHER("C"));
	model_record(ix, "main", "B", "R1", "blocks", 1, OTHER("A"));
	model_record(ix, "main", "C", "R1", "related", 1, OTHER("D"));
	model_record(ix, "main", "B", "R2", "conflicts_with", 1, OTHER("C"));
	assert_graph(
		ix, NULL, SCOPE_LIVE,
		"A B C D | A>B after live holds; A>B blocks live holds; B>C conflicts_with live "
		"holds; C>A before live holds; C>D related live");
}

static void what_is_over_is_there_when_asked_for(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "after", 1, OTHER("B"));
	model_record(ix, "main", "A", "R2", "after", 2, OTHER("C"));
	model_record(ix, "main", "A", "R3", "after", 3, OTHER("X"));
	model_record(ix, "main", "A", "R4", "retraction", 4, ",\"retracts\":\"R2\"");
	model_item(ix, "main", "B", "done");
	assert_graph(ix, NULL, SCOPE_LIVE, "A X | A>X after dangling holds");
	assert_graph(ix, NULL, SCOPE_HISTORY, "A B C | A>B after satisfied; A>C after retracted");
	assert_graph(
		ix, NULL, SCOPE_ALL,
		"A B C X | A>B after satisfied; A>C after retracted; A>X after dangling holds");
}

static void what_hangs_together_is_found_from_any_of_it(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "after", 1, OTHER("B"));
	model_record(ix, "main", "C", "R1", "after", 1, OTHER("B"));
	model_record(ix, "main", "D", "R1", "after", 1, OTHER("E"));
	for (const char *id = "ABC"; *id; id++)
		assert_graph(ix, (char[]){ *id, 0 }, SCOPE_LIVE,
			     "A B C | A>B after live holds; C>B after live holds");
	assert_graph(ix, "D", SCOPE_LIVE, "D E | D>E after dangling holds");
}

/* -- Drawings ---------------------------------------------------------------- */

static void assert_drawn(struct index *ix, enum graph_format format, const char *wanted)
{
	struct arena arena = { 0 };
	struct buf said = { 0 };
	struct graph g;

	index_settle(ix);
	graph_of(ix, NULL, SCOPE_ALL, MODEL_NOW, &arena, &g);
	graph_draw(&g, format, &said);
	assert_string_equal(buf_text(&said), wanted);
	buf_release(&said);
	arena_release(&arena);
}

static void each_kind_of_edge_looks_different_and_what_is_over_fades(void **state)
{
	struct index *ix = *state;

	model_record(ix, "main", "A", "R1", "depends_on", 1, OTHER("B"));
	model_record(ix, "main", "A", "R2", "after", 1, OTHER("C"));
	model_record(ix, "main", "A", "R3", "do_not_parallelize", 1, OTHER("D"));
	model_record(ix, "main", "A", "R4", "related", 2, OTHER("D"));
	model_item(ix, "main", "B", "closed");
	assert_drawn(
		ix, GRAPH_FORMAT_TEXT,
		"A (queued) A\n"
		"    ~~~ depends_on B (closed) satisfied\n"
		"    --> after C (queued)\n"
		"    <x> do_not_parallelize D (queued)\n"
		"    ... related D (queued)\n"
		"~ B (closed) B\nC (queued) C\nD (queued) D\n"
		"\n==> waits for   --> runs after   <x> conflicts   ... related   ~ resolved or over\n");
	assert_drawn(
		ix, GRAPH_FORMAT_MERMAID,
		"flowchart LR\n\tn0[\"A (queued)<br/>A\"]\n\tn1[\"B (closed)<br/>B\"]:::resolved\n"
		"\tn2[\"C (queued)<br/>C\"]\n\tn3[\"D (queued)<br/>D\"]\n"
		"\tn0 -.-|depends_on| n1\n\tn0 -.->|after| n2\n\tn0 x--x|do_not_parallelize| n3\n"
		"\tn0 ---|related| n3\n\tclassDef resolved fill:#eee,stroke:#bbb,color:#999\n");
	assert_drawn(
		ix, GRAPH_FORMAT_DOT,
		"digraph tickets {\n\trankdir=LR;\n\tnode [shape=box];\n"
		"\t\"A\" [label=\"A\\nqueued\\nA\"];\n"
		"\t\"B\" [label=\"B\\nclosed\\nB\", color=gray, fontcolor=gray];\n"
		"\t\"C\" [label=\"C\\nqueued\\nC\"];\n\t\"D\" [label=\"D\\nqueued\\nD\"];\n"
		"\t\"A\" -> \"B\" [label=\"depends_on\", color=gray, fontcolor=gray];\n"
		"\t\"A\" -> \"C\" [label=\"after\", color=blue, style=dashed];\n"
		"\t\"A\" -> \"D\" [label=\"do_not_parallelize\", color=orange, dir=none, style=bold];\n"
		"\t\"A\" -> \"D\" [label=\"related\", color=gray, style=dotted];\n}\n");
}

/* Every printable character, controls, and what markup is made of, as title and as id. */
static void no_text_breaks_a_drawing(void **state)
{
	struct index *ix = *state;

	model_put(
		ix, "main", "A/item.md",
		"---\ntitle: \"q\\\" b\\\\ [x] {y} (z) <i> &a; #1; `c` %%{d}%% \\n\\r\\t\\e\\x7f e\"\n"
		"state: queued\n---\n");
	model_record(ix, "main", "A", "R1", "after", 1, OTHER("x\\\" ]\\n\\\\<%"));
	assert_drawn(
		ix, GRAPH_FORMAT_TEXT,
		"A (queued) q\" b\\ [x] {y} (z) <i> &a; #1; `c` %%{d}%%       e\n"
		"    --> after x\" ] \\<% (not there) dangling\n"
		"x\" ] \\<% (not there) \n"
		"\n==> waits for   --> runs after   <x> conflicts   ... related   ~ resolved or over\n");
	assert_drawn(
		ix, GRAPH_FORMAT_MERMAID,
		"flowchart LR\n"
		"\tn0[\"A (queued)<br/>q#quot; b  [x] {y} (z) #60;i#62; #38;a; #35;1; #96;c#96; "
		"#37;#37;{d}#37;#37;       e\"]\n"
		"\tn1[\"x#quot; ]  #60;#37; (not there)<br/>\"]\n"
		"\tn0 -.->|after| n1\n\tclassDef resolved fill:#eee,stroke:#bbb,color:#999\n");
	assert_drawn(
		ix, GRAPH_FORMAT_DOT,
		"digraph tickets {\n\trankdir=LR;\n\tnode [shape=box];\n"
		"\t\"A\" [label=\"A\\nqueued\\nq' b  [x] {y} (z) <i> &a; #1; `c` %%{d}%%       e\"];\n"
		"\t\"x' ]  <%\" [label=\"x' ]  <%\\nnot there\\n\"];\n"
		"\t\"A\" -> \"x' ]  <%\" [label=\"after\", color=blue, style=dashed];\n}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_index(an_empty_graph_has_nothing),
		with_index(an_edge_leads_from_who_waits),
		with_index(what_is_over_is_there_when_asked_for),
		with_index(what_hangs_together_is_found_from_any_of_it),
		with_index(each_kind_of_edge_looks_different_and_what_is_over_fades),
		with_index(no_text_breaks_a_drawing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
