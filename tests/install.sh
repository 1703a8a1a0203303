#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What `make install` puts where, whether it works there, and that `make uninstall` leaves
# nothing.  Run with abs_top_builddir set to where it was built.

cd "${abs_top_builddir:-$(dirname "$0")/../build}" || exit 99
root=$(mktemp -d "${TMPDIR:-/tmp}/tp.XXXXXX") || exit 99
trap 'rm -rf "$root"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL
count=0 status=0

# is GOT WANTED SENTENCE
is()
{
	count=$((count + 1))
	[ "$1" = "$2" ] || { printf 'not '; status=1; }
	echo "ok $count - $3"
	[ "$1" = "$2" ] || printf '%s\n' "got:" "$1" "wanted:" "$2" | sed 's/^/#	/'
}

files()
{
	(cd "$root" && find . ! -type d | sort)
}

make -s install DESTDIR="$root" prefix=/p sysconfdir=/p/etc >"$root.log" 2>&1
is "$?" 0 "make install"
is "$(files)" "./p/bin/tpctl
./p/include/ticketplan.h
./p/lib/libticketplan.a
./p/lib/pkgconfig/ticketplan.pc
./p/lib/systemd/user/tpd@.service
./p/libexec/ticketplan/tpctl-mcp
./p/sbin/tpd
./p/share/bash-completion/completions/tpctl
./p/share/fish/vendor_completions.d/tpctl.fish
./p/share/man/man1/tpctl.1
./p/share/man/man5/ticketplan-artifacts.5
./p/share/man/man7/ticketplan-protocol.7
./p/share/man/man8/tpd.8
./p/share/zsh/site-functions/_tpctl" "puts there what there is"
is "$("$root/p/bin/tpctl" mcp --config codex | sed -n 2p)" 'command = "tpctl"' \
	"tpctl finds its own programs where it was installed"
mkdir "$root/empty" && git init --quiet --template= "$root/empty" 2>/dev/null
is "$("$root/p/bin/tpctl" -C "$root/empty" --offline queue 2>&1 | grep -c 'no Ticket tree')" 1 \
	"and the agent"
rm -rf "$root/empty"

for shell in bash:bash-completion/completions/tpctl zsh:zsh/site-functions/_tpctl \
	fish:fish/vendor_completions.d/tpctl.fish; do
	command -v "${shell%%:*}" >/dev/null || continue
	is "$("${shell%%:*}" -n "$root/p/share/${shell#*:}" 2>&1)" "" "${shell%%:*} can read its completion"
done

if command -v systemd-analyze >/dev/null; then
	# It looks whether the program is there.
	sed "s|^ExecStart=[^ ]*|ExecStart=$root/p/sbin/tpd|" "$root/p/lib/systemd/user/tpd@.service" \
		>"$root/tpd@srv-example.service"
	mkdir -m 700 "$root/run"
	is "$(XDG_RUNTIME_DIR="$root/run" systemd-analyze --user --man=no verify \
		"$root/tpd@srv-example.service" 2>&1 | grep -F 'tpd@')" "" "systemd likes the unit"
	rm -rf "$root/run" "$root/tpd@srv-example.service"
fi

make -s uninstall DESTDIR="$root" prefix=/p sysconfdir=/p/etc >"$root.log" 2>&1
is "$?" 0 "make uninstall"
is "$(files)" "" "leaves nothing"
rm -f "$root.log"
echo "1..$count"
exit $status
