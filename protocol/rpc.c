/* SPDX-License-Identifier: MIT */
#include "rpc.h"

#include "base.h"

/* What the third column of a PARAM or FIELD means depends on the type. */
#define WORDS_OF_STR(arg)      NULL
#define WORDS_OF_ID(arg)       NULL
#define WORDS_OF_INT(arg)      NULL
#define WORDS_OF_BOOL(arg)     NULL
#define WORDS_OF_TIME(arg)     NULL
#define WORDS_OF_DURATION(arg) NULL
#define WORDS_OF_STRS(arg)     NULL
#define WORDS_OF_OBJECT(arg)   NULL
#define WORDS_OF_LIST(arg)     NULL
#define WORDS_OF_ENUM(arg)     &words_##arg
#define WORDS_OF_ENUMS(arg)    &words_##arg

#define SHAPE_OF_STR(arg)      SHAPE_COUNT
#define SHAPE_OF_ID(arg)       SHAPE_COUNT
#define SHAPE_OF_INT(arg)      SHAPE_COUNT
#define SHAPE_OF_BOOL(arg)     SHAPE_COUNT
#define SHAPE_OF_TIME(arg)     SHAPE_COUNT
#define SHAPE_OF_DURATION(arg) SHAPE_COUNT
#define SHAPE_OF_STRS(arg)     SHAPE_COUNT
#define SHAPE_OF_ENUM(arg)     SHAPE_COUNT
#define SHAPE_OF_ENUMS(arg)    SHAPE_COUNT
#define SHAPE_OF_OBJECT(arg)   SHAPE_##arg
#define SHAPE_OF_LIST(arg)     SHAPE_##arg

/* Of integers: the range by its name in the table. */
#define RANGE__    { 0, 0 }
#define RANGE_rows { 1, RPC_LIMIT_MAX }
#define RANGE_text { RPC_TEXT_MIN, RPC_MESSAGE_MAX }

#define RANGE_OF_STR(arg)      RANGE__
#define RANGE_OF_ID(arg)       RANGE__
#define RANGE_OF_INT(arg)      RANGE_##arg
#define RANGE_OF_BOOL(arg)     RANGE__
#define RANGE_OF_TIME(arg)     RANGE__
#define RANGE_OF_DURATION(arg) RANGE__
#define RANGE_OF_STRS(arg)     RANGE__
#define RANGE_OF_OBJECT(arg)   RANGE__
#define RANGE_OF_LIST(arg)     RANGE__
#define RANGE_OF_ENUM(arg)     RANGE__
#define RANGE_OF_ENUMS(arg)    RANGE__

#define NEED_REQ true
#define NEED_OPT false

/* One function a method, so that T can name that method's struct. */
#define METHOD(id, ...) \
	static const struct rpc_field *id##_list(void) \
	{ \
		typedef struct id##_params T; \
		static const struct rpc_field list[] = {
#define PARAM(name, type, arg, need, doc) \
	{ #name, RPC_##type, NEED_##need, offsetof(T, name), WORDS_OF_##type(arg), \
	  RANGE_OF_##type(arg), SHAPE_OF_##type(arg), doc },
#define RETURNS(...) \
	{ .offset = sizeof(T), .shape = SHAPE_COUNT } }; \
		_Static_assert(COUNT_OF(list) <= 33, "given has 32 bits"); \
		return list; \
	}
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS

static struct rpc_method methods[] = {
#define METHOD(id, name_, access_, summary_) \
	[RPC_##id] = { .name = name_, .access = RPC_##access_, .summary = summary_,
#define PARAM(...)
#define RETURNS(id, shape, kind_, doc) \
	.returns = SHAPE_##shape, .kind = kind_, .returns_doc = doc },
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS
};

/* Static data cannot call the functions above; this runs before main. */
__attribute__((constructor)) static void link_params(void)
{
#define METHOD(id, ...) methods[RPC_##id].params = id##_list();
#define PARAM(...)
#define RETURNS(...)
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS
}

const struct rpc_method *rpc_method(enum rpc_id id)
{
	BUG_IF(id >= RPC_COUNT);
	return &methods[id];
}

enum rpc_id rpc_find(struct str name)
{
	enum rpc_id id = 0;

	while (id < RPC_COUNT && !str_is(name, methods[id].name))
		id++;
	return id;
}

const struct rpc_topic *rpc_topic(enum topic_id id)
{
	static const struct rpc_topic topics[] = {
#define TOPIC(id, name, shape, doc) { name, SHAPE_##shape, doc },
#include "topics.def"
#undef TOPIC
	};

	BUG_IF(id >= TOPIC_COUNT);
	return &topics[id];
}

#define SHAPE(id, ...) static const struct rpc_field shape_##id[] = {
#define FIELD(name, type, arg, need, doc) \
	{ #name, RPC_##type, NEED_##need, 0, WORDS_OF_##type(arg), RANGE_OF_##type(arg), \
	  SHAPE_OF_##type(arg), doc },
#define SHAPE_END(id) { .shape = SHAPE_COUNT } };
#include "shapes.def"
#undef SHAPE
#undef FIELD
#undef SHAPE_END

const struct shape *shape(enum shape_id id)
{
	static const struct shape shapes[] = {
#define SHAPE(id, doc) { #id, doc, shape_##id },
#define FIELD(...)
#define SHAPE_END(id)
#include "shapes.def"
#undef SHAPE
#undef FIELD
#undef SHAPE_END
	};

	BUG_IF(id >= SHAPE_COUNT);
	return &shapes[id];
}

const struct rpc_field *rpc_field_find(const struct rpc_field *list, struct str name, unsigned *at)
{
	*at = 0;
	for (const struct rpc_field *f = list; f->name; f++, ++*at)
		if (str_is(name, f->name))
			return f;
	return NULL;
}

bool rpc_given(enum rpc_id id, uint32_t given, const char *name)
{
	unsigned at;

	return rpc_field_find(rpc_method(id)->params, str_of(name), &at) && given >> at & 1;
}

const char *rpc_type_name(enum rpc_type type)
{
	static const char *const names[] = {
		[RPC_STR] = "text",         [RPC_ID] = "Ticket",  [RPC_INT] = "integer",
		[RPC_BOOL] = "boolean",     [RPC_TIME] = "time",  [RPC_DURATION] = "duration",
		[RPC_ENUM] = "word",        [RPC_ENUMS] = "words", [RPC_STRS] = "list of text",
		[RPC_OBJECT] = "object",    [RPC_LIST] = "list",
	};

	BUG_IF(type >= COUNT_OF(names));
	return names[type];
}
