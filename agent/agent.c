/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent_private.h"
#include "dispatch.h"
#include "hash.h"
#include "life.h"
#include "log.h"
#include "owner.h"
#include "stamp.h"

/*
 * A time that does not come.  libev wakes once a minute to see whether the wall clock was set,
 * unless a time of it is waited for: then the kernel tells.
 */
#define NEVER_S 4e9

/* -- The turn ----------------------------------------------------------- */

static void on_socket_folder(void *data, struct str name)
{
	struct agent *a = data;

	(void)name;
	a->check_socket = true;
}

static void watch_socket(struct agent *a)
{
	const char *path = a->service.place->socket;
	char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	a->check_socket = false;
	watch_side(a->watch, folder, on_socket_folder, a);
	free(folder);
}

void agent_queue(struct agent *a, struct job *job)
{
	job->next = NULL;
	*a->to_write_last = job;
	a->to_write_last = &job->next;
}

static void give_writes(struct agent *a)
{
	struct job *claims = holders_write(a->holders);

	if (claims)
		agent_queue(a, claims);
	if (!a->to_write)
		return;
	worker_give(a->worker, a->to_write);
	a->to_write = NULL;
	a->to_write_last = &a->to_write;
}

/* A disk that failed once is not trusted until a write got through again. */
static void note_outcome(struct agent *a, const struct ledger_entry *entry)
{
	a->store_failed = entry->result == LEDGER_UNKNOWN ||
			  (a->store_failed && entry->result == LEDGER_FAILED);
	if (entry->result == LEDGER_UNKNOWN) {
		a->store_fault = entry->why;
		log_error("ledger: %s", entry->why.text);
	}
}

/* What was written before this turn's drain must have been seen by it. */
static void check_write(struct agent *a, const struct ledger_entry *entry)
{
	if (entry->result != LEDGER_WRITTEN && entry->result != LEDGER_THERE)
		return;
	sources_wrote(a->sources, entry->root, entry->path);
}

/* What came back, before the index settles: claims are to count in the answers that follow. */
static struct amendment *see_written(struct agent *a, struct job **done)
{
	struct amendment *amended = NULL;

	for (struct job **at = done, *job; (job = *at);) {
		struct ledger_entry *entry = (struct ledger_entry *)job;
		if (job->flow != ledger_write) {
			/* There is one at a time. */
			*at = job->next;
			amended = holders_written(a->holders, (struct registry_write *)job);
			continue;
		}
		const struct call *call = entry->owner;
		if (call->amendment && call->amendment->made_claim)
			holders_recorded(a->holders, call->amendment,
					 entry->result == LEDGER_WRITTEN ||
						 entry->result == LEDGER_THERE);
		at = &job->next;
	}
	return amended;
}

/* What was written is kept too, before anybody asks for it. */
static void note_written(struct agent *a, const struct job *done)
{
	for (; done; done = done->next) {
		const struct ledger_entry *entry = (const struct ledger_entry *)done;
		if (entry->uncopied)
			log_error("ledger: %s", entry->why.text);
		timeline_wrote(a->timeline, entry->dir, entry->name,
			       entry->result == LEDGER_WRITTEN);
	}
}

static void keep_written(struct agent *a, struct job *done)
{
	if (!a->written)
		a->written_last = &a->written;
	*a->written_last = done;
	for (; done; done = done->next)
		a->written_last = &done->next;
}

/* At least one; the others in the next turn, so that who reads does not wait for all of them. */
static void resume_written(struct agent *a, int64_t until)
{
	while (a->written) {
		struct ledger_entry *entry = (struct ledger_entry *)a->written;
		a->written = a->written->next;
		note_outcome(a, entry);
		check_write(a, entry);
		server_resume(a->server, entry->owner);
		if (a->written && ticks_now() >= until) {
			server_again(a->server);
			break;
		}
	}
}

static void resume_amended(struct agent *a, struct amendment *amended)
{
	while (amended) {
		struct amendment *next = amended->next;
		server_resume(a->server, amended->owner);
		amended = next;
	}
}

static void resume_git(struct agent *a, struct call *ready)
{
	while (ready) {
		struct call *call = ready;
		DL_DELETE(ready, call);
		server_go_on(a->server, call);
	}
	timeline_went_on(a->timeline);
}

/* Wake at the next wall-clock time that changes an answer; where there is none, never. */
static void set_clock(struct agent *a)
{
	int64_t next = index_next_time(a->ix);

	if (next == a->clock_at)
		return;
	a->clock_at = next;
	ev_periodic_stop(a->loop, &a->clock);
	ev_periodic_set(&a->clock, next ? (ev_tstamp)next / 1e6 + 0.001 : NEVER_S, 0., NULL);
	ev_periodic_start(a->loop, &a->clock);
}

/* Wake when nobody has to wait for git any more. */
static void set_patience(struct agent *a)
{
	int64_t left = sources_git_left(a->sources);

	if (!left || ev_is_active(&a->patience))
		return;
	ev_timer_set(&a->patience, (ev_tstamp)left / 1e6 + 0.001, 0.);
	ev_timer_start(a->loop, &a->patience);
}

