/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdlib.h>

#include "answer.h"

/* Who works on what, in lists. */

static bool is_asked(const struct claim *claim, struct str ticket, struct str session)
{
	return (!ticket.at || str_eq(claim->ticket, ticket)) &&
	       (!session.at || str_eq(claim->session, session)) && !claim->pending.at;
}

/* Which Ticket is meant; one that is only claimed, or was, will do. */
static bool find_ticket(struct call *call, struct str name, struct str *id, struct fault *why)
{
	struct ticket *t;

	*id = name;
	if (!name.at || claims_last_end(call->service->claims, name) ||
	    claims_find(call->service->claims, name))
		return true;
	if (!index_resolve(call->ix, name, &t, why))
		return false;
	*id = t->id;
	return true;
}

static bool list_live(struct call *call, struct page *page, struct str ticket, struct str session)
{
	const struct claims *claims = call->service->claims;
	const struct claim **rows = arena_alloc(&call->arena, (claims->count + 1) * sizeof(*rows));
	size_t first = 0;

	for (size_t i = 0; i < claims->count; i++)
		if (is_asked(claims->at[i], ticket, session))
			rows[page->count++] = claims->at[i];
	while (page->cursor.at && first < page->count &&
	       str_cmp(rows[first]->ticket, page->cursor) <= 0)
		first++;
	if (page_cut(page, first))
		page->next = arena_str(&call->arena, rows[first + page->returned - 1]->ticket);
	answer_page(call, page);
	wire_key(&call->out, "claims");
	wire_list(&call->out);
	for (size_t i = 0; i < page->returned; i++)
		answer_claim(call, rows[first + i]);
	wire_end(&call->out);
	return true;
}

static struct str end_cursor(struct call *call, const struct claim_end *e)
{
	return arena_printf(&call->arena, "%lld/%.*s", (long long)e->at, STR_ARG(e->claim->ticket));
}

static bool list_ended(struct call *call, struct page *page, struct str ticket, struct str session)
{
	const struct claims *claims = call->service->claims;
	const struct claim_end *rows[CLAIM_ENDS_MAX];
	size_t first = 0;

	for (size_t i = claims->end_count; i > 0; i--)
		if (is_asked(claims->ends[i - 1]->claim, ticket, session))
			rows[page->count++] = claims->ends[i - 1];
	while (page->cursor.at && first < page->count) {
		/* Behind the row that came last; if that is forgotten, there are none behind it. */
		if (str_eq(end_cursor(call, rows[first++]), page->cursor))
			break;
	}
	if (page_cut(page, first))
		page->next = end_cursor(call, rows[first + page->returned - 1]);
	answer_page(call, page);
	wire_key(&call->out, "ended");
	wire_list(&call->out);
	for (size_t i = 0; i < page->returned; i++)
		answer_claim_end(call, rows[first + i]);
	wire_end(&call->out);
	return true;
}

bool handle_claim_list(struct call *call, const struct claim_list_params *p, struct fault *why)
{
	struct page page = { .limit = p->limit, .cursor = p->cursor };
	struct str ticket;

	page_begin(&page);
	if (!find_ticket(call, p->ticket, &ticket, why))
		return false;
	return p->stale ? list_ended(call, &page, ticket, p->holder)
			: list_live(call, &page, ticket, p->holder);
}

static int by_session(const void *a, const void *b)
{
	const struct claim *const *x = a, *const *y = b;
	int order = str_cmp((*x)->session, (*y)->session);

	return order ? order : str_cmp((*x)->ticket, (*y)->ticket);
}

static void add_role(struct str *roles, size_t *count, struct str role)
{
	for (size_t i = 0; i < *count; i++)
		if (str_eq(roles[i], role))
			return;
	if (role.len)
		roles[(*count)++] = role;
}

/* One session: a stretch of claims. */
static void put_session(struct call *call, const struct claim **rows, size_t count)
{
	struct str *roles = arena_alloc(&call->arena, count * sizeof(*roles));
	struct str *tickets = arena_alloc(&call->arena, count * sizeof(*tickets));
	int64_t since = rows[0]->since;
	size_t role_count = 0;

	for (size_t i = 0; i < count; i++) {
		tickets[i] = rows[i]->ticket;
		since = rows[i]->since < since ? rows[i]->since : since;
		add_role(roles, &role_count, rows[i]->role);
	}
	wire_map(&call->out);
	wire_put_str(&call->out, "session", rows[0]->session);
	wire_put_time(&call->out, "since", since);
	answer_strs(call, "roles", roles, role_count);
	answer_strs(call, "tickets", tickets, count);
	wire_end(&call->out);
}

bool handle_session_list(struct call *call, const struct session_list_params *p, struct fault *why)
{
	struct page page = { .limit = p->limit, .cursor = p->cursor };
	const struct claims *claims = call->service->claims;
	const struct claim **rows = arena_alloc(&call->arena, (claims->count + 1) * sizeof(*rows));
	size_t *starts = arena_alloc(&call->arena, (claims->count + 1) * sizeof(*starts));
	size_t count = 0, first = 0;

	(void)why;
	page_begin(&page);
	for (size_t i = 0; i < claims->count; i++)
		if (!claims->at[i]->pending.at)
			rows[count++] = claims->at[i];
	qsort(rows, count, sizeof(*rows), by_session);
	for (size_t i = 0; i < count; i++)
		if (!i || !str_eq(rows[i]->session, rows[i - 1]->session))
			starts[page.count++] = i;
	starts[page.count] = count;
	while (page.cursor.at && first < page.count &&
	       str_cmp(rows[starts[first]]->session, page.cursor) <= 0)
		first++;
	if (page_cut(&page, first))
		page.next =
			arena_str(&call->arena, rows[starts[first + page.returned - 1]]->session);
	answer_page(call, &page);
	wire_key(&call->out, "sessions");
	wire_list(&call->out);
	for (size_t i = first; i < first + page.returned; i++)
		put_session(call, &rows[starts[i]], starts[i + 1] - starts[i]);
	wire_end(&call->out);
	return true;
}
