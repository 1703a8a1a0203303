/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "call.h"
#include "commit.h"
#include "complete.h"
#include "from.h"
#include "help.h"
#include "claim.h"
#include "init.h"
#include "json.h"
#include "launch.h"
#include "life.h"
#include "out.h"
#include "plain.h"
#include "show.h"
#include "tick.h"
#include "watching.h"

bool run_request(const struct args *args, enum start_mode mode, struct request *request,
		 struct outcome *o, struct reach *reach, struct fault *why)
{
	struct call call = { .reach = { .mode = mode, .offline = args->offline,
					.deadline = tick_now() + args->timeout_ms } };
	struct place place;

	if (!place_find(args->dir, &place, why))
		return false;
	call.reach.place = &place;
	request_stand(request, place.source);
	bool ok = call_ask(&call, request, why);
	if (ok) {
		o->kind = request->kind;
		o->shape = request->shape;
		o->answer = json_of(&call.result);
	}
	if (reach)
		*reach = call.reach;
	call_release(&call);
	place_release(&place);
	return ok;
}

static bool ask(const struct args *args, enum start_mode mode, struct outcome *o, struct fault *why)
{
	struct request request;
	bool ok = request_make(args, &request, why) &&
		  run_request(args, args->no_start ? START_NEVER : mode, &request, o, NULL, why);

	request_release(&request);
	return ok;
}

static bool run_ask(const struct args *args, struct outcome *o, struct fault *why)
{
	return ask(args, START_IMPLICIT, o, why);
}

static bool run_look(const struct args *args, struct outcome *o, struct fault *why)
{
	return ask(args, START_NEVER, o, why);
}

static bool run_record(const struct args *args, struct outcome *o, struct fault *why)
{
	return args_way(args) ? from_run(args, o, why) : run_ask(args, o, why);
}

static int append_plain(const char *bytes, size_t len, void *out)
{
	plain_add_lines(out, (struct str){ bytes, len });
	return 0;
}

