/* SPDX-License-Identifier: MIT */
#include "plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base.h"
#include "utf8.h"

/* Characters that print as nothing and change how others print. */
static bool invisible(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

static void add_code(struct buf *out, uint32_t c)
{
	if (c == '\n')
		buf_add(out, "\\n", 2);
	else if (c == '\t')
		buf_add(out, "\\t", 2);
	else if (c < 0x100)
		buf_addf(out, "\\x%02x", (unsigned)c);
	else
		buf_addf(out, "\\u{%x}", (unsigned)c);
}

static void add(struct buf *out, struct str text, bool lines)
{
	uint32_t c;

	for (size_t n; text.len; text.at += n, text.len -= n) {
		n = utf8_next(text, &c);
		if (!n) {
			n = 1;
			buf_addf(out, "\\x%02x", (unsigned)(unsigned char)text.at[0]);
		} else if (invisible(c) && !(lines && c == '\n')) {
			add_code(out, c);
		} else {
			buf_add(out, text.at, n);
		}
	}
}

void plain_add(struct buf *out, struct str text)
{
	add(out, text, false);
}

void plain_add_lines(struct buf *out, struct str text)
{
	add(out, text, true);
}

char *plain_word(const char *text)
{
	struct buf word = { 0 };

	if (*text && !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789_./-")])
		return xstrdup(text);
	buf_add_str(&word, STR("'"));
	for (; *text; text++)
		buf_add_str(&word, *text == '\'' ? STR("'\\''") : (struct str){ text, 1 });
	buf_add_str(&word, STR("'"));
	buf_text(&word);
	return word.at;
}

size_t plain_width(struct str text)
{
	struct buf plain = { 0 };
	size_t width = 0;
	uint32_t c;

	plain_add(&plain, text);
	struct str left = { plain.at, plain.len };
	for (size_t n; left.len && (n = utf8_next(left, &c)); left.at += n, left.len -= n) {
		int columns = wcwidth((wchar_t)c);
		width += columns > 0 ? (size_t)columns : 0;
	}
	buf_release(&plain);
	return width;
}
