/* SPDX-License-Identifier: MIT */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent_private.h"
#include "plain.h"
#include "stamp.h"

static bool any_tree(void *data, struct fault *why)
{
	struct agent *a = data;

	return sources_any_tree(a->sources, why);
}

static unsigned long long number_in(const char *path)
{
	unsigned long long number = 0;
	FILE *file = fopen(path, "re");

	if (file && fscanf(file, "%llu", &number) != 1)
		number = 0;
	if (file)
		fclose(file);
	return number;
}

/* The system's, or that of the user namespace where we live. */
static uint64_t watch_limit(void *data)
{
	unsigned long long all = number_in("/proc/sys/fs/inotify/max_user_watches");
	unsigned long long here = number_in("/proc/sys/user/max_inotify_watches");

	(void)data;
	return here && here < all ? here : all;
}

static bool serves(void *data, struct str checkout, struct fault *why)
{
	struct agent *a = data;

	return sources_serve(a->sources, checkout, why);
}

static void keeping(void *data, struct keeping *into)
{
	struct agent *a = data;

	sources_keeping(a->sources, into);
}

/* Names of files may hold any bytes; answers hold text. */
static struct str as_text(struct arena *arena, const char *bytes)
{
	struct buf text = { 0 };

	plain_add(&text, str_of(bytes));
	struct str copy = arena_str(arena, (struct str){ buf_text(&text), text.len });
	buf_release(&text);
	return copy;
}

static struct noted *rescans(void *data, struct arena *arena, size_t *count)
{
	struct agent *a = data;
	struct watch_rescan list[WATCH_RESCANS_KEPT];

	*count = watch_rescans(a->watch, list);
	struct noted *noted = arena_alloc(arena, (*count + 1) * sizeof(*noted));
	for (size_t i = 0; i < *count; i++)
		noted[i] = (struct noted){ .at = list[i].at, .place = as_text(arena, list[i].path),
					   .what = str_of(list[i].why) };
	return noted;
}

static struct noted *events(void *data, struct arena *arena, size_t *count)
{
	struct agent *a = data;
	struct watch_event *list = xcalloc(WATCH_EVENTS_KEPT, sizeof(*list));

	*count = watch_events(a->watch, list);
	struct noted *noted = arena_alloc(arena, (*count + 1) * sizeof(*noted));
	for (size_t i = 0; i < *count; i++) {
		char *what = watch_event_text(&list[i]);
		noted[i] = (struct noted){ list[i].at, as_text(arena, list[i].folder),
					   as_text(arena, list[i].name),
					   arena_str(arena, str_of(what)) };
		free(what);
	}
	free(list);
	return noted;
}

static struct peer *peers(void *data, struct arena *arena, size_t *count)
{
	struct agent *a = data;

	return server_peers(a->server, arena, count);
}

static bool unsettled(void *data)
{
	struct agent *a = data;

	return sources_git_left(a->sources) > 0;
}

static void resync(void *data)
{
	struct agent *a = data;

	a->store_failed = false;
	ledger_trust();
	sources_rescan(a->sources);
}

static bool audit(void *data, struct findings *into, struct fault *why)
{
	struct agent *a = data;

	return sources_audit(a->sources, into, why);
}

static void stop(void *data)
{
	struct agent *a = data;

	a->stopping = true;
}

static struct str user(void *data)
{
	struct agent *a = data;

	free(a->user);
	a->user = git_config_text(a->git, "user.name");
	if (!a->user) {
		struct passwd *me = getpwuid(geteuid());
		a->user = xstrdup(me ? me->pw_name : "unknown");
	}
	return str_of(a->user);
}

static bool thread(void *data, const struct copy *copy, struct buf *text)
{
	struct agent *a = data;

	return sources_thread(a->sources, copy, text);
}

static bool to_asking(void *data)
{
	struct agent *a = data;

	return sources_to_asking(a->sources);
}

static struct str store(void *data)
{
	struct agent *a = data;

	return a->store_failed ? str_of(a->store_fault.text) : STR_NONE;
}

static void queue_write(void *data, struct ledger_entry *entry)
{
	struct agent *a = data;

	entry->keep = timeline_copies(a->timeline);
	timeline_writes(a->timeline, entry->dir, entry->name);
	entry->shares = !server_only_writes(a->server);
	agent_queue(a, &entry->job);
}

static void confirm(void *data, const struct doc *d)
{
	const struct agent *a = data;

	timeline_confirm(a->timeline, d);
}

static struct str written_beside(void *data, struct str ticket, struct str id)
{
	const struct agent *a = data;

	return timeline_written_beside(a->timeline, ticket, id);
}

static bool revision(void *data, struct call *call, unsigned nth, struct str text,
		     struct view **into, struct fault *why)
{
	struct agent *a = data;

	return timeline_revision(a->timeline, call, nth, text, into, why);
}

static bool one_source(void *data, struct str name, struct view **into, struct fault *why)
{
	struct agent *a = data;

	return timeline_source(a->timeline, name, into, why);
}

static bool past(void *data, struct call *call, const struct past **into, struct fault *why)
{
	struct agent *a = data;

	return timeline_past(a->timeline, call, into, why);
}

static bool git_reads(void *data)
{
	struct agent *a = data;

	return timeline_reads(a->timeline);
}

static bool undecided(void *data, bool all)
{
	struct agent *a = data;

	return timeline_undecided(a->timeline, all);
}

static bool kept(void *data, const struct doc *doc, struct buf *into)
{
	struct agent *a = data;

	return timeline_kept(a->timeline, doc, into);
}

static void forget(void *data, const struct doc *doc)
{
	struct agent *a = data;

	timeline_forget(a->timeline, doc);
}

static void await_git(void *data, struct call *call)
{
	struct agent *a = data;

	timeline_await(a->timeline, call);
}

void agent_fill_service(struct agent *a, const struct place *place,
			const struct agent_options *options)
{
	a->service = (struct service){
		.ix = a->ix, .place = place, .started_at = stamp_now(),
		.read_only = options->read_only, .follow = &a->follow, .agent = a,
		.any_tree = any_tree, .serves = serves, .keeping = keeping, .unsettled = unsettled,
		.rescans = rescans, .events = events, .peers = peers, .watch_limit = watch_limit,
		.resync = resync, .audit = audit, .stop = stop, .user = user, .thread = thread,
		.to_asking = to_asking, .store = store, .write = queue_write, .confirm = confirm,
		.written_beside = written_beside, .revision = revision, .one_source = one_source,
		.past = past, .undecided = undecided, .git_reads = git_reads, .kept = kept,
		.forget = forget, .await_git = await_git,
	};
	a->service.zone = msgpack_zone_new(4096);
	ulid_make(a->service.instance);
}

