/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <msgpack.h>

#include "base.h"
#include "frame.h"
#include "rpc.h"
#include "wire.h"

struct fixture {
	struct buf out;
	struct wire w;
	msgpack_zone *zone;
};

static int make(void **state)
{
	struct fixture *fx = xcalloc(1, sizeof(*fx));

	wire_init(&fx->w, &fx->out);
	fx->zone = msgpack_zone_new(2048);
	*state = fx;
	return fx->zone ? 0 : -1;
}

static int drop(void **state)
{
	struct fixture *fx = *state;

	buf_release(&fx->out);
	msgpack_zone_free(fx->zone);
	free(fx);
	return 0;
}

static void assert_bytes(struct fixture *fx, struct str expected)
{
	assert_int_equal(fx->out.len, expected.len);
	assert_memory_equal(fx->out.at, expected.at, expected.len);
}

/* What was written, which must be one whole value and nothing more. */
static msgpack_object written(struct fixture *fx)
{
	struct frame f = { 0 };
	struct fault why;
	msgpack_object object;
	size_t at = 0;

	assert_int_equal(frame_scan(&f, (struct str){ fx->out.at, fx->out.len }, RPC_ANSWER_MAX,
				    &why),
			 FRAME_WHOLE);
	assert_int_equal(f.at, fx->out.len);
	assert_int_equal(msgpack_unpack(fx->out.at, fx->out.len, &at, fx->zone, &object),
			 MSGPACK_UNPACK_SUCCESS);
	return object;
}

static void a_map_counts_its_keys(void **state)
{
	struct fixture *fx = *state;

	wire_map(&fx->w);
	wire_put_int(&fx->w, "a", 1);
	wire_put_bool(&fx->w, "b", true);
	wire_put_bool(&fx->w, "c", false);
	wire_key(&fx->w, "d");
	wire_nil(&fx->w);
	wire_put_str(&fx->w, "e", STR("x\0y"));
	wire_end(&fx->w);
	assert_bytes(fx, STR("\xde\x00\x05\xa1"
			     "a\x01\xa1"
			     "b\xc3\xa1"
			     "c\xc2\xa1"
			     "d\xc0\xa1"
			     "e\xa3x\0y"));
}

static void a_list_counts_its_elements(void **state)
{
	struct fixture *fx = *state;

	wire_list(&fx->w);
	wire_int(&fx->w, -1);
	wire_str(&fx->w, STR("ab"));
	wire_nil(&fx->w);
	wire_bool(&fx->w, true);
	wire_raw(&fx->w, "\x92\x01\x02", 3);
	wire_end(&fx->w);
	assert_bytes(fx, STR("\xdd\x00\x00\x00\x05\xff\xa2"
			     "ab\xc0\xc3\x92\x01\x02"));
}

static void nothing_in_it_is_a_count_of_zero(void **state)
{
	struct fixture *fx = *state;

	wire_list(&fx->w);
	wire_map(&fx->w);
	wire_end(&fx->w);
	wire_list(&fx->w);
	wire_end(&fx->w);
	wire_end(&fx->w);
	assert_bytes(fx, STR("\xdd\x00\x00\x00\x02\xde\x00\x00\xdd\x00\x00\x00\x00"));
}

