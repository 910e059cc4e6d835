#!/bin/sh
# A hook of a session: routes.sh PREFIX GATEWAY adds the route when the session is up, and removes it before it goes.
# The interface and the event come in the environment.
set -eu
case $L2TP_EVENT in
up) ip route replace "$1" via "$2" dev "$L2TP_INTERFACE" ;;
pre-down) ip route del "$1" via "$2" dev "$L2TP_INTERFACE" || true ;;
esac
echo "$L2TP_EVENT: $1 via $L2TP_INTERFACE"
