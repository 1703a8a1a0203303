/* SPDX-License-Identifier: MIT */
#ifndef TP_HOST_H
#define TP_HOST_H

#include "buf.h"

/* Programs in which an orchestrator runs, and how each is told of `tpctl mcp`. */
enum host { HOST_CLAUDE_CODE, HOST_CODEX, HOST_CURSOR, HOST_VSCODE };

/*
 * Add what the host's configuration has to say.  The command is looked for in
 * PATH, so that the text may be shared by git.
 */
void host_config(enum host host, bool read_only, struct buf *out);
/* Where that is to be put. */
const char *host_place(enum host host);

#endif
