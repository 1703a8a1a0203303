/* SPDX-License-Identifier: MIT */
#include "complete.h"

#include "base.h"
#include "out.h"
#include "plain.h"

/* How long a key press may take. */
#define PATIENCE_MS 50

static const char bash_script[] =
	"_tpctl() {\n"
	"\tlocal line\n"
	"\tCOMPREPLY=()\n"
	"\t[[ ${COMP_WORDS[COMP_CWORD-1]} == -C ]] && compopt -o dirnames && return\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tCOMPREPLY+=(\"${line%%$'\\t'*}\")\n"
	"\tdone < <(tpctl __complete words \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _tpctl tpctl\n";

static const char zsh_script[] =
	"#compdef tpctl\n"
	"_tpctl() {\n"
	"\tlocal line\n"
	"\tlocal -a found\n"
	"\tif [[ ${words[CURRENT-1]} == -C ]]; then _files -/; return; fi\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tfound+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
	"\tdone < <(tpctl __complete words \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)\n"
	"\t_describe -V tpctl found\n"
	"}\n"
	"if [[ $funcstack[1] == _tpctl ]]; then _tpctl \"$@\"; else compdef _tpctl tpctl; fi\n";

static const char fish_script[] =
	"function __tpctl_complete\n"
	"\tset -l words (commandline -opc) (commandline -ct)\n"
	"\tif test \"$words[-2]\" = -C\n"
	"\t\t__fish_complete_directories $words[-1]\n"
	"\telse\n"
	"\t\ttpctl __complete words $words[2..-1] 2>/dev/null\n"
	"\tend\n"
	"end\n"
	"complete -c tpctl -f -k -a '(__tpctl_complete)'\n";

bool complete_script(const struct args *args, struct outcome *o, struct fault *why)
{
	static const char *const scripts[] = { bash_script, zsh_script, fish_script };
	const struct rpc_field *shell = command_params(args->command);
	int which;

	if (!args_word(shell, args_text(args, shell->name), &which, why))
		return false;
	BUG_IF(which >= (int)COUNT_OF(scripts));
	buf_add_str(&o->page.out, str_of(scripts[which]));
	return true;
}

/* A command line that is being typed, as far as it has come. */
struct typing {
	struct args args;                /* command, dir, what was given */
	const struct rpc_field *pending; /* the parameter whose value comes next */
	bool pending_dir, pending_other; /* or a global option's */
	bool ended;                      /* -- was there */
	struct str word;                 /* what is to be completed */
	const char *before;              /* what stands before it in the same word */
	struct buf out;
};

static void offer(struct typing *t, const char *before, const char *word, const char *doc)
{
	if (!str_starts(str_of(word), t->word))
		return;
	buf_addf(&t->out, "%s%s%s\t", t->before, before, word);
	plain_add(&t->out, str_of(doc));
	buf_add(&t->out, "\n", 1);
}

static void offer_tickets(struct typing *t)
{
	struct outcome o = { .answer = NULL };
	struct request request;
	struct fault why;
	size_t i;
	json_t *ticket;

	t->args.timeout_ms = PATIENCE_MS;
	request_tickets(&request);
	if (run_request(&t->args, START_NEVER, &request, &o, NULL, &why)) {
		json_array_foreach(json_object_get(o.answer, "tickets"), i, ticket) {
			const char *id = json_string_value(json_object_get(ticket, "id"));
			const char *title = json_string_value(json_object_get(ticket, "title"));
			if (id)
				offer(t, "", id, title ? title : "");
		}
	}
	json_decref(o.answer);
	request_release(&request);
}

static void offer_commands(struct typing *t)
{
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		offer(t, "", command(id)->name, command_summary(command(id)));
}

static void offer_methods(struct typing *t)
{
	for (enum rpc_id id = 0; id < RPC_COUNT; id++)
		offer(t, "", rpc_method(id)->name, rpc_method(id)->summary);
}

static void offer_values(struct typing *t, const struct rpc_field *f)
{
	char name[64];

	for (int i = 0; f->words && i < f->words->count; i++)
		offer(t, "", option_name(f->words->list[i].name, name), f->words->list[i].doc);
	if (f->type == RPC_ID || strcmp(f->name, "ticket") == 0)
		offer_tickets(t);
	else if (strcmp(f->name, "command") == 0)
		offer_commands(t);
	else if (strcmp(f->name, "method") == 0)
		offer_methods(t);
}

