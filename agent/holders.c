/* SPDX-License-Identifier: MIT */
#include "holders.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "claims.h"
#include "dispatch.h"
#include "draft.h"
#include "log.h"
#include "owner.h"
#include "pids.h"
#include "place.h"
#include "repo.h"
#include "session.h"
#include "stamp.h"

struct holders {
	struct service *service;
	struct index *ix;
	const char *dir;
	bool writable;
	struct pids *pids;
	char boot[40];
	int64_t offset;      /* the wall clock is ahead of the boot-time clock by this */
	struct claims *now;  /* what counts */
	struct claims *next; /* with changes that are not written yet; or NULL */
	struct amendment *joined, **joined_last; /* who waits for `next` */
	struct registry_write *writing;          /* on its way; or NULL */
	bool writing_next;                       /* it is that of `next` */
	bool dirty;                              /* `now` says what the file does not */
	bool unwatched; /* processes may be watched that nobody claims by */
	bool broken;    /* the registry cannot be used */
	bool troubled;  /* or the last write failed: why */
	struct fault why;
	struct fault damage; /* what was lost when it was read; text empty for nothing */
	uint64_t generation; /* of the file */
};

/* -- The index ---------------------------------------------------------- */

static void publish(struct holders *h, struct str ticket)
{
	const struct claim *claim = claims_find(h->now, ticket);

	index_claim(h->ix, ticket, claim && !claim->pending.at ? claim : NULL);
}

static void publish_all(struct holders *h, const struct claims *before)
{
	for (size_t i = 0; before && i < before->count; i++)
		publish(h, before->at[i]->ticket);
	for (size_t i = 0; i < h->now->count; i++)
		publish(h, h->now->at[i]->ticket);
}

/* Let another table count. */
static void put_in_place(struct holders *h, struct claims *claims)
{
	struct claims *before = h->now;

	h->now = claims;
	h->service->claims = claims;
	publish_all(h, before);
	claims_free(before);
	h->unwatched = true;
}

/* -- Ends --------------------------------------------------------------- */

/* Of a claim that counts; in the table to come it ends likewise. */
static void end_claim(struct holders *h, struct claim *claim, enum ending how)
{
	struct claim_end *end = claims_end(h->now, claim, how, stamp_now());

	if (h->next)
		claims_end_too(h->next, end);
	publish(h, end->claim->ticket);
	h->dirty = true;
	log_info("claims: that of %.*s by %.*s has ended: %s", STR_ARG(end->claim->ticket),
		 STR_ARG(end->claim->session), words_ending.list[how].doc);
}

static void on_ended(void *ctx, int64_t pid, uint64_t born)
{
	struct holders *h = ctx;
	struct claim *claim;

	while ((claim = claims_of_process(h->now, pid, born)))
		end_claim(h, claim, ENDING_EXITED);
	/* Those that were to come. */
	while (h->next && (claim = claims_of_process(h->next, pid, born)))
		claims_end(h->next, claim, ENDING_EXITED, stamp_now());
}

/* Renewed in time, though that is not written yet. */
static bool is_renewed(const struct holders *h, const struct claim *claim)
{
	const struct claim *next = h->next ? claims_find(h->next, claim->ticket) : NULL;

	return next && next->token == claim->token && next->until > claim->until;
}

static void expire(struct holders *h, int64_t boot)
{
	struct claim *claim;

	while ((claim = claims_over(h->now, boot)) && !is_renewed(h, claim))
		end_claim(h, claim, ENDING_EXPIRED);
}

static void follow_wall(struct holders *h, int64_t boot)
{
	int64_t offset = stamp_now() - boot, jump = offset - h->offset;

	if (jump < CLAIM_JUMP && jump > -CLAIM_JUMP)
		return;
	h->offset = offset;
	claims_set_wall(h->now, offset);
	if (h->next)
		claims_set_wall(h->next, offset);
	publish_all(h, NULL);
}

void holders_turn(struct holders *h)
{
	int64_t boot;

	pids_drain(h->pids, on_ended, h);
	if (!h->now->count && !h->next)
		return;
	boot = pids_now();
	expire(h, boot);
	follow_wall(h, boot);
}

static bool is_wanted(void *ctx, int64_t pid, uint64_t born)
{
	struct holders *h = ctx;

	return claims_of_process(h->now, pid, born) ||
	       (h->next && claims_of_process(h->next, pid, born));
}

void holders_settled(struct holders *h)
{
	/* The newest come last, and have been told to nobody. */
	for (size_t i = h->now->end_count; i > 0 && !h->now->ends[i - 1]->generation; i--)
		h->now->ends[i - 1]->generation = index_generation(h->ix);
	if (h->unwatched)
		pids_keep(h->pids, is_wanted, h);
	h->unwatched = false;
	pids_alarm(h->pids, claims_next_end(h->now));
}

bool holders_busy(const struct holders *h)
{
	return h->now->count || h->next || h->writing;
}

int holders_fd(const struct holders *h)
{
	return pids_fd(h->pids);
}

