/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <stdlib.h>

/* -- What is in it ------------------------------------------------------ */

/* A Ticket that is in the graph. */
struct member {
	UT_hash_handle hh;
	const struct ticket *ticket;
	struct member *next; /* still to be looked around from */
};

struct making {
	const struct index *ix;
	struct arena *arena;
	struct member *members;
	struct member *first, *last;
	struct graph *graph;
	size_t edge_cap;
	enum scope scope;
	int64_t now;
};

static void join(struct making *m, const struct ticket *t)
{
	struct member *member;

	HASH_FIND_PTR(m->members, &t, member);
	if (member)
		return;
	member = arena_alloc(m->arena, sizeof(*member));
	member->ticket = t;
	HASH_ADD_PTR(m->members, ticket, member);
	if (m->last)
		m->last->next = member;
	else
		m->first = member;
	m->last = member;
}

static bool is_drawn(const struct making *m, const struct decision *d)
{
	return d->other && query_in_scope(decision_status(m->ix, d, m->now), m->scope);
}

static void add_edge(struct making *m, const struct decision *d)
{
	struct graph *g = m->graph;
	const struct kind_row *row = kind_row(d->record->kind);
	bool turned = row->holds == HOLDS_OTHER;

	g->edges = arena_more(m->arena, g->edges, g->edge_count, &m->edge_cap, sizeof(*g->edges));
	enum status status = decision_status(m->ix, d, m->now);
	g->edges[g->edge_count++] = (struct edge){
		.from = turned ? d->other : d->ticket, .to = turned ? d->ticket : d->other, .d = d,
		.status = status,
		.holds = row->holds != HOLDS_NOBODY && status_counts(status),
	};
	join(m, d->ticket);
	join(m, d->other);
}

static void add_own(struct making *m, const struct ticket *t)
{
	for (uint32_t i = 0; i < t->own_count; i++)
		if (is_drawn(m, &t->own[i]))
			add_edge(m, &t->own[i]);
}

/* Neighbours join; each edge is added from the Ticket that holds its record. */
static void look_around(struct making *m, const struct ticket *t)
{
	const struct decision *d;

	add_own(m, t);
	DL_FOREACH(t->incoming, d)
		if (is_drawn(m, d))
			join(m, d->ticket);
}

static int by_id(const void *a, const void *b)
{
	const struct ticket *const *x = a, *const *y = b;

	return str_cmp((*x)->id, (*y)->id);
}

static int by_ends(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	int order = str_cmp(x->from->id, y->from->id);

	if (!order)
		order = str_cmp(x->to->id, y->to->id);
	if (!order)
		order = (x->d->record->at > y->d->record->at) -
			(x->d->record->at < y->d->record->at);
	return order ? order : str_cmp(x->d->record->id, y->d->record->id);
}

static void sort(struct making *m)
{
	struct graph *g = m->graph;

	g->nodes = arena_alloc(m->arena, (HASH_COUNT(m->members) + 1) * sizeof(*g->nodes));
	for (struct member *member = m->members; member; member = member->hh.next)
		g->nodes[g->node_count++] = member->ticket;
	HASH_CLEAR(hh, m->members);
	if (g->node_count > 1)
		qsort(g->nodes, g->node_count, sizeof(*g->nodes), by_id);
	if (g->edge_count > 1)
		qsort(g->edges, g->edge_count, sizeof(*g->edges), by_ends);
}

void graph_of(struct index *ix, const struct ticket *only, enum scope scope, int64_t now,
	      struct arena *arena, struct graph *graph)
{
	struct making m = { .ix = ix, .arena = arena, .graph = graph, .scope = scope, .now = now };

	*graph = (struct graph){ 0 };
	if (only) {
		join(&m, only);
		for (struct member *member = m.first; member; member = member->next)
			look_around(&m, member->ticket);
	} else {
		size_t count;
		struct ticket *const *all = index_tickets(ix, &count);
		for (size_t i = 0; i < count; i++)
			add_own(&m, all[i]);
	}
	sort(&m);
}

/* -- Drawing ------------------------------------------------------------ */

static bool fades(const struct ticket *t)
{
	return state_resolved((enum state)t->state);
}

/* How an edge looks: the strongest first. */
enum look { LOOK_BLOCKED, LOOK_ORDERED, LOOK_CONFLICT, LOOK_OTHER, LOOK_COUNT };

static enum look look_of(const struct edge *e)
{
	enum reason code = kind_row(e->d->record->kind)->code;

	return code == REASON_BLOCKED	 ? LOOK_BLOCKED
	       : code == REASON_ORDERED	 ? LOOK_ORDERED
	       : code == REASON_CONFLICT ? LOOK_CONFLICT
					 : LOOK_OTHER;
}

/* What is over fades. */
static bool is_vivid(const struct edge *e)
{
	return e->holds || (look_of(e) == LOOK_OTHER &&
			    (e->status == STATUS_LIVE || e->status == STATUS_LOST));
}

static const char *state_of(const struct ticket *t)
{
	return ticket_exists(t) ? word(&words_state, t->state) : "not there";
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == '\x7f';
}

/* Titles, and ids of what is not there, are anybody's: none of them begins a line. */
static void add_flat(struct buf *into, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add(into, is_control(text.at[i]) ? " " : &text.at[i], 1);
}

