#!/bin/sh
# l2tp @VERSION@ for @TARGET@
#
# This file is a shell script with a gzipped tar behind it: the Deno runtime @DENO@ and the program. The first
# start unpacks them (@MEGABYTES@ MB) into a private folder, every start then execs the runtime: no other process
# is started, and pid, stdin, arguments, signals and exit status are the program's own.
#
# Needs: Linux on @MACHINE@ with glibc 2.27 or newer, a POSIX sh whose `[` knows -O and -k (dash, bash, busybox
# ash), and to unpack also: chmod, find, gzip, id, ls, mkdir, mv, rm, tail, tar, touch, tr, uname.
# Status 126: it could not start.
#
# Where it unpacks: the first of $XDG_CACHE_HOME/l2tp, $HOME/.cache/l2tp, /run/user/UID/l2tp, /var/cache/l2tp (root),
# /var/tmp/l2tp-UID and /tmp/l2tp-UID that is the caller's own, closed to others and allows programs to run. A new
# version removes there those that do not run now and were not read for 30 days. Deleting the folder is safe.
#
# Environment: settings meant for Deno or Node (the list is in _l2tp_start) never reach the program. DENO_DIR (a folder
# in the private one), DENO_NO_UPDATE_CHECK and DENO_DISABLE_NODE_SHIM are set, also for what the program starts, which
# may be itself. HOME is put back before the program's first line runs. The shell may add PWD, OLDPWD, SHLVL and _.

_l2tp_key=@KEY@
_l2tp_uid=

# A folder that is ours, and still has the sticky bit from when it was made: `chmod 777` takes that bit away, and
# where it stays, others cannot replace what is inside. The shell cannot see more without starting a process.
_l2tp_own() { [ -O "$1" ] && [ -k "$1" ] && [ ! -L "$1" ]; }

_l2tp_ready() {
  _l2tp_own "$1" && _l2tp_own "$1/cache" &&
    [ -O "$1/main.mjs" ] && [ -k "$1/main.mjs" ] && [ -s "$1/main.mjs" ] && [ ! -L "$1/main.mjs" ] &&
    [ -O "$1/l2tp" ] && [ -k "$1/l2tp" ] && [ -x "$1/l2tp" ] && [ -s "$1/l2tp" ] && [ ! -L "$1/l2tp" ]
}

# Runs a command that must also be found where PATH is empty or unset.
_l2tp_tool() (
  PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin
  "$@"
)

