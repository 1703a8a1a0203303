/* SPDX-License-Identifier: MIT */
#ifndef TP_HANDLERS_H
#define TP_HANDLERS_H

#include "service.h"

/* One handler a method: one that is missing does not link, one too many does not compile. */
#define METHOD(id, ...) \
	bool handle_##id(struct call *call, const struct id##_params *p, struct fault *why);
#define PARAM(...)
#define RETURNS(...)
#include "methods.def"
#undef METHOD
#undef PARAM
#undef RETURNS

#endif
