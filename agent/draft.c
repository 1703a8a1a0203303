/* SPDX-License-Identifier: MIT */
#include "draft.h"

#include <stdlib.h>

#include <jansson.h>

#include "base.h"
#include "guard.h"
#include "jsonset.h"
#include "stamp.h"
#include "ulid.h"

#define TEXT_MAX       (16 * 1024)
#define LINE_BYTES_MAX 1024

/* -- Conditions --------------------------------------------------------- */

static bool until_ticket(struct index *ix, struct str rest, struct until *u, struct fault *why)
{
	const char *sign = rest.len ? memchr(rest.at, '=', rest.len) : NULL;
	struct ticket *t;

	if (!sign)
		return fault(why, FAULT_INVALID, "until: write ticket:ID=STATE");
	struct str id = { rest.at, (size_t)(sign - rest.at) };
	struct str state = { sign + 1, rest.len - id.len - 1 };
	int value = word_find(&words_state, state);
	if (value < 0 || value == STATE_UNKNOWN)
		return fault(why, FAULT_INVALID, "until: \"%.*s\" is no state to wait for",
			     (int)(state.len > 64 ? 64 : state.len), state.at);
	if (!index_resolve(ix, id, &t, why))
		return false;
	*u = (struct until){ .form = UNTIL_TICKET, .ticket = t->id, .state = (enum state)value };
	return true;
}

static bool until_free(struct str rest, struct until *u, struct fault *why)
{
	int64_t n = 0;
	bool ok = rest.len && rest.len < 10;

	for (size_t i = 0; ok && i < rest.len; i++) {
		ok = rest.at[i] >= '0' && rest.at[i] <= '9';
		n = n * 10 + (rest.at[i] - '0');
	}
	*u = (struct until){ .form = UNTIL_FREE, .free = n };
	return ok && n ? true
		       : fault(why, FAULT_INVALID, "until: free takes a number of Tickets, from 1");
}

static struct str behind(struct str text, size_t n)
{
	return (struct str){ text.at + n, text.len - n };
}

bool draft_until(struct index *ix, struct str text, struct until *u, struct fault *why)
{
	if (str_is(text, "human")) {
		*u = (struct until){ .form = UNTIL_HUMAN };
		return true;
	}
	if (str_starts(text, STR("ticket:")))
		return until_ticket(ix, behind(text, 7), u, why);
	if (str_starts(text, STR("free:")))
		return until_free(behind(text, 5), u, why);
	*u = (struct until){ .form = UNTIL_AFTER };
	if (str_starts(text, STR("after:")) && stamp_parse(behind(text, 6), &u->after))
		return true;
	return fault(
		why, FAULT_INVALID,
		"until takes ticket:ID=STATE, after:TIME (as 2026-01-31T12:00:00Z), human or "
		"free:N");
}

/* -- Checks ------------------------------------------------------------- */

/* Text that is there and says nothing, as an unset variable of a script leaves it, is none. */
static void drop_blank_texts(struct draft *d)
{
	struct str *const texts[] = { &d->note,          &d->plan.summary,   &d->plan.branch,
				      &d->plan.worktree, &d->plan.role_plan, &d->author };

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (str_is_blank(*texts[i]))
			*texts[i] = STR_NONE;
}

static bool check_text(const struct index *ix, const char *name, struct str text, bool line,
		       struct fault *why)
{
	size_t max = line ? LINE_BYTES_MAX : TEXT_MAX;

	if (text.len > max)
		return fault(why, FAULT_INVALID, "%s has %zu bytes; at most %zu are taken", name,
			     text.len, max);
	for (size_t i = 0; line && i < text.len; i++)
		if (text.at[i] == '\n' || text.at[i] == '\r')
			return fault(why, FAULT_INVALID, "%s has several lines; one is taken",
				     name);
	return guard_text(ix, name, text, why);
}

static bool check_texts(const struct index *ix, const struct draft *d, struct fault *why)
{
	const char *message = kind_row(d->kind)->takes == TAKES_PLAN ? "note" : "message";

	return check_text(ix, message, d->note, false, why) &&
	       check_text(ix, "message", d->plan.summary, false, why) &&
	       check_text(ix, "role_plan", d->plan.role_plan, false, why) &&
	       check_text(ix, "branch", d->plan.branch, true, why) &&
	       check_text(ix, "author", d->author, true, why);
}

static bool only_with(const char *name, bool given, bool fits, const char *kinds, struct fault *why)
{
	if (!given || fits)
		return true;
	return fault(why, FAULT_INVALID, "%s goes with %s only", name, kinds);
}

static bool check_fields(const struct draft *d, struct fault *why)
{
	enum kind_takes takes = kind_row(d->kind)->takes;
	const char *kind = word(&words_kind, (int)d->kind);
	bool plan = takes == TAKES_PLAN;

	if (takes == TAKES_TICKET && !d->other.len)
		return fault(why, FAULT_INVALID, "%s names another Ticket: give one", kind);
	if (takes == TAKES_TICKET && str_eq(d->other, d->ticket->id))
		return fault(why, FAULT_INVALID, "a Ticket cannot be related to itself");
	if (takes == TAKES_NOTE && !d->note.len)
		return fault(why, FAULT_INVALID, "%s needs a message that says what it waits for",
			     kind);
	if (plan && !d->plan.summary.len)
		return fault(why, FAULT_INVALID, "%s needs a message that says what was accepted",
			     kind);
	if (d->until.form == UNTIL_TICKET && d->until.state > STATE_QUEUED &&
	    str_eq(d->until.ticket, d->ticket->id))
		return fault(why, FAULT_INVALID, "until: a Ticket cannot wait to be %s itself",
			     word(&words_state, (int)d->until.state));
	if (takes == TAKES_RECORD && !d->retracts.len)
		return fault(why, FAULT_INVALID, "use record.retract to take a record back");
	if (takes == TAKES_RECORD && !d->note.len)
		return fault(why, FAULT_INVALID, "%s needs a message that says why", kind);
	return only_with("other", d->other.at, takes == TAKES_TICKET,
			 "the kinds that name a Ticket", why) &&
	       only_with("until", d->until.form, takes == TAKES_NOTE, "waiting_capacity_note",
			 why) &&
	       only_with("branch", d->plan.branch.at, plan, "accepted_plan", why) &&
	       only_with("worktree", d->plan.worktree.at, plan, "accepted_plan", why) &&
	       only_with("role_plan", d->plan.role_plan.at, plan, "accepted_plan", why);
}

