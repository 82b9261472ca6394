"""helm test: submit a run over HTTP and wait for its end. With --failover, again while Redis changes its master."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

API = os.environ["API"]
LIMIT = float(os.environ["TIMEOUT_SECONDS"])


def call(path: str, body: object = None) -> Any:
    """Ask the API; a 503 says to come again, and so does a connection that fails."""
    data = json.dumps(body).encode() if body is not None else None
    deadline = time.monotonic() + LIMIT
    while True:
        request = urllib.request.Request(API + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = f"{error.code} {error.read().decode()}"
            if error.code != 503:
                sys.exit(f"{path}: {problem}")
        except OSError as error:
            problem = repr(error)
        if time.monotonic() > deadline:
            sys.exit(f"{path}: no answer within {LIMIT:g} s: {problem}")
        time.sleep(1)


def round_trip() -> None:
    """Submit the run that the values name and wait until it has succeeded."""
    began = time.monotonic()
    run = call("/v1/tasks", json.loads(os.environ["SUBMISSION"]))
    while run["state"] not in ("succeeded", "failed", "cancelled", "expired", "dead"):
        if time.monotonic() - began > LIMIT:
            sys.exit(
                f"the run {run['id']} is still {run['state']} after {LIMIT:g} s: is there a worker for its queue?"
            )
        run = call(f"/v1/tasks/{run['id']}?wait=5")
    if run["state"] != "succeeded":
        sys.exit(f"the run ended as {run['state']}: {run}")
    print(f"{run['name']} succeeded after {time.monotonic() - began:.1f} s: {run.get('result')}", flush=True)


def fail_over() -> None:
    """Hand the master over as a pod that stops does: hold its writes, wait for a replica, have Sentinel promote it.

    SENTINEL FAILOVER alone would lose what the old master accepts until it hears of the new one.
    """
    from redis import Sentinel

    from celeriac.redis import connect, sentinel_options
    from celeriac.settings import load

    settings = load().redis
    hosts = [address.split(":") for address in settings.url.removeprefix("sentinel://").split("/")[0].split(",")]
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        [(host, int(port)) for host, port in hosts], sentinel_kwargs=sentinel_options(settings)
    )
    before = sentinel.discover_master(settings.sentinel_master)
    with connect(settings) as master:
        master.execute_command("CLIENT", "PAUSE", 15_000, "WRITE")
        wait_for("a replica that has caught up", lambda: in_step(master.info("replication")))
    wait_for("a Sentinel to agree", lambda: any(told(one, settings.sentinel_master) for one in sentinel.sentinels))
    wait_for("another master", lambda: sentinel.discover_master(settings.sentinel_master) != before)
    print(f"the master was {before[0]}", flush=True)


def in_step(info: Any) -> bool:
    """Tell whether some replica has all that the master has."""
    replicas = [value for name, value in info.items() if name.startswith("slave") and isinstance(value, dict)]
    return any(replica["offset"] == info["master_repl_offset"] for replica in replicas)


def told(sentinel: Any, name: str) -> bool:
    """Ask one Sentinel for the failover; it refuses while another is under way."""
    return bool(sentinel.execute_command("SENTINEL", "FAILOVER", name))


def wait_for(what: str, look: Callable[[], bool]) -> None:
    """Look until it is true, through whatever errors the change brings."""
    deadline = time.monotonic() + LIMIT
    problem = ""
    while time.monotonic() < deadline:
        try:
            if look():
                return
        except Exception as error:
            problem = repr(error)
        time.sleep(0.3)
    sys.exit(f"{what} did not come within {LIMIT:g} s {problem}")


round_trip()
if "--failover" in sys.argv[1:]:
    fail_over()
    round_trip()
