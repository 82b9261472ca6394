"""Watching workers by the events they publish: ``python -m cookbook.monitor redis://localhost:6379/0``.

Events are published and not kept: what happens while nobody listens is not seen. For alerts take the metrics, for the
state of a run its record.
"""

import sys
from collections.abc import Iterator
from typing import Any

from celery import Celery
from celery.events.state import State

LINE = "{name}: {online}, {active} active, {processed} processed"


def watch(app: Celery, seconds: float | None = None) -> Iterator[State]:
    """Yield the state after each event, for *seconds* without one at the most, or for ever."""
    state = State()
    with app.connection_for_read() as connection:
        # A receiver has one way to hand over an event, a function; a generator is nicer to use.
        seen: list[State] = []

        def note(event: dict[str, object]) -> None:
            state.event(event)
            seen.append(state)

        receiver = app.events.Receiver(connection, handlers={"*": note})
        with receiver.consumer_context() as (listening, _, _):
            while True:
                try:
                    listening.drain_events(timeout=seconds)
                except TimeoutError:
                    return
                while seen:
                    yield seen.pop()


def describe(state: State) -> list[str]:
    """Return a line per worker. ``active`` and ``processed`` come with its heartbeats, every two seconds."""
    workers: dict[str, Any] = state.workers  # type: ignore[attr-defined]  # missing from celery-types
    return [
        LINE.format(
            name=worker.hostname,
            online="online" if worker.alive else "offline",
            active=worker.active or 0,
            processed=worker.processed or 0,
        )
        for worker in workers.values()
    ]


def main() -> None:
    """Print what every worker does, whenever that changes, until interrupted."""
    app = Celery(broker=sys.argv[1] if len(sys.argv) > 1 else "redis://localhost:6379/0")
    shown: list[str] = []
    for state in watch(app):
        if (lines := describe(state)) != shown:
            shown = lines
            sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
