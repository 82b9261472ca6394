"""When a submission counts as accepted: as soon as the master has it, or once a replica has it too.

A failover promotes a replica and forgets what only the old master had. With ``durability: replicated`` the script
and a ``WAIT`` go to the master together, so an accepted run is on a second server at least; Sentinel promotes the
replica that has read the most.
"""

from collections.abc import Sequence
from typing import Any

import redis
import redis.asyncio

from celeriac import scripts
from celeriac.errors import UnavailableError
from celeriac.scripts import Argument
from celeriac.settings.task import DeliverySettings


def run(
    client: redis.Redis,
    name: str,
    keys: Sequence[str | bytes],
    arguments: Sequence[Argument],
    settings: DeliverySettings,
) -> Any:
    """Run a script as :func:`celeriac.scripts.run` does and return once it is as durable as *settings* ask.

    The script must write something each time, since WAIT speaks of the connection's last write.

    Raises:
        UnavailableError: no replica confirmed in time. The master may have it; the same id may safely be sent again.
    """
    if settings.durability == "local":
        return scripts.run(client, name, keys, arguments)
    code = scripts.script(name)
    pipe = client.pipeline(transaction=False)
    pipe.evalsha(code.sha, len(keys), *keys, *arguments)
    pipe.wait(1, _wait_ms(settings))
    answer, replicas = pipe.execute(raise_on_error=False)
    if isinstance(answer, redis.exceptions.NoScriptError):
        pipe.eval(code.text, len(keys), *keys, *arguments)
        pipe.wait(1, _wait_ms(settings))
        answer, replicas = pipe.execute(raise_on_error=False)
    return _confirmed(answer, replicas, settings)


async def run_async(
    client: redis.asyncio.Redis,
    name: str,
    keys: Sequence[str | bytes],
    arguments: Sequence[Argument],
    settings: DeliverySettings,
) -> Any:
    """Run a script as :func:`run` does, on an asyncio client."""
    if settings.durability == "local":
        return await scripts.run_async(client, name, keys, arguments)
    code = scripts.script(name)
    pipe = client.pipeline(transaction=False)
    pipe.evalsha(code.sha, len(keys), *keys, *arguments)
    pipe.wait(1, _wait_ms(settings))
    answer, replicas = await pipe.execute(raise_on_error=False)
    if isinstance(answer, redis.exceptions.NoScriptError):
        pipe.eval(code.text, len(keys), *keys, *arguments)
        pipe.wait(1, _wait_ms(settings))
        answer, replicas = await pipe.execute(raise_on_error=False)
    return _confirmed(answer, replicas, settings)


def _wait_ms(settings: DeliverySettings) -> int:
    return round(settings.replication_timeout_seconds * 1000)


def _confirmed(answer: Any, replicas: Any, settings: DeliverySettings) -> Any:
    for outcome in (answer, replicas):
        if isinstance(outcome, Exception):
            raise outcome
    if replicas < 1:
        raise UnavailableError(
            f"No replica confirmed the submission within {settings.replication_timeout_seconds:g} s; "
            "send the same id again"
        )
    return answer
