/* SPDX-License-Identifier: MIT */
#ifndef TP_WORDS_H
#define TP_WORDS_H

#include <stdbool.h>

#include "str.h"

/*
 * The closed sets of words of the protocol (words.def, kinds.def, reasons.def,
 * problems.def) as enumerations, and their wire names and meanings as tables.
 */
struct word {
	const char *name;
	const char *doc;
};

struct words {
	const char *name; /* of the set */
	const char *doc;
	const struct word *list;
	int count;
};

#define WORDS(SET, set, doc) enum set {
#define WORD(SET, ID, name, doc) SET##_##ID,
#define WORDS_END(SET) SET##_COUNT };
#include "words.def"
#undef WORDS
#undef WORD
#undef WORDS_END

enum kind {
#define KIND(ID, ...) KIND_##ID,
#include "kinds.def"
#undef KIND
	KIND_COUNT,
	KIND_STORED_COUNT = KIND_DEPENDENCY_OF /* the derived ones come last */
};

enum reason {
#define REASON(ID, ...) REASON_##ID,
#include "reasons.def"
#undef REASON
	REASON_COUNT
};

enum problem {
#define PROBLEM(ID, ...) PROBLEM_##ID,
#include "problems.def"
#undef PROBLEM
	PROBLEM_COUNT
};

/* One table a set, named words_SET. */
#define WORDS(SET, set, doc) extern const struct words words_##set;
#define WORD(...)
#define WORDS_END(SET)
#include "words.def"
#undef WORDS
#undef WORD
#undef WORDS_END
extern const struct words words_kind;        /* all, derived ones too */
extern const struct words words_stored_kind; /* those that can be written */
extern const struct words words_reason;
extern const struct words words_problem;     /* doc is the remedy */

/* The wire name of value `at` of the set. */
const char *word(const struct words *set, int at);
/* The value of that name, or -1. */
int word_find(const struct words *set, struct str name);

enum kind_holds { HOLDS_SELF, HOLDS_OTHER, HOLDS_BOTH, HOLDS_NOBODY };
enum kind_takes { TAKES_TICKET, TAKES_NOTE, TAKES_PLAN, TAKES_RECORD, TAKES_NOTHING };

struct kind_row {
	enum kind inverse;
	enum reason code;
	enum kind_holds holds;
	enum kind_takes takes;
	enum origin origin;
};

/* What kinds.def says of a kind. */
const struct kind_row *kind_row(enum kind kind);

struct problem_row {
	enum level level;
	bool holds; /* its Ticket is unreadable */
};

const struct problem_row *problem_row(enum problem problem);

#endif
