/* SPDX-License-Identifier: MIT */
#include "holds.h"

#include <stdlib.h>

#include "base.h"
#include "json.h"
#include "show.h"

/* Deeper than any tree that a person reads; what lies below is drawn at this depth. */
#define DEEPEST 200
/* What a level takes, and the least that is left for text. */
#define STEP 3
#define LEAST 24

/* One node, and what of the tree must be known to draw it. */
struct node {
	const json_t *told;
	size_t depth;
	bool last;   /* of its parent's */
	bool parent; /* it has children */
};

static struct node *read_nodes(const json_t *list)
{
	size_t count = json_array_size(list), i;
	struct node *nodes = xcalloc(count + 1, sizeof(*nodes));
	bool more[DEEPEST + 1] = { false };

	for (i = 0; i < count; i++) {
		size_t most = i ? nodes[i - 1].depth + 1 : 0;
		long long depth = number_of(json_array_get(list, i), "depth");
		nodes[i].told = json_array_get(list, i);
		nodes[i].depth = depth < 0 ? 0 : (size_t)depth < most ? (size_t)depth : most;
		if (nodes[i].depth > DEEPEST)
			nodes[i].depth = DEEPEST;
	}
	for (; i > 0; i--) {
		struct node *n = &nodes[i - 1];
		n->last = !more[n->depth];
		n->parent = i < count && nodes[i].depth > n->depth;
		more[n->depth] = true;
		for (size_t deeper = n->depth + 1; deeper <= DEEPEST && more[deeper]; deeper++)
			more[deeper] = false;
	}
	return nodes;
}

/* Ticket, title and state, as far as the node says them. */
static void add_ticket(struct page *page, const json_t *node)
{
	struct str title = text_of(node, "title"), state = text_of(node, "state");

	page_add(page, STYLE_BOLD, text_of(node, "ticket"));
	if (title.len)
		page_addf(page, STYLE_PLAIN, " \"%.*s\"", STR_ARG(title));
	if (state.len)
		page_addf(page, STYLE_CYAN, " (%.*s)", STR_ARG(state));
}

/* The record behind it, with author and day where the text has not said them. */
static void add_record(struct flow *flow, const json_t *node, struct str text)
{
	struct str record = text_of(node, "record"), author = text_of(node, "author");
	struct str at = text_of(node, "at"), day = { at.at, at.len < 10 ? at.len : 10 };
	char *who = xasprintf("[%.*s, %.*s]", STR_ARG(author), STR_ARG(day));

	if (author.len && !(text.len && memmem(text.at, text.len, who, strlen(who))))
		flow_add(flow, STYLE_DIM, str_of(who));
	flow_add(flow, STYLE_DIM, record);
	free(who);
}

/* The lines of the levels above, and below the code: words stand below words. */
static void make_lead(struct buf *lead, const struct node *n, size_t hang, size_t width)
{
	size_t column = n->depth * STEP;

	buf_add_str(lead, n->last ? STR("   ") : STR("\xe2\x94\x82  "));
	if (width && column + hang + LEAST > width)
		hang = STEP;
	buf_addf(lead, "%s%*s", n->parent ? "\xe2\x94\x82" : " ", (int)hang - 1, "");
}

/* `above` holds the lines of the levels above, and gets that of this one. */
static void add_node(struct page *page, const struct node *n, struct buf *above)
{
	struct str code = text_of(n->told, "code"), text = text_of(n->told, "text");
	size_t hang = code.len + 2, mark = above->len;
	struct flow flow;

	buf_add_str(&page->out, (struct str){ above->at, above->len });
	buf_add_str(&page->out, n->last ? STR("\xe2\x94\x94\xe2\x94\x80 ")
					: STR("\xe2\x94\x9c\xe2\x94\x80 "));
	page_add(page, STYLE_RED, code);
	buf_add_str(&page->out, STR("  "));
	make_lead(above, n, hang, page->width);
	flow_begin(&flow, page, (struct str){ above->at, above->len }, n->depth * STEP + hang);
	flow_add(&flow, STYLE_PLAIN, text);
	if (!text.len)
		flow_add(&flow, STYLE_BOLD, text_of(n->told, "ticket"));
	add_record(&flow, n->told, text);
	if (json_is_true(json_object_get(n->told, "cycle")))
		flow_add(&flow, STYLE_YELLOW, STR("(cycle: it waits for itself)"));
	else if (json_is_true(json_object_get(n->told, "repeated")))
		flow_add(&flow, STYLE_YELLOW, STR("(see above)"));
	page_line(page);
	above->len = mark;
}

static void add_root(struct page *page, const json_t *node, const json_t *answer)
{
	struct str verdict = text_of(answer, "verdict");

	add_ticket(page, node);
	page_add(page, STYLE_PLAIN, STR(": "));
	page_add(page, verdict_style(verdict), verdict);
	page_line(page);
}

void holds_show(struct page *page, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "nodes");
	size_t count = json_array_size(list), lengths[DEEPEST + 2] = { 0 };
	struct node *nodes = read_nodes(list);
	struct buf above = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct node *n = &nodes[i];
		if (!n->depth) {
			add_root(page, n->told, answer);
			continue;
		}
		above.len = lengths[n->depth];
		add_node(page, n, &above);
		buf_add_str(&above, n->last ? STR("   ") : STR("\xe2\x94\x82  "));
		lengths[n->depth + 1] = above.len;
	}
	if (count == 1) {
		page_add(page, STYLE_DIM, STR("nothing holds it"));
		page_line(page);
	}
	if (number_of(answer, "returned") < number_of(answer, "count")) {
		page_addf(page, STYLE_DIM, "%lld of %lld told", number_of(answer, "returned"),
			  number_of(answer, "count"));
		page_line(page);
	}
	buf_release(&above);
	free(nodes);
}
