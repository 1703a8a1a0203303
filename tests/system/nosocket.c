/* SPDX-License-Identifier: MIT */
/*
 * nosocket COMMAND…: run a command that may make no socket and connect none, as the
 * shells of some coding agents are: those calls fail with EPERM.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
/* Where it is this call, jump over `n` to the refusal. */
#define DENY(call, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), (n), 0)

static struct sock_filter filter[] = {
	LOAD(nr),
	DENY(SYS_socket, 3),
	DENY(SYS_socketpair, 2),
	DENY(SYS_connect, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

int main(int argc, char **argv)
{
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	if (argc < 2)
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		fprintf(stderr, "nosocket: no filter: %s\n", strerror(errno));
		return 99;
	}
	execvp(argv[1], argv + 1);
	fprintf(stderr, "nosocket: %s: %s\n", argv[1], strerror(errno));
	return 127;
}