# Candidate $1: the folder above (_l2tp_up), ours below it (_l2tp_base). Fails where there is no such candidate.
_l2tp_at() {
  case $1 in
    xdg) _l2tp_up=${XDG_CACHE_HOME-} ;;
    home) _l2tp_up=${HOME:+$HOME/.cache} ;;
    var) _l2tp_up=/var/cache ;;
    *)
      [ -n "$_l2tp_uid" ] || _l2tp_uid=$(_l2tp_tool id -u) || return 1
      case $1 in run) _l2tp_up=/run/user/$_l2tp_uid ;; *) _l2tp_up=$1 ;; esac
      ;;
  esac
  case $1 in /*) _l2tp_base=$_l2tp_up/l2tp-$_l2tp_uid ;; *) _l2tp_base=$_l2tp_up/l2tp ;; esac
  case $_l2tp_up in /*) ;; *) return 1 ;; esac
}

# Only a folder above that is ours, or a shared one with the sticky bit, keeps others from swapping what is below.
_l2tp_above() {
  case $1 in
    /*) [ -k "$_l2tp_up" ] || [ -O "$_l2tp_up" ] ;;
    home) [ -O "$HOME" ] && [ -O "$_l2tp_up" ] ;;
    *) [ -O "$_l2tp_up" ] ;;
  esac
}

_l2tp_start() {
  unset @UNSET@
  export L2TP_START_HOME="${HOME+=$HOME}"
  # Deno reads ~/.npmrc even where it needs no package, and fails on what it cannot parse there.
  export HOME="$_l2tp_dir" DENO_DIR="$_l2tp_dir/cache" DENO_NO_UPDATE_CHECK=1 DENO_DISABLE_NODE_SHIM=1
  # Compiled code is kept, but taken only by starts with the same settings of V8, and others would replace it.
  case " $* " in
    *" daemon "*) exec "$_l2tp_dir/l2tp" run --no-code-cache @DAEMON@ @FLAGS@ "$_l2tp_dir/main.mjs" "$@" ;;
    *" -b"* | *" --b"* | *" mon"* | *" mo "* | *" m "*)
      export DENO_DIR="$_l2tp_dir/cache/long"
      exec "$_l2tp_dir/l2tp" run @LONG@ @FLAGS@ "$_l2tp_dir/main.mjs" "$@"
      ;;
    *) exec "$_l2tp_dir/l2tp" run @SHORT@ @FLAGS@ "$_l2tp_dir/main.mjs" "$@" ;;
  esac
}

# Every start but the first ends here, without a process but this one.
for _l2tp_n in xdg home var run /var/tmp /tmp; do
  _l2tp_at "$_l2tp_n" && _l2tp_own "$_l2tp_base" && _l2tp_above "$_l2tp_n" && _l2tp_ready "$_l2tp_base/$_l2tp_key" &&
    _l2tp_dir=$_l2tp_base/$_l2tp_key && _l2tp_start "$@"
done

# Unpacks into _l2tp_base, or prints in one line why that cannot be: status 1 for here, 3 for anywhere.
_l2tp_unpack() (
  umask 077
  unset GZIP TAR_OPTIONS POSIXLY_CORRECT
  new=
  refuse() {
    printf '%s\n' "$1"
    exit "${2:-1}"
  }
  open_to_others() { case $(ls -ldn "$1/.") in d????w* | d???????w*) ;; d*) return 1 ;; esac; }

  case $1 in
    xdg) [ -d "$_l2tp_up" ] || mkdir -p "$_l2tp_up" 2>/dev/null ;;
    home) [ -d "$_l2tp_up" ] || { [ -O "$HOME" ] && mkdir "$_l2tp_up" 2>/dev/null; } ;;
  esac
  [ -d "$_l2tp_up" ] || refuse "there is no folder $_l2tp_up, and it cannot be made"
  _l2tp_above "$1" || refuse "$_l2tp_up, or the home folder it is in, belongs to another user"
  ! open_to_others "$_l2tp_up" || [ -k "$_l2tp_up" ] || refuse "other users can write to $_l2tp_up"
  mkdir "$_l2tp_base" 2>/dev/null
  [ ! -L "$_l2tp_base" ] || refuse "it is a symbolic link"
  [ -d "$_l2tp_base" ] || refuse "it cannot be made (read-only, full, or not permitted)"
  [ -O "$_l2tp_base" ] || refuse "it belongs to another user"
  ! open_to_others "$_l2tp_base" || refuse "other users can write to it"
  chmod 1700 "$_l2tp_base" 2>/dev/null
  _l2tp_own "$_l2tp_base" || refuse "its file system keeps no owners or modes"
  ! _l2tp_ready "$_l2tp_base/$_l2tp_key" || exit 0

  trap 'rm -rf "${new:-/nonexistent/l2tp}"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # $$ alone would meet what a killed start left behind, or a start in another pid namespace.
  n=0
  while ! mkdir "$_l2tp_base/tmp-$$-$n" 2>/dev/null; do
    n=$((n + 1))
    [ "$n" -lt 50 ] || refuse "nothing can be made in it (read-only or full)"
  done
  new=$_l2tp_base/tmp-$$-$n
  tree=$new/$_l2tp_key

  { printf '#!/bin/sh\nexit 0\n' >"$new/probe" && chmod 700 "$new/probe"; } 2>/dev/null || refuse "it is full"
  "$new/probe" >/dev/null 2>&1 || refuse "programs cannot run there (mounted noexec?)"
  mkdir "$tree" "$tree/cache" 2>/dev/null || refuse "it is full"
  said=$({ { tail -c +@OFFSET@ "$0" | gzip -dc || echo "gzip failed" >&2; } | tar -xof - -C "$tree"; } 2>&1) ||
    said="$said tar failed"
  case $said in
    *"gzip failed"* | *"tar failed")
      tail -c +@OFFSET@ "$0" | gzip -t >/dev/null 2>&1 || refuse "this file ($0) is damaged" 3
      refuse "unpacking failed (no room?): $(printf '%s' "$said" | tr '\n' ' ')"
      ;;
  esac
  touch "$tree"/*
  chmod 1400 "$tree"/*.mjs && chmod 1500 "$tree/l2tp" && chmod 1700 "$tree/cache" "$tree" && _l2tp_ready "$tree" ||
    refuse "its file system keeps no owners or modes"
  unset @UNSET@
  said=$(DENO_DIR="$tree/cache" DENO_DISABLE_NODE_SHIM=1 "$tree/l2tp" --version 2>&1) ||
    refuse "its Deno runtime does not start on this system: ${said:-no reason given}" 3
  # Without it a power cut soon after could leave a published folder with holes in its files.
  sync "$tree/l2tp" 2>/dev/null || sync 2>/dev/null

  # Renaming a folder onto one with something in it fails, so of several first starts one wins and the rest use it.
  mv -f "$tree" "$_l2tp_base/" 2>/dev/null || _l2tp_ready "$_l2tp_base/$_l2tp_key" || {
    mv -f "$_l2tp_base/$_l2tp_key" "$new/damaged" 2>/dev/null
    mv -f "$tree" "$_l2tp_base/" 2>/dev/null
  }
  _l2tp_ready "$_l2tp_base/$_l2tp_key" || refuse "it has a damaged $_l2tp_key that cannot be replaced"

  # Where the file system notes no reads, a version may go that is in use now and then: it is unpacked again.
  running=$(ls -l /proc/[0-9]*/exe 2>/dev/null)
  for old in "$_l2tp_base"/*; do
    name=${old##*/}
    case $name in
      "$_l2tp_key") continue ;;
      tmp-*) unused=$(find "$old" -prune -mtime +1) ;;
      *[!0-9a-f]*) continue ;;
      ????????????????????????????????) unused=$(find "$old/l2tp" -prune -atime +30) ;;
      *) continue ;;
    esac
    case $running in *"/$name/"*) continue ;; esac
    [ -z "$unused" ] || rm -rf "$old"
  done
  exit 0
)

