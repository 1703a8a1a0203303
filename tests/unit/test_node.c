/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base.h"
#include "node.h"

#define KIDS 21 /* 8 times any number below goes round all of them */

/* Nobody looks into a tree here. */
static struct watch_tree *const tree = (struct watch_tree *)0x1000;

static struct node *add(struct node *parent, int i)
{
	char name[16];

	snprintf(name, sizeof(name), "n%02d", i);
	return node_new(tree, parent, str_of(name), 1);
}

static struct node *find(struct node *parent, int i)
{
	char name[16];

	snprintf(name, sizeof(name), "n%02d", i);
	return node_find(parent, str_of(name));
}

static void free_kids(struct node *parent)
{
	for (uint32_t i = 0; i < parent->kid_count; i++)
		node_free(node_kids(parent)[i]);
}

static void each_of_any_number_of_children_is_found(void **state)
{
	(void)state;
	for (int count = 0; count < KIDS; count++) {
		struct node *root = node_new(tree, NULL, STR(""), 1), *kids[KIDS];
		for (int i = 0; i < KIDS; i++) {
			int kid = i * 8 % KIDS;
			kids[kid] = kid < count ? add(root, kid) : NULL;
		}
		assert_int_equal(root->kid_count, count);
		for (int i = 0; i < KIDS; i++)
			assert_ptr_equal(find(root, i), kids[i]);
		free_kids(root);
		node_free(root);
	}
}

static void children_that_are_cut_are_found_no_more_and_the_others_are(void **state)
{
	struct node *root = node_new(tree, NULL, STR(""), 1), *kids[KIDS];
	(void)state;

	/* Twice, for there is less room for them the second time. */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < KIDS; i++)
			kids[i] = add(root, i);
		for (int cut = 0; cut < KIDS; cut++) {
			int gone = cut * 8 % KIDS;
			node_free(node_cut(kids[gone]));
			kids[gone] = NULL;
			for (int i = 0; cut % 3 && i < KIDS; i++)
				assert_ptr_equal(find(root, i), kids[i]);
		}
		assert_int_equal(root->kid_count, 0);
	}
	node_free(root);
}

static void whatever_is_below_a_root_is_of_its_tree(void **state)
{
	struct node *root = node_new(tree, NULL, STR("a longer name"), 1);
	struct node *kid = add(root, 1), *below = add(kid, 2);
	struct node *side = node_new(NULL, NULL, STR("/side"), 0);
	(void)state;

	assert_ptr_equal(node_tree(root), tree);
	assert_ptr_equal(node_tree(below), tree);
	assert_null(node_tree(side));
	node_cut(kid);
	assert_ptr_equal(node_tree(below), tree);
	node_free(below);
	node_free(kid);
	node_free(root);
	node_free(side);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_of_any_number_of_children_is_found),
		cmocka_unit_test(children_that_are_cut_are_found_no_more_and_the_others_are),
		cmocka_unit_test(whatever_is_below_a_root_is_of_its_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
