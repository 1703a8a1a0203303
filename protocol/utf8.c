/* SPDX-License-Identifier: MIT */
#include "utf8.h"

static const struct {
	unsigned char mask, head;
	uint32_t least; /* below it the form is overlong */
} forms[] = {
	{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
};

size_t utf8_next(struct str text, uint32_t *code)
{
	const unsigned char *at = (const unsigned char *)text.at;

	for (size_t n = 1; n <= 4 && n <= text.len; n++) {
		if ((at[0] & forms[n - 1].mask) != forms[n - 1].head)
			continue;
		uint32_t value = at[0] & (unsigned char)~forms[n - 1].mask;
		for (size_t i = 1; i < n; i++) {
			if ((at[i] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (at[i] & 0x3f);
		}
		if (value < forms[n - 1].least || value > 0x10ffff ||
		    (value >= 0xd800 && value <= 0xdfff))
			return 0;
		*code = value;
		return n;
	}
	return 0;
}

bool utf8_check(struct str text, size_t *bad)
{
	uint32_t code;

	for (size_t i = 0, n; i < text.len; i += n) {
		n = 1;
		/* Plain ASCII is nearly everything: do not decode it. */
		if (!(text.at[i] & '\x80'))
			continue;
		n = utf8_next((struct str){ text.at + i, text.len - i }, &code);
		if (!n) {
			*bad = i;
			return false;
		}
	}
	return true;
}

bool utf8_ok(struct str text)
{
	size_t bad;

	return utf8_check(text, &bad);
}
