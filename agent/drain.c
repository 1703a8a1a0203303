/* SPDX-License-Identifier: MIT */
#include "watch_private.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stamp.h"

#ifdef TP_WATCH_FAULTS
struct watch_faults watch_faults;

__attribute__((constructor)) static void choose_fault(void)
{
	const char *name = getenv("TP_WATCH_FAULT");

	watch_faults.late_drain = name && strcmp(name, "late-drain") == 0;
	watch_faults.no_scan = name && strcmp(name, "no-scan") == 0;
	watch_faults.deaf = name && strcmp(name, "deaf") == 0;
}
#endif

/* Events after which a folder of that name may be another one than before. */
#define MASK_REPLACED (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

void watch_soil(struct watch *w, struct node *n, struct str name, unsigned how)
{
	char key[sizeof(n) + NAME_MAX + 1];
	size_t len = sizeof(n) + name.len;
	struct dirty *known;

	/* No name of ours is so long. */
	if (name.len > NAME_MAX)
		return;
	memcpy(key, &n, sizeof(n));
	memcpy(key + sizeof(n), name.at, name.len);
	HASH_FIND(hh, w->dirty, key, len, known);
	if (known) {
		known->how = (known->how | how) & ~(unsigned)SOIL_MADE;
		return;
	}
	struct dirty *d = xcalloc(1, sizeof(*d) + len + 1);
	memcpy(d->key, key, len);
	d->node = n;
	d->how = how;
	d->len = (uint16_t)name.len;
	HASH_ADD_KEYPTR(hh, w->dirty, d->key, len, d);
}

static unsigned soil_of(uint32_t mask)
{
	return (mask & MASK_REPLACED ? SOIL_REPLACED : 0) | (mask == IN_CREATE ? SOIL_MADE : 0);
}

/* The kernel watches the folder no more: look whether there is still one of that name. */
static void lost_watch(struct watch *w, struct node *n)
{
	w->counts.watches -= wds_unset(&w->wds, n);
	if (!node_tree(n)) {
		watch_tell_side(w, n, STR(""));
		watch_drop_side(w, n);
	} else if (n->parent && !n->gone) {
		watch_soil(w, n->parent, str_of(n->name), SOIL_REPLACED);
	} else if (!n->gone) {
		node_tree(n)->rescan = "the root's watch ended";
	}
}

/* The root's own mode: nothing above it tells. */
static bool is_of_root(const struct node *n, const struct inotify_event *event)
{
	return !n->parent && !event->len && event->mask & IN_ATTRIB;
}

/* The end of a text, as much of it as there is room. */
static void keep_end(char *into, size_t size, const char *text)
{
	size_t len = strlen(text), cut = len < size ? 0 : len - (size - 1);

	memcpy(into, text + cut, len - cut + 1);
}

static void keep_event(struct watch *w, const struct node *n, const struct inotify_event *event)
{
	struct watch_event *e = &w->trail[w->counts.events % WATCH_EVENTS_KEPT];

	e->at = w->drained_at;
	e->mask = event->mask;
	e->folder[0] = e->name[0] = '\0';
	if (n)
		keep_end(e->folder, sizeof(e->folder),
			 n->parent || !node_tree(n) ? n->name : node_tree(n)->path);
	if (event->len)
		keep_end(e->name, sizeof(e->name), event->name);
}

static void lose_count(struct watch *w)
{
	w->counts.overflows++;
	for (struct watch_tree *t = w->trees; t; t = t->next)
		t->rescan = "the kernel's queue of changes ran over";
	for (struct side *s = w->sides; s; s = s->next)
		s->fn(s->ctx, STR(""));
}

static void take_event(struct watch *w, const struct inotify_event *event)
{
	struct node *n = wds_find(&w->wds, event->wd);
	struct watch_tree *t = n ? node_tree(n) : NULL;

	keep_event(w, n, event);
	w->counts.events++;
	if (event->mask & IN_Q_OVERFLOW)
		lose_count(w);
	/* Events of a folder that we forgot ourselves are on their way until IN_IGNORED. */
	if (!n || FAULTY(deaf && t))
		return;
	if (event->mask & IN_IGNORED)
		lost_watch(w, n);
	else if (t && event->mask & IN_UNMOUNT)
		t->rescan = "a file system was taken off";
	else if (t && is_of_root(n, event))
		t->rescan = "the root's own mode or owner changed";
	else if (!t)
		watch_tell_side(w, n, str_of(event->len ? event->name : ""));
	else if (event->len)
		watch_soil(w, n, str_of(event->name), soil_of(event->mask));
}

static int waiting_now(const struct watch *w)
{
	int waiting = 0;

	return ioctl(w->fd, FIONREAD, &waiting) < 0 ? -1 : waiting;
}

static void take_events(struct watch *w, ssize_t len)
{
	for (char *at = w->events; at < w->events + len;) {
		const struct inotify_event *event = (const void *)at;
		take_event(w, event);
		at += sizeof(*event) + event->len;
	}
}

static void read_events(struct watch *w, int waiting)
{
	/* As much as was there when we came: a writer that never stops must not keep us. */
	while (waiting > 0) {
		ssize_t got = read(w->fd, w->events, WATCH_READ_SIZE);
		if (got <= 0)
			return;
		waiting -= (int)got;
		take_events(w, got);
	}
}

void watch_drain(struct watch *w)
{
	int waiting = waiting_now(w);

	if (waiting < 0)
		return;
	if (FAULTY(late_drain)) {
		int now = waiting;
		waiting = w->late;
		w->late = now - waiting;
	}
	if (!waiting)
		return;
	w->counts.drains++;
	w->drained_at = stamp_now();
	read_events(w, waiting);
}

bool watch_has_news(const struct watch *w)
{
	return waiting_now(w) != 0;
}

/* -- The last events ----------------------------------------------------- */

size_t watch_events(const struct watch *w, struct watch_event into[WATCH_EVENTS_KEPT])
{
	return watch_ring(w->trail, w->counts.events, WATCH_EVENTS_KEPT, sizeof(*into), into);
}

char *watch_event_text(const struct watch_event *event)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = { { IN_CREATE, "CREATE" },           { IN_DELETE, "DELETE" },
		     { IN_MODIFY, "MODIFY" },           { IN_CLOSE_WRITE, "CLOSE_WRITE" },
		     { IN_ATTRIB, "ATTRIB" },           { IN_MOVED_FROM, "MOVED_FROM" },
		     { IN_MOVED_TO, "MOVED_TO" },       { IN_DELETE_SELF, "DELETE_SELF" },
		     { IN_MOVE_SELF, "MOVE_SELF" },     { IN_UNMOUNT, "UNMOUNT" },
		     { IN_Q_OVERFLOW, "Q_OVERFLOW" },   { IN_IGNORED, "IGNORED" },
		     { IN_ISDIR, "ISDIR" } };
	struct buf text = { 0 };

	for (size_t i = 0; i < COUNT_OF(bits); i++)
		if (event->mask & bits[i].bit)
			buf_addf(&text, "%s%s", text.len ? " " : "", bits[i].name);
	buf_text(&text);
	return text.at;
}
