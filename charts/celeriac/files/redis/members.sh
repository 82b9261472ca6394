# Sourced by the scripts beside it.
# From the pod: SELF, this pod's own name; MEMBERS, the names of all three; MASTER_SET, what Sentinel calls their
# master; QUORUM; RETURN_SECONDS; REDISCLI_AUTH and SENTINEL_PASSWORD. Names, never addresses: a pod comes back with another address.
# shellcheck shell=sh disable=SC2034

data=/data
state=$data/sentinel.conf

quoted() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; } # as redis.conf wants it

say() { echo "$(date -u +%FT%TZ) $*" >&2; }

redis() { # redis HOST COMMAND…
  host=$1; shift
  timeout 3 redis-cli -h "$host" --raw "$@" 2>/dev/null || true
}

sentinel() { # sentinel HOST COMMAND…
  host=$1; shift
  REDISCLI_AUTH=$SENTINEL_PASSWORD timeout 3 redis-cli -h "$host" -p 26379 --raw "$@" 2>/dev/null || true
}

in_step() { # whether this pod's Redis is master, or holds what its master holds
  case $(redis localhost INFO replication | tr -d '\r') in
    *role:master* | *master_link_status:up*) ;;
    *) return 1 ;;
  esac
}

peers() { for member in $MEMBERS; do [ "$member" = "$SELF" ] || echo "$member"; done; }

views() { # one line "EPOCH MASTER" for each Sentinel that answers; the highest epoch is the newest decision
  for member in $MEMBERS; do
    sentinel "$member" SENTINEL MASTER "$MASTER_SET" | awk '
      NR % 2 { key = $0; next }
      key == "ip" { master = $0 }
      key == "config-epoch" { epoch = $0 }
      END { if (master != "" && epoch != "") print epoch, master }'
  done | sort -rn
}
