/* SPDX-License-Identifier: MIT */
/*
 * maketree: write a Ticket tree of any size, for tests and measurements.
 *
 * Every byte follows from the options: each Ticket has random numbers of its
 * own, drawn from the seed and its place in the tree, so the same call makes
 * the same tree anywhere, and another Ticket's id is known without writing it.
 * Ids look like real ones: 13 characters of Crockford's base 32 that count
 * milliseconds (flat layout), or YYYYMMDD-HHMMSS-words (slug layout).  Most
 * Tickets are closed; titles are quoted in either style and some are not
 * English.  Tickets with artifacts get records of every kind in all three
 * forms: artifacts/records/ULID.json, artifacts/orchestration-plan.jsonl and
 * artifacts/relations.json.  Whoever waits is the younger Ticket, so nothing
 * waits in a circle, unless --cycles lets any Ticket wait for any other.
 * --chain N makes the first N Tickets a chain beside that: all are queued, and
 * each is blocked by the next, but for the last, which nothing holds.
 *
 * One line on standard output says what was made: names and numbers.  `text`
 * counts the bytes of the Tickets' ids, titles, states and times, `record_text`
 * those of all values in records, without keys and punctuation.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "buf.h"
#include "stamp.h"
#include "str.h"
#include "ulid.h"
#include "words.h"

#define RECORDS_MAX 64
#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define FIRST_CREATED (INT64_C(1767600000) * SECOND)
/* More than a second, so that ids that count seconds differ too. */
#define CREATED_STEP (61 * SECOND + 7000)

static struct {
	uint64_t seed, tickets, artifacts, records, queued, chain;
	bool slug, cycles;
	const char *dir;
} options = { .seed = 1, .tickets = 350, .artifacts = 33, .records = 2, .queued = 2 };

static struct {
	uint64_t queued, records, files, folders, text, record_text;
} made;

struct rng {
	uint64_t at;
};

struct ticket {
	uint64_t place;
	enum state state;
	char id[128];
	const char *slug; /* the tail of the id, or NULL */
	char title[256];
	bool single; /* which quotes its front matter has */
	bool was_queued;
	int64_t created, queued, updated;
};

enum form { FORM_RECORD, FORM_PLAN, FORM_RELATION };

struct record {
	enum form form;
	enum kind kind;
	uint64_t other;
	char id[64];
	char other_id[128];
	int64_t at;
	struct rng rng; /* for its texts */
};

struct records {
	struct record at[RECORDS_MAX];
	unsigned count;
};

static _Noreturn void die_of(const char *what)
{
	fprintf(stderr, "maketree: cannot write %s below %s: %s\n", what, options.dir,
		strerror(errno));
	exit(1);
}

/* splitmix64 (Steele, Lea and Flood, 2014). */
static uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->at += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The random numbers of one purpose for one Ticket. */
static struct rng rng_of(uint64_t place, uint64_t purpose)
{
	struct rng rng = { options.seed };

	rng.at = rng_next(&rng) ^ (place * 4 + purpose);
	rng.at = rng_next(&rng);
	return rng;
}

static uint64_t below(struct rng *rng, uint64_t n)
{
	return rng_next(rng) % n;
}

static bool percent(struct rng *rng, uint64_t share)
{
	return below(rng, 100) < share;
}

#define PICK(rng, list) ((list)[below((rng), COUNT_OF(list))])

