"""The pools, and where one differs, and why. A test asserts the difference, so none of these can go stale."""

from typing import Final

POOLS: Final = {"prefork": 2, "solo": 1, "threads": 4, "gevent": 20, "asyncio": 100}
"""Concurrency of each pool's worker."""

_NO_CONTROL = "The run keeps the worker's main loop busy, so the order arrives when it is over."
_NO_SOFT = "Celery's pool ignores soft limits, and nothing can interrupt a sync task in it."
_NO_HARD = "Celery's pool ignores time limits, and nothing can interrupt a sync task in it."
_NO_CHILDREN = "There are no child processes to replace: a worker with this setting refuses to start, and says so."

DIFFERENCES: Final[dict[tuple[str, str, str], str]] = {
    ("soft_limit", "solo", "sync"): _NO_SOFT,
    ("soft_limit", "threads", "sync"): _NO_SOFT,
    ("soft_limit", "gevent", "sync"): _NO_SOFT,
    ("soft_limit_caught", "solo", "sync"): _NO_SOFT,
    ("soft_limit_caught", "threads", "sync"): _NO_SOFT,
    ("soft_limit_caught", "gevent", "sync"): _NO_SOFT,
    ("hard_limit", "solo", "sync"): _NO_HARD,
    ("hard_limit", "threads", "sync"): _NO_HARD,
    **{("terminate", "solo", kind): _NO_CONTROL for kind in ("sync", "async")},
    **{
        ("terminate", "threads", kind): "Celery's pool cannot stop a thread: the run ends by itself. Ask "
        "`celeriac.task.cancelled()` in the task."
        for kind in ("sync", "async")
    },
    **{
        ("max_tasks_per_child", pool, kind): _NO_CHILDREN
        for pool in ("solo", "threads", "gevent", "asyncio")
        for kind in ("sync", "async")
    },
}
