"""Real processes for tests and laptops: Valkey, Valkey under Sentinel, and this product's services."""

from celeriac.testing.link import Link
from celeriac.testing.occurrences import Audit, audit
from celeriac.testing.platform import Platform
from celeriac.testing.process import ServiceProcess
from celeriac.testing.sentinel import SentinelGroup
from celeriac.testing.server import Server, TlsFiles
from celeriac.testing.waiting import until
from celeriac.testing.worker import Worker

__all__ = [
    "Audit",
    "Link",
    "Platform",
    "SentinelGroup",
    "Server",
    "ServiceProcess",
    "TlsFiles",
    "Worker",
    "audit",
    "until",
]