/* -- Reading ------------------------------------------------------------ */

static bool in_checkout(const char *top, const char *dir, struct fault *why)
{
	struct repo_path path = { .path = dir + strlen(top) + 1 };
	struct place place;
	struct repo *repo;

	if (!place_find(top, &place, why))
		return false;
	bool ok = owner_trusts_place(&place, why) &&
		  repo_open(place.common, place.common, &repo, why);
	if (ok) {
		ok = repo_stand(repo, top, &path, 1, why);
		repo_close(repo);
	}
	place_release(&place);
	if (!ok || path.standing == REPO_IGNORED)
		return ok;
	return fault(
		why, FAULT_INVALID,
		"%s lies in the checkout %s, and git does not ignore it there: nothing of a claim "
		"may be tracked; set XDG_STATE_HOME to another place, or have git ignore it",
		dir, top);
}

/* Nothing of a claim may come to be tracked by git, ours or another repository. */
static bool is_apart(struct holders *h, struct fault *why)
{
	char *real = realpath(h->dir, NULL);
	struct place place;
	struct fault none;
	bool ok = true;

	if (real && place_find(real, &place, &none)) {
		if (!place.top)
			ok = fault(
				why, FAULT_INVALID,
				"%s lies in the git directory %s, where nothing is ever written; "
				"set XDG_STATE_HOME to another place",
				real, place.common);
		else if (strlen(real) > strlen(place.top))
			ok = in_checkout(place.top, real, why);
		place_release(&place);
	}
	free(real);
	return ok;
}

static void set_trouble(struct holders *h, const struct fault *why)
{
	h->why = *why;
	h->troubled = true;
	log_error("claims: %s", why->text);
}

/* What it says is not to be trusted: begin anew, and keep it for who wants to look. */
static struct claims *begin_anew(struct holders *h, const struct fault *what)
{
	char *name = NULL;
	struct fault why;

	fault(&why, FAULT_INVALID, "%s/" REGISTRY_NAME " was damaged (%s), and all claims are lost",
	      h->dir, what->text);
	if (h->writable && registry_set_aside(h->dir, &name, &why))
		fault(&why, FAULT_INVALID,
		      "the file of claims was damaged (%s), and all claims are lost; it is kept "
		      "as %s",
		      what->text, name);
	free(name);
	log_error("claims: %s", why.text);
	h->damage = why;
	/* Tokens rise though nobody knows the last: none was given in the future. */
	return claims_new((uint64_t)(stamp_now() / 1000));
}

/* Whether the record that a claim waits for is there. */
static bool is_recorded(const struct holders *h, const struct claim *claim)
{
	const struct ticket *t = index_find(h->ix, claim->ticket);

	return t && ticket_record(t, claim->pending);
}

/* What became of a claim while no agent ran. */
static enum ending fate(struct holders *h, struct claim *claim, bool rebooted, int64_t boot)
{
	uint64_t born = claim->born;
	struct fault why;

	if (rebooted)
		return ENDING_REBOOTED;
	if (claim->pending.at && !is_recorded(h, claim))
		return ENDING_UNRECORDED;
	if (claim->lives == LIVES_LEASE)
		return claim->until <= boot ? ENDING_EXPIRED : ENDING_COUNT;
	/* What cannot be looked at is not dead. */
	return pids_watch(h->pids, claim->pid, &born, &why) || why.code != FAULT_NOT_FOUND
		       ? ENDING_COUNT
		       : ENDING_EXITED;
}

static void revive(struct holders *h, const char *boot)
{
	int64_t now = pids_now();
	bool rebooted = strcmp(boot, h->boot) != 0;

	for (size_t i = h->now->count; i > 0; i--) {
		struct claim *claim = h->now->at[i - 1];
		enum ending how = fate(h, claim, rebooted, now);
		if (how != ENDING_COUNT) {
			end_claim(h, claim, how);
		} else if (claim->pending.at) {
			claims_confirm(h->now, claim->ticket);
			h->dirty = true;
		}
	}
	h->offset = stamp_now() - now;
	claims_set_wall(h->now, h->offset);
	publish_all(h, NULL);
}

/* Whether there is a registry now that can be used. */
static bool load(struct holders *h)
{
	struct buf text = { 0 };
	struct claims *claims = NULL;
	char boot[40] = "";
	struct fault why;
	enum registry_state state = REGISTRY_REFUSED;

	if (is_apart(h, &why))
		state = registry_read(h->dir, &text, &h->generation, &why);
	if (state == REGISTRY_READ &&
	    !claims_read((struct str){ text.at, text.len }, boot, &claims, &why))
		state = REGISTRY_DAMAGED;
	buf_release(&text);
	h->broken = state == REGISTRY_REFUSED;
	h->troubled = false;
	if (state == REGISTRY_NONE)
		claims = claims_new((uint64_t)(stamp_now() / 1000));
	else if (state == REGISTRY_DAMAGED)
		claims = begin_anew(h, &why);
	else if (state == REGISTRY_REFUSED)
		set_trouble(h, &why);
	if (!claims)
		return false;
	put_in_place(h, claims);
	revive(h, boot);
	return true;
}