static const char *const verbs[] = {
	"Keep", "Drop", "Check", "Move", "Split", "Show", "Record", "Retry", "Name", "Guard",
	"Test", "Document", "Simplify", "Bound", "Cache", "Don't repeat",
};
static const char *const things[] = {
	"the selection", "stale claims", "the user's draft", "lost updates", "torn records",
	"the event loop", "large answers", "an empty queue", "role prompts", "the \"ready\" mark",
	"old checkouts", "the retry budget", "merge conflicts", "schema errors", "idle workers",
	"long titles",
};
static const char *const places[] = {
	"after a reload", "in the panel", "across checkouts", "before acceptance", "on a full disk",
	"in the registry", "for slow readers", "while git is at work", "at start", "in the review",
	"under load", "without a network",
};
static const char *const foreign[] = {
	"パネルの再読込で選択を保つ", "キューの待ち順を記録する",
	"受付前に依存関係を確認する", "作業ツリーの差分を表示する",
	"Prüfung der Abhängigkeiten vor der Annahme", "Größe der Antworten begrenzen",
	"Réduire les réveils inutiles", "Порядок очереди при сбое",
};
static const char *const authors[] = {
	"orchestrator", "reviewer", "intake", "Zoë Ångström",
};

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The low 5 x `digits` bits; no terminator. */
static void base32(uint64_t value, char *into, int digits)
{
	while (digits--) {
		into[digits] = crockford[value & 31];
		value >>= 5;
	}
}

/* YYYYMMDD-HHMMSS */
static void compact_time(int64_t us, char into[16])
{
	char text[STAMP_MAX];
	char *to = into;

	stamp_text(us, text);
	for (int i = 0; i < 19; i++) {
		if (text[i] == 'T')
			*to++ = '-';
		else if (text[i] >= '0' && text[i] <= '9')
			*to++ = text[i];
	}
	*to = '\0';
}

static enum state draw_state(struct rng *rng)
{
	if (percent(rng, options.queued))
		return STATE_QUEUED;
	uint64_t draw = below(rng, 1000);
	return draw < 860	? STATE_CLOSED
	       : draw < 905	? STATE_DONE
	       : draw < 955	? STATE_PLANNING
	       : draw < 985	? STATE_READY
				: STATE_INPROGRESS;
}

/* The words of an id, made unique by a number. */
static void add_slug(struct ticket *t, const char *verb, const char *thing)
{
	char *to = t->id + strlen(t->id);

	*to++ = '-';
	t->slug = to;
	snprintf(to, 64, "%s %s %" PRIu64, verb, thing, t->place);
	for (; *to; to++) {
		if (*to >= 'A' && *to <= 'Z')
			*to += 'a' - 'A';
		else if ((*to < 'a' || *to > 'z') && (*to < '0' || *to > '9'))
			*to = '-';
	}
}

static void draw_title(struct ticket *t, struct rng *rng)
{
	const char *verb = PICK(rng, verbs), *thing = PICK(rng, things);
	size_t room = sizeof(t->title);

	if (percent(rng, 35))
		snprintf(t->title, room, "%s (%" PRIu64 ")", PICK(rng, foreign), t->place);
	else
		snprintf(t->title, room, "%s %s %s", verb, thing, PICK(rng, places));
	if (options.slug)
		add_slug(t, verb, thing);
}

/* What is to be known of the Ticket at a place, without any file. */
static void ticket_draw(struct ticket *t, uint64_t place)
{
	struct rng rng = rng_of(place, 0);

	*t = (struct ticket){ .place = place };
	t->created = FIRST_CREATED + (int64_t)place * CREATED_STEP;
	if (options.slug)
		compact_time(t->created, t->id);
	else
		base32((uint64_t)t->created / 1000, t->id, 13);
	t->state = draw_state(&rng);
	if (place < options.chain)
		t->state = STATE_QUEUED;
	draw_title(t, &rng);
	t->single = percent(&rng, 50);
	t->was_queued = t->state == STATE_QUEUED || t->state == STATE_INPROGRESS ||
			(t->state >= STATE_DONE && percent(&rng, 60));
	t->created -= t->created % SECOND;
	t->queued = t->created + (int64_t)below(&rng, 86400) * SECOND;
	t->updated = t->queued + (int64_t)below(&rng, 86400) * SECOND;
}

static void add_quoted(struct buf *out, const struct ticket *t, const char *key, const char *text)
{
	buf_addf(out, "%s: %c", key, t->single ? '\'' : '"');
	for (; *text; text++) {
		if (t->single && *text == '\'')
			buf_add(out, "'", 1);
		else if (!t->single && (*text == '"' || *text == '\\'))
			buf_add(out, "\\", 1);
		buf_add(out, text, 1);
	}
	buf_add_str(out, t->single ? STR("'\n") : STR("\"\n"));
}

