/* SPDX-License-Identifier: MIT */
#include "pids.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base.h"

struct process {
	int64_t pid;
	uint64_t born;
	int fd;
};

struct pids {
	int epoll;
	int alarm;
	int64_t alarm_at;
	struct process *at;
	size_t count, cap;
};

bool pids_new(struct pids **into, struct fault *why)
{
	struct pids *p = xcalloc(1, sizeof(*p));
	struct epoll_event event = { .events = EPOLLIN, .data.fd = -1 };

	*into = p;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->alarm = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (p->epoll < 0 || p->alarm < 0 ||
	    epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->alarm, &event) < 0)
		return fault_errno(why, FAULT_IO, "cannot watch processes");
	return true;
}

void pids_free(struct pids *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		close(p->at[i].fd);
	free(p->at);
	if (p->alarm >= 0)
		close(p->alarm);
	if (p->epoll >= 0)
		close(p->epoll);
	free(p);
}

int pids_fd(const struct pids *p)
{
	return p->epoll;
}

/* Field 22 of /proc/PID/stat; the name before it may hold anything but ends at the last ). */
static uint64_t start_of(int64_t pid)
{
	char path[64], text[1024];
	unsigned long long born = 0;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	const char *at = strrchr(text, ')');
	if (!at || sscanf(at,
			  ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			  "%*d %*d %*d %llu",
			  &born) != 1)
		return 0;
	return born;
}

static bool has_ended(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };

	return poll(&end, 1, 0) > 0;
}

/* A descriptor of the process, and its start where that can be seen. */
static int open_process(int64_t pid, uint64_t *born, struct fault *why)
{
	int fd = pid > 0 && pid <= INT32_MAX ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;

	if (fd < 0 && pid > 0 && errno != ESRCH && errno != EINVAL) {
		fault_errno(why, FAULT_IO, "cannot watch process %lld", (long long)pid);
		return -1;
	}
	/* Looked at while the descriptor is there, it is that process's if that lives still. */
	*born = fd < 0 ? 0 : start_of(pid);
	if (fd >= 0 && !has_ended(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	fault(why, FAULT_NOT_FOUND, "no process %lld lives", (long long)pid);
	return -1;
}

static struct process *find(struct pids *p, int64_t pid, uint64_t born)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->at[i].pid == pid && p->at[i].born == born)
			return &p->at[i];
	return NULL;
}

bool pids_watch(struct pids *p, int64_t pid, uint64_t *born, struct fault *why)
{
	struct epoll_event event = { .events = EPOLLIN };
	uint64_t seen;
	int fd = open_process(pid, &seen, why);

	if (fd < 0)
		return false;
	if (*born && seen && *born != seen) {
		close(fd);
		return fault(why, FAULT_NOT_FOUND, "process %lld is another one by now",
			     (long long)pid);
	}
	*born = *born ? *born : seen;
	if (find(p, pid, *born)) {
		close(fd);
		return true;
	}
	event.data.fd = fd;
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		fault_errno(why, FAULT_IO, "cannot watch process %lld", (long long)pid);
		close(fd);
		return false;
	}
	if (p->count == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 8;
		p->at = xrealloc(p->at, p->cap * sizeof(*p->at));
	}
	p->at[p->count++] = (struct process){ pid, *born, fd };
	return true;
}

static void drop(struct pids *p, struct process *process)
{
	close(process->fd);
	*process = p->at[--p->count];
}

static struct process *find_fd(struct pids *p, int fd)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->at[i].fd == fd)
			return &p->at[i];
	return NULL;
}

void pids_drain(struct pids *p, void (*ended)(void *ctx, int64_t pid, uint64_t born), void *ctx)
{
	struct epoll_event events[64];
	uint64_t times;
	int n = 64;

	if (!p->count && !p->alarm_at)
		return;
	while (n == 64) {
		n = epoll_wait(p->epoll, events, 64, 0);
		for (int i = 0; i < n; i++) {
			struct process *process = find_fd(p, events[i].data.fd);
			if (!process) {
				ssize_t got = read(p->alarm, &times, sizeof(times));
				(void)got;
				continue;
			}
			struct process gone = *process;
			drop(p, process);
			ended(ctx, gone.pid, gone.born);
		}
	}
}

void pids_keep(struct pids *p, bool (*wanted)(void *ctx, int64_t pid, uint64_t born), void *ctx)
{
	for (size_t i = p->count; i > 0; i--)
		if (!wanted(ctx, p->at[i - 1].pid, p->at[i - 1].born))
			drop(p, &p->at[i - 1]);
}

void pids_alarm(struct pids *p, int64_t at)
{
	struct itimerspec when = { .it_value = { .tv_sec = at / 1000000,
						 .tv_nsec = at % 1000000 * 1000 } };

	if (at == p->alarm_at)
		return;
	p->alarm_at = at;
	timerfd_settime(p->alarm, TFD_TIMER_ABSTIME, &when, NULL);
}

int64_t pids_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void pids_boot(char into[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, into, 39);

	if (fd >= 0)
		close(fd);
	into[got > 0 ? got : 0] = '\0';
	into[strcspn(into, "\n")] = '\0';
}
