/* SPDX-License-Identifier: MIT */
/*
 * An item.md of a stranger: whatever it holds, it comes out as a state and
 * texts that may be shown, or as flaws whose places lie in the file.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base.h"
#include "content.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_flaws(const struct content *c, struct str text)
{
	bool holds = false;
	uint32_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	BUG_IF(c->flaw_count > CONTENT_FLAWS_MAX ||
	       (c->flaws_cut && c->flaw_count < CONTENT_FLAWS_MAX));
	for (uint32_t i = 0; i < c->flaw_count; i++) {
		const struct flaw *f = &c->flaws[i];
		BUG_IF(f->line > lines || f->offset < -1 || f->offset > (int64_t)text.len);
		BUG_IF(!f->text.len);
		holds |= problem_row(f->code)->holds;
	}
	BUG_IF(!c->flaws_cut && holds != c->unreadable);
}

static void check_item(const struct item *item, bool unreadable)
{
	const struct str texts[] = { item->slug, item->title, item->created_at, item->updated_at,
				     item->queued_at };

	BUG_IF(item->state > STATE_UNKNOWN || (item->state == STATE_UNKNOWN) != unreadable);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		BUG_IF(!utf8_ok(texts[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct str text = { (const char *)bytes, len };

	for (int slug = 0; slug < 2; slug++) {
		struct content *c = item_parse(text, slug), *again = item_parse(text, slug);
		BUG_IF(!content_same(c, again) || c->unreadable != again->unreadable);
		check_flaws(c, text);
		BUG_IF(!c->item && !c->unreadable);
		if (c->item)
			check_item(c->item, c->unreadable);
		content_free(c);
		content_free(again);
	}
	return 0;
}