static void on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

/* Where nobody tells of changes, those who listen are served by looking, once a second. */
static void set_look(struct agent *a)
{
	bool look = server_listens(a->server) && sources_blind(a->sources);

	if (look == !!ev_is_active(&a->look))
		return;
	if (!look) {
		ev_timer_stop(a->loop, &a->look);
		return;
	}
	ev_timer_set(&a->look, 1., 1.);
	ev_timer_start(a->loop, &a->look);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *a = timer->data;

	(void)loop;
	(void)events;
	a->look_now = true;
}

static void on_clock(struct ev_loop *loop, ev_periodic *clock, int events)
{
	(void)loop;
	(void)clock;
	(void)events;
}

/* What is somebody else's now is not looked at again; who asks once more hears why at the start. */
static void see_owner(struct agent *a)
{
	struct fault why;

	if (a->stopping || sources_serve(a->sources, STR_NONE, &why))
		return;
	log_error("agent: ending: %s", why.text);
	a->stopping = true;
}

/*
 * Once a turn of the loop, after callbacks that only moved bytes, and in this
 * order.  A request sees every change whose system call had returned before it
 * was sent, for the request was read before the drain began; and a write's
 * answer sees the write, for it had ended before the drain, too.
 */
static void end_turn(struct agent *a)
{
	struct job *done = worker_take(a->worker);
	struct call *ready = timeline_take(a->timeline);
	struct amendment *amended = see_written(a, &done);
	bool look =
		done || a->written || amended || ready || a->look_now || server_asked(a->server);

	a->look_now = false;
	index_pass_time(a->ix, stamp_now());
	note_written(a, done);
	keep_written(a, done);
	holders_turn(a->holders);
	sources_turn(a->sources, look || a->service.waits, look);
	see_owner(a);
	timeline_look(a->timeline, sources_git_changes(a->sources));
	holders_settled(a->holders);
	follow_up(&a->follow, stamp_now());
	set_clock(a);
	if (a->check_socket) {
		server_check_socket(a->server);
		watch_socket(a);
	}
	server_reads(a->server);
	int64_t until = server_until(a->server);
	resume_written(a, until);
	resume_amended(a, amended);
	resume_git(a, ready);
	server_line(a->server);
	server_writes(a->server, until);
	give_writes(a);
	/* A long turn must not count against the clients that waited for it. */
	ev_now_update(a->loop);
	set_patience(a);
	set_look(a);
	server_flush(a->server);
	if (a->stopping && !server_busy(a->server))
		ev_break(a->loop, EVBREAK_ALL);
}

static void on_turn(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	(void)loop;
	(void)events;
	end_turn(prepare->data);
}

/* The turn that follows drains; this only wakes the loop. */
static void on_files(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)io;
	(void)events;
}

/* Urgent is told as "writable", which a table never is otherwise. */
static void on_mounts(struct ev_loop *loop, ev_io *io, int events)
{
	struct agent *a = io->data;

	(void)loop;
	(void)events;
	sources_remounted(a->sources);
}

static void on_wrote(struct ev_loop *loop, ev_async *async, int events)
{
	(void)loop;
	(void)async;
	(void)events;
}

static void on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct agent *a = signal->data;

	(void)loop;
	(void)events;
	a->stopping = true;
}

static void on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *a = timer->data;
	double since;

	(void)events;
	/* Claims live by us: nobody else would see them end. */
	bool idle = server_idle(a->server, &since) && !holders_busy(a->holders);
	ev_tstamp left = idle ? since + a->idle_s - ev_now(loop) : a->idle_s;
	if (idle && left <= 0.) {
		log_info("agent: nobody asked for a while; ending");
		a->stopping = true;
		return;
	}
	ev_timer_set(timer, left, 0.);
	ev_timer_start(loop, timer);
}

/* On the worker's thread. */
static void bg_wake(void *data)
{
	struct agent *a = data;

	ev_async_send(a->loop, &a->wrote);
}

/* -- Life --------------------------------------------------------------- */

static void start_watchers(struct agent *a)
{
	ev_prepare_init(&a->turn, on_turn);
	ev_io_init(&a->files, on_files, watch_fd(a->watch), EV_READ);
	ev_io_init(&a->ends, on_files, holders_fd(a->holders), EV_READ);
	ev_async_init(&a->wrote, on_wrote);
	ev_signal_init(&a->term, on_signal, SIGTERM);
	ev_signal_init(&a->interrupt, on_signal, SIGINT);
	ev_timer_init(&a->idle, on_idle, a->idle_s, 0.);
	ev_periodic_init(&a->clock, on_clock, NEVER_S, 0., NULL);
	ev_init(&a->patience, on_patience);
	ev_init(&a->look, on_look);
	a->turn.data = a->term.data = a->interrupt.data = a->idle.data = a->look.data = a;
	ev_set_priority(&a->files, 1);
	ev_set_priority(&a->ends, 1);
	ev_periodic_start(a->loop, &a->clock);
	ev_prepare_start(a->loop, &a->turn);
	ev_io_start(a->loop, &a->files);
	ev_io_start(a->loop, &a->ends);
	ev_async_start(a->loop, &a->wrote);
	ev_signal_start(a->loop, &a->term);
	ev_signal_start(a->loop, &a->interrupt);
	if (a->idle_s > 0.)
		ev_timer_start(a->loop, &a->idle);
}