static bool run_call(const struct args *args, struct outcome *o, struct fault *why)
{
	struct request request;
	enum start_mode mode = args->no_start ? START_NEVER : START_IMPLICIT;
	const char *method = args_text(args, "method"), *params = args_text(args, "params");
	bool ok = request_call(method, params, &request, why) &&
		  run_request(args, mode, &request, o, NULL, why);

	request_release(&request);
	if (!ok || args->json)
		return ok;
	json_dump_callback(o->answer, append_plain, &o->page.out,
			   JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	page_line(&o->page);
	return true;
}

static bool run_help(const struct args *args, struct outcome *o, struct fault *why)
{
	const char *topic = args->command ? args_text(args, "command") : NULL;

	if (topic)
		return help_topic(&o->page, topic, why);
	help_overview(&o->page, args->command && args_text(args, "all"));
	return true;
}

static bool run_version(struct outcome *o)
{
	o->kind = "version";
	o->answer = json_object();
	json_object_set_new(o->answer, "version", json_string(PACKAGE_VERSION));
	page_addf(&o->page, STYLE_PLAIN, "tpctl %s", PACKAGE_VERSION);
	page_line(&o->page);
	return true;
}

static bool run_command(const struct args *args, struct outcome *o, struct fault *why)
{
	static bool (*const runners[])(const struct args *, struct outcome *, struct fault *) = {
		[RUN_ask] = run_ask,
		[RUN_look] = run_look,
		[RUN_record] = run_record,
		[RUN_claim] = claim_run,
		[RUN_trail] = trail_run,
		[RUN_socket] = life_socket,
		[RUN_start] = life_start,
		[RUN_stop] = life_stop,
		[RUN_watch] = watching_run,
		[RUN_wait] = waiting_run,
		[RUN_init] = init_run,
		[RUN_commit] = commit_run,
		[RUN_call] = run_call,
		[RUN_completion] = complete_script,
		[RUN_help] = run_help,
	};

	o->kind = "help";
	if (args->version)
		return run_version(o);
	if (!args->command)
		return run_help(args, o, why);
	if (args->help) {
		help_command(&o->page, args->command);
		return true;
	}
	o->kind = args->command->name;
	return runners[args->command->run](args, o, why);
}

/* An answer may be a no: held or not queued, or errors found. */
static int status_of(enum shape_id shape, const json_t *answer)
{
	const json_t *gate = json_object_get(answer, "gate");
	const char *verdict = json_string_value(json_object_get(gate, "verdict"));

	if (shape == SHAPE_gate_answer && !(verdict && strcmp(verdict, "clear") == 0))
		return fault_exit(FAULT_HELD);
	if (shape == SHAPE_problems && json_integer_value(json_object_get(answer, "errors")) > 0)
		return fault_exit(FAULT_INVALID);
	return EXIT_SUCCESS;
}

static void complain(const struct fault *why, const char *hint)
{
	struct buf out = { 0 };

	buf_add_str(&out, STR("tpctl: "));
	plain_add(&out, str_of(why->text));
	buf_addf(&out, "%s%s\n", hint ? "\nhint: " : "", hint ? hint : "");
	out_complain((struct str){ out.at, out.len });
	buf_release(&out);
}

/* Write to standard output; the status is `good`, or that of the failure to do so. */
static int deliver(struct str text, int good)
{
	struct fault why;

	if (out_write(text, &why))
		return good;
	/* No hint: those speak of requests, and this one has been carried out. */
	complain(&why, NULL);
	return fault_exit(why.code);
}

/* What to do about it; help is best where it explains the very command.  The caller's to free. */
static char *hint_of(const struct args *args, enum fault_code code)
{
	if (args->command && (code == FAULT_USAGE || code == FAULT_BAD_ARGUMENT))
		return xasprintf("see `tpctl help %s`", args->command->name);
	return xstrdup(fault_hint(code));
}

static int fail(const struct args *args, bool json, const struct fault *why)
{
	struct buf out = { 0 };
	int status = fault_exit(why->code);
	char *hint = hint_of(args, why->code);

	if (!json) {
		complain(why, hint);
		free(hint);
		return status;
	}
	json_t *answer = json_error(why);
	json_object_set_new(json_object_get(answer, "error"), "hint", json_string(hint));
	free(hint);
	json_line(&out, answer);
	status = deliver((struct str){ out.at, out.len }, status);
	buf_release(&out);
	return status;
}

/* Every answer is a map; whatever else comes gets a key of its own. */
static json_t *as_object(json_t *answer)
{
	if (json_is_object(answer))
		return answer;
	json_t *object = json_object();
	json_object_set_new(object, "result", answer);
	return object;
}

static int print(const struct args *args, struct outcome *o)
{
	struct buf *out = &o->page.out;

	if (o->told)
		return o->status;
	if (args->json) {
		if (!o->answer) {
			o->answer = json_object();
			json_object_set_new(o->answer, "text",
					    json_stringn(out->len ? out->at : "", out->len));
		}
		out->len = 0;
		json_line(out, json_answer(o->kind, as_object(json_incref(o->answer))));
	} else if (!out->len && o->shape != SHAPE_COUNT) {
		show_answer(&o->page, o->shape, o->answer);
	}
	return deliver((struct str){ out->at, out->len }, status_of(o->shape, o->answer));
}

/* Where a program of somebody else finds the agent. */
static void export_socket(const char *dir)
{
	struct holder holder;
	struct place place;
	struct fault why;

	if (!place_find(dir, &place, &why))
		return;
	bool known = start_holder(&place, &holder, &why) && holder.held && *holder.path;
	setenv("TP_SOCKET", known ? holder.path : place.socket, 1);
	place_release(&place);
}

/* What stood before the name is for the program too; -C has been done. */
static char **external_words(const struct args *args)
{
	size_t count = 0, n = 1; /* the first is the program's name */
	static char json[] = "--json", no_start[] = "--no-start";

	while (args->external[count])
		count++;
	char **words = xcalloc(count + 3, sizeof(*words));
	if (args->json)
		words[n++] = json;
	if (args->no_start)
		words[n++] = no_start;
	for (size_t i = 1; i < count; i++)
		words[n++] = args->external[i];
	return words;
}

/* Become tpctl-NAME: our own, or one in PATH.  Returns only where that fails. */
static bool become(const char *name, char **words, struct fault *why)
{
	char *program = xasprintf("tpctl-%s", name);
	char *path = launch_find(program, "../libexec/ticketplan", PKGLIBEXECDIR);

	words[0] = program;
	signal(SIGPIPE, SIG_DFL);
	execvp(path, words);
	int cause = errno;
	signal(SIGPIPE, SIG_IGN);
	/* Whatever hides in an unreadable folder of PATH is not there. */
	if (cause == ENOENT || cause == ENOTDIR || cause == EACCES || cause == ENAMETOOLONG)
		help_unknown(name, why);
	else
		fault(why, FAULT_IO, "cannot run %s: %s", path, strerror(cause));
	free(path);
	free(program);
	return false;
}

/* `tpctl NAME` is `tpctl-NAME`, if there is such a program. */
static bool run_external(const struct args *args, struct fault *why)
{
	const char *name = args->external[0];

	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return help_unknown(name, why);
	if (args->dir && chdir(args->dir) < 0)
		return fault_errno(why, FAULT_USAGE, "%s", args->dir);
	export_socket(NULL);
	char **words = external_words(args);
	become(name, words, why);
	free(words);
	return false;
}

/* A program of ours knows the options of every command: it gets all that was said but its name. */
static bool run_program(const struct args *args, int argc, char **argv, struct fault *why)
{
	char **words = xcalloc((size_t)argc + 1, sizeof(*words));
	int n = 0;

	for (int i = 0; i < argc; i++)
		if (i != args->at)
			words[n++] = argv[i];
	if (!become(args->command->name, words, why) && why->code == FAULT_USAGE)
		fault(why, FAULT_IO,
		      "tpctl-%s is missing: it is neither beside tpctl, nor in %s or PATH",
		      args->command->name, PKGLIBEXECDIR);
	free(words);
	return false;
}

static bool is_program(const struct args *args)
{
	return args->command && args->command->run == RUN_program && !args->help && !args->version;
}

int run(int argc, char **argv)
{
	struct outcome o = { .kind = NULL, .shape = SHAPE_COUNT };
	struct args args;
	struct fault why;
	int status;

	out_guard();
	/* The keys are the protocol's, not an adversary's: they need no seed from /dev/urandom. */
	json_object_seed(1);
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "__complete") == 0)
		return complete_run(argc - 2, argv + 2);
	bool ok = args_parse(argc, argv, &args, &why);
	if (ok && args.external)
		ok = run_external(&args, &why);
	else if (ok && is_program(&args))
		ok = run_program(&args, argc, argv, &why);
	if (ok && !args.json)
		page_init(&o.page, STDOUT_FILENO);
	if (ok && run_command(&args, &o, &why))
		status = print(&args, &o);
	else
		status = fail(&args, args.json || args_want_json(argc, argv), &why);
	json_decref(o.answer);
	page_release(&o.page);
	args_release(&args);
	return status;
}