static void draw_text_edge(const struct edge *e, struct buf *into)
{
	static const char *const arrows[LOOK_COUNT] = { "==>", "-->", "<x>", "..." };

	buf_addf(into, "    %s %s ", is_vivid(e) ? arrows[look_of(e)] : "~~~",
		 word(&words_kind, (int)e->d->record->kind));
	add_flat(into, e->to->id);
	buf_addf(into, " (%s)%s%s\n", state_of(e->to), e->status == STATUS_LIVE ? "" : " ",
		 e->status == STATUS_LIVE ? "" : word(&words_status, (int)e->status));
}

static void draw_text(const struct graph *g, struct buf *into)
{
	size_t at = 0;

	for (size_t i = 0; i < g->node_count; i++) {
		const struct ticket *t = g->nodes[i];
		buf_addf(into, "%s", fades(t) ? "~ " : "");
		add_flat(into, t->id);
		buf_addf(into, " (%s) ", state_of(t));
		add_flat(into, ticket_title(t));
		buf_addf(into, "\n");
		for (; at < g->edge_count && g->edges[at].from == t; at++)
			draw_text_edge(&g->edges[at], into);
	}
	if (!g->edge_count)
		buf_addf(into, "no records join Tickets here\n");
	else
		buf_addf(into, "\n==> waits for   --> runs after   <x> conflicts   ... related   "
			 "~ resolved or over\n");
}

/* A label inside double quotes: what would end it, or is markup, becomes something harmless. */
static void add_label(struct buf *into, struct str text, const char *quote)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		if (c == '"')
			buf_add_str(into, str_of(quote));
		else if (c == '\\' || is_control(c))
			buf_add(into, " ", 1);
		else if (strchr("<>#&`%", c))
			buf_addf(into, *quote == '#' ? "#%d;" : "%c", c);
		else
			buf_add(into, &c, 1);
	}
}

static void draw_dot(const struct graph *g, struct buf *into)
{
	static const char *const looks[LOOK_COUNT] = {
		"color=red, penwidth=2", "color=blue, style=dashed",
		"color=orange, dir=none, style=bold", "color=gray, style=dotted",
	};

	buf_addf(into, "digraph tickets {\n\trankdir=LR;\n\tnode [shape=box];\n");
	for (size_t i = 0; i < g->node_count; i++) {
		const struct ticket *t = g->nodes[i];
		buf_addf(into, "\t\"");
		add_label(into, t->id, "'");
		buf_addf(into, "\" [label=\"");
		add_label(into, t->id, "'");
		buf_addf(into, "\\n%s\\n", state_of(t));
		add_label(into, ticket_title(t), "'");
		buf_addf(into, "\"%s];\n", fades(t) ? ", color=gray, fontcolor=gray" : "");
	}
	for (size_t i = 0; i < g->edge_count; i++) {
		const struct edge *e = &g->edges[i];
		buf_addf(into, "\t\"");
		add_label(into, e->from->id, "'");
		buf_addf(into, "\" -> \"");
		add_label(into, e->to->id, "'");
		buf_addf(into, "\" [label=\"%s\", %s];\n",
			 word(&words_kind, (int)e->d->record->kind),
			 is_vivid(e) ? looks[look_of(e)] : "color=gray, fontcolor=gray");
	}
	buf_addf(into, "}\n");
}

static size_t node_number(const struct graph *g, const struct ticket *t)
{
	const struct ticket **at =
		bsearch(&t, g->nodes, g->node_count, sizeof(struct ticket *), by_id);

	return (size_t)(at - g->nodes);
}

static void draw_mermaid(const struct graph *g, struct buf *into)
{
	static const char *const arrows[LOOK_COUNT] = { "==>", "-.->", "x--x", "---" };

	buf_addf(into, "flowchart LR\n");
	for (size_t i = 0; i < g->node_count; i++) {
		const struct ticket *t = g->nodes[i];
		buf_addf(into, "\tn%zu[\"", i);
		add_label(into, t->id, "#quot;");
		buf_addf(into, " (%s)<br/>", state_of(t));
		add_label(into, ticket_title(t), "#quot;");
		buf_addf(into, "\"]%s\n", fades(t) ? ":::resolved" : "");
	}
	for (size_t i = 0; i < g->edge_count; i++) {
		const struct edge *e = &g->edges[i];
		buf_addf(into, "\tn%zu %s|%s| n%zu\n", node_number(g, e->from),
			 is_vivid(e) ? arrows[look_of(e)] : "-.-",
			 word(&words_kind, (int)e->d->record->kind), node_number(g, e->to));
	}
	buf_addf(into, "\tclassDef resolved fill:#eee,stroke:#bbb,color:#999\n");
}

void graph_draw(const struct graph *graph, enum graph_format format, struct buf *into)
{
	switch (format) {
	case GRAPH_FORMAT_TEXT:
		draw_text(graph, into);
		break;
	case GRAPH_FORMAT_DOT:
		draw_dot(graph, into);
		break;
	case GRAPH_FORMAT_MERMAID:
		draw_mermaid(graph, into);
		break;
	case GRAPH_FORMAT_COUNT:
		bug_at(__FILE__, __LINE__, "no such format");
	}
}