static bool may_start(const struct agent *a, const struct agent_options *options,
		      struct fault *why)
{
	if (!options->automatic || git_config_bool(a->git, "ticketplan.autostart", true))
		return true;
	return fault(
		why, FAULT_NO_AGENT,
		"no agent runs and ticketplan.autostart is false; start one with: tpctl start");
}

/* How clients come: by the socket that the lock makes ours, or one by our own descriptors. */
static bool open_door(struct agent *a, const struct agent_options *options, struct fault *why)
{
	if (!options->stdio)
		return server_new(a->loop, &a->service, &a->server, why);
	a->server = server_new_stdio(a->loop, &a->service);
	return true;
}

static bool set_up(struct agent *a, const struct place *place, const struct agent_options *options,
		   struct fault *why)
{
	if (!owner_trusts_place(place, why) || !git_new(place->common, &a->git, why) ||
	    !may_start(a, options, why) ||
	    (!options->stdio && !life_lock(place, options->lock, &a->lock, why)) ||
	    !watch_new(&a->watch, why))
		return false;
	a->loop = ev_loop_new(EVFLAG_NOENV);
	if (!a->loop)
		return fault(why, FAULT_INTERNAL, "libev has no way to wait for events here");
	a->ix = index_new();
	agent_fill_service(a, place, options);
	if (!holders_new(&a->service, place->state, !options->stdio, &a->holders, why))
		return false;
	return open_door(a, options, why);
}

bool agent_new(const struct place *place, const struct agent_options *options, struct agent **into,
	       struct fault *why)
{
	struct agent *a = xcalloc(1, sizeof(*a));

	a->lock = -1;
	a->idle_s = (ev_tstamp)options->idle_ms / 1000.;
	a->to_write_last = &a->to_write;
	if (!set_up(a, place, options, why)) {
		agent_free(a);
		return false;
	}
	start_watchers(a);
	a->worker = worker_new("tpd-worker", bg_wake, a);
	a->timeline = timeline_new(a->ix, a->git, place->common, place->state, !options->stdio,
				   bg_wake, a);
	*into = a;
	return true;
}

static void watch_mounts(struct agent *a)
{
	int fd = sources_mounts_fd(a->sources);

	if (fd < 0)
		return;
	ev_io_init(&a->mounts, on_mounts, fd, EV_WRITE);
	a->mounts.data = a;
	ev_set_priority(&a->mounts, 1);
	ev_io_start(a->loop, &a->mounts);
}

void agent_run(struct agent *a)
{
	const struct place *place = a->service.place;

	index_pass_time(a->ix, stamp_now());
	a->sources = sources_new(a->ix, a->watch, a->git, place->common,
				 strcmp(place->source, "main") == 0 ? place->top : NULL);
	holders_load(a->holders);
	timeline_begin(a->timeline);
	sources_on_record(a->sources, timeline_sighted, a->timeline);
	follow_begin(&a->follow, a->ix, stamp_now());
	if (a->lock >= 0)
		watch_mounts(a);
	watch_socket(a);
	log_info("agent: %zu Tickets of %s", index_count(a->ix), place->common);
	ev_run(a->loop, 0);
	log_info("agent: ending");
}

/* Calls that nobody waits for any more. */
static void drop_waiting(struct service *service)
{
	while (service->waiting) {
		struct call *call = service->waiting;
		DL_DELETE(service->waiting, call);
		call_drop(call);
	}
}

/* Writes that nobody waits for any more. */
static void drop_written(struct agent *a, struct job *done)
{
	keep_written(a, done);
	done = a->written;
	a->written = NULL;
	while (done) {
		struct ledger_entry *entry = (struct ledger_entry *)done;
		bool record = done->flow == ledger_write;
		done = done->next;
		/* The other one is the holders'. */
		if (record)
			call_drop(entry->owner);
	}
	holders_free(a->holders);
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	server_free(a->server);
	drop_written(a, a->worker ? worker_end(a->worker) : NULL);
	ledger_end();
	drop_waiting(&a->service);
	timeline_free(a->timeline);
	if (a->watch)
		watch_end(a->watch);
	sources_free(a->sources);
	watch_free(a->watch);
	follow_release(&a->follow);
	index_free(a->ix);
	git_free(a->git);
	if (a->loop)
		ev_loop_destroy(a->loop);
	if (a->service.zone)
		msgpack_zone_free(a->service.zone);
	free(a->user);
	/* Last: who gets the lock may start. */
	if (a->lock >= 0)
		close(a->lock);
	free(a);
}
