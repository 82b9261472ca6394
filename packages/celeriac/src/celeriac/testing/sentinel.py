"""Data servers under Sentinels, as in production but on one machine and with a short fuse."""

import time
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from celeriac.testing.server import Server, TlsFiles, client_tls, free_port

MASTER_NAME = "mymaster"


class SentinelGroup:
    """*servers* data servers, the first of them master at start, and *sentinels* Sentinels with quorum 2."""

    def __init__(
        self,
        folder: Path,
        *,
        servers: int = 3,
        sentinels: int = 3,
        password: str | None = None,
        sentinel_password: str | None = None,
        down_after_ms: int = 1000,
        min_replicas: int = 0,
        tls: TlsFiles | None = None,
    ) -> None:
        self.folder = folder
        self.password = password
        self.sentinel_password = sentinel_password
        self._tls = tls
        self._down_after_ms = down_after_ms
        ports = [free_port() for _ in range(servers)]
        options: dict[str, str | int] = {"min-replicas-to-write": min_replicas, "repl-diskless-sync-delay": 0}
        if password:
            options |= {"requirepass": password, "masterauth": password}
        replica = {**options, "replicaof": f"127.0.0.1 {ports[0]}"}
        self.servers = [
            Server(folder / f"data-{port}", port=port, options=replica if i else options, tls=tls)
            for i, port in enumerate(ports)
        ]
        self.sentinels = [Server(folder / f"sentinel-{i}", mode="sentinel", tls=tls) for i in range(sentinels)]

    @property
    def url(self) -> str:
        """URL of all Sentinels, as ``CELERIAC_REDIS_URL`` takes it."""
        scheme = "sentinels" if self._tls else "sentinel"
        return f"{scheme}://" + ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels) + "/0"

    def start(self) -> Self:
        """Start all and wait until the Sentinels know each other and every replica is in step."""
        for server in self.servers:
            server.start()
        for sentinel in self.sentinels:
            sentinel.folder.mkdir(parents=True, exist_ok=True)
            (sentinel.folder / "sentinel.conf").write_text(self._configuration(sentinel))
            sentinel.start()
        self.wait_settled()
        return self

    def _configuration(self, sentinel: Server) -> str:
        lines = [
            f"dir {sentinel.folder}",
            "bind 127.0.0.1",
            f"sentinel monitor {MASTER_NAME} 127.0.0.1 {self.servers[0].port} 2",
            f"sentinel down-after-milliseconds {MASTER_NAME} {self._down_after_ms}",
            f"sentinel failover-timeout {MASTER_NAME} 3000",
        ]
        if self.password:
            lines.append(f"sentinel auth-pass {MASTER_NAME} {self.password}")
        if self.sentinel_password:
            lines += [f"requirepass {self.sentinel_password}", f"sentinel sentinel-pass {self.sentinel_password}"]
        return "\n".join(lines) + "\n"

    def master(self) -> Server:
        """Return the server that a Sentinel names as master."""
        for sentinel in self.sentinels:
            try:
                with self._sentinel(sentinel) as client:
                    address = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME)
            except redis.RedisError:
                continue
            return next(server for server in self.servers if server.port == int(address[1]))
        raise RuntimeError("no Sentinel answers")

    def wait_settled(self, deadline: float = 30) -> None:
        """Wait until every Sentinel sees all others and all replicas, and the master has its replicas in step."""
        end = time.monotonic() + deadline
        while not self._settled():
            if time.monotonic() > end:
                raise RuntimeError("the Sentinel group did not settle")
            time.sleep(0.05)

    def _settled(self) -> bool:
        try:
            for sentinel in self.sentinels:
                with self._sentinel(sentinel) as client:
                    flat = client.execute_command("SENTINEL", "MASTER", MASTER_NAME)
                    seen = dict(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) else flat
                    text = {_text(name): _text(value) for name, value in seen.items()}
                    if int(text["num-other-sentinels"]) < len(self.sentinels) - 1:
                        return False
                    if int(text["num-slaves"]) < len(self.servers) - 1:
                        return False
            with self.master().client() as client:
                return int(client.wait(len(self.servers) - 1, 500)) == len(self.servers) - 1
        except (redis.RedisError, RuntimeError):
            return False

    def _sentinel(self, sentinel: Server) -> redis.Redis:
        return redis.Redis(
            port=sentinel.port,
            password=self.sentinel_password,
            socket_timeout=1,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 0),
            **client_tls(self._tls),
        )

    def stop(self) -> None:
        """End all, hung ones too."""
        for server in (*self.sentinels, *self.servers):
            server.stop()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except RuntimeError:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