static void add_time(struct buf *out, const struct ticket *t, const char *key, int64_t us)
{
	char text[STAMP_MAX];

	add_quoted(out, t, key, stamp_text(us, text));
	made.text += strlen(text);
}

static void add_sentence(struct buf *out, struct rng *rng)
{
	buf_addf(out, "%s %s %s", PICK(rng, verbs), PICK(rng, things), PICK(rng, places));
	if (percent(rng, 20))
		buf_addf(out, "; %s", PICK(rng, foreign));
	buf_add_str(out, STR("."));
}

static void add_body(struct buf *out, struct rng *rng)
{
	buf_add_str(out, STR("\n## Background\n\n"));
	for (uint64_t n = 3 + below(rng, 8); n; n--) {
		add_sentence(out, rng);
		buf_add_str(out, n % 3 ? STR(" ") : STR("\n"));
	}
	buf_add_str(out, STR("\n\n## Acceptance criteria\n\n"));
	for (uint64_t n = 1 + below(rng, 5); n; n--) {
		buf_add_str(out, STR("- "));
		add_sentence(out, rng);
		buf_add_str(out, STR("\n"));
	}
}

static void add_slug_fields(struct buf *out, const struct ticket *t)
{
	bool resolved = t->state >= STATE_DONE;

	buf_addf(out, "id: %s\nslug: %s\n", t->id, t->slug);
	add_quoted(out, t, "title", t->title);
	buf_addf(out, "status: %s\nkind: task\npriority: P2\nlabels: [%s]\n",
		 resolved ? "closed" : "open", t->place % 3 ? "panel, queue" : "");
	if (!resolved || t->was_queued)
		buf_addf(out, "workflow_state: %s\n", word(&words_state, (int)t->state));
}

static void add_item(struct buf *out, const struct ticket *t, struct rng *rng)
{
	buf_add_str(out, STR("---\n"));
	if (options.slug) {
		add_slug_fields(out, t);
	} else {
		add_quoted(out, t, "title", t->title);
		add_quoted(out, t, "state", word(&words_state, (int)t->state));
	}
	add_time(out, t, "created_at", t->created);
	add_time(out, t, "updated_at", t->updated);
	if (t->was_queued) {
		add_quoted(out, t, "queued_by", PICK(rng, authors));
		add_time(out, t, "queued_at", t->queued);
	}
	if (percent(rng, 20))
		buf_add_str(out, STR("risk_flags: ['shared state', 'no test']\n"));
	buf_add_str(out, STR("assignee: null\n---\n"));
	add_body(out, rng);
	made.text += strlen(t->id) + strlen(t->title);
	made.text += strlen(word(&words_state, (int)t->state));
}

static enum kind draw_kind(const struct ticket *t, struct rng *rng)
{
	static const struct {
		enum kind kind;
		unsigned share;
	} mix[] = {
		{ KIND_ACCEPTED_PLAN, 38 },
		{ KIND_WAITING_CAPACITY_NOTE, 13 },
		{ KIND_RELATED, 12 },
		{ KIND_DEPENDS_ON, 10 },
		{ KIND_BLOCKED_BY, 9 },
		{ KIND_AFTER, 5 },
		{ KIND_BEFORE, 3 },
		{ KIND_BLOCKS, 2 },
		{ KIND_CONFLICTS_WITH, 2 },
		{ KIND_DO_NOT_PARALLELIZE, 2 },
		{ KIND_RETRACTION, 2 },
		{ KIND_SUPERSEDES, 1 },
		{ KIND_DUPLICATE_OF, 1 },
	};
	uint64_t draw = below(rng, 100);
	unsigned i = 0;

