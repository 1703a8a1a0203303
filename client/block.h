/* SPDX-License-Identifier: MIT */
#ifndef TP_BLOCK_H
#define TP_BLOCK_H

#include "fault.h"

/*
 * What an agent has to know about Tickets, as a block of Markdown between two
 * markers; contrib/orchestrator/AGENTS.block.md is the same text.
 */
extern const char block_text[];

enum block_done { BLOCK_SAME, BLOCK_WRITTEN };

/*
 * See that the file at `path` holds the block: in place of the one it has, else
 * behind all else, else in a new file.  Every other byte stays, and so does the
 * file's mode.  Refused are a file with half a block, or two, what is no regular
 * file, and a link that leads out of the checkout whose top is given.
 */
bool block_write(const char *path, const char *top, enum block_done *done, struct fault *why);

#endif
