/* SPDX-License-Identifier: MIT */
/*
 * How long a command takes from its start to its end, as a shell would see it.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"

/* Run it to its end; returns its exit status. */
static int run(char **argv, const posix_spawn_file_actions_t *actions)
{
	pid_t pid;
	int status;
	int error = posix_spawnp(&pid, argv[0], actions, NULL, argv, environ);

	if (error)
		die("cannot run %s: %s", argv[0], strerror(error));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("%s was killed", argv[0]);
	return WEXITSTATUS(status);
}

int floor_spawn(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	int worst = 0;

	if (argc < 2 || !floor_number(argv[0]))
		die_usage();
	size_t rounds = floor_number(argv[0]);
	uint64_t *spans = calloc(rounds, sizeof(*spans));
	if (!spans || posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) != 0)
		die("no memory");
	for (size_t i = 0; i < rounds; i++) {
		uint64_t begin = floor_now_ns();
		int status = run(argv + 1, &actions);
		spans[i] = floor_now_ns() - begin;
		if (status > worst)
			worst = status;
	}
	floor_print(spans, rounds);
	printf(" %d\n", worst);
	posix_spawn_file_actions_destroy(&actions);
	free(spans);
	return 0;
}
