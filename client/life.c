/* SPDX-License-Identifier: MIT */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "tick.h"

static bool remove_hold(const struct place *place, struct fault *why)
{
	if (unlink(place->hold) == 0 || errno == ENOENT || errno == ENOTDIR)
		return true;
	return fault_errno(why, FAULT_IO, "cannot remove %s", place->hold);
}

/* *made: it was not there before. */
static bool write_hold(const struct place *place, bool *made, struct fault *why)
{
	*made = false;
	if (!place_private(place->state, why))
		return false;
	int fd = open(place->hold, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	*made = fd >= 0;
	if (fd >= 0)
		close(fd);
	else if (errno != EEXIST)
		return fault_errno(why, FAULT_IO, "cannot write %s", place->hold);
	return true;
}

/* These are about the one agent that others reach too. */
static bool may_be_offline(const struct args *args, struct fault *why)
{
	return !args->offline || fault(why, FAULT_USAGE, "%s and --offline contradict each other",
				       args->command->name);
}

bool life_start(const struct args *args, struct outcome *o, struct fault *why)
{
	struct request request;
	struct reach reach;
	struct place place;

	if (args->no_start)
		return fault(why, FAULT_USAGE, "start and --no-start contradict each other");
	if (!may_be_offline(args, why) || !place_find(args->dir, &place, why))
		return false;
	bool ok = remove_hold(&place, why);
	place_release(&place);
	if (!ok)
		return false;
	request_plain(RPC_agent_status, &request);
	ok = run_request(args, START_EXPLICIT, &request, o, &reach, why);
	request_release(&request);
	if (!ok)
		return false;
	page_addf(&o->page, STYLE_PLAIN, "%s: process %lld, socket %s",
		  reach.started ? "started" : "runs already",
		  (long long)json_integer_value(json_object_get(o->answer, "pid")), reach.path);
	page_line(&o->page);
	return true;
}

/* An agent lets go of its lock last of all. */
static bool await_end(const struct place *place, int64_t deadline, struct fault *why)
{
	struct holder holder;

	for (int pause_ms = 1; start_holder(place, &holder, why); pause_ms += pause_ms < 20) {
		if (!holder.held)
			return true;
		if (!tick_left(deadline))
			return fault(why, FAULT_BUSY, "the agent (process %d) is still ending",
				     holder.pid);
		poll(NULL, 0, pause_ms);
	}
	return false;
}

static void say_stopped(struct outcome *o, bool ran)
{
	o->kind = rpc_method(RPC_agent_stop)->kind;
	if (!o->answer)
		o->answer = json_object();
	json_object_set_new(o->answer, "stopped", json_boolean(ran));
	page_addf(&o->page, STYLE_PLAIN, "%s; `tpctl start` starts it again",
		  ran ? "stopped" : "no agent ran, and none will be started");
	page_line(&o->page);
}

bool life_stop(const struct args *args, struct outcome *o, struct fault *why)
{
	int64_t deadline = tick_now() + args->timeout_ms;
	struct reach reach = { .absent = false };
	struct request request;
	struct place place;
	bool made;

	if (!may_be_offline(args, why) || !place_find(args->dir, &place, why))
		return false;
	bool ok = write_hold(&place, &made, why);
	if (ok) {
		request_plain(RPC_agent_stop, &request);
		ok = run_request(args, START_NEVER, &request, o, &reach, why) || reach.absent;
		request_release(&request);
	}
	/* Also where it ended before it could answer: then the second try found nobody. */
	ok = ok && await_end(&place, deadline, why);
	if (ok)
		say_stopped(o, reach.found);
	else if (made)
		unlink(place.hold); /* what could not be stopped shall not seem to be */
	place_release(&place);
	return ok;
}

bool life_socket(const struct args *args, struct outcome *o, struct fault *why)
{
	struct holder holder;
	struct place place;

	if (!place_find(args->dir, &place, why))
		return false;
	bool ok = start_holder(&place, &holder, why);
	if (ok) {
		const char *path = holder.held && *holder.path ? holder.path : place.socket;
		o->kind = "socket";
		o->answer = json_object();
		json_object_set_new(o->answer, "socket", json_string(path));
		json_object_set_new(o->answer, "running", json_boolean(holder.held));
		page_addf(&o->page, STYLE_PLAIN, "%s", path);
		page_line(&o->page);
	}
	place_release(&place);
	return ok;
}
