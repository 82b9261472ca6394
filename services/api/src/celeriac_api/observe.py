"""Each request's id, log line and metrics, and an answer when something failed that nothing foresaw."""

import time

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from celeriac_api.metrics import Metrics
from celeriac_api.problem import problem
from celeriac_api.request_id import HEADER, assign_request_id

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that something asks every few seconds; their log lines are debug."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""A label's values are bounded; a caller's are not."""

logger = structlog.get_logger("celeriac_api.access")


class Observe:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and tell how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = assign_request_id(scope)
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER.lower().encode(), request_id.encode())]
            await send(message)

        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id), self._metrics.active.track_inprogress():
            try:
                await self._app(scope, receive, noted)
            except Exception:
                logger.exception("request failed")
                if status:
                    raise
                response = problem(Request(scope), 500, "internal", "The server failed; its log has this request_id.")
                await response(scope, receive, noted)
            finally:
                self._report(scope, status, time.perf_counter() - began)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.duration.labels(method, route).observe(seconds)
        log = logger.debug if route in _QUIET and status < 400 else logger.info
        client = scope.get("client") or ("", 0)
        log(
            "request",
            method=method,
            path=scope["path"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            client=client[0],
        )