bool draft_check(const struct index *ix, struct draft *d, struct arena *arena, struct fault *why)
{
	if (d->id.at && !ulid_is(d->id))
		return fault(why, FAULT_INVALID, "id is no ULID (26 characters, upper case)");
	drop_blank_texts(d);
	return check_fields(d, why) && check_texts(ix, d, why) &&
	       guard_label(ix, arena, d->plan.worktree, &d->plan.worktree, why) &&
	       check_text(ix, "worktree", d->plan.worktree, true, why);
}

/* -- The file ----------------------------------------------------------- */

static json_t *plan_json(const struct plan *plan)
{
	json_t *object = json_object();

	jsonset_text(object, "summary", plan->summary);
	jsonset_text(object, "branch", plan->branch);
	jsonset_text(object, "worktree", plan->worktree);
	jsonset_text(object, "role_plan", plan->role_plan);
	return object;
}

static json_t *until_json(const struct until *u)
{
	json_t *object = json_object();

	switch (u->form) {
	case UNTIL_TICKET:
		jsonset_text(object, "ticket", u->ticket);
		jsonset_text(object, "state", str_of(word(&words_state, (int)u->state)));
		break;
	case UNTIL_AFTER:
		jsonset_time(object, "after", u->after);
		break;
	case UNTIL_HUMAN:
		jsonset_text(object, "gate", STR("human"));
		break;
	case UNTIL_FREE:
		json_object_set_new(object, "free", json_integer(u->free));
		break;
	case UNTIL_NONE:
		break;
	}
	return object;
}

/* Keys in the order of the format. */
static json_t *draft_json(const struct draft *d)
{
	json_t *object = json_object();

	jsonset_text(object, "id", d->id);
	jsonset_text(object, "ticket_id", d->ticket->id);
	jsonset_text(object, "kind", str_of(word(&words_kind, (int)d->kind)));
	jsonset_text(object, "related_ticket", d->other);
	jsonset_text(object, "note", d->note);
	if (kind_row(d->kind)->takes == TAKES_PLAN)
		json_object_set_new(object, "accepted_plan", plan_json(&d->plan));
	if (d->until.form != UNTIL_NONE)
		json_object_set_new(object, "until", until_json(&d->until));
	jsonset_text(object, "retracts", d->retracts);
	jsonset_text(object, "author", d->author);
	/* Milliseconds tell any two decisions apart; more is noise in a file for people. */
	jsonset_time(object, "at", stamp_mark(d->at));
	return object;
}

static const struct copy *copy_in(const struct index *ix, const struct ticket *t, struct str name)
{
	const struct copy *c = t->copies;

	while (c && !str_is(name, index_source(ix, c->source)->name))
		c = c->next;
	return c;
}

static const struct copy *copy_of_authority(const struct index *ix, const struct ticket *t)
{
	const struct copy *c = t->copies;

	while (c && !index_source(ix, c->source)->authority)
		c = c->next;
	return c;
}

const struct copy *draft_where(const struct index *ix, const struct ticket *t, struct str asking,
			       bool to_asking)
{
	const struct copy *c = to_asking ? NULL : copy_of_authority(ix, t);

	c = c ? c : copy_in(ix, t, asking);
	c = c ? c : copy_of_authority(ix, t);
	return c ? c : t->face;
}

struct ledger_entry *draft_entry(const struct index *ix, const struct draft *d,
				 const struct decision *stored)
{
	bool there = stored && !decision_is_lost(stored);
	const struct copy *copy = there ? stored->doc->copy
					: draft_where(ix, d->ticket, d->asking, d->to_asking);
	const struct source *source = index_source(ix, copy->source);
	json_t *object = draft_json(d);
	char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	char *root = xconcat(source->top, "/", source->root, NULL);
	char *name = xasprintf("%.*s.json", STR_ARG(d->id));
	struct ledger_entry *entry = ledger_entry_new(root, copy->dir, name);

	buf_add_str(&entry->bytes, str_of(text));
	buf_add_str(&entry->bytes, STR("\n"));
	free(root);
	free(name);
	entry->said = object;
	free(text);
	return entry;
}

/* -- Asking again ------------------------------------------------------- */

bool draft_is(const struct decision *stored, const struct ledger_entry *entry)
{
	struct str name = str_of(entry->name), bytes = { entry->bytes.at, entry->bytes.len };

	if (artifact_is(stored->doc->content, stored->ticket->id, name, bytes))
		return true;
	/* Read the file as it would be read from the disk: then both went the same way. */
	struct content *asked = artifact_parse(ROLE_RECORD, stored->ticket->id, name, bytes);
	bool same = asked->record_count == 1 && record_same(stored->record, &asked->records[0]);

	content_free(asked);
	return same;
}
