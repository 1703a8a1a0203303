/* SPDX-License-Identifier: MIT */
/*
 * Print the queue, then what changes in it.  Run it in a repository.
 * cc -o queue queue.c $(pkg-config --cflags --libs ticketplan)
 */
#include <stdio.h>
#include <ticketplan.h>
#include <unistd.h>

static void print(const char *what, const struct tp_value *name, const char *rest)
{
	size_t len = 0;
	const char *text = tp_text(name, &len);

	printf("%s %.*s%s\n", what, (int)len, text ? text : "", rest);
}

static void on_queue(struct tp *tp, const struct tp_value *said, void *data)
{
	const struct tp_value *queue = tp_get(said, "queue");

	(void)tp, (void)data;
	for (size_t i = 0; i < tp_size(queue); i++) {
		const struct tp_value *row = tp_at(queue, i, NULL);
		int clear = tp_is(tp_get(row, "gate.verdict"), "clear");
		print("queued", tp_get(row, "id"), clear ? " clear" : " held");
	}
}

static void on_news(struct tp *tp, int feed, enum tp_news news, const struct tp_value *said,
		    void *listed)
{
	static const char *const lists[] = { "changed", "removed", "woken" };

	(void)feed;
	if (news == TP_REFUSED) {
		fprintf(stderr, "%s\n", tp_error(tp));
		return;
	}
	if (tp_truth(tp_get(said, "fresh")) || !*(int *)listed)
		tp_call(tp, "queue.list", NULL, on_queue, NULL);
	*(int *)listed = 1;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const struct tp_value *names = tp_get(said, lists[i]);
		for (size_t k = 0; k < tp_size(names); k++)
			print(lists[i], tp_at(names, k, NULL), "");
	}
}

int main(void)
{
	struct tp *tp = tp_new();
	int listed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	tp_subscribe(tp, NULL, on_news, &listed);
	for (;;) {
		while (tp_open(tp, NULL, 0, 10000) < 0) {
			fprintf(stderr, "%s\n", tp_error(tp));
			if (!listed)
				return 1;
			sleep(1);
		}
		while (tp_wait(tp, -1) >= 0)
			;
	}
}
