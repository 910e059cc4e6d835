#!/bin/bash
# PID 1 of the guest: runs the command in the overlay over the host's root and
# tells the host how it ended.  Only shell builtins, and cat: programs that come
# over 9p start slowly.
#   port 1, 2  the command's stdout and stderr, each followed by the end mark
#   port 3     "booted", then "exit CODE", one a line
exec </dev/null >/dev/console 2>&1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
control=/run/l2tp-guest
echo booted >/dev/vport0p3

# A port can be opened once and by nobody else: pipes between let the command
# reopen /dev/stdout.
exec 3> >(exec cat >/dev/vport0p1)
out=$!
exec 4> >(exec cat >/dev/vport0p2)
err=$!
env -i /bin/bash "$control/command.sh" </dev/null >&3 2>&4 3>&- 4>&- &
wait $!
code=$?
exec 3>&- 4>&-

# What the command left running may hold the pipes open for ever: it gets a
# second to finish what it says.
for ((n = 0; n < 20; n++)); do
  kill -0 "$out" 2>/dev/null || kill -0 "$err" 2>/dev/null || break
  read -r -t 0.05 <> <(:)
done
kill "$out" "$err" 2>/dev/null
wait "$out" "$err"

read -r mark <"$control/end_mark"
printf %s "$mark" >/dev/vport0p1
printf %s "$mark" >/dev/vport0p2
echo "exit $code" >/dev/vport0p3

# The host ends QEMU when it has read all of this.  A guest that rebooted by
# itself could take output with it that the host was too busy to read.
while :; do read -r -t 3600 <> <(:); done
