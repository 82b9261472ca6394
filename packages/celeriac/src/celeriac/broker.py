"""What Celery and kombu must be told to reach the same Redis as :mod:`celeriac.redis` does."""

from typing import Any
from urllib.parse import quote

from celeriac.redis import locate, sentinel_options
from celeriac.settings.redis import RedisSettings


def broker_url(settings: RedisSettings) -> str:
    """Return *settings* in the form kombu reads; several Sentinels are ``;``-separated URLs.

    Each URL carries the credentials, since kombu takes them from whichever of them it is using.
    """
    location = locate(settings)
    user = quote(settings.username or "", safe="")
    password = quote(settings.password.get_secret_value(), safe="") if settings.password else ""
    credentials = f"{user}:{password}@" if password else ""
    scheme = "sentinel" if settings.uses_sentinel else "rediss" if settings.uses_tls else "redis"
    return ";".join(f"{scheme}://{credentials}{host}:{port}/{location.database}" for host, port in location.addresses)


def transport_options(settings: RedisSettings) -> dict[str, Any]:
    """Return the options that kombu and Celery's Redis backend take beside the URL."""
    options: dict[str, Any] = {
        "socket_timeout": settings.timeout,
        "socket_connect_timeout": settings.connect_timeout,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    if settings.uses_sentinel:
        options |= {"master_name": settings.sentinel_master, "sentinel_kwargs": sentinel_options(settings)}
    return options