/* A container is one element of the list around it, and none of the map around that. */
static void what_stands_deeper_does_not_count(void **state)
{
	struct fixture *fx = *state;

	wire_map(&fx->w);
	wire_key(&fx->w, "rows");
	wire_list(&fx->w);
	for (int i = 0; i < 3; i++) {
		wire_map(&fx->w);
		wire_put_int(&fx->w, "n", i);
		wire_put_int(&fx->w, "m", i);
		wire_end(&fx->w);
	}
	wire_end(&fx->w);
	wire_put_int(&fx->w, "count", 3);
	wire_end(&fx->w);
	msgpack_object map = written(fx);
	assert_int_equal(map.via.map.size, 2);
	assert_int_equal(map.via.map.ptr[0].val.via.array.size, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(map.via.map.ptr[0].val.via.array.ptr[i].via.map.size, 2);
}

static void an_absent_text_leaves_no_key(void **state)
{
	struct fixture *fx = *state;

	wire_map(&fx->w);
	wire_put_opt(&fx->w, "absent", STR_NONE);
	wire_put_opt(&fx->w, "empty", STR(""));
	wire_put_opt(&fx->w, "text", STR("t"));
	wire_end(&fx->w);
	assert_bytes(fx, STR("\xde\x00\x02\xa5"
			     "empty\xa0\xa4"
			     "text\xa1t"));
}

static void integers_of_every_size_come_back(void **state)
{
	struct fixture *fx = *state;
	static const int64_t numbers[] = {
		0,         127, 128, 255, 256,  65535, 65536,     UINT32_MAX, INT64_C(1) << 32,
		INT64_MAX, -1,  -32, -33, -128, -129,  INT16_MIN, INT32_MIN,  INT64_MIN
	};

	wire_list(&fx->w);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		wire_int(&fx->w, numbers[i]);
	wire_end(&fx->w);
	msgpack_object list = written(fx);
	assert_int_equal(list.via.array.size, COUNT_OF(numbers));
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const msgpack_object *got = &list.via.array.ptr[i];
		assert_int_equal(got->type, numbers[i] < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER
							   : MSGPACK_OBJECT_POSITIVE_INTEGER);
		assert_int_equal(got->via.i64, numbers[i]);
	}
}

static void texts_of_every_length_come_back(void **state)
{
	struct fixture *fx = *state;
	static const size_t lengths[] = { 0, 31, 32, 255, 256, 65535, 65536, 100000 };
	char *text = xmalloc(100000);

	memset(text, 'x', 100000);
	wire_list(&fx->w);
	for (size_t i = 0; i < COUNT_OF(lengths); i++)
		wire_str(&fx->w, (struct str){ text, lengths[i] });
	wire_str(&fx->w, STR_NONE);
	wire_end(&fx->w);
	msgpack_object list = written(fx);
	assert_int_equal(list.via.array.size, COUNT_OF(lengths) + 1);
	for (size_t i = 0; i < COUNT_OF(lengths); i++)
		assert_int_equal(list.via.array.ptr[i].via.str.size, lengths[i]);
	assert_int_equal(list.via.array.ptr[COUNT_OF(lengths)].via.str.size, 0);
	free(text);
}

static void a_list_of_more_than_16_bits_is_counted(void **state)
{
	struct fixture *fx = *state;

	wire_list(&fx->w);
	for (int i = 0; i < 70000; i++)
		wire_nil(&fx->w);
	wire_end(&fx->w);
	assert_int_equal(written(fx).via.array.size, 70000);
}

static void a_time_is_written_as_text(void **state)
{
	struct fixture *fx = *state;

	wire_map(&fx->w);
	wire_put_time(&fx->w, "at", INT64_C(1769860800000000));
	wire_end(&fx->w);
	assert_bytes(fx, STR("\xde\x00\x01\xa2"
			     "at\xb4"
			     "2026-01-31T12:00:00Z"));
}

static struct envelope envelope(struct fixture *fx)
{
	struct envelope e;
	struct fault why;

	written(fx);
	assert_true(envelope_decode((struct str){ fx->out.at, fx->out.len }, fx->zone, &e, &why));
	return e;
}

static void a_request_is_what_the_other_side_reads(void **state)
{
	struct fixture *fx = *state;

	wire_request(&fx->w, UINT32_MAX, "ticket.get");
	wire_map(&fx->w);
	wire_put_str(&fx->w, "ticket", STR("T-1"));
	wire_end(&fx->w);
	struct envelope e = envelope(fx);
	assert_int_equal(e.type, ENVELOPE_REQUEST);
	assert_int_equal(e.msgid, UINT32_MAX);
	assert_true(str_is(e.method, "ticket.get"));
	assert_int_equal(e.params.via.map.size, 1);
}

