"""What the transport is told, read from a kombu connection: its URL and its transport options."""

from typing import Any

from kombu import Connection

from celeriac.delivery import SessionOptions
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings

_DELIVERY = frozenset(DeliverySettings.model_fields)


def session_options(connection: Connection) -> SessionOptions:
    """Return what a worker's session needs, from the connection's URL and the transport option ``celeriac``.

    The option is a mapping of ``group``, ``worker``, ``keep_seconds`` and the fields of
    :class:`~celeriac.settings.task.DeliverySettings`; all may be left out.
    """
    given: dict[str, Any] = dict((connection.transport_options or {}).get("celeriac") or {})
    delivery = DeliverySettings(**{name: given.pop(name) for name in _DELIVERY & given.keys()})
    return SessionOptions(redis=redis_settings(connection), delivery=delivery, **given)


def redis_settings(connection: Connection) -> RedisSettings:
    """Return how to reach the Redis that a kombu connection names."""
    options = connection.transport_options or {}
    sentinel = "master_name" in options
    tls = connection.ssl if isinstance(connection.ssl, dict) else {}
    secure = bool(connection.ssl)
    scheme = ("sentinels" if secure else "sentinel") if sentinel else ("rediss" if secure else "redis")
    database = str(connection.virtual_host or 0).strip("/") or 0
    given: dict[str, Any] = {
        "url": f"{scheme}://{_hosts(connection, sentinel=sentinel)}/{database}",
        "username": connection.userid,
        "password": connection.password,
        "tls_ca_file": tls.get("ssl_ca_certs"),
        "tls_cert_file": tls.get("ssl_certfile"),
        "tls_key_file": tls.get("ssl_keyfile"),
        "connect_timeout": options.get("socket_connect_timeout"),
        "timeout": options.get("socket_timeout"),
    }
    if sentinel:
        given["sentinel_master"] = options["master_name"]
        given["sentinel_password"] = (options.get("sentinel_kwargs") or {}).get("password")
    return RedisSettings(**{name: value for name, value in given.items() if value is not None})


def _hosts(connection: Connection, *, sentinel: bool) -> str:
    if sentinel and connection.alt:
        return ",".join(url.partition("://")[2].rpartition("@")[2].partition("/")[0] for url in connection.alt)
    default = 26379 if sentinel else 6379
    return f"{connection.hostname or '127.0.0.1'}:{connection.port or default}"
