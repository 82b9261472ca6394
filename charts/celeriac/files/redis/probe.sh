#!/bin/sh
# probe.sh live | ready | sentinel. A Redis that loads, lost its master or runs a long script is alive.
set -eu
# shellcheck source=members.sh
. /scripts/members.sh

case $1 in
  live)
    case $(redis localhost PING) in
      PONG | LOADING* | MASTERDOWN* | BUSY*) ;;
      *) echo "no answer to PING"; exit 1 ;;
    esac ;;
  ready) # so that a rolling restart goes on to the next pod only when this one holds the data
    in_step || { echo "not in step with the master"; exit 1; } ;;
  sentinel)
    [ "$(sentinel localhost PING)" = PONG ] ;;
esac
