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
 * file's mode.  A file with half a block, or two, is refused.
 */
bool block_write(const char *path, enum block_done *done, struct fault *why);

#endif
