"""One log schema for all services: structlog, JSON for machines, coloured text for a terminal.

Every line has ``timestamp`` (ISO 8601, UTC), ``level``, ``event``, ``logger`` and ``service``; lines of a run have
``task_id`` and ``task_name``, lines of a request ``request_id``, by structlog's context variables.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

from celeriac.settings.service import LogSettings


def configure(settings: LogSettings, service: str, stream: TextIO | None = None) -> None:
    """Send all logging of this process, structlog's and the standard library's, to *stream* (default: stderr)."""
    stream = stream or sys.stderr
    console = settings.format == "console" or (settings.format == "auto" and stream.isatty())

    def name_service(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        name_service,
    ]
    # Both of structlog's own ways to show an exception print the local variables of each frame: arguments, secrets.
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=settings.arguments)
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.ExceptionRenderer(frames), structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
