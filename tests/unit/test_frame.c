/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "buf.h"
#include "frame.h"
#include "rpc.h"

struct seen {
	enum frame_state state;
	size_t end;
	struct fault why;
};

/* What frame_scan says of bytes that lie in a block of just their size. */
static struct seen scan(struct str bytes, size_t max)
{
	struct frame f = { 0 };
	struct seen seen = { 0 };
	char *exact = xmalloc(bytes.len);

	if (bytes.len)
		memcpy(exact, bytes.at, bytes.len);
	seen.state = frame_scan(&f, (struct str){ exact, bytes.len }, max, &seen.why);
	seen.end = f.at;
	free(exact);
	return seen;
}

/* The same, where each byte comes by itself and the bytes move each time. */
static struct seen scan_bytewise(struct str bytes, size_t max)
{
	struct frame f = { 0 };
	struct seen seen = { .state = FRAME_MORE };

	for (size_t n = 0; n <= bytes.len && seen.state == FRAME_MORE; n++) {
		char *exact = xstrndup(bytes.at, n);
		exact = xrealloc(exact, n);
		seen.state = frame_scan(&f, (struct str){ exact, n }, max, &seen.why);
		free(exact);
	}
	seen.end = f.at;
	return seen;
}

static void assert_whole(struct str bytes, size_t end)
{
	struct seen at_once = scan(bytes, RPC_MESSAGE_MAX);
	struct seen bytewise = scan_bytewise(bytes, RPC_MESSAGE_MAX);

	assert_int_equal(at_once.state, FRAME_WHOLE);
	assert_int_equal(at_once.end, end);
	assert_int_equal(bytewise.state, FRAME_WHOLE);
	assert_int_equal(bytewise.end, end);
}

static void assert_more(struct str bytes)
{
	assert_int_equal(scan(bytes, RPC_MESSAGE_MAX).state, FRAME_MORE);
	assert_int_equal(scan_bytewise(bytes, RPC_MESSAGE_MAX).state, FRAME_MORE);
}

static void assert_bad(struct str bytes, const char *text)
{
	struct seen seen = scan(bytes, RPC_MESSAGE_MAX);

	assert_int_equal(seen.state, FRAME_BAD);
	assert_int_equal(seen.why.code, FAULT_BAD_MESSAGE);
	assert_string_equal(seen.why.text, text);
	seen = scan_bytewise(bytes, RPC_MESSAGE_MAX);
	assert_int_equal(seen.state, FRAME_BAD);
	assert_int_equal(seen.why.code, FAULT_BAD_MESSAGE);
	assert_string_equal(seen.why.text, text);
}

#define TOO_LONG "a message of more than 1048576 bytes"
#define TOO_DEEP "a message of more than 16 levels"
#define REQUEST  "\x94\x00\x07\xacticket.check\x91\x81\xa6ticket\xa3T-1"

static void a_message_ends_where_its_last_value_ends(void **state)
{
	(void)state;

	assert_whole(STR(REQUEST), sizeof(REQUEST) - 1);
	assert_whole(STR("\x00"), 1);
	assert_whole(STR("\x90"), 1);
	assert_whole(STR("\x80"), 1);
	assert_whole(STR("\xa0"), 1);
	assert_whole(STR("\x82\x01\x02\x03\x92\x90\x81\xa1x\xc0"), 10);
	assert_whole(STR("\xdc\x00\x02\xc2\xde\x00\x01\xd9\x01x\xcb-8-bytes"), 19);
	assert_whole(STR("\xdd\x00\x00\x00\x01\xdf\x00\x00\x00\x00"), 10);
}

static void extension_types_are_values_like_others(void **state)
{
	(void)state;

	assert_whole(STR("\xd4\x01.\xc0"), 3);
	assert_whole(STR("\xd8\x01"
			 "0123456789abcdef\xc0"),
		     18);
	assert_whole(STR("\xc7\x00\x05\xc0"), 3);
	assert_whole(STR("\xc7\x02\x05..\xc0"), 5);
	assert_whole(STR("\xc8\x00\x01\x05.\xc0"), 5);
	assert_whole(STR("\xc9\x00\x00\x00\x01\x05.\xc0"), 7);
}

