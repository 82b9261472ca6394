"""Which processes make up the platform on one machine."""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import httpx
import redis

from celeriac.redis import connect
from celeriac.settings import Settings
from celeriac.testing.server import free_port, program
from celeriac_cli.dev.fault import DevError
from celeriac_cli.dev.service import Service, Stage

HOST: Final = "127.0.0.1"
PROBE_SECONDS: Final = 2.0
STOP_MARGIN_SECONDS: Final = 15.0
GROUPS: Final = {"default": {"pool": "prefork", "concurrency": "2"}, "io": {"pool": "threads", "concurrency": "20"}}
"""The worker groups and their settings."""


def require_free(port: int, what: str, option: str) -> int:
    """Return *port*, or a free one for 0.

    Raises:
        DevError: somebody listens there.
    """
    if port == 0:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DevError(
                f"Port {port} for {what} is taken ({error.strerror}): stop what listens there, "
                f"or choose another, as in {option}={port + 1} make dev"
            ) from error
    return port


def valkey(folder: Path) -> Service:
    """Return the embedded server, which appends every write to a file in *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = {"port": port, "bind": HOST, "dir": folder, "save": "", "appendonly": "yes", "loglevel": "warning"}
    url = f"redis://{HOST}:{port}/0"

    def ready() -> bool:
        client = redis.Redis(port=port, socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS)
        with client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    return Service(
        name="valkey",
        command=[program(), *(str(part) for name, value in options.items() for part in (f"--{name}", value))],
        ready=ready,
        url=url,
        stage=Stage.SERVER,
    )


def services(settings: Settings, api_port: int, flower_port: int) -> list[Service]:
    """Return all but the server, in the order in which they are shown."""
    common = _common()
    api = f"http://{HOST}:{api_port}"
    drain = settings.worker.drain_seconds + STOP_MARGIN_SECONDS
    found = [
        Service(
            name="api",
            command=_script("celeriac-api"),
            environment={**common, "CELERIAC_API_PORT": str(api_port), "CELERIAC_API_SHUTDOWN_DELAY_SECONDS": "0"},
            ready=_answers(f"{api}/readyz"),
            url=api,
            stage=Stage.FRONT,
        )
    ]
    for group, chosen in GROUPS.items():
        port = free_port()
        environment = {f"CELERIAC_WORKER_{name.upper()}": value for name, value in chosen.items()}
        found.append(
            Service(
                name=f"worker-{group}",
                command=[*_script("celeriac-worker"), "--group", group, "--port", str(port)],
                environment={**common, **environment},
                ready=_answers(f"http://{HOST}:{port}/readyz"),
                url=f"http://{HOST}:{port}",
                stage=Stage.WORK,
                stop_seconds=drain,
            )
        )
    port = free_port()
    found.append(
        Service(
            name="scheduler",
            command=_script("celeriac-scheduler"),
            environment={**common, "CELERIAC_SCHEDULER_PORT": str(port)},
            ready=_answers(f"http://{HOST}:{port}/readyz"),
            url=f"http://{HOST}:{port}",
            stage=Stage.CLOCK,
        )
    )
    found.append(
        Service(
            name="flower",
            command=_script("celeriac-flower"),
            environment={**common, "FLOWER_ADDRESS": HOST, "FLOWER_PORT": str(flower_port)},
            ready=_answers(f"http://{HOST}:{flower_port}/healthcheck"),
            url=f"http://{HOST}:{flower_port}",
            stage=Stage.FRONT,
        )
    )
    return found


def require_redis(settings: Settings) -> None:
    """Ask the Redis that the user named for a sign of life.

    Raises:
        DevError: there is none.
    """
    try:
        with connect(settings.redis) as client:
            client.ping()
    except redis.RedisError as error:
        raise DevError(
            f"REDIS_URL: no Redis answers ({error}): start it, correct the URL, or leave it out for the embedded one"
        ) from error


def _common() -> Mapping[str, str]:
    return {"PYTHONUNBUFFERED": "1", "CELERIAC_LOG_FORMAT": os.environ.get("CELERIAC_LOG_FORMAT", "console")}


def _script(name: str) -> list[str]:
    """Return the command of an installed script, run by this very Python."""
    return [str(Path(sys.executable).parent / name)]


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            return httpx.get(url, timeout=PROBE_SECONDS).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return ready
