#!/bin/sh
# Starts Sentinel with what it knew when it stopped. A Sentinel without a past asks its peers who is master.
set -eu
# shellcheck source=members.sh
. /scripts/members.sh

case " $MEMBERS " in
  *" $SELF "*) ;;
  *) say "this set has three members; $SELF is none of them: scale it back to 3"; exit 1 ;;
esac
until getent hosts "$SELF" >/dev/null; do say "waiting for DNS to know $SELF"; sleep 0.5; done

first_master() { # prints who is master, for a Sentinel without a past
  attempt=0
  while :; do
    master=$(views | awk 'NR == 1 { print $2 }')
    if [ -n "$master" ]; then echo "$master"; return; fi
    # Sentinels with a past answer within a second of their start, so five silent rounds mean a set that never ran.
    # Only the first pod may conclude so; redis.sh makes sure that nobody else has data before it lets it be master.
    attempt=$((attempt + 1))
    if [ "$attempt" -ge 5 ] && [ "${SELF%%.*}" = "$FIRST" ]; then echo "$SELF"; return; fi
    say "no Sentinel answers yet"
    sleep 1
  done
}

memory='^sentinel (monitor|myid|config-epoch|leader-epoch|current-epoch|known-replica|known-sentinel) '
if grep -q '^sentinel monitor ' "$state" 2>/dev/null; then
  remembered=$(grep -E "$memory" "$state")
  master=$(sed -n "s/^sentinel monitor $MASTER_SET \([^ ]*\) .*/\1/p" "$state")
else
  master=$(first_master)
  say "first start: the master is $master"
  remembered="sentinel myid $(printf %s "$SELF" | sha1sum | cut -c1-40)
sentinel monitor $MASTER_SET $master 6379 $QUORUM"
fi

# Members that give a master up in the same moment split the vote, and a split costs two failover timeouts.
ordinal=${SELF%%.*}
patience=$((DOWN_AFTER_MILLISECONDS + 700 * ${ordinal##*-}))

# After a stop of the whole set only the last master has all that it acknowledged. So this Sentinel is patient until it
# reaches a master that its own Redis has followed: before that, the replica it would promote may hold less.
reached() { # that its Redis answers a script is not enough: Sentinel counts its own silence from its start
  sentinel localhost SENTINEL MASTER "$MASTER_SET" | awk '
    NR % 2 { key = $0; next }
    key == "flags" && $0 == "master" { up = 1 }
    key == "last-ok-ping-reply" && $0 < 2000 { answers = 1 }
    END { exit !(up && answers) }'
}
lose_patience() {
  until reached && in_step; do sleep 0.5; done
  until [ "$(sentinel localhost SENTINEL SET "$MASTER_SET" down-after-milliseconds "$patience")" = OK ]; do sleep 1; done
}

umask 077
{
  cat /config/sentinel.conf
  echo "sentinel announce-ip $SELF"
  echo "requirepass $(quoted "$SENTINEL_PASSWORD")"
  echo "$remembered" | grep -E '^sentinel (myid|monitor) '
  echo "sentinel auth-pass $MASTER_SET $(quoted "$REDISCLI_AUTH")"
  echo "sentinel down-after-milliseconds $MASTER_SET $((RETURN_SECONDS * 1000 + patience))"
  cat /config/sentinel-master.conf
  echo "$remembered" | grep -vE '^sentinel (myid|monitor) ' || true
} >"$state.new"
mv "$state.new" "$state"
lose_patience &
exec redis-sentinel "$state"
