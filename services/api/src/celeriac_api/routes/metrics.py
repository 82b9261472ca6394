"""``/metrics`` for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from celeriac_api.resources import Api

router = APIRouter(tags=["health"])


@router.get("/metrics", summary="Metrics", include_in_schema=False)
async def metrics(api: Api) -> Response:
    """Metrics of this process."""
    return Response(generate_latest(api.metrics.registry), media_type=CONTENT_TYPE_LATEST)
