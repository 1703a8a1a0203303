/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc.h"

/* An answer's envelope, beside the answer. */
#define SLACK 65536

size_t link_ends(const struct link *l, struct pollfd ends[2])
{
	ends[0] = (struct pollfd){ .fd = l->line.in, .events = POLLIN };
	ends[1] = (struct pollfd){ .fd = l->line.out, .events = POLLOUT };
	return l->sent < l->may_send ? 2 : 1;
}

static const msgpack_object *field(const msgpack_object *map, const char *name)
{
	if (map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object *key = &map->via.map.ptr[i].key;
		if (key->type == MSGPACK_OBJECT_STR &&
		    str_is((struct str){ key->via.str.ptr, key->via.str.size }, name))
			return &map->via.map.ptr[i].val;
	}
	return NULL;
}

static uint64_t number(const msgpack_object *map, const char *name)
{
	const msgpack_object *value = field(map, name);

	return value && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? value->via.u64 : 0;
}

bool link_is_right(const struct link *l, const msgpack_object *hello, bool any_age,
		   struct fault *why)
{
	const struct place *place = l->reach->place;
	const msgpack_object *common = field(hello, "common");
	struct str theirs = STR("another repository");

	if (number(hello, "common_dev") == place->dev && number(hello, "common_ino") == place->ino)
		return true;
	if (common && common->type == MSGPACK_OBJECT_STR)
		theirs = (struct str){ common->via.str.ptr, common->via.str.size };
	if (str_is(theirs, place->common))
		return any_age ||
		       fault(why, FAULT_NO_AGENT,
			     "the agent at %s serves a repository that was at %s before; "
			     "run `tpctl stop`, then `tpctl start`",
			     l->reach->path, place->common);
	return fault(why, FAULT_NO_AGENT, "the agent at %s serves %.*s, not %s", l->reach->path,
		     STR_ARG(theirs), place->common);
}

static enum talk send_some(struct link *l, struct fault *why)
{
	while (l->sent < l->may_send) {
		const char *at = l->out->at + l->sent;
		size_t len = l->may_send - l->sent;
		/* Whoever hosts us need not have thought of SIGPIPE. */
		ssize_t n = l->line.agent ? write(l->line.out, at, len)
					  : send(l->line.out, at, len, MSG_NOSIGNAL);
		if (n >= 0)
			l->sent += (size_t)n;
		else if (errno == EAGAIN)
			break;
		else if (errno == EPIPE || errno == ECONNRESET)
			return TALK_ENDED;
		else if (errno != EINTR) {
			fault_errno(why, FAULT_IO, "cannot write to the agent");
			return TALK_FAILED;
		}
	}
	return TALK_DONE;
}

/* What it sent cannot be understood: that is not the asking person's fault. */
static bool gibberish(const struct link *l, struct fault *why)
{
	struct fault what = *why;

	return fault(why, FAULT_INTERNAL, "the agent at %s answered gibberish: %.300s",
		     l->reach->path, what.text);
}

static bool take_messages(struct link *l, link_take *take, void *data, bool *done,
			  struct fault *why)
{
	struct envelope e;

	while (!*done && l->in->len > l->eaten) {
		struct str rest = { l->in->at + l->eaten, l->in->len - l->eaten };
		enum frame_state state = frame_scan(&l->frame, rest, RPC_ANSWER_MAX + SLACK, why);
		if (state == FRAME_MORE)
			break;
		if (state == FRAME_BAD)
			return gibberish(l, why);
		rest.len = l->frame.at;
		l->eaten += rest.len;
		frame_reset(&l->frame);
		if (!envelope_decode(rest, l->zone, &e, why))
			return gibberish(l, why);
		if (!take(data, &e, done, why))
			return false;
	}
	return true;
}

static enum talk receive_some(struct link *l, link_take *take, void *data, bool *done,
			      struct fault *why)
{
	buf_room(l->in, SLACK);
	ssize_t n = read(l->line.in, l->in->at + l->in->len, SLACK);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return TALK_ENDED;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return TALK_DONE;
	if (n < 0) {
		fault_errno(why, FAULT_IO, "cannot read from the agent");
		return TALK_FAILED;
	}
	l->in->len += (size_t)n;
	return take_messages(l, take, data, done, why) ? TALK_DONE : TALK_FAILED;
}

enum talk link_step(struct link *l, link_take *take, void *data, struct fault *why)
{
	bool done = false;

	if (!l->keep && l->eaten) {
		msgpack_zone_clear(l->zone);
		buf_eat(l->in, l->eaten);
		l->eaten = 0;
	}
	enum talk how = send_some(l, why);
	/* After a failed send there may still be a reply that says why. */
	if (how != TALK_FAILED)
		how = receive_some(l, take, data, &done, why);
	return how == TALK_DONE && !done ? TALK_MORE : how;
}
