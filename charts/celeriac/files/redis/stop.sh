#!/bin/sh
# Before a master stops: hold its writes, let the replicas catch up, have Sentinel promote one of them. Sentinel alone
# would leave the old master taking writes, for seconds, that the new one never sees.
set -eu
# shellcheck source=members.sh
. /scripts/members.sh
exec 2>/proc/1/fd/2 # the output of a hook is lost, that of the container is not

info() { redis localhost INFO replication | tr -d '\r'; }

candidates() { # the replicas that this pod's Sentinel may promote; any may be its choice, whatever it holds
  sentinel localhost SENTINEL REPLICAS "$MASTER_SET" | awk '
    NR % 2 { key = $0; next }
    key == "ip" { name = $0 }
    key == "flags" && $0 !~ /s_down/ { print name, ($0 == "slave" ? "reached" : "away") }'
}

# Whether each candidate is reached, and follows this master: "closely", or "exactly" once writes are held. One that is
# away and comes back with what it had is promoted as readily as another, so nothing is handed over while one is.
followed() { # followed closely|exactly
  {
    info
    echo candidates
    candidates
  } | awk -v exactly="$([ "$1" = closely ] || echo 1)" '
    /^master_repl_offset:/ { split($0, value, ":"); offset = value[2] }
    /^slave[0-9]+:/ {
      sub(/^[^:]*:/, ""); split("", field)
      for (i = split($0, pairs, ","); i; i--) { split(pairs[i], pair, "="); field[pair[1]] = pair[2] }
      if (field["state"] == "online" && field["lag"] <= 1) follows[field["ip"]] = field["offset"]
    }
    $0 == "candidates" { listed = 1; next }
    listed && $2 == "reached" && ($1 in follows) { found[$1] = follows[$1]; count++; next }
    listed { behind = 1 }
    END {
      for (name in found) if (exactly && found[name] != offset) behind = 1
      for (name in follows) if (!(name in found)) behind = 1 # Sentinel would leave it without a master
      exit !count || behind
    }'
}

alone() { info | grep -q '^connected_slaves:0$'; }
within() { deadline=$(($(date +%s) + $1)); } # the phases together stay below the pod's grace
late() { [ "$(date +%s)" -ge "$deadline" ]; }

hold() { # hold the writes if then all candidates have them all
  redis localhost CLIENT PAUSE 30000 WRITE >/dev/null
  for _ in 1 2 3 4 5; do
    ! followed exactly || return 0
    sleep 0.2
  done
  redis localhost CLIENT UNPAUSE >/dev/null
  return 1
}

info | grep -q '^role:master$' || exit 0

# Sentinel takes up to 15 s to find a replica that came back with another address; this waits while writes still go on.
within 25
until followed closely && hold; do
  ! alone || { say "no replica to hand over to"; exit 0; } # as when all are deleted at once
  ! late || { say "not all replicas are in step and reached; stopping as master"; exit 0; }
  sleep 0.5
done

# Writes stay held from here on, whatever happens: a replica may be promoted behind this one's back.
within 15
again=0 # one that was begun is not begun anew before it has had its time: it would hand over from the new master
answer=
until late; do
  if [ "$(date +%s)" -ge "$again" ] && followed exactly; then
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
