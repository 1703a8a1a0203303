/* SPDX-License-Identifier: MIT */
#include "watch_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seen.h"

/*
 * Whatever is, or was, in the folder is to be looked at.  As nobody told of it, what is in the
 * place of a folder that is watched may be another one than has the watch.
 */
static void soil_all(struct watch_tree *t, struct node *n, int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	struct str name;

	while (dir && (entry = readdir(dir)))
		if (t->ops->role(n->role, str_of(entry->d_name)))
			watch_soil(t->w, n, str_of(entry->d_name), 0);
	for (uint32_t i = 0; i < n->kid_count; i++)
		watch_soil(t->w, n, str_of(node_kids(n)[i]->name),
			   node_kids(n)[i]->wd >= 0 ? SOIL_REPLACED : 0);
	for (size_t i = 0; n->seen && (name = seen_name(n->seen, i)).at; i++)
		watch_soil(t->w, n, name, 0);
	if (dir)
		closedir(dir);
	else
		close(fd);
}

static void soil_self(struct node *n)
{
	if (n->parent)
		watch_soil(node_tree(n)->w, n->parent, str_of(n->name), SOIL_REPLACED);
	else
		node_tree(n)->rescan = "the root is not what it was";
}

void watch_list_again(struct watch_tree *t, struct node *n)
{
	enum beneath_result result;
	ino_t ino = n->ino;
	int fd = watch_open_node(t, n, &result);

	if (fd >= 0 && n->ino == ino) {
		soil_all(t, n, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	n->ino = ino;
	soil_self(n);
}

static void walk_files(struct watch_tree *t, struct node *n)
{
	struct str name;
	struct stat st;

	for (size_t i = 0; (name = seen_name(n->seen, i)).at; i++) {
		struct str path = path_of(t->w, n, name);
		if (!watch_stat(t, path, &st) || !seen_entry_same(n->seen, i, &st))
			watch_soil(t->w, n, name, 0);
	}
}

/*
 * Whether every name that can be in the folder is, and is looked at by itself: none can have come,
 * and which one went is seen there.  Of the folder itself the one above tells.
 */
static bool is_complete(const struct node *n)
{
	const char *const *list = node_tree(n)->ops->names(n->role);
	size_t names = 0;

	while (list && list[names])
		names++;
	if (!names || !n->parent || n->parent->wd < 0 ||
	    seen_count(n->seen) + n->kid_count != names)
		return false;
	for (uint32_t i = 0; i < n->kid_count; i++)
		if (!node_kids(n)[i]->unwatched)
			return false;
	return true;
}

static void walk(struct node *n)
{
	struct watch_tree *t = node_tree(n);
	struct stat st;

	if (is_complete(n)) {
		walk_files(t, n);
		return;
	}
	if (!watch_stat(t, path_of(t->w, n, STR_NONE), &st) || !S_ISDIR(st.st_mode) ||
	    st.st_ino != n->ino) {
		soil_self(n);
		return;
	}
	if (!seen_folder_same(n->seen, &st))
		watch_list_again(t, n);
	walk_files(t, n);
	/* Those that could not even be opened. */
	for (uint32_t i = 0; i < n->kid_count; i++)
		if (node_kids(n)[i]->wd < 0 && !node_kids(n)[i]->unwatched)
			watch_soil(t->w, n, str_of(node_kids(n)[i]->name), SOIL_REPLACED);
}

/* Others may have given watches back since we were refused. */
static void watch_refused(struct watch *w)
{
	enum beneath_result result;

	for (size_t i = 0; i < w->loose.count; i++) {
		struct node *n = w->loose.at[i];
		if (!n->refused)
			continue;
		if (!watch_add(node_tree(n), n))
			return;
		w->counts.unwatched--;
		w->counts.refused--;
		n->unwatched = n->refused = false;
		w->loose_gone = true;
		int fd = watch_open_node(node_tree(n), n, &result);
		if (fd >= 0)
			soil_all(node_tree(n), n, fd);
		else
			soil_self(n);
		if (!n->linked) {
			seen_free(n->seen);
			n->seen = NULL;
		}
	}
}

void watch_walk(struct watch *w)
{
	if (!w->loose.count && !w->linked.count)
		return;
	w->counts.walks++;
	for (size_t i = 0; i < w->linked.count; i++)
		if (w->linked.at[i]->linked && !w->linked.at[i]->unwatched)
			walk_files(node_tree(w->linked.at[i]), w->linked.at[i]);
	if (w->counts.refused)
		watch_refused(w);
	watch_come_back(w);
	if (w->loose_gone)
		watch_pack_loose(w);
	for (size_t i = 0; i < w->loose.count; i++)
		walk(w->loose.at[i]);
}
