/* SPDX-License-Identifier: MIT */
#ifndef TP_HELP_H
#define TP_HELP_H

#include "commands.h"
#include "fault.h"
#include "page.h"

/* The usual commands in short, or every command and option. */
void help_overview(struct page *page, bool all);
/* All about one command. */
void help_command(struct page *page, const struct command *c);
/* About a command or a method of that name. */
bool help_topic(struct page *page, const char *name, struct fault *why);
/* "unknown command NAME", and which may have been meant.  Returns false. */
bool help_unknown(const char *name, struct fault *why);

#endif
