#!/bin/sh
# Starts Redis as what the Sentinels last decided. It never elects itself: it is master only if a majority of the
# Sentinels answers, the newest decision names it, and it has data or nobody has any.
set -eu
# shellcheck source=members.sh
. /scripts/members.sh

has_data() { [ -s "$data/appendonlydir/appendonly.aof.manifest" ]; }

peers_are_empty() {
  for peer in $(peers); do [ "$(redis "$peer" DBSIZE)" = 0 ] || return 1; done
}

while :; do
  known=$(views)
  count=$(echo "$known" | grep -c . || true)
  master=$(echo "$known" | awk 'NR == 1 { print $2 }')
  if [ -z "$master" ]; then
    say "waiting: no Sentinel answers"
  elif [ "$master" != "$SELF" ]; then
    role="replicaof $master 6379"; break
  elif [ "$count" -lt "$QUORUM" ]; then
    say "waiting: only $count Sentinel(s) answer, and being master takes $QUORUM"
  elif has_data || peers_are_empty; then
    role="# master"; break
  else
    say "waiting: this pod is named master but has no data, and a peer has some or does not answer"
  fi
  sleep 1
done

say "starting as ${role#\# }"
umask 077
{
  cat /config/redis.conf
  echo "replica-announce-ip $SELF"
  echo "requirepass $(quoted "$REDISCLI_AUTH")"
  echo "masterauth $(quoted "$REDISCLI_AUTH")"
  echo "$role"
} >/run/redis/redis.conf
exec redis-server /run/redis/redis.conf