static void offer_options(struct typing *t)
{
	const struct alias *alias;
	char name[64];

	/* Both dashes come before what is compared. */
	size_t dashes = t->word.len < 2 ? t->word.len : 2;
	t->word.at += dashes;
	t->word.len -= dashes;
	if (t->args.command) {
		const struct rpc_field *params = command_params(t->args.command);
		for (unsigned i = 0; params[i].name; i++)
			offer(t, "--", option_name(params[i].name, name), params[i].doc);
		for (unsigned n = 0; (alias = command_alias(t->args.command, n)); n++)
			if (alias->name)
				offer(t, "--", alias->name,
				      alias->value ? alias->value : alias->param);
	}
	for (enum global_id id = 0; id < GLOBAL_COUNT; id++)
		if (global(id)->name)
			offer(t, "--", global(id)->name, global(id)->doc);
}

static void give(struct typing *t, unsigned at)
{
	t->args.given = xrealloc(t->args.given, (t->args.count + 1) * sizeof(*t->args.given));
	t->args.given[t->args.count++] = (struct given){ at, "" };
}

/* The parameter that a word without a name would fill. */
static const struct rpc_field *next_form(const struct typing *t, unsigned *at)
{
	const struct rpc_field *field;
	bool needed;

	unsigned way = args_way(&t->args);

	for (unsigned n = 0; (field = command_form(t->args.command, way, n, at, &needed)); n++)
		if (field->type == RPC_STRS || !args_at(&t->args, *at))
			return field;
	return NULL;
}

static void see_option(struct typing *t, const char *word)
{
	bool letter = word[1] != '-', joined = letter ? word[2] : strchr(word, '=') != NULL;
	struct str name = { word + 2, strcspn(word + 2, "=") };
	struct option option;
	bool own = t->args.command && (letter ? command_letter(t->args.command, word[1], &option)
					      : command_option(t->args.command, name, &option));

	if (own) {
		give(t, option.at);
		if (!joined && option_takes(&option))
			t->pending = option.field;
		return;
	}
	enum global_id id = letter ? global_letter(word[1]) : global_find(name);
	if (id == GLOBAL_dir && joined)
		t->args.dir = word + 2;
	t->pending_dir = id == GLOBAL_dir && !joined;
	t->pending_other = id == GLOBAL_timeout && !joined;
}

/* A word that is complete. */
static void see_word(struct typing *t, const char *word)
{
	unsigned at;

	if (t->pending || t->pending_dir || t->pending_other) {
		/* Bash takes --name=value apart. */
		if (strcmp(word, "=") == 0)
			return;
		if (t->pending_dir)
			t->args.dir = word;
		t->pending = NULL;
		t->pending_dir = t->pending_other = false;
	} else if (!t->ended && strcmp(word, "--") == 0) {
		t->ended = true;
	} else if (!t->ended && word[0] == '-' && word[1]) {
		see_option(t, word);
	} else if (!t->args.command) {
		t->args.command = command_find(str_of(word));
	} else if (next_form(t, &at)) {
		give(t, at);
	}
}

static void offer_last(struct typing *t, const char *word)
{
	const char *equals = strchr(word, '=');
	const struct rpc_field *form;
	struct option option;
	unsigned at;

	t->word = str_of(word);
	if (t->pending || t->pending_dir || t->pending_other) {
		if (str_is(t->word, "="))
			t->word = STR("");
		if (t->pending)
			offer_values(t, t->pending);
	} else if (!t->ended && equals && strncmp(word, "--", 2) == 0) {
		struct str name = { word + 2, (size_t)(equals - word - 2) };
		char *before = xstrndup(word, (size_t)(equals - word + 1));
		t->word = str_of(equals + 1);
		t->before = before;
		if (t->args.command && command_option(t->args.command, name, &option))
			offer_values(t, option.field);
		t->before = "";
		free(before);
	} else if (t->ended && t->args.command && command_rest(t->args.command, &at)) {
		/* The shell knows what stands there, and we do not. */
	} else if (!t->ended && word[0] == '-') {
		offer_options(t);
	} else if (!t->args.command) {
		offer_commands(t);
	} else if ((form = next_form(t, &at))) {
		offer_values(t, form);
	}
}

int complete_run(int argc, char **argv)
{
	struct typing t = { .before = "" };
	struct fault why;

	if (argc >= 1 && strcmp(argv[0], "words") == 0) {
		for (int i = 1; i + 1 < argc; i++)
			see_word(&t, argv[i]);
		offer_last(&t, argc > 1 ? argv[argc - 1] : "");
	} else if (argc >= 1 && strcmp(argv[0], "tickets") == 0) {
		t.word = argc > 1 ? str_of(argv[1]) : STR("");
		offer_tickets(&t);
	}
	out_write((struct str){ t.out.at, t.out.len }, &why);
	buf_release(&t.out);
	args_release(&t.args);
	return 0;
}
