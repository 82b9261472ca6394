"""The catalogue in Redis: workers publish it, the API and the command line read it."""

from collections.abc import Iterable, Mapping
from typing import Any

import redis

from celeriac import keys, scripts
from celeriac.catalog.entry import Entry


def publish(client: redis.Redis, group: str, entries: Iterable[Entry]) -> None:
    """Make *entries* all that worker group *group* offers.

    Tasks it offered before and does not offer now leave the catalogue, unless another group offers them. Publishing
    nothing withdraws the group.
    """
    scripts.run(client, "publish_catalog", *_call(group, entries))


def _call(group: str, entries: Iterable[Entry]) -> tuple[list[str], list[scripts.Argument]]:
    arguments: list[scripts.Argument] = [group]
    for entry in entries:
        arguments += (entry.name, entry.model_dump_json())
    return [keys.CATALOG, keys.CATALOG_GROUPS, keys.CATALOG_GROUP + group, keys.CATALOG_VERSION], arguments


def read(client: redis.Redis) -> dict[str, Entry]:
    """Return all entries by task name."""
    return parse(client.hgetall(keys.CATALOG))


def parse(fields: Mapping[Any, Any]) -> dict[str, Entry]:
    """Return the entries of an ``HGETALL`` of the catalogue."""
    return {name.decode(): Entry.model_validate_json(text) for name, text in fields.items()}
