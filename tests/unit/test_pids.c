/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base.h"
#include "pids.h"

static struct pids *pids;
static struct fault why;
static int64_t ended[8];
static size_t ended_count;

static int make(void **state)
{
	(void)state;
	ended_count = 0;
	return !pids_new(&pids, &why);
}

static int drop(void **state)
{
	(void)state;
	pids_free(pids);
	return 0;
}

#define with_pids(test) cmocka_unit_test_setup_teardown(test, make, drop)

/* A process that does nothing until it is told to end. */
static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		/* A name that could be taken for what follows it. */
		prctl(PR_SET_NAME, ") R 1 2 (x");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

/* It has ended, and nobody has asked how yet: a zombie is no process at work. */
static void end(pid_t pid)
{
	siginfo_t info;

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void reap(pid_t pid)
{
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void on_end(void *ctx, int64_t pid, uint64_t born)
{
	(void)ctx;
	assert_true(born > 0);
	ended[ended_count++] = pid;
}

static bool is_readable(void)
{
	struct pollfd fd = { .fd = pids_fd(pids), .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void an_end_is_told_once_as_soon_as_it_is(void **state)
{
	pid_t a = child(), b = child();
	uint64_t born_a = 0, born_b = 0;

	(void)state;
	assert_true(pids_watch(pids, a, &born_a, &why));
	assert_true(pids_watch(pids, b, &born_b, &why));
	assert_true(pids_watch(pids, b, &born_b, &why));
	assert_true(born_a > 0 && born_a <= born_b);
	assert_false(is_readable());
	pids_drain(pids, on_end, NULL);
	assert_int_equal(ended_count, 0);
	end(b);
	assert_true(is_readable());
	pids_drain(pids, on_end, NULL);
	pids_drain(pids, on_end, NULL);
	assert_int_equal(ended_count, 1);
	assert_int_equal(ended[0], b);
	assert_false(is_readable());
	end(a);
	reap(a);
	reap(b);
	pids_drain(pids, on_end, NULL);
	assert_int_equal(ended_count, 2);
}

static void the_dead_are_not_watched(void **state)
{
	pid_t pid = child();
	uint64_t born = 0;

	(void)state;
	end(pid);
	assert_false(pids_watch(pids, pid, &born, &why));
	assert_int_equal(why.code, FAULT_NOT_FOUND);
	reap(pid);
	born = 0;
	assert_false(pids_watch(pids, pid, &born, &why));
	assert_int_equal(why.code, FAULT_NOT_FOUND);
	for (size_t i = 0; i < 4; i++) {
		static const int64_t none[] = { 0, -1, INT64_C(1) << 40, INT32_MAX };
		born = 0;
		assert_false(pids_watch(pids, none[i], &born, &why));
		assert_int_equal(why.code, FAULT_NOT_FOUND);
	}
}

static void one_that_got_the_number_later_is_another(void **state)
{
	pid_t pid = child();
	uint64_t born = 0, other;

	(void)state;
	assert_true(pids_watch(pids, pid, &born, &why));
	other = born - 1;
	assert_false(pids_watch(pids, pid, &other, &why));
	assert_int_equal(why.code, FAULT_NOT_FOUND);
	assert_non_null(strstr(why.text, "another one"));
	end(pid);
	reap(pid);
}

static void one_that_belongs_to_somebody_else_lives_all_the_same(void **state)
{
	uint64_t born = 0;

	(void)state;
	assert_true(pids_watch(pids, 1, &born, &why));
}

static bool wants_none(void *ctx, int64_t pid, uint64_t born)
{
	(void)ctx;
	(void)pid;
	(void)born;
	return false;
}

static void who_is_given_up_is_told_no_more(void **state)
{
	pid_t pid = child();
	uint64_t born = 0;

	(void)state;
	assert_true(pids_watch(pids, pid, &born, &why));
	pids_keep(pids, wants_none, NULL);
	end(pid);
	reap(pid);
	assert_false(is_readable());
	pids_drain(pids, on_end, NULL);
	assert_int_equal(ended_count, 0);
}

static void the_alarm_goes_off_at_its_time_and_can_be_taken_back(void **state)
{
	struct pollfd fd = { .fd = pids_fd(pids), .events = POLLIN };
	int64_t at = pids_now() + 20000;

	(void)state;
	pids_alarm(pids, at);
	assert_int_equal(poll(&fd, 1, 5000), 1);
	assert_true(pids_now() >= at);
	pids_drain(pids, on_end, NULL);
	assert_false(is_readable());
	/* One that is past is due at once. */
	pids_alarm(pids, 1);
	assert_true(poll(&fd, 1, 5000) == 1);
	pids_alarm(pids, 0);
	pids_drain(pids, on_end, NULL);
	pids_alarm(pids, pids_now() + 20000);
	pids_alarm(pids, 0);
	assert_int_equal(poll(&fd, 1, 60), 0);
}

static void the_boot_has_a_name(void **state)
{
	char boot[40], again[40];

	(void)state;
	pids_boot(boot);
	pids_boot(again);
	assert_int_equal(strlen(boot), 36);
	assert_string_equal(boot, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_pids(an_end_is_told_once_as_soon_as_it_is),
		with_pids(the_dead_are_not_watched),
		with_pids(one_that_got_the_number_later_is_another),
		with_pids(one_that_belongs_to_somebody_else_lives_all_the_same),
		with_pids(who_is_given_up_is_told_no_more),
		with_pids(the_alarm_goes_off_at_its_time_and_can_be_taken_back),
		with_pids(the_boot_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
