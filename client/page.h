/* SPDX-License-Identifier: MIT */
#ifndef TP_PAGE_H
#define TP_PAGE_H

#include "buf.h"
#include "str.h"

/*
 * Text for people.  Whatever is added passes plain_add, so that no foreign byte
 * can do anything to a terminal; lines end where page_line says so.
 */
enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_CYAN };

struct page {
	struct buf out;
	bool colour;
	size_t width; /* columns of the terminal; 0: no limit, it is no terminal */
};

/* A page for a descriptor: colour only on a terminal that wants it. */
void page_init(struct page *page, int fd);
void page_release(struct page *page);

void page_add(struct page *page, enum style style, struct str text);
void page_addf(struct page *page, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void page_line(struct page *page);
/* Text of ours wrapped at words, its lines indented but the first, which begins at column `at`. */
void page_wrap(struct page *page, size_t at, size_t indent, struct str text);

/*
 * Text that goes on below itself where the terminal ends; words stay whole, and
 * a pipe gets one line.  `lead` stands before every line but the first, which
 * begins at column `at`; it is ours, and borrowed.
 */
struct flow {
	struct page *page;
	struct str lead;
	size_t lead_width, column;
	bool begun;
};

void flow_begin(struct flow *flow, struct page *page, struct str lead, size_t at);
/* Words; a blank parts them from those before. */
void flow_add(struct flow *flow, enum style style, struct str text);

/*
 * Rows of cells, printed with aligned columns when all are known.  The last cell
 * of a row is not padded; it is cut to the terminal where `cut` says so, or goes
 * on below itself where `wrap` does.
 */
#define TABLE_COLUMNS 16

struct table {
	struct cell *cells;
	size_t cell_count;
	size_t *rows; /* where each ends in cells */
	size_t row_count;
	size_t widths[TABLE_COLUMNS];
	size_t indent;
	bool cut, wrap;
};

void table_cell(struct table *table, enum style style, struct str text);
void table_row(struct table *table);
/* Print one row, or all of them. */
void table_print_row(const struct table *table, size_t row, struct page *page);
void table_print(const struct table *table, struct page *page);
void table_release(struct table *table);

#endif
