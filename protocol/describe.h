/* SPDX-License-Identifier: MIT */
#ifndef TP_DESCRIBE_H
#define TP_DESCRIBE_H

#include <stdio.h>

#include <jansson.h>

#include "rpc.h"

/*
 * The request table, for people and for machines.
 */

/*
 * Methods with JSON schemas of parameters and answers, notifications, shapes, words, faults.
 * Caller owns it.
 */
json_t *describe_schema(void);

/* JSON schema of a method's parameters, or of a shape.  Caller owns it. */
json_t *describe_params(const struct rpc_method *method);
json_t *describe_shape(enum shape_id id);

/* A method for a terminal: name, summary, parameters, answer. */
void describe_method(FILE *to, const struct rpc_method *method);

/*
 * The METHODS, NOTIFICATIONS, ANSWERS, WORDS and DIAGNOSTICS sections of the protocol's manual, in
 * mdoc(7).
 */
void describe_mdoc(FILE *to);
/* Words and their meanings, and any text, as they stand in a manual. */
void describe_mdoc_words(FILE *to, const struct words *words);
void describe_mdoc_text(FILE *to, const char *text);

#endif