	while (draw >= mix[i].share)
		draw -= mix[i++].share;
	bool early = t->state < STATE_QUEUED || (t->state == STATE_QUEUED && !percent(rng, 10));
	if (mix[i].kind == KIND_ACCEPTED_PLAN && early)
		return KIND_WAITING_CAPACITY_NOTE;
	return mix[i].kind;
}

static enum form draw_form(enum kind kind, struct rng *rng)
{
	bool file = percent(rng, 50);

	switch ((int)kind) {
	case KIND_RETRACTION:
		return FORM_RECORD;
	case KIND_DEPENDS_ON: case KIND_RELATED: case KIND_SUPERSEDES: case KIND_DUPLICATE_OF:
		return file ? FORM_RECORD : FORM_RELATION;
	default:
		return file ? FORM_RECORD : FORM_PLAN;
	}
}

/* Choose the other Ticket of a record; false if there is none that fits. */
static bool draw_other(const struct ticket *t, enum kind kind, struct rng *rng, uint64_t *other)
{
	uint64_t first = 0, end = options.tickets;

	if (!options.cycles && kind_row(kind)->holds == HOLDS_SELF)
		end = t->place;
	if (!options.cycles && kind_row(kind)->holds == HOLDS_OTHER)
		first = t->place + 1;
	if (first >= end)
		return false;
	*other = first + below(rng, end - first);
	return *other != t->place;
}

static bool said_already(const struct records *all, const struct record *r)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->at[i].kind == r->kind && all->at[i].other == r->other)
			return true;
	return false;
}

/* What a retraction takes back: the latest record that has a file and is none itself. */
static const struct record *retractable(const struct records *all)
{
	for (unsigned i = all->count; i--;)
		if (all->at[i].form == FORM_RECORD && all->at[i].kind != KIND_RETRACTION)
			return &all->at[i];
	return NULL;
}

/* Fill in whom or what the record names; false if it cannot be. */
static bool record_aim(struct record *r, const struct ticket *t, const struct records *all,
		       struct rng *rng)
{
	struct ticket other;

	if (r->kind == KIND_RETRACTION) {
		const struct record *old = retractable(all);
		if (old)
			memcpy(r->other_id, old->id, sizeof(r->id));
		return old;
	}
	if (kind_row(r->kind)->takes != TAKES_TICKET)
		return true;
	if (!draw_other(t, r->kind, rng, &r->other) || said_already(all, r))
		return false;
	ticket_draw(&other, r->other);
	memcpy(r->other_id, other.id, sizeof(r->other_id));
	return true;
}

static void record_name(struct record *r, unsigned line)
{
	char time[16];

	if (r->form == FORM_RECORD) {
		base32((uint64_t)r->at / 1000, r->id, 10);
		base32(rng_next(&r->rng), r->id + 10, 8);
		base32(rng_next(&r->rng), r->id + 18, 8);
	} else {
		compact_time(r->at, time);
		snprintf(r->id, sizeof(r->id), "orch-plan-%s-%u", time, line);
	}
}

/* The one record of a link of the chain: the next link blocks it. */
static void records_chain(struct records *all, const struct ticket *t)
{
	struct rng rng = rng_of(t->place, 1);
	struct record r = { .form = FORM_RECORD, .kind = KIND_BLOCKED_BY, .other = t->place + 1,
			    .at = t->queued + SECOND, .rng = { rng_next(&rng) } };
	struct ticket next;

	ticket_draw(&next, r.other);
	memcpy(r.other_id, next.id, sizeof(r.other_id));
	record_name(&r, 1);
	all->at[0] = r;
	all->count = 1;
}

static void records_draw(struct records *all, const struct ticket *t)
{
	struct rng rng = rng_of(t->place, 1);
	int64_t at = t->queued;

	all->count = 0;
	for (unsigned tries = 1; tries <= RECORDS_MAX; tries++) {
		struct record r = { .kind = draw_kind(t, &rng), .rng = { rng_next(&rng) } };

		r.form = draw_form(r.kind, &rng);
		r.at = at += SECOND + (int64_t)below(&rng, 7200) * SECOND;
		record_name(&r, tries);
		if (record_aim(&r, t, all, &rng))
			all->at[all->count++] = r;
		/* Stopping with one chance in N makes N the mean. */
		if (below(&rng, options.records) == 0)
			break;
	}
}

