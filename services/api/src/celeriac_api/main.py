"""``celeriac-api``: serve the API until told to stop."""

import asyncio
import signal
import socket
import sys
from types import FrameType

import structlog
import uvicorn

from celeriac.errors import ConfigurationError
from celeriac.logging import configure
from celeriac.settings import Settings, load
from celeriac_api.app import create_app
from celeriac_api.protocol import Protocol
from celeriac_api.resources import Resources

KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep an idle connection (60 s is usual), so that none reuses one that is just being closed."""

logger = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """Stops in order: not ready first, then, when proxies have had time to notice, no more connections.

    The usual server would end by the signal it was sent; ended in order, this one exits 0.
    """

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and log the address: with port 0 nobody else knows it."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        if self.started:
            for server in self.servers:
                for listening in server.sockets:
                    host, port = listening.getsockname()[:2]
                    logger.info("listening", host=host, port=port, url=f"http://{host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal stops at once."""
        if self._loop is None or self.should_exit:
            self.should_exit = self.force_exit = True
        else:
            delay = self._settings.api.shutdown_delay_seconds if sig == signal.SIGTERM else 0
            self._loop.call_soon_threadsafe(self._begin_exit, delay)

    def _begin_exit(self, delay: float) -> None:
        resources: Resources = self.config.app.state.resources  # type: ignore[union-attr] # it is our FastAPI
        if resources.draining:
            delay = 0
        resources.drain()
        logger.info("stopping", delay_seconds=delay)
        asyncio.get_running_loop().call_later(delay, self._exit, resources)

    def _exit(self, resources: Resources) -> None:
        resources.watcher.release()
        self.should_exit = True


def serve(settings: Settings) -> None:
    """Serve with *settings* until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.api.host,
        port=settings.api.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.api.shutdown_grace_seconds,
    )
    Server(config, settings).run()


def main() -> None:
    """Read the settings and serve."""
    try:
        settings = load()
    except ConfigurationError as error:
        sys.exit(f"celeriac-api: {error}")
    configure(settings.log, "api")
    serve(settings)


if __name__ == "__main__":
    main()
