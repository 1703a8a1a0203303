/* SPDX-License-Identifier: MIT */
#include "talk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base.h"

void talk_open(struct talk *t, const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 20 };

	BUG_IF(strlen(socket_path) >= sizeof(address.sun_path));
	strcpy(address.sun_path, socket_path);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	BUG_IF(t->fd < 0);
	BUG_IF(setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0);
	BUG_IF(connect(t->fd, (struct sockaddr *)&address, sizeof(address)) < 0);
}

void talk_close(struct talk *t)
{
	close(t->fd);
	t->fd = -1;
	buf_release(&t->in);
}

void talk_send(const struct talk *t, struct buf *request)
{
	ssize_t put = send(t->fd, request->at, request->len, MSG_NOSIGNAL);

	BUG_IF(put < 0 || (size_t)put != request->len);
	buf_release(request);
}

bool talk_receive(struct talk *t, msgpack_zone *zone, struct envelope *e)
{
	struct frame frame;
	struct fault why;
	enum frame_state state = FRAME_MORE;

	frame_reset(&frame);
	t->in.len = 0;
	while (state == FRAME_MORE) {
		buf_room(&t->in, 64 * 1024);
		ssize_t got = recv(t->fd, t->in.at + t->in.len, 64 * 1024, 0);
		/* Also where no signal came: what io_uring has still to do interrupts calls. */
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		t->in.len += (size_t)got;
		state = frame_scan(&frame, (struct str){ t->in.at, t->in.len }, RPC_ANSWER_MAX,
				   &why);
	}
	return state == FRAME_WHOLE &&
	       envelope_decode((struct str){ t->in.at, t->in.len }, zone, e, &why);
}

const msgpack_object *talk_member(const msgpack_object *map, const char *name)
{
	for (uint32_t i = 0; map && map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[i];
		if (str_is((struct str){ kv->key.via.str.ptr, kv->key.via.str.size }, name))
			return &kv->val;
	}
	return NULL;
}

struct str talk_text(const msgpack_object *map, const char *name)
{
	const msgpack_object *value = talk_member(map, name);

	if (!value || value->type != MSGPACK_OBJECT_STR)
		return STR_NONE;
	return (struct str){ value->via.str.ptr, value->via.str.size };
}
