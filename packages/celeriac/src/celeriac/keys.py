"""Every Redis key Celeriac writes, named in one place.

The Lua scripts receive these names as arguments or build them from the same prefixes, which
:mod:`celeriac.scripts` passes in. ``docs/redis-keys.md`` lists each with its type and bound. Queue lists carry the
names stock Celery gives them, so that stock producers and Flower see the same broker.
"""

from typing import Final

PREFIX: Final = "celeriac:"

RUN: Final = PREFIX + "run:"
"""Hash per run: its record. Expires after it is final."""

RUNS: Final = PREFIX + "runs:"
"""Sorted set per task name: run ids by time of creation (ms). Trimmed by the leader."""

TASKS: Final = PREFIX + "tasks"
"""Set of the task names that have an index of runs."""

UNACKED: Final = PREFIX + "unacked:"
"""Hash per worker group: delivery tag -> message. Its length is what the group has in flight."""

LEASES: Final = PREFIX + "leases"
"""Sorted set: ``<group>/<owner>`` by the time its lease ends (ms, Redis TIME)."""

LEASES_WATCHED: Final = PREFIX + "leases-watched"
"""Hash: when the leader last looked at the leases, and since when it has without a gap (ms, Redis TIME)."""

DELAYED: Final = PREFIX + "delayed"
"""Sorted set: run ids by the time they fall due (ms). The message waits in the record."""

DEAD: Final = PREFIX + "dead"
"""Sorted set: ids of dead letters by the time they died (ms)."""

DEAD_LETTER: Final = PREFIX + "dead:"
"""Hash per dead letter: reason, deliveries, error, queue list and the original message."""

CANCELS: Final = PREFIX + "cancels:"
"""Channel per worker group: ``soft <id>`` or ``hard <id>`` for each run it holds whose cancellation was requested."""

ENDED: Final = PREFIX + "ended"
"""List: runs that ended without a worker's report, for the leader to tell their chords and errbacks of."""

CHORDS: Final = PREFIX + "chords"
"""Hash of the chords in progress: group id -> JSON of a part that has reported, with the body to send."""

CATALOG: Final = PREFIX + "catalog"
"""Hash: task name -> JSON of its catalogue entry."""

CATALOG_VERSION: Final = PREFIX + "catalog-version"
"""String: the time of the catalogue's last change, so that a reader's cache asks for one value."""

CATALOG_GROUPS: Final = PREFIX + "catalog-groups"
"""Set of the worker groups that have published."""

CATALOG_GROUP: Final = PREFIX + "catalog-group:"
"""Set per worker group: the names of the tasks it offers."""

ARTIFACT: Final = PREFIX + "artifact:"
"""Hash per run: ``<name>`` of an artifact -> its bytes, ``<name>:type`` -> its media type. Expires."""

WORKERS: Final = PREFIX + "workers"
"""Sorted set: worker names by the time they were last seen (ms)."""

WORKER: Final = PREFIX + "worker:"
"""String per worker: JSON of what it reports of itself. Expires when it stops reporting."""

WORKER_SILENT_SECONDS: Final = 60
"""A worker not heard of for this long is gone. Longer than any failover, in which none is heard of."""

LEADER: Final = PREFIX + "leader"
"""String: ``<fencing token>:<instance>`` of the acting scheduler. Expires with its lease."""

FENCE: Final = PREFIX + "fence"
"""Integer: the last fencing token given out."""

SCHEDULES: Final = PREFIX + "schedules"
"""Sorted set: schedule ids by the time of their next fire (ms)."""

SCHEDULE: Final = PREFIX + "schedule:"
"""Hash per schedule: its definition, where it stands, and its version."""

SCHEDULE_IDS: Final = PREFIX + "schedule-ids"
"""Sorted set of all schedule ids, paused and ended ones too, all with score 0: read by name."""

SCHEDULE_HISTORY: Final = PREFIX + "schedule-history:"
"""List per schedule: JSON of its last fires, newest first. Trimmed at each fire."""

SCHEDULES_HELD: Final = PREFIX + "schedules-held"
"""Set of the ids of schedules with a fire that waits for the end of the run before."""

SCHEDULE_DECLARERS: Final = PREFIX + "schedule-declarers"
"""Set of who declares schedules in code: worker groups, and schedulers that load task packages."""

SCHEDULE_DECLARED: Final = PREFIX + "schedule-declared:"
"""Set per declarer: ids of the schedules in its code."""

SCHEDULE_RULES: Final = PREFIX + "schedule-rules"
"""String: release of the time zone rules by which the stored times were planned."""

ONCE: Final = PREFIX + "once:"
"""Hash per task and key of work that is done once: its run, and its result. Expires with its window."""

RESULT: Final = "celery-task-meta-"
"""String per run, stock Celery's own result key, so that a stock ``AsyncResult`` finds it."""

GROUP: Final = "celery-taskset-meta-"
"""Stock Celery's keys of a group or chord: the group itself, and ``.j .t .s .d .c`` of a chord in progress."""

PRIORITY_SEPARATOR: Final = "\x06\x16"
"""kombu's default ``sep``; a stock producer writes to the same lists."""

PRIORITY_STEPS: Final = (0, 3, 6, 9)
"""kombu's default ``priority_steps``. 0 goes first."""


def priority_step(priority: int) -> int:
    """Return the step whose list carries *priority* (0-9, 0 goes first), by kombu's rule."""
    return max(step for step in PRIORITY_STEPS if step <= max(0, min(priority, 9)))


def queue_list(queue: str, priority: int) -> str:
    """Return the name of the list that holds *queue*'s messages of *priority*."""
    step = priority_step(priority)
    return f"{queue}{PRIORITY_SEPARATOR}{step}" if step else queue


def queue_lists(queue: str) -> tuple[str, ...]:
    """Return all lists of *queue*, the first to be served first."""
    return tuple(queue_list(queue, step) for step in PRIORITY_STEPS)
