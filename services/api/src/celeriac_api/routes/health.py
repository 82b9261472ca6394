"""Probes: is the process alive, is it ready, are there workers."""

import json
import time
from typing import Any, Literal

import redis.asyncio
from fastapi import APIRouter
from pydantic import BaseModel, Field

from celeriac import keys
from celeriac.errors import UnavailableError
from celeriac_api.openapi import problems
from celeriac_api.resources import Api

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Worker(BaseModel):
    """What a worker last said of itself."""

    name: str
    seen: float = Field(description="Seconds ago.")
    report: dict[str, Any] = Field(description="Its group, queues, pool and what it runs.")


class CeleryHealth(BaseModel):
    """The workers, from what they write of themselves; nobody is asked."""

    status: Literal["healthy"] = "healthy"
    workers: list[Worker]


@router.get("/healthz", summary="Liveness")
async def healthz() -> Health:
    """Depends on nothing: restarting this process would bring nothing back."""
    return Health()


@router.get("/readyz", summary="Readiness", responses=problems(503))
async def readyz(api: Api) -> Health:
    """503 until Redis has answered once, and from SIGTERM on. An outage of Redis later leaves the API ready: it
    answers 503 with a reason, where without endpoints callers would get nothing.
    """
    if api.draining:
        raise UnavailableError("The process is stopping.")
    if not api.reached_redis:
        raise UnavailableError("Redis has not answered yet; check CELERIAC_REDIS_URL.")
    return Health()


@router.get("/health/celery", summary="Workers", responses=problems(503))
async def celery_health(api: Api) -> CeleryHealth:
    """200 when a worker has been seen within the last minute, else 503."""
    workers = await api.store.run(_workers)
    if not workers:
        raise UnavailableError(f"No worker has been seen for {keys.WORKER_SILENT_SECONDS} s.")
    return CeleryHealth(workers=workers)


async def _workers(client: redis.asyncio.Redis) -> list[Worker]:
    now = time.time()
    seen: Any = await client.zrangebyscore(
        keys.WORKERS, (now - keys.WORKER_SILENT_SECONDS) * 1000, "+inf", start=0, num=1000, withscores=True
    )
    if not seen:
        return []
    reports: Any = await client.mget([keys.WORKER + name.decode() for name, _ in seen])
    return [
        Worker(name=name.decode(), seen=round(max(0, now - at / 1000), 1), report=json.loads(report))
        for (name, at), report in zip(seen, reports, strict=True)
        if report is not None
    ]
