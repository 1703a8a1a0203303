/* SPDX-License-Identifier: MIT */
/*
 * tpctl-mcp, run as `tpctl mcp`: the road by which an orchestrator comes to the
 * agent where its shell may not open a socket.
 *
 *   lines      lines out of bytes       message   JSON-RPC out of a line
 *   serve      both eras of MCP         tools     what tools.def says
 *   flight     a tool under way         host      configuration of hosts
 *   mcp        this file: standard input and output, and the end
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <jansson.h>

#include "args.h"
#include "base.h"
#include "help.h"
#include "host.h"
#include "lines.h"
#include "out.h"
#include "place.h"
#include "serve.h"
#include "session.h"
#include "tick.h"
#include "ulid.h"

#define READ_SIZE 65536
/* At the end of input, for tools that are under way. */
#define PARTING_MS 2000

struct mcp {
	struct serve *serve;
	struct lines lines;
	struct buf out;
	int parent; /* a descriptor of the process that started us; -1: not to be had */
	bool ended; /* of input */
	bool over;
	int64_t deadline; /* once input has ended */
};

/* -- The loop ----------------------------------------------------------- */

static void take_lines(struct mcp *m)
{
	enum lines_next next = LINES_LINE;
	struct str line;

	while (!serve_full(m->serve) && next != LINES_MORE) {
		next = lines_next(&m->lines, m->ended, &line);
		if (next == LINES_LINE)
			serve_line(m->serve, line, &m->out);
		else if (next == LINES_TOO_LONG)
			serve_too_long(&m->out);
	}
}

static void read_some(struct mcp *m)
{
	static char bytes[READ_SIZE];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (got > 0) {
		lines_add(&m->lines, (struct str){ bytes, (size_t)got });
	} else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
		m->ended = true;
		m->deadline = tick_now() + PARTING_MS;
	}
}

/* Whom nobody hears any more has no reason to live. */
static void flush(struct mcp *m)
{
	if (m->out.len && !out_reach((struct str){ m->out.at, m->out.len }))
		m->over = true;
	m->out.len = 0;
}

static void wait_for_more(struct mcp *m)
{
	struct pollfd ends[SERVE_ENDS + 2];
	int wait_ms;
	size_t n = serve_ends(m->serve, ends + 2, &wait_ms);
	bool reading = !m->ended && !serve_full(m->serve);

	ends[0] = (struct pollfd){ .fd = reading ? STDIN_FILENO : -1, .events = POLLIN };
	ends[1] = (struct pollfd){ .fd = m->parent, .events = POLLIN };
	if (m->ended && (wait_ms < 0 || tick_left(m->deadline) < wait_ms))
		wait_ms = tick_left(m->deadline);
	if (poll(ends, n + 2, wait_ms) < 0)
		return;
	if (ends[1].revents)
		m->over = true;
	else if (ends[0].revents)
		read_some(m);
}

static void run_loop(struct mcp *m)
{
	while (!m->over) {
		wait_for_more(m);
		serve_go_on(m->serve, &m->out);
		take_lines(m);
		flush(m);
		if (m->ended && (serve_idle(m->serve) || !tick_left(m->deadline)))
			m->over = true;
	}
}

/* -- Life --------------------------------------------------------------- */

/*
 * Not PR_SET_PDEATHSIG: that is about the thread which started us, and hosts
 * start programs from threads that come and go.
 */
static int open_parent(void)
{
	return (int)syscall(SYS_pidfd_open, getppid(), 0);
}

/* A host names the project it is about, and may have started us anywhere. */
static const char *where(const struct args *args)
{
	const char *project = getenv("CLAUDE_PROJECT_DIR");
	struct place place;
	struct fault why;

	if (args->dir || !project || !*project || !place_find(project, &place, &why))
		return args->dir;
	place_release(&place);
	return project;
}

static int complain(const struct fault *why)
{
	struct buf text = { 0 };

	buf_addf(&text, "tpctl mcp: %s\n", why->text);
	out_complain((struct str){ text.at, text.len });
	buf_release(&text);
	return fault_exit(why->code);
}

static int print_config(const struct args *args, int host)
{
	struct buf text = { 0 };
	struct fault why;

	if (isatty(STDERR_FILENO)) {
		buf_addf(&text, "# for %s\n", host_place((enum host)host));
		out_complain((struct str){ text.at, text.len });
		text.len = 0;
	}
	host_config((enum host)host, args_text(args, "read_only") != NULL, &text);
	bool ok = out_write((struct str){ text.at, text.len }, &why);
	buf_release(&text);
	return ok ? 0 : complain(&why);
}

/*
 * Whose claims are those of a host that does not say which session it is: of
 * this server, so that two of them are not taken for one.
 */
static void name_session(void)
{
	char id[ULID_LEN + 1], name[ULID_LEN + 5], *known = session_of_environment();

	if (!known) {
		ulid_make(id);
		snprintf(name, sizeof(name), "mcp:%s", id);
		setenv("TP_SESSION", name, 1);
	}
	free(known);
}

static int serve_stdio(const struct args *args)
{
	struct mcp m = { .parent = open_parent() };

	if (isatty(STDIN_FILENO))
		out_complain(
			STR("tpctl mcp is for a host, which speaks JSON to it; tpctl mcp --config "
			    "HOST prints what that has to be told\n"));
	name_session();
	/* Before any request is made: a connection says once that it only looks. */
	if (args_text(args, "read_only") || args->offline)
		setenv("TP_READ_ONLY", "1", 1);
	m.serve = serve_new(&(struct way){
		.dir = where(args), .no_start = args->no_start, .offline = args->offline });
	run_loop(&m);
	serve_free(m.serve);
	lines_release(&m.lines);
	buf_release(&m.out);
	if (m.parent >= 0)
		close(m.parent);
	return 0;
}

static int print_help(const struct args *args)
{
	struct page page;
	struct fault why;

	page_init(&page, STDOUT_FILENO);
	help_command(&page, args->command);
	bool ok = out_write((struct str){ page.out.at, page.out.len }, &why);
	page_release(&page);
	return ok ? 0 : complain(&why);
}

static int run_mcp(const struct args *args)
{
	const struct rpc_field *params = command_params(args->command);
	const char *host = args_text(args, "config");
	struct fault why;
	unsigned at;
	int word;

	if (args->help)
		return print_help(args);
	if (!host)
		return serve_stdio(args);
	if (!args_word(rpc_field_find(params, STR("config"), &at), host, &word, &why))
		return complain(&why);
	return print_config(args, word);
}

int main(int argc, char **argv)
{
	char **words = xcalloc((size_t)argc + 2, sizeof(*words)), name[] = "mcp";
	struct args args;
	struct fault why;

	out_guard();
	signal(SIGPIPE, SIG_IGN);
	/* As for tpctl: `tpctl mcp WORDS`. */
	words[0] = argv[0];
	words[1] = name;
	for (int i = 1; i < argc; i++)
		words[i + 1] = argv[i];
	int status = args_parse(argc + 1, words, &args, &why) ? run_mcp(&args) : complain(&why);
	args_release(&args);
	free(words);
	return status;
}
