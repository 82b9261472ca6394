import redis

from celeriac import keys
from celeriac.catalog import Entry
from celeriac.catalog.store import publish, read


def entry(name: str, queue: str = "default") -> Entry:
    return Entry(name=name, queue=queue, arguments={"type": "object", "properties": {}, "required": []})


def test_what_is_published_is_read_back_unchanged(client: redis.Redis) -> None:
    publish(client, "default", [entry("a"), entry("b", "io")])
    assert read(client) == {"a": entry("a"), "b": entry("b", "io")}


def test_the_version_changes_with_the_catalogue_only(client: redis.Redis) -> None:
    def version_after(group: str, *entries: Entry) -> object:
        publish(client, group, entries)
        return client.get(keys.CATALOG_VERSION)

    first = version_after("default", entry("a"))
    assert first is not None
    assert version_after("default", entry("a")) == first
    assert version_after("io", entry("a")) == first
    second = version_after("default", entry("a", "io"))
    assert second != first
    assert version_after("io", entry("a", "io")) == second
    assert version_after("io") == second


def test_a_dropped_task_leaves_unless_another_group_offers_it(client: redis.Redis) -> None:
    publish(client, "default", [entry("a"), entry("b")])
    publish(client, "io", [entry("b")])
    publish(client, "default", [])
    assert set(read(client)) == {"b"}
    publish(client, "io", [])
    assert read(client) == {}
    assert set(client.keys()) == {keys.CATALOG_VERSION.encode()}


def test_a_large_catalogue_is_published_in_one_call(client: redis.Redis) -> None:
    publish(client, "default", [entry(f"shop.task_{i}") for i in range(5_000)])
    assert len(read(client)) == 5_000