static void add_json(struct buf *out, const char *text)
{
	buf_add_str(out, STR("\""));
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add(out, "\\", 1);
		buf_add(out, text, 1);
	}
	buf_add_str(out, STR("\""));
}

/* What stands before a key: a line each in files, nothing in lines. */
static void add_key(struct buf *out, const char *gap, const char *key)
{
	char last = out->at[out->len - 1];

	buf_addf(out, "%s%s\"%s\":%s", last == '{' ? "" : ",", gap, key, *gap ? " " : "");
}

static void add_pair(struct buf *out, const char *gap, const char *key, const char *text)
{
	add_key(out, gap, key);
	add_json(out, text);
	made.record_text += strlen(text);
}

/* One to three sentences. */
static const char *prose(struct buf *text, struct rng *rng)
{
	text->len = 0;
	for (uint64_t n = 1 + below(rng, 3); n; n--) {
		add_sentence(text, rng);
		if (n > 1)
			buf_add_str(text, STR(" "));
	}
	return buf_text(text);
}

static void add_plan(struct buf *out, const struct record *r, struct rng *rng, struct buf *scratch)
{
	bool file = r->form == FORM_RECORD;
	const char *gap = file ? "\n    " : "";

	add_key(out, file ? "\n  " : "", "accepted_plan");
	buf_add_str(out, STR("{"));
	add_pair(out, gap, "summary", prose(scratch, rng));
	if (percent(rng, 80)) {
		scratch->len = 0;
		buf_addf(scratch, "work/%s", r->id);
		add_pair(out, gap, "branch", buf_text(scratch));
	}
	if (percent(rng, 60))
		add_pair(out, gap, "worktree", "orchestration");
	if (percent(rng, 50))
		add_pair(out, gap, "role_plan", prose(scratch, rng));
	buf_add_str(out, file ? STR("\n  }") : STR("}"));
}

static void add_until(struct buf *out, const struct ticket *t, struct rng *rng)
{
	char time[STAMP_MAX];
	struct ticket other;
	uint64_t place;

	switch (below(rng, 5)) {
	case 0:
		buf_addf(out, ",\n  \"until\": {\n    \"after\": \"%s\"\n  }",
			 stamp_text(t->updated + 24 * HOUR, time));
		break;
	case 1:
		buf_add_str(out, STR(",\n  \"until\": {\n    \"gate\": \"human\"\n  }"));
		break;
	case 2:
		buf_addf(out, ",\n  \"until\": {\n    \"free\": %d\n  }", 1 + (int)below(rng, 8));
		break;
	case 3:
		if (!draw_other(t, KIND_AFTER, rng, &place))
			break;
		ticket_draw(&other, place);
		buf_addf(out,
			 ",\n  \"until\": {\n    \"ticket\": \"%s\",\n    \"state\": \"done\"\n  }",
			 other.id);
		break;
	default:
		break;
	}
}

/* A record as a file of its own or as a line; a relation as an element of its list. */
static void add_record(struct buf *out, const struct ticket *t, const struct record *r)
{
	const char *gap = r->form == FORM_RECORD ? "\n  " : r->form == FORM_PLAN ? "" : "\n      ";
	const char *names = r->form == FORM_RELATION ? "target" : "related_ticket";
	enum kind_takes takes = kind_row(r->kind)->takes;
	struct buf scratch = { 0 };
	struct rng rng = r->rng;
	char at[STAMP_MAX];

	buf_add_str(out, STR("{"));
	if (r->form != FORM_RELATION)
		add_pair(out, gap, "id", r->id);
	add_pair(out, gap, "ticket_id", t->id);
	add_pair(out, gap, "kind", word(&words_kind, (int)r->kind));
	if (takes == TAKES_TICKET)
		add_pair(out, gap, names, r->other_id);
	if (takes == TAKES_NOTE || takes == TAKES_RECORD || percent(&rng, 70))
		add_pair(out, gap, "note", prose(&scratch, &rng));
	if (takes == TAKES_PLAN)
		add_plan(out, r, &rng, &scratch);
	if (takes == TAKES_NOTE && r->form == FORM_RECORD)
		add_until(out, t, &rng);
	if (takes == TAKES_RECORD)
		add_pair(out, gap, "retracts", r->other_id);
	add_pair(out, gap, "author", PICK(&rng, authors));
	add_pair(out, gap, "at", stamp_text(r->at, at));
	buf_add_str(out, r->form == FORM_RECORD  ? STR("\n}\n")
			 : r->form == FORM_PLAN ? STR("}\n")
						: STR("\n    }"));
	buf_release(&scratch);
}

