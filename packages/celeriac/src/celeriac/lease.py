"""A worker process' hold on what it was handed: one lease, renewed while the process lives."""

import os
import re
import socket
import time
from typing import Final
from uuid import uuid4

import redis

from celeriac import keys, scripts

RENEWALS: Final = 3
"""Renewals in the time of one lease, so that two thirds of it are left whenever Redis goes away."""

_UNFIT = re.compile(r"[|/~]")
"""Separators of delivery tags, lease names and owner tokens."""


class Lease:
    """The lease of one worker process of *group*, *seconds* long.

    Its owner token, ``<host>-<pid>-<random>~<slots>``, is part of each delivery tag. Should the process be lost, the
    slots tell which deliveries it may have been running and which cannot have begun. A lease that was reclaimed is
    replaced under a new token, so that nothing said under the old one can touch what is another's now.
    """

    def __init__(self, group: str, seconds: float) -> None:
        self.group = group
        self.seconds = seconds
        self.owner = ""
        self._slots = 0
        self.renewed_at = float("-inf")
        """When the last renewal that succeeded was sent (monotonic)."""
        self.replace()

    @property
    def name(self) -> str:
        """Member of ``celeriac:leases``."""
        return f"{self.group}/{self.owner}"

    @property
    def milliseconds(self) -> int:
        """Length, as the scripts take it."""
        return round(self.seconds * 1000)

    @property
    def unacked(self) -> str:
        """Key of the group's unacked hash."""
        return keys.UNACKED + self.group

    def replace(self) -> None:
        """Take a new owner token."""
        host = _UNFIT.sub("-", socket.gethostname())
        slots = f"~{self._slots}" if self._slots else ""
        self.owner = f"{host}-{os.getpid()}-{uuid4().hex[:8]}{slots}"
        self.renewed_at = time.monotonic()

    def has_slots(self, slots: int) -> None:
        """Note how many runs go on at a time. Nothing may be held under this lease yet."""
        if slots != self._slots:
            self._slots = slots
            self.replace()

    def due(self) -> float:
        """Return when the next renewal is due (monotonic)."""
        return self.renewed_at + self.seconds / RENEWALS

    def renew(self, client: redis.Redis) -> bool:
        """Move the end of the lease, and tell whether it still stood."""
        asked = time.monotonic()
        stood = bool(scripts.run(client, "renew", [keys.LEASES], [self.name, self.milliseconds]))
        if stood:
            self.renewed_at = asked
        return stood


def owner_of(tag: str) -> str:
    """Return the owner token in a delivery tag."""
    return tag.partition("|")[0]
