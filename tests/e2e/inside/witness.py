"""Writes numbers to the Redis set through its Sentinels until /tmp/stop appears; then counts what became of them.

Runs in a pod. A number counts as acknowledged when Redis answered its write; one without an answer is written again,
as every client of Celeriac does. Prints one line of JSON, with what it met in the longest stall.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from redis import Sentinel
from redis.exceptions import RedisError

TIMEOUTS = {"socket_timeout": 2, "socket_connect_timeout": 0.5}


def sentinel() -> Any:
    hosts = [tuple(address.split(":")) for address in os.environ["SENTINELS"].split(",")]
    return Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        hosts,
        sentinel_kwargs={"password": os.environ["SENTINEL_PASSWORD"], "retry": None, **TIMEOUTS},
        password=os.environ["REDIS_PASSWORD"],
        **TIMEOUTS,
    )


def main() -> None:
    master = sentinel().master_for("mymaster", retry=None)
    acknowledged: list[int] = []
    longest, refused = 0.0, 0
    met: list[str] = []
    met_in_longest: list[str] = []
    last = time.monotonic()
    while not Path("/tmp/stop").exists():
        number = len(acknowledged)
        tried = time.monotonic()
        try:
            master.sadd("witness", number)
        except (RedisError, OSError) as error:
            refused += 1
            met.append(f"{tried - last:.1f}-{time.monotonic() - last:.1f} s: {error}")
            time.sleep(0.1)
            continue
        now = time.monotonic()
        if now - last > longest:
            longest, met_in_longest = now - last, [*met, f"{tried - last:.1f}-{now - last:.1f} s: written"]
        last = now
        met.clear()
        acknowledged.append(number)
        if number == 100:
            print(json.dumps({"writing": True}), flush=True)
        time.sleep(0.002)
    kept = {int(number) for number in master.smembers("witness")}
    lost = [number for number in acknowledged if number not in kept]
    print(
        json.dumps(
            {
                "acknowledged": len(acknowledged),
                "lost": len(lost),
                "refused": refused,
                "longest_stall": round(longest, 1),
                "met": met_in_longest,
            }
        )
    )


main()