static void the_second_message_is_found_behind_the_first(void **state)
{
	(void)state;
	const struct str two = STR(REQUEST "\x93\x02\xa1n\x90"
					   "rest");
	size_t first = sizeof(REQUEST) - 1;
	struct frame f = { 0 };
	struct fault why;

	assert_int_equal(frame_scan(&f, two, RPC_MESSAGE_MAX, &why), FRAME_WHOLE);
	assert_int_equal(f.at, first);
	const struct str rest = { two.at + first, two.len - first };
	assert_int_equal(frame_scan(&f, rest, RPC_MESSAGE_MAX, &why), FRAME_WHOLE);
	assert_int_equal(f.at, 5);
	frame_reset(&f);
	assert_int_equal(frame_scan(&f, rest, RPC_MESSAGE_MAX, &why), FRAME_WHOLE);
	assert_int_equal(f.at, 5);
}

static void a_reset_forgets_half_a_message(void **state)
{
	(void)state;
	struct frame f = { 0 };
	struct fault why;

	assert_int_equal(frame_scan(&f, STR("\x93\x91\x01"), 100, &why), FRAME_MORE);
	frame_reset(&f);
	assert_int_equal(frame_scan(&f, STR("\x91\x01"), 100, &why), FRAME_WHOLE);
	assert_int_equal(f.at, 2);
}

static void every_part_of_a_message_asks_for_more(void **state)
{
	(void)state;
	const struct str whole = STR(REQUEST);

	assert_more(STR_NONE);
	for (size_t n = 0; n < whole.len; n++)
		assert_more((struct str){ whole.at, n });
}

static void a_length_cut_short_asks_for_more(void **state)
{
	(void)state;
	static const char heads[] = "\xc4\xc5\xc6\xc7\xc8\xc9\xd9\xda\xdb\xdc\xdd\xde\xdf";

	for (size_t i = 0; i < sizeof(heads) - 1; i++)
		assert_more((struct str){ heads + i, 1 });
	assert_more(STR("\xdb\x00\x00\x00"));
	assert_more(STR("\xdc\x00"));
}

/* A text with a head of five bytes, as long as the message is to be. */
static struct buf text_of_length(size_t whole)
{
	struct buf buf = { 0 };
	size_t n = whole - 5;

	buf_addf(&buf, "\xdb%c%c%c%c", (int)(n >> 24), (int)(n >> 16 & 255), (int)(n >> 8 & 255),
		 (int)(n & 255));
	buf_room(&buf, n);
	memset(buf.at + buf.len, 'x', n);
	buf.len += n;
	return buf;
}

static void a_message_of_exactly_the_limit_is_whole(void **state)
{
	(void)state;
	struct buf buf = text_of_length(RPC_MESSAGE_MAX);
	struct seen seen = scan((struct str){ buf.at, buf.len }, RPC_MESSAGE_MAX);

	assert_int_equal(buf.len, RPC_MESSAGE_MAX);
	assert_int_equal(seen.state, FRAME_WHOLE);
	assert_int_equal(seen.end, RPC_MESSAGE_MAX);
	seen = scan((struct str){ buf.at, buf.len - 1 }, RPC_MESSAGE_MAX);
	assert_int_equal(seen.state, FRAME_MORE);
	buf_release(&buf);
}

static void one_byte_more_than_the_limit_is_refused_by_its_head(void **state)
{
	(void)state;
	struct buf buf = text_of_length(RPC_MESSAGE_MAX + 1);

	assert_int_equal(scan((struct str){ buf.at, buf.len }, RPC_MESSAGE_MAX).state, FRAME_BAD);
	assert_bad((struct str){ buf.at, 5 }, TOO_LONG);
	buf_release(&buf);
}

/* Each value fits, all of them do not. */
static void many_small_values_past_the_limit_are_refused(void **state)
{
	(void)state;
	const struct str nine = STR("\x94\xa1"
				    "a\xa1"
				    "b\xa1"
				    "c\xa1"
				    "d");

	assert_int_equal(scan(nine, 9).state, FRAME_WHOLE);
	assert_int_equal(scan(nine, 8).state, FRAME_BAD);
	assert_int_equal(scan_bytewise(nine, 9).state, FRAME_WHOLE);
	assert_int_equal(scan_bytewise(nine, 8).state, FRAME_BAD);
}

