/* SPDX-License-Identifier: MIT */
#include "jsonset.h"

#include "stamp.h"

void jsonset_text(json_t *object, const char *name, struct str text)
{
	if (text.at)
		json_object_set_new_nocheck(object, name, json_stringn(text.at, text.len));
}

void jsonset_time(json_t *object, const char *name, int64_t us)
{
	char text[STAMP_MAX];

	json_object_set_new_nocheck(object, name, json_string(stamp_text(us, text)));
}
