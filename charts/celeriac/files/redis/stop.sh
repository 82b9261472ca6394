#!/bin/sh
# Before a master stops: hold its writes, let a replica catch up, have Sentinel promote that replica. Sentinel alone
# would leave the old master taking writes, for seconds, that the new one never sees.
set -eu
# shellcheck source=members.sh
. /scripts/members.sh
exec 2>/proc/1/fd/2 # the output of a hook is lost, that of the container is not

field() { redis localhost INFO replication | tr -d '\r' | sed -n "s/^$1://p"; }

reached() { # how many replicas this pod's Sentinel can reach, and sees in step with the master
  sentinel localhost SENTINEL REPLICAS "$MASTER_SET" | awk '
    NR % 2 { key = $0; next }
    key == "flags" { flags = $0 }
    key == "master-link-status" && $0 == "ok" && flags == "slave" { count++ }
    END { print count + 0 }'
}

alone() { [ "$(field connected_slaves)" = 0 ]; }
within() { deadline=$(($(date +%s) + $1)); } # the phases together stay below the pod's grace
late() { [ "$(date +%s)" -ge "$deadline" ]; }

[ "$(field role)" = master ] || exit 0

# Sentinel takes up to 15 s to find a replica that came back with another address. Until then it promotes none, or
# leaves that one without a master; so this waits while writes still go on.
within 25
until [ "$(reached)" -ge "$(field connected_slaves)" ]; do
  ! late || { say "Sentinel does not reach all replicas"; break; }
  sleep 0.5
done
! alone || { say "no replica to hand over to"; exit 0; } # as when all are deleted at once

redis localhost CLIENT PAUSE 30000 WRITE >/dev/null
within 3
until field 'slave[0-9]*' | grep -q "state=online,offset=$(field master_repl_offset),"; do
  ! late || { say "no replica has caught up"; break; }
  sleep 0.2
done

within 15
again=0 # one that was begun is not begun anew before it has had its time: it would hand over from the new master
until late; do
  if [ "$(date +%s)" -ge "$again" ]; then
    answer=$(sentinel localhost SENTINEL FAILOVER "$MASTER_SET")
    [ "$answer" = "${last-}" ] || say "failover: $answer"
    last=$answer
    [ "$answer" != OK ] || again=$(($(date +%s) + 6))
  fi
  master=$(sentinel localhost SENTINEL GET-MASTER-ADDR-BY-NAME "$MASTER_SET" | head -n 1)
  if [ -n "$master" ] && [ "$master" != "$SELF" ]; then say "$master is master now"; exit 0; fi
  [ "$answer" = OK ] || ! alone || break
  sleep 0.2
done
say "no replica took over; stopping as master"
redis localhost CLIENT UNPAUSE >/dev/null
