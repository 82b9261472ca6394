"""Writes numbers to the Redis set through its Sentinels until /tmp/stop appears; then counts what became of them.

Runs in a pod. A number counts as acknowledged when Redis answered its write; one without an answer is written again,
as every client of Celeriac does. Prints one line of JSON.
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
    last = time.monotonic()
    while not Path("/tmp/stop").exists():
        number = len(acknowledged)
        try:
            master.sadd("witness", number)
        except (RedisError, OSError):
            refused += 1
            time.sleep(0.1)
            continue
        now = time.monotonic()
        longest, last = max(longest, now - last), now
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
            }
        )
    )


main()