void holders_load(struct holders *h)
{
	load(h);
	index_settle(h->ix);
	holders_settled(h);
}

/* -- Changing ----------------------------------------------------------- */

static struct claims *amend(struct holders *h, struct fault *why)
{
	/* Whatever was wrong with it may have been put right. */
	if (h->broken && !load(h)) {
		*why = h->why;
		return NULL;
	}
	if (!h->next)
		h->next = claims_copy(h->now);
	return h->next;
}

static void join(struct holders *h, struct amendment *amendment)
{
	amendment->next = NULL;
	*h->joined_last = amendment;
	h->joined_last = &amendment->next;
	h->service->amending = true;
}

static bool process(struct holders *h, int64_t pid, uint64_t *born, struct fault *why)
{
	h->unwatched = true;
	return pids_watch(h->pids, pid, born, why);
}

static void remember(struct holders *h, struct str record, struct str path)
{
	claims_remember_path(h->now, record, path);
	if (h->next)
		claims_remember_path(h->next, record, path);
	h->dirty = true;
}

static struct str registry(const struct holders *h)
{
	if (h->troubled)
		return str_of(h->why.text);
	return h->damage.text[0] ? str_of(h->damage.text) : STR_NONE;
}

struct job *holders_write(struct holders *h)
{
	bool changed = h->joined != NULL;

	if (h->writing)
		return NULL;
	if (!changed) {
		claims_free(h->next);
		h->next = NULL;
	}
	if (!h->writable || h->broken || (!changed && !h->dirty))
		return NULL;
	h->writing = registry_write_new(h->dir, ++h->generation);
	h->writing_next = changed;
	h->dirty = false;
	claims_write(changed ? h->next : h->now, h->boot, &h->writing->bytes);
	registry_write_seal(h->writing);
	h->service->amending = false;
	h->service->amended = true;
	return &h->writing->job;
}

/* It could not be written: all is as before, but no token is given twice. */
static void give_up(struct holders *h)
{
	h->now->token = h->next->token > h->now->token ? h->next->token : h->now->token;
	claims_free(h->next);
	h->next = NULL;
	h->unwatched = true;
}

struct amendment *holders_written(struct holders *h, struct registry_write *write)
{
	struct amendment *waited = h->joined;
	bool failed = write->result != REGISTRY_WRITTEN;

	BUG_IF(write != h->writing);
	h->writing = NULL;
	h->service->amended = false;
	if (failed)
		set_trouble(h, &write->why);
	else
		h->troubled = false;
	for (struct amendment *a = h->writing_next ? waited : NULL; a; a = a->next) {
		a->ended = true;
		if (failed)
			a->why = write->why;
		a->failed |= failed;
	}
	registry_write_free(write);
	if (!h->writing_next)
		return NULL;
	h->joined = NULL;
	h->joined_last = &h->joined;
	if (failed) {
		give_up(h);
	} else {
		struct claims *next = h->next;
		h->next = NULL;
		put_in_place(h, next);
	}
	return waited;
}

void holders_recorded(struct holders *h, const struct amendment *amendment, bool there)
{
	struct claim *claim = claims_find(h->now, amendment->tickets[0]);

	if (!claim || !claim->pending.at || !str_is(claim->pending, amendment->record))
		return;
	h->dirty = true;
	if (!there) {
		end_claim(h, claim, ENDING_UNRECORDED);
		return;
	}
	claims_confirm(h->now, claim->ticket);
	publish(h, amendment->tickets[0]);
}

/* -- Life --------------------------------------------------------------- */

bool holders_new(struct service *service, const char *dir, bool writable, struct holders **into,
		 struct fault *why)
{
	struct holders *h = xcalloc(1, sizeof(*h));

	*into = h;
	*h = (struct holders){ .service = service,
			       .ix = service->ix,
			       .dir = dir,
			       .writable = writable,
			       .now = claims_new(1) };
	h->joined_last = &h->joined;
	pids_boot(h->boot);
	service->holders = h;
	service->claims = h->now;
	service->session = session_of_user(geteuid());
	service->boot_now = pids_now;
	service->amend = amend;
	service->join = join;
	service->process = process;
	service->recorded = holders_recorded;
	service->remember = remember;
	service->registry = registry;
	return pids_new(&h->pids, why);
}

void holders_free(struct holders *h)
{
	if (!h)
		return;
	while (h->joined) {
		struct amendment *next = h->joined->next;
		call_drop(h->joined->owner);
		h->joined = next;
	}
	for (size_t i = 0; i < h->now->count; i++)
		index_claim(h->ix, h->now->at[i]->ticket, NULL);
	registry_write_free(h->writing);
	claims_free(h->next);
	claims_free(h->now);
	pids_free(h->pids);
	free(h->service->session);
	free(h);
}
