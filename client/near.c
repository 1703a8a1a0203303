/* SPDX-License-Identifier: MIT */
#include "near.h"

/* Longer words are not worth the square of their length. */
#define LONGEST 40

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return a == b || (a == '_' && b == '-') || (a == '-' && b == '_');
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b. */
static size_t steps(struct str a, struct str b)
{
	size_t rows[3][LONGEST + 1];

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *top = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t edit = above[j - 1] + !same(a.at[i - 1], b.at[j - 1]);
			row[j] = least(edit, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a.at[i - 1], b.at[j - 2]) &&
			    same(a.at[i - 2], b.at[j - 1]))
				row[j] = least(row[j], top[j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
}

struct near near_to(struct str typed)
{
	return (struct near){ typed, NULL, typed.len / 3 + 2 };
}

void near_offer(struct near *near, const char *candidate)
{
	struct str word = str_of(candidate);

	if (near->typed.len > LONGEST || word.len > LONGEST || near->typed.len < 2)
		return;
	size_t distance = str_starts(word, near->typed) ? 1 : steps(near->typed, word);
	if (distance < near->distance && distance < word.len) {
		near->distance = distance;
		near->best = candidate;
	}
}
