#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every header compiles alone, in the world of its own room.  CC, CPPFLAGS and srcdir come
# from the environment.

top=${srcdir:-$(dirname "$0")/..}
status=0
for header in "$top"/protocol/*.h "$top"/agent/*.h "$top"/client/*.h; do
	[ -f "$header" ] || continue
	if ! echo "#include \"${header##*/}\"" |
		${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
			-I"${header%/*}" -I"$top/protocol" ${CPPFLAGS-} -x c -; then
		echo "${header#"$top"/}:1: does not compile alone"
		status=1
	fi
done
[ $status = 0 ] && echo "ok 1 - every header compiles alone" || echo "not ok 1 - every header compiles alone"
echo 1..1
exit $status
