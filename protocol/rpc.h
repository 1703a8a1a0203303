/* SPDX-License-Identifier: MIT */
#ifndef TP_RPC_H
#define TP_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"
#include "words.h"

/*
 * What methods.def, topics.def and shapes.def say, as C.
 *
 * Of each METHOD this header makes an enum value RPC_id and a struct id_params;
 * rpc.c makes the descriptors that decoder, help, manual, schema and completion
 * read.  Handlers live in the agent and are not named here.
 */

/* Largest request and deepest nesting taken, largest answer sent. */
#define RPC_MESSAGE_MAX (1024 * 1024)
#define RPC_DEPTH_MAX 16
#define RPC_ANSWER_MAX (4 * 1024 * 1024)

/* Rows of a list: unless said, and at most. */
#define RPC_LIMIT_DEFAULT 100
#define RPC_LIMIT_MAX 1000

/* A text for who has to know: bytes, at least and unless said. */
#define RPC_TEXT_MIN 500
#define RPC_TEXT_DEFAULT 8000

enum rpc_type {
	RPC_STR,      /* UTF-8 text */
	RPC_ID,       /* text that names a Ticket: id or slug */
	RPC_INT,
	RPC_BOOL,
	RPC_TIME,     /* RFC 3339 text; microseconds since 1970 in C */
	RPC_DURATION, /* "250ms", "30s", "5m", "2h" or whole seconds; milliseconds in C */
	RPC_ENUM,     /* one of a word set; its index in C */
	RPC_ENUMS,    /* list of such words; a bit each in C */
	RPC_STRS,     /* list of text */
	RPC_OBJECT,   /* a shape; in answers only */
	RPC_LIST,     /* list of a shape; in answers only */
};

enum rpc_access { RPC_READ, RPC_WRITE };

/* A list of text; both levels borrow from the call. */
struct rpc_strs {
	const struct str *at;
	size_t count;
};

#define RPC_CTYPE_STR      struct str
#define RPC_CTYPE_ID       struct str
#define RPC_CTYPE_INT      int64_t
#define RPC_CTYPE_BOOL     bool
#define RPC_CTYPE_TIME     int64_t
#define RPC_CTYPE_DURATION int64_t
#define RPC_CTYPE_ENUM     int
#define RPC_CTYPE_ENUMS    uint64_t
#define RPC_CTYPE_STRS     struct rpc_strs

enum rpc_id {
#define METHOD(id, ...) RPC_##id,
#define PARAM(...)
#define RETURNS(...)
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS
	RPC_COUNT
};

/* Bit i of `given` says that parameter i was present; absent ones are zero. */
#define METHOD(id, ...) struct id##_params { uint32_t given;
#define PARAM(name, type, ...) RPC_CTYPE_##type name;
#define RETURNS(...) };
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS

union rpc_params {
#define METHOD(id, ...) struct id##_params id;
#define PARAM(...)
#define RETURNS(...)
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS
};

enum shape_id {
#define SHAPE(id, ...) SHAPE_##id,
#define FIELD(...)
#define SHAPE_END(id)
#include "shapes.def"
#undef SHAPE
#undef FIELD
#undef SHAPE_END
	SHAPE_COUNT
};

/* What an integer may be; both 0: anything. */
struct rpc_range {
	int64_t least, most;
};

/* One parameter of a method, or one field of a shape.  A NULL name ends a list. */
struct rpc_field {
	const char *name;
	enum rpc_type type;
	bool required;
	size_t offset;             /* parameters: into struct <id>_params */
	const struct words *words; /* ENUM, ENUMS */
	struct rpc_range range;    /* INT */
	enum shape_id shape;       /* OBJECT, LIST */
	const char *doc;
};

struct rpc_method {
	const char *name;
	enum rpc_access access;
	const char *summary;
	const struct rpc_field *params;
	enum shape_id returns;
	const char *kind; /* of tpctl's JSON envelope */
	const char *returns_doc;
};

/* What the agent says unasked. */
enum topic_id {
#define TOPIC(id, ...) TOPIC_##id,
#include "topics.def"
#undef TOPIC
	TOPIC_COUNT
};

struct rpc_topic {
	const char *name;
	enum shape_id shape;
	const char *doc;
};

struct shape {
	const char *name;
	const char *doc;
	const struct rpc_field *fields;
};

const struct rpc_method *rpc_method(enum rpc_id id);
/* The method of that wire name, or RPC_COUNT. */
enum rpc_id rpc_find(struct str name);
const struct rpc_topic *rpc_topic(enum topic_id id);
const struct shape *shape(enum shape_id id);
/* The field of that name in the list, or NULL; *at is its place. */
const struct rpc_field *rpc_field_find(const struct rpc_field *list, struct str name, unsigned *at);
/* Whether the parameter of that name is among those whose bits are in `given`. */
bool rpc_given(enum rpc_id id, uint32_t given, const char *name);
/* What a type is called in help and manuals. */
const char *rpc_type_name(enum rpc_type type);

#endif
