/* SPDX-License-Identifier: MIT */
#ifndef TP_REGISTRY_H
#define TP_REGISTRY_H

#include <stdint.h>

#include "buf.h"
#include "fault.h"
#include "worker.h"

/*
 * The file of local state, sessions.json in the state directory: replaced as a
 * whole, so that whatever happens there is the old one or the new one.  Only we
 * may read it, and it is never where git would track it.
 *
 * It is a JSON object.  Its first line has the format's number and a checksum
 * over all the rest, which begins with a generation that rises with every write;
 * what follows is for others to know.  One that does not fit its checksum is set aside as
 * sessions.json.bad-ULID; one of a newer format is left alone and refused.
 */
#define REGISTRY_NAME "sessions.json"

enum registry_state {
	REGISTRY_NONE, /* there is none */
	REGISTRY_READ,
	REGISTRY_DAMAGED, /* it does not say what it was written to say; why says more */
	REGISTRY_REFUSED, /* it cannot be used as it is, and is left as it is; why */
};

/* The whole object in *text. */
enum registry_state registry_read(const char *dir, struct buf *text, uint64_t *generation,
				  struct fault *why);
/* Set a damaged one aside; the name it has now is the caller's. */
bool registry_set_aside(const char *dir, char **name, struct fault *why);

/* A write.  `run` of its job replaces the file, on the worker's thread. */
enum registry_result {
	REGISTRY_WRITTEN, /* it is on disk, with its name */
	REGISTRY_FAILED,  /* the old one is there as before; why says what went wrong */
	/* The disk failed while it was made safe: it may be the old one or the new. */
	REGISTRY_UNKNOWN,
};

struct registry_write {
	struct job job; /* first */
	char *dir;
	struct buf bytes;
	enum registry_result result;
	struct fault why;
};

/* Begins the bytes; the caller adds the inside of the object, without braces. */
struct registry_write *registry_write_new(const char *dir, uint64_t generation);
/* Ends them. */
void registry_write_seal(struct registry_write *write);
void registry_write_free(struct registry_write *write);

#endif