static int make_folder(int parent, const char *name)
{
	if (mkdirat(parent, name, 0777) != 0)
		die_of(name);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die_of(name);
	made.folders++;
	return fd;
}

static void make_file(int parent, const char *name, const struct buf *bytes)
{
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, bytes->at, bytes->len) != (ssize_t)bytes->len || close(fd) != 0)
		die_of(name);
	made.files++;
}

static void make_record_files(int artifacts, const struct ticket *t, const struct records *all,
			      struct buf *bytes)
{
	int folder = -1;

	for (unsigned i = 0; i < all->count; i++) {
		char name[ULID_LEN + sizeof(".json")];

		if (all->at[i].form != FORM_RECORD)
			continue;
		if (folder < 0)
			folder = make_folder(artifacts, "records");
		bytes->len = 0;
		add_record(bytes, t, &all->at[i]);
		snprintf(name, sizeof(name), "%.*s.json", ULID_LEN, all->at[i].id);
		make_file(folder, name, bytes);
	}
	if (folder >= 0)
		close(folder);
}

static void make_plan_file(int artifacts, const struct ticket *t, const struct records *all,
			   struct buf *bytes)
{
	bytes->len = 0;
	for (unsigned i = 0; i < all->count; i++)
		if (all->at[i].form == FORM_PLAN)
			add_record(bytes, t, &all->at[i]);
	if (!bytes->len)
		return;
	make_file(artifacts, "orchestration-plan.jsonl", bytes);
}

static int by_kind_and_target(const void *a, const void *b)
{
	const struct record *const *x = a, *const *y = b;

	if ((*x)->kind != (*y)->kind)
		return (*x)->kind < (*y)->kind ? -1 : 1;
	return strcmp((*x)->other_id, (*y)->other_id);
}

static void make_relations_file(int artifacts, const struct ticket *t, const struct records *all,
				struct buf *bytes)
{
	const struct record *list[RECORDS_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < all->count; i++)
		if (all->at[i].form == FORM_RELATION)
			list[count++] = &all->at[i];
	if (!count)
		return;
	qsort(list, count, sizeof(*list), by_kind_and_target);
	bytes->len = 0;
	buf_add_str(bytes, STR("{\n  \"version\": 1,\n  \"relations\": ["));
	for (unsigned i = 0; i < count; i++) {
		buf_add_str(bytes, i ? STR(",\n    ") : STR("\n    "));
		add_record(bytes, t, list[i]);
	}
	buf_add_str(bytes, STR("\n  ]\n}\n"));
	make_file(artifacts, "relations.json", bytes);
}

static void make_artifacts(int folder, const struct ticket *t, struct buf *bytes)
{
	int artifacts = make_folder(folder, "artifacts");
	struct records all;

	if (t->place < options.chain)
		records_chain(&all, t);
	else
		records_draw(&all, t);
	made.records += all.count;
	make_record_files(artifacts, t, &all, bytes);
	make_plan_file(artifacts, t, &all, bytes);
	make_relations_file(artifacts, t, &all, bytes);
	close(artifacts);
}

