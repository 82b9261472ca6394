"""How to reach Redis, plain or through Sentinel."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_SCHEMES = ("redis", "rediss", "sentinel", "sentinels")


class RedisSettings(BaseModel):
    """``CELERIAC_REDIS_*``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        default="redis://localhost:6379/0",
        description="redis://host:port/db, rediss:// for TLS, or sentinel://host1:26379,host2:26379/db "
        "(sentinels:// for TLS).",
    )
    username: str | None = Field(default=None, description="ACL user of the data servers.")
    password: SecretStr | None = Field(default=None, description="Password of the data servers.")
    sentinel_master: str = Field(default="mymaster", description="Name of the master that Sentinel watches.")
    sentinel_password: SecretStr | None = Field(default=None, description="Password of the Sentinels.")
    tls_ca_file: str | None = Field(default=None, description="CA bundle that signs the servers' certificates.")
    tls_cert_file: str | None = Field(default=None, description="Client certificate, where servers ask for one.")
    tls_key_file: str | None = Field(default=None, description="Key of the client certificate.")
    connect_timeout: Annotated[float, Field(gt=0, le=30)] = Field(
        default=1.0, description="Seconds to open a connection."
    )
    timeout: Annotated[float, Field(gt=0, le=60)] = Field(
        default=3.0, description="Seconds any one command may take."
    )
    max_connections: Annotated[int, Field(ge=2, le=10_000)] = Field(
        default=50, description="Connections of one process at the most."
    )

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        scheme = urlsplit(url).scheme
        if scheme not in _SCHEMES:
            raise ValueError(f"{scheme or url!r} is no scheme of Redis; write one of {', '.join(_SCHEMES)}://")
        return url

    @property
    def uses_sentinel(self) -> bool:
        """Whether the URL names Sentinels rather than a data server."""
        return self.url.startswith("sentinel")

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return urlsplit(self.url).scheme in ("rediss", "sentinels")
