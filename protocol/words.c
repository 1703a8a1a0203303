/* SPDX-License-Identifier: MIT */
#include "words.h"

#include "base.h"

#define WORDS(SET, set, doc) static const struct word set##_list[] = {
#define WORD(SET, ID, name, doc) { name, doc },
#define WORDS_END(SET) };
#include "words.def"
#undef WORDS
#undef WORD
#undef WORDS_END

#define WORDS(SET, set, doc) \
	const struct words words_##set = { #set, doc, set##_list, SET##_COUNT };
#define WORD(...)
#define WORDS_END(SET)
#include "words.def"
#undef WORDS
#undef WORD
#undef WORDS_END

static const struct word kind_list[] = {
#define KIND(ID, name, inverse, code, holds, takes, origin, doc) { name, doc },
#include "kinds.def"
#undef KIND
};

const struct words words_kind = { "kind", "the kind of a record", kind_list, KIND_COUNT };
const struct words words_stored_kind = { "stored_kind", "a kind of record that can be written",
					 kind_list, KIND_STORED_COUNT };

static const struct word reason_list[] = {
#define REASON(ID, name, doc) { name, doc },
#include "reasons.def"
#undef REASON
};

/* NONE stands last and is never given. */
const struct words words_reason = { "reason", "the code of a reason", reason_list, REASON_NONE };

static const struct word problem_list[] = {
#define PROBLEM(ID, name, level, holds, remedy) { name, remedy },
#include "problems.def"
#undef PROBLEM
};

const struct words words_problem = { "problem", "what is wrong with a file", problem_list,
				     PROBLEM_COUNT };

const char *word(const struct words *set, int at)
{
	BUG_IF(at < 0 || at >= set->count);
	return set->list[at].name;
}

int word_find(const struct words *set, struct str name)
{
	for (int i = 0; i < set->count; i++)
		if (str_is(name, set->list[i].name))
			return i;
	return -1;
}

const struct kind_row *kind_row(enum kind kind)
{
	static const struct kind_row rows[] = {
#define KIND(ID, name, inverse, code, holds, takes, origin, doc) \
		{ KIND_##inverse, REASON_##code, HOLDS_##holds, TAKES_##takes, ORIGIN_##origin },
#include "kinds.def"
#undef KIND
	};

	BUG_IF(kind >= KIND_COUNT);
	return &rows[kind];
}

#define HELD_TICKET true
#define HELD_NOTHING false

const struct problem_row *problem_row(enum problem problem)
{
	static const struct problem_row rows[] = {
#define PROBLEM(ID, name, level, holds, remedy) { LEVEL_##level, HELD_##holds },
#include "problems.def"
#undef PROBLEM
	};

	BUG_IF(problem >= PROBLEM_COUNT);
	return &rows[problem];
}
