"""Connections to Redis from settings: plain or through Sentinel, blocking or asyncio, and Celery's own.

Every client has a deadline per command and opens connections with one. A broken idle connection is replaced once,
silently; anything more is the caller's to decide, since only the caller knows what may be repeated.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from celeriac.errors import ConfigurationError
from celeriac.settings.redis import RedisSettings

DEFAULT_PORT = 6379
DEFAULT_SENTINEL_PORT = 26379

UNREACHABLE: tuple[type[Exception], ...] = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.BusyLoadingError,
    redis.ReadOnlyError,
    redis.exceptions.MasterDownError,
    redis.OutOfMemoryError,
)
"""What a client raises when Redis cannot serve now but may soon."""

_PASSING = re.compile(
    r"(?:^|of pipeline caused error: |Transaction discarded because of: )"
    r"\W*(?:NOREPLICAS|MASTERDOWN|READONLY|LOADING|OOM|TRYAGAIN)\b"
)
"""What the server answered: alone; in redis-py's words for one command of several, bare or as a tuple; or as the
reason of EXEC for refusing all."""


def is_unreachable(error: BaseException) -> bool:
    """Tell whether *error* means that Redis cannot serve now: wait and repeat, nothing is wrong with the command."""
    if isinstance(error, UNREACHABLE):
        return True
    return isinstance(error, redis.ResponseError) and _PASSING.search(str(error)) is not None


class Address(NamedTuple):
    """A server's host and port."""

    host: str
    port: int


class Location(NamedTuple):
    """What a Redis URL says: the servers (or Sentinels) and the database number."""

    addresses: tuple[Address, ...]
    database: int


def locate(settings: RedisSettings) -> Location:
    """Read ``settings.url``.

    Raises:
        ConfigurationError: the URL names no host, a port that is none, or a database that is no number.
    """
    parts = urlsplit(settings.url)
    hosts = parts.netloc.rpartition("@")[2]
    default = DEFAULT_SENTINEL_PORT if settings.uses_sentinel else DEFAULT_PORT
    try:
        addresses = tuple(_address(host, default) for host in hosts.replace(";", ",").split(",") if host)
        database = int(parts.path.strip("/") or 0)
    except ValueError as error:
        raise ConfigurationError(f"CELERIAC_REDIS_URL {settings.url!r}: {error}") from error
    if not addresses:
        raise ConfigurationError(f"CELERIAC_REDIS_URL {settings.url!r} names no host")
    return Location(addresses, database)


def _address(text: str, default_port: int) -> Address:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f"{text!r} is no host:port")
    return Address(parts.hostname, parts.port or default_port)


def _credentials(settings: RedisSettings) -> dict[str, Any]:
    inline = urlsplit(settings.url)
    password = settings.password.get_secret_value() if settings.password else inline.password
    return {"username": settings.username or inline.username or None, "password": password or None}


def tls_options(settings: RedisSettings) -> dict[str, Any]:
    """Return the files of an encrypted connection, as redis-py and kombu name them; empty for a plain one.

    Certificates are always checked, the host name too.
    """
    if not settings.uses_tls:
        return {}
    return {
        "ssl_cert_reqs": "required",
        "ssl_ca_certs": settings.tls_ca_file,
        "ssl_certfile": settings.tls_cert_file,
        "ssl_keyfile": settings.tls_key_file,
    }


def _tls(settings: RedisSettings) -> dict[str, Any]:
    return {"ssl": True, **tls_options(settings)} if settings.uses_tls else {}


def _timeouts(settings: RedisSettings) -> dict[str, Any]:
    return {"socket_timeout": settings.timeout, "socket_connect_timeout": settings.connect_timeout}


def sentinel_options(settings: RedisSettings) -> dict[str, Any]:
    """Return the connection options of the Sentinels themselves.

    ``retry`` is None because redis-py would try a dead Sentinel ten times with back-off (4 s) before the next.
    """
    password = settings.sentinel_password.get_secret_value() if settings.sentinel_password else None
    return {
        "password": password,
        "socket_timeout": 1.0,
        "socket_connect_timeout": 0.5,
        "retry": None,
        **_tls(settings),
    }


def connect(settings: RedisSettings) -> redis.Redis:
    """Return a blocking client of the master. It connects at its first command."""
    location = locate(settings)
    options = {
        "db": location.database,
        "retry": Retry(NoBackoff(), 1),
        "max_connections": settings.max_connections,
        "socket_keepalive": True,
        **_credentials(settings),
        **_timeouts(settings),
        **_tls(settings),
    }
    if settings.uses_sentinel:
        sentinel = redis.Sentinel(location.addresses, sentinel_kwargs=sentinel_options(settings), **options)  # type: ignore[no-untyped-call]
        client: redis.Redis = sentinel.master_for(settings.sentinel_master)  # type: ignore[no-untyped-call]
        return client
    host, port = location.addresses[0]
    return redis.Redis(host=host, port=port, **options)


def connect_async(settings: RedisSettings) -> redis.asyncio.Redis:
    """Return an asyncio client of the master, for one event loop. It connects at its first command."""
    location = locate(settings)
    options = {
        "db": location.database,
        "retry": AsyncRetry(NoBackoff(), 1),
        "max_connections": settings.max_connections,
        "socket_keepalive": True,
        **_credentials(settings),
        **_timeouts(settings),
        **_tls(settings),
    }
    if settings.uses_sentinel:
        sentinel = redis.asyncio.Sentinel(location.addresses, sentinel_kwargs=sentinel_options(settings), **options)  # type: ignore[no-untyped-call]
        client: redis.asyncio.Redis = sentinel.master_for(settings.sentinel_master)
        return client
    host, port = location.addresses[0]
    return redis.asyncio.Redis(host=host, port=port, **options)
