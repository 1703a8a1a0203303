/* SPDX-License-Identifier: MIT */
/*
 * An artifact of a stranger.  The first byte says which: p a plan file, r
 * relations, anything else a record file.  Whatever it holds, what comes out
 * has all that its kind needs, and flaws have their places in the file.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base.h"
#include "content.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static uint32_t count_lines(struct str text)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	return lines;
}

static void check_flaws(const struct content *c, struct str text)
{
	bool holds = false;

	BUG_IF(c->flaw_count > CONTENT_FLAWS_MAX ||
	       (c->flaws_cut && c->flaw_count < CONTENT_FLAWS_MAX));
	for (uint32_t i = 0; i < c->flaw_count; i++) {
		const struct flaw *f = &c->flaws[i];
		BUG_IF(f->line > count_lines(text) || f->offset < -1 ||
		       f->offset > (int64_t)text.len);
		holds |= problem_row(f->code)->holds;
	}
	BUG_IF(!c->flaws_cut && holds != c->unreadable);
}

static void check_record(const struct content *c, const struct record *r, uint32_t lines)
{
	const enum kind_takes takes = kind_row(r->kind)->takes;

	BUG_IF(r->kind >= KIND_STORED_COUNT || !r->id.len || !r->author.at || r->line > lines);
	BUG_IF((takes == TAKES_TICKET) != (r->other.len > 0) || str_is(r->other, "T-1"));
	BUG_IF((takes == TAKES_PLAN) != (r->plan != NULL) || (r->plan && !r->plan->summary.len));
	BUG_IF((takes == TAKES_RECORD) != (r->retracts.len > 0));
	BUG_IF(takes == TAKES_NOTE && !r->note.len);
	BUG_IF(r->until && (takes != TAKES_NOTE || r->until->form == UNTIL_NONE));
	BUG_IF((c->role == ROLE_PLAN) != (r->line > 0));
	BUG_IF(!utf8_ok(r->id) || !utf8_ok(r->note) || !utf8_ok(r->other) || !utf8_ok(r->author));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const names[] = { "orchestration-plan.jsonl", "relations.json",
					     "R1.json" };
	static const enum role roles[] = { ROLE_PLAN, ROLE_RELATIONS, ROLE_RECORD };
	const int which = len && bytes[0] == 'p' ? 0 : len && bytes[0] == 'r' ? 1 : 2;
	const struct str text = { (const char *)bytes + (len > 0), len - (len > 0) };
	struct content *c = artifact_parse(roles[which], STR("T-1"), str_of(names[which]), text);

	check_flaws(c, text);
	BUG_IF(c->role == ROLE_RECORD && c->record_count > 1);
	for (uint32_t i = 0; i < c->record_count; i++)
		check_record(c, &c->records[i], count_lines(text));
	content_free(c);
	return 0;
}
