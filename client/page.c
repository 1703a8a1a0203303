/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base.h"
#include "plain.h"
#include "utf8.h"

#define WIDTH_UNKNOWN 80
#define GAP           2
/* A text is not cut to less than this, and the line wraps instead. */
#define LEAST 12

struct cell {
	enum style style;
	struct buf text; /* plain already */
	size_t width;
};

/* Tickets are UTF-8 whatever the locale says, and so are their widths. */
static void need_locale(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* Columns of a text that is plain already; a locale costs more than most questions. */
static size_t width_of(struct str plain)
{
	for (size_t i = 0; i < plain.len; i++)
		if ((unsigned char)plain.at[i] >= 0x80) {
			need_locale();
			return plain_width(plain);
		}
	return plain.len;
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void page_init(struct page *page, int fd)
{
	struct winsize size = { 0 };

	*page = (struct page){ 0 };
	if (!isatty(fd))
		return;
	page->colour = wants_colour();
	page->width = WIDTH_UNKNOWN;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		page->width = size.ws_col;
}

void page_release(struct page *page)
{
	buf_release(&page->out);
}

static const char *const codes[] = {
	[STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",     [STYLE_RED] = "\033[31m",
	[STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m", [STYLE_CYAN] = "\033[36m",
};

/* Text that is plain already. */
static void add_styled(struct page *page, enum style style, struct str text)
{
	bool on = page->colour && style != STYLE_PLAIN && text.len;

	if (on)
		buf_add_str(&page->out, str_of(codes[style]));
	buf_add_str(&page->out, text);
	if (on)
		buf_add_str(&page->out, STR("\033[0m"));
}

void page_add(struct page *page, enum style style, struct str text)
{
	struct buf plain = { 0 };

	plain_add(&plain, text);
	add_styled(page, style, (struct str){ plain.at, plain.len });
	buf_release(&plain);
}

void page_addf(struct page *page, enum style style, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	page_add(page, style, str_of(text));
	free(text);
}

void page_line(struct page *page)
{
	buf_add(&page->out, "\n", 1);
}

static void add_spaces(struct page *page, size_t n)
{
	for (; n; n--)
		buf_add(&page->out, " ", 1);
}

void flow_begin(struct flow *flow, struct page *page, struct str lead, size_t at)
{
	*flow = (struct flow){ .page = page, .lead = lead, .lead_width = width_of(lead),
			       .column = at };
}

/* As many words as fit on the line; at least one where it is still empty. */
static struct str flow_fit(const struct flow *flow, struct str text, size_t *width)
{
	size_t limit = flow->page->width, room = limit > flow->column ? limit - flow->column : 0;
	size_t blank = flow->begun;
	struct str fits = { text.at, 0 };

	*width = 0;
	while (fits.len < text.len) {
		const char *from = text.at + fits.len + (fits.len != 0);
		const char *space = memchr(from, ' ', (size_t)(text.at + text.len - from));
		struct str all = { text.at, space ? (size_t)(space - text.at) : text.len };
		size_t columns = width_of(all);
		if (limit && blank + columns > room && (fits.len || flow->begun))
			break;
		fits = all;
		*width = columns;
		if (limit && blank + columns > room)
			break;
	}
	return fits;
}

static void flow_break(struct flow *flow)
{
	page_line(flow->page);
	buf_add_str(&flow->page->out, flow->lead);
	flow->column = flow->lead_width;
	flow->begun = false;
}

void flow_add(struct flow *flow, enum style style, struct str text)
{
	struct buf plain = { 0 };
	size_t width;

	plain_add(&plain, text);
	for (struct str left = { plain.at, plain.len }; left.len;) {
		struct str fits = flow_fit(flow, left, &width);
		if (!fits.len) {
			flow_break(flow);
			continue;
		}
		add_spaces(flow->page, flow->begun);
		add_styled(flow->page, style, fits);
		flow->column += flow->begun + width;
		flow->begun = true;
		size_t taken = fits.len + (fits.len < left.len);
		left.at += taken;
		left.len -= taken;
	}
	buf_release(&plain);
}

static struct str blanks(struct buf *into, size_t n)
{
	into->len = 0;
	buf_addf(into, "%*s", (int)n, "");
	return (struct str){ into->at, into->len };
}

void page_wrap(struct page *page, size_t at, size_t indent, struct str text)
{
	struct buf lead = { 0 };
	size_t width = page->width;
	struct flow flow;

	page->width = width ? width : WIDTH_UNKNOWN;
	flow_begin(&flow, page, blanks(&lead, indent), at);
	flow_add(&flow, STYLE_PLAIN, text);
	page_line(page);
	page->width = width;
	buf_release(&lead);
}

void table_cell(struct table *t, enum style style, struct str text)
{
	struct cell cell = { .style = style };

	plain_add(&cell.text, text);
	cell.width = width_of((struct str){ cell.text.at, cell.text.len });
	t->cells = xrealloc(t->cells, (t->cell_count + 1) * sizeof(*t->cells));
	t->cells[t->cell_count++] = cell;
}

static size_t row_start(const struct table *t, size_t row)
{
	return row ? t->rows[row - 1] : 0;
}

void table_row(struct table *t)
{
	size_t start = row_start(t, t->row_count);

	BUG_IF(t->cell_count - start > TABLE_COLUMNS);
	/* A last cell has nothing behind it that would need to be aligned. */
	for (size_t at = start; at + 1 < t->cell_count; at++)
		if (t->cells[at].width > t->widths[at - start])
			t->widths[at - start] = t->cells[at].width;
	t->rows = xrealloc(t->rows, (t->row_count + 1) * sizeof(*t->rows));
	t->rows[t->row_count++] = t->cell_count;
}

/* As much of a text as fits, with room for an ellipsis. */
static struct str cut_to(struct str text, size_t columns)
{
	size_t used = 0, len = 0;
	uint32_t code;

	while (len < text.len) {
		struct str rest = { text.at + len, text.len - len };
		size_t n = utf8_next(rest, &code);
		int width = wcwidth((wchar_t)code);
		if (used + (size_t)(width > 0 ? width : 0) + 1 > columns)
			break;
		used += (size_t)(width > 0 ? width : 0);
		len += n ? n : 1;
	}
	return (struct str){ text.at, len };
}

/* Below itself, or further left where that would leave no room. */
static void wrap_last(const struct table *t, const struct cell *cell, size_t column,
		      struct page *page)
{
	bool narrow = column + 2 * LEAST > page->width;
	struct buf lead = { 0 };
	struct flow flow;

	flow_begin(&flow, page, blanks(&lead, narrow ? t->indent + GAP : column), column);
	flow_add(&flow, cell->style, (struct str){ cell->text.at, cell->text.len });
	buf_release(&lead);
}

static void print_last(const struct cell *cell, size_t column, bool cut, struct page *page)
{
	struct str text = { cell->text.at, cell->text.len };

	if (!cut || !page->width || column + cell->width <= page->width) {
		add_styled(page, cell->style, text);
		return;
	}
	size_t left = page->width > column + LEAST ? page->width - column : LEAST;
	struct str fits = cell->width > left ? cut_to(text, left) : text;
	add_styled(page, cell->style, fits);
	if (fits.len < text.len)
		add_styled(page, STYLE_DIM, STR("\xe2\x80\xa6"));
}

void table_print_row(const struct table *t, size_t row, struct page *page)
{
	size_t start = row_start(t, row), end = t->rows[row], column = t->indent;

	/* Empty cells at the end would only be blanks. */
	while (end > start && !t->cells[end - 1].text.len)
		end--;
	add_spaces(page, t->indent);
	for (size_t at = start; at < end; at++) {
		const struct cell *cell = &t->cells[at];
		if (at + 1 == end && t->wrap && page->width) {
			wrap_last(t, cell, column, page);
			break;
		}
		if (at + 1 == end) {
			print_last(cell, column, t->cut, page);
			break;
		}
		size_t width = t->widths[at - start];
		add_styled(page, cell->style, (struct str){ cell->text.at, cell->text.len });
		add_spaces(page, width - cell->width + (width ? GAP : 0));
		column += width + (width ? GAP : 0);
	}
	page_line(page);
}

void table_print(const struct table *t, struct page *page)
{
	for (size_t row = 0; row < t->row_count; row++)
		table_print_row(t, row, page);
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		buf_release(&t->cells[i].text);
	free(t->cells);
	free(t->rows);
	*t = (struct table){ 0 };
}