static void the_last_byte_may_not_lie_behind_the_limit(void **state)
{
	(void)state;
	const struct str seven = STR("\x92\x94\xc0\xc0\xc0\xc0\xc0");
	const struct str half_a_head = STR("\x92\xa5"
					   "xxxxx\xdc\x00");

	assert_int_equal(scan(seven, 7).state, FRAME_WHOLE);
	assert_int_equal(scan(seven, 6).state, FRAME_BAD);
	assert_int_equal(scan_bytewise(seven, 6).state, FRAME_BAD);
	assert_int_equal(scan(half_a_head, 9).state, FRAME_MORE);
	assert_int_equal(scan(half_a_head, 8).state, FRAME_BAD);
	assert_int_equal(scan_bytewise(half_a_head, 8).state, FRAME_BAD);
}

static void values_that_never_end_are_refused_at_the_limit(void **state)
{
	(void)state;
	char *bytes = xmalloc(RPC_MESSAGE_MAX);
	struct seen seen;

	memset(bytes, 0xcc, RPC_MESSAGE_MAX); /* each the other's payload */
	memcpy(bytes, "\xdd\x00\x0f\xff\xf0", 5);
	seen = scan((struct str){ bytes, RPC_MESSAGE_MAX - 1 }, RPC_MESSAGE_MAX);
	assert_int_equal(seen.state, FRAME_MORE);
	seen = scan((struct str){ bytes, RPC_MESSAGE_MAX }, RPC_MESSAGE_MAX);
	assert_int_equal(seen.state, FRAME_BAD);
	assert_string_equal(seen.why.text, TOO_LONG);
	free(bytes);
}

static void a_list_longer_than_the_message_is_refused(void **state)
{
	(void)state;

	assert_bad(STR("\xdd\x10\x00\x00\x00"), TOO_LONG);
	assert_bad(STR("\xdd\xff\xff\xff\xff"), TOO_LONG);
	assert_bad(STR("\x92\x01\xdd\x00\x10\x00\x00"), TOO_LONG);
}

static void a_map_whose_pairs_cannot_fit_is_refused(void **state)
{
	(void)state;

	assert_bad(STR("\xdf\x80\x00\x00\x01"), TOO_LONG); /* twice that is 2 in 32 bits */
	assert_bad(STR("\xdf\xff\xff\xff\xff"), TOO_LONG);
	assert_bad(STR("\xdf\x00\x08\x00\x00"), TOO_LONG);
	assert_more(STR("\xdf\x00\x07\xff\xfd"));
}

static void a_string_longer_than_the_message_is_refused(void **state)
{
	(void)state;

	assert_bad(STR("\xdb\xff\xff\xff\xff"), TOO_LONG);
	assert_bad(STR("\xc6\xff\xff\xff\xff"), TOO_LONG);
	assert_bad(STR("\xc9\xff\xff\xff\xff"), TOO_LONG); /* and the type byte */
	assert_bad(STR("\x91\xdb\x00\x10\x00\x00"), TOO_LONG);
}

/* `levels` containers, one in the other, with a nil in the innermost. */
static struct buf nested(const char *level, size_t levels)
{
	struct buf buf = { 0 };

	for (size_t i = 0; i < levels; i++)
		buf_add(&buf, level, strlen(level));
	buf_add(&buf, "\xc0", 1);
	return buf;
}

static void sixteen_levels_are_whole(void **state)
{
	(void)state;
	static const char *const levels[] = { "\x91", "\x81\xa1k" };

	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		struct buf buf = nested(levels[i], 16);
		assert_whole((struct str){ buf.at, buf.len }, buf.len);
		buf_release(&buf);
	}
}

static void seventeen_levels_are_refused(void **state)
{
	(void)state;
	static const char *const levels[] = { "\x91", "\x81\xa1k", "\x92\xc2" };
	static const size_t depths[] = { 17, 18, 1000 };

	for (size_t i = 0; i < COUNT_OF(levels) * COUNT_OF(depths); i++) {
		struct buf buf = nested(levels[i % 3], depths[i / 3]);
		assert_bad((struct str){ buf.at, buf.len }, TOO_DEEP);
		buf_release(&buf);
	}
}

