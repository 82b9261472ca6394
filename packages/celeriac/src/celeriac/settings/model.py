"""The settings object and its cross-checks."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from celeriac.errors import ConfigurationError
from celeriac.settings.consistency import contradictions
from celeriac.settings.redis import RedisSettings
from celeriac.settings.service import ApiSettings, LogSettings, SchedulerSettings, WorkerSettings
from celeriac.settings.task import DeliverySettings, ResultSettings, TaskSettings

PREFIX = "CELERIAC_"
_PLACEHOLDERS = frozenset({"change-me", "changeme", "password", "secret", "placeholder", "default"})


class Environment(StrEnum):
    """Where this runs. Placeholder secrets are refused outside development."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """What a process needs to know; a section per concern."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
    )

    environment: Environment = Field(default=Environment.DEVELOPMENT, description="development or production.")
    redis: RedisSettings = RedisSettings()
    task: TaskSettings = TaskSettings()
    delivery: DeliverySettings = DeliverySettings()
    result: ResultSettings = ResultSettings()
    api: ApiSettings = ApiSettings()
    worker: WorkerSettings = WorkerSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if found := list(contradictions(self)):
            raise ValueError("; ".join(found))
        return self

    @model_validator(mode="after")
    def _real_secrets(self) -> Self:
        if self.environment is Environment.DEVELOPMENT:
            return self
        secrets = {
            "CELERIAC_REDIS_PASSWORD": self.redis.password,
            "CELERIAC_REDIS_SENTINEL_PASSWORD": self.redis.sentinel_password,
        }
        for name, secret in secrets.items():
            if secret is not None and secret.get_secret_value().lower() in _PLACEHOLDERS:
                raise ValueError(f"{name} is a placeholder: set a real one, or CELERIAC_ENVIRONMENT=development")
        return self


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of this process.

    Raises:
        ConfigurationError: naming the variable, what is wrong with it, and what to write.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in environ:
        if variable.startswith(PREFIX) and not any(
            variable == name or variable.startswith(name + "_") for name in known
        ):
            raise ConfigurationError(f"{variable} is no setting; see docs/settings.md for those that are")
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            variable = PREFIX + "_".join(str(part) for part in fault["loc"][:2]).upper()
            message = fault["msg"].removeprefix("Value error, ")
            lines.append(f"{variable}: {message}" if fault["loc"] else message)
        raise ConfigurationError("; ".join(lines)) from error
