/* SPDX-License-Identifier: MIT */
/*
 * tpd: watches the Ticket trees of a repository and answers questions on them.
 *
 * The map.  Who may include whom goes downwards; tests/layers.sh holds it.
 *
 * protocol/     the contract between agent and clients; knows nobody
 *   base        the two ways to die, memory       str       borrowed bytes
 *   buf         bytes that grow                   utf8      characters
 *   plain       foreign text made harmless        stamp     times and spans
 *   siphash     a keyed hash                      ulid      ids that sort by time
 *   fault       how anything says no              words     closed sets of words
 *   rpc         the request table as C            params    maps against the table
 *   frame       messages found and taken apart    wire      messages written
 *   describe    the table as help and schema      place     where everything is
 *   session     who it is that asks               owner     whose repository it is
 *
 * agent/
 *  floor        hash     tables and lists         arena     memory freed at once
 *               log      lines for the owner      jsonset   keys of JSON objects
 *  model        pure: no clock, no disk, no socket
 *   layout      where things lie in a tree        content   what one file says
 *   item        item.md into content              artifact  records into content
 *   index, index_private  all Tickets, sources    intake    what files are there
 *   settle      what they come to                 status    what became of records
 *   trace       who changed when                  ripple    whose answers a change reaches
 *   waits       who waits for what             ids       which ids records have
 *   gate        may it be accepted now            claims    who works on what
 *   claimtext   claims as text                    claims_private  the table from within
 *   claimrules  what sessions want of it
 *   query       lists in pages                    doctor    what is wrong
 *   meaning     what two records say alike        guard     keep local paths out
 *   cycle       who waits for itself              why       the tree of holds
 *   graph       Tickets and edges, drawn          brief     what to know again
 *   thread      decisions in a thread.md          follow    verdicts as they change
 *   view        one commit, one checkout          diff      what changed between two
 *   past        what commits did to records       log_rows  joined with what is now
 *   audit       an index against another          stance    how records stand to git
 *   ignored     files that git leaves out
 *  world        one thing of the system each; paths and bytes, never Tickets
 *   beneath     open what lies below a folder     watch     know what changes
 *   drain       events: what may have changed     look      what is there now
 *   walk        where nothing is watched          seen      how it looked there
 *   ahead       what will be asked, by a thread
 *   node        folders and watches               mounts    what is mounted where
 *   gitwork     is git at work                    watch_private    what watchers share
 *   git         configuration and checkouts       worker    the other thread
 *   repo        objects of a repository           repo_back  the two ways to them
 *   repo_lib    by libgit2                        repo_run   by git itself
 *   keep        copies of record files
 *   ledger      durable record files              flush     many syncs at once
 *   life        lock, readiness                   registry  the file of claims
 *   pids        ends of processes, an alarm       fresh     files of ours, just named
 *  service      the bytes of clients
 *   service     what handlers see                 handlers  one prototype a method
 *   server      socket, clients, limits           dispatch  a message to its answer
 *   answer      facts in the shapes of answers    draft     a record to be written
 *   conn        one client                        clock     how generations are told
 *   feed        what changed since when           listener  what a client waits for
 *   handle_agent, handle_ticket, handle_gate, handle_record, handle_timeline  the handlers
 *   handle_feed  those to be told                 handle_claim, handle_claims  of claims
 *  top
 *   sources     checkouts into the index          agent     the turn; knows everyone
 *   site        the tree of one checkout          beside    what else is watched of it
 *   reading     what files come to in an index    revision  a commit into an index
 *   timeline    what git holds, for calls         upkeep    how well we keep up
 *   review      records that may be in no commit  timeline_private    what both share
 *   history     commits into the past             kept      what no commit has, or not for long
 *   sources_private, agent_private    what the parts of these share
 *   provenance  stances, by git
 *   holders     claims, alive                     agent_service    what handlers ask of it
 *   main        this file
 *
 * client/       tpctl; sees protocol/ only
 *   commands    forms of commands                 args      argv by the tables
 *   near        did you mean                      help      what may be typed
 *   complete    what a shell offers               request   a method's request
 *   call        ask and wait                      start     an agent if none is
 *   launch      run it, hear that it serves       lines     lines out of bytes
 *   mcp         tpctl-mcp: tools for models       serve     both eras of MCP
 *   message     JSON-RPC out of a line            tools     methods as tools
 *   flight      a tool under way                  host      what hosts are told
 *   manual      the manuals' share of the tables  link     bytes to an agent
 *   life        start, stop, socket               tick      deadlines
 *   ticketplan  the library, and its manual       value     its answers
 *   watching    told of changes                   waiting   for one of them
 *   trail       the agent's own log
 *   heard       what came back                    json      MessagePack as JSON
 *   page        lines and columns                 show      answers for people
 *   parts       what those have in common         show_claims  those on claims
 *   claim       hold one for a command
 *   out         standard output                   run       a command, start to end
 *   input       whole files read                  from      many records of one file
 *   holds       the tree of why                   usergit   the user's own git
 *   commit      decisions into a commit           init      a first Ticket tree
 *   block       what agents are told              changes   what differs, told
 */
