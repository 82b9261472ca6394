"""What stock Celery does to a process that sends, such as a web server."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import Celery
from celery.exceptions import QueueNotFound
from kombu.exceptions import OperationalError

from celeriac import keys
from celeriac.app import create_app
from celeriac.client import Client
from celeriac.errors import UnavailableError
from celeriac.settings import Settings
from celeriac.settings.redis import RedisSettings
from celeriac.testing import Server, until
from celeriac.testing.server import free_port

PATIENCE = 3
"""Twice what ours waits for Redis before it says 503."""


@contextmanager
def sending(*lines: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that sends with stock Celery, and is given up in the end: a thread could not be."""
    program = "\n".join(["from celery import Celery", *lines[:-1], "print(flush=True)", lines[-1]])
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as sender:
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"\n"
        yield sender
        sender.kill()


async def submit(url: str, **options: str) -> str:
    client = Client(Settings(redis=RedisSettings(url=url)))
    try:
        return await client.submit(client.app.signature("trap_tasks.add", (1, 2)), **options)
    finally:
        await client.aclose()


async def test_trap_1_1_a_sender_with_a_result_backend_outwaits_every_request() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    with (
        sending(f"app = Celery(broker={url!r}, backend={url!r})", "app.send_task('t')") as sender,
        pytest.raises(subprocess.TimeoutExpired),
    ):
        sender.wait(PATIENCE)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(UnavailableError):
            await submit(url)


async def test_trap_1_2_without_a_retry_it_still_waits_for_a_silent_redis(server: Server) -> None:
    server.hang()
    with (
        sending(f"app = Celery(broker={server.url!r})", "app.send_task('t', retry=False)") as sender,
        pytest.raises(subprocess.TimeoutExpired),
    ):
        sender.wait(PATIENCE)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(UnavailableError):
            await submit(server.url)


def test_trap_1_4_a_thread_without_a_connection_waits_for_ever(server: Server) -> None:
    """All connections of the pool are in use, by threads that a slow Redis holds, say."""
    with (
        sending(
            f"app = Celery(broker={server.url!r})",
            "held = [app.producer_pool.acquire(block=True) for _ in range(app.pool.limit)]",
            "app.send_task('t')",
        ) as sender,
        pytest.raises(subprocess.TimeoutExpired),
    ):
        sender.wait(PATIENCE)
    app = create_app(Settings(redis=RedisSettings(url=server.url, timeout=0.5)), "sender")
    held = [app.producer_pool.acquire(block=True) for _ in range(app.pool.limit or 0)]
    with pytest.raises(OperationalError, match=r"Timed out waiting for a broker producer after 0\.5s"):
        app.send_task("trap_tasks.add", (1, 2))
    for producer in held:
        producer.release()
    assert app.send_task("trap_tasks.add", (1, 2)).id
    app.close()


async def test_trap_1_3_a_send_moved_to_a_thread_goes_on_after_its_deadline(server: Server) -> None:
    stock = Celery("stock", broker=server.url, set_as_current=False)
    server.hang()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(stock.send_task, "t"), 0.2)
    with pytest.raises(UnavailableError):
        await submit(server.url, key="order-7")
    server.resume()
    with server.client() as client:
        until(lambda: client.llen("celery") == 1)  # the caller was told that it failed
        runs = {await submit(server.url, key="order-7") for _ in range(2)}
        assert len(runs) == client.llen(keys.queue_list("default", 3)) == 1


async def test_trap_1_5_a_queue_that_nobody_reads_is_made(server: Server) -> None:
    stock = Celery("stock", broker=server.url, set_as_current=False)
    stock.send_task("t", queue="repotrs")
    with server.client() as client:
        assert client.llen("repotrs") == 1
    with pytest.raises(QueueNotFound, match="repotrs"):
        create_app(Settings(redis=RedisSettings(url=server.url)), "sender").send_task("t", queue="repotrs")
