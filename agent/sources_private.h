/* SPDX-License-Identifier: MIT */
#ifndef TP_SOURCES_PRIVATE_H
#define TP_SOURCES_PRIVATE_H

/* What the files that look after checkouts share, and nobody else sees. */

#include "gitwork.h"
#include "mounts.h"
#include "sources.h"

/* One checkout. */
struct site {
	struct sources *all;
	int id; /* in the index */
	char *name;
	char *top;
	char *root; /* of its Ticket tree, from the top; NULL without one */
	struct watch_tree *tree;
	struct gitwork git;
	uint64_t mounted; /* mounts_at of its tree */
	bool foreign; /* it is somebody else's, and not trusted: it has no tree for us */
	struct fault why; /* foreign */
	bool wanting;   /* something of its tree could not be opened, and may be later */
	bool contested; /* a folder is there that would be chosen before root, if it held Tickets */
};

struct sources {
	struct index *ix;
	struct watch *watch;
	struct git *git;
	char *common;
	char *main_top;
	char *authority; /* a source's name */
	char *configured; /* ticketplan.root, or NULL */
	bool to_asking;   /* ticketplan.record-to */
	struct site *sites[SOURCES_MAX];
	size_t count;
	struct buf bytes; /* scratch */
	struct mounts *mounts;
	struct arena texts; /* why not every folder is watched; until asked again */
	bool foreign;       /* the repository is somebody else's now, and not trusted */
	struct fault why;   /* foreign */
	bool stale;         /* which checkouts there are, or the configuration, may have changed */
	uint64_t git_changes; /* events of git that may have been a commit */
	bool branched;      /* there may be new folders of branches and tags */
	sources_record_fn *on_record;
	void *record_ctx;
	bool stirred;       /* git may have locked or unlocked an index */
	bool remounted;     /* something was mounted somewhere */
	/* A folder of git's, or above a tree, cannot be watched: look each time. */
	bool refused;
};

/*
 * The names that a checkout's tree may have, from the top, the one that counts first; NULL at the
 * end.
 */
const char *site_root_at(const struct sources *s, size_t i);
/* Whether a folder of the checkout is there: one that a link leads to, or a way out, is none. */
bool site_has_folder(const struct site *site, const char *name);
/* Whether a root has git's own files below it: they are no Tickets, and watched already. */
bool site_is_of_git(const char *root);
/*
 * Whether anything can be opened; without it no tree can be found, which does not mean that there
 * is none.
 */
bool site_may_open(void);
/* Where its tree is, from the top; the caller's to free; NULL where there is none. */
char *site_find_root(const struct site *site);
/* Find the checkout's tree, and read it into the index. */
void site_open(struct site *site);
void site_close(struct site *site);

/* Be told what git does beside the trees: configuration, checkouts, commits. */
void beside_git(struct sources *s);
/* Of branches and tags alone, once they have other folders. */
void beside_refs(struct sources *s);
/* Be told when a root appears or goes; one that comes before ours has to be looked into. */
void beside_top(struct site *site);
/* Only of the folders on the way to roots, and of these. */
void beside_ways(struct site *site);

/* What is mounted where the tree is, as it is now. */
uint64_t upkeep_mounted(const struct site *site);
/*
 * Look where git, or mounts, may have changed something.  `changed`: files may be read;
 * `look`: and whatever nobody tells of is looked at.
 */
void upkeep_before(struct sources *s, bool changed, bool look);
/* Files were read: was git at work on them? */
void upkeep_after(struct sources *s);

#endif