#include "agent.h"

#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "hash.h"
#include "life.h"
#include "stamp.h"

#define IDLE_MS (30 * 60 * 1000)

struct options {
	const char *dir;
	bool foreground;
	int ready;
	struct agent_options agent;
};

static const char usage[] =
	"usage: tpd [-C DIR] [--foreground | --stdio] [--read-only] [--idle-exit TIME]\n"
	"\n"
	"Watch the Ticket trees of the repository that holds DIR and answer tpctl.\n"
	"\n"
	"  -C DIR             the repository, unless it is the working directory's\n"
	"  --foreground       stay in the foreground and log to stderr\n"
	"  --stdio            serve one client on standard input and output, read-only:\n"
	"                     no lock, no socket, and nothing is written anywhere\n"
	"  --read-only        refuse every writing method\n"
	"  --idle-exit TIME   end after so long without a client (30m; 0: never)\n"
	"  --help, --version\n";

enum {
	OPT_FOREGROUND = 256,
	OPT_STDIO,
	OPT_READ_ONLY,
	OPT_IDLE,
	OPT_AUTO,
	OPT_LOCK,
	OPT_READY,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "stdio", no_argument, NULL, OPT_STDIO },
	{ "read-only", no_argument, NULL, OPT_READ_ONLY },
	{ "idle-exit", required_argument, NULL, OPT_IDLE },
	/* Between tpctl and us. */
	{ "auto", no_argument, NULL, OPT_AUTO },
	{ "lock-fd", required_argument, NULL, OPT_LOCK },
	{ "ready-fd", required_argument, NULL, OPT_READY },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void bad_usage(const char *what)
{
	fprintf(stderr, "tpd: %s; see tpd --help\n", what);
	exit(2);
}

static int descriptor(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end || fd < 3 || fd > 1024)
		bad_usage("no such descriptor");
	return (int)fd;
}

static void take_option(struct options *o, int option)
{
	switch (option) {
	case 'C':
		o->dir = optarg;
		break;
	case OPT_FOREGROUND:
		o->foreground = true;
		break;
	case OPT_STDIO:
		o->foreground = o->agent.stdio = o->agent.read_only = true;
		break;
	case OPT_READ_ONLY:
		o->agent.read_only = true;
		break;
	case OPT_IDLE:
		if (!span_parse(str_of(optarg), &o->agent.idle_ms))
			bad_usage("--idle-exit takes a time such as 30m");
		break;
	case OPT_AUTO:
		o->agent.automatic = true;
		break;
	case OPT_LOCK:
		o->agent.lock = descriptor(optarg);
		break;
	case OPT_READY:
		o->ready = descriptor(optarg);
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	case OPT_VERSION:
		puts("tpd " PACKAGE_VERSION);
		exit(0);
	default:
		bad_usage("unknown option");
	}
}

static void read_options(struct options *o, int argc, char **argv)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "C:h", long_options, NULL)) != -1)
		take_option(o, option);
	if (optind < argc)
		bad_usage("no arguments are taken");
	if (o->agent.stdio) {
		o->agent.idle_ms = 0;
		/* A file opened later must not get their numbers. */
		if (fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0)
			bad_usage("--stdio needs standard input and output");
	}
	const char *read_only = getenv("TP_READ_ONLY");
	o->agent.read_only |= read_only && strcmp(read_only, "1") == 0;
}

/* What a hook's environment says of git must not lead us astray later. */
static void clean_environment(void)
{
	static const char *const names[] = { "GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE",
					     "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
					     "GIT_CONFIG_PARAMETERS" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		unsetenv(names[i]);
}

/*
 * Parsers take and give back large blocks for every file, and long answers grow to
 * megabytes: keep them instead of asking the kernel for each page anew.
 */
static void tune_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 16 * 1024 * 1024);
	mallopt(M_TOP_PAD, 1024 * 1024);
	mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
}

int main(int argc, char **argv)
{
	struct options o = { .ready = -1, .agent = { .idle_ms = IDLE_MS, .lock = -1 } };
	struct agent *agent = NULL;
	struct place place;
	struct fault why;
	int status;

	read_options(&o, argc, argv);
	if (!o.foreground && !life_detach(&o.ready, &status))
		return status;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* A file that may not grow is an answer, not an end. */
	signal(SIGXFSZ, SIG_IGN);
	tune_memory();
	hash_init();
	bool ok = place_find(o.dir, &place, &why) && life_raise_limits(&why) &&
		  beneath_allowed(&why);
	clean_environment();
	ok = ok && chdir("/") == 0 && agent_new(&place, &o.agent, &agent, &why);
	life_tell(o.ready, ok ? NULL : &why);
	if (ok)
		agent_run(agent);
	agent_free(agent);
	place_release(&place);
	return ok ? 0 : fault_exit(why.code);
}