static void an_empty_list_on_the_seventeenth_level_is_refused(void **state)
{
	(void)state;
	struct buf buf = nested("\x91", 16);

	buf.at[16] = '\x90';
	assert_bad((struct str){ buf.at, buf.len }, TOO_DEEP);
	buf.at[15] = '\x90';
	assert_whole((struct str){ buf.at, buf.len }, 16);
	buf_release(&buf);
}

/* A level that is left does not count: the depth is not a sum. */
static void a_thousand_lists_side_by_side_are_whole(void **state)
{
	(void)state;
	struct buf buf = { 0 };

	buf_addf(&buf, "\xdc\x03\xe8");
	for (int i = 0; i < 1000; i++)
		buf_add(&buf, i % 2 ? "\x90" : "\x91\x81\x01\x90", i % 2 ? 1 : 4);
	assert_whole((struct str){ buf.at, buf.len }, buf.len);
	buf_release(&buf);
}

static void the_byte_that_is_no_value_is_refused(void **state)
{
	(void)state;

	assert_bad(STR("\xc1"), "not MessagePack: byte 0xc1 at 0");
	assert_bad(STR("\x92\x01\xc1"), "not MessagePack: byte 0xc1 at 2");
	assert_bad(STR("\x81\xa1k\x91\xc1\xc0"), "not MessagePack: byte 0xc1 at 4");
	assert_whole(STR("\x91\xa1\xc1"), 3); /* within a text it is a byte like others */
}

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A head byte, a small length where it takes one, and bytes that are mostly short values. */
static void fill_random(uint8_t head, uint8_t *at, size_t len, uint32_t *seed)
{
	static const uint8_t fields[32] = {
		[0x04] = 1, [0x05] = 2, [0x06] = 4, [0x07] = 1, [0x08] = 2, [0x09] = 4, [0x19] = 1,
		[0x1a] = 2, [0x1b] = 4, [0x1c] = 2, [0x1d] = 4, [0x1e] = 2, [0x1f] = 4,
	};
	size_t field = head >= 0xc0 && head < 0xe0 ? fields[head - 0xc0] : 0;

	for (size_t i = 0; i < len; i++) {
		uint32_t r = draw(seed);
		at[i] = (uint8_t)(r & 0x700 ? r & 0x7f : r & 0xff);
	}
	at[0] = head;
	for (size_t i = 1; i <= field; i++)
		at[i] = (uint8_t)(i == field ? draw(seed) % 20 : 0);
}

/* What msgpack-c says must be what frame_scan said; where it refuses nobody may ask msgpack-c. */
static void assert_agrees(const uint8_t *at, size_t len, size_t max, unsigned *whole)
{
	const struct str bytes = { (const char *)at, len };
	struct seen seen = scan(bytes, max), bytewise = scan_bytewise(bytes, max);
	msgpack_zone *zone = msgpack_zone_new(2048);
	msgpack_object object;
	size_t end = 0;

	assert_int_equal(seen.state, bytewise.state);
	if (seen.state != FRAME_BAD) {
		int said = msgpack_unpack(bytes.at, bytes.len, &end, zone, &object);
		bool through = said == MSGPACK_UNPACK_SUCCESS || said == MSGPACK_UNPACK_EXTRA_BYTES;
		assert_int_equal(seen.state == FRAME_WHOLE, through);
		assert_true(through || said == MSGPACK_UNPACK_CONTINUE);
		if (through) {
			assert_int_equal(seen.end, end);
			assert_int_equal(bytewise.end, end);
			++*whole;
		}
	}
	msgpack_zone_free(zone);
}

static void every_head_byte_ends_where_msgpack_c_says(void **state)
{
	(void)state;
	uint8_t bytes[256];
	uint32_t seed = 20260131;

	for (int head = 0; head <= 0xff; head++) {
		unsigned whole = 0;
		for (int round = 0; round < 40; round++) {
			fill_random((uint8_t)head, bytes, sizeof(bytes), &seed);
			size_t len = round % 4 ? sizeof(bytes) : 1 + draw(&seed) % 40;
			assert_agrees(bytes, len, sizeof(bytes), &whole);
		}
		if ((whole == 0) != (head == 0xc1))
			fail_msg("head 0x%02x: %u of 40 were whole", (unsigned)head, whole);
	}
}

static msgpack_zone *zone;

static int make_zone(void **state)
{
	(void)state;
	zone = msgpack_zone_new(2048);
	return zone ? 0 : -1;
}

