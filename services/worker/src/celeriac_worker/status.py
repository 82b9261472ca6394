"""What a worker knows of its own state, and what its probes say of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from celeriac.settings.service import WorkerSettings

DRAIN_MARGIN = 15.0
"""Seconds beyond the drain in which a stopping worker still counts as alive."""

Phase = Literal["starting", "ready", "reconnecting", "draining"]


@dataclass
class Status:
    """Written by the main loop, read by the probe server's threads. Times are of the monotonic clock."""

    settings: WorkerSettings
    active: Callable[[], int]
    """Tells how many runs are being worked on."""
    solo_limit: float | None = None
    """Seconds for which a run may block the main loop; None where runs do not block it."""
    clock: Callable[[], float] = time.monotonic
    phase: Phase = "starting"
    consuming: bool = False
    """Whether a consumer is set up; it may have lost its connection."""
    since: float = field(init=False)
    """When the phase began."""
    ticked: float = field(init=False)
    """When the main loop last came round."""

    linked: Callable[[], bool] = lambda: True
    """Tells whether Redis answers, for a transport that outlives its connections; set by who consumes."""
    changed: threading.Event = field(default_factory=threading.Event)
    """Set when a phase begins; whoever waits for it clears it."""

    def __post_init__(self) -> None:
        self.since = self.ticked = self.clock()

    def enter(self, phase: Phase) -> None:
        """Begin *phase*, unless it is the one that is on. Draining has no way back."""
        if self.phase not in ("draining", phase):
            self.phase, self.since = phase, self.clock()
            self.ticked = self.since
            self.changed.set()

    def tick(self) -> None:
        """Note that the main loop came round, and whether it could reach Redis."""
        self.ticked = self.clock()
        if self.phase == "ready" and not self.linked():
            self.enter("reconnecting")
        elif self.phase == "reconnecting" and self.consuming and self.linked():
            self.enter("ready")

    def unfit_to_live(self) -> list[str]:
        """Return why the process should be restarted; empty while it should not.

        A worker that looks for Redis is left alone for ``reconnect_seconds``: restarting it would not bring Redis
        back, and it would lose what it holds.
        """
        now = self.clock()
        if self.phase == "ready":
            silent = now - self.ticked
            limit = self.settings.tick_seconds
            if self.solo_limit is not None and self.active():
                limit += self.solo_limit
            return [f"the main loop has been silent for {silent:.0f} s"] if silent > limit else []
        spent = now - self.since
        budget = (
            self.settings.drain_seconds + DRAIN_MARGIN
            if self.phase == "draining"
            else self.settings.reconnect_seconds
        )
        return [f"{self.phase} for {spent:.0f} s, {budget:.0f} s are allowed"] if spent > budget else []

    def unfit_for_work(self) -> list[str]:
        """Return why the worker takes no runs now; empty while it does."""
        if self.phase != "ready":
            return [self.phase]
        return self.unfit_to_live() if self.linked() else ["reconnecting"]