/* The last link of the chain waits for nothing. */
static bool draw_artifacts(const struct ticket *t, struct rng *rng)
{
	if (t->place < options.chain)
		return t->place + 1 < options.chain;
	return percent(rng, options.artifacts);
}

static void make_ticket(int parent, const struct ticket *t, struct buf *bytes)
{
	struct rng rng = rng_of(t->place, 2);
	int folder = make_folder(parent, t->id);

	bytes->len = 0;
	add_item(bytes, t, &rng);
	make_file(folder, "item.md", bytes);
	if (draw_artifacts(t, &rng))
		make_artifacts(folder, t, bytes);
	made.queued += t->state == STATE_QUEUED;
	close(folder);
}

static int open_root(const char *dir)
{
	char *path = xstrdup(dir);
	int fd;

	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	mkdir(path, 0777);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die_of("the tree");
	free(path);
	return fd;
}

static void make_tree(void)
{
	int root = open_root(options.dir), open_bucket = root, closed_bucket = root;
	struct buf bytes = { 0 };
	struct ticket t;

	if (options.slug) {
		open_bucket = make_folder(root, "open");
		closed_bucket = make_folder(root, "closed");
		close(make_folder(root, "pending"));
	}
	for (uint64_t i = 0; i < options.tickets; i++) {
		ticket_draw(&t, i);
		make_ticket(t.state >= STATE_DONE ? closed_bucket : open_bucket, &t, &bytes);
	}
	buf_release(&bytes);
	if (options.slug) {
		close(open_bucket);
		close(closed_bucket);
	}
	close(root);
}

static _Noreturn void usage(void)
{
	fputs("usage: maketree [--seed N] [--tickets N] [--layout flat|slug]\n"
	      "                [--artifacts PERCENT] [--records N] [--queued PERCENT]\n"
	      "                [--chain N] [--cycles] DIR\n",
	      stderr);
	exit(2);
}

static uint64_t number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < least || value > most) {
		fprintf(stderr,
			"maketree: --%s takes a whole number from %" PRIu64 " to %" PRIu64
			", not '%s'\n",
			option, least, most, text);
		exit(2);
	}
	return value;
}

static bool is_slug(const char *layout)
{
	if (strcmp(layout, "flat") != 0 && strcmp(layout, "slug") != 0) {
		fprintf(stderr, "maketree: --layout takes flat or slug, not '%s'\n", layout);
		exit(2);
	}
	return layout[0] == 's';
}

static void parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "tickets", required_argument, NULL, 't' },
		{ "layout", required_argument, NULL, 'l' },
		{ "artifacts", required_argument, NULL, 'a' },
		{ "records", required_argument, NULL, 'r' },
		{ "queued", required_argument, NULL, 'q' },
		{ "chain", required_argument, NULL, 'n' },
		{ "cycles", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (letter) {
		case 's': options.seed = number("seed", optarg, 0, UINT32_MAX); break;
		case 't': options.tickets = number("tickets", optarg, 0, 10000000); break;
		case 'l': options.slug = is_slug(optarg); break;
		case 'a': options.artifacts = number("artifacts", optarg, 0, 100); break;
		case 'r': options.records = number("records", optarg, 1, 32); break;
		case 'q': options.queued = number("queued", optarg, 0, 100); break;
		case 'n': options.chain = number("chain", optarg, 0, 10000000); break;
		case 'c': options.cycles = true; break;
		default: usage();
		}
	}
	if (optind + 1 != argc) {
		fputs("maketree: name one folder to write the tree into\n", stderr);
		usage();
	}
	options.dir = argv[optind];
	if (options.tickets < options.chain)
		options.tickets = options.chain;
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	make_tree();
	printf("tickets=%" PRIu64 " queued=%" PRIu64 " records=%" PRIu64 " files=%" PRIu64
	       " folders=%" PRIu64 " text=%" PRIu64 " record_text=%" PRIu64 "\n",
	       options.tickets, made.queued, made.records, made.files, made.folders, made.text,
	       made.record_text);
	return fflush(stdout) == 0 ? 0 : 1;
}
