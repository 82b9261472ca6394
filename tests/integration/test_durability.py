"""Accepted means accepted: submissions under ``durability: replicated`` survive the loss of the master."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celeriac import keys
from celeriac.errors import CeleriacError, UnavailableError
from celeriac.redis import connect, connect_async
from celeriac.settings.redis import RedisSettings
from celeriac.settings.task import DeliverySettings
from celeriac.submit import Submission, submit, submit_async
from celeriac.testing import SentinelGroup, Server, until

REPLICATED = DeliverySettings(durability="replicated", replication_timeout_seconds=1)
IMPATIENT = DeliverySettings(durability="replicated", replication_timeout_seconds=0.1)


def new() -> Submission:
    return Submission(task="shop.report", queue="default", priority=0)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    with SentinelGroup(tmp_path) as group:
        yield group


def replicas(group: SentinelGroup) -> list[Server]:
    master = group.master()
    return [server for server in group.servers if server is not master]


def test_what_was_accepted_is_there_after_the_masters_death(group: SentinelGroup) -> None:
    accepted: list[str] = []
    refused = 0
    killed = threading.Event()
    with connect(RedisSettings(url=group.url)) as client:

        def kill_master() -> None:
            until(lambda: len(accepted) >= 300)
            group.master().kill()
            killed.set()

        killer = threading.Thread(target=kill_master)
        killer.start()
        end = time.monotonic() + 60
        after = 0
        while after < 50:
            assert time.monotonic() < end, "no submission was accepted after the failover"
            run = new()
            try:
                submit(client, run, REPLICATED)
            except (redis.RedisError, CeleriacError):
                refused += 1
                continue
            accepted.append(run.id)
            after += killed.is_set()
        killer.join()
        lost = [id for id in accepted if not client.exists(keys.RUN + id)]
        waiting = client.llen("default")
    print(f"{len(accepted)} accepted, {refused} refused around the failover, {len(lost)} lost")
    assert not lost
    assert waiting >= len(accepted)


async def test_without_a_replica_nothing_is_accepted(group: SentinelGroup) -> None:
    """Nor is a repetition, though it finds the record that the first attempt left on the master."""
    run = new()
    held = replicas(group)
    settings = RedisSettings(url=group.url)
    with connect(settings) as client:
        submit(client, new(), IMPATIENT)  # the connection is there, and its last write is confirmed
        for server in held:
            server.hang()
        for _ in range(2):
            with pytest.raises(UnavailableError, match="send the same id again"):
                submit(client, run, IMPATIENT)
        async with connect_async(settings) as connection:
            with pytest.raises(UnavailableError, match=r"within 0\.1 s"):
                await submit_async(connection, run, IMPATIENT)
            for server in held:
                server.resume()
            accepted = await submit_async(connection, run, REPLICATED)
        assert not accepted.created
        assert client.llen("default") == 2, "the repetitions made no second message"


def test_a_server_that_does_not_know_the_script_is_told(group: SentinelGroup) -> None:
    with connect(RedisSettings(url=group.url)) as client:
        submit(client, new(), REPLICATED)
        client.script_flush()
        assert submit(client, new(), REPLICATED).created
