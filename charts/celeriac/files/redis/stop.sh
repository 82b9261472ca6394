#!/bin/sh
# Before a master stops: hold its writes, let a replica catch up, have Sentinel promote that replica. Sentinel alone
# would leave the old master taking writes, for seconds, that the new one never sees.
set -eu
# shellcheck source=members.sh
. /scripts/members.sh

field() { redis localhost INFO replication | tr -d '\r' | sed -n "s/^$1://p"; }

[ "$(field role)" = master ] || exit 0
[ "$(field connected_slaves)" != 0 ] || { say "no replica to hand over to"; exit 0; }

redis localhost CLIENT PAUSE 30000 WRITE >/dev/null
attempt=0
until field 'slave[0-9]*' | grep -q "state=online,offset=$(field master_repl_offset),"; do
  attempt=$((attempt + 1))
  [ "$attempt" -lt 15 ] || { say "no replica has caught up"; break; }
  sleep 0.2
done

attempt=0
while [ "$attempt" -lt 60 ]; do
  [ $((attempt % 20)) != 0 ] || say "failover: $(sentinel localhost SENTINEL FAILOVER "$MASTER_SET")"
  master=$(sentinel localhost SENTINEL GET-MASTER-ADDR-BY-NAME "$MASTER_SET" | head -n 1)
  if [ -n "$master" ] && [ "$master" != "$SELF" ]; then say "$master is master now"; exit 0; fi
  attempt=$((attempt + 1))
  sleep 0.2
done
say "no replica took over; stopping as master"
redis localhost CLIENT UNPAUSE >/dev/null