_l2tp_fail() {
  printf 'l2tp: %s\n' "$@" >&2
  exit 126
}

[ -f "$0" ] && [ -r "$0" ] || _l2tp_fail "cannot read its own file ($0): start it by its full path."
for _l2tp_n in gzip tail tar uname; do
  _l2tp_tool command -v "$_l2tp_n" >/dev/null || _l2tp_fail "needs the program $_l2tp_n to unpack itself." \
    "Install it, or start l2tp with a PATH that has it."
done
_l2tp_n=$(_l2tp_tool uname -m)
[ "$_l2tp_n" = @MACHINE@ ] || _l2tp_fail "this file is for @MACHINE@, this machine is ${_l2tp_n:-unknown}." \
  "Take the l2tp that was made for it."
# `wc -c` would do, but busybox reads the whole file for it.
_l2tp_size() { echo "$5"; }
# shellcheck disable=SC2046
_l2tp_n=$(_l2tp_size $(_l2tp_tool ls -lnL "$0"))
[ "$_l2tp_n" = @SIZE@ ] || _l2tp_fail "this file ($0) is damaged: it has $_l2tp_n bytes instead of @SIZE@." \
  "Was copying it cut short? Copy it again, in binary mode."
_l2tp_why=
for _l2tp_n in xdg home run var /var/tmp /tmp; do
  _l2tp_at "$_l2tp_n" || continue
  [ "$_l2tp_n" != var ] || [ -O /var/cache ] || continue
  _l2tp_said=$(_l2tp_tool _l2tp_unpack "$_l2tp_n" </dev/null 2>/dev/null) &&
    _l2tp_dir=$_l2tp_base/$_l2tp_key && {
    # Deno keeps compiled code only of programs that take their time to end. This one does, and needs every module.
    (_l2tp_start version) </dev/null >/dev/null 2>&1
    _l2tp_start "$@"
  }
  _l2tp_status=$?
  case $_l2tp_status in
    3) _l2tp_fail "$_l2tp_said." "If it is damaged, copy it again, in binary mode. The runtime needs glibc 2.27." ;;
    129 | 130 | 137 | 143) exit "$_l2tp_status" ;;
  esac
  _l2tp_why="$_l2tp_why
l2tp:   $_l2tp_base: ${_l2tp_said:-stopped with status $_l2tp_status}"
done
_l2tp_fail "found no folder to unpack the program into (@MEGABYTES@ MB). Tried:$_l2tp_why" \
  "Set XDG_CACHE_HOME to a folder of your own, with room, where programs may run."
