/* SPDX-License-Identifier: MIT */
/*
 * tpctl, the client.  From the command line to the answer:
 *
 *   commands   the commands, from commands.def and the request table
 *   args       argv, taken apart by them
 *   request    the bytes that are sent
 *   start      reach the agent, start it where none lives
 *   call       ask and wait
 *   json show  the answer, for machines and for people (page: text and tables)
 *   from       many records of one file
 *   life       start, stop, socket
 *   init commit   the user's own repository, by the user's own git
 *   help complete   what the tables say, for people and for shells
 *   run        which of these, and the exit status
 */
#include "run.h"

int main(int argc, char **argv)
{
	return run(argc, argv);
}