static int drop_zone(void **state)
{
	(void)state;
	msgpack_zone_free(zone);
	return 0;
}

static struct envelope decode(struct str bytes)
{
	struct envelope e;
	struct fault why;

	assert_int_equal(scan(bytes, RPC_MESSAGE_MAX).state, FRAME_WHOLE);
	if (!envelope_decode(bytes, zone, &e, &why))
		fail_msg("%s", why.text);
	return e;
}

static void assert_refused(struct str bytes, const char *text)
{
	struct envelope e;
	struct fault why;

	assert_int_equal(scan(bytes, RPC_MESSAGE_MAX).state, FRAME_WHOLE);
	assert_false(envelope_decode(bytes, zone, &e, &why));
	assert_int_equal(why.code, FAULT_BAD_MESSAGE);
	assert_string_equal(why.text, text);
}

static void a_request_is_taken_apart(void **state)
{
	(void)state;
	struct envelope e = decode(STR(REQUEST));

	assert_int_equal(e.type, ENVELOPE_REQUEST);
	assert_int_equal(e.msgid, 7);
	assert_true(str_is(e.method, "ticket.check"));
	assert_int_equal(e.params.type, MSGPACK_OBJECT_MAP);
	assert_int_equal(e.params.via.map.size, 1);
	assert_int_equal(e.params.via.map.ptr[0].val.via.str.size, 3);
}

static void a_notification_has_no_id(void **state)
{
	(void)state;
	struct envelope e = decode(STR("\x93\x02\xa4ping\x91\x80"));

	assert_int_equal(e.type, ENVELOPE_NOTIFICATION);
	assert_true(str_is(e.method, "ping"));
	assert_int_equal(e.params.via.map.size, 0);
}

static void no_parameters_are_an_empty_map(void **state)
{
	(void)state;
	struct envelope e = decode(STR("\x94\x00\x01\xa1m\x90"));

	assert_int_equal(e.params.type, MSGPACK_OBJECT_MAP);
	assert_int_equal(e.params.via.map.size, 0);
}

static void the_largest_id_comes_back_as_it_is(void **state)
{
	(void)state;
	struct envelope e = decode(STR("\x94\x00\xce\xff\xff\xff\xff\xa1m\x90"));

	assert_int_equal(e.msgid, UINT32_MAX);
	e = decode(STR("\x94\x00\x00\xa1m\x90"));
	assert_int_equal(e.msgid, 0);
	e = decode(STR("\x94\x00\xcf\x00\x00\x00\x00\x00\x00\x00\x05\xa1m\x90"));
	assert_int_equal(e.msgid, 5);
}

static void an_answer_that_did_not_fail_has_a_result(void **state)
{
	(void)state;
	struct envelope e = decode(STR("\x94\x01\x09\xc0\x81\xa5"
				       "clock\xa1x"));

	assert_int_equal(e.type, ENVELOPE_RESPONSE);
	assert_int_equal(e.msgid, 9);
	assert_false(e.failed);
	assert_int_equal(e.result.type, MSGPACK_OBJECT_MAP);
	assert_int_equal(e.result.via.map.size, 1);
}

static void an_answer_that_failed_says_whose_fault_it_was(void **state)
{
	(void)state;
	struct envelope e = decode(STR("\x94\x01\x09\x92\x00\xa7held: x\xc0"));

	assert_true(e.failed);
	assert_false(e.argument);
	assert_true(str_is(e.error, "held: x"));
	e = decode(STR("\x94\x01\x09\x92\x01\xa3"
		       "bad\xc0"));
	assert_true(e.failed);
	assert_true(e.argument);
	e = decode(STR("\x94\x01\x09\xa4"
		       "text\xc0"));
	assert_true(e.failed);
	assert_false(e.argument);
	assert_true(str_is(e.error, "text"));
}

static void what_is_no_rpc_message_is_refused(void **state)
{
	(void)state;
	const struct str none[] = {
		STR("\xc0"),
		STR("\x80"),
		STR("\x90"),
		STR("\x91\x00"),
		STR("\x94\x03\x01\xa1m\x90"),
		STR("\x94\xff\x01\xa1m\x90"),
		STR("\x94\xc2\x01\xa1m\x90"),
		STR("\x93\x00\xa1m\x90"),
		STR("\x94\x02\x01\xa1m\x90"),
		STR("\x93\x01\x01\xc0"),
		STR("\x95\x00\x01\xa1m\x90\xc0"),
	};

	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_refused(none[i], "not a MessagePack-RPC message");
}