static void an_answer_is_what_the_other_side_reads(void **state)
{
	struct fixture *fx = *state;

	wire_response(&fx->w, 300);
	wire_map(&fx->w);
	wire_put_str(&fx->w, "clock", STR("a:1"));
	wire_end(&fx->w);
	struct envelope e = envelope(fx);
	assert_int_equal(e.type, ENVELOPE_RESPONSE);
	assert_int_equal(e.msgid, 300);
	assert_false(e.failed);
	assert_int_equal(e.result.via.map.size, 1);
}

static void an_error_is_what_the_other_side_reads(void **state)
{
	struct fixture *fx = *state;

	for (int argument = 0; argument <= 1; argument++) {
		fx->out.len = 0;
		wire_error(&fx->w, 9, argument, STR("held: by T-2"));
		struct envelope e = envelope(fx);
		assert_int_equal(e.type, ENVELOPE_RESPONSE);
		assert_int_equal(e.msgid, 9);
		assert_true(e.failed);
		assert_int_equal(e.argument, argument);
		assert_true(str_is(e.error, "held: by T-2"));
		assert_int_equal(e.result.type, MSGPACK_OBJECT_NIL);
	}
}

static void sixteen_levels_can_be_open(void **state)
{
	struct fixture *fx = *state;

	for (int i = 0; i < WIRE_DEPTH_MAX; i++)
		wire_list(&fx->w);
	for (int i = 0; i < WIRE_DEPTH_MAX; i++)
		wire_end(&fx->w);
	msgpack_object list = written(fx);
	for (int i = 0; i < WIRE_DEPTH_MAX - 1; i++) {
		assert_int_equal(list.via.array.size, 1);
		list = list.via.array.ptr[0];
	}
	assert_int_equal(list.via.array.size, 0);
}

/* Whether it ends the process at once, as a defect of the caller should. */
static bool aborts(void (*wrong)(struct wire *w))
{
	struct buf out = { 0 };
	struct wire w;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		wire_init(&w, &out);
		wrong(&w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void open_too_deep(struct wire *w)
{
	for (int i = 0; i <= WIRE_DEPTH_MAX; i++)
		wire_list(w);
}

static void key_in_a_list(struct wire *w)
{
	wire_list(w);
	wire_key(w, "k");
}

static void key_in_nothing(struct wire *w)
{
	wire_key(w, "k");
}

static void too_many_keys(struct wire *w)
{
	wire_map(w);
	for (int i = 0; i <= UINT16_MAX; i++)
		wire_put_int(w, "k", 0);
	wire_end(w);
}

static void what_would_be_no_message_is_a_bug(void **state)
{
	(void)state;

	assert_true(aborts(wire_end));
	assert_true(aborts(open_too_deep));
	assert_true(aborts(key_in_a_list));
	assert_true(aborts(key_in_nothing));
	assert_true(aborts(too_many_keys));
	assert_false(aborts(wire_list));
}

#define with_wire(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_wire(a_map_counts_its_keys),
		with_wire(a_list_counts_its_elements),
		with_wire(nothing_in_it_is_a_count_of_zero),
		with_wire(what_stands_deeper_does_not_count),
		with_wire(an_absent_text_leaves_no_key),
		with_wire(integers_of_every_size_come_back),
		with_wire(texts_of_every_length_come_back),
		with_wire(a_list_of_more_than_16_bits_is_counted),
		with_wire(a_time_is_written_as_text),
		with_wire(a_request_is_what_the_other_side_reads),
		with_wire(an_answer_is_what_the_other_side_reads),
		with_wire(an_error_is_what_the_other_side_reads),
		with_wire(sixteen_levels_can_be_open),
		cmocka_unit_test(what_would_be_no_message_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
