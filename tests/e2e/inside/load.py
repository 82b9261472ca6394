"""Submits runs of every kind over HTTP, as a patient client does, and follows each to its end.

Runs in a pod: ``load.py RUNS PER_SECOND``. A 503 or a broken connection is tried again with the same id. Prints lines
of JSON: when a quarter is submitted, and at the end what became of all.
"""

import http.client
import itertools
import json
import os
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

HOST = os.environ["API_HOST"]
KINDS = ["short"] * 10 + ["nap"] * 2 + ["wait"] * 3 + ["again"] * 2 + ["in_chain"] * 2 + ["in_chord"]
GIVE_UP_SECONDS = 240
FINAL = ("succeeded", "failed", "cancelled", "expired", "dead")

here = threading.local()
counts: Counter[str] = Counter()
accepted_at: list[float] = []
lock = threading.Lock()


def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Make one request on this thread's connection."""
    if not hasattr(here, "connection"):
        here.connection = http.client.HTTPConnection(HOST, 8000, timeout=20)
    try:
        here.connection.request(
            method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"}
        )
        answer = here.connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        here.connection.close()
        raise


def submit(number: int, prefix: str) -> str:
    """Submit one run until it is accepted."""
    kind = KINDS[number % len(KINDS)]
    queue = "io" if kind in ("nap", "wait") else "default"
    run = {"id": f"{prefix}-{number}", "name": f"drill.{kind}", "args": [number], "queue": queue}
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        try:
            status, answer = ask("POST", "/v1/tasks", run)
        except (OSError, http.client.HTTPException) as error:
            with lock:
                counts["failed requests"] += 1
                counts[f"failed request: {type(error).__name__}"] += 1
        else:
            if status == 202:
                with lock:
                    counts["accepted"] += 1
                    accepted_at.append(time.monotonic())
                return str(answer["id"])
            if status != 503:
                raise SystemExit(f"{status} {answer}")
            with lock:
                counts["refused"] += 1
        time.sleep(0.5)
    raise SystemExit(f"run {number} was never accepted")


def end_of(run_id: str, *, exists: bool) -> Any:
    """Wait for a run's end and return its record; None if there was none. *exists* says that it was accepted.

    What a chain or chord ends with has no record before its turn comes.
    """
    deadline = time.monotonic() + GIVE_UP_SECONDS
    problem: Any = None
    while time.monotonic() < deadline:
        try:
            status, problem = ask("GET", f"/v1/tasks/{run_id}?wait=10")
        except (OSError, http.client.HTTPException) as error:
            problem = repr(error)
            with lock:
                counts["failed polls"] += 1
        else:
            if status == 200 and problem["state"] in FINAL:
                return problem
            if status == 404 and exists:
                break
        time.sleep(0.2)
    print(json.dumps({"missing": run_id, "last": problem}), flush=True)
    return None


def follow(run_id: str, expected: int) -> dict[str, Any] | None:
    """Return a run's record at its end, and that of what it set off; None if either never ended."""
    run: Any = end_of(run_id, exists=True)
    last: Any = run
    result = (run or {}).get("result")
    if isinstance(result, dict):
        expected = result["expect"]
        last = end_of(result["follow"], exists=False)
        result = (last or {}).get("result")
    if last and last["state"] == "succeeded" and result != expected:
        raise SystemExit(f"{run_id} came to {result}, not {expected}")
    return run if last else None


def explain(run: dict[str, Any]) -> str:
    error = run["error"] or {}
    return f"{run['name']} {run['state']}: {error.get('message')}: {(error.get('traceback') or '')[-1500:]}"


def longest_gap(times: list[float]) -> float:
    ordered = sorted(times)
    return round(max((b - a for a, b in itertools.pairwise(ordered)), default=0.0), 1)


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def main() -> None:
    total, rate = int(sys.argv[1]), float(sys.argv[2])
    prefix = f"drill-{os.urandom(3).hex()}"
    began = time.monotonic()

    def paced(number: int) -> str:
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        accepted = submit(number, prefix)
        if number == total // 4:
            print(json.dumps({"quarter": True}), flush=True)
        return accepted

    with ThreadPoolExecutor(32) as pool:
        ids = list(pool.map(paced, range(total)))
    print(json.dumps({"submitted": len(ids), "seconds": round(time.monotonic() - began, 1)}), flush=True)
    with ThreadPoolExecutor(32) as pool:
        ended = list(pool.map(follow, ids, range(total)))
    known = [run for run in ended if run]
    redelivered = [run for run in known if run["deliveries"] - run["retries"] > 1]
    print(
        json.dumps(
            {
                **counts,
                "lost": len(ended) - len(known),
                "states": Counter(run["state"] for run in known),
                "handed out again": len(redelivered),
                "errors": Counter(explain(run) for run in known if run["state"] != "succeeded"),
                "longest stall of submissions": longest_gap(accepted_at),
                "longest stall of runs": longest_gap([seconds(run["finished"]) for run in known]),
                "seconds": round(time.monotonic() - began, 1),
            }
        ),
        flush=True,
    )


main()