static void an_id_that_is_no_32_bit_number_is_refused(void **state)
{
	(void)state;
	static const char text[] = "the message id is not a 32-bit number";

	assert_refused(STR("\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa1m\x90"), text);
	assert_refused(STR("\x94\x00\xff\xa1m\x90"), text);
	assert_refused(STR("\x94\x00\xa1"
			   "1\xa1m\x90"),
		       text);
	assert_refused(STR("\x94\x01\xc0\xc0\x80"), text);
}

static void a_call_of_another_form_is_refused(void **state)
{
	(void)state;
	static const char text[] = "parameters are not a list of one map";

	assert_refused(STR("\x94\x00\x01\x05\x90"), "the method's name is not text");
	assert_refused(STR("\x94\x00\x01\xc4\x01m\x90"), "the method's name is not text");
	assert_refused(STR("\x94\x00\x01\xa1m\x80"), text);
	assert_refused(STR("\x94\x00\x01\xa1m\xc0"), text);
	assert_refused(STR("\x94\x00\x01\xa1m\x92\x80\x80"), text);
	assert_refused(STR("\x94\x00\x01\xa1m\x91\x90"), text);
	assert_refused(STR("\x93\x02\xa1m\x91\x01"), text);
}

static void an_error_of_another_form_is_refused(void **state)
{
	(void)state;
	static const char text[] = "an error of an unknown form";

	assert_refused(STR("\x94\x01\x01\x05\xc0"), text);
	assert_refused(STR("\x94\x01\x01\x90\xc0"), text);
	assert_refused(STR("\x94\x01\x01\x91\xa1x\xc0"), text);
	assert_refused(STR("\x94\x01\x01\x92\x00\x00\xc0"), text);
	assert_refused(STR("\x94\x01\x01\x93\x00\xa1x\x00\xc0"), text);
}

#define with_zone(test) cmocka_unit_test_setup_teardown(test, make_zone, drop_zone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_ends_where_its_last_value_ends),
		cmocka_unit_test(extension_types_are_values_like_others),
		cmocka_unit_test(the_second_message_is_found_behind_the_first),
		cmocka_unit_test(a_reset_forgets_half_a_message),
		cmocka_unit_test(every_part_of_a_message_asks_for_more),
		cmocka_unit_test(a_length_cut_short_asks_for_more),
		cmocka_unit_test(a_message_of_exactly_the_limit_is_whole),
		cmocka_unit_test(one_byte_more_than_the_limit_is_refused_by_its_head),
		cmocka_unit_test(many_small_values_past_the_limit_are_refused),
		cmocka_unit_test(the_last_byte_may_not_lie_behind_the_limit),
		cmocka_unit_test(values_that_never_end_are_refused_at_the_limit),
		cmocka_unit_test(a_list_longer_than_the_message_is_refused),
		cmocka_unit_test(a_map_whose_pairs_cannot_fit_is_refused),
		cmocka_unit_test(a_string_longer_than_the_message_is_refused),
		cmocka_unit_test(sixteen_levels_are_whole),
		cmocka_unit_test(seventeen_levels_are_refused),
		cmocka_unit_test(an_empty_list_on_the_seventeenth_level_is_refused),
		cmocka_unit_test(a_thousand_lists_side_by_side_are_whole),
		cmocka_unit_test(the_byte_that_is_no_value_is_refused),
		cmocka_unit_test(every_head_byte_ends_where_msgpack_c_says),
		with_zone(a_request_is_taken_apart),
		with_zone(a_notification_has_no_id),
		with_zone(no_parameters_are_an_empty_map),
		with_zone(the_largest_id_comes_back_as_it_is),
		with_zone(an_answer_that_did_not_fail_has_a_result),
		with_zone(an_answer_that_failed_says_whose_fault_it_was),
		with_zone(what_is_no_rpc_message_is_refused),
		with_zone(an_id_that_is_no_32_bit_number_is_refused),
		with_zone(a_call_of_another_form_is_refused),
		with_zone(an_error_of_another_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
